import type { Entry, Place } from '@certpin/pins-file';
import type { DeliverError } from './deliver-error.ts';
import type { Before, Witness } from './journal.ts';
import { isPins, sha256 } from './pins-text.ts';

/** A place, and the pins that it must have. */
export interface Wish {
  readonly entry: Entry;
  readonly place: Place;
  readonly pins: string;
}

/** What is known of a place. */
export type Standing =
  | { readonly how: 'read'; readonly text: string }
  | { readonly how: 'absent' }
  /** It cannot be read. A witness shows what was written there, and that nobody has changed it. */
  | { readonly how: 'witness'; readonly sha256: string; readonly text: string | undefined }
  | { readonly how: 'unknown'; readonly reason: string };

/** A wish, and what is at its place. */
export interface Item extends Wish {
  readonly standing: Standing;
}

/** A wish, and which push it takes back. */
export interface Wanted {
  readonly wishes: readonly Wish[];
  readonly undoes?: string;
  /** Whether what is at a place may be replaced. If not, why. */
  readonly refuse?: (item: Item) => DeliverError | undefined;
}

/** What is written at once: a connection, an Action, a file, or a command. */
export interface Step {
  /** In words, for people. */
  readonly name: string;
  readonly items: readonly Item[];
  /** Why it cannot be written, before anything was. */
  readonly refusals: readonly DeliverError[];
  /** A push has left a draft. It must be deployed, or taken back, although the running pins are right. */
  readonly isPending?: boolean;
  /** What is there now, for the file with which the push can be taken back. */
  readonly snapshot: unknown;
  /** A connection with a script: a canary can log in there. */
  readonly login: { readonly connection: string; readonly isImport: boolean } | undefined;
  /**
   * @param push its id
   * @returns what shows later whether a place is as it was left, in the order of the items
   */
  readonly write: (push: string) => Promise<readonly (Witness | null)[]>;
}

export function isSame({ standing, pins }: Item): boolean {
  if (standing.how === 'read') return standing.text === pins;
  return standing.how === 'witness' && standing.sha256 === sha256(pins);
}

/** Whether a place must be written. */
export function isNeeded({ isPending = false }: Step, item: Item): boolean {
  return isPending || !isSame(item);
}

export function beforeOf({ standing }: Item): Before {
  // Text that is not a list of pins may be a password under the wrong name. It must not get into a journal.
  if (standing.how === 'read' && standing.text === '') return { known: true, text: null };
  if (standing.how === 'read') return isPins(standing.text) ? { known: true, text: standing.text } : { known: false };
  if (standing.how === 'absent') return { known: true, text: null };
  return standing.how === 'witness' && standing.text !== undefined
    ? { known: true, text: standing.text }
    : { known: false };
}

/** A place in words. */
export function describePlace(place: Place): string {
  switch (place.kind) {
    case 'configuration':
      return `${place.key} in the configuration of the connection ${place.connection} of ${place.tenant}`;
    case 'secret':
      return `the secret ${place.key} of the Action ${place.action} of ${place.tenant}`;
    case 'script':
      return `the script ${place.script} of the connection ${place.connection} of ${place.tenant}`;
    case 'action-code':
      return `the code of the Action ${place.action} of ${place.tenant}`;
    case 'file':
      return `${place.key} in ${place.path}`;
    case 'command':
      return `the command ${place.command[0]}`;
  }
}
