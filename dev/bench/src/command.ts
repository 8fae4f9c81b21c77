import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const certpin = fileURLToPath(new URL('../../../packages/cli/bin/certpin.cjs', import.meta.url));

/** What a program used, from its start to its end. */
export interface Taken {
  readonly stdout: string;
  readonly seconds: number;
  /** User and system, of all its processes. */
  readonly cpuSeconds: number;
  /** The most resident memory of its first process. 0 for a shell, where it is not known. */
  readonly megabytes: number;
}

/** Runs `certpin` with `args`. @param node the Node that runs it; default: this one */
export async function runCertpin(args: readonly string[], node = process.execPath): Promise<Taken> {
  const report = `import { writeSync } from 'node:fs';
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeSync(3, JSON.stringify([(userCPUTime + systemCPUTime) / 1e6, maxRSS / 1024]));
  });`;
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const { stdout, seconds, last } = await run(node, ['--import', preload, certpin, ...args]);
  const [cpuSeconds, megabytes] = JSON.parse(last) as [number, number];
  return { stdout, seconds, cpuSeconds, megabytes };
}

/** Runs a command line of the shell; `times` tells what its processes took. */
export async function runShell(command: string): Promise<Taken> {
  const { stdout, seconds, last } = await run('sh', ['-c', `${command}\ntimes >&3`]);
  const spent = [...last.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, rest]) => Number(minutes) * 60 + Number(rest));
  return { stdout, seconds, cpuSeconds: spent.reduce((sum, value) => sum + value, 0), megabytes: 0 };
}

/** What is written to file descriptor 3 is `last`. */
async function run(
  program: string,
  args: readonly string[],
): Promise<{ stdout: string; seconds: number; last: string }> {
  const start = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  const texts = { stdout: '', last: '' };
  const collect = (stream: Readable | Writable | null | undefined, name: keyof typeof texts): void => {
    stream?.on('data', (chunk: Buffer) => {
      texts[name] += chunk;
    });
  };
  collect(child.stdio[1], 'stdout');
  collect(child.stdio[3], 'last');
  await once(child, 'close');
  return { ...texts, seconds: (performance.now() - start) / 1000 };
}

/** A file of `lines`, while `use` lasts. */
export async function withList<Result>(
  lines: readonly string[],
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-bench-'));
  try {
    const path = join(folder, 'targets.txt');
    writeFileSync(path, `${lines.join('\n')}\n`);
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
