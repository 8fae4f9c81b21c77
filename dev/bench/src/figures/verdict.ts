import { connect as connectTls, createSecureContext, type PeerCertificate, type TLSSocket } from 'node:tls';
import { throwingIdentityCheck } from '@certpin/testkit/recipe';
import { pinnedAgent } from 'certpin/https';
import { type Benchmark, figure } from '../figure.ts';
import { type Spread, spreadOf } from '../measure.ts';
import type { PinnedServer } from '../stage.ts';
import { openOf } from './connect.ts';

/** Rounds that do not count: both sides are measured as in a process that runs for long. */
const WARM_UP = 5;

export const verdict: Benchmark = {
  name: 'verdict',
  about:
    "The check itself on a fresh handshake, from Node's event to the answer: it reads the certificate, its hash, its dates, and the pin. The peer does what the recipe does at the same place. That is `getPeerCertificate(true)`, as Node calls it for `checkServerIdentity`, and the SHA-256 of the certificate in hexadecimal.",
  run: async (stage) => {
    const server = await stage.web('p256');
    const size = stage.quick ? { count: 40, rounds: 5 } : { count: 100, rounds: 15 };
    const certificate = await compare(server, server.certificatePin, size);
    const publicKey = await compare(server, server.publicKeyPin, size);
    const peer = "the recipe's check";
    return {
      figures: [
        figure({ name: 'verdict', what: 'time for a certificate pin', peer, target: { atMost: 0.1 }, ...certificate }),
        figure({ name: 'verdict', what: 'time for a public-key pin', peer, target: { atMost: 1 / 3 }, ...publicKey }),
      ],
    };
  },
};

interface Outcome {
  readonly ratio: Spread;
  readonly details: Record<string, number>;
}

/** Handshakes of both kinds in turn. In each, only the check is timed. The ratio is that of the medians of a round. */
async function compare(
  server: PinnedServer,
  pins: string,
  { count, rounds }: { count: number; rounds: number },
): Promise<Outcome> {
  const agent = pinnedAgent({ pins });
  const recipe = throwingIdentityCheck(server.certificatePin) as {
    checkServerIdentity: (host: string, certificate: PeerCertificate) => void;
  };
  const secureContext = createSecureContext();
  const ratios: number[] = [];
  const all = { ours: [] as number[], peer: [] as number[] };
  for (let round = -WARM_UP; round < rounds; round++) {
    const times = { ours: [] as number[], peer: [] as number[] };
    for (let index = 0; index < count; index++) {
      times.ours.push(await timeOurs(openOf(agent, server)));
      const { host, port } = server;
      const socket = connectTls({ host, port, servername: 'localhost', rejectUnauthorized: false, secureContext });
      times.peer.push(
        await timePeer(socket, () => recipe.checkServerIdentity('localhost', socket.getPeerCertificate(true))),
      );
    }
    if (round < 0) continue;
    ratios.push(spreadOf(times.ours).median / spreadOf(times.peer).median);
    all.ours.push(...times.ours);
    all.peer.push(...times.peer);
  }
  const details = { 'ours, µs': spreadOf(all.ours).median, 'peer, µs': spreadOf(all.peer).median };
  return { ratio: spreadOf(ratios), details };
}

/** The guard answers inside `emit`: from Node's event to the first listener that gets it. */
function timeOurs(socket: TLSSocket): Promise<number> {
  return new Promise((resolve, reject) => {
    const emit = socket.emit as (event: string, ...args: unknown[]) => boolean;
    let start = 0n;
    socket.emit = ((event: string, ...args: unknown[]) => {
      start = process.hrtime.bigint();
      return emit.call(socket, event, ...args);
    }) as typeof socket.emit;
    socket.once('error', reject).prependOnceListener('secureConnect', () => {
      const microseconds = Number(process.hrtime.bigint() - start) / 1000;
      socket.destroy();
      resolve(microseconds);
    });
  });
}

function timePeer(socket: TLSSocket, check: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('secureConnect', () => {
      const start = process.hrtime.bigint();
      check();
      const microseconds = Number(process.hrtime.bigint() - start) / 1000;
      socket.destroy();
      resolve(microseconds);
    });
  });
}
