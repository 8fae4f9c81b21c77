import { randomBytes } from 'node:crypto';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type FuzzResult, fuzz } from './fuzz.ts';
import { loadLibrary } from './library.ts';

interface Options {
  readonly certificates: number;
  readonly seed: string;
  readonly library?: string;
  readonly json?: true;
}

/** @returns the exit code: 0 no difference, 1 a difference, 2 it could not be run */
export async function run(argv: readonly string[]): Promise<0 | 1 | 2> {
  try {
    const { certificates, seed, library, json } = readOptions(argv);
    process.stderr.write(`fuzz: --seed ${seed} on Node ${process.version}\n`);
    const startedAt = performance.now();
    const result = fuzz({
      library: await loadLibrary(library),
      seed,
      certificates,
      onProgress: (progress) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${summaryOf(progress)}`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    process.stdout.write(
      json ? `${JSON.stringify({ ...plain(result), seconds })}\n` : `${textOf(result)}${seconds} s\n`,
    );
    return result.different === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CommanderError)) process.stderr.write(`fuzz: ${(error as Error).stack}\n`);
    return error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
  }
}

function readOptions(argv: readonly string[]): Options {
  return new Command('fuzz')
    .description('What certpin reads in hostile certificates, beside what OpenSSL reads in them.')
    .option('--certificates <number>', 'how many', readCount, 100_000)
    .option('--seed <text>', 'the same certificates again', randomBytes(6).toString('hex'))
    .option('--library <path>', 'index.js of another build of the library; default: the one of this checkout')
    .option('--json', 'print the result as JSON')
    .exitOverride()
    .parse([...argv], { from: 'user' })
    .opts<Options>();
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number of certificates.');
}

function summaryOf({ certificates, chains, rejected, same, different }: FuzzResult): string {
  return `${certificates} certificates, among them ${chains} chains: ${same} read the same, ${rejected} not taken by OpenSSL, or no chain to either, ${different} different`;
}

function textOf(result: FuzzResult): string {
  const found = result.differences.map(
    ({ difference, certificates }) =>
      `${difference}\n${certificates.map((der) => `  ${der.toString('base64')}`).join('\n')}\n`,
  );
  return `${found.join('')}${summaryOf(result)}, `;
}

function plain({ differences, ...counts }: FuzzResult): object {
  const written = differences.map(({ difference, certificates }) => ({
    difference,
    certificates: certificates.map((der) => der.toString('base64')),
  }));
  return { ...counts, differences: written };
}
