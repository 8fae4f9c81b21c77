import { ApiError, insufficientScope } from './api-error.ts';
import type { JsonObject, TenantAnswer } from './options.ts';

/** A call of the Management API whose token was accepted. */
export interface ApiCall {
  /** What `:id` and `:versionId` of the route stand for. */
  readonly id: string;
  readonly versionId: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly scopes: ReadonlySet<string>;
}

/** One operation of the Management API. */
export interface Route {
  /** `PATCH connections/:id` */
  readonly operation: string;
  /** Any of them is enough. */
  readonly scopes: readonly string[];
  readonly handle: (call: ApiCall) => TenantAnswer | Promise<TenantAnswer>;
}

/** Answers a call by the first route that fits. */
export async function answerCall(
  routes: readonly Route[],
  method: string,
  path: string,
  call: Omit<ApiCall, 'id' | 'versionId'>,
): Promise<TenantAnswer> {
  for (const route of routes) {
    const found = match(route.operation, method, path);
    if (found === undefined) continue;
    if (!route.scopes.some((scope) => call.scopes.has(scope))) throw insufficientScope(route.scopes);
    return route.handle({ id: '', versionId: '', ...found, ...call });
  }
  // The rest of the API exists for clients with its scopes. Nobody has them here.
  if (method === 'GET') throw insufficientScope([`read:${path.split('/')[0]?.replaceAll('-', '_')}`]);
  throw new ApiError(404, 'not_found', 'Not Found');
}

function match(operation: string, method: string, path: string): Record<string, string> | undefined {
  const [wantedMethod, pattern = ''] = operation.split(' ');
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (method !== wantedMethod || wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decodeURIComponent(given[index] ?? '');
    if (part.startsWith(':')) found[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return found;
}

/** The body of a call that sends an object. */
export function objectOf(call: ApiCall): JsonObject {
  const { body } = call;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ApiError(400, 'invalid_body', "Payload validation error: 'Expected type object'.");
  }
  return body as JsonObject;
}

/** A page of a list, from the parameters of the query. */
export function pageOf<Item>(
  items: readonly Item[],
  query: ApiCall['query'],
  size = 50,
): { start: number; limit: number; items: Item[] } {
  const limit = numberOf(query.per_page, size, 'per_page');
  const start = numberOf(query.page, 0, 'page') * limit;
  return { start, limit, items: items.slice(start, start + limit) };
}

export function numberOf(text: string | undefined, otherwise: number, name: string): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,4}$/.test(text) || (name !== 'page' && Number(text) > 100)) {
    throw new ApiError(400, 'invalid_query_string', `Query validation error: '${name}' is no number that is allowed.`);
  }
  return Number(text);
}
