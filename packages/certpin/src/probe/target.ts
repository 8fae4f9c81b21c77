import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CertpinError } from '../errors.ts';
import { readConnectionString, refuseInstance } from './connection-string.ts';
import { invalidTarget as invalid } from './invalid-target.ts';
import { isMarked, unquoted } from './quotes.ts';
import { findScheme, type Protocol, plaintextSchemes, protocolsOfPorts, type Scheme, SRV, schemes } from './schemes.ts';

/** Where a certificate is to be found. */
export type Target = FileTarget | ServerTarget | SocketTarget | SrvTarget;

export interface FileTarget {
  readonly protocol: 'file';
  /** As reports show it. */
  readonly label: string;
  readonly path: string;
}

export interface ServerTarget {
  /** null: neither scheme nor port gives it. A probe then finds it out. */
  readonly protocol: Protocol | null;
  /** As reports show it, without the credentials of a connection string. It reads as the same target. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** The ALPN name without which the service does not accept TLS. */
  readonly alpn?: string;
}

/** A server behind a unix socket. */
export interface SocketTarget {
  readonly protocol: Protocol | null;
  readonly label: string;
  readonly socketPath: string;
}

/** The name of a MongoDB cluster. `targetsOf` finds its servers in DNS. */
export interface SrvTarget {
  readonly protocol: 'tls';
  readonly label: string;
  /** The name of their SRV records: `_mongodb._tcp.cluster.example.com`. */
  readonly srvName: string;
}

/**
 * Reads a target. It is one of these:
 *
 * - `host:port`, `[::1]:port`, or a bare host (port 443)
 * - a URL: `https://`, `tls://`, every scheme of the protocols that the probe knows, and `mongodb+srv://`
 * - `unix:/path/of.socket`, with a protocol: `mysql+unix:/path`
 * - a connection string of JDBC, libpq, ADO.NET or ODBC
 * - the data source of Go's MySQL driver or of PHP's PDO
 * - a file: `file://`, anything with a slash, a certificate's extension, or the name of a file that exists
 *
 * Quotation marks around it are removed. Credentials are dropped here. The protocol follows from the scheme, then from the port. If the
 * port belongs to no protocol, it is null.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`
 */
