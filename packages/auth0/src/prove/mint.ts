import 'reflect-metadata'; // @peculiar/x509 registers its algorithms through it
import { webcrypto, type X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const { subtle } = webcrypto;
x509.cryptoProvider.set(webcrypto as never); // Node's own, whatever the DOM types call it

/** What a TLS server presents, and the key with which it answers for it. */
export interface Credentials {
  /** The leaf first. */
  readonly cert: string;
  readonly key: string;
}

interface ProofCa {
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly name: string;
}

type KeyType = keyof typeof algorithms;

const algorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1), modulusLength: 2048 },
  ed25519: { name: 'Ed25519' },
};

/** Extensions that speak of the key: subjectKeyIdentifier, authorityKeyIdentifier. */
const ofTheKey: readonly string[] = ['2.5.29.14', '2.5.29.35'];

async function mintCa(name: string): Promise<ProofCa> {
  const keys = await generate('ec');
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(name, name, keys, keys),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return { pem: certificate.toString('pem'), keys, name };
}

/** A twin of the genuine certificate, and the CA that signed it; undefined: it signed itself. */
export interface Twin {
  readonly credentials: Credentials;
  readonly caPem: string | undefined;
}

/**
 * The genuine certificate with a key of the proof's own. Where the genuine one names an issuer, a forged one of that name has signed it.
 *
 * @param byProofCa signed by a CA with a name of its own, which the script can be made to trust
 */
export async function impersonate(genuine: X509Certificate, byProofCa: boolean): Promise<Twin> {
  const name = byProofCa ? 'CN=Proof CA, O=certpin' : new x509.X509Certificate(new Uint8Array(genuine.raw)).issuer;
  const ca = !byProofCa && genuine.subject === genuine.issuer ? undefined : await mintCa(name);
  return { credentials: await mintTwin(genuine, ca), caPem: ca?.pem };
}

/** The same subject, names, validity and extensions. */
async function mintTwin(genuine: X509Certificate, issuer: ProofCa | undefined): Promise<Credentials> {
  const keys = await generate(keyTypeOf(genuine));
  const model = new x509.X509Certificate(new Uint8Array(genuine.raw));
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(model.subject, issuer?.name ?? model.subject, keys, issuer?.keys ?? keys),
    notBefore: model.notBefore,
    notAfter: model.notAfter,
    extensions: model.extensions.filter(({ type }) => !ofTheKey.includes(type)),
  });
  const cert = [certificate.toString('pem'), ...(issuer === undefined ? [] : [issuer.pem])].join('\n');
  return { cert: `${cert}\n`, key: await exportKey(keys) };
}

function common(
  subject: string,
  issuer: string,
  keys: webcrypto.CryptoKeyPair,
  signer: webcrypto.CryptoKeyPair,
): Omit<Extract<x509.X509CertificateCreateParams, { signingKey: unknown }>, 'extensions'> {
  const DAY = 24 * 60 * 60 * 1000;
  const serial = Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01; // positive, and without leading zeros
  return {
    ...{ subject, issuer, serialNumber: serial.toString('hex') },
    ...{ notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 30 * DAY) },
    ...{ publicKey: keys.publicKey, signingKey: signer.privateKey },
    signingAlgorithm: { ...signer.privateKey.algorithm, hash: 'SHA-256' } as webcrypto.EcdsaParams,
  };
}

function keyTypeOf({ publicKey }: X509Certificate): KeyType {
  if (publicKey.asymmetricKeyType === 'ed25519') return 'ed25519';
  return publicKey.asymmetricKeyType?.startsWith('rsa') ? 'rsa' : 'ec';
}

async function generate(type: KeyType): Promise<webcrypto.CryptoKeyPair> {
  return (await subtle.generateKey(algorithms[type], true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function exportKey(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return `${x509.PemConverter.encode(await subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')}\n`;
}
