import { type Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { findCertpinError } from 'certpin';
import { clean } from './clean.ts';
import type { Outcome } from './receiver.ts';
import { readRetryAfter } from './retry.ts';

export interface Place {
  /** Its path may be a secret. */
  readonly url: URL;
  /** Pins. undefined: Node verifies the server as it verifies every other server. */
  readonly agent: Agent | undefined;
  /** What a name leads to. Default: what the machine says. */
  readonly lookup?: LookupFunction;
}

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends once. Redirects are not followed: a secret would go to a server that the answer names. Only the status and `Retry-After` of the
 * answer are read.
 */
export function post({ url, agent, lookup }: Place, { headers, body }: Post, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const bytes = Buffer.from(body);
    const options = {
      method: 'POST',
      signal,
      ...(agent === undefined ? { agent: false as const } : { agent }),
      ...(lookup === undefined ? {} : { lookup }),
      headers: { 'user-agent': 'certpin-watch', ...headers, 'content-length': String(bytes.length) },
    };
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options);
    request.on('response', (response) => {
      const { statusCode = 0, headers: answered } = response;
      resolve(outcomeOf(statusCode, answered['retry-after']));
      // The rest of the answer has no limit, and no meaning.
      response.destroy();
    });
    request.on('error', (error) => resolve({ result: 'failed', detail: tellError(error, signal) }));
    request.end(bytes);
  });
}

/** Statuses from 400 to 499 that mean: later. Another one means that the same request would get the same answer. */
const LATER: readonly number[] = [408, 425, 429];

function outcomeOf(status: number, retryAfter: string | undefined): Outcome {
  const detail = `it has answered with ${status}`;
  if (status >= 200 && status < 300) return { result: 'delivered', detail };
  if (status >= 300 && status < 400) {
    return { result: 'refused', detail: `${detail}, a redirect, which is not followed: write down the new address` };
  }
  const result = status >= 400 && status < 500 && !LATER.includes(status) ? 'refused' : 'failed';
  return { result, detail, retryAfterMs: readRetryAfter(retryAfter, new Date()) };
}

/** @returns what a log may contain: Node's messages name hosts and addresses, but no path */
export function tellError(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'there was no answer in time';
  const own = findCertpinError(error);
  const { message, code } = error as NodeJS.ErrnoException;
  // One line of certpin's own. If a name has several addresses, Node's error has no message.
  return clean((own?.message ?? message).split('\n')[0] || code || 'unknown error');
}
