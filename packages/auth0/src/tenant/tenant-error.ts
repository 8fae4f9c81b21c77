export type TenantErrorCode =
  /** One of the credentials is missing, or cannot be used. */
  | 'ERR_CREDENTIALS'
  /** The tenant has refused. */
  | 'ERR_TENANT_REFUSED'
  /** There was no answer, or one that does not answer the question. */
  | 'ERR_TENANT_UNREACHABLE'
  /** It is not known whether a write was made. */
  | 'ERR_TENANT_UNCLEAR';

/** Why a tenant could not be read or written. The message contains the tenant's text without control characters. */
export class TenantError extends Error {
  readonly code: TenantErrorCode;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** `errorCode` of the Management API, `error` of the token endpoint. */
  readonly reason: string | undefined;

  constructor(code: TenantErrorCode, message: string, { status, reason, cause }: About = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.reason = reason;
  }
}

interface About {
  readonly status?: number;
  readonly reason?: string | undefined;
  readonly cause?: unknown;
}

/** Removes what must not be shown, also in JSON spelling: a tenant may repeat what it was sent. */
export function hide(text: string, secrets: readonly string[]): string {
  const inJson = (secret: string): string => JSON.stringify(secret).slice(1, -1);
  const all = secrets.flatMap((secret) => [secret, inJson(secret), inJson(inJson(secret))]);
  // The longest first: one may be a part of another.
  return [...new Set(all)]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((one, other) => other.length - one.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '…'), text);
}

/** Shorter texts are not hidden: otherwise, single letters would disappear from every message. */
const SHORTEST_SECRET = 4;

/** Text that somebody else chose: one line, without control characters, and of limited length. */
export function plain(text: unknown): string {
  const line = String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\uFFFD');
  return line.length <= 300 ? line : `${line.slice(0, 300)}…`;
}
