import { X509Certificate } from 'node:crypto';
import { type CertificateEvidence, hashKey, isoDate, readDate } from '../leaf/evidence.ts';
import { type Sha256, sha256 } from '../leaf/pin.ts';
import { isCostly } from './keys.ts';

/** What a report shows of a certificate: plain JSON. */
export interface CertificateSummary {
  /** SHA-256 of the whole certificate, 64 upper-case hex digits. */
  readonly sha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 upper-case hex digits. null: the key is not written in DER, so it has no public-key pin. */
  readonly publicKeySha256: string | null;
  /** Distinguished name on one line, `CN=db.example.com, O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names, as `DNS:…` and `IP Address:…`. */
  readonly subjectAltNames: readonly string[];
  /** Start of the validity, ISO 8601 UTC. */
  readonly validFrom: string;
  /** End of the validity, ISO 8601 UTC. */
  readonly validTo: string;
  /** Subject equals issuer and the certificate's own key verifies its signature. */
  readonly selfSigned: boolean;
}

/** Buffers are made by Node. A sandbox (of Jest) has its own `Uint8Array`, so `instanceof` would fail. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array';
}

/**
 * A certificate, with what certpin shows of it. Everything but the bytes is what OpenSSL reads in them. It is worked out when it is first
 * needed.
 */
export class Certificate implements CertificateEvidence {
  /** The certificate, DER. */
  readonly der: Uint8Array;
  #x509: X509Certificate | undefined;
  #certificateSha256: Sha256 | undefined;
  #publicKeySha256: Sha256 | null | undefined;

  /** @param source bytes are parsed only when more than their hash is needed */
  constructor(source: Uint8Array | X509Certificate) {
    this.der = source instanceof X509Certificate ? source.raw : source;
    this.#x509 = source instanceof X509Certificate ? source : undefined;
  }

  /** Throws the error of `node:crypto` if the bytes are not a certificate. */
  get x509(): X509Certificate {
    this.#x509 ??= new X509Certificate(this.der);
    return this.#x509;
  }

  get certificateSha256(): Sha256 {
    this.#certificateSha256 ??= sha256(this.der);
    return this.#certificateSha256;
  }

  /**
   * null: the certificate holds its key in other bytes than OpenSSL's encoding of the key. Then no public-key pin can be checked. Throws if
   * the bytes are not a certificate.
   */
  get publicKeySha256(): Sha256 | null {
    if (this.#publicKeySha256 === undefined) this.#publicKeySha256 = hashKey(this.x509);
    return this.#publicKeySha256;
  }

  /** Distinguished name on one line, `CN=db.example.com, O=Example`, without control characters. */
  get subject(): string {
    return oneLine(this.x509.subject);
  }

  get issuer(): string {
    return oneLine(this.x509.issuer);
  }

  /** As `DNS:…` and `IP Address:…`, without control characters. */
  get subjectAltNames(): readonly string[] {
    return splitNames(this.x509.subjectAltName);
  }

  get validFrom(): Date {
    return readDate(this.x509.validFrom);
  }

  get validTo(): Date {
    return readDate(this.x509.validTo);
  }

  get selfSigned(): boolean {
    // Not isIssuedBy: that is false for a self-signed server certificate whose key usage does not allow it to sign certificates.
    return this.x509.subject === this.x509.issuer && this.#isSignedBy(this);
  }

  /**
   * Whether `issuer`'s name is this certificate's issuer **and** `issuer`'s key verifies this certificate's signature. Throws if the bytes
   * of either are not a certificate.
   */
  isIssuedBy(issuer: Certificate): boolean {
    // checkIssued compares names and key identifiers only; the proof is the signature.
    return this.x509.checkIssued(issuer.x509) && this.#isSignedBy(issuer);
  }

  #isSignedBy(issuer: Certificate): boolean {
    try {
      const { publicKey } = issuer.x509;
      return !isCostly(publicKey) && this.x509.verify(publicKey);
    } catch {
      return false; // A key of a kind that this OpenSSL cannot verify with proves nothing.
    }
  }

  /** Plain JSON. Throws if the bytes are not a certificate. */
  toJSON(): CertificateSummary {
    return {
      sha256: this.certificateSha256,
      publicKeySha256: this.publicKeySha256,
      subject: this.subject,
      issuer: this.issuer,
      subjectAltNames: this.subjectAltNames,
      validFrom: isoDate(this.validFrom),
      validTo: isoDate(this.validTo),
      selfSigned: this.selfSigned,
    };
  }
}

/** Node shows a distinguished name with one attribute a line. The name may be an attacker's, so no control character passes. */
export function oneLine(name: string | undefined): string {
  return printable((name ?? '').trim().split('\n').join(', '));
}

const MAX_CHARACTERS = 200;

/** Shortens what a peer has written, for a message: names may be as long as a book. */
export function shorten(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${[...text.slice(0, MAX_CHARACTERS)].slice(0, -1).join('')}…`;
}

/** Text that may be an attacker's, made safe for a terminal and a log: no control character, no invisible character, no line break. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\uFFFD');
}

/**
 * Splits the alternative names. Node joins them with commas, and puts a name with a comma in JSON quotes (CVE-2021-44532). null: the
 * certificate has alternative names, and OpenSSL cannot read them.
 */
function splitNames(names: string | null | undefined): string[] {
  return names == null
    ? []
    : (names.match(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g) ?? []).map((name) => printable(name.trim()));
}
