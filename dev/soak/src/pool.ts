import type { SoakPool } from './client.ts';

/** One connection of a client that has no pool. */
export interface Connection {
  readonly isOpen: () => boolean;
  readonly exchange: () => Promise<void>;
  readonly close: () => unknown;
}

/** A pool for such clients. A connection is made when it is needed, and closed if an operation on it fails. */
export function poolOf(open: () => Promise<Connection>, connections: number): SoakPool {
  const slots = Array.from({ length: connections }, (): { connection?: Connection | undefined } => ({}));
  const drop = async (slot: (typeof slots)[number]): Promise<void> => {
    const { connection } = slot;
    slot.connection = undefined;
    await connection?.close();
  };
  return {
    exchange: lend(slots, async (slot) => {
      if (slot.connection?.isOpen() === false) await drop(slot);
      slot.connection ??= await open();
      await slot.connection.exchange().catch(async (error: unknown) => {
        await drop(slot);
        throw error;
      });
    }),
    close: async () => void (await Promise.all(slots.map(drop))),
  };
}

/** One operation uses a connection at a time. If all are in use, an operation waits. */
export function lend<Slot>(slots: readonly Slot[], use: (slot: Slot) => Promise<void>): () => Promise<void> {
  const idle = [...slots];
  const waiting: ((slot: Slot) => void)[] = [];
  return async () => {
    const slot = idle.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)));
    try {
      await use(slot);
    } finally {
      const next = waiting.shift();
      if (next === undefined) idle.push(slot);
      else next(slot);
    }
  };
}
