/**
 * The servers, in a process of their own: so the soak measures only the client in its own process. Three servers are behind a gate: with
 * the current certificate, with the next one, and an impostor.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CountingServer, certificateHex, type Minted, mint, startTlsServer } from '@certpin/testkit';
import { loginTo } from '@certpin/testkit/clients';
import { startLdapRelay, startSlapd } from '@certpin/testkit/ldap';
import { startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { startMongodb } from '@certpin/testkit/mongodb';
import { startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { startRedis, startRedisRelay } from '@certpin/testkit/redis';
import { startTdsServer } from '@certpin/testkit/tds';
import { type CutKind, type Gate, startGate } from './gate.ts';

export type ServerKind = 'https' | 'postgres' | 'mariadb' | 'echo' | 'redis' | 'ldap' | 'tds' | 'mongodb';
export type Identity = 'current' | 'next' | 'impostor';

/** How a client finds its server, and which pins are right. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Empty: nobody logs in. */
  readonly login: { readonly user: string; readonly password: string; readonly database: string };
  readonly pins: Readonly<Record<'current' | 'next', string>>;
}

export interface StageFigures {
  /** TCP connections that are open. */
  readonly connections: number;
  /** Completed at the servers with the current and the next certificate. */
  readonly handshakes: number;
  /** Connections that clients opened to the impostor. */
  readonly impostorConnections: number;
  /** Application bytes that the impostor could read, over the whole run. */
  readonly impostorBytes: number;
}

/** What can be asked of a stage, from the other process. */
export interface Stage {
  readonly start: (kind: ServerKind) => Promise<Target>;
  readonly route: (identity: Identity) => Promise<void>;
  readonly cut: (how: CutKind) => Promise<void>;
  /** The host fails: its connections are reset, and nothing listens. */
  readonly fail: () => Promise<void>;
  readonly recover: () => Promise<void>;
  /** The server stops in its own words, and starts. */
  readonly restart: () => Promise<void>;
  readonly figures: () => Promise<StageFigures>;
  readonly stop: () => Promise<void>;
}

/** The server that does the work, behind the three certificates. */
interface Backend {
  readonly login: Target['login'];
  /** Milliseconds that the network takes before servers that answer at once: so a cut connection has something in progress. */
  readonly delayMs?: number;
  readonly present: (certificate: Minted) => Promise<CountingServer>;
  readonly restart: (gate: Gate) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Milliseconds that every HTTPS answer takes, so that a cut connection has a request in progress. */
const ANSWER_AFTER_MS = 10;
const NETWORK_MS = 5;
/** Milliseconds that an HTTPS server has to answer what is under way before it stops. */
const GRACE_MS = 1_000;

const backends: Record<ServerKind, () => Promise<Backend>> = {
  https: async () => {
    const open = new Set<Duplex>();
    const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      setTimeout(() => response.end(body), ANSWER_AFTER_MS);
    });
    server.on('clientError', (_, socket) => socket.destroy());
    let stopping = false;
    server.on('request', (_, response) => {
      if (stopping) response.setHeader('connection', 'close');
    });
    return {
      login: { user: '', password: '', database: '' },
      present: (certificate) =>
        startTlsServer({
          certificate,
          onSocket: (socket) => {
            open.add(socket);
            socket.on('close', () => open.delete(socket));
            server.emit('connection', socket);
          },
        }),
      // A client gets its answer, and learns that it is the last one.
      restart: async (gate) => {
        await gate.close();
        stopping = true;
        const end = Date.now() + GRACE_MS;
        while (open.size > 0) {
          await new Promise((resolve) => setTimeout(resolve, ANSWER_AFTER_MS));
          if (Date.now() < end) server.closeIdleConnections();
          else for (const socket of open) socket.destroy(); // Connections without any request do not count as idle.
        }
        stopping = false;
        await gate.open();
      },
      stop: async () => undefined,
    };
  },
  postgres: async () => {
    const postgres = await startPostgres({ certificate: await mint() });
    await postgres.configure({ max_connections: '400' });
    await postgres.restart();
    return {
      ...postgres,
      login: loginTo(postgres),
      present: (certificate) => startPostgresRelay({ certificate, upstream: postgres }),
    };
  },
  mariadb: async () => {
    // Clients that hang up in the handshake count towards max-connect-errors, and then their host is blocked.
    const flags = ['--max-connections=400', '--max-connect-errors=1000000000'];
    const mariadb = await startMariadb({ certificate: await mint(), flags });
    return {
      ...mariadb,
      login: loginTo(mariadb),
      present: (certificate) => startMysqlRelay({ certificate, upstream: mariadb }),
    };
  },
  redis: async () => {
    const redis = await startRedis({ certificate: await mint() });
    return {
      ...redis,
      login: { user: redis.username, password: redis.password, database: '' },
      delayMs: NETWORK_MS,
      present: (certificate) => startRedisRelay({ certificate, upstream: redis.plain }),
    };
  },
  ldap: async () => {
    const slapd = await startSlapd(await mint());
    return {
      ...slapd,
      login: { user: slapd.user, password: slapd.password, database: slapd.base },
      delayMs: NETWORK_MS,
      present: (certificate) => startLdapRelay({ certificate, upstream: slapd }),
    };
  },
  echo: async () =>
    scripted({ user: '', password: '', database: '' }, (certificate) => startTlsServer({ certificate })),
  tds: async () => {
    const login = { user: 'app', password: randomBytes(12).toString('hex'), database: 'app' };
    return scripted(login, (certificate) => startTdsServer({ certificate, password: login.password }));
  },
  mongodb: async () => {
    const login = { user: 'login', password: randomBytes(12).toString('hex'), database: '' };
    return scripted(login, (certificate) => startMongodb({ certificate, login }));
  },
};

