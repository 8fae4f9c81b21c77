import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { openPinsText, PinsFileError, type PinsText, readPinsText } from '@certpin/pins-file';
import type { Store, WatchedTarget } from '../store/store.ts';
import { type Defaults, intervalOf, toWatched } from './definition.ts';

/** Targets that are read before somebody else has a turn: time limits of servers would pass meanwhile. */
const AT_A_TIME = 100;

/** What became of a look at the pins file. */
export type Look =
  | { readonly what: 'same' }
  | { readonly what: 'read'; readonly targets: number; readonly intervalMs: number }
  | { readonly what: 'unreadable'; readonly error: PinsFileError };

/** Reads the pins file into the store, where it has changed. Where it cannot be read, the store keeps what it has. */
export class PinsSource {
  readonly #path: string;
  readonly #store: Store;
  readonly #defaults: Defaults;
  #stamp = '';
  #hash = '';

  constructor(path: string, store: Store, defaults: Defaults) {
    this.#path = path;
    this.#store = store;
    this.#defaults = defaults;
  }

  /** @param isForced its time and size are not asked first */
  async look(now: number, isForced = false): Promise<Look> {
    const stamp = stampOf(this.#path);
    if (!isForced && stamp !== '' && stamp === this.#stamp) return { what: 'same' };
    try {
      const text = readPinsText(this.#path);
      const hash = createHash('sha256').update(text).digest('hex');
      if (hash === this.#hash) {
        this.#stamp = stamp;
        return { what: 'same' };
      }
      const file = openPinsText(text, this.#path);
      let targets = 0;
      await this.#store.importTargets(
        counted(this.#read(file), () => targets++),
        now,
      );
      this.#stamp = stamp;
      this.#hash = hash;
      return { what: 'read', targets, intervalMs: intervalOf(file, this.#defaults) };
    } catch (error) {
      if (!(error instanceof PinsFileError)) throw error;
      return { what: 'unreadable', error };
    }
  }

  async *#read(file: PinsText): AsyncGenerator<WatchedTarget, void, void> {
    let count = 0;
    for (const { entry, text: own } of file.entries()) {
      yield toWatched(entry, own, file, this.#defaults);
      if (++count % AT_A_TIME === 0) await turn();
    }
  }
}

async function* counted<Item>(items: AsyncIterable<Item>, count: () => void): AsyncGenerator<Item, void, void> {
  for await (const item of items) {
    count();
    yield item;
  }
}

/** Empty where it cannot be looked at. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return '';
  }
}
