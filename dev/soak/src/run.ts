import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { SoakClient } from './client.ts';
import { renderTable } from './report.ts';
import { type Progress, type SoakResult, soak } from './soak.ts';

interface Options {
  readonly minutes: number;
  readonly client: readonly string[];
  readonly json?: true;
}

/** Against a silent server, certpin gives a connection up after 10 s. An operation that takes longer hangs. */
const FULL = { connections: 50, phaseMs: 300, deadlineMs: 20_000 };
/** With `--minutes 0`, for the tests: no server is silent. */
const SHORT = { connections: 5, phaseMs: 20, deadlineMs: 8_000 };

/**
 * The whole program, for whichever clients.
 *
 * @returns the exit code: 0 everything held, 1 something did not, 2 the soak could not be run
 */
export async function run(argv: readonly string[], clients: readonly SoakClient[]): Promise<0 | 1 | 2> {
  try {
    const { minutes, client: names, json } = readOptions(argv, clients);
    const asked = clients.filter(({ name }) => names.includes(name));
    const chosen = asked.filter(({ notOnThisNode }) => notOnThisNode === undefined);
    const notRun = asked.flatMap(({ name, notOnThisNode: reason }) => (reason === undefined ? [] : [{ name, reason }]));
    const listed = notRun.map(({ name, reason }) => `${name}: ${reason}`);
    if (chosen.length === 0) throw new Error(`nothing to run: ${listed.join('; ')}`);
    const durationMs = (minutes * 60_000) / chosen.length;
    const form = minutes === 0 ? SHORT : FULL;
    const results: SoakResult[] = [];
    let last: Progress | undefined;
    const onProgress = (progress: Progress): void => {
      last = progress;
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${describe(progress)}`);
    };
    // If somebody stops the soak, it says how far it was: a soak that does not finish has found something.
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.once(signal, () => {
        process.stderr.write(`\nsoak: stopped in ${last === undefined ? 'the start' : describe(last)}\n`);
        process.exit(code);
      });
    }
    for (const client of chosen) {
      if (!process.stderr.isTTY) process.stderr.write(`soak: ${client.name}\n`);
      results.push(await soak({ client, ...form, durationMs, onProgress }));
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const ok = results.every(({ faults }) => Object.keys(faults).length === 0);
    process.stdout.write(json ? `${JSON.stringify({ ok, results, notRun })}\n` : renderTable(results));
    if (!json) for (const line of listed) process.stdout.write(`not run: ${line}\n`);
    return ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CommanderError)) process.stderr.write(`soak: ${(error as Error).stack}\n`);
    return error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
  }
}

function readOptions(argv: readonly string[], clients: readonly SoakClient[]): Options {
  const names = clients.map(({ name }) => name);
  return new Command('soak')
    .description('Pools under load while their server fails, restarts, rotates its certificate and meets an impostor.')
    .option('--minutes <number>', 'for all clients together; 0: small pools, three rounds', readMinutes, 5)
    .addOption(new Option('--client <name...>', 'only these clients').choices(names).default(names))
    .option('--json', 'print the figures as JSON')
    .exitOverride()
    .parse([...argv], { from: 'user' })
    .opts<Options>();
}

function readMinutes(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== '' && minutes >= 0 && Number.isFinite(minutes)) return minutes;
  throw new InvalidArgumentError('It must be a number of minutes.');
}

function describe({ client, round, phase, operations, faults }: Progress): string {
  const found = Object.entries(faults).map(([text, times]) => `; ${times} times ${text}`);
  return `${client}, round ${round}: ${phase} (${operations} operations)${found.join('')}`;
}
