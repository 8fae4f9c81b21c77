import { isIP } from 'node:net';
import { optionErrors } from '../errors.ts';
import type { Address } from '../leaf/pinner.ts';
import { parameterRefused } from './driver-config.ts';

const invalid = optionErrors('pinnedPostgres');

/** What `pinnedPostgres` reads of the options of postgres.js; everything else passes through untouched. */
export interface PostgresOptions {
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

/** The content of a connection URL, as the driver's own options. */
export interface PostgresUrlOptions {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly connection?: Record<string, string>;
}

/** The hosts, as the driver would read them (its parseOptions): from the option, then from the environment, then the default. */
export function readAddresses({ hostname, host, port, path }: PostgresOptions): readonly [Address, ...Address[]] {
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
  const [first, ...others] = pairs.map(([name, value]) => {
    const number = Number(value);
    if (typeof name !== 'string' || name === '') throw invalid('host', 'a host has no name');
    if (!Number.isInteger(number) || number < 1 || number > 65535)
      throw invalid('port', 'a port is not a number from 1 to 65535');
    return { host: name, port: number };
  });
  if (first === undefined) throw invalid('host', 'the list of hosts is empty');
  return [first, ...others];
}

/** Parameters of a URL that the driver treats as its own options. All others are settings of the session. */
const urlOptions: readonly string[] = [
  ...['max', 'idle_timeout', 'connect_timeout', 'max_lifetime', 'max_pipeline', 'backoff', 'keep_alive', 'prepare'],
  ...['debug', 'fetch_types', 'publications', 'target_session_attrs', 'sslnegotiation'],
];

/**
 * The driver lets a URL choose the TLS. So it gets the content of the URL as options, and not the URL. No message contains the URL, nor the
 * error of the URL parser, because both hold a password.
 */
export function readUrl(text: string): PostgresOptions {
  let url: URL;
  let hosts: string;
  let login: { user?: string; password?: string };
  try {
    const start = text.indexOf('://') + 3;
    const [authority = ''] = text.slice(start).split(/[?/#]/);
    const at = authority.lastIndexOf('@') + 1;
    hosts = decodeURIComponent(authority.slice(at));
    // The URL parser accepts one host only. The word `host` stands in for the list.
    url = new URL(`${text.slice(0, start + at)}host${text.slice(start + authority.length)}`);
    login = {
      ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    };
  } catch {
    throw invalid(
      'url',
      'the connection URL cannot be read: percent-encode the special characters of user name and password',
    );
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
