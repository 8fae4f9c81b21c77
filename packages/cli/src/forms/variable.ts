import { basename } from 'node:path';
import { parseTarget, type ServerTarget, type Target } from 'certpin/probe';
import type { Subject } from './form.ts';

/**
 * `NAME=pin`, with the pin of the certificate. Its public-key pin as well would add nothing: whatever matches the certificate matches its
 * key too. Hex digits need no quotes anywhere.
 */
export function printVariable({ target, certificates: [own], envName }: Subject): string {
  return `${envName ?? nameOf(target)}=${own.certificateSha256}`;
}

/**
 * `DB_EXAMPLE_COM_PINS`. If the port is not the protocol's own, the name contains it, so that two servers of a host have different names.
 */
function nameOf(target: Target): string {
  const path = target.protocol === 'file' ? target.path : 'socketPath' in target ? target.socketPath : undefined;
  const text =
    'host' in target
      ? `${target.host}${hasOwnPort(target) ? '' : `_${target.port}`}`
      : basename(path ?? '').replace(/\.\w+$/, '');
  const name = text.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  return `${/^[A-Z_]/.test(name) ? '' : '_'}${name}_PINS`;
}

/** The port of a bare host, or of a URL without a port. */
function hasOwnPort({ protocol, port }: ServerTarget): boolean {
  if (protocol === null) return false;
  const own = parseTarget(protocol === 'tls' ? 'host' : `${protocol}://host`);
  return 'port' in own && own.port === port;
}
