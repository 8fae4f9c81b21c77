import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startDaemon } from './daemon.ts';
import { requirePackage } from './debian.ts';
import { type Minted, mint } from './mint.ts';
import { type CountingServer, type CountingServerOptions, startTlsServer } from './tls-server.ts';

const run = promisify(execFile);

/** A real Redis, started for the test on free ports. */
export interface Redis {
  readonly host: string;
  /** With TLS of the server's own. */
  readonly port: number;
  /** The same server without TLS, for a relay that has its own. */
  readonly plain: { readonly host: string; readonly port: number };
  /** A user of the ACL with all rights. It is the only one: the default user is off. */
  readonly username: string;
  readonly password: string;
  /** Runs a command with the server's own client, over the plain port. */
  readonly execute: (...command: string[]) => Promise<string>;
  /** Presents another certificate to new connections, as an operator rotates it: new files, CONFIG SET. */
  readonly present: (certificate: Minted) => Promise<void>;
  /** Stops it in an orderly way, and starts it. Its data is lost. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface RedisOptions {
  readonly certificate: Minted;
  /** Further lines of redis.conf. */
  readonly lines?: readonly string[];
}

const ACCOUNT = { username: 'login', password: randomBytes(12).toString('hex') };

const acl = ['user default off', `user ${ACCOUNT.username} on >${ACCOUNT.password} ~* &* +@all`];

/** Options of a server that has TLS, and asks no client for a certificate. */
const tlsLines = (folder: string): string[] => [
  `tls-cert-file ${join(folder, 'server.crt')}`,
  `tls-key-file ${join(folder, 'server.key')}`,
  'tls-auth-clients no',
];

/** Starts a Redis with its files in a temporary folder, which `stop()` removes. */
export function startRedis({ certificate, lines = [] }: RedisOptions): Promise<Redis> {
  return launch('Redis', certificate, [], (_, folder) => ['save ""', ...acl, ...tlsLines(folder), ...lines]);
}

/** Starts the program of Redis with a configuration. */
async function launch<Service extends string>(
  name: string,
  certificate: Minted,
  services: readonly Service[],
  linesOf: (ports: Readonly<Record<'tls' | 'plain' | Service, number>>, folder: string) => readonly string[],
  { files = {}, args = [] }: { files?: Readonly<Record<string, string>>; args?: readonly string[] } = {},
): Promise<Redis & { readonly ports: Readonly<Record<'tls' | 'plain' | Service, number>> }> {
  const program = requirePackage('redis-server', 'redis-server');
  const daemon = await startDaemon<'tls' | 'plain' | Service>({
    name,
    certificate,
    services: ['tls', 'plain', ...services],
    configure: ({ folder, ports }) => {
      const common = [`port ${ports.plain}`, `tls-port ${ports.tls}`, 'bind 127.0.0.1', `dir ${folder}`];
      const text = [...common, ...linesOf(ports, folder)].join('\n');
      return {
        command: [program, join(folder, 'redis.conf'), ...args],
        files: { ...files, 'redis.conf': `${text}\n` },
      };
    },
  });
  const { host, ports, certificateFile, restart, stop } = daemon;
  const execute = async (...command: string[]): Promise<string> => {
    const login = ['--user', ACCOUNT.username, '--pass', ACCOUNT.password, '--no-auth-warning'];
    const { stdout } = await run('redis-cli', ['-h', host, '-p', String(ports.plain), ...login, '-e', ...command]);
    return stdout.trim();
  };
  let presented = 0;
  const present = async ({ chainPem, keyPem }: Minted): Promise<void> => {
    // Other file names: a value that stays the same is not read again.
    const file = join(dirname(certificateFile), `presented-${++presented}`);
    writeFileSync(`${file}.crt`, chainPem);
    writeFileSync(`${file}.key`, keyPem, { mode: 0o600 });
    await execute('CONFIG', 'SET', 'tls-cert-file', `${file}.crt`, 'tls-key-file', `${file}.key`);
  };
  const plain = { host, port: ports.plain };
  return { host, port: ports.tls, ports, plain, ...ACCOUNT, execute, present, restart, stop };
}

export interface RedisRelayOptions extends Omit<CountingServerOptions, 'onSocket'> {
  /** The plain port of the genuine server behind it: an impostor that passes everything on looks like the real one. */
  readonly upstream: Redis['plain'];
}

/** A man in the middle. It presents a certificate of the test's choice, counts what it can read, and passes it on to a real Redis. */
export function startRedisRelay({ upstream, ...options }: RedisRelayOptions): Promise<CountingServer> {
  return startTlsServer({
    ...options,
    onSocket: (socket) => {
      const genuine = connect(upstream.port, upstream.host);
      genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('error', () => genuine.destroy()).on('close', () => genuine.destroy());
      socket.pipe(genuine).pipe(socket);
    },
  });
}

