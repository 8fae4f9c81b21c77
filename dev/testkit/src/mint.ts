import 'reflect-metadata'; // @peculiar/x509 registers its algorithms through it
import { webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const { subtle } = webcrypto;
type CryptoKeyPair = webcrypto.CryptoKeyPair;
x509.cryptoProvider.set(webcrypto as never); // Node's own type, whatever the DOM types call it

/** A minted certificate with its key, in every form that servers and tests ask for. */
export interface Minted {
  readonly certPem: string;
  readonly keyPem: string;
  /** Leaf first, then its issuers without the root: what a server presents. */
  readonly chainPem: string;
  readonly x509: X509Certificate;
  readonly keys: CryptoKeyPair;
  readonly issuer: Minted | undefined;
}

export interface MintOptions {
  /** Distinguished name. Default `CN=localhost`. */
  readonly subject?: string;
  /** Subject alternative names: DNS names and IP addresses. Default `localhost`, `127.0.0.1` and `::1`; none for a CA. */
  readonly names?: readonly string[];
  /** Who signs. Default: the certificate itself. */
  readonly issuer?: Minted;
  /** Sign with the key of this one, but name `issuer`: a forgery. */
  readonly signedBy?: Minted;
  /** basicConstraints CA:TRUE. Default false. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Days from now. Defaults: -1 and 30. */
  readonly validFromDays?: number;
  readonly validToDays?: number;
  readonly keyType?: 'ec' | 'rsa' | 'ed25519';
  /** Keys to use again: a renewal with the same key. */
  readonly keys?: CryptoKeyPair;
  readonly signatureHash?: 'SHA-1' | 'SHA-256';
  readonly extensions?: readonly x509.Extension[];
  /** Extensions without an option of their own: object identifier and DER value. */
  readonly rawExtensions?: readonly { readonly id: string; readonly critical: boolean; readonly value: Uint8Array }[];
  /** extendedKeyUsage, as object identifiers. Default: none, which means any. */
  readonly purposes?: readonly string[];
}

const algorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1), modulusLength: 2048 },
  ed25519: { name: 'Ed25519' },
};

const DAY = 24 * 60 * 60 * 1000;
let serial = 0x1000;

/** Mints a certificate. It is never a fixture: validity is counted from now. */
export async function mint(options: MintOptions = {}): Promise<Minted> {
  const { subject = 'CN=localhost', ca = false, issuer, signedBy = issuer, keyType = 'ec' } = options;
  const names = options.names ?? (ca ? [] : ['localhost', '127.0.0.1', '::1']);
  const keys =
    options.keys ?? ((await subtle.generateKey(algorithms[keyType], true, ['sign', 'verify'])) as CryptoKeyPair);
  const signer = signedBy ?? { keys };
  const hash = options.signatureHash ?? 'SHA-256';
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (serial++).toString(16),
    subject,
    issuer: issuer?.x509 === undefined ? subject : new x509.X509Certificate(issuer.x509.raw).subject,
    notBefore: new Date(Date.now() + (options.validFromDays ?? -1) * DAY),
    notAfter: new Date(Date.now() + (options.validToDays ?? 30) * DAY),
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: { ...signer.keys.privateKey.algorithm, hash } as webcrypto.EcdsaParams,
    extensions: [
      new x509.BasicConstraintsExtension(ca, options.pathLength, true),
      ...(names.length === 0
        ? []
        : [
            new x509.SubjectAlternativeNameExtension(
              names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
            ),
          ]),
      ...(options.purposes === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...options.purposes])]),
      ...(options.rawExtensions ?? []).map(
        ({ id, critical, value }) => new x509.Extension(id, critical, Uint8Array.from(value)),
      ),
      ...(options.extensions ?? []),
    ],
  });
  const pkcs8 = await subtle.exportKey('pkcs8', keys.privateKey);
  const certPem = `${certificate.toString('pem')}\n`;
  const parents: string[] = [];
  for (let next = issuer; next?.issuer !== undefined; next = next.issuer) parents.push(next.certPem);
  return {
    certPem,
    keyPem: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
    chainPem: [certPem, ...parents].join(''),
    x509: new X509Certificate(Buffer.from(certificate.rawData)),
    keys,
    issuer,
  };
}

/** SHA-256 of the certificate as OpenSSL prints it, without colons: a certificate pin, made by other code than certpin's. */
export function certificateHex(minted: Minted): string {
  return minted.x509.fingerprint256.replaceAll(':', '');
}

/** `sha256/BASE64` of the public key, made by other code than certpin's. */
export async function publicKeyPin(minted: Minted): Promise<string> {
  const spki = minted.x509.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${Buffer.from(await subtle.digest('SHA-256', new Uint8Array(spki))).toString('base64')}`;
}
