import { createHash } from 'node:crypto';
import type { Random } from '@certpin/testkit/random';
import type { Certificate as Read } from 'certpin';
import { body, certificate, NOW, publicKeys, signingKey } from './certificates.ts';
import type { Library } from './library.ts';
import { mutate } from './mutate.ts';
import type { Outcome } from './outcome.ts';
import { copy, encode, type Node } from './tree.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').toUpperCase();

/** Reading a certificate takes some hundred microseconds. A certificate that takes this long would keep us busy. */
const LIMIT_MS = 2_000;

/** One certificate in this many stays unchanged: its key and its dates must be read, and not be refused. */
const WHOLE = 0.005;

/**
 * One certificate for each call, with any kind of key, changed, and written in any way. What the library says of its key and its dates must
 * be what OpenSSL says. No pin on another key may match it.
 */
export function createReading({ Certificate, verify, explain, createPolicy }: Library, random: Random): () => Outcome {
  const signer = signingKey(random, 'signer').key;
  const usage = { keyUsage: Buffer.of(7, 0x80), purposes: ['2b06010505070301'] };
  const own = publicKeys(random, 'own');
  const treeOf = (spki: Buffer): Node =>
    certificate(body({ subject: 'a', issuer: 'a', spki, ...usage }, Buffer.of(1)), signer);
  const trees = Object.values(own).map(treeOf);
  // RFC 3279 §2.3.1 demands parameters. If they are missing, OpenSSL writes them, so the key differs from the certificate and has no pin.
  const sound = trees.filter((_, index) => Object.keys(own)[index] !== 'rsa without parameters');
  const victims = Object.values(publicKeys(random, 'victim')).map((spki) => ({
    body: body({ subject: 'b', issuer: 'b', spki, ...usage }, Buffer.of(2)),
    policy: createPolicy({ pins: `sha256:${sha256(spki)}`, expired: 'accept' }),
  }));

  const compare = (read: Read, policy: (typeof victims)[number]['policy'], isWhole: boolean): string | undefined => {
    const { x509 } = read;
    const key = claimOf(() => read.publicKeySha256);
    const truth = claimOf(() => sha256(x509.publicKey.export({ type: 'spki', format: 'der' })));
    const verdict = verify({ certificates: [read], host: 'localhost' }, policy, new Date(NOW));
    // A change may have put the whole key there. Then it is that key.
    if (verdict.ok && truth !== verdict.pin.sha256) return "a pin on somebody else's key matches";
    if (key !== undefined && key !== truth) return 'the key is another one than OpenSSL has';
    for (const [ours, theirs] of [
      [claimOf(() => read.validFrom.getTime()), x509.validFrom],
      [claimOf(() => read.validTo.getTime()), x509.validTo],
    ] as const) {
      if (ours !== undefined && !Number.isNaN(ours) && ours !== dateOf(theirs))
        return 'a date is another one than OpenSSL has';
      if (isWhole && Number.isNaN(ours ?? Number.NaN)) return 'a date is not read';
    }
    if (isWhole && key === undefined) return 'the key is not read';
    if (!verdict.ok && random.chance(0.05)) explain(verdict);
    JSON.stringify(verdict);
    return undefined;
  };

  return () => {
    const { body: forged, policy } = random.pick(victims);
    const isWhole = random.chance(WHOLE);
    const tree = copy(random.pick(isWhole ? sound : trees));
    const der = encode(isWhole ? tree : mutate(random, tree, forged));
    if (!isWhole && random.chance(0.05)) der[random.below(der.length)] = random.below(256);
    const read = new Certificate(der);
    if (claimOf(() => read.x509) === undefined) return 'rejected';
    const started = performance.now();
    const difference = claimOf(
      () => compare(read, policy, isWhole),
      (error) => `an exception: ${(error as Error).stack}`,
    );
    if (difference !== undefined) return { difference, certificates: [der] };
    const tookMs = performance.now() - started;
    return tookMs > LIMIT_MS ? { difference: `it took ${Math.round(tookMs)} ms`, certificates: [der] } : 'same';
  };
}

/** What the library says. undefined: it says that it does not know, by null or by an exception. */
function claimOf<Claim>(ask: () => Claim, onError?: (error: unknown) => Claim): Exclude<Claim, null> | undefined {
  try {
    return (ask() ?? undefined) as Exclude<Claim, null> | undefined;
  } catch (error) {
    return onError?.(error) as Exclude<Claim, null> | undefined;
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Jan  1 00:00:00 2027 GMT`, made by other code than the library's. */
function dateOf(text: string): number {
  const [month = '', day, clock = '', year] = text.split(/ +/);
  const [hours, minutes, seconds] = clock.split(':').map(Number);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), MONTHS.indexOf(month), Number(day));
  date.setUTCHours(hours as number, minutes, 0, Math.floor((seconds as number) * 1_000));
  return date.getTime();
}
