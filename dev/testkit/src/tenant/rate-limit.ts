import { ApiError } from './api-error.ts';

/** Counts requests in windows, and says so in headers as Auth0 does. */
export class RateLimit {
  readonly #requests: number;
  readonly #windowMs: number;
  #endsAt = 0;
  #left = 0;

  constructor({ requests, windowMs }: { readonly requests: number; readonly windowMs: number }) {
    this.#requests = requests;
    this.#windowMs = windowMs;
  }

  /** Counts one request. */
  take(): { readonly headers: Record<string, string>; readonly refusal: ApiError | undefined } {
    if (Date.now() >= this.#endsAt) {
      this.#endsAt = Date.now() + this.#windowMs;
      this.#left = this.#requests;
    }
    const refusal =
      this.#left === 0 ? new ApiError(429, 'too_many_requests', 'Global limit has been reached') : undefined;
    this.#left = Math.max(0, this.#left - 1);
    const headers = {
      'x-ratelimit-limit': String(this.#requests),
      'x-ratelimit-remaining': String(this.#left),
      'x-ratelimit-reset': String(Math.ceil(this.#endsAt / 1000)),
    };
    return { headers, refusal };
  }
}
