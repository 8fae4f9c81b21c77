import { isObject } from './connection-checks.ts';
import type { ConnectionRecord } from './connections.ts';
import type { ContainerOptions, LoginRecord, LoginResult, RunContainer, ScriptContainer } from './script-container.ts';

interface Slot {
  readonly generation: number;
  logins: number;
  readonly container: ScriptContainer;
}

/** The warm containers of all connections. */
export class Containers {
  readonly #run: RunContainer;
  readonly #options: Required<ContainerOptions>;
  readonly #onLogin: (login: LoginRecord) => void;
  readonly #pools = new Map<string, { turn: number; readonly slots: (Slot | undefined)[] }>();
  readonly #ending = new Set<Promise<void>>();

  constructor(
    run: RunContainer,
    options: ContainerOptions = { count: 1 },
    onLogin: (login: LoginRecord) => void = () => undefined,
  ) {
    this.#run = run;
    this.#options = { livesMs: 0, outliers: 0, outliersMs: 0, loginsEach: Number.POSITIVE_INFINITY, ...options };
    this.#onLogin = onLogin;
  }

  async login(record: ConnectionRecord, email: string, password: string): Promise<LoginResult> {
    const pool = this.#pools.get(record.id) ?? { turn: 0, slots: [] };
    this.#pools.set(record.id, pool);
    const index = pool.turn++ % this.#options.count;
    const slot = this.#keep(pool.slots[index], record, index) ?? this.#start(record);
    pool.slots[index] = slot;
    slot.logins++;
    const startedAt = Date.now();
    const result = await slot.container.login(email, password);
    this.#onLogin({
      ...{ connection: record.name, email, generation: slot.generation, latest: record.writes.length },
      ...{ outlier: this.#isOutlier(index), startedAt, durationMs: Date.now() - startedAt, result },
    });
    return result;
  }

  async close(): Promise<void> {
    for (const { slots } of this.#pools.values()) {
      for (const slot of slots) if (slot !== undefined) this.#end(slot);
    }
    await Promise.all(this.#ending);
  }

  /** The container of a place, if it can still be used. */
  #keep(slot: Slot | undefined, record: ConnectionRecord, index: number): Slot | undefined {
    if (slot === undefined) return undefined;
    if (slot.logins >= this.#options.loginsEach && !this.#isOutlier(index)) {
      this.#end(slot);
      return undefined;
    }
    // The first write that this container has not seen.
    const outdatedAt = record.writes[slot.generation];
    if (outdatedAt === undefined || Date.now() < outdatedAt + this.#lifeOf(index)) return slot;
    this.#end(slot);
    return undefined;
  }

  #start({ options, writes }: ConnectionRecord): Slot {
    const { customScripts, configuration } = options;
    const script = isObject(customScripts) ? customScripts.login : undefined;
    const values = isObject(configuration) ? (configuration as Record<string, string | null>) : {};
    return {
      generation: writes.length,
      logins: 0,
      container: this.#run(typeof script === 'string' ? script : '', values),
    };
  }

  #end({ container }: Slot): void {
    const end = container.close().finally(() => this.#ending.delete(end));
    this.#ending.add(end);
  }

  #isOutlier(index: number): boolean {
    return index >= this.#options.count - this.#options.outliers;
  }

  #lifeOf(index: number): number {
    const { count, livesMs, outliers, outliersMs } = this.#options;
    return this.#isOutlier(index) ? outliersMs : (livesMs * (index + 1)) / (count - outliers);
  }
}
