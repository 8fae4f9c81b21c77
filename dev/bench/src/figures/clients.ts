import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isSupported } from 'certpin/driver-tls';
import { pinnedTedious } from 'certpin/mssql';
import { pinnedIoredis } from 'certpin/redis';
import { openTedious, Redis, type RedisOptions, tedious } from '../../../../packages/certpin/test/drivers.ts';
import { findPackage } from '../../../tools/nodes/packages.ts';
import { type Figure, figure, medians, type Target } from '../figure.ts';
import { alternate, inParallel, type Run, spreadOf } from '../measure.ts';
import type { Stage } from '../stage.ts';

/** A connection, after its login. */
interface Opened {
  readonly ask: () => Promise<unknown>;
  readonly close: () => unknown;
}

interface Sides {
  readonly client: string;
  readonly peer: string;
  readonly ours: () => Promise<Opened>;
  readonly theirs: () => Promise<Opened>;
  /** Questions in progress at a time: more than one if a connection allows it. */
  readonly width: number;
}

const atLeast: Target = { atLeast: 0.98 };

/** Logins one after the other, and round trips on connections that stay open, over pairs of new ones. */
export async function compareClient({ quick }: Stage, { client, peer, ours, theirs, width }: Sides): Promise<Figure[]> {
  const connecting =
    (open: () => Promise<Opened>): Run =>
    async (count) => {
      for (let left = count; left > 0; left--) await (await open()).close();
    };
  const connect = await alternate({
    ...{ ours: connecting(ours), peer: connecting(theirs) },
    ...{ count: 5, rounds: quick ? 20 : 120 },
  });
  const asking =
    ({ ask }: Opened): Run =>
    (count) =>
      inParallel(count, width, ask);
  const speeds: number[] = [];
  for (let pair = 0; pair < (quick ? 10 : 40); pair++) {
    // The connection that is made first is served worse. So each side is first equally often.
    const [first, second] = pair % 2 === 0 ? [await ours(), await theirs()] : [await theirs(), await ours()];
    const [own, other] = pair % 2 === 0 ? [first, second] : [second, first];
    const asked = await alternate({ ours: asking(own), peer: asking(other), count: quick ? 200 : 500, rounds: 4 });
    speeds.push(asked.speed.median);
    await Promise.all([own.close(), other.close()]);
  }
  const common = { name: 'databases', peer, target: atLeast };
  return [
    figure({ ...common, what: `${client}: connections a second`, ratio: connect.speed, details: medians(connect) }),
    figure({ ...common, what: `${client}: round trips a second`, ratio: spreadOf(speeds) }),
  ];
}

/** Clients that take a connection from certpin. */
export async function hookFigures(stage: Stage): Promise<Figure[]> {
  return [...(await ioredisFigures(stage)), ...(await tediousFigures(stage))];
}

async function ioredisFigures(stage: Stage): Promise<Figure[]> {
  const { host, port, username, password, ca, certificatePin: pins } = await stage.redis();
  const config = { host, port, username, password, lazyConnect: true };
  const opening = (options: RedisOptions) => async (): Promise<Opened> => {
    const client = new Redis(options);
    await client.connect();
    return { ask: () => client.ping(), close: () => client.disconnect() };
  };
  return compareClient(stage, {
    ...{ client: 'ioredis', peer: 'ioredis with `tls: { ca }`', width: 10 },
    ours: opening(pinnedIoredis(config, { pins })),
    theirs: opening({ ...config, tls: { ca } }),
  });
}

async function tediousFigures(stage: Stage): Promise<Figure[]> {
  const { host, port, ca, certificatePin: pins } = await stage.sqlServer();
  const authentication = { type: 'default', options: { userName: 'app', password: 'secret' } } as const;
  const opening = (config: ConstructorParameters<typeof tedious.Connection>[0]) => async (): Promise<Opened> => {
    const { ask, close } = await openTedious(tedious, new tedious.Connection(config));
    return { ask: () => ask('a row'), close };
  };
  const serverName = 'localhost';
  const own = { encrypt: true, trustServerCertificate: false, cryptoCredentialsDetails: { ca } };
  return compareClient(stage, {
    ...{ client: 'tedious', peer: 'tedious with `cryptoCredentialsDetails: { ca }`', width: 1 },
    ours: opening(pinnedTedious({ server: host, authentication, options: { port, serverName } }, { pins })),
    theirs: opening({ server: host, authentication, options: { port, serverName, ...own } }),
  });
}

const seenScript = fileURLToPath(new URL('seen.ts', import.meta.url));

/**
 * The Node for clients whose connections certpin sees: this one, or one that announces them.
 *
 * @throws Error if there is none
 */
export function nodeOfSeen(): string {
  if (isSupported()) return process.execPath;
  const newer = findPackage('node22');
  if (newer !== undefined) return join(newer.folder, 'bin/node');
  throw new Error('driver-tls is measured on Node 22, which is not installed: npm ci --prefix dev/tools/nodes');
}

/** In a process of its own, with servers of its own. */
export async function seenFigures({ quick }: Stage, execPath: string): Promise<Figure[]> {
  const child = fork(seenScript, { execPath, execArgv: ['--expose-gc', '--import', 'tsx'] });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`the process that measures driver-tls has ended: ${code}`);
  });
  child.send({ quick });
  const [figures] = await Promise.race([once(child, 'message'), exited]);
  exited.catch(() => undefined);
  child.disconnect();
  return figures;
}
