import { randomUUID } from 'node:crypto';
import type { Outgoing } from '../store/store.ts';
import type { Transition, TransitionKind, WatcherRow } from '../types.ts';
import type { CycleOptions } from './options.ts';

/** What is known of the watcher itself, and what is told of it. */
export class OwnNews {
  readonly #options: CycleOptions;
  /** In their order. Nobody would find it out again: so it waits here until there is room. */
  readonly #unwritten: { readonly change: Partial<WatcherRow>; readonly transitions: readonly Outgoing[] }[] = [];

  constructor(options: CycleOptions) {
    this.#options = options;
  }

  /** It is written with the next {@link write}. */
  add(change: Partial<WatcherRow>, told?: { readonly kind: TransitionKind; readonly reason: string }): void {
    const { clock, chooseReceivers } = this.#options;
    if (told === undefined) {
      this.#unwritten.push({ change, transitions: [] });
      return;
    }
    const transition: Transition = {
      ...{ id: randomUUID(), at: clock.now(), key: null, label: null, targetId: null, servername: null },
      ...{ ...told, from: null, to: null, remark: null, mutedBy: null, addresses: [], endsAt: null },
    };
    this.#unwritten.push({ change, transitions: [{ transition, receivers: chooseReceivers(transition, null) }] });
  }

  networkIs(what: 'lost' | 'back'): void {
    const { clock, log } = this.#options;
    log(`network-${what}`);
    if (what === 'back') {
      this.add({ networkLostAt: null }, { kind: 'network-back', reason: 'servers can be reached again' });
      return;
    }
    const reason = 'no server can be reached: the watcher itself is cut off; until it is back, nothing else is told';
    this.add({ networkLostAt: clock.now() }, { kind: 'network-lost', reason });
  }

  /** @throws StoreError: what could not be written is written the next time */
  async write(): Promise<void> {
    const { store, poke } = this.#options;
    for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
      await store.recordWatcher(next.change, next.transitions);
      this.#unwritten.shift();
      if (next.transitions.length > 0) poke();
    }
  }
}
