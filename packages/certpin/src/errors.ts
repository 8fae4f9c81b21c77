import type { Refused } from './core/verdict.ts';
import type { RefusalCode } from './leaf/checks.ts';

/**
 * The data that each error code carries. None of it is secret: no password, no connection string, no request, no key.
 * `docs/reference/errors.md` says for each code what it means and how to solve it; a test holds the two together.
 */
export interface CertpinErrorDetails extends Record<RefusalCode, { readonly verdict: Refused }> {
  /** A pin cannot be read. `position` is its place in the list, from 1; the text itself is not repeated. */
  ERR_PIN_INVALID: { readonly position: number; readonly found: string };
  /** An option is unknown, contradictory or of the wrong type. */
  ERR_OPTION_INVALID: { readonly option: string };
  /** The installed client, or the way it is used, gives certpin no place to check. */
  ERR_CLIENT_UNSUPPORTED: { readonly client: string };
  /** The policy names hosts, and this is none of them: no connection was opened. */
  ERR_HOST_UNPINNED: { readonly host: string };
  /** The presented certificate is none of the pinned ones. */
  ERR_PIN_MISMATCH: { readonly verdict: Refused };
  /** There was nothing to compare: no certificate, an unreadable one, or a resumed session. */
  ERR_PIN_UNCHECKABLE: { readonly verdict: Refused };
  /** A pinned issuer is in the chain, but the chain does not lead from the leaf to it. */
  ERR_CHAIN_INVALID: { readonly verdict: Refused };
  /** The pin matches, and the certificate's validity has ended. */
  ERR_CERTIFICATE_EXPIRED: { readonly verdict: Refused };
  /** The pin matches, and the certificate's validity has not begun. */
  ERR_CERTIFICATE_NOT_YET_VALID: { readonly verdict: Refused };
  /** The pin matches, and the certificate is for another name. */
  ERR_HOSTNAME_MISMATCH: { readonly verdict: Refused };
  /** The pin matches, and the ordinary CA verification, which the policy requires too, did not pass. */
  ERR_CA_UNTRUSTED: { readonly verdict: Refused };
  /** The connection was made with TLS 1.1 or older. */
  ERR_TLS_VERSION: { readonly verdict: Refused };
  /** The server answered the request for TLS with a refusal. */
  ERR_UPGRADE_REFUSED: { readonly protocol: string };
  /** The server's answer to the request for TLS is not of this protocol. */
  ERR_UPGRADE_UNEXPECTED: { readonly protocol: string };
  /** Plaintext bytes followed the server's consent to TLS: somebody between the two injected them. */
  ERR_UPGRADE_INJECTED: { readonly protocol: string };
  /** The proxy refused; `status` is the HTTP status code of its answer to CONNECT, or the number in the answer of a SOCKS proxy. */
  ERR_PROXY_REFUSED: { readonly status: number };
  /** The probe was told no protocol, and found no way to TLS; `tried` are the protocols in which it asked. */
  ERR_TLS_NOT_FOUND: { readonly tried: readonly string[] };
  /** A URL, or a redirect, leads to a server without TLS. */
  ERR_PLAINTEXT_REFUSED: { readonly protocol: string };
  /** No verdict within `timeoutMs`. */
  ERR_CONNECT_TIMEOUT: { readonly timeoutMs: number };
  /** The connection closed before TLS was established. */
  ERR_CONNECTION_CLOSED: { readonly protocol: string };
  /** A target for the probe cannot be read. */
  ERR_TARGET_INVALID: { readonly reason: string };
  /** A file holds no certificate that can be read. */
  ERR_FILE_UNREADABLE: { readonly reason: string };
}

export type CertpinErrorCode = keyof CertpinErrorDetails;

/** A `CertpinError` whose `details` narrow on `code`. */
export type AnyCertpinError = { [Code in CertpinErrorCode]: CertpinError<Code> }[CertpinErrorCode];

/** Symbol.for, so that the ESM and the CommonJS copy of this file, loaded side by side, recognise each other's errors. */
const brand = Symbol.for('certpin.error');

/**
 * Every failure that certpin reports. Failures that are Node's own (`ECONNREFUSED`, `ENOTFOUND`, …) pass through unchanged.
 *
 * `error instanceof CertpinError` holds across copies of the library (ESM and CommonJS, two versions).
 */
export class CertpinError<
  Code extends CertpinErrorCode = CertpinErrorCode,
  Details extends object = CertpinErrorDetails[Code],
> extends Error {
  declare readonly code: Code;
  declare readonly details: Details;
  /** Of a refusal by the package: one line for a log, with the reason, the host, and the hashes of both sides. The message is the long text. */
  declare readonly summary?: string;

  /** `meta`: Prisma makes an error of its own, of the message, the code and what it finds there, and forgets the one that it was given. */
  constructor(code: Code, message: string, details: Details, options?: ErrorOptions) {
    super(message, options);
    Object.assign(this, { name: 'CertpinError', code, details });
    Object.defineProperty(this, brand, { value: true });
    Object.defineProperty(this, 'meta', { get: () => ({ cause: this }) });
  }

  static override [Symbol.hasInstance](value: unknown): value is AnyCertpinError {
    return isCertpinError(value);
  }
}

/**
 * Whether a value is a `CertpinError` of any copy of the library. `details` narrows on `code`:
 *
 * ```ts
 * if (isCertpinError(error) && error.code === 'ERR_PIN_MISMATCH') console.error(error.details.verdict.reason);
 * ```
 */
export function isCertpinError(value: unknown): value is AnyCertpinError {
  return (value as { [brand]?: unknown } | null | undefined)?.[brand] === true;
}

/** The error of an option that cannot be used. */
export function optionInvalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', message, { option });
}

/** As {@link optionInvalid}, for one function of ours, which every message names. */
export function optionErrors(where: string): typeof optionInvalid {
  return (option, message) => optionInvalid(option, `${where}: ${message}`);
}

/**
 * The `CertpinError` in a client's error, found through the chain in which clients wrap it: `cause`, `original` (sequelize),
 * `driverError` (typeorm), `meta` (Prisma), and `errors` of an `AggregateError`. undefined where there is none. For pasted blocks, of whose
 * clients this is enough; the package has core/find-error.ts.
 *
 * Errors may point at each other in a circle. The Set holds each error once, so the loop ends. The loop also visits what is added to the Set
 * while it runs.
 */
export function findCertpinError(error: unknown): AnyCertpinError | undefined {
  const queue = new Set<unknown>([error]);
  for (const candidate of queue) {
    if (isCertpinError(candidate)) return candidate;
    const { cause, original, driverError, meta, errors } = Object(candidate) as Record<string, unknown>;
    for (const next of [cause, original, driverError, meta].concat(errors)) queue.add(next);
  }
  return undefined;
}
