import type { ConnectionOptions } from 'node:tls';
import { canonicalHost } from '../host.ts';
import { type CalledServer, calledServer } from '../leaf/server-name.ts';

/** {@link calledServer}, with its names in the one spelling in which hosts are compared, verified and shown. */
export function serverOf(options: ConnectionOptions): CalledServer {
  return calledServer(options, spell);
}

/**
 * As {@link canonicalHost}, without the brackets of an address. Text that is not a host stays unchanged: it has no policy and no
 * certificate.
 */
function spell(name: string): string {
  return canonicalHost(name)?.replace(/^\[(.*)\]$/, '$1') ?? name;
}

/** Puts the server name to send into `own`, in that spelling. Text that is not a host is not sent. */
export function spellName(own: ConnectionOptions): void {
  const { host, servername = host } = own;
  if (servername != null) own.servername = canonicalHost(servername) ?? '';
}
