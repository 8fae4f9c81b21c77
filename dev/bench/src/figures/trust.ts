import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { runCertpin, type Taken, withList } from '../command.ts';
import { type Benchmark, figure } from '../figure.ts';
import { spreadOf } from '../measure.ts';

export const trust: Benchmark = {
  name: 'trust',
  about:
    'The command `certpin trust --targets-file --yes`, from its start to its end. It writes a pins file of 300 servers, and its peer is `certpin get` of the same list. Then its CPU time a target with 3,000 servers is compared with that of 1,000 servers. This is done into a new file, and once more when all servers are already in the file. Every pin is compared with the server’s certificate.',
  run: async (stage) => {
    const [some, many, servers] = stage.quick ? [100, 300, 60] : [1_000, 3_000, 300];
    const rounds = stage.quick ? 3 : 7;
    const { targets, certificatePin } = await stage.fleet(many);
    const trusted = (count: number): Promise<readonly [Taken, Taken]> =>
      withList(targets.slice(0, count), async (path) => {
        const file = `${path}.json`;
        const argv = ['trust', '--yes', '--targets-file', path, '--file', file];
        const first = await runCertpin(argv);
        const { targets: written } = JSON.parse(readFileSync(file, 'utf8')) as { targets: { pins: string[] }[] };
        assert.equal(
          written.filter(({ pins }) => pins[0] === certificatePin).length,
          count,
          'a target was not written',
        );
        const again = await runCertpin(argv);
        rmSync(file);
        return [first, again];
      });
    const read = (count: number): Promise<Taken> =>
      withList(targets.slice(0, count), (path) => runCertpin(['get', '--targets-file', path]));
    const all = {
      ours: [] as number[],
      peer: [] as number[],
      ratio: [] as number[],
      flat: [] as number[],
      again: [] as number[],
    };
    for (let round = 0; round < rounds; round++) {
      const [ours] = await trusted(servers);
      const peer = await read(servers);
      all.ours.push(ours.seconds * 1000);
      all.peer.push(peer.seconds * 1000);
      all.ratio.push(ours.seconds / peer.seconds);
      const [few, fewAgain] = await trusted(some);
      const [lots, lotsAgain] = await trusted(many);
      all.flat.push(lots.cpuSeconds / many / (few.cpuSeconds / some));
      all.again.push(lotsAgain.cpuSeconds / many / (fewAgain.cpuSeconds / some));
    }
    const peer = `the same with ${some.toLocaleString('en')}`;
    const lots = `${many.toLocaleString('en')} targets`;
    return {
      figures: [
        figure({
          name: 'trust',
          what: `certpin trust, ${servers} targets`,
          peer: 'certpin get',
          ratio: spreadOf(all.ratio),
          target: { atMost: 1.3 },
          details: { 'ours, ms': spreadOf(all.ours).median, 'peer, ms': spreadOf(all.peer).median },
        }),
        figure({
          name: 'trust',
          what: `CPU time a target, ${lots}, a new file`,
          peer,
          ratio: spreadOf(all.flat),
          target: { atMost: 1.1 },
        }),
        figure({
          name: 'trust',
          what: `CPU time a target, ${lots}, all in the file`,
          peer,
          ratio: spreadOf(all.again),
          target: { atMost: 1.1 },
        }),
      ],
    };
  },
};
