import { createHmac } from 'node:crypto';

/** A key of Standard Webhooks. */
export interface SigningKey {
  readonly bytes: Buffer;
}

/**
 * Reads `whsec_BASE64`. Standard Webhooks, "Symmetric signatures": between 24 and 64 random bytes.
 *
 * @returns undefined if it is not one. The text is a secret, so no message contains it
 */
export function readSigningKey(text: string): SigningKey | undefined {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const isWhole = bytes.toString('base64').replaceAll('=', '') === base64.replaceAll('=', '');
  return isWhole && bytes.length >= 24 && bytes.length <= 64 ? { bytes } : undefined;
}

export interface SignedContent {
  readonly id: string;
  /** The time of this attempt. A receiver refuses a message that is older than some minutes. */
  readonly at: Date;
  readonly body: string;
}

/** The three headers. While the receiver changes from one key to the next, there are several keys. */
export function sign({ id, at, body }: SignedContent, keys: readonly SigningKey[]): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = keys.map(({ bytes }) => {
    return `v1,${createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
