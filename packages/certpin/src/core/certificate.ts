import { X509Certificate } from 'node:crypto';
import { type CertificateEssentials, readEssentials } from './der.ts';
import { type Sha256, sha256 } from './pin.ts';

/** What a report shows of a certificate: plain JSON. */
export interface CertificateSummary {
  /** SHA-256 of the whole certificate, 64 upper-case hex digits. */
  readonly sha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 upper-case hex digits. */
  readonly publicKeySha256: string;
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

/** What a verdict asks of a certificate that was presented: {@link Certificate}, or in the inline form this much of it. */
export type CertificateEvidence = Pick<Certificate, 'certificateSha256' | 'publicKeySha256' | 'validFrom' | 'validTo'>;

/** For the inline form. Throws the error of `node:crypto` where the bytes are not a certificate. */
export function readEvidence(der: Uint8Array): CertificateEvidence {
  const { publicKey, validFrom, validTo } = new X509Certificate(der);
  return {
    certificateSha256: sha256(der),
    /** Equal to the bytes in the certificate, for every key that OpenSSL can make a handshake with. */
    get publicKeySha256() {
      return sha256(publicKey.export({ type: 'spki', format: 'der' }));
    },
    validFrom: new Date(validFrom),
    validTo: new Date(validTo),
  };
}

/**
 * A certificate, with what certpin shows of it. Everything but the DER is worked out when it is first asked for, so that a verdict on a
 * certificate pin costs one hash. Its key and its dates are read from the DER, at a fraction of the cost.
 */
export class Certificate {
  /** The certificate, DER. */
  readonly der: Uint8Array;
  readonly #isParsed: boolean;
  #x509: X509Certificate | undefined;
  #certificateSha256: Sha256 | undefined;
  #publicKeySha256: Sha256 | undefined;
  #essentials: CertificateEssentials | undefined;

  /**
   * @param der a DER certificate; it is not parsed before something but its hash is asked for
   * @param parsed `true` where OpenSSL has parsed these bytes before, as it has where they come out of a TLS handshake; or what came of it
   */
  constructor(der: Uint8Array, parsed?: true | X509Certificate) {
    this.der = der;
    this.#x509 = parsed === true ? undefined : parsed;
    this.#isParsed = parsed !== undefined;
  }

  /** Throws the error of `node:crypto` where the bytes are not a certificate. */
  get x509(): X509Certificate {
    this.#x509 ??= new X509Certificate(this.der);
    return this.#x509;
  }

  get certificateSha256(): Sha256 {
    this.#certificateSha256 ??= sha256(this.der);
    return this.#certificateSha256;
  }

  /** Throws where the bytes are not a certificate. */
  get publicKeySha256(): Sha256 {
    this.#publicKeySha256 ??= sha256(this.#readEssentials().spki);
    return this.#publicKeySha256;
  }

  get validFrom(): Date {
    return new Date(this.#essentialsOrNone()?.notBefore ?? this.x509.validFrom);
  }

  get validTo(): Date {
    return new Date(this.#essentialsOrNone()?.notAfter ?? this.x509.validTo);
  }

  /** OpenSSL parses first: the small reader in der.ts only ever sees what OpenSSL has accepted. */
  #readEssentials(): CertificateEssentials {
    this.#essentials ??= readEssentials(this.#isParsed ? this.der : this.x509.raw);
    return this.#essentials;
  }

  /** OpenSSL takes encodings that are not DER; what the dates are in those is what OpenSSL says. */
  #essentialsOrNone(): CertificateEssentials | undefined {
    if (!this.#isParsed) this.x509; // throws where the bytes are not a certificate
    try {
      return this.#readEssentials();
    } catch {
      return undefined;
    }
  }

  get selfSigned(): boolean {
    // Not isIssuedBy: a server's certificate may have signed itself though its key usage says that it signs no others.
    return this.x509.subject === this.x509.issuer && this.#isSignedBy(this);
  }

  /**
   * Whether `issuer`'s name is this certificate's issuer **and** `issuer`'s key verifies this certificate's signature.
   * Throws where the bytes of either are not a certificate.
   */
  isIssuedBy(issuer: Certificate): boolean {
    // checkIssued compares names and key identifiers only; the proof is the signature.
    return this.x509.checkIssued(issuer.x509) && this.#isSignedBy(issuer);
  }

  #isSignedBy(issuer: Certificate): boolean {
    try {
      return this.x509.verify(issuer.x509.publicKey);
    } catch {
      return false; // a key of a kind that this OpenSSL cannot verify with proves nothing
    }
  }

  /** Plain JSON. Throws where the bytes are not a certificate. */
  toJSON(): CertificateSummary {
    return {
      sha256: this.certificateSha256,
      publicKeySha256: this.publicKeySha256,
      subject: oneLine(this.x509.subject),
      issuer: oneLine(this.x509.issuer),
      subjectAltNames: splitNames(this.x509.subjectAltName),
      validFrom: isoDate(this.validFrom),
      validTo: isoDate(this.validTo),
      selfSigned: this.selfSigned,
    };
  }
}

/** ISO 8601 UTC, or `unreadable` for a date that Node could not parse. */
export function isoDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'unreadable' : date.toISOString();
}

/** Node shows a distinguished name one attribute a line. The presented name may be an attacker's: no control character passes. */
function oneLine(name: string | undefined): string {
  return printable((name ?? '').trim().split('\n').join(', '));
}

/** Text that may be an attacker's, fit for a terminal and a log: no control character, none invisible, no line break. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\uFFFD');
}

/** Node joins alternative names with commas and puts those that hold one in JSON quotes (CVE-2021-44532). */
function splitNames(names: string | undefined): string[] {
  return names === undefined
    ? []
    : (names.match(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g) ?? []).map((name) => printable(name.trim()));
}
