export type TenantErrorCode =
  /** Something is missing among the credentials, or cannot be used. */
  | 'ERR_CREDENTIALS'
  /** The tenant has said no. */
  | 'ERR_TENANT_REFUSED'
  /** No answer, or one that says nothing about what was asked. */
  | 'ERR_TENANT_UNREACHABLE'
  /** After a write it is not known whether it was made. */
  | 'ERR_TENANT_UNCLEAR';

/** Why a tenant could not be read or written. What the tenant has said is in the message without control characters. */
export class TenantError extends Error {
  readonly code: TenantErrorCode;
  /** Of HTTP, where there was an answer. */
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

/** Without what must not be shown, also as JSON spells it: a tenant may repeat what it was sent. */
export function hide(text: string, secrets: readonly string[]): string {
  const inJson = (secret: string): string => JSON.stringify(secret).slice(1, -1);
  const all = secrets.flatMap((secret) => [secret, inJson(secret), inJson(inJson(secret))]);
  // The longest first: one may be a part of another.
  return [...new Set(all)]
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((one, other) => other.length - one.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '…'), text);
}

/** Of a shorter text, nothing is hidden: it would take single letters out of every message. */
const SHORTEST_SECRET = 4;

/** Text that somebody else chose: one line, without orders for a terminal, and with an end. */
export function plain(text: unknown): string {
  const line = String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\uFFFD');
  return line.length <= 300 ? line : `${line.slice(0, 300)}…`;
}
