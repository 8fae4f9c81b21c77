import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeOf } from '../../packages/auth0/test/nodes.ts';

/** One line of the watcher's log. */
type LogEvent = Readonly<Record<string, unknown>>;

export interface Watcher {
  /** The first line of the log that has this event and these fields, now or later. @throws where the watcher has ended before */
  readonly event: (event: string, fields?: LogEvent) => Promise<LogEvent>;
  /** Every target has a state. */
  readonly allAsked: (url: string) => Promise<void>;
  /** What `certpin watch status` prints. */
  readonly status: () => Promise<string>;
  readonly ended: Promise<unknown>;
  /** @returns its exit code */
  readonly stop: () => Promise<number | null>;
}

const program = fileURLToPath(new URL('../../packages/cli/bin/certpin.cjs', import.meta.url));

/** The command as people run it, with a Node that is new enough: `node:sqlite` came with 22.13. */
export function startWatcher(folder: string, secrets: Readonly<Record<string, string>>): Watcher {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const node = major >= 24 ? process.execPath : nodeOf(22);
  const config = ['--config', join(folder, 'certpin.watch.json')];
  const child = spawn(node, [program, 'watch', ...config], {
    ...{ env: { ...process.env, ...secrets }, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  const ended = once(child, 'exit');
  const log: string[] = [];
  const lines = createInterface({ input: child.stderr as NonNullable<ChildProcess['stderr']> });
  lines.on('line', (text) => log.push(text));
  const find = (event: string, fields: LogEvent): LogEvent | undefined =>
    log
      .filter((text) => text.startsWith('{'))
      .map((text): LogEvent => JSON.parse(text))
      .find((one) => one.event === event && Object.entries(fields).every(([name, value]) => one[name] === value));
  return {
    ended,
    event: async (event, fields = {}) => {
      for (;;) {
        const found = find(event, fields);
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`the watcher has ended:\n${log.join('\n')}`);
        await Promise.race([once(lines, 'line'), ended]);
      }
    },
    allAsked: async (url) => {
      for (;;) {
        const { counts } = (await (await fetch(`${url}index.json`)).json()) as { counts: Record<string, number> };
        if (counts.unknown === 0) return;
        await delay(100);
      }
    },
    status: () =>
      new Promise((resolve) => {
        // It ends with 1 where something does not hold.
        execFile(node, [program, 'watch', 'status', ...config], (_error, stdout, stderr) =>
          resolve(`${stdout}${stderr}`.trimEnd()),
        );
      }),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
  };
}
