import { X509Certificate } from 'node:crypto';
import type { Random } from '@certpin/testkit/random';
import { body, certificate, extension, NOW, publicKeys, type Shape, signingKey } from './certificates.ts';
import type { Library } from './library.ts';
import { mutate } from './mutate.ts';
import { type Chain, opensslAccepts } from './openssl.ts';
import type { Outcome } from './outcome.ts';
import { encode, type Node, node, sequence, text } from './tree.ts';

const BATCH = 200;

/** This many of a batch may get another answer than alone. */
const CHANCE = 20;

interface Case {
  readonly chain: Chain;
  readonly accepted: boolean;
  /** Written as DER demands, with parts that certpin evaluates: OpenSSL and certpin must agree. For others, certpin may refuse more. */
  readonly isPlain: boolean;
}

const SERVER = '2b06010505070301';
const CLIENT = '2b06010505070302';

/**
 * Two hundred chains of three certificates for each call, each signed by the genuine key: what a CA may sign that is careless or was
 * tricked. If the library accepts a chain, `openssl verify` must accept it too.
 */
export function createChains({ verify, createPolicy }: Library, random: Random): () => Outcome[] {
  const [root, intermediate] = [signingKey(random, 'root'), signingKey(random, 'intermediate')];
  const leafs = publicKeys(random, 'leaf');
  const keys = Object.values(leafs);
  const victim = body({ subject: 'v', issuer: 'v', spki: keys[0] as Buffer }, Buffer.of(9));
  let number = 0;

  /** What a CA may write in a certificate, right or wrong. */
  const anyShape = (shape: Shape): Shape => ({
    ...shape,
    ...(random.chance(0.3) && { ca: random.chance(0.5) }),
    ...(random.chance(0.3) && {
      keyUsage: random.pick([Buffer.of(1, 6), Buffer.of(7, 0x80), Buffer.of(5, 0xa0), Buffer.of(1, 2)]),
    }),
    ...(random.chance(0.2) && { purposes: random.pick([[SERVER], [CLIENT], [CLIENT, SERVER]]) }),
    ...(random.chance(0.2) && { fromDays: random.pick([-9, 9]), toDays: random.pick([20, -1]) }),
    ...(random.chance(0.2) && { more: [extension('2a0304', random.chance(0.5), node(0x05, Buffer.alloc(0)))] }),
    ...(random.chance(0.1) && { more: [extension('551d1e', true, sequence(node(0xa0, [sequence(text('a'))])))] }),
    ...(random.chance(0.1) && {
      more: [extension('6086480186f8420101', false, node(0x03, random.pick([Buffer.of(6, 0x40), Buffer.of(7, 0x80)])))],
    }),
  });

  const limited = (shape: Shape): Shape =>
    random.chance(0.4) && shape.ca === true ? { ...shape, pathLength: random.below(3) } : shape;

  const makeCase = (): Case => {
    const id = number++;
    const names = [`leaf ${id}`, `intermediate ${id}`, `root ${id}`] as const;
    const odd = random.below(4);
    const isPlain = random.chance(0.3);
    const written = (at: number, shape: Shape, key: typeof root.key): Buffer => {
      const tbs: Node = body(limited(at === odd && isPlain ? anyShape(shape) : shape), Buffer.of(at + 1));
      return encode(certificate(at === odd && !isPlain ? mutate(random, tbs, victim) : tbs, key));
    };
    const ca = { ca: true, keyUsage: Buffer.of(1, 6) };
    const chain: Chain = [
      written(
        0,
        { subject: names[0], issuer: names[1], spki: isPlain ? (leafs.ec as Buffer) : random.pick(keys) },
        intermediate.key,
      ),
      written(1, { subject: names[1], issuer: names[2], spki: intermediate.spki, ...ca }, root.key),
      written(2, { subject: names[2], issuer: names[2], spki: root.spki, ...ca }, root.key),
    ];
    return { chain, accepted: accepts(chain), isPlain };
  };

  const accepts = (chain: Chain): boolean => {
    try {
      const [, , pinned] = chain.map((der) => new X509Certificate(der));
      const policy = createPolicy({
        issuerPins: (pinned as X509Certificate).fingerprint256,
        hostnameVerification: 'ignore',
      });
      return verify({ certificates: chain, host: 'localhost' }, policy, new Date(NOW)).ok;
    } catch {
      return false; // one of them is not a certificate
    }
  };

  return () => {
    const cases = Array.from({ length: BATCH }, makeCase);
    const asked = cases.filter(({ accepted, isPlain }) => accepted || isPlain);
    const answers = opensslAccepts(asked.map(({ chain }) => chain));
    const isOdd = (index: number): boolean => asked[index]?.accepted !== answers[index];
    const areMany = answers.filter((_, index) => isOdd(index)).length > CHANCE;
    const outcomes = asked.map(({ chain, accepted, isPlain }, index): Outcome => {
      if (!isOdd(index)) return 'same';
      // Once more, alone: in a batch, OpenSSL may have used the intermediate of another chain. But not often.
      const answer = areMany ? answers[index] : opensslAccepts([chain])[0];
      if (accepted === answer || (!accepted && !isPlain)) return 'same';
      const difference = accepted
        ? 'openssl verify refuses a chain that is taken'
        : 'openssl verify takes a chain that is refused';
      return { difference, certificates: chain };
    });
    return [...outcomes, ...Array.from({ length: BATCH - asked.length }, (): Outcome => 'rejected')];
  };
}
