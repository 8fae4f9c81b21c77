import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { margins } from './growth.ts';
import { soakWatch, type WatchProgress, type WatchSoakResult } from './watch-soak.ts';

const FULL = { targets: 2_000, phaseMs: 5_000 };
/** With `--minutes 0`, for the tests: about a minute. */
const SHORT = { targets: 200, phaseMs: 500 };

/** @returns the exit code: 0 everything held, 1 something did not, 2 the soak could not be run */
export async function runWatchSoak(argv: readonly string[]): Promise<0 | 1 | 2> {
  try {
    const { minutes, json } = new Command('soak watch')
      .description('certpin watch for minutes, while servers, the receiver and the pins file change.')
      .option('--minutes <number>', '0: the short form', readMinutes, 60)
      .option('--json', 'print the figures as JSON')
      .exitOverride()
      .parse([...argv], { from: 'user' })
      .opts<{ minutes: number; json?: true }>();
    const onProgress = (progress: WatchProgress): void => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${describe(progress)}`);
    };
    const form = minutes === 0 ? SHORT : FULL;
    const result = await soakWatch({ ...form, durationMs: minutes * 60_000, onProgress });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const ok = result.faults.length === 0;
    process.stdout.write(json ? `${JSON.stringify({ ok, ...result })}\n` : render(result));
    return ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CommanderError)) process.stderr.write(`soak: ${(error as Error).stack}\n`);
    return error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
  }
}

function readMinutes(text: string): number {
  const minutes = Number(text);
  if (text.trim() !== '' && minutes >= 0 && Number.isFinite(minutes)) return minutes;
  throw new InvalidArgumentError('It must be a number of minutes.');
}

function describe({ round, phase, sample, faults }: WatchProgress): string {
  const has = sample === undefined ? '' : ` (heap ${megabytes(sample.heap)}, ${sample.descriptors} descriptors)`;
  return `round ${round}: ${phase}${has}${faults.length === 0 ? '' : `; ${faults.length} faults`}`;
}

function render({ growth, faults, ...counts }: WatchSoakResult): string {
  const lines = [
    ...Object.entries(counts).map(([name, count]) => `${name.padEnd(12)} ${count.toLocaleString('en')}`),
    ...(Object.keys(margins) as (keyof typeof margins)[]).map((figure) => {
      const { middle, last } = growth[figure];
      const words = figure === 'descriptors' ? String : megabytes;
      return `${figure.padEnd(12)} ${words(middle)} in the second third, ${words(last)} in the last (the least of each)`;
    }),
    ...faults.map((fault) => `fault: ${fault}`),
  ];
  return `${lines.join('\n')}\n`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
