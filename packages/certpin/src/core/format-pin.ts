import type { Pin, Sha256 } from '../leaf/pin.ts';

/** Every spelling that {@link formatPin} can print. */
export type PinSpelling = CertificateSpelling | PublicKeySpelling;

/** The spellings of a certificate pin. */
export type CertificateSpelling = 'hex' | 'colon' | 'openssl' | 'tlsa';

/** The spellings of a public-key pin. */
export type PublicKeySpelling = 'okhttp' | 'curl' | 'hpkp' | 'kubeadm' | 'base64' | 'base64url' | 'tlsa';

const printers: Record<string, (hex: Sha256) => string> = {
  'certificate hex': (hex) => hex,
  'certificate colon': withColons,
  'certificate openssl': (hex) => `sha256 Fingerprint=${withColons(hex)}`,
  // RFC 6698 §2.1, RFC 7671 §5.1: usage 3 (the server's own certificate), selector 0 (whole) or 1 (key), SHA-256.
  'certificate tlsa': (hex) => `3 0 1 ${hex}`,
  'public-key tlsa': (hex) => `3 1 1 ${hex}`,
  'public-key okhttp': (hex) => `sha256/${base64(hex)}`,
  'public-key curl': (hex) => `sha256//${base64(hex)}`,
  'public-key hpkp': (hex) => `pin-sha256="${base64(hex)}"`,
  'public-key kubeadm': (hex) => `sha256:${hex.toLowerCase()}`,
  'public-key base64': base64,
  'public-key base64url': (hex) => Buffer.from(hex, 'hex').toString('base64url'),
};

/**
 * Prints a pin, by default as 64 upper-case hex digits (certificate) or `sha256/BASE64` (public key).
 *
 * Everything that it prints reads back as the same pin. A spelling that would read back as the other kind is refused. For example, bare hex
 * always means the hash of a certificate.
 *
 * | spelling | kind | example |
 * |---|---|---|
 * | `hex` | certificate | `AABB…` |
 * | `colon` | certificate | `AA:BB:…` |
 * | `openssl` | certificate | `sha256 Fingerprint=AA:BB:…` |
 * | `tlsa` | both | `3 0 1 AABB…`, `3 1 1 AABB…` (RFC 6698) |
 * | `okhttp` | public-key | `sha256/BASE64` |
 * | `curl` | public-key | `sha256//BASE64` |
 * | `hpkp` | public-key | `pin-sha256="BASE64"` (RFC 7469) |
 * | `kubeadm` | public-key | `sha256:aabb…` |
 * | `base64`, `base64url` | public-key | `BASE64` |
 *
 * @throws TypeError if the kind of pin has no such spelling
 */
export function formatPin(pin: Pin, spelling?: PinSpelling): string {
  const wanted = spelling ?? (pin.kind === 'certificate' ? 'hex' : 'okhttp');
  const print = printers[`${pin.kind} ${wanted}`];
  if (print === undefined) throw new TypeError(`a ${pin.kind} pin has no spelling '${wanted}'`);
  return print(pin.sha256);
}

function withColons(hex: Sha256): string {
  return hex.replace(/..(?!$)/g, '$&:');
}

function base64(hex: Sha256): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
