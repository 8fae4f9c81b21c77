import type { ConnectionOptions } from 'node:tls';

/** Whom a connection is for: the name that stands in verdict and error, and that is verified where a name is; and the port. */
export interface ServerIdentity {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** The server that is called. */
export interface CalledServer extends ServerIdentity {
  /** All names that it goes by; the first one is `host`. */
  readonly names: readonly string[];
}

/**
 * The names of the server that is called, the one that counts first: the server name that the configuration gives, and the host that is
 * dialled. An SSH tunnel is dialled at `127.0.0.1` and has the name of the server behind it.
 *
 * Nothing else is a name of it: a `Host` header, an HTTP/2 authority or a certificate may be a stranger's words, and whoever chooses the
 * name chooses the pins. So `servername` must be one that the configuration gives, never one that a request brought.
 *
 * @param spell the one spelling in which names are compared and shown
 */
export function calledServer(
  { servername, host, port, socket, path }: ConnectionOptions,
  spell: (name: string) => string = (name) => name,
): CalledServer {
  const isDefault = host == null && !servername && socket == null && path == null;
  const names = [servername, isDefault ? 'localhost' : host].flatMap((name) => (name ? [spell(name)] : []));
  return { names, host: names[0], port };
}

/** Puts into `own` the server name that a request wants to be sent, where the configuration gives none. It decides nothing. */
export function requestName(own: ConnectionOptions, requestedName: string | null | undefined): void {
  own.servername ||= requestedName ?? own.servername;
}
