// What certpin costs, beside the pipe of openssl that it replaces, all of it measured in one run. The rounds alternate, so that what else the
// machine does meets both; the figures are medians. Linux, whose loopback interface answers on all of 127.0.0.0/8.
//
//   npm run figures
//   npm run figures -- --rounds 3 --targets 1000 --many 10000 --sample 200
import assert from 'node:assert/strict';
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { certificateHex, credentials, mint } from '../testkit/src/index.ts';

const certpin = fileURLToPath(new URL('../packages/cli/bin/certpin.js', import.meta.url));
const CONCURRENCY = '64';

interface Measured {
  readonly seconds: number;
  /** Peak resident memory in MB; of a shell it is not known. */
  readonly megabytes: number;
}

/** A TLS server on every address of the loopback interface, in a process of its own. */
async function serve(): Promise<void> {
  const certificate = await mint();
  const server = createServer(credentials(certificate), (socket) => socket.on('error', () => undefined).resume());
  server.on('tlsClientError', () => undefined);
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 });
  await once(server, 'listening');
  process.send?.({ port: (server.address() as AddressInfo).port, hex: certificateHex(certificate) });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      targets: { type: 'string', default: '5000' },
      many: { type: 'string', default: '50000' },
      sample: { type: 'string', default: '500' },
    },
  });
  const [rounds, targets, many, sample] = [values.rounds, values.targets, values.many, values.sample].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const folder = mkdtempSync(join(tmpdir(), 'certpin-figures-'));
  const server = fork(fileURLToPath(import.meta.url), ['serve']);
  try {
    const [{ port, hex }] = (await once(server, 'message')) as [{ port: number; hex: string }];
    const lab = new Lab(folder, port, hex);
    console.log(`${availableParallelism()} cores, Node ${process.versions.node}, ${version('openssl', 'version')}`);
    await compareSingle(lab, rounds * 3);
    await compareScans(lab, rounds, targets, sample);
    await measureMemory(lab, [many / 100, many / 10, many]);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true });
  }
}

async function compareSingle(lab: Lab, rounds: number): Promise<void> {
  const times = await alternate(rounds, {
    certpin: () => lab.get(1),
    openssl: () => lab.pipe(1, 1),
  });
  console.log(`\none target, ${rounds} rounds`);
  console.log(`  certpin get              ${(median(times.certpin) * 1000).toFixed(0)} ms`);
  console.log(`  openssl s_client | x509  ${(median(times.openssl) * 1000).toFixed(0)} ms`);
  console.log(`  certpin takes ${ratio(times.certpin, times.openssl)} times as long`);
}

async function compareScans(lab: Lab, rounds: number, targets: number, sample: number): Promise<void> {
  const times = await alternate(rounds, {
    certpin: () => lab.get(targets),
    two: () => lab.pipe(sample, 2),
    many: () => lab.pipe(sample, 32),
  });
  const [own, two, thirtyTwo] = [
    times.certpin.map((seconds) => targets / seconds),
    times.two.map((seconds) => sample / seconds),
    times.many.map((seconds) => sample / seconds),
  ];
  console.log(`\ntargets a second, ${rounds} rounds: certpin asks ${targets}, the loop of openssl the first ${sample}`);
  console.log(`  certpin get --concurrency ${CONCURRENCY}   ${median(own).toFixed(0)}`);
  console.log(`  openssl, xargs -P 2            ${median(two).toFixed(1)}   certpin: ${ratio(own, two)} times as many`);
  console.log(
    `  openssl, xargs -P 32           ${median(thirtyTwo).toFixed(1)}   certpin: ${ratio(own, thirtyTwo)} times as many`,
  );
}

async function measureMemory(lab: Lab, counts: readonly number[]): Promise<void> {
  console.log(`\npeak memory of certpin get --concurrency ${CONCURRENCY}`);
  for (const count of counts) {
    const { megabytes, seconds } = await lab.get(count);
    console.log(`  ${String(count).padStart(6)} targets  ${megabytes.toFixed(0)} MB  (${seconds.toFixed(1)} s)`);
  }
}

/** Runs the two commands, and sees to it that every answer is the right one. */
class Lab {
  readonly #folder: string;
  readonly #port: number;
  readonly #hex: string;

  constructor(folder: string, port: number, hex: string) {
    this.#folder = folder;
    this.#port = port;
    this.#hex = hex;
  }

  get(count: number): Promise<Measured> {
    const list = this.#write(count, 'tls://');
    const report = `import { writeSync } from 'node:fs';
process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));`;
    const args = ['--import', `data:text/javascript,${encodeURIComponent(report)}`, certpin, 'get', '-q'];
    const targets = count === 1 ? [this.#address(0, 'tls://')] : ['--targets-file', list, '--concurrency', CONCURRENCY];
    return this.#run(process.execPath, [...args, ...targets], count);
  }

  pipe(count: number, workers: number): Promise<Measured> {
    const ask = 'openssl s_client -connect {} </dev/null 2>/dev/null | openssl x509 -fingerprint -sha256 -noout';
    const command =
      count === 1
        ? ask.replace('{}', this.#address(0, ''))
        : `xargs -P ${workers} -I {} sh -c '${ask}' < ${this.#write(count, '')}`;
    return this.#run('sh', ['-c', command], count);
  }

  async #run(program: string, args: readonly string[], count: number): Promise<Measured> {
    const startedAt = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    let [answers, peak] = ['', ''];
    child.stdio[1]?.on('data', (chunk: Buffer) => {
      answers += chunk;
    });
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      peak += chunk;
    });
    await once(child, 'close');
    const seconds = (performance.now() - startedAt) / 1000;
    const right = answers.split('\n').filter((line) => line.replace(/^.*=/, '').replaceAll(':', '') === this.#hex);
    assert.equal(right.length, count, `${count - right.length} of ${count} targets were not answered`);
    return { seconds, megabytes: Number(peak) / 1024 };
  }

  #write(count: number, scheme: string): string {
    const path = join(this.#folder, 'targets.txt');
    const lines = Array.from({ length: count }, (_, index) => this.#address(index, scheme));
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  #address(index: number, scheme: string): string {
    return `${scheme}127.1.${index >> 8}.${index & 255}:${this.#port}`;
  }
}

/** One after the other, in every round. @returns the seconds of each */
async function alternate<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Promise<Measured>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contestants) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push((await contestants[name]()).seconds);
  }
  return times;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/** The median of the ratios of the rounds: the load of the machine, which both of a round meet, falls out. */
function ratio(own: readonly number[], others: readonly number[]): string {
  return median(own.map((value, round) => value / (others[round] as number))).toFixed(1);
}

function version(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' })
    .replace(/ \d+ \w+ \d{4}.*$/s, '')
    .trim();
}

if (process.argv[2] === 'serve') await serve();
else await main();
