/**
 * Pools under load for minutes, while their server fails, restarts, rotates its certificate and is replaced by an impostor:
 * `npm run soak -- --minutes 5`. Exit code: 0 everything held, 1 something did not, 2 the soak could not be run.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { clients } from './clients.ts';
import { renderTable } from './report.ts';
import { type Progress, type SoakResult, soak } from './soak.ts';

interface Options {
  readonly minutes: number;
  readonly client: readonly string[];
  readonly json?: true;
}

/** Connections in each pool, and milliseconds that each phase of a round lasts. */
const FULL = { connections: 50, phaseMs: 300 };
/** With `--minutes 0`, for the tests. */
const SHORT = { connections: 10, phaseMs: 20 };

function readMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes >= 0) || !Number.isFinite(minutes)) throw new InvalidArgumentError('it must be a number of minutes.');
  return minutes;
}

function readOptions(argv: readonly string[]): Options {
  const names = clients.map(({ name }) => name);
  const program = new Command('soak')
    .description('Pools under load while their server restarts and its certificate is swapped.')
    .option('--minutes <number>', 'for all clients together; 0: small pools, three rounds', readMinutes, 5)
    .addOption(new Option('--client <name...>', 'only these clients').choices(names).default(names))
    .option('--json', 'print the figures as JSON')
    .exitOverride();
  return program.parse([...argv], { from: 'user' }).opts<Options>();
}

function showProgress({ client, round, phase, operations }: Progress): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\x1b[K${client}, round ${round}: ${phase} (${operations} operations)`);
}

async function main(argv: readonly string[]): Promise<0 | 1> {
  const { minutes, client: names, json } = readOptions(argv);
  const chosen = clients.filter(({ name }) => names.includes(name));
  const durationMs = (minutes * 60_000) / chosen.length;
  const form = minutes === 0 ? SHORT : FULL;
  const results: SoakResult[] = [];
  for (const client of chosen) results.push(await soak({ client, ...form, durationMs, onProgress: showProgress }));
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const ok = results.every(({ faults }) => Object.keys(faults).length === 0);
  process.stdout.write(json ? `${JSON.stringify({ ok, results })}\n` : renderTable(results));
  return ok ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommanderError)) console.error(`soak: ${(error as Error).stack}`);
  // Operations may still be under way; the servers notice that nobody needs them, and stop.
  process.exit(error instanceof CommanderError && error.exitCode === 0 ? 0 : 2);
}
