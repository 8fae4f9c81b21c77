import type { X509Certificate } from 'node:crypto';
import { type Sha256, sha256 } from './pin.ts';

/** What a verdict needs of a presented certificate. All of it is what OpenSSL reads, because OpenSSL made the handshake. */
export interface CertificateEvidence {
  readonly certificateSha256: Sha256;
  /** null: public-key pins cannot be checked on this certificate. */
  readonly publicKeySha256: Sha256 | null;
  /** An invalid date if it cannot be read. */
  readonly validFrom: Date;
  readonly validTo: Date;
}

export function readEvidence(x509: X509Certificate): CertificateEvidence {
  return {
    certificateSha256: sha256(x509.raw),
    get publicKeySha256() {
      return hashKey(x509);
    },
    validFrom: readDate(x509.validFrom),
    validTo: readDate(x509.validTo),
  };
}

/** An RSA key of 16,384 bits has 2,100 bytes. */
const MAX_KEY_BYTES = 8_192;

/**
 * The SHA-256 of the key as OpenSSL writes it. Every pin was made from these bytes. The handshake has proven the key that OpenSSL read, so
 * no other code looks for the key. RFC 7469 §2.4 hashes the bytes of the certificate, so they must contain the same ones.
 *
 * @returns null if the certificate holds the key in other bytes, or if OpenSSL does not know the kind of key
 */
export function hashKey(x509: X509Certificate): Sha256 | null {
  try {
    const spki = x509.publicKey.export({ type: 'spki', format: 'der' });
    return spki.length <= MAX_KEY_BYTES && x509.raw.includes(spki) ? sha256(spki) : null;
  } catch {
    return null;
  }
}

/** `Nov 28 04:31:17 2026 GMT`, as OpenSSL writes it. V8 guesses at other forms: it reads the year 49 as 2049. */
const DATE = /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4} GMT$/;

export function readDate(text: string): Date {
  return new Date(DATE.test(text) ? text : Number.NaN);
}

/** ISO 8601 UTC, or `unreadable` for a date that cannot be read. */
export function isoDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'unreadable' : date.toISOString();
}
