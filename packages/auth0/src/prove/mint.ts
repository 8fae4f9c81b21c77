import { webcrypto, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import {
  algorithmOf,
  caExtension,
  copy,
  currentDates,
  DAY,
  type Dates,
  generate,
  HOUR,
  type Keys,
  maySign,
  randomSerial,
  sign,
} from './certificates.ts';
import { PROOF_CA, type ProofCa } from './proof-ca.ts';

const { subtle } = webcrypto;

/** What a TLS server presents, and the key with which it answers for it. */
export interface Credentials {
  /** The leaf first. */
  readonly cert: string;
  readonly key: string;
}

/** authorityKeyIdentifier: it chooses the issuer among several CAs with one name. */
const AUTHORITY_KEY = '2.5.29.35';

/** Makes certificates that are like a genuine one except for the key, or that share only what is named. */
export class Forger {
  /** The genuine chain, the leaf first. */
  private readonly chain: readonly x509.X509Certificate[];
  /** Keys of the types and sizes in the chain: one for each certificate, and one for the issuer that the last one names. */
  private readonly keys: readonly Keys[];
  private readonly ca: ProofCa;

  private constructor(chain: readonly x509.X509Certificate[], keys: readonly Keys[], ca: ProofCa) {
    this.chain = chain;
    this.keys = keys;
    this.ca = ca;
  }

  static async create(chain: readonly X509Certificate[], ca: ProofCa): Promise<Forger> {
    const last = chain.at(-1) as X509Certificate;
    const keys = await Promise.all([...chain, last].map((certificate) => generate(algorithmOf(certificate))));
    const models = chain.map(({ raw }) => new x509.X509Certificate(new Uint8Array(raw)));
    return new Forger(models, keys, ca);
  }

  private get leaf(): x509.X509Certificate {
    return this.chain[0] as x509.X509Certificate;
  }

  private get leafKeys(): Keys {
    return this.keys[0] as Keys;
  }

  get isSelfSigned(): boolean {
    return this.leaf.subject === this.leaf.issuer;
  }

  /** The whole chain again. Names, serial numbers, dates, extensions and signers stay the same, and every key is another one. */
  async anotherKey(): Promise<Credentials> {
    const forged = this.chain.map((model, index) => {
      const signer = this.chain.findIndex(({ subject }) => subject === model.issuer);
      return copy(model, this.keys[index] as Keys, this.keys.at(signer) as Keys);
    });
    return this.present(await Promise.all(forged));
  }

  /** The leaf alone, signed by itself. */
  async selfSigned(): Promise<Credentials> {
    return this.present([
      await copy(this.leaf, this.leafKeys, this.leafKeys, {
        issuer: this.leaf.subjectName,
        extensions: this.withoutAuthority(),
      }),
    ]);
  }

  /** The forged leaf, followed by the genuine certificates. */
  async genuineChain(): Promise<Credentials> {
    const forged = await copy(this.leaf, this.leafKeys, this.isSelfSigned ? this.leafKeys : (this.keys.at(-1) as Keys));
    return this.present([forged, ...this.chain]);
  }

  /** A leaf that names the genuine leaf as its issuer, followed by that leaf and the rest. */
  async genuineIssuer(): Promise<Credentials> {
    const forged = await copy(this.leaf, this.leafKeys, this.leafKeys, {
      issuer: this.leaf.subjectName,
      extensions: this.withoutAuthority(),
    });
    return this.present([forged, ...this.chain]);
  }

  /** The leaf again, issued by the proof's CA. An expired date is renewed, as a CA would do it. */
  async trusted(): Promise<Credentials> {
    return this.presentIssued([await this.issued(currentDates(this.leaf))]);
  }

  /** The leaf again, issued by a CA with the name of the genuine issuer. The proof's CA has signed that CA. */
  async trustedNamesake(): Promise<Credentials> {
    const issuer = this.leaf.issuerName;
    const keys = this.keys.at(-1) as Keys;
    const serialNumber = randomSerial();
    const namesake = await sign({
      ...{ subject: issuer, issuer: PROOF_CA, serialNumber, keys, signer: this.ca.keys },
      extensions: [caExtension()],
    });
    // If the genuine CA is trusted too, OpenSSL would choose it, but its key has not signed. So the leaf names its CA: by the issuer and
    // the serial number of the CA's certificate (RFC 5280 §4.2.1.1).
    const authority = { name: new x509.GeneralNames([{ type: 'dn', value: PROOF_CA }]), serialNumber };
    const extensions = [...this.withoutAuthority(), new x509.AuthorityKeyIdentifierExtension(authority)];
    const changes = { issuer, extensions, ...currentDates(this.leaf) };
    return this.presentIssued([await copy(this.leaf, this.leafKeys, keys, changes), namesake]);
  }

  /**
   * The leaf again, issued by the proof's CA. After it come the genuine chain and a certificate with the name of that CA, which says that
   * the genuine certificate issued it. OpenSSL uses the CA of its trust list. Node's `issuerCertificate` follows only names, to the genuine
   * certificate.
   */
  async trustedChain(): Promise<Credentials> {
    const signs = maySign(this.leaf) ? 0 : this.chain.findIndex(({ subject }) => subject === this.leaf.issuer);
    const issuer = signs === 0 ? this.leaf.subjectName : this.leaf.issuerName;
    const bridge = await sign({
      ...{ subject: PROOF_CA, issuer, keys: this.ca.keys, signer: this.keys.at(signs) as Keys },
      extensions: [caExtension()],
    });
    return this.present([await this.issued(currentDates(this.leaf)), bridge, ...this.chain]);
  }

  /** The leaf again, issued by the proof's CA, and expired since yesterday. */
  async expired(): Promise<Credentials> {
    const notAfter = new Date(Date.now() - DAY);
    return this.presentIssued([await this.issued({ notBefore: new Date(notAfter.getTime() - 90 * DAY), notAfter })]);
  }

  /** The leaf again, issued by the proof's CA, and about to expire. */
  async expiring(inMs: number): Promise<Credentials> {
    const { notBefore = this.leaf.notBefore } = currentDates(this.leaf);
    return this.presentIssued([await this.issued({ notBefore, notAfter: new Date(Date.now() + inMs) })]);
  }

  /**
   * The leaf as it may look after its renewal: with another serial number, a longer validity, and a key of another kind. For such a key,
   * Node's object for a certificate does not show everything (`pubkey`, `modulus`).
   */
  async renewed(): Promise<Credentials> {
    const isEdwards = this.leafKeys.publicKey.algorithm.name === 'Ed25519';
    const algorithm = isEdwards ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' };
    const keys = await generate(algorithm as webcrypto.EcKeyGenParams);
    const now = Date.now();
    const notAfter = new Date(Math.max(now, this.leaf.notAfter.getTime()) + 90 * DAY);
    const certificate = await sign({
      ...{ subject: this.leaf.subjectName, issuer: PROOF_CA, keys, signer: this.ca.keys },
      ...{ notBefore: new Date(now - HOUR), notAfter, extensions: this.withoutAuthority() },
    });
    return this.presentIssued([certificate], keys);
  }

  /** What the proof's CA issues for one name. It contains nothing of the genuine certificate. */
  forName(name: string, commonName: string): Promise<Credentials> {
    const type = isIP(name) === 0 ? ('dns' as const) : ('ip' as const);
    return this.forSubject(commonName, [new x509.SubjectAlternativeNameExtension([{ type, value: name }])]);
  }

  /** The same without an alternative name: then Node and others use the common name (RFC 6125 §6.4.4). */
  forCommonName(name: string): Promise<Credentials> {
    return this.forSubject(name, []);
  }

  private async forSubject(commonName: string, extensions: x509.Extension[]): Promise<Credentials> {
    const subject = new x509.Name([{ CN: [commonName] }]);
    const signing = { subject, issuer: PROOF_CA, keys: this.leafKeys, signer: this.ca.keys, extensions };
    return this.presentIssued([await sign(signing)]);
  }

  private issued(dates: Partial<Dates>): Promise<x509.X509Certificate> {
    const changes = { issuer: PROOF_CA, extensions: this.withoutAuthority(), ...dates };
    return copy(this.leaf, this.leafKeys, this.ca.keys, changes);
  }

  private withoutAuthority(): x509.Extension[] {
    return this.leaf.extensions.filter(({ type }) => type !== AUTHORITY_KEY);
  }

  private async presentIssued(
    certificates: readonly x509.X509Certificate[],
    keys = this.leafKeys,
  ): Promise<Credentials> {
    const { cert, key } = await this.present(certificates, keys);
    return { cert: `${cert}${this.ca.pem}\n`, key };
  }

  private async present(certificates: readonly x509.X509Certificate[], keys = this.leafKeys): Promise<Credentials> {
    const pkcs8 = await subtle.exportKey('pkcs8', keys.privateKey);
    return {
      cert: certificates.map((certificate) => `${certificate.toString('pem')}\n`).join(''),
      key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
    };
  }
}
