import { statSync } from 'node:fs';
import { closestOf } from '../core/unknown-options.ts';
import { CertpinError } from '../errors.ts';
import { type UpgradeName, upgradeProtocols } from '../protocols/registry.ts';
import { readConnectionString } from './connection-string.ts';

/** How a server comes to TLS: from the first byte, or by an upgrade. */
export type Protocol = 'tls' | UpgradeName;

/** Where a certificate is to be found. */
export type Target = FileTarget | ServerTarget | SocketTarget;

export interface FileTarget {
  readonly protocol: 'file';
  /** As reports show it. */
  readonly label: string;
  readonly path: string;
}

export interface ServerTarget {
  /** null: neither scheme nor port tells; a probe finds it out. */
  readonly protocol: Protocol | null;
  /** As reports show it: never with the credentials that a connection string may hold. It reads as the same target. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** The ALPN name without which the service does not begin with TLS. */
  readonly alpn?: string;
}

/** A server behind a unix socket. */
export interface SocketTarget {
  readonly protocol: Protocol | null;
  readonly label: string;
  readonly socketPath: string;
}

interface Scheme {
  readonly protocol: Protocol;
  readonly port: number | undefined;
  readonly alpn?: string | undefined;
  readonly hostInQuery?: boolean | undefined;
}

const entries = Object.entries(upgradeProtocols) as [UpgradeName, (typeof upgradeProtocols)[UpgradeName]][];

/** Services that begin with TLS, and of which no protocol is spoken here; the default port, where there is one. */
const directServices: Readonly<Record<string, number | undefined>> = {
  https: 443,
  tls: undefined,
  ssl: undefined,
  wss: 443,
  rediss: 6379,
  amqps: 5671,
  mqtts: 8883,
  mongodb: 27017,
};

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ...Object.entries(directServices).map(([name, port]): [string, Scheme] => [name, { protocol: 'tls', port }]),
  ...entries.flatMap(([protocol, { upgrade, direct, hostInQuery }]): [string, Scheme][] => [
    ...upgrade.schemes.map((name): [string, Scheme] => [name, { protocol, port: upgrade.ports[0], hostInQuery }]),
    ...(direct?.schemes ?? []).map((name): [string, Scheme] => [
      name,
      { protocol: 'tls', port: direct?.ports[0], alpn: direct?.alpn },
    ]),
  ]),
]);

/** Of two protocols with one port, the first in the table. */
const protocolsOfPorts: ReadonlyMap<number, Protocol> = new Map(
  [
    ...entries.flatMap(([protocol, { upgrade, direct }]): [number, Protocol][] => [
      ...upgrade.ports.map((port): [number, Protocol] => [port, protocol]),
      ...(direct?.ports ?? []).map((port): [number, Protocol] => [port, 'tls']),
    ]),
    [443, 'tls'] as [number, Protocol],
  ].reverse(),
);

/**
 * Reads a target: `host:port`, `[::1]:port`, a bare host (port 443), a URL (`https://`, `tls://`, and every scheme of the protocols
 * that the probe knows), `unix:/path/of.socket` (with a protocol: `mysql+unix:/path`), a connection string of JDBC, libpq, ADO.NET or
 * ODBC, the data source of Go's MySQL driver or of PHP's PDO, or a file (anything with a slash, a certificate's extension, or the name of a file that exists). Credentials are dropped here.
 *
 * The protocol follows from the scheme, then from the port; on a port of no protocol it is null.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`
 */
