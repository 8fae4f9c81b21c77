import { createECDH, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Random } from '@certpin/testkit/random';
import { encode, integer, type Node, node, octets, oid, raw, sequence, text } from './tree.ts';

/** The time for all judgements: a run with the same seed gives the same result next year. */
export const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

const ED25519 = (): Node => sequence(oid('2b6570'));

/** A key that follows from the seed. The same key always makes the same signature. */
export function signingKey(random: Random, name: string): { readonly spki: Buffer; readonly key: KeyObject } {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), random.fixed(name)]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { key, spki: createPublicKey(key).export({ type: 'spki', format: 'der' }) };
}

const RSA = '2a864886f70d010101';

/** Public keys of many kinds. For most of them nobody has the private key. A certificate does not need it. */
export function publicKeys(random: Random, name: string): Record<string, Buffer> {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(random.fixed(`${name} ec`));
  const ec = (format: 'compressed' | 'uncompressed'): Node =>
    sequence(
      sequence(oid('2a8648ce3d0201'), oid('2a8648ce3d030107')),
      node(0x03, Buffer.concat([Buffer.of(0), ecdh.getPublicKey(undefined, format) as unknown as Buffer])),
    );
  const rsa = (
    bits: number,
    exponent = Buffer.of(1, 0, 1),
    id = RSA,
    parameters = [node(0x05, Buffer.alloc(0))],
  ): Node => {
    const modulus = random.fixed(`${name} rsa ${bits}`, bits / 8);
    modulus[0] = (modulus[0] as number) | 0x80;
    modulus[modulus.length - 1] = (modulus[modulus.length - 1] as number) | 1;
    const key = sequence(node(0x02, Buffer.concat([Buffer.of(0), modulus])), node(0x02, exponent));
    return sequence(sequence(oid(id), ...parameters), node(0x03, Buffer.concat([Buffer.of(0), encode(key)])));
  };
  const nodes: Record<string, Node> = {
    ec: ec('uncompressed'),
    'ec compressed': ec('compressed'),
    'rsa 2048': rsa(2_048),
    'rsa 1024': rsa(1_024),
    'rsa of a long exponent': rsa(2_048, Buffer.concat([Buffer.of(1), random.fixed(`${name} e`, 99)])),
    'rsa without parameters': rsa(2_048, undefined, undefined, []),
    'rsa-pss': rsa(2_048, undefined, '2a864886f70d01010a', []),
  };
  const encoded = Object.entries(nodes).map(([kind, key]) => [kind, encode(key)]);
  return { ed25519: signingKey(random, name).spki, ...Object.fromEntries(encoded) };
}

export interface Shape {
  readonly subject: string;
  readonly issuer: string;
  readonly spki: Buffer;
  readonly ca?: boolean;
  readonly pathLength?: number | undefined;
  readonly keyUsage?: Buffer | undefined;
  readonly purposes?: readonly string[] | undefined;
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly more?: readonly Node[];
}

export const extension = (id: string, critical: boolean, value: Node): Node =>
  sequence(oid(id), ...(critical ? [node(0x01, Buffer.of(0xff))] : []), octets(encode(value)));

const name = (value: string): Node => sequence(node(0x31, [sequence(oid('550403'), text(value))]));

const time = (days: number): Node =>
  node(0x17, Buffer.from(`${new Date(NOW + days * DAY).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

/** The certificate without its signature: `tbsCertificate` of RFC 5280 §4.1. */
export function body(shape: Shape, serial: Buffer): Node {
  const { subject, issuer, spki, ca = false, pathLength, keyUsage, purposes, fromDays = -1, toDays = 30 } = shape;
  const flag = ca ? [node(0x01, Buffer.of(0xff))] : [];
  const limit = pathLength === undefined ? [] : [integer(pathLength)];
  const extensions = [
    extension('551d13', true, sequence(...flag, ...limit)),
    ...(ca ? [] : [extension('551d11', false, sequence(node(0x82, Buffer.from('localhost'))))]),
    ...(keyUsage === undefined ? [] : [extension('551d0f', true, node(0x03, keyUsage))]),
    ...(purposes === undefined ? [] : [extension('551d25', false, sequence(...purposes.map(oid)))]),
    ...(shape.more ?? []),
  ];
  return sequence(
    node(0xa0, [integer(2)]),
    node(0x02, serial),
    ED25519(),
    name(issuer),
    sequence(time(fromDays), time(toDays)),
    name(subject),
    raw(spki),
    node(0xa3, [sequence(...extensions)]),
  );
}

/** Signed by `key`, as it is written. */
export function certificate(tbs: Node, key: KeyObject, algorithm: Node = ED25519()): Node {
  const written = encode(tbs);
  const signature = sign(null, written, key);
  return sequence(tbs, algorithm, node(0x03, Buffer.concat([Buffer.of(0), signature])));
}
