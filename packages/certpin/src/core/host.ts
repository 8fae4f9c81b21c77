/**
 * A host as the URL standard spells it (https://url.spec.whatwg.org/#host-parsing): lower case, Punycode, an IPv4 address in four
 * decimal numbers, an IPv6 address in brackets and in its shortest form; and without a final dot. undefined for what is no host.
 */
export function canonicalHost(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/s, '$1');
  const text = bare.includes(':') ? `[${bare.replace(/%.*$/s, '')}]` : bare.replace(/\.$/, '');
  // What a URL would take for the end of its host, or drop; a percent sign, which it decodes and a resolver does not; a pattern.
  if (/[\s\p{Cc}/?#@\\%*]|^$/u.test(text)) return undefined;
  try {
    const { hostname } = new URL(`http://${text}`);
    return hostname.split('.').includes('') ? undefined : hostname;
  } catch {
    return undefined;
  }
}

/** Of a canonical host. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^[\d.]+$/.test(host);
}
