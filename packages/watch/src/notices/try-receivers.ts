import { randomUUID } from 'node:crypto';
import type { Message } from '../types.ts';
import { clean } from './clean.ts';
import type { Outcome, Receiver } from './receiver.ts';

export interface Tried {
  readonly receiver: string;
  readonly outcome: Outcome;
  readonly seconds: number;
}

const LIMIT_MS = 20_000;

/** Sends a test notice to each receiver at once, without the outbox. */
export function tryReceivers(receivers: readonly Receiver[]): Promise<readonly Tried[]> {
  return Promise.all(receivers.map(tryOne));
}

async function tryOne({ name, deliver }: Receiver): Promise<Tried> {
  const id = randomUUID();
  const message: Message = { id, receiver: name, kind: 'test', transitions: [], attempts: 0, createdAt: Date.now() };
  const begun = performance.now();
  const outcome = await deliver(message, 'whole', AbortSignal.timeout(LIMIT_MS)).catch((error: Error): Outcome => {
    return { result: 'failed', detail: clean(error.message) };
  });
  return { receiver: name, outcome, seconds: (performance.now() - begun) / 1000 };
}
