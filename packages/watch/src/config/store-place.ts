import { resolve } from 'node:path';
import { isLoopback } from '../loopback.ts';
import { ConfigError } from './config-error.ts';
import type { SecretPlace } from './secret.ts';

/** Where a watcher keeps what it knows. */
export type StorePlace = { readonly sqlite: string } | { readonly postgres: PostgresPlace };

export interface PostgresPlace {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Default: what pg uses, PGUSER or the user of the process. */
  readonly user?: string | undefined;
  /** Default: what pg reads, PGPASSWORD or the password file. */
  readonly password?: SecretPlace | undefined;
  /** The pins file with the pins of the store's server. */
  readonly pinsFile?: string | undefined;
}

/** What is given next to the text of the store. */
export interface StoreSettings {
  readonly pinsFile: string | undefined;
  readonly password: SecretPlace | undefined;
}

/**
 * Reads `sqlite:PATH` or `postgres://USER@HOST:PORT/DATABASE`. No message repeats the text, which may hold a password.
 *
 * @param name where the mistake is, as messages name it
 * @param folder the folder from which a path is found
 * @throws ConfigError
 */
export function readStorePlace(text: string, name: string, folder: string, settings: StoreSettings): StorePlace {
  const [, path] = /^sqlite:(.+)$/s.exec(text) ?? [];
  if (path !== undefined) {
    const useless = settings.pinsFile === undefined ? settings.password && 'a password' : 'a pins file';
    if (useless !== undefined)
      throw new ConfigError(`${name}: a file of SQLite has no server, and needs no ${useless.slice(2)}`);
    return { sqlite: resolve(folder, path) };
  }
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) {
    throw new ConfigError(`${name} is sqlite:PATH or postgres://USER@HOST:PORT/DATABASE`);
  }
  return { postgres: readPostgres(new URL(text), name, settings) };
}

function readPostgres(url: URL, name: string, { pinsFile, password }: StoreSettings): PostgresPlace {
  if (url.password !== '') {
    throw new ConfigError(
      `${name}: a password in it would be shown; use "storePassword" of the configuration, PGPASSWORD or PGPASSFILE`,
    );
  }
  const socket = url.searchParams.get('host');
  if ((socket === null && url.search !== '') || url.hash !== '' || unknownOf(url) !== undefined) {
    throw new ConfigError(
      `${name}: behind the database, host, port and user of a unix socket may stand, and nothing else`,
    );
  }
  const host = socket ?? decode(url.hostname, name).replace(/^\[(.*)\]$/, '$1');
  if (/[\p{Cc}\s]/u.test(host)) throw new ConfigError(`${name}: the host has characters that no host has`);
  if (host === '' || (socket !== null && (url.host !== '' || !socket.startsWith('/')))) {
    throw new ConfigError(
      `${name} names no host: postgres://USER@HOST:PORT/DATABASE, or postgres:///DATABASE?host=/FOLDER`,
    );
  }
  const database = decode(url.pathname.slice(1), name);
  if (database === '') throw new ConfigError(`${name} names no database: postgres://USER@HOST:PORT/DATABASE`);
  const isSocket = host.startsWith('/');
  if (isSocket && pinsFile !== undefined) {
    throw new ConfigError(
      `${name}: a unix socket has no TLS, so no pin can match; leave the pins file of the store out`,
    );
  }
  if (!isSocket && pinsFile === undefined && !isLoopback(host)) {
    throw new ConfigError(
      `${name}: on the way to another machine, the store needs a pin: --store-pins-file FILE, in which its server stands`,
    );
  }
  // The driver would use another port for 0.
  const port = Number(url.port || (url.searchParams.get('port') ?? 5432));
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ConfigError(`${name}: a port is a number from 1 to 65535`);
  const user = decode(url.username, name) || url.searchParams.get('user') || undefined;
  return { host, port, database, user, password, pinsFile };
}

/** Also one that is given twice: nobody can see which of them counts. */
function unknownOf({ searchParams }: URL): string | undefined {
  const keys = [...searchParams.keys()];
  return keys.find((key, index) => !['host', 'port', 'user'].includes(key) || keys.indexOf(key) !== index);
}

function decode(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError(`${name}: a percent sign in it is written %25`);
  }
}

/** As `--store` takes it, and as messages and the log name it. It contains no secret. */
export function nameOfStore(place: StorePlace): string {
  return 'sqlite' in place ? `sqlite:${place.sqlite}` : urlOfPostgres(place.postgres);
}

function urlOfPostgres({ host, port, database, user }: PostgresPlace): string {
  const name = encodeURIComponent(database);
  if (host.startsWith('/')) {
    const values = new URLSearchParams({ host, port: String(port), ...(user === undefined ? {} : { user }) });
    return `postgres:///${name}?${values}`;
  }
  const login = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  return `postgres://${login}${host.includes(':') ? `[${host}]` : host}:${port}/${name}`;
}
