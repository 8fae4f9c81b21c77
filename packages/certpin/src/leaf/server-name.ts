import type { ConnectionOptions } from 'node:tls';

/** The server of a connection: its name for verdicts and errors, which is also verified if a name is required, and its port. */
export interface ServerIdentity {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** The server that is called. */
export interface CalledServer extends ServerIdentity {
  /** All names of the server. The first one is `host`. */
  readonly names: readonly string[];
}

/**
 * The names of the called server: first the server name from the configuration, then the dialled host. An SSH tunnel, for example, is
 * dialled at `127.0.0.1`, and its server name is that of the server behind it.
 *
 * Nothing else is a name of the server. A `Host` header, an HTTP/2 authority or a certificate may come from a stranger, and whoever chooses
 * the name chooses the pins. So `servername` must come from the configuration, and never from a request.
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

/** Puts into `own` the server name to send for a request, if the configuration gives none. It decides nothing. */
export function requestName(own: ConnectionOptions, requestedName: string | null | undefined): void {
  own.servername ||= requestedName ?? own.servername;
}
