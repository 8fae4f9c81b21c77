import { isIP } from 'node:net';
import { CertpinError, findCertpinError } from '../core/errors.ts';
import type { Policy } from '../core/policy.ts';
import { dial } from '../protocols/dial.ts';
import { createPostgresUpgrade, isDirect, noAlpn, POSTGRES_ALPN } from '../protocols/postgres.ts';
import { createTypeQueryWatch, type TypeQueryWatch } from '../protocols/postgres-types.ts';
import { demandAlpn } from '../tls/demand-alpn.ts';
import { NOWHERE, parameterRefused, readDriverConfig, withPinned, withToJson } from '../tls/driver-config.ts';
import type { Address, Attempt, Opener } from '../tls/late-stream.ts';
import { type GuardOptions, readClientTls, readPolicy } from '../tls/options.ts';
import { PinnedStream } from '../tls/pinned-stream.ts';
import { openUpgraded } from '../tls/upgrade.ts';

/** What {@link pinnedPostgres} reads of the options of postgres.js; everything else passes through untouched. */
interface PostgresOptions {
  readonly host?: string | readonly string[] | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | string | readonly number[] | undefined;
  readonly path?: string | undefined;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly ssl?: unknown;
  readonly sslnegotiation?: string | null | undefined;
  readonly socket?: unknown;
  readonly target_session_attrs?: string | null | undefined;
}

/** What {@link pinnedPostgres} adds. */
export interface PinnedPostgres {
  /** Connects nowhere, for a copy that has lost `socket`, and for a client that does not know it. `socket` has the true address. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** The TLS connection is made in `socket`; to the driver, it is the plain one. */
  readonly ssl: false;
  readonly socket: (driver?: DriverAddress) => PinnedStream;
}

/** What postgres.js hands to a `socket` function: the options that it has read, of which its error messages name the server. */
interface DriverAddress {
  host: string[];
  port: number[];
  path: unknown;
}

/** What a connection URL says, in the driver's own options. */
export interface PostgresUrlOptions {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly connection?: Record<string, string>;
}

/**
 * Options for postgres.js. The driver gets a stream that makes the PostgreSQL upgrade and the TLS handshake, and passes on what the
 * driver writes after a matching verdict; there is no plaintext path.
 *
 * ```ts
 * import postgres from 'postgres';
 * import { pinnedPostgres } from 'certpin/postgres';
 * const sql = postgres(pinnedPostgres({ host: 'db.example.com', user: 'app', password, database: 'app' }, { pins }));
 * ```
 *
 * A connection URL works in place of the options, without its `ssl…` parameters; give it to `pinnedPostgres` and only the result to
 * the driver. Several hosts are tried in order, each with the same policy.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, for options that cannot be used; the error of a refused
 * connection comes out of the query as it is
 */
export function pinnedPostgres(url: string, policy: GuardOptions | Policy): PostgresUrlOptions & PinnedPostgres;
export function pinnedPostgres<Options extends object>(
  options: Options,
  policy: GuardOptions | Policy,
): Omit<Options, keyof PinnedPostgres | 'hostname'> & PinnedPostgres;
export function pinnedPostgres(options: string | PostgresOptions, policy: GuardOptions | Policy): object {
  const given: PostgresOptions = readDriverConfig(
    typeof options === 'string' ? readUrl(options) : options,
    { socket: 'certpin makes the socket itself; remove `socket`' },
    'pinnedPostgres',
  );
  const tls = readClientTls(given.ssl);
  const direct = isDirect(given.sslnegotiation ?? process.env.PGSSLNEGOTIATION, 'pinnedPostgres');
  const addresses = readAddresses(given);
  const [first] = addresses as [Address];
  const session = given.target_session_attrs ?? process.env.PGTARGETSESSIONATTRS;
  if (addresses.length > 1 && session) {
    // The driver would choose the next host itself, and a socket that is given to it cannot learn which.
    const message =
      '`target_session_attrs` needs one host: certpin tries several in order and takes the first that answers';
    throw invalid('target_session_attrs', message);
  }
  const upgraded = openUpgraded({
    dial: (address, ready) => dial(address, direct ? undefined : createPostgresUpgrade(), ready),
    tls: direct ? { ...tls, ALPNProtocols: [POSTGRES_ALPN] } : tls,
    ...readPolicy(policy),
  });
  const open = openFirst(direct ? demandAlpn(upgraded, POSTGRES_ALPN, noAlpn) : upgraded, addresses);
  const socket = (driver?: DriverAddress): PinnedStream => {
    if (driver !== undefined) Object.assign(driver, { host: [first.host], port: [first.port], path: false });
    return new PostgresStream({ open, mediator: createTypeQueryWatch() }).connect(first.port, first.host);
  };
  const own = {
    // Set, so that neither `hostname` nor the environment sets them: the driver prefers those.
    hostname: undefined,
    host: NOWHERE,
    port: first.port,
    path: NOWHERE,
    ssl: false,
    sslnegotiation: null,
    socket,
  };
  const pinned = withPinned(given, own, 'pinnedPostgres');
  // What is written down of a configuration knows no password. And if somebody puts the address back, it demands TLS.
  const toJSON = () => ({ ...pinned, ssl: true, socket: undefined, password: undefined, pass: undefined });
  return withToJson(pinned, toJSON, 'pinnedPostgres');
}