/** Three masters without replicas, which share the slots evenly. Each has TLS and its own certificate. */
export interface RedisCluster {
  readonly nodes: readonly (Redis & { readonly certificate: Minted; readonly id: string })[];
  /** From now on, clients that ask for the node are led to another port: all nodes say so. */
  readonly lead: (index: number, port: number) => Promise<void>;
  /** Gives a slot to another node. Clients that ask the old one get MOVED. */
  readonly move: (slot: number, from: number, to: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * The owner of a slot, from a node's list of all nodes (CLUSTER NODES). The node's name is at the beginning of a line, its ranges at the
 * end.
 */
function ownerOf(nodes: string, slot: number): string | undefined {
  const line = nodes.split('\n').find((text) =>
    text
      .split(' ')
      .slice(8)
      .some((range) => {
        const [first, last = first] = range.split('-').map(Number);
        return first !== undefined && last !== undefined && first <= slot && slot <= last;
      }),
  );
  return line?.split(' ')[0];
}

const SLOTS = 16_384;
const NODES = 3;

/** Starts a cluster that is ready for clients. TLS is used between its nodes too. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const ca = await mint({ ca: true, subject: 'CN=Cluster CA' });
  const nodes: (Redis & { certificate: Minted; id: string; ports: Readonly<Record<'tls' | 'bus', number>> })[] = [];
  const all = (...command: string[]): Promise<string[]> => Promise.all(nodes.map(({ execute }) => execute(...command)));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let index = 0; index < NODES; index++) {
      const certificate = await mint({ issuer: ca });
      const lines = (ports: { bus: number }, folder: string): string[] => [
        ...['save ""', ...acl, ...tlsLines(folder), `tls-ca-cert-file ${join(folder, 'ca.crt')}`],
        ...['cluster-enabled yes', 'tls-cluster yes', 'tls-replication yes', 'cluster-node-timeout 60000'],
        ...[`cluster-port ${ports.bus}`, 'cluster-require-full-coverage no'],
      ];
      const node = await launch('a node of Redis', certificate, ['bus'], lines, { files: { 'ca.crt': ca.certPem } });
      nodes.push({ ...node, certificate, id: await node.execute('CLUSTER', 'MYID') });
    }
    const [first] = nodes as [(typeof nodes)[number]];
    for (const [index, node] of nodes.entries()) {
      const [from, to] = [index, index + 1].map((count) => Math.ceil((count * SLOTS) / NODES));
      await node.execute('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to as number) - 1));
      if (node !== first) {
        await node.execute('CLUSTER', 'MEET', first.host, String(first.ports.tls), String(first.ports.bus));
      }
    }
    const isReady = (info: string): boolean =>
      info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
    await until(async () => (await all('CLUSTER', 'INFO')).every(isReady));
    return {
      nodes,
      lead: async (index, port) => {
        const node = nodes[index] as (typeof nodes)[number];
        await node.execute('CONFIG', 'SET', 'cluster-announce-tls-port', String(port));
        // Otherwise, they would learn of it some seconds later.
        const others = nodes.filter((other) => other !== node);
        for (const other of others)
          await node.execute('CLUSTER', 'MEET', other.host, String(other.ports.tls), String(other.ports.bus));
        const said = new RegExp(`${node.id} [^ ]*:${port}@`);
        await until(async () => (await all('CLUSTER', 'NODES')).every((text) => said.test(text)));
      },
      move: async (slot, from, to) => {
        const id = nodes[to]?.id as string;
        const setSlot = (node: Redis | undefined) => node?.execute('CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
        // News from another node may undo the claim, until it is the newest. So it is repeated.
        await until(async () => {
          if ((await all('CLUSTER', 'NODES')).every((text) => ownerOf(text, slot) === id)) return true;
          await setSlot(nodes[to]);
          await nodes[to]?.execute('CLUSTER', 'BUMPEPOCH');
          await setSlot(nodes[from]);
          for (const [index, node] of nodes.entries()) if (index !== to && index !== from) await setSlot(node);
          return false;
        });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A server that knows where a master is. Its own port has TLS. */
export type RedisSentinel = Redis;

/** The name under which sentinels know the master. */
export const MASTER_NAME = 'users';

export interface RedisSentinelOptions {
  readonly certificate: Minted;
  /** The master that it calls over TLS, with a certificate of `ca`, and names to its clients. */
  readonly master: { readonly host: string; readonly port: number };
  readonly ca: Minted;
}

/** Starts a sentinel, alone or as one of several that find each other at the master. One is enough for a majority. */
export function startRedisSentinel({ certificate, master, ca }: RedisSentinelOptions): Promise<RedisSentinel> {
  const lines = (_: unknown, folder: string): string[] => [
    ...[...acl, ...tlsLines(folder), `tls-ca-cert-file ${join(folder, 'ca.crt')}`, 'tls-replication yes'],
    `sentinel monitor ${MASTER_NAME} ${master.host} ${master.port} 1`,
    `sentinel auth-user ${MASTER_NAME} ${ACCOUNT.username}`,
    `sentinel auth-pass ${MASTER_NAME} ${ACCOUNT.password}`,
    // From one sentinel to another.
    ...[`sentinel sentinel-user ${ACCOUNT.username}`, `sentinel sentinel-pass ${ACCOUNT.password}`],
  ];
  return launch('a sentinel of Redis', certificate, [], lines, {
    files: { 'ca.crt': ca.certPem },
    args: ['--sentinel'],
  });
}

/** How long a cluster may take to agree, in milliseconds. */
const AGREE_LIMIT_MS = 20_000;

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + AGREE_LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > limit) throw new Error('the nodes of the cluster did not agree in time');
    await delay(50);
  }
}