export function parseTarget(given: string): Target {
  // The operating system would end a path or a name there, and use another one than the one that is shown.
  if (given.includes('\0')) throw invalid('it holds a NUL');
  const text = isMarked(given) && !isFile(given) ? unquoted(given) : given;
  const [, unixScheme, socketPath] = /^(?:([a-z][a-z0-9-]*)\+)?unix:(?:\/\/)?(\/[^?#@]*)$/is.exec(text) ?? [];
  if (socketPath !== undefined) return readSocket(unixScheme?.toLowerCase(), socketPath);
  const driverAddress = readDriverAddress(text);
  if (driverAddress !== undefined)
    return toServer('mysql', findScheme('mysql'), driverAddress.host, driverAddress.port);
  if (SQL_SERVER.test(text)) return parseConnectionString(`jdbc:${text}`);
  const url = text.replace(/^(?:jdbc|r2dbcs?(?::pool)?):(?=[a-z0-9]+:\/\/[^;]*$)/i, '').replace(WITH_DRIVER, '$1');
  if (/^file:/i.test(url)) return parseFileUrl(url);
  if (/^mongodb\+srv:\/\//i.test(url)) return parseSrv(url);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return parseUrl(url);
  if (isFile(text)) return { protocol: 'file', label: text, path: text };
  const cut = /^([a-z][a-z0-9+.-]*):\//i.exec(text)?.[1]?.toLowerCase();
  if (cut !== undefined && (schemes.has(cut) || cut === SRV || cut in plaintextSchemes))
    throw invalid(`two slashes follow the colon: ${cut}://`);
  if (/^\.\.?$/.test(text)) throw invalid('it is a folder: name a file in it');
  // Before the checks for paths and hosts: a text with a pair in it may contain a password, and is not shown.
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
 * `name:port` and `[IPv6]:port`, also without the port, and a bare IPv6 address. Control characters and invisible ones are refused: the
 * resolver skips some of them, and would ask another host than the one that is shown.
 */
const ADDRESS =
  /^(?:\[(?<bracketed>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?<name>[^:;,'"[\]\s?#\p{C}]+)|(?<plain>[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*(?:%[\w.-]+)?))(?::(?<port>\d+))?$/iu;

/**
 * JDBC's form without `jdbc:`, as Prisma and others accept it. As a URL, its settings would be a login, and a piece of the password would
 * be the host.
 */
const SQL_SERVER =
  /^(?:sqlserver|mssql):\/\/[^;@/?#]*;\s*(?:database|databasename|initial catalog|user|username|user id|password|encrypt|trustservercertificate|hostnameincertificate|integratedsecurity|authentication|applicationname|schema|servername|instancename|instance)\s*=|^(?:sqlserver|mssql):\/\/[\w.-]+\\[\w$#]+(?::\d+)?$/i;

/** A scheme with the name of a driver, as in SQLAlchemy: `postgresql+psycopg2://`. */
const WITH_DRIVER = /^(postgres|postgresql|mysql|mariadb|mssql)\+[a-z0-9]+(?=:\/\/)/i;

/** The data source of PHP's PDO: `mysql:host=…;port=…;dbname=…`. */
const PDO = /^(mysql|pgsql|sqlsrv):(?=[a-z])/i;
const schemesOfPdo: Readonly<Record<string, string>> = { mysql: 'mysql', pgsql: 'postgres', sqlsrv: 'sqlserver' };

/** A name or an IP address. Text that is not a host may be a piece of a password. */
const HOST = /^(?:(?!\.+$)[\p{L}\p{M}\p{N}._-]+|[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?)$/iu;

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

/**
 * Characters of a socket's path that may be shown even if there is no such socket. Other characters separate the settings of a connection
 * string.
 */
const SOCKET_PATH = /^[\p{L}\p{M}\p{N}._~/+-]+$/u;

function readSocket(scheme: string | undefined, socketPath: string): SocketTarget {
  if (!SOCKET_PATH.test(socketPath) && !isSocket(socketPath))
    throw invalid('there is no such socket; if it has settings of a connection, remove them');
  const label = `${scheme === undefined ? '' : `${scheme}+`}unix:${socketPath}`;
  return { protocol: scheme === undefined ? null : findScheme(scheme).protocol, label, socketPath };
}

function parseUrl(text: string): ServerTarget {
  const url = readUrl(text);
  const name = url.protocol.slice(0, -1);
  refuseCutPassword(url);
  const plaintext = plaintextSchemes[name];
  if (plaintext !== undefined) {
    const { service, tls } = plaintext;
    const { label } = toServer(tls, findScheme(tls), decode(url.hostname).replace(/^\[(.*)\]$/, '$1'), url.port);
    throw invalid(
      `${name}:// is ${service} in plaintext, which has no certificate; where the server takes TLS: ${label}`,
    );
  }
  const { hostInQuery, ...scheme } = findScheme(name);
  const query = hostInQuery ? url.searchParams : new URLSearchParams();
  const host = decode(query.get('host') || url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host.startsWith('/')) throw invalid('it names no host: a unix socket has no TLS');
  if (scheme.protocol === 'mssql' && url.port === '') {
    // The form of the package mssql: an instance stands before the database.
    if (/^\/[^/]+\/[^/]/.test(url.pathname)) throw refuseInstance();
  }
  if (scheme.protocol === 'mssql' && isStrict(url)) return toServer(STRICT, findScheme(STRICT), host, url.port);
  return toServer(name, scheme, host, query.get('port') || url.port);
}

/** TDS 8: a SQL Server that begins with TLS. */
const STRICT = 'mssql-strict';

function isStrict({ searchParams }: URL): boolean {
  return [...searchParams].some(([key, value]) => /^encrypt$/i.test(key) && /^strict$/i.test(value));
}

const PERCENT = 'a password in a URL needs percent-encoding: @ is %40, / is %2F, # is %23, ? is %3F';

/**
 * An unescaped `/`, `#` or `?` cuts the password in two, and the rest would be taken for the host. Only the path of a web page may contain
 * an @.
 */
function refuseCutPassword({ protocol, pathname, search, hash }: URL): void {
  const rest = (protocol === 'https:' ? '' : pathname) + search + hash;
  if (/[/#][^?]*@|\?[^=]*@/.test(rest)) throw invalid(PERCENT);
}

function parseSrv(text: string): SrvTarget {
  const url = readUrl(text);
  refuseCutPassword(url);
  if (url.port !== '') throw invalid(`a port has no place in ${SRV}://: the SRV records name it`);
  const host = decode(url.hostname).toLowerCase().replace(/\.$/, '');
  if (isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0)
    throw invalid(`an IP address has no SRV records: mongodb://host:port`);
  if (!HOST.test(host)) throw invalid(`${SRV}:// names one host`);
  if (!host.includes('.'))
    throw invalid(`the name behind ${SRV}:// must have more than one label, as in cluster.example.com`);
  const service = url.searchParams.get('srvServiceName');
  if (service !== null && !/^[a-z0-9-]{1,62}$/i.test(service))
    throw invalid('srvServiceName must be the name of a service');
  const own = service === null ? '' : `/?srvServiceName=${service}`;
  return { protocol: 'tls', label: `${SRV}://${host}${own}`, srvName: `_${service ?? 'mongodb'}._tcp.${host}` };
}

function parseFileUrl(text: string): FileTarget {
  let path: string;
  try {
    const url = new URL(text);
    if (!/^(?:localhost)?$/.test(url.hostname)) throw invalid('it names a file of another machine');
    // In a path, these are percent-encoded.
    if (url.search !== '' || url.hash !== '') throw new Error('it must be a path only, without ? and #');
    path = fileURLToPath(new URL(`file://${url.pathname}`));
  } catch (error) {
    throw error instanceof CertpinError ? error : invalid('the URL of a file cannot be read: file:///path');
  }
  if (path.includes('\0')) throw invalid('it holds a NUL');
  return { protocol: 'file', label: path, path };
}

/**
 * The data source of Go's MySQL driver: `user:password@tcp(host:port)/name`, with or without a scheme. As in that driver, the last slash
 * and the last @ before it count, because a password may contain both.
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

/** Signs of another form. In such a text, an address of this form is a piece of a password, a token or a path. */
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
  if (!HOST.test(host)) {
    const isList = host.split(',').length > 1 && host.split(',').every((one) => HOST.test(one));
    throw invalid(isList ? severalHosts(name) : 'it names no host, or more than one');
  }
  if (!port && defaultPort === undefined) throw invalid(`${name}:// needs a port`);
  const number = checkPort(port || String(defaultPort));
  const address = `${host.includes(':') ? `[${host}]` : host}:${number}`;
  const label = name === undefined ? address : `${name}://${address}`;
  return { protocol, label, host, port: number, ...(alpn === undefined ? {} : { alpn }) };
}

function readUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    const [, name = '', rest = ''] = /^([^:]*):\/\/(.*)$/s.exec(text) ?? [];
    // The text before the path, without a login: a password may contain a comma.
    const hosts = /^(?:[^/?#]*@)?([^/?#@]*)/.exec(rest)?.[1] ?? '';
    const isList = hosts.split(',').filter((host) => /^[^:]+(?::\d+)?$/.test(host)).length > 1;
    if (isList) throw invalid(severalHosts(name.toLowerCase()));
    throw invalid(`the URL cannot be read${/[/?#].*@/s.test(rest) ? `: ${PERCENT}` : ''}`);
  }
}

function severalHosts(name = ''): string {
  const scheme = schemes.has(name) ? name : 'tls';
  return `it names several hosts, and each may have a certificate of its own: name one, as in ${scheme}://host:port`;
}

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
  throw invalid('a port must be a number from 1 to 65535');
}
