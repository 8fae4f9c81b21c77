import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeOf } from '../../../../packages/auth0/test/nodes.ts';
import type { Sample } from './growth.ts';

const program = fileURLToPath(new URL('../../../../packages/cli/bin/certpin.cjs', import.meta.url));

/** Loaded before certpin: at SIGUSR2 the process collects garbage, and says what is left. */
const METER = `import { writeSync } from 'node:fs';
process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  writeSync(3, JSON.stringify({ heap: heapUsed, external, resident: rss }) + '\\n');
});`;

/** What must not stand in the log of a watcher to which nothing of that kind happens. */
const BAD = new Set(['check-failed', 'store-failed', 'notices-failed', 'clock-jumped', 'pins-file-unreadable']);

/** `certpin watch` in a process of its own, as people run it. */
export interface Watcher {
  /** Of its pages. */
  readonly url: string;
  readonly sample: () => Promise<Sample>;
  readonly reload: () => void;
  /** Lines of the log that must not be there. */
  readonly faults: readonly string[];
  /** @returns its exit code; null: a signal has ended it */
  readonly stop: () => Promise<number | null>;
}

/** @throws where it does not begin to listen */
export async function startWatcher(folder: string, secret: string): Promise<Watcher> {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const node = major >= 24 ? process.execPath : nodeOf(22);
  const flags = ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(METER)}`];
  const config = ['--config', join(folder, 'certpin.watch.json')];
  const child = spawn(node, [...flags, program, 'watch', ...config], {
    env: { ...process.env, SOAK_SECRET: secret },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const faults: string[] = [];
  const meter = createInterface({ input: child.stdio[3] as Readable });
  const url = new Promise<string>((resolve, reject) => {
    const first: string[] = [];
    createInterface({ input: child.stderr as NonNullable<ChildProcess['stderr']> }).on('line', (line) => {
      if (first.length < 20) first.push(line);
      const { event, url } = line.startsWith('{') ? JSON.parse(line) : { event: 'no line of the log' };
      if (event === 'listening') resolve(url);
      if (BAD.has(event) || event === 'no line of the log') faults.push(line);
    });
    void ended.then(() => reject(new Error(`the watcher has ended:\n${first.join('\n')}`)));
  });
  url.catch(() => undefined);
  return {
    url: await url,
    faults,
    async sample() {
      const said = once(meter, 'line');
      child.kill('SIGUSR2');
      const [line] = (await Promise.race([
        said,
        ended.then(() => {
          throw new Error('the watcher has ended');
        }),
      ])) as [string];
      return { ...(JSON.parse(line) as Omit<Sample, 'descriptors'>), descriptors: await leastDescriptors(child) };
    },
    reload: () => void child.kill('SIGHUP'),
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/** The least of some moments: a check that is under way has a socket. Linux says it. */
async function leastDescriptors({ pid }: ChildProcess): Promise<number> {
  const counts: number[] = [];
  for (let moment = 0; moment < 10; moment++) {
    counts.push(readdirSync(`/proc/${pid}/fd`).length);
    await delay(50);
  }
  return Math.min(...counts);
}