/** Servers that live in this process: they stop with the end of each connection. */
function scripted(login: Target['login'], present: Backend['present']): Backend {
  const restart = async (gate: Gate): Promise<void> => {
    await gate.close();
    await gate.cut('end');
    await gate.open();
  };
  return { login, delayMs: NETWORK_MS, present, restart, stop: async () => undefined };
}

async function raise(kind: ServerKind): Promise<[Target, Omit<Stage, 'start'>]> {
  const backend = await backends[kind]();
  const certificates = { current: await mint(), next: await mint(), impostor: await mint() };
  const servers = {
    current: await backend.present(certificates.current),
    next: await backend.present(certificates.next),
    impostor: await backend.present(certificates.impostor),
  };
  // A ticket of one server resumes at the others, as behind a load balancer.
  const ticketKeys = randomBytes(48);
  for (const { server } of Object.values(servers)) server.setTicketKeys(ticketKeys);
  const gate = await startGate(servers.current.port, backend.delayMs);
  const { host } = servers.current;
  const pins = { current: certificateHex(certificates.current), next: certificateHex(certificates.next) };
  const target = { host, port: gate.port, login: backend.login, pins };
  return [
    target,
    {
      route: async (identity) => {
        gate.route(servers[identity].port);
        // Data for the right servers is not kept: minutes of it would fill the memory.
        servers.current.forget();
        servers.next.forget();
      },
      cut: gate.cut,
      fail: async () => {
        await gate.close();
        await gate.cut('reset');
      },
      recover: gate.open,
      restart: () => backend.restart(gate),
      figures: async () => ({
        connections: gate.connections(),
        handshakes: servers.current.handshakes() + servers.next.handshakes(),
        impostorConnections: gate.accepted(servers.impostor.port),
        impostorBytes: servers.impostor.received(),
      }),
      stop: async () => {
        await gate.close();
        await gate.cut('reset');
        for (const server of Object.values(servers)) await server.close();
        await backend.stop();
      },
    },
  ];
}

let stage: Omit<Stage, 'start'> | undefined;

async function obey(method: keyof Stage, argument: never): Promise<unknown> {
  if (method !== 'start') {
    const answer = await (stage as Stage)[method](argument);
    if (method === 'stop') stage = undefined;
    return answer;
  }
  const [target, raised] = await raise(argument);
  stage = raised;
  return target;
}

process.on('message', ({ id, method, argument }: { id: number; method: keyof Stage; argument: never }) => {
  obey(method, argument).then(
    (value) => process.send?.({ id, value }),
    (error: Error) => process.send?.({ id, error: error.stack }),
  );
});
// The process of the soak has gone, so the servers stop.
process.once('disconnect', () => {
  (stage?.stop() ?? Promise.resolve()).finally(() => process.exit());
});
