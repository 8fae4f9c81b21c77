import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerKind, Stage, Target } from './stage.ts';

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Starts the servers in a process of their own. */
export async function openStage(kind: ServerKind): Promise<{ stage: Omit<Stage, 'start'>; target: Target }> {
  const child = fork(fileURLToPath(new URL('stage.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  const waiting = new Map<number, (reply: Reply) => void>();
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  child.once('exit', () => {
    for (const [id, settle] of waiting) settle({ id, error: 'the process of the servers has ended' });
  });
  let calls = 0;
  const call = <Value>(method: keyof Stage, argument?: unknown): Promise<Value> =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, ({ value, error }) => (error === undefined ? resolve(value as Value) : reject(new Error(error))));
      child.send({ id, method, argument });
    });
  const target = await call<Target>('start', kind);
  const stage: Omit<Stage, 'start'> = {
    route: (identity) => call('route', identity),
    cut: (how) => call('cut', how),
    fail: () => call('fail'),
    recover: () => call('recover'),
    restart: () => call('restart'),
    figures: () => call('figures'),
    stop: async () => {
      const exited = once(child, 'exit');
      await call('stop');
      child.disconnect();
      await exited;
    },
  };
  return { stage, target };
}
