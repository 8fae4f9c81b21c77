import assert from 'node:assert/strict';
import { runCertpin, runShell, type Taken, withList } from '../command.ts';
import { type Benchmark, figure } from '../figure.ts';
import { spreadOf } from '../measure.ts';
import type { PinnedServer } from '../stage.ts';

const CONCURRENCY = '64';

export const scan: Benchmark = {
  name: 'scan',
  about: [
    'The command `certpin get -q` with a list of 20,000 targets, 64 at a time, from its start to its end. Three things are measured.',
    '',
    '- Targets a second. The peer is a loop of `openssl s_client` and `openssl x509` with two workers (`xargs -P 2`). It asks only a sample, because its rate does not depend on the number of targets.',
    '- CPU time a target. The peer is the connections of `openssl s_time -new`.',
    '- The most resident memory, at 50,000 targets.',
    '',
    'Every answer is compared with the server’s certificate.',
  ].join('\n'),
  run: async (stage) => {
    const server = await stage.web('p256');
    const size = stage.quick
      ? { targets: 500, sample: 40, seconds: 1, many: 5_000, rounds: 3 }
      : { targets: 20_000, sample: 200, seconds: 5, many: 50_000, rounds: 5 };
    const rates: number[] = [];
    const costs: number[] = [];
    const all = { ours: [] as number[], loop: [] as number[], cpu: [] as number[], load: [] as number[] };
    for (let round = 0; round < size.rounds; round++) {
      const own = await scanned(server, size.targets);
      const loop = await looped(server, size.sample);
      const generated = await connected(server, size.seconds);
      all.ours.push(size.targets / own.seconds);
      all.loop.push(size.sample / loop.seconds);
      all.cpu.push((own.cpuSeconds / size.targets) * 1000);
      all.load.push(generated);
      rates.push(size.targets / own.seconds / (size.sample / loop.seconds));
      costs.push(((own.cpuSeconds / size.targets) * 1000) / generated);
    }
    const { megabytes } = await scanned(server, size.many);
    const many = size.many.toLocaleString('en');
    return {
      figures: [
        figure({
          name: 'scan',
          what: 'targets a second',
          peer: 'openssl s_client and openssl x509, two workers',
          ratio: spreadOf(rates),
          target: { atLeast: 40 },
          details: { 'ours, a second': spreadOf(all.ours).median, 'peer, a second': spreadOf(all.loop).median },
        }),
        figure({
          name: 'scan',
          what: 'CPU time a target',
          peer: 'openssl s_time -new',
          ratio: spreadOf(costs),
          target: { atMost: 1.3 },
          details: { 'ours, CPU ms': spreadOf(all.cpu).median, 'peer, CPU ms': spreadOf(all.load).median },
        }),
        figure({
          name: 'scan',
          what: `memory at ${many} targets, in MB`,
          peer: 'nothing: these are megabytes',
          ratio: spreadOf([megabytes]),
          target: { atMost: 150 },
        }),
      ],
    };
  },
};

function scanned(server: PinnedServer, count: number): Promise<Taken> {
  const lines = Array.from({ length: count }, () => `tls://${server.host}:${server.port}`);
  return withList(lines, async (path) => {
    const taken = await runCertpin(['get', '-q', '--targets-file', path, '--concurrency', CONCURRENCY]);
    assertAnswers(taken, server, count);
    return taken;
  });
}

function looped(server: PinnedServer, count: number): Promise<Taken> {
  const ask = 'openssl s_client -connect {} </dev/null 2>/dev/null | openssl x509 -fingerprint -sha256 -noout';
  const lines = Array.from({ length: count }, () => `${server.host}:${server.port}`);
  return withList(lines, async (path) => {
    const taken = await runShell(`xargs -P 2 -I {} sh -c '${ask}' < ${path}`);
    assertAnswers(taken, server, count);
    return taken;
  });
}

/** @returns CPU milliseconds a connection */
async function connected({ host, port }: PinnedServer, seconds: number): Promise<number> {
  const { stdout, cpuSeconds } = await runShell(`openssl s_time -new -connect ${host}:${port} -time ${seconds}`);
  const connections = Number(/^(\d+) connections in/m.exec(stdout)?.[1]);
  assert.ok(connections > 0, stdout);
  return (cpuSeconds / connections) * 1000;
}

function assertAnswers({ stdout }: Taken, { certificatePin }: PinnedServer, count: number): void {
  const right = stdout.split('\n').filter((line) => line.replace(/^.*=/, '').replaceAll(':', '') === certificatePin);
  assert.equal(right.length, count, `${count - right.length} of ${count} targets were not answered`);
}
