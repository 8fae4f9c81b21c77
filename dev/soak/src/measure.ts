import { delay } from './load.ts';

/** Bytes after a garbage collection. */
export interface Memory {
  readonly heap: number;
  /** Memory outside the JavaScript heap, with buffers and what OpenSSL reports. */
  readonly external: number;
}

/** @throws Error if Node was started without `--expose-gc` */
export async function measureMemory(): Promise<Memory> {
  if (globalThis.gc === undefined) throw new Error('node needs the flag --expose-gc');
  // What a finalizer releases is collected the next time.
  for (let collection = 1; collection <= 3; collection++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, external };
}

/** Node 17.3 and newer; the types of Node 18 do not know it. */
type Resourceful = typeof process & { getActiveResourcesInfo(): string[] };

/** What keeps the event loop busy, by kind: TCP sockets, look-ups, timers, … */
export function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of (process as Resourceful).getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

export function openSockets(): number {
  return activeResources().TCPSocketWrap ?? 0;
}

/** What exists beyond `baseline`. Empty: everything has gone. Waits for that up to `timeoutMs`. */
export async function leftOver(
  read: () => Promise<Record<string, number>>,
  baseline: Record<string, number>,
  timeoutMs: number,
): Promise<Record<string, number>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const now = Object.entries(await read());
    const more = now.map(([kind, count]) => [kind, count - (baseline[kind] ?? 0)] as const);
    const left = more.filter(([, count]) => count > 0);
    if (left.length === 0 || Date.now() > end) return Object.fromEntries(left);
    await delay(10);
  }
}
