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
  /** The installed client, or its use, gives certpin no place to check the server. */
  ERR_CLIENT_UNSUPPORTED: { readonly client: string };
  /** `hosts` has no entry for this host: no connection was opened. */
  ERR_HOST_UNPINNED: { readonly host: string };
  /** The presented certificate does not match any pin. */
  ERR_PIN_MISMATCH: { readonly verdict: Refused };
  /** There was nothing to compare: no certificate, an unreadable one, or a resumed session. */
  ERR_PIN_UNCHECKABLE: { readonly verdict: Refused };
  /** A pinned issuer is in the chain, but the chain does not lead from the leaf to it. */
  ERR_CHAIN_INVALID: { readonly verdict: Refused };
  /** The pin matches, but the certificate's validity has ended. */
  ERR_CERTIFICATE_EXPIRED: { readonly verdict: Refused };
  /** The pin matches, but the certificate's validity has not begun. */
  ERR_CERTIFICATE_NOT_YET_VALID: { readonly verdict: Refused };
  /** The pin matches, but the certificate is for another name. */
  ERR_HOSTNAME_MISMATCH: { readonly verdict: Refused };
  /** The pin matches, but the ordinary CA verification, which the policy also requires, did not pass. */
  ERR_CA_UNTRUSTED: { readonly verdict: Refused };
  /** The connection was made with TLS 1.1 or older. */
  ERR_TLS_VERSION: { readonly verdict: Refused };
  /** The server answered the request for TLS with a refusal. */
  ERR_UPGRADE_REFUSED: { readonly protocol: string };
  /** The server's answer to the request for TLS is not of this protocol. */
  ERR_UPGRADE_UNEXPECTED: { readonly protocol: string };
  /** Plaintext bytes followed the server's consent to TLS: somebody between client and server injected them. */
  ERR_UPGRADE_INJECTED: { readonly protocol: string };
  /** The proxy refused. `status` is the HTTP status code of its answer to CONNECT, or the reply code of a SOCKS proxy. */
  ERR_PROXY_REFUSED: { readonly status: number };
  /** The probe was given no protocol, and found no way to TLS. `tried` lists the protocols that it used. */
  ERR_TLS_NOT_FOUND: { readonly tried: readonly string[] };
  /** A URL, or a redirect, leads to a server without TLS. */
  ERR_PLAINTEXT_REFUSED: { readonly protocol: string };
  /** There was no verdict within `timeoutMs`. */
  ERR_CONNECT_TIMEOUT: { readonly timeoutMs: number };
  /** The connection closed before TLS was established. */
  ERR_CONNECTION_CLOSED: { readonly protocol: string };
  /** A target for the probe cannot be read. */
  ERR_TARGET_INVALID: { readonly reason: string };
  /** No certificate in a file can be read. */
  ERR_FILE_UNREADABLE: { readonly reason: string };
}

export type CertpinErrorCode = keyof CertpinErrorDetails;

/** A `CertpinError` whose `details` narrow on `code`. */
export type AnyCertpinError = { [Code in CertpinErrorCode]: CertpinError<Code> }[CertpinErrorCode];

/** Symbol.for, so that the ESM and the CommonJS copy of this file recognise each other's errors if both are loaded. */
const brand = Symbol.for('certpin.error');

/**
 * Every failure that certpin reports. Node's own failures (`ECONNREFUSED`, `ENOTFOUND`, …) pass through unchanged.
 *
 * `error instanceof CertpinError` works across copies of the library (ESM and CommonJS, two versions).
 */
export class CertpinError<
  Code extends CertpinErrorCode = CertpinErrorCode,
  Details extends object = CertpinErrorDetails[Code],
> extends Error {
  declare readonly code: Code;
  declare readonly details: Details;
  /**
   * Only if the package refuses a server: one line for a log, with the reason, the host, and the hashes of both sides. The message is the
   * long text.
   */
  declare readonly summary?: string;

  /** For Prisma. It makes its own error from the message, the code and `meta`, and drops the original error. */
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

/** As {@link optionInvalid}, for one function of ours. Every message names the function. */
export function optionErrors(where: string): typeof optionInvalid {
  return (option, message) => optionInvalid(option, `${where}: ${message}`);
}

/**
 * Finds the `CertpinError` in a client's error. It follows the properties in which clients wrap it: `cause`, `original` (sequelize),
 * `driverError` (typeorm), `meta` (Prisma), and `errors` of an `AggregateError`. undefined: there is none. For pasted blocks, whose clients
 * need no more. The package has core/find-error.ts.
 *
 * Errors may point at each other in a circle. The Set holds each error once, so the loop ends. The loop also visits what is added to the
 * Set while it runs.
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
