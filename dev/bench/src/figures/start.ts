import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runShell } from '../command.ts';
import { type Benchmark, type Figure, figure } from '../figure.ts';
import { alternate, type Run, spreadOf } from '../measure.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const command = fileURLToPath(new URL('packages/cli/bin/certpin.cjs', `file://${root}`));

export const start: Benchmark = {
  name: 'start',
  about:
    'What it takes to begin. First `certpin get` on one target, from the start of the process to its end, against `node -e 0` and against `openssl s_client | openssl x509`. Then the milliseconds that `require` of one subpath adds: in a process that has loaded its client, and in one that has loaded nothing else.',
  run: async (stage) => {
    const { host, port } = await stage.web('p256');
    const rounds = stage.quick ? 7 : 25;
    const node = async (...args: string[]): Promise<string> =>
      (await execute(process.execPath, args, { cwd: root })).stdout;
    const ours = oneByOne(() => node(command, 'get', `https://${host}:${port}`));
    const pipe = `openssl s_client -connect ${host}:${port} </dev/null 2>/dev/null | openssl x509 -fingerprint -sha256 -noout`;
    const compare = async (peer: string, run: Run, target?: Figure['target']): Promise<Figure> => {
      const { speed, ...costs } = await alternate({ ours, peer: run, count: 1, rounds });
      return figure({
        name: 'start',
        what: 'certpin get, one target',
        peer,
        ratio: { low: 1 / speed.high, median: 1 / speed.median, high: 1 / speed.low },
        ...(target && { target }),
        details: { 'ours, ms': costs.ours.elapsedMs.median, 'peer, ms': costs.peer.elapsedMs.median },
      });
    };
    const required = async (after: string): Promise<number[]> => {
      const script = `${after}const t = performance.now(); require('certpin/pg'); console.log(performance.now() - t)`;
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) times.push(Number(await node('-e', script)));
      return times;
    };
    const milliseconds = { name: 'start', peer: 'nothing: these are milliseconds' };
    const beside = spreadOf(await required("require('pg');"));
    return {
      figures: [
        await compare(
          'node -e 0',
          oneByOne(() => node('-e', '0')),
          { atMost: 1.6 },
        ),
        await compare(
          'openssl s_client and openssl x509',
          oneByOne(() => runShell(pipe)),
        ),
        figure({
          ...milliseconds,
          what: "require('certpin/pg') after require('pg'), in ms",
          ratio: beside,
          target: { atMost: 5 },
        }),
        figure({
          ...milliseconds,
          what: "require('certpin/pg') alone, in ms",
          ratio: spreadOf(await required('')),
          target: { atMost: 5 },
        }),
      ],
    };
  },
};

function oneByOne(task: () => Promise<unknown>): Run {
  return async (count) => {
    for (let left = count; left > 0; left--) await task();
  };
}
