import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Benchmark, figure } from '../figure.ts';
import { alternate, spreadOf } from '../measure.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const command = fileURLToPath(new URL('packages/cli/bin/certpin.js', `file://${root}`));

export const start: Benchmark = {
  name: 'start',
  about:
    'What it takes to begin: `certpin get` on one target, from the start of the process to its end, against `node -e 0`; and the milliseconds that `require` of one subpath takes in a process that has loaded nothing else.',
  run: async (stage) => {
    const server = await stage.web('p256');
    const node = async (...args: string[]): Promise<string> =>
      (await execute(process.execPath, args, { cwd: root })).stdout;
    const times = (task: () => Promise<unknown>) => async (count: number) => {
      for (let left = count; left > 0; left--) await task();
    };
    const compared = await alternate({
      ours: times(() => node(command, 'get', `https://${server.host}:${server.port}`)),
      peer: times(() => node('-e', '0')),
      count: 1,
      rounds: stage.quick ? 7 : 25,
    });
    const { low, median, high } = compared.speed;
    const required: number[] = [];
    const script = "const t = performance.now(); require('certpin/pg'); console.log(performance.now() - t)";
    for (let round = 0; round < (stage.quick ? 7 : 25); round++) required.push(Number(await node('-e', script)));
    return {
      figures: [
        figure({
          name: 'start',
          what: 'certpin get, one target',
          peer: 'node -e 0',
          ratio: { low: 1 / high, median: 1 / median, high: 1 / low },
          target: { atMost: 1.6 },
          details: { 'ours, ms': compared.ours.elapsedMs.median, 'peer, ms': compared.peer.elapsedMs.median },
        }),
        figure({
          name: 'start',
          what: "require('certpin/pg'), in ms",
          peer: 'nothing: these are milliseconds',
          ratio: spreadOf(required),
          target: { atMost: 5 },
        }),
      ],
    };
  },
};
