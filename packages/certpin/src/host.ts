/**
 * The one spelling in which hosts are compared, verified and sent as a server name: the spelling of {@link urlHost}. An IPv4 address that
 * is mapped into IPv6 (`::ffff:127.0.0.1`, RFC 4291 §2.5.5.2) counts as the IPv4 address, because the system connects to that one.
 */
export function canonicalHost(host: string): string | undefined {
  if (isCanonical(host)) return host;
  const spelled = urlHost(host);
  return spelled === undefined ? undefined : withoutMapping(spelled);
}

/**
 * Labels of lower-case letters and digits with single hyphens between them, so no Punycode. The last label begins with a letter, so it is
 * not an address.
 */
const NAME = /^(?:[a-z\d]+(?:-[a-z\d]+)*\.)*[a-z][a-z\d]*(?:-[a-z\d]+)*$/;

/** Four decimal numbers without leading zeros. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Whether a host certainly has the spelling of {@link urlHost}, which is many times slower. This is true for most hosts. false: `urlHost`
 * must decide. A label has at most 63 characters (RFC 1035 §2.3.4), so nothing longer is judged here.
 */
function isCanonical(host: string): boolean {
  return host.length < 64 && (NAME.test(host) || IPV4.test(host));
}

/**
 * A host as the URL standard spells it (https://url.spec.whatwg.org/#host-parsing): lower case, Punycode, without a zone and without a
 * final dot. An IPv4 address has four decimal numbers. An IPv6 address is in brackets and in its shortest form. undefined: it is not a
 * host.
 */
export function urlHost(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/s, '$1');
  const text = bare.includes(':') ? `[${bare.replace(/%.*$/s, '')}]` : bare.replace(/\.$/, '');
  // These characters would end the host of a URL or be dropped. A URL decodes a percent sign, and a resolver does not. `*` belongs to a
  // pattern.
  if (/[\s\p{Cc}/?#@\\%*]|^$/u.test(text)) return undefined;
  try {
    const { hostname } = new URL(`http://${text}`);
    return hostname.split('.').includes('') ? undefined : hostname;
  } catch {
    return undefined;
  }
}

/** The parser writes a mapped address in its shortest form: `[::ffff:7f00:1]`. */
function withoutMapping(hostname: string): string {
  const [, high, low] = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname;
  const number = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.');
}

/** The argument must be a canonical host. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^[\d.]+$/.test(host);
}