export function parseTarget(text: string): Target {
  // The operating system would end a path or a name there, and take another one than is shown.
  if (text.includes('\0')) throw invalid('it holds a NUL');
  const [, unixScheme, socketPath] = /^(?:([a-z][a-z0-9-]*)\+)?unix:(?:\/\/)?(\/[^?#@]*)$/is.exec(text) ?? [];
  if (socketPath !== undefined) return readSocket(unixScheme?.toLowerCase(), socketPath);
  const driverAddress = readDriverAddress(text);
  if (driverAddress !== undefined)
    return toServer('mysql', findScheme('mysql'), driverAddress.host, driverAddress.port);
  if (SQL_SERVER.test(text)) return parseConnectionString(`jdbc:${text}`);
  const url = text.replace(/^(?:jdbc|r2dbcs?(?::pool)?):(?=[a-z0-9]+:\/\/[^;]*$)/i, '').replace(WITH_DRIVER, '$1');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return parseUrl(url);
  if (isFile(text)) return { protocol: 'file', label: text, path: text };
  // Before anything that may be a path or a host: what has a pair in it may have a password, and is not shown.
  if (text.includes('=')) return parseConnectionString(text);
  if (text.includes('@')) throw invalid('it is neither host:port, nor a URL, nor a file that exists');
  if (/[/\\]/.test(text) || /\.(?:pem|crt|cer|der|cert|p7b|p7c|p12|pfx|csr|key|jks)$/i.test(text))
    return { protocol: 'file', label: text, path: text };
  const { bracketed, name, plain, port } = ADDRESS.exec(text)?.groups ?? {};
  const host = bracketed ?? name ?? plain;
  if (host === undefined) throw invalid('it is neither host:port, nor a URL, nor a file');
  const number = checkPort(port ?? '443');
  return { protocol: protocolsOfPorts.get(number) ?? null, label: text, host, port: number };
}

export function toTarget(target: string | Target): Target {
  return typeof target === 'string' ? parseTarget(target) : target;
}

/**
 * `name:port`, `[IPv6]:port`, each without the port, and a bare IPv6 address. No control character and no invisible one: the resolver
 * passes over some of them, and would ask another host than the one that is shown.
 */
const ADDRESS =
  /^(?:\[(?<bracketed>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?<name>[^:;,'"[\]\s?#\p{C}]+)|(?<plain>[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*(?:%[\w.-]+)?))(?::(?<port>\d+))?$/iu;

/** JDBC's form without `jdbc:`, as Prisma and others take it. As a URL its settings would be a login, and a piece of the password the host. */
const SQL_SERVER =
  /^(?:sqlserver|mssql):\/\/[^;@/?#]*;\s*(?:database|databasename|initial catalog|user|username|user id|password|encrypt|trustservercertificate|hostnameincertificate|integratedsecurity|authentication|applicationname|schema|servername)\s*=/i;

/** A scheme with the name of a driver, as SQLAlchemy has it: `postgresql+psycopg2://`. */
const WITH_DRIVER = /^(postgres|postgresql|mysql|mariadb|mssql)\+[a-z0-9]+(?=:\/\/)/i;

/** The data source of PHP's PDO: `mysql:host=…;port=…;dbname=…`. */
const PDO = /^(mysql|pgsql|sqlsrv):(?=[a-z])/i;
const schemesOfPdo: Readonly<Record<string, string>> = { mysql: 'mysql', pgsql: 'postgres', sqlsrv: 'sqlserver' };

/** A name, or an IP address. What is no host may be a piece of a password. */
const HOST = /^(?:[\p{L}\p{M}\p{N}._-]+|[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?)$/iu;

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What the path of a socket is made of that need not be there to be shown. Anything else parts the settings of a connection string. */
const SOCKET_PATH = /^[\p{L}\p{M}\p{N}._~/+-]+$/u;

function readSocket(scheme: string | undefined, socketPath: string): SocketTarget {
  if (!SOCKET_PATH.test(socketPath) && !isSocket(socketPath))
    throw invalid(
      'there is no such socket, and it may be more than a path: settings of a connection have no place in it',
    );
  const label = `${scheme === undefined ? '' : `${scheme}+`}unix:${socketPath}`;
  return { protocol: scheme === undefined ? null : findScheme(scheme).protocol, label, socketPath };
}

function parseUrl(text: string): ServerTarget {
  const url = readUrl(text);
  const name = url.protocol.slice(0, -1);
  const { hostInQuery, ...scheme } = findScheme(name);
  // An unescaped `/`, `#` or `?` cuts the password in two, and what is left of it would be taken for the host. In the path of a web
  // page there may be an @.
  const rest = (name === 'https' ? '' : url.pathname) + url.search + url.hash;
  if (/[/#][^?]*@|\?[^=]*@/.test(rest)) {
    throw invalid('a password in a URL needs percent-encoding: @ is %40, / is %2F, # is %23, ? is %3F');
  }
  const query = hostInQuery ? url.searchParams : new URLSearchParams();
  const host = decode(query.get('host') || url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host.startsWith('/')) throw invalid('it names no host: a unix socket has no TLS');
  return toServer(name, scheme, host, query.get('port') || url.port);
}

/**
 * The data source of Go's MySQL driver: `user:password@tcp(host:port)/name`, with a scheme before it or without. As there, the last slash and
 * the last @ before it count: a password may hold both.
 */
function readDriverAddress(text: string): { readonly host: string; readonly port: string | undefined } | undefined {
  if (OTHER_FORM.test(text)) return undefined;
  const rest = /^(?:mysql|mariadb):\/\/(.*)$/is.exec(text)?.[1] ?? text;
  const end = rest.lastIndexOf('/');
  const login = end === -1 ? rest : rest.slice(0, end);
  const address = login.slice(login.lastIndexOf('@') + 1);
  const { bracketed, name, port } = DRIVER_ADDRESS.exec(address)?.groups ?? {};
  const host = bracketed ?? name;
  return host === undefined ? undefined : { host, port };
}

/** What says that it is of another form: there, an address of this one is a piece of a password, a token or a path. */
const OTHER_FORM =
  /^(?:(?!(?:mysql|mariadb):\/\/)[a-z][a-z0-9+.-]*:\/\/|(?:jdbc|r2dbcs?):|(?:(?:mysql|pgsql|sqlsrv):)?\s*[a-z][a-z_ ]*=)/i;

const DRIVER_ADDRESS =
  /^tcp[46]?\((?:\[(?<bracketed>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?<name>[\p{L}\p{M}\p{N}._-]+))(?::(?<port>\d+))?\)$/iu;

function parseConnectionString(text: string): ServerTarget {
  const pdo = PDO.exec(text)?.[1]?.toLowerCase();
  const place = readConnectionString(text.replace(PDO, ''));
  if (place === undefined) {
    const forms = 'a URL, `host=… port=…`, `Server=…;Port=…`, or `jdbc:…`';
    throw invalid(`it is neither a file that exists, nor a connection string with one host (${forms})`);
  }
  const { scheme, host, port } = pdo === undefined ? place : { ...place, scheme: schemesOfPdo[pdo] };
  if (scheme !== undefined) return toServer(scheme, findScheme(scheme), host, port);
  if (port === undefined) throw invalid('a connection string that does not say of which database it is needs a port');
  const protocol = protocolsOfPorts.get(checkPort(port));
  return toServer(undefined, { protocol: protocol ?? null, port: undefined }, host, port);
}

function toServer(
  name: string | undefined,
  { protocol, port: defaultPort, alpn }: Omit<Scheme, 'protocol'> & { readonly protocol: Protocol | null },
  host: string,
  port: string | undefined,
): ServerTarget {
  if (!HOST.test(host)) throw invalid('it names no host, or more than one');
  if (!port && defaultPort === undefined) throw invalid(`${name}:// needs a port`);
  const number = checkPort(port || String(defaultPort));
  const address = `${host.includes(':') ? `[${host}]` : host}:${number}`;
  const label = name === undefined ? address : `${name}://${address}`;
  return { protocol, label, host, port: number, ...(alpn === undefined ? {} : { alpn }) };
}

function findScheme(name: string): Scheme {
  const scheme = schemes.get(name);
  if (scheme !== undefined) return scheme;
  if (name === 'ssh') throw invalid('SSH has no certificate; ssh-keyscan shows its key');
  const shown = /^[a-z][a-z0-9+-]{0,19}$/.test(name) ? `${name}://` : 'this scheme';
  const meant = closestOf(name, [...schemes.keys()], name.length < 6 ? 1 : 2);
  const hint = meant === undefined ? '' : `; did you mean ${meant}://?`;
  throw invalid(`nothing is known of ${shown}${hint} (${ANY_TLS})`);
}

const ANY_TLS = 'a server that begins with TLS is named with tls://host:port';

function readUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // What stands before the path, without a login: a password may hold a comma.
    const hosts = /^[^:]*:\/\/(?:[^/?#]*@)?([^/?#@]*)/.exec(text)?.[1] ?? '';
    const isList = hosts.split(',').filter((host) => /^[^:]+(?::\d+)?$/.test(host)).length > 1;
    throw invalid(isList ? SEVERAL : 'the URL cannot be read');
  }
}

const SEVERAL =
  'it names several hosts, and each may have a certificate of its own: name one, as in postgres://host:port';

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('the URL cannot be read');
  }
}

function checkPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalid('a port is a number from 1 to 65535');
}

/** The text is not repeated: a connection string that was mistyped still holds its password. */
function invalid(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', `the target cannot be used: ${reason}`, { reason });
}
