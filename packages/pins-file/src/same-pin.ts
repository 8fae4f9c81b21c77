import type { Pin } from 'certpin';

/** The hashes of a certificate, as far as they are known. */
interface Hashes {
  readonly certificateSha256: string | undefined;
  readonly publicKeySha256: string | null | undefined;
}

/** Whether two pins are the same, however they were written. */
export function isSamePin(one: Pin, other: Pin): boolean {
  return one.kind === other.kind && one.sha256 === other.sha256;
}

/** Whether a certificate matches the pin, or has the key of the pin. */
export function matchesPin({ certificateSha256, publicKeySha256 }: Hashes, { kind, sha256 }: Pin): boolean {
  return sha256 === (kind === 'certificate' ? certificateSha256 : publicKeySha256);
}

/** Whether a pin must never count again. */
export function hasRevoked({ revoked }: { readonly revoked: readonly { readonly pin: Pin }[] }, pin: Pin): boolean {
  return revoked.some((one) => isSamePin(one.pin, pin));
}
