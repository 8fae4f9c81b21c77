import { statSync } from 'node:fs';
import { CertpinError } from '../core/errors.ts';
import type { UpgradeName } from '../protocols/registry.ts';

/** Where a certificate is to be found. */
export type Target = FileTarget | ServerTarget;

export interface FileTarget {
  readonly protocol: 'file';
  /** As reports show it. */
  readonly label: string;
  readonly path: string;
}

export interface ServerTarget {
  readonly protocol: 'tls' | UpgradeName;
  /** As reports show it: never with the credentials that a connection string may hold. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
}

const schemes: Record<string, { readonly protocol: ServerTarget['protocol']; readonly port: number | undefined }> = {
  'https:': { protocol: 'tls', port: 443 },
  'tls:': { protocol: 'tls', port: undefined },
  'postgres:': { protocol: 'postgres', port: 5432 },
  'postgresql:': { protocol: 'postgres', port: 5432 },
  'mysql:': { protocol: 'mysql', port: 3306 },
  'mariadb:': { protocol: 'mysql', port: 3306 },
};

/**
 * Reads a target: `host:port`, `[::1]:port`, a bare host (port 443), a URL (`https://`, `tls://`, `postgres://`, `mysql://`,
 * `mariadb://`; a connection string with credentials will do, they are dropped here), or a file (anything with a slash, a
 * certificate's extension, or the name of a file that exists). Port 5432 means PostgreSQL, port 3306 MySQL or MariaDB; every other
 * port TLS from the first byte.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`
 */
export function parseTarget(text: string): Target {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseUrl(text);
  if (isFile(text)) return { protocol: 'file', label: text, path: text };
  // `user:password@host/db`, `jdbc:postgresql://host/db?password=…`, `Host=…;Password=…`: not a file that is missing.
  if (/[@=]/.test(text)) throw invalid('it is neither host:port, nor a URL, nor a file that exists');
  if (/[/\\]/.test(text) || /\.(?:pem|crt|cer|der|cert|p7b|p7c|p12|pfx|csr|key|jks)$/i.test(text))
    return { protocol: 'file', label: text, path: text };
  const { bracketed, name, plain, port } = ADDRESS.exec(text)?.groups ?? {};
  const host = bracketed ?? name ?? plain;
  if (host === undefined) throw invalid('it is neither host:port, nor a URL, nor a file');
  const number = checkPort(port ?? '443');
  return { protocol: protocolsOfPorts[number] ?? 'tls', label: text, host, port: number };
}

const protocolsOfPorts: Record<number, ServerTarget['protocol']> = { 5432: 'postgres', 3306: 'mysql' };

/** `name:port`, `[IPv6]:port`, each without the port, and a bare IPv6 address. */
const ADDRESS =
  /^(?:\[(?<bracketed>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?<name>[^:[\]\s?#]+)|(?<plain>[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*(?:%[\w.-]+)?))(?::(?<port>\d+))?$/i;

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function parseUrl(text: string): ServerTarget {
  const url = readUrl(text);
  const scheme = schemes[url.protocol];
  if (scheme === undefined) {
    const known = Object.keys(schemes).map((name) => `${name}//`);
    throw invalid(`nothing is known of ${url.protocol}// (known: ${known.join(', ')})`);
  }
  const isDatabase = scheme.protocol !== 'tls';
  // An unescaped `/`, `#` or `?` cuts the password in two, and what is left of it would be taken for the host.
  if (isDatabase && /[/#][^?]*@|\?[^=]*@/.test(url.pathname + url.search + url.hash)) {
    throw invalid('a password in a URL needs percent-encoding: @ is %40, / is %2F, # is %23, ? is %3F');
  }
  // pg lets the query win over the authority (pg-connection-string, parse).
  const query = scheme.protocol === 'postgres' ? url.searchParams : new URLSearchParams();
  const host = decode(query.get('host') || url.hostname).replace(/^\[(.*)\]$/, '$1');
  const port = query.get('port') || url.port || scheme.port;
  if (port === undefined) throw invalid(`${url.protocol}// needs a port`);
  if (host === '' || host.startsWith('/')) throw invalid('it names no host: a unix socket has no TLS');
  const number = checkPort(String(port));
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return { protocol: scheme.protocol, label: `${url.protocol}//${bracketed}:${number}`, host, port: number };
}

function readUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalid('the URL cannot be read');
  }
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
  throw invalid('a port is a number from 1 to 65535');
}

/** The text is not repeated: a connection string that was mistyped still holds its password. */
function invalid(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', `the target cannot be used: ${reason}`, { reason });
}
