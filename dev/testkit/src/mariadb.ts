import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requirePackage } from './debian.ts';
import type { Minted } from './mint.ts';
import { freePort } from './postgres.ts';
import { type CountingServer, type CountingServerOptions, credentials, observeServer } from './tls-server.ts';

const run = promisify(execFile);

/** A real MariaDB, started for the test on a free port, with TLS. */
export interface Mariadb {
  readonly host: string;
  readonly port: number;
  /** A user with all rights; its connections need the password, with TLS or without. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The PEM file that the server reads its certificate from. */
  readonly certificateFile: string;
  /** Runs statements with the server's own client, over the unix socket. */
  readonly execute: (sql: string) => Promise<string>;
  /** Presents another certificate to new connections, as an operator rotates it: new files, FLUSH SSL. */
  readonly present: (certificate: Minted) => Promise<void>;
  /** Ends the server and starts it again, on the same port, with the same accounts. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface MariadbOptions {
  /** undefined: the server offers no TLS. */
  readonly certificate: Minted | undefined;
  /** Further options of the server: `--max-connections=10`. */
  readonly flags?: readonly string[];
}

/** Starts a MariaDB with its files in a temporary folder, which `stop()` removes. */
export async function startMariadb({ certificate, flags = [] }: MariadbOptions): Promise<Mariadb> {
  const server = requirePackage('mariadb-server', 'mariadbd');
  const folder = mkdtempSync(join(tmpdir(), 'certpin-mariadb-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const socket = join(folder, 'socket');
  const port = await freePort();
  const account = { user: 'login', password: randomBytes(12).toString('hex'), database: 'users' };
  const asRoot = process.getuid?.() === 0;
  const owner = asRoot ? readOwner() : undefined;
  const userFlag = asRoot ? ['--user=mysql'] : [];
  const write = (name: string, text: string): void => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (owner !== undefined) chownSync(file, owner.uid, owner.gid);
  };
  const install = (minted: Minted): void => {
    write('server.key', minted.keyPem);
    write('server.crt', minted.chainPem);
  };
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);

  let log = '';
  const tlsFlags =
    certificate === undefined
      ? ['--skip-ssl']
      : [`--ssl-cert=${join(folder, 'server.crt')}`, `--ssl-key=${join(folder, 'server.key')}`];
  try {
    if (certificate !== undefined) install(certificate);
    const quick = ['--innodb-log-file-size=4M', '--innodb-buffer-pool-size=8M', '--innodb-flush-log-at-trx-commit=0'];
    const initialize = ['--no-defaults', '--skip-test-db', '--auth-root-authentication-method=normal'];
    const template = join(templates, `mariadb-${await versionOf(server)}-${owner?.uid ?? 'own'}`);
    if (!(await copyFolder(template, data))) {
      await run('mariadb-install-db', [...initialize, `--datadir=${data}`, ...userFlag, ...quick]);
      await keepAsTemplate(data, template);
    }
    /** Starts the server, waits until it is ready, and gives what ends it. */
    const launch = async (): Promise<() => Promise<void>> => {
      log = '';
      const child = spawn(server, [
        ...['--no-defaults', `--datadir=${data}`, `--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1'],
        ...['--skip-log-bin', '--skip-name-resolve', '--max-allowed-packet=64M', `--pid-file=${join(folder, 'pid')}`],
        ...[...quick, ...userFlag, ...tlsFlags, ...flags],
      ]);
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          log += chunk;
        });
      }
      const exited = once(child, 'exit');
      while (!/ready for connections/.test(log)) {
        if (child.exitCode !== null) throw new Error('it ended');
        await Promise.race([once(child.stderr, 'data'), exited]);
      }
      return async () => {
        child.kill('SIGTERM');
        await exited;
      };
    };
    let end = await launch();
    const execute = async (sql: string): Promise<string> => {
      const options = ['--no-defaults', `--socket=${socket}`, '--user=root', '--batch', '--skip-column-names'];
      return (await run('mariadb', [...options, `--execute=${sql}`])).stdout;
    };
    await execute(
      `CREATE DATABASE ${account.database}; CREATE USER ${account.user}@'%' IDENTIFIED BY '${account.password}';
       GRANT ALL ON *.* TO ${account.user}@'%' WITH GRANT OPTION`,
    );
    return {
      host: '127.0.0.1',
      port,
      ...account,
      certificateFile: join(folder, 'server.crt'),
      execute,
      present: async (minted) => {
        install(minted);
        await execute('FLUSH SSL');
      },
      restart: async () => {
        await end();
        end = await launch();
      },
      stop: async () => {
        await end();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`MariaDB did not start. It said:\n${log.slice(-2000)}`, { cause: error });
  }
}

/** What the server's own installation makes, without an account for the tests. It takes longer than the rest of the start. */
const templates = fileURLToPath(new URL('../../../node_modules/.cache/certpin-testkit/', import.meta.url));

/** As it stands in a file's name. */
async function versionOf(server: string): Promise<string> {
  return (await run(server, ['--version'])).stdout.replace(/[^\w.]+/g, '-');
}

/** With owners and modes. @returns whether there was such a folder */
async function copyFolder(from: string, to: string): Promise<boolean> {
  if (!existsSync(from)) return false;
  await run('cp', ['-a', from, to]);
  return true;
}

/** Test files that run at the same time see a complete template or none. If another one has made it already, that one stays. */
async function keepAsTemplate(folder: string, template: string): Promise<void> {
  mkdirSync(templates, { recursive: true });
  const unfinished = mkdtempSync(`${template}-`);
  await copyFolder(folder, join(unfinished, 'data'));
  // A folder with content is not replaced (rename(2)).
  await rename(join(unfinished, 'data'), template).catch(() => undefined);
  rmSync(unfinished, { recursive: true });
}

/** The user that Debian's package makes. The server refuses to run as root. */
function readOwner(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'mysql'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export interface MysqlRelayOptions extends Omit<CountingServerOptions, 'onSocket'> {
  /** The genuine server behind it: an impostor that passes everything on looks like the real one. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** Changes the greeting on its way. Default: it stays as it is. */
  readonly rewriteGreeting?: (greeting: Buffer) => Buffer;
}

/**
 * A man in the middle. It shows the greeting of a real MariaDB, accepts SSLRequest, and presents a certificate of the test's choice. It
 * counts what it can read, and passes it on over its own TLS connection.
 */
export async function startMysqlRelay(options: MysqlRelayOptions): Promise<CountingServer> {
  const { certificate, upstream, host = '127.0.0.1', port, rewriteGreeting = (greeting) => greeting, ...tls } = options;
  const upstreams = new WeakMap<object, Socket>();
  const tlsServer = createTlsServer({ ...credentials(certificate), ...tls }, (socket: TLSSocket) => {
    const raw = upstreams.get((socket as TLSSocket & { _parent: Socket })._parent) as Socket;
    // The genuine server of the test, on this machine: the man in the middle verifies nothing.
    const genuine = connectTls({ socket: raw, checkServerIdentity: () => undefined, ...unverified });
    genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('error', () => genuine.destroy()).on('close', () => genuine.destroy());
    socket.pipe(genuine).pipe(socket);
  });
  const front = createServer((socket: Socket) => {
    const raw = connect(upstream.port, upstream.host);
    upstreams.set(socket, raw);
    raw.on('error', () => socket.destroy());
    socket.on('close', () => raw.destroy());
    raw.once('data', (greeting: Buffer) => {
      raw.pause();
      socket.write(rewriteGreeting(greeting));
    });
    socket.once('readable', () => {
      const request = socket.read(SSL_REQUEST_BYTES) as Buffer | null;
      if (request === null) return socket.destroy();
      raw.write(request);
      tlsServer.emit('connection', socket);
    });
  });
  return observeServer(tlsServer, front, host, port);
}

const unverified = Object.fromEntries([['rejectUnauthorized', false]]);

const SSL_REQUEST_BYTES = 36;
