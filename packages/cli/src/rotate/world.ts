import type { CanaryLogin } from '@certpin/auth0';
import type { Blocked, FilePins, Presented, Rotation } from '@certpin/pins-file';

/** The outcome for one place of a target. */
export interface Delivery {
  /**
   * `shown`: the place was read back. `told`: the receiver says so, and the place cannot be read. `left`: somebody else brings the pins
   * there, not certpin. `open`: the pins are not there.
   */
  readonly state: 'shown' | 'told' | 'left' | 'open';
  /** Which place it is, and what is there, in one line. */
  readonly reason: string;
  /** The path, if it is a file of this machine: certpin cannot see whether somebody has deployed it. */
  readonly file?: string;
}

/** The outcome of bringing the pins to every place. */
export interface Brought {
  readonly places: readonly Delivery[];
  /** Why not, if the reason is not about one place. */
  readonly problems: readonly string[];
  /** What to do about them, as text to paste. */
  readonly hints: readonly string[];
  /** Something could not be asked. */
  readonly isUnasked: boolean;
}

/** What a person is asked before a step that writes. */
export type Question = 'added' | 'delivered' | 'retired' | 'abort';

/** Everything that a rotation touches. A test replaces it by another world, and stops it at any point. */
export interface World {
  readonly now: () => Date;
  /** What the pins file says of the target. undefined: it is not there. */
  readonly readFile: () => FilePins | undefined;
  /** Writes only if the file still says `before`. If it says `after` already, that is enough. */
  readonly writeFile: (before: FilePins, after: FilePins) => Promise<void>;
  /** Asks every address, with a new handshake. @param after the pins that the file would have then */
  readonly present: (after: FilePins) => Promise<readonly Presented[]>;
  /** Whether the pins file lists a place for the target at all. */
  readonly hasPlaces: () => boolean;
  /** Brings what the file says to every place of the target, and reads it back. Repeating it does no harm. */
  readonly deliver: () => Promise<Brought>;
  /** Reads every place of the target again. Nothing is written. */
  readonly look: () => Promise<Brought>;
  readonly logIn: () => Promise<CanaryLogin>;
  readonly save: (rotation: Rotation) => Promise<void>;
  readonly agree: (question: Question) => Promise<'yes' | 'no' | 'unasked'>;
}

/** Why a step is not taken. */
export type Hindrance =
  | Blocked
  | { readonly why: 'undelivered'; readonly brought: Brought }
  | { readonly why: 'lost'; readonly brought: Brought }
  | { readonly why: 'no-place'; readonly pins: readonly string[] }
  | { readonly why: 'canary'; readonly canary: CanaryLogin }
  | { readonly why: 'declined' | 'unasked' };

/** The outcome of a command that moves a rotation. */
export type Moved = {
  readonly rotation: Rotation;
  readonly presented?: readonly Presented[];
  readonly deliveries?: readonly Delivery[];
} & ({ readonly hindrance: Hindrance } | { readonly hindrance?: undefined });

/** What a person says beforehand. */
export interface Said {
  /** Somebody has brought the pins to the places that certpin cannot write: those of another tool, or those that the file does not list. */
  readonly byHand: boolean;
  /** The changes by hand in the pins file are intended. */
  readonly acceptChange: boolean;
  /** A login that could not be tried does not stop the rotation. */
  readonly noCanary: boolean;
}
