import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A body with a stranger's text and a secret is not compressed: its length would reveal the secret (BREACH). */
  readonly holdsSecret?: boolean;
}

export const HTML = 'text/html; charset=utf-8';
export const JSON_TYPE = 'application/json; charset=utf-8';
export const TEXT = 'text/plain; charset=utf-8';

/** No script, no frame, no foreign picture, no form to another site. This is the last protection if a text ever gets out of its quotes. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  Vary: 'Accept, Accept-Encoding, Cookie',
};

const WORTH_IT = 1024;
const compress = promisify(gzip);

export async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, type, body, headers = {}, holdsSecret = false } = answer;
  const plain = Buffer.from(body, 'utf8');
  const wanted = /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0+)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i;
  const isShort =
    holdsSecret || plain.length < WORTH_IT || !wanted.test(String(request.headers['accept-encoding'] ?? ''));
  const bytes = isShort ? plain : await compress(plain, { level: 6 });
  response.writeHead(status, {
    ...EVERYWHERE,
    'Content-Type': type,
    'Content-Length': bytes.length,
    ...(isShort ? {} : { 'Content-Encoding': 'gzip' }),
    ...(headers as Record<string, string | string[]>),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
