import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Benchmark, figure } from '../figure.ts';
import { spreadOf } from '../measure.ts';
import type { IdleClient } from './idle-connections.ts';

const script = fileURLToPath(new URL('idle-connections.ts', import.meta.url));

export const memory: Benchmark = {
  name: 'memory',
  about:
    'Resident memory that idle connections add to a process of their own, measured in turn. There are 1,000 connections of an agent, and 1,000 of pg, whose server starts a process for each.',
  run: async (stage) => {
    const web = await stage.web('p256');
    const { port, user, password, database, certificatePin, ca } = await stage.postgres();
    const login = { host: 'localhost', port, user, password, database };
    const [rounds, count] = stage.quick ? [3, 80] : [7, 1000];
    const agent = (pinned: boolean): IdleClient => ({
      ...{ kind: 'agent', pinned, count, pins: web.certificatePin, ca: web.ca },
      target: { host: 'localhost', port: web.port },
    });
    const postgres = (pinned: boolean): IdleClient => ({
      ...{ kind: 'pg', pinned, count, pins: certificatePin, ca, target: login },
    });
    const common = { name: 'memory', target: { atMost: 1.05 } };
    const [ofAgent, ofPg] = [await compare(agent, rounds), await compare(postgres, rounds)];
    return {
      figures: [
        figure({ ...common, what: 'idle connections, agent', peer: 'https.Agent with `ca`', ...ofAgent }),
        figure({ ...common, what: 'idle connections, pg', peer: 'pg with `ssl: { ca }`', ...ofPg }),
      ],
    };
  },
};

async function compare(client: (pinned: boolean) => IdleClient, rounds: number) {
  const [ours, peer, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    const [own, other] = [await kilobytes(client(true)), await kilobytes(client(false))];
    ours.push(own);
    peer.push(other);
    ratios.push(own / other);
  }
  const details = {
    'ours, kB a connection': spreadOf(ours).median,
    'peer, kB a connection': spreadOf(peer).median,
  };
  return { ratio: spreadOf(ratios), details };
}

async function kilobytes(client: IdleClient): Promise<number> {
  const child: ChildProcess = fork(script, { execArgv: ['--expose-gc', '--import', 'tsx'] });
  child.send(client);
  const [bytes] = await once(child, 'message');
  const exited = once(child, 'exit');
  child.kill();
  await exited;
  return bytes / client.count / 1000;
}
