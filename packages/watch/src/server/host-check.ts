import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../loopback.ts';
import type { ListenOptions } from './listen-options.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * Whether a request's Host is one of ours. An attacker's name server can answer `127.0.0.1` for the attacker's own name (DNS rebinding). A
 * page of that name could then read our pages. But the browser sends that name as Host, and it is not one of ours.
 */
export function createHostCheck({
  host,
  tls,
  behindProxy,
  names,
}: ListenOptions): (header: string | undefined) => boolean {
  const known = new Set([...(names ?? []), ...(isLoopback(host) && !behindProxy ? [...LOOPBACK, host] : [])].map(bare));
  const isCertified = names === undefined && tls !== undefined ? certifiedBy(tls.certificate) : () => false;
  return (header) => {
    const name = header === undefined ? undefined : nameOf(header);
    return name !== undefined && (known.has(name) || isCertified(name));
  };
}

/** Whether OpenSSL accepts a certificate for a name: only OpenSSL reads it. The subject does not count, and a wildcard is one label. */
function certifiedBy(pem: string): (name: string) => boolean {
  const certificate = new X509Certificate(pem);
  return (name) => {
    if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
    // To OpenSSL, a dot at the beginning stands for every name below.
    return !name.startsWith('.') && certificate.checkHost(name, { subject: 'never' }) !== undefined;
  };
}

/** RFC 9110 section 7.2: `uri-host [ ":" port ]`. */
function nameOf(header: string): string | undefined {
  const parts = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header);
  return parts?.[1] === undefined ? undefined : bare(parts[1]);
}

function bare(name: string): string {
  return name
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}
