import type { CanaryLogin } from '@certpin/auth0';
import type { Blocked, FilePins, Presented, Rotation } from '@certpin/pins-file';

/** What became of one place of a target. */
export interface Delivery {
  /**
   * `shown`: read back. `told`: whoever took it says so, and it cannot be read. `left`: certpin does not bring it there, somebody else does.
   * `open`: the pins are not there.
   */
  readonly state: 'shown' | 'told' | 'left' | 'open';
  /** Which place it is, and what stands there: one line. */
  readonly reason: string;
  /** The path, where it is a file of this machine: that somebody has deployed it, certpin cannot see. */
  readonly file?: string;
}

/** What became of bringing the pins to every place. */
export interface Brought {
  readonly places: readonly Delivery[];
  /** Why not, where it is not about one place. */
  readonly problems: readonly string[];
  /** What to do about them: something to paste. */
  readonly hints: readonly string[];
  /** Something could not be asked. */
  readonly isUnasked: boolean;
}

/** What a person is asked before a step that writes. */
export type Question = 'added' | 'delivered' | 'retired' | 'abort';

/** Everything that a rotation touches. A test puts another world in its place, and ends it at any point. */
export interface World {
  readonly now: () => Date;
  /** What the target says in the pins file; undefined: it is not there. */
  readonly readFile: () => FilePins | undefined;
  /** Nothing is written where the file no longer says `before`. Where it says `after` already, that is enough. */
  readonly writeFile: (before: FilePins, after: FilePins) => Promise<void>;
  /** Asks every address, by a fresh handshake. @param after the pins that the file would have then */
  readonly present: (after: FilePins) => Promise<readonly Presented[]>;
  /** Whether the pins file lists a place for the target at all. */
  readonly hasPlaces: () => boolean;
  /** Brings what the file says to every place of the target, and reads it back. Again is no harm. */
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

/** What became of a command that moves a rotation. */
export type Moved = {
  readonly rotation: Rotation;
  readonly presented?: readonly Presented[];
  readonly deliveries?: readonly Delivery[];
} & ({ readonly hindrance: Hindrance } | { readonly hindrance?: undefined });

/** What a person says beforehand. */
export interface Said {
  /** Where certpin does not bring the pins, somebody has: to a place of another tool, or where the file lists none. */
  readonly byHand: boolean;
  /** What has changed in the pins file by hand was meant. */
  readonly acceptChange: boolean;
  /** A login that could not be tried is no obstacle. */
  readonly noCanary: boolean;
}
