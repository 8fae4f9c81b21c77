/** What belongs to one certificate or one key, and to no other that an attacker can make. */
const identifying: readonly string[] = ['fingerprint256', 'fingerprint512'];

/** The same, if it is compared directly or through a strong hash. */
const whole: readonly string[] = ['raw', 'pubkey', 'publicKey', 'toString', 'toJSON', 'session'];

/** SHA-1, of the whole certificate. */
const SHA1 = 'fingerprint';

/** Why what a script looked at in a certificate is not a pin. undefined: it can be one. */
export function objectionTo(lookedAt: readonly string[]): string | undefined {
  const has = (at: string): boolean => lookedAt.includes(at);
  if (identifying.some(has) || (has('modulus') && has('exponent'))) return undefined;
  const isWhole = whole.some(has);
  if (isWhole && (has('digest') || !has('weak digest'))) return undefined;
  if (isWhole || has(SHA1)) {
    return 'it compares a hash (SHA-1, MD5) for which two certificates can be made. Somebody who helped to make the genuine certificate may have a second one with the same hash; compare fingerprint256';
  }
  const seen = lookedAt.length === 0 ? 'at nothing in it' : `only at ${[...lookedAt].sort().join(', ')}`;
  return `it looked ${seen}, which other certificates can have too; compare fingerprint256`;
}
