import { X509Certificate } from 'node:crypto';
import { certificateHex } from '@certpin/testkit';
import { createPolicy, type PolicyOptions, verify } from 'certpin';
import { pinnedAgent } from 'certpin/https';
import { Bench } from 'tinybench';
import { type Benchmark, type Chart, type Figure, figure } from '../figure.ts';
import { alternate, type Run } from '../measure.ts';
import type { CertificateKind, Stage } from '../stage.ts';
import { agentHandshakes, plainHandshakes } from './connect.ts';

export const growth: Benchmark = {
  name: 'growth',
  about: [
    'How the cost grows. The first point of each curve is one.',
    '',
    '- A connection with 1 to 1,000 pins in the set.',
    '- The first verdict on a certificate with these pins, with every pin compared. A later verdict on the same certificate is repeated without a new check.',
    '- A connection with policies for 1 to 10,000 hosts.',
    '- The ratio to the plain verified client, for chains of 1 to 5 certificates and for the kinds of keys.',
  ].join('\n'),
  run: async (stage) => {
    const [pins, pinned, hosts] = [await pinSets(stage), await pinnedConnections(stage), await hostPolicies(stage)];
    const chains = await kinds(stage, ['p256', 'chain2', 'chain3', 'chain4', 'chain5'], ['1', '2', '3', '4', '5']);
    const keys = await kinds(
      stage,
      ['p256', 'ed25519', 'rsa2048', 'rsa4096'],
      ['P-256', 'Ed25519', 'RSA-2048', 'RSA-4096'],
    );
    const flat = (what: string, { series }: Chart): Figure => {
      const value = series[0]?.points.at(-1)?.[1] ?? Number.NaN;
      return figure({
        name: 'growth',
        what,
        peer: 'the first point',
        ratio: { low: value, median: value, high: value },
      });
    };
    const charts: Chart[] = [
      { id: 'pins', title: 'A connection, by the pins in the set', x: 'pins', y: 'time, 1 pin = 1', series: [pinned] },
      {
        id: 'verify',
        title: 'The first verdict on a certificate, by the pins in the set',
        x: 'pins',
        y: 'time, 1 pin = 1',
        series: [pins],
      },
      {
        id: 'hosts',
        title: 'A connection, by the hosts with a policy',
        x: 'hosts',
        y: 'time, 1 host = 1',
        series: [hosts],
      },
      {
        id: 'chains',
        title: 'Connections a second, by the length of the chain',
        x: 'certificates',
        y: 'ours to the verified plain client',
        series: [chains],
      },
      {
        id: 'keys',
        title: 'Connections a second, by the key',
        x: 'key',
        y: 'ours to the verified plain client',
        series: [keys],
      },
    ];
    const figures = [
      ['a connection with 1,000 pins', 'pins'],
      ['the first verdict on a certificate, with 1,000 pins', 'verify'],
      ['a connection with policies for 10,000 hosts', 'hosts'],
    ].map(([what = '', chart]) => flat(what, charts.find(({ id }) => id === chart) as Chart));
    return { charts, figures };
  },
};

type Series = Chart['series'][number];

/** The right pin is the last one. */
async function pinSets(stage: Stage): Promise<Series> {
  const { certificate } = await stage.web('p256');
  const bench = new Bench({ time: stage.quick ? 100 : 500, warmupTime: 100 });
  const sizes = [1, 10, 100, 1000];
  const der = new X509Certificate(certificate.certPem).raw;
  for (const size of sizes) {
    const policy = createPolicy({ pins: [...manyPins(size - 1), certificateHex(certificate)] });
    bench.add(String(size), () => void verify({ certificates: [der] }, policy));
  }
  await bench.run();
  const times = bench.tasks.map(({ result }) => ('latency' in result ? result.latency.p50 : Number.NaN));
  return {
    label: 'verify',
    points: sizes.map((size, index) => [String(size), (times[index] as number) / (times[0] as number)]),
  };
}

async function pinnedConnections(stage: Stage): Promise<Series> {
  const server = await stage.web('p256');
  return growing(stage, [1, 10, 100, 1000], (size) =>
    agentHandshakes(server, pinnedAgent({ pins: [...manyPins(size - 1), server.certificatePin] })),
  );
}

async function hostPolicies(stage: Stage): Promise<Series> {
  const server = await stage.web('p256');
  return growing(stage, [1, 10, 100, 1000, 10_000], (size) => {
    const hosts: Record<string, PolicyOptions> = { [server.host]: { pins: server.certificatePin } };
    const [pin = ''] = manyPins(1);
    for (let index = 1; index < size; index++) hosts[`host-${index}.example.com`] = { pins: pin };
    return agentHandshakes(server, pinnedAgent({ hosts }));
  });
}

/** The time of a connection of each size, if one of the first size takes 1. */
async function growing(
  { quick }: Stage,
  sizes: readonly number[],
  handshakesOf: (size: number) => Run,
): Promise<Series> {
  const first = handshakesOf(sizes[0] as number);
  const points: [string, number][] = [];
  for (const size of sizes) {
    const { speed } = await alternate({ ours: handshakesOf(size), peer: first, count: 30, rounds: quick ? 5 : 25 });
    points.push([String(size), 1 / speed.median]);
  }
  return { label: 'connections', points };
}

async function kinds(stage: Stage, asked: readonly CertificateKind[], labels: readonly string[]): Promise<Series> {
  const points: [string, number][] = [];
  for (const [index, kind] of asked.entries()) {
    const server = await stage.web(kind);
    const peer = plainHandshakes(server, { ca: server.ca });
    const compared = await alternate({ ours: agentHandshakes(server), peer, count: 30, rounds: stage.quick ? 5 : 25 });
    points.push([labels[index] as string, compared.speed.median]);
  }
  return { label: 'connections a second', points };
}

function manyPins(count: number): string[] {
  return Array.from({ length: count }, (_, index) => (index + 1).toString(16).padStart(64, '0'));
}
