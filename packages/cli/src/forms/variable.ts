import { basename } from 'node:path';
import { parseTarget, type ServerTarget, type Target } from 'certpin/probe';
import type { Subject } from './form.ts';

/**
 * `NAME=pin`. The pin is the certificate's: its public-key pin beside it would say less, because whatever matches the certificate
 * matches its key too, and hex digits need no quotes anywhere.
 */
export function printVariable({ target, certificates: [own], envName }: Subject): string {
  return `${envName ?? nameOf(target)}=${own.certificateSha256}`;
}

/** `DB_EXAMPLE_COM_PINS`; with the port where it is not the protocol's own, so that two servers of a host are told apart. */
function nameOf(target: Target): string {
  const path = target.protocol === 'file' ? target.path : 'socketPath' in target ? target.socketPath : undefined;
  const text =
    'host' in target
      ? `${target.host}${hasOwnPort(target) ? '' : `_${target.port}`}`
      : basename(path ?? '').replace(/\.\w+$/, '');
  const name = text.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  return `${/^[A-Z_]/.test(name) ? '' : '_'}${name}_PINS`;
}

/** The port of the bare host, or of the URL without a port. */
function hasOwnPort({ protocol, port }: ServerTarget): boolean {
  if (protocol === null) return false;
  const own = parseTarget(protocol === 'tls' ? 'host' : `${protocol}://host`);
  return 'port' in own && own.port === port;
}
