import { createHash } from 'node:crypto';

declare const sha256Brand: unique symbol;

/** A SHA-256 as 64 upper-case hex digits. Only {@link parsePin} and the hash functions make one, so its length is right. */
export type Sha256 = string & { readonly [sha256Brand]: true };

/** A SHA-256 of a whole certificate, or of its SubjectPublicKeyInfo. Only `parsePin` and `parsePins` make it. */
export interface Pin {
  /** `certificate`: hash of the DER certificate. `public-key`: hash of its DER SubjectPublicKeyInfo (RFC 7469 §2.4). */
  readonly kind: 'certificate' | 'public-key';
  readonly sha256: Sha256;
}

/** Makes a pin from a hash whose length is known to be right. */
export function pinOf(kind: Pin['kind'], hash: Sha256): Pin {
  return Object.freeze({ kind, sha256: hash });
}

/** Brands 64 hex digits. Throws a `RangeError` for anything else. */
export function asSha256(hex: string): Sha256 {
  if (!/^[0-9A-F]{64}$/.test(hex)) throw new RangeError('a SHA-256 is 64 upper-case hex digits');
  return hex as Sha256;
}

/** The SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Sha256 {
  return createHash('sha256').update(bytes).digest('hex').toUpperCase() as Sha256;
}