/** What postgres.js gets in place of its socket. */
class PostgresStream extends PinnedStream {
  declare protected readonly mediator: TypeQueryWatch;

  /** postgres.js takes a socket that it is given for connected, and says goodbye only on one that calls itself open. */
  get readyState(): 'closed' | 'open' {
    return this.destroyed ? 'closed' : 'open';
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const end = this.mediator.end();
    if (end.length > 0) this.emit('data', end);
    // The driver puts off what it writes. It must have come to nothing before the connection ends, or the next one waits for it.
    super._destroy(error, (problem) => void (end.length > 0 ? setImmediate(callback, problem) : callback(problem)));
  }
}

/**
 * One host after the other, each with the whole time limit, as in libpq. A refusal says more than a host that was not there, so it
 * is the error that is handed on.
 */
function openFirst(open: Opener, addresses: readonly Address[]): Opener {
  return (_, stream) => {
    const failures: Error[] = [];
    let isGivenUp = false;
    let current: Attempt | undefined;
    const tryNext = (): void => {
      let isSettled = false;
      const settle = (error: Error | undefined, take: () => unknown): void => {
        if (isSettled) return;
        isSettled = true;
        if (error !== undefined) failures.push(error);
        if (isGivenUp || error === undefined) take();
        else if (failures.length < addresses.length) tryNext();
        else stream.destroy(failures.map(findCertpinError).find((found) => found !== undefined) ?? error);
      };
      const fail = (error?: Error): void => settle(error, () => stream.destroy(error));
      const attempt = open(addresses[failures.length] as Address, {
        adopt: (socket) => settle(undefined, () => stream.adopt(socket)),
        destroy: (error) => {
          fail(error);
          attempt.destroy();
        },
      });
      current = attempt;
    };
    tryNext();
    const destroy = (): void => {
      isGivenUp = true;
      current?.destroy();
    };
    return { destroy };
  };
}

/** The hosts, as the driver would read them (its parseOptions): option, then environment, then the default. */
function readAddresses({ hostname, host, port, path }: PostgresOptions): readonly Address[] {
  const hosts = hostname || host || process.env.PGHOST || 'localhost';
  const ports = port || process.env.PGPORT || 5432;
  const names = Array.isArray(hosts)
    ? (hosts as readonly string[])
    : isIP(hosts as string)
      ? [hosts as string]
      : undefined;
  const pairs: readonly (readonly [string, unknown])[] =
    names?.map((name, index) => [name, Array.isArray(ports) ? (ports[index] ?? ports[0]) : ports] as const) ??
    String(hosts)
      .split(',')
      .map((part, index) => {
        const [name = '', own] = part.startsWith('[') ? part.slice(1).split(/\]:?/) : part.split(':');
        return [name, own || (Array.isArray(ports) ? (ports[index] ?? ports[0]) : ports)] as const;
      });
  if (path || pairs.some(([name]) => typeof name === 'string' && name.includes('/'))) {
    throw invalid(path ? 'path' : 'host', 'a unix socket has no TLS, so there is nothing to pin: connect to a host');
  }
  return pairs.map(([name, value]) => {
    const number = Number(value);
    if (typeof name !== 'string' || name === '') throw invalid('host', 'a host has no name');
    if (!Number.isInteger(number) || number < 1 || number > 65535)
      throw invalid('port', 'a port is no number from 1 to 65535');
    return { host: name, port: number };
  });
}

/** Parameters of a URL that the driver takes for its own options; all others are settings of the session. */
const urlOptions: readonly string[] = [
  ...['max', 'idle_timeout', 'connect_timeout', 'max_lifetime', 'max_pipeline', 'backoff', 'keep_alive', 'prepare'],
  ...['debug', 'fetch_types', 'publications', 'target_session_attrs', 'sslnegotiation'],
];

/**
 * The driver lets a URL choose the TLS, so it is not given one: it gets what the URL says, as options. The URL is never part of a
 * message, nor is the URL parser's own error: both hold a password.
 */
function readUrl(text: string): PostgresOptions {
  let url: URL;
  let hosts: string;
  let login: { user?: string; password?: string };
  try {
    const start = text.indexOf('://') + 3;
    const [authority = ''] = text.slice(start).split(/[?/#]/);
    const at = authority.lastIndexOf('@') + 1;
    hosts = decodeURIComponent(authority.slice(at));
    // The URL parser knows one host; it stands in for the list.
    url = new URL(`${text.slice(0, start + at)}host${text.slice(start + authority.length)}`);
    login = {
      ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    };
  } catch {
    throw invalid('url', 'the connection URL cannot be read: percent-encode what user name and password hold');
  }
  if (!/^postgres(ql)?:$/.test(url.protocol)) throw invalid('url', 'the connection URL must begin with postgres://');
  const own: Record<string, unknown> = {};
  const connection: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (/^ssl/i.test(name) && name !== 'sslnegotiation') {
      throw parameterRefused('pinnedPostgres', 'URL', name);
    }
    if (urlOptions.includes(name)) own[name] = value === 'disable' || value === 'false' ? false : value;
    else connection[name] = value;
  }
  const database = url.pathname.slice(1);
  return {
    ...(hosts === '' ? {} : { host: hosts }),
    ...login,
    ...(database === '' ? {} : { database }),
    ...own,
    ...(Object.keys(connection).length === 0 ? {} : { connection }),
  } as PostgresOptions;
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `pinnedPostgres: ${message}`, { option });
}
