import { setTimeout as delay } from 'node:timers/promises';
import { eitherSignal } from '../either-signal.ts';
import { type Credentials, clientProof } from './credentials.ts';
import { hide, plain, TenantError } from './tenant-error.ts';

type Fetch = typeof globalThis.fetch;
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Whether a write was made that got no answer. */
export type Found = 'written' | 'unwritten' | 'unclear';

export interface ManagementOptions {
  readonly fetch: Fetch;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: ((text: string) => void) | undefined;
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json | undefined;
}

/** How often a question without an answer is asked again, and a write repeated that was not made. */
const ATTEMPTS = 4;
/** The limit for one request, in milliseconds. A write of a large connection takes time, and a person waits for the answer. */
const LIMIT_MS = 30_000;
/** No answer of a tenant is larger than this. */
const MAX_BYTES = 32 * 1024 * 1024;
/** A tenant that makes us wait longer would keep us busy. */
const LONGEST_WAIT_MS = 120_000;

/**
 * The Management API v2 of one tenant. After a refusal by the rate limit, it waits as the headers say. It asks again if there is no answer.
 * It repeats a write without an answer only after a look has shown that the write was not made.
 */
export class Management {
  readonly credentials: Credentials;
  readonly #options: ManagementOptions;
  #token: string | undefined;

  constructor(credentials: Credentials, options: ManagementOptions) {
    this.credentials = credentials;
    this.#options = options;
  }

