import { timingSafeEqual } from 'node:crypto';
import { type CertificateEvidence, isoDate } from './evidence.ts';
import type { Pin } from './pin.ts';

/** Why a connection can be refused. `docs/reference/errors.md` says for each what it means. */
export type RefusalCode =
  | 'ERR_PIN_MISMATCH'
  | 'ERR_PIN_UNCHECKABLE'
  | 'ERR_CHAIN_INVALID'
  | 'ERR_CERTIFICATE_EXPIRED'
  | 'ERR_CERTIFICATE_NOT_YET_VALID'
  | 'ERR_HOSTNAME_MISMATCH'
  | 'ERR_CA_UNTRUSTED'
  | 'ERR_TLS_VERSION';

/** Why the connection must not be used. */
export interface Problem {
  readonly code: RefusalCode;
  /** One line: the fact that decided. */
  readonly reason: string;
}

/** What the handshake itself reports. */
export interface HandshakeFacts {
  /** As `tls.TLSSocket.getProtocol()` gives it: `'TLSv1.2'`, `'TLSv1.3'`. Older versions are refused. undefined: not checked. */
  readonly tlsVersion?: string | null | undefined;
  /** A resumed session shows no certificate. Whatever is shown was not proven in this handshake. So it is refused. */
  readonly sessionReused?: boolean | undefined;
}

/** Whether the handshake can prove a certificate at all. */
export function handshakeProblem({ tlsVersion, sessionReused }: HandshakeFacts): Problem | undefined {
  // RFC 8446 §2.2: a server that resumes with a PSK sends no certificate to compare.
  if (sessionReused)
    return { code: 'ERR_PIN_UNCHECKABLE', reason: 'the TLS session was resumed, so no certificate was proven' };
  if (tlsVersion === undefined || tlsVersion === 'TLSv1.2' || tlsVersion === 'TLSv1.3') return undefined;
  return {
    code: 'ERR_TLS_VERSION',
    reason: `the connection was made with ${tlsVersion ?? 'an unknown version of TLS'}`,
  };
}

export const NONE_PRESENTED: Problem = {
  code: 'ERR_PIN_UNCHECKABLE',
  reason: 'the server presented no certificate',
};

/**
 * The first of `pins` that `certificate` matches. Digests are compared in constant time, and every pin is compared. So the time does not
 * tell which pin was nearly met.
 */
export function matchPin(certificate: CertificateEvidence, pins: readonly Pin[]): Pin | undefined {
  const [matched] = pins.filter(({ kind, sha256 }) => {
    const presented = kind === 'certificate' ? certificate.certificateSha256 : certificate.publicKeySha256;
    return presented !== null && timingSafeEqual(Buffer.from(presented), Buffer.from(sha256));
  });
  return matched;
}

/** The message for a certificate that matches no pin. */
export function mismatch({ publicKeySha256 }: CertificateEvidence, pins: readonly Pin[]): Problem {
  const isUnreadable = publicKeySha256 === null && pins.some(({ kind }) => kind === 'public-key');
  return isUnreadable
    ? {
        code: 'ERR_PIN_UNCHECKABLE',
        reason: 'the certificate holds its key in other bytes than OpenSSL writes, so no public-key pin can match it',
      }
    : { code: 'ERR_PIN_MISMATCH', reason: 'the presented certificate is none of the pinned ones' };
}

/** Both ends belong to the validity (RFC 5280 §4.1.2.5). A date that cannot be read (NaN) is outside. */
export function validityProblem(
  { validFrom, validTo }: Pick<CertificateEvidence, 'validFrom' | 'validTo'>,
  now: Date,
  expired: 'refuse' | 'accept',
): Problem | undefined {
  if (!(validFrom <= now)) return outside('ERR_CERTIFICATE_NOT_YET_VALID', 'begins', validFrom);
  if (!(now <= validTo) && expired === 'refuse') return outside('ERR_CERTIFICATE_EXPIRED', 'ended', validTo);
  return undefined;
}

function outside(code: RefusalCode, word: string, date: Date): Problem {
  return { code, reason: `the validity of the certificate ${word} ${isoDate(date)}` };
}

/** Runs a check. Any exception in it is a refusal: the server chooses the bytes that are checked. */
export function tried<Result>(check: () => Result, refused: (problem: Problem) => Result): Result {
  try {
    return check();
  } catch (error) {
    const reason = `the presented certificate cannot be read (${(error as Error).message})`;
    return refused({ code: 'ERR_PIN_UNCHECKABLE', reason });
  }
}
