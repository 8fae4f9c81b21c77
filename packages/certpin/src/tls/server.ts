import type { ConnectionOptions } from 'node:tls';
import { canonicalHost } from '../host.ts';
import { type CalledServer, calledServer } from '../leaf/server-name.ts';

/** {@link calledServer}, with its names in the one spelling in which hosts are compared, verified and shown. */
export function serverOf(options: ConnectionOptions): CalledServer {
  return calledServer(options, spell);
}

/** As {@link canonicalHost}, without the brackets of an address. What is no host stays as it is: it has no policy and no certificate. */
function spell(name: string): string {
  return canonicalHost(name)?.replace(/^\[(.*)\]$/, '$1') ?? name;
}

/** The options with the server name that is sent, in that spelling. What is no host is not sent. */
export function withSpelledName(options: ConnectionOptions): ConnectionOptions {
  const { host, servername = host } = options;
  return servername == null ? options : { ...options, servername: canonicalHost(servername) ?? '' };
}
