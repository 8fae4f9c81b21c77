import 'reflect-metadata'; // @peculiar/x509 registers its algorithms through it
import { webcrypto, type X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const { subtle } = webcrypto;
x509.cryptoProvider.set(webcrypto as never); // Node's own type, whatever the DOM types call it

export type Keys = webcrypto.CryptoKeyPair;

export const HOUR: number = 60 * 60 * 1000;
export const DAY: number = 24 * HOUR;

export interface Dates {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface Changes extends Partial<Dates> {
  readonly issuer?: string | x509.Name;
  readonly extensions?: x509.Extension[];
}

/** A certificate with another key. Everything else stays the same, except what is given here. */
export function copy(
  model: x509.X509Certificate,
  keys: Keys,
  signer: Keys,
  changes: Changes = {},
): Promise<x509.X509Certificate> {
  const { issuer = model.issuerName, extensions = model.extensions } = changes;
  const { notBefore = model.notBefore, notAfter = model.notAfter } = changes;
  const { serialNumber, subjectName: subject } = model;
  return sign({ subject, issuer, serialNumber, notBefore, notAfter, keys, signer, extensions });
}

interface Signing extends Partial<Dates> {
  readonly subject: string | x509.Name;
  readonly issuer: string | x509.Name;
  /** Hexadecimal. Default: a random one. */
  readonly serialNumber?: string;
  readonly keys: Keys;
  readonly signer: Keys;
  readonly extensions: x509.Extension[];
}

export function sign({ keys, signer, serialNumber = randomSerial(), ...rest }: Signing): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    ...{ notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 30 * DAY) },
    ...{ ...rest, serialNumber, publicKey: keys.publicKey, signingKey: signer.privateKey },
    signingAlgorithm: { ...signer.privateKey.algorithm, hash: 'SHA-256' } as webcrypto.EcdsaParams,
  });
}

export const caExtension = (): x509.Extension => new x509.BasicConstraintsExtension(true, undefined, true);

/** Whether OpenSSL accepts it as an issuer: if there is a keyUsage, it must say so (RFC 5280 §4.2.1.3). */
export function maySign(certificate: x509.X509Certificate): boolean {
  const usage = certificate.getExtension(x509.KeyUsagesExtension);
  return usage === null || (usage.usages & x509.KeyUsageFlags.keyCertSign) !== 0;
}

export function currentDates({ notBefore, notAfter }: Dates): Partial<Dates> {
  const now = Date.now();
  return notBefore.getTime() <= now && now <= notAfter.getTime()
    ? {}
    : { notBefore: new Date(now - DAY), notAfter: new Date(now + 30 * DAY) };
}

export function randomSerial(): string {
  const serial = Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01; // Positive, and without leading zeros.
  return serial.toString('hex');
}

/** The type and the size of a certificate's key. P-256 if the Web Crypto API has no keys of that type. */
export function algorithmOf({
  publicKey,
}: X509Certificate): webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKey;
  const { modulusLength = 2048, publicExponent: exponent = 65_537n, namedCurve = '' } = details;
  if (type?.startsWith('rsa')) {
    const hex = exponent.toString(16);
    const publicExponent = new Uint8Array(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
    return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent, modulusLength };
  }
  if (type === 'ed25519') return { name: 'Ed25519' } as webcrypto.EcKeyGenParams;
  const curve = { secp384r1: 'P-384', secp521r1: 'P-521' }[namedCurve] ?? 'P-256';
  return { name: 'ECDSA', namedCurve: curve };
}

export async function generate(algorithm: ReturnType<typeof algorithmOf>): Promise<Keys> {
  return (await subtle.generateKey(algorithm, true, ['sign', 'verify'])) as Keys;
}
