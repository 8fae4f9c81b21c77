import { CertpinError } from '../core/errors.ts';

/** Where a certificate is to be found. */
export type Target = FileTarget | ServerTarget;

export interface FileTarget {
  readonly protocol: 'file';
  /** As reports show it. */
  readonly label: string;
  readonly path: string;
}

export interface ServerTarget {
  readonly protocol: 'tls' | 'postgres';
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
};

/**
 * Reads a target: `host:port`, `[::1]:port`, a bare host (port 443), a URL (`https://`, `tls://`, `postgres://`; a connection string
 * with credentials will do, they are dropped here), or a file (anything with a slash, a certificate's extension, or a name for which
 * `isFile` says so). Port 5432 means PostgreSQL; every other port TLS from the first byte.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`
 */
export function parseTarget(text: string, isFile: (path: string) => boolean): Target {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseUrl(text);
  if (/[/\\]/.test(text) || /\.(?:pem|crt|cer|der|cert)$/i.test(text) || isFile(text)) {
    return { protocol: 'file', label: text, path: text };
  }
  const address = /^(?:\[(?<bracketed>[0-9a-f:.%]+)\]|(?<name>[^:[\]\s@?#]+)|(?<plain>[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:%]*))(?::(?<port>\d+))?$/i.exec(text);
  const { bracketed, name, plain, port } = address?.groups ?? {};
  const host = bracketed ?? name ?? plain;
  if (host === undefined) throw invalid('it is neither host:port, nor a URL, nor a file');
  return server(text, host, checkPort(port === undefined ? 443 : Number(port)));
}

function server(label: string, host: string, port: number): ServerTarget {
  return { protocol: port === 5432 ? 'postgres' : 'tls', label, host, port };
}

function parseUrl(text: string): ServerTarget {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('the URL cannot be read');
  }
  const scheme = schemes[url.protocol];
  if (scheme === undefined) {
    throw invalid(`nothing is known of ${url.protocol}// (known: ${Object.keys(schemes).map((known) => `${known}//`).join(', ')})`);
  }
  const port = url.port === '' ? scheme.port : Number(url.port);
  if (port === undefined) throw invalid(`${url.protocol}// needs a port`);
  // Database URLs escape the host; `?host=` in a connection string overrides it (pg-connection-string).
  const isDatabase = scheme.protocol !== 'tls';
  const host = decodeURIComponent((isDatabase && url.searchParams.get('host')) || url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host.startsWith('/')) throw invalid('it names no host: a unix socket has no TLS');
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return { protocol: scheme.protocol, label: `${url.protocol}//${bracketed}:${port}`, host, port: checkPort(port) };
}

function checkPort(port: number): number {
  if (port >= 1 && port <= 65_535) return port;
  throw invalid('a port is a number from 1 to 65535');
}

/** The text is not repeated: a connection string that was mistyped still holds its password. */
function invalid(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', `the target cannot be used: ${reason}`, { reason });
}
