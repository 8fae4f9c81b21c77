import type { ConnectionOptions } from 'node:tls';
import { INLINE } from '../core/form.ts';
import { canonicalHost } from '../core/host.ts';

/** Whom a connection is for: the name that is verified where a name is, and that stands in verdict and error; and the port. */
export interface ServerIdentity {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** A connection as it is going to be made. */
export interface CalledServer {
  /** Their `servername` is one that the configuration gives; never one that a request brought. */
  readonly options: ConnectionOptions;
  /** Whom the caller meant, where it differs from `options`: with a given socket the options name no host. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * The names of the server that is called, the one that counts first: the server name that the configuration gives, and the host that is
 * dialled. An SSH tunnel is dialled at `127.0.0.1` and has the name of the server behind it.
 *
 * Nothing else is a name of it: a `Host` header, an HTTP/2 authority or a certificate may be a stranger's words, and whoever chooses the
 * name chooses the pins.
 */
export function namesOf({ options, host = options.host }: CalledServer): string[] {
  const isDefault = host == null && !options.servername && options.socket == null && options.path == null;
  return [options.servername, isDefault ? 'localhost' : host].flatMap((name) => (name ? [spell(name)] : []));
}

/** The name that counts, and the port. */
export function identity(called: CalledServer): ServerIdentity {
  const { options, host, port = options.port } = called;
  if (INLINE) return { host: options.servername || host || options.host, port };
  return { host: namesOf(called)[0], port };
}

/** As {@link canonicalHost}, without the brackets of an address. What is no host stays as it is: it has no policy and no certificate. */
function spell(name: string): string {
  return canonicalHost(name)?.replace(/^\[(.*)\]$/, '$1') ?? name;
}