  /** The same, but it goes on after Ctrl-C: what was begun must be cleaned up. */
  withoutSignal(): Management {
    return new Management(this.credentials, { ...this.#options, signal: undefined });
  }

  /** @throws TenantError */
  async get(path: string): Promise<Json> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#call('GET', path, undefined)) ?? null;
      } catch (error) {
        if (!isUnanswered(error) || attempt === ATTEMPTS) throw error;
      }
      await this.pause(500 * 2 ** attempt, 'the tenant does not answer');
    }
  }

  /**
   * @param look reads again, and says whether a write without an answer was made
   * @returns the answer. undefined: the write was made, but its answer was lost
   * @throws TenantError
   */
  async write(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: object | undefined,
    look: () => Promise<Found>,
  ): Promise<Json | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#call(method, path, body);
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        await this.pause(500 * 2 ** attempt, 'the tenant has not answered: reading again');
        const found = await look();
        if (found === 'written') return undefined;
        if (found === 'unclear') {
          const message = `${(error as Error).message}; afterwards it was neither as before nor as written`;
          throw new TenantError('ERR_TENANT_UNCLEAR', message, { cause: error });
        }
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** The token endpoint. A refusal is an answer too. @throws TenantError if there is no answer */
  async token(form: Readonly<Record<string, string>>): Promise<{ readonly ok: boolean; readonly body: Json }> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, body } = await this.#limited('POST', 'oauth/token', form, undefined);
        return { ok: status === 200, body: body ?? null };
      } catch (error) {
        if (!isUnanswered(error) || attempt === ATTEMPTS) throw error;
      }
      await this.pause(500 * 2 ** attempt, 'the tenant does not answer');
    }
  }

  async #call(method: string, path: string, body: object | undefined): Promise<Json | undefined> {
    this.#token ??= await this.#authorize();
    const { status, body: answer } = await this.#limited(method, `api/v2/${path}`, body, this.#token);
    if (status >= 200 && status < 300) return answer;
    throw refusal(status, answer, `${method} ${path.replace(/\?.*/, '')}`, this.#secretsOf(body));
  }

  /** Parts of a request that must not come back in a message. */
  #secretsOf(body: object | undefined): readonly string[] {
    const { proof } = this.credentials;
    const own = proof.kind === 'secret' ? [proof.secret] : proof.kind === 'token' ? [proof.token] : [];
    return [...own, ...(this.#token === undefined ? [] : [this.#token]), ...secretsIn(body)];
  }

  async #authorize(): Promise<string> {
    const { proof, audience } = this.credentials;
    if (proof.kind === 'token') return proof.token;
    const form = { grant_type: 'client_credentials', audience, ...clientProof(this.credentials) };
    const { ok, body } = await this.token(form);
    const token = fieldOf(body, 'access_token');
    if (ok && typeof token === 'string') return token;
    const why = fieldOf(body, 'error_description') ?? fieldOf(body, 'error') ?? 'no reason is given';
    const shown = plain(hide(String(why), this.#secretsOf(form)));
    throw new TenantError(
      'ERR_CREDENTIALS',
      `the tenant gives no token for these credentials (${shown}): look at AUTH0_CLIENT_ID, and at its secret or key`,
    );
  }

  /** Waits as the rate limit says. A request that it refused was not carried out. */
  async #limited(method: string, path: string, body: object | undefined, token: string | undefined): Promise<Answered> {
    for (let waited = 0; ; ) {
      const answer = await this.#once(method, path, body, token);
      if (answer.status >= 500 || answer.status === 408) throw unanswered(`it answers with status ${answer.status}`);
      if (answer.status !== 429) return answer;
      const pause = pauseOf(answer.headers);
      waited += pause;
      if (waited > LONGEST_WAIT_MS) throw usedUp(pause);
      await this.pause(pause, 'waiting for the rate limit of the tenant');
    }
  }

  async #once(method: string, path: string, body: object | undefined, token: string | undefined): Promise<Answered> {
    const { fetch, signal } = this.#options;
    signal?.throwIfAborted();
    const limit = AbortSignal.timeout(LIMIT_MS);
    try {
      const response = await fetch(`https://${this.credentials.domain}/${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error', // Nobody else may see the token or the body.
        signal: eitherSignal(limit, signal),
      });
      return { status: response.status, headers: response.headers, body: await readJson(response) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TenantError) throw error;
      const { cause = error } = error as { cause?: unknown };
      const { code, message } = cause as NodeJS.ErrnoException;
      throw unanswered(limit.aborted ? `it does not answer within ${LIMIT_MS / 1000} s` : (code ?? message), error);
    }
  }

  /** @param why in words, for people. @throws the signal's reason */
  async pause(milliseconds: number, why: string): Promise<void> {
    const { onWait, signal } = this.#options;
    onWait?.(why);
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  }
}

async function readJson(response: Response): Promise<Json | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw unanswered('its answer has no end');
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    // Bytes that are not UTF-8 would be sent back as something else.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))) as Json;
  } catch {
    // After an error, it may be a page of some server in between. As an answer, it cannot be used.
    if (response.ok) throw unanswered('its answer is not JSON');
    return undefined;
  }
}

/** `X-RateLimit-Reset`: in seconds since 1970. */
function pauseOf(headers: Headers): number {
  const reset = Number(headers.get('x-ratelimit-reset')) * 1000 - Date.now();
  const after = Number(headers.get('retry-after')) * 1000;
  return (reset > 0 ? reset : after > 0 ? after : 1_000) + 50;
}

/** Do not sleep for an hour in the middle of a push. */
function usedUp(pauseMs: number): TenantError {
  const end = new Date(Date.now() + pauseMs);
  const isDate = !Number.isNaN(end.getTime());
  const until = isDate ? ` until ${end.toISOString().replace(/T(..:..).*/, ' $1 UTC')}` : '';
  const message = `the rate limit of the tenant is used up${until}; run the same command again later`;
  return new TenantError('ERR_TENANT_REFUSED', message, { status: 429 });
}

function refusal(status: number, body: Json | undefined, what: string, secrets: readonly string[]): TenantError {
  const [message, code] = [fieldOf(body, 'message'), fieldOf(body, 'errorCode')];
  const show = (text: Json): string => plain(hide(String(text), secrets));
  const said = message === undefined ? `status ${status}` : `${show(message)} (${show(code ?? status)})`;
  const reason = code === undefined ? undefined : show(code);
  return new TenantError('ERR_TENANT_REFUSED', `${what}: the tenant refuses: ${said}`, { status, reason });
}

/** Texts of a request that nobody may see: values of `configuration`, secrets, and what a client or a user proves its identity with. */
function secretsIn(value: unknown, isSecret = false): readonly string[] {
  if (typeof value === 'string') return isSecret ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    secretsIn(one, isSecret || SECRET_KEYS.has(key) || (key === 'value' && 'name' in value)),
  );
}

const SECRET_KEYS: ReadonlySet<string> = new Set(['configuration', 'client_secret', 'client_assertion', 'password']);

function unanswered(why: string, cause?: unknown): TenantError {
  return new TenantError('ERR_TENANT_UNREACHABLE', `no answer from the tenant: ${plain(why)}`, { cause });
}

function isUnanswered(error: unknown): boolean {
  return error instanceof TenantError && error.code === 'ERR_TENANT_UNREACHABLE';
}

/** A list that an answer should contain: a tenant may send anything. @throws TenantError */
export function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new TenantError('ERR_TENANT_REFUSED', 'its answer is not a list');
}

/** Pages of a list that is searched for a name: no tenant has more. @throws TenantError */
export function refuseEndless(page: number): void {
  if (page >= MAX_PAGES)
    throw new TenantError('ERR_TENANT_UNREACHABLE', 'no answer from the tenant: its list has no end');
}

const MAX_PAGES = 100;

/** Ids become a part of a path: `..` would lead to another part of the API. */
export function isId(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_|-]{1,200}$/.test(value);
}

export function fieldOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as { readonly [key: string]: Json })[name];
}
