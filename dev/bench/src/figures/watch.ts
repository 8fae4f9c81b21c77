import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { nodeOf } from '../../../../packages/auth0/test/nodes.ts';
import { runCertpin, type Taken, withList } from '../command.ts';
import { type Benchmark, figure } from '../figure.ts';
import { spreadOf } from '../measure.ts';
import { measureWorkers } from './watch-workers.ts';

const MOST_MEGABYTES = 400;

export const watch: Benchmark = {
  name: 'watch',
  about: [
    'The command `certpin watch --once`, with a store that is new: every target is asked, every pin holds, and that is written down.',
    'Its peer is `certpin get` of the same list, on the same Node. Both are compared by their CPU time, because a core is what many targets need.',
    'Then a whole cycle is compared with a small one: the CPU time for each target, and the memory, without the start of the program.',
    'Then two processes share one store on PostgreSQL, and one of them is killed. The servers are one listener with many addresses.',
  ].join(' '),
  run: async (stage) => {
    const [few, some, many] = stage.quick ? [300, 300, 3_000] : [10_000, 1_000, 100_000];
    const rounds = stage.quick ? 3 : 5;
    const node = nodeOf(22);
    const { targets, certificatePin } = await stage.fleet(many);
    const cycle = (count: number): Promise<Taken> =>
      withList([], async (path) => {
        const file = `${path}.json`;
        const entries = targets.slice(0, count).map((target) => ({ target, pins: [certificatePin] }));
        // The certificate is young: without this, each target would be one that ends soon, and told.
        writeFileSync(file, JSON.stringify({ version: 2, expiresWithin: '0d', targets: entries }));
        const taken = await runCertpin(['watch', '--once', '--file', file, '--store', `sqlite:${path}.db`], node);
        const holds = taken.stdout.match(/^holds /gm)?.length ?? 0;
        assert.equal(holds, count, 'a target was not asked');
        return taken;
      });
    const read = (count: number): Promise<Taken> =>
      withList(targets.slice(0, count), (path) => runCertpin(['get', '--csv', '--targets-file', path], node));
    const all = { ours: [] as number[], peer: [] as number[], ratio: [] as number[], flat: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const [ours, peer] = [await cycle(few), await read(few)];
      all.ours.push(few / ours.cpuSeconds);
      all.peer.push(few / peer.cpuSeconds);
      all.ratio.push(peer.cpuSeconds / ours.cpuSeconds);
    }
    const large = await cycle(many);
    for (let round = 0; round < rounds; round++) {
      // The start of the program would hide what a target costs in a large cycle.
      const [one, small] = [await cycle(1), await cycle(some)];
      const start = one.cpuSeconds;
      all.flat.push((large.cpuSeconds - start) / (many - 1) / ((small.cpuSeconds - start) / (some - 1)));
    }
    const lots = `${many.toLocaleString('en')} targets`;
    const memory = large.megabytes / MOST_MEGABYTES;
    return {
      figures: [
        figure({
          name: 'watch',
          what: `certpin watch --once, targets a second of a core, ${few.toLocaleString('en')} targets`,
          peer: 'certpin get',
          ratio: spreadOf(all.ratio),
          target: { atLeast: 0.9 },
          details: { 'ours, targets': spreadOf(all.ours).median, 'peer, targets': spreadOf(all.peer).median },
        }),
        figure({
          name: 'watch',
          what: `CPU time a target, ${lots}`,
          peer: `the same with ${some.toLocaleString('en')}`,
          ratio: spreadOf(all.flat),
          target: { atMost: 1.1 },
          details: { 'whole cycle, s': large.seconds, 'CPU, s': large.cpuSeconds },
        }),
        figure({
          name: 'watch',
          what: `most memory of a cycle, ${lots}`,
          peer: `${MOST_MEGABYTES} MB`,
          ratio: { low: memory, median: memory, high: memory },
          target: { atMost: 1 },
          details: { MB: large.megabytes },
        }),
        ...(await measureWorkers(stage)),
      ],
    };
  },
};
