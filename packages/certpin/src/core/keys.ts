import type { KeyObject } from 'node:crypto';

/** The curves that TLS and public CAs use, of 224 bits and more. Other curves are weak, slow, or described in the key itself. */
const CURVES = new Set([
  ...['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'],
  ...['brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'],
]);

/** An RSA key of 2048 bits has 112 bits of security, which OpenSSL's security level 2 requires. */
const MIN_MODULUS_BITS = 2_048;

/** A signature by an RSA key of this size takes half a millisecond to verify. Twice the size takes five times as long. */
const MAX_MODULUS_BITS = 8_192;
const MAX_EXPONENT = 2n ** 32n;

/** An RSA key of 16,384 bits has 2,100 bytes. A key with an endless exponent is longer; nothing else is read of it. */
const MAX_KEY_BYTES = 2_500;

/** Why a key of a chain is too weak for a signature, or too costly. undefined: neither. */
export function keyProblem(key: KeyObject): string | undefined {
  if (isCostly(key)) return 'a key that is too large';
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
    case 'ed448':
      return undefined;
    case 'ec':
      return CURVES.has(namedCurve) ? undefined : 'a key on a curve that is weak or not known';
    case 'rsa':
    case 'rsa-pss':
      return modulusLength < MIN_MODULUS_BITS ? `a key of ${modulusLength} bits, which is too weak` : undefined;
    default:
      return 'a key of a kind that certpin does not accept';
  }
}

/** Whether somebody has made a key so that each signature by it costs us time. OpenSSL accepts exponents as long as the modulus. */
export function isCostly(key: KeyObject): boolean {
  if (key.export({ type: 'spki', format: 'der' }).length > MAX_KEY_BYTES) return true;
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return modulusLength > MAX_MODULUS_BITS || publicExponent >= MAX_EXPONENT;
}
