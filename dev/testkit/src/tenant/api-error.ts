import { STATUS_CODES } from 'node:http';
import type { TenantAnswer } from './options.ts';

/** Makes the Management API answer with an error. */
export class ApiError extends Error {
  readonly status: number;
  readonly errorCode: string;

  constructor(status: number, errorCode: string, message: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }

  get answer(): TenantAnswer {
    const { status, message, errorCode } = this;
    return { status, body: { statusCode: status, error: STATUS_CODES[status], message, errorCode } };
  }
}

/** Makes `/oauth/token` answer with an error. */
export class OAuthError extends Error {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, description: string) {
    super(description);
    this.status = status;
    this.error = error;
  }

  get answer(): TenantAnswer {
    return { status: this.status, body: { error: this.error, error_description: this.message } };
  }
}

export function invalidBody(message: string): ApiError {
  return new ApiError(400, 'invalid_body', `Payload validation error: '${message}'.`);
}

export function insufficientScope(scopes: readonly string[]): ApiError {
  return new ApiError(403, 'insufficient_scope', `Insufficient scope, expected any of: ${scopes.join(',')}`);
}
