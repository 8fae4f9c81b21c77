import type { Message, State } from '../types.ts';

/** Somebody, or something, that gets notices. */
export interface Receiver {
  readonly name: string;
  /** How many transitions go into one message. */
  readonly capacity: number;
  /** Tries once, and ends within the time of `signal`. It never rejects. */
  readonly deliver: (message: Message, form: Form, signal: AbortSignal) => Promise<Outcome>;
  /** Repeats what is still true, for a receiver that forgets it, such as Alertmanager. */
  readonly repeat?: ((standing: Standing, signal: AbortSignal) => Promise<Outcome>) | undefined;
}

/** What is still true. */
export interface Standing {
  readonly troubles: AsyncIterable<Trouble>;
  readonly own: readonly OwnTrouble[];
}

/** A trouble of the watcher itself. */
export interface OwnTrouble {
  readonly kind: 'network-lost' | 'file-unreadable';
  readonly since: number;
  readonly reason: string;
}

/**
 * The short form contains only counts, and no other text. If a receiver refuses the whole message, the reason may be a text that the owner
 * of a certificate chose. Such a text must not be able to stop a notice.
 */
export type Form = 'whole' | 'short';

/** The outcome of an attempt. `detail` is for a log: it contains no secret, and nothing that the receiver has said. */
export type Outcome =
  | { readonly result: 'delivered'; readonly detail: string }
  | {
      /** `refused`: it has said no, and would say so again. `failed`: it could not be asked, or could not answer. */
      readonly result: 'failed' | 'refused';
      readonly detail: string;
      readonly retryAfterMs?: number | undefined;
    };

/** A target that needs a person. */
export interface Trouble {
  readonly key: string;
  readonly label: string;
  readonly targetId: string | null;
  readonly servername: string | null;
  readonly state: State;
  readonly since: number;
  readonly reason: string;
}
