import type { Message, State } from '../types.ts';

/** Who is told. */
export interface Receiver {
  readonly name: string;
  /** How many transitions go into one message. */
  readonly capacity: number;
  /** Tries once, and ends within the time of `signal`. It never rejects. */
  readonly deliver: (message: Message, form: Form, signal: AbortSignal) => Promise<Outcome>;
  /** Says again what is still true, where the receiver forgets it: Alertmanager does. */
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
 * The short form has counts and no other text. A receiver that says no to the whole message may have been made to by a text that the owner of
 * a certificate chose: such a text must not be able to keep a notice away.
 */
export type Form = 'whole' | 'short';

/** What became of an attempt. `detail` is for a log: it holds no secret, and nothing that the receiver has said. */
export type Outcome =
  | { readonly result: 'delivered'; readonly detail: string }
  | {
      /** `refused`: it has said no, and would say so again. `failed`: it could not be asked, or could not answer. */
      readonly result: 'failed' | 'refused';
      readonly detail: string;
      readonly retryAfterMs?: number | undefined;
    };

/** A target that somebody has to look after. */
export interface Trouble {
  readonly key: string;
  readonly label: string;
  readonly targetId: string | null;
  readonly servername: string | null;
  readonly state: State;
  readonly since: number;
  readonly reason: string;
}
