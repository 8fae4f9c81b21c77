import type { WatcherRow } from '../types.ts';
import type { CycleOptions } from './options.ts';
import type { OwnNews } from './own-news.ts';
import { type Look, PinsSource } from './pins-source.ts';

const POLL_MS = 5_000;

/** Looks at the pins file from time to time, and tells where it cannot be read, and where it can be again. */
export class PinsWatch {
  readonly #options: CycleOptions;
  readonly #news: OwnNews;
  readonly #source: Pick<PinsSource, 'look'>;
  #pollAt = 0;
  /** How often in a row it could not be read. */
  #unreadable = 0;
  /** What was told of it; null: it can be read. */
  #error: string | null = null;

  constructor(options: CycleOptions, news: OwnNews) {
    this.#options = options;
    this.#news = news;
    this.#source = options.source ?? new PinsSource(options.pinsFile, options.store, options.defaults);
  }

  /** Why it cannot be read; null: it can. */
  get error(): string | null {
    return this.#error;
  }

  /**
   * The first look of a run.
   *
   * @param isOnly nobody will look again, so it counts at once
   * @throws PinsFileError where the file cannot be read and the store has no earlier one
   */
  async begin({ fileError, fileReadAt, pinsFile }: WatcherRow, isOnly: boolean): Promise<void> {
    const { clock } = this.#options;
    this.#error = fileError;
    const look = await this.#source.look(clock.now(), true);
    if (look.what === 'unreadable' && (pinsFile !== this.#options.pinsFile || fileReadAt === null)) throw look.error;
    this.#tell(look, isOnly);
    this.#pollAt = clock.elapsed() + POLL_MS;
  }

  /** @returns whether there are other targets now */
  async poll(isForced: boolean): Promise<boolean> {
    const { clock } = this.#options;
    const elapsed = clock.elapsed();
    if (!isForced && elapsed < this.#pollAt) return false;
    this.#pollAt = elapsed + POLL_MS;
    const look = await this.#source.look(clock.now(), isForced);
    this.#tell(look, false);
    return look.what === 'read';
  }

  #tell(look: Look, isOnly: boolean): void {
    if (look.what === 'unreadable') {
      this.#tellUnreadable(look.error.message, isOnly);
      return;
    }
    this.#unreadable = 0;
    if (look.what === 'read') {
      this.#options.log('pins-file-read', { targets: look.targets });
      this.#news.add({ fileReadAt: this.#options.clock.now(), intervalMs: look.intervalMs });
    }
    if (this.#error === null) return;
    this.#error = null;
    this.#news.add({ fileError: null }, { kind: 'file-readable', reason: 'the pins file can be read again' });
  }

  #tellUnreadable(message: string, isOnly: boolean): void {
    // An editor may be writing it: the second look counts.
    if (++this.#unreadable < 2 && !isOnly) return;
    if (message === this.#error) return;
    const news = { kind: 'file-unreadable', reason: `${message}; the last good one stays` } as const;
    const isNew = this.#error === null;
    this.#error = message;
    this.#news.add({ fileError: message }, isNew ? news : undefined);
    if (isNew) this.#options.log('pins-file-unreadable', { error: message });
  }
}
