/**
 * The one spelling in which hosts are compared, verified and sent as a server name: that of {@link urlHost}. An IPv4 address that is mapped
 * into IPv6 (`::ffff:127.0.0.1`, RFC 4291 §2.5.5.2) counts as the IPv4 address, because the system connects to that one.
 */
export function canonicalHost(host: string): string | undefined {
  if (isCanonical(host)) return host;
  const spelled = urlHost(host);
  return spelled === undefined ? undefined : withoutMapping(spelled);
}

/** Labels of lower-case letters and digits with single hyphens between them, so no Punycode; the last begins with a letter, so no address. */
const NAME = /^(?:[a-z\d]+(?:-[a-z\d]+)*\.)*[a-z][a-z\d]*(?:-[a-z\d]+)*$/;

/** Four decimal numbers without leading zeros. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Whether a host is for certain in the spelling of {@link urlHost}, which takes many times as long. Most hosts are; no: it has to be asked.
 * A label has 63 characters at most (RFC 1035 §2.3.4), so nothing longer is judged here.
 */
function isCanonical(host: string): boolean {
  return host.length < 64 && (NAME.test(host) || IPV4.test(host));
}

/**
 * A host as the URL standard spells it (https://url.spec.whatwg.org/#host-parsing): lower case, Punycode, an IPv4 address in four
 * decimal numbers, an IPv6 address in brackets and in its shortest form; without a zone and without a final dot. undefined for what is
 * no host.
 */
export function urlHost(host: string): string | undefined {
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

/** The parser has written the mapped address in its shortest form: `[::ffff:7f00:1]`. */
function withoutMapping(hostname: string): string {
  const [, high, low] = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname;
  const number = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.');
}

/** Of a canonical host. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /^[\d.]+$/.test(host);
}
