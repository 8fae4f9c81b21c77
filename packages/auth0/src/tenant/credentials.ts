import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { plain, TenantError } from './tenant-error.ts';

/** Who calls a tenant. The names are those of the Auth0 Deploy CLI. */
export interface Credentials {
  readonly domain: string;
  /** Of the Management API. */
  readonly audience: string;
  readonly clientId: string | undefined;
  readonly proof:
    | { readonly kind: 'token'; readonly token: string }
    | { readonly kind: 'secret'; readonly secret: string }
    | { readonly kind: 'key'; readonly key: KeyObject; readonly algorithm: SigningAlgorithm };
}

type SigningAlgorithm = 'RS256' | 'RS384' | 'PS256';

/** Environment variables, by their names. */
export type Env = Readonly<Record<string, string | undefined>>;

const DOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

/** Only the domain: it says which deliveries are meant. undefined: no tenant is. @throws TenantError `ERR_CREDENTIALS` */
export function readDomain({ AUTH0_DOMAIN: given = '' }: Env): string | undefined {
  if (given === '') return undefined;
  const domain = given
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/$/, '');
  if (!DOMAIN.test(domain)) throw missing('AUTH0_DOMAIN is not a domain: it looks like acme.eu.auth0.com');
  return domain;
}

/** @throws TenantError `ERR_CREDENTIALS`. No value is repeated */
export function readCredentials(env: Env): Credentials {
  const domain = readDomain(env);
  if (domain === undefined)
    throw missing('AUTH0_DOMAIN is missing: set it, and AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET');
  const { AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_ACCESS_TOKEN, AUTH0_AUDIENCE } = env;
  const clientId = AUTH0_CLIENT_ID || undefined;
  const about = { domain, clientId, audience: AUTH0_AUDIENCE || `https://${domain}/api/v2/` };
  if (AUTH0_ACCESS_TOKEN) return { ...about, proof: { kind: 'token', token: AUTH0_ACCESS_TOKEN } };
  if (clientId === undefined) throw missing('AUTH0_CLIENT_ID is missing, and there is no AUTH0_ACCESS_TOKEN');
  if (AUTH0_CLIENT_SECRET) return { ...about, proof: { kind: 'secret', secret: AUTH0_CLIENT_SECRET } };
  if (env.AUTH0_CLIENT_SIGNING_KEY_PATH) return { ...about, proof: readKey(env) };
  throw missing('AUTH0_CLIENT_SECRET, AUTH0_CLIENT_SIGNING_KEY_PATH or AUTH0_ACCESS_TOKEN is missing');
}

function readKey(env: Env): Credentials['proof'] {
  const { AUTH0_CLIENT_SIGNING_KEY_PATH: path = '', AUTH0_CLIENT_SIGNING_ALGORITHM: algorithm = 'RS256' } = env;
  if (algorithm !== 'RS256' && algorithm !== 'RS384' && algorithm !== 'PS256') {
    throw missing('AUTH0_CLIENT_SIGNING_ALGORITHM is RS256, RS384 or PS256');
  }
  try {
    return { kind: 'key', key: createPrivateKey(readFileSync(path)), algorithm };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : 'it holds no private key in PEM without a password';
    throw new TenantError('ERR_CREDENTIALS', `AUTH0_CLIENT_SIGNING_KEY_PATH cannot be used: ${why}`, { cause: error });
  }
}

/** What a client proves its identity with at the token endpoint. */
export function clientProof({ domain, clientId, proof }: Credentials): Readonly<Record<string, string>> {
  if (proof.kind === 'token' || clientId === undefined) return {};
  if (proof.kind === 'secret') return { client_id: clientId, client_secret: proof.secret };
  return {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(clientId, `https://${domain}/`, proof),
  };
}

/** RFC 7523: one use, one minute. */
function assertion(
  clientId: string,
  audience: string,
  { key, algorithm }: { readonly key: KeyObject; readonly algorithm: SigningAlgorithm },
): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: clientId, sub: clientId, aud: audience, iat: now, exp: now + 60, jti: randomUUID() };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: algorithm, typ: 'JWT' })}.${part(claims)}`;
  // RFC 7518 §3.5: PS256 is RSASSA-PSS with a salt as long as the hash. 6 and -1: the constants of OpenSSL.
  const pss = algorithm === 'PS256' ? { padding: 6, saltLength: -1 } : {};
  const signature = sign(algorithm === 'RS384' ? 'sha384' : 'sha256', Buffer.from(signed), { key, ...pss });
  return `${signed}.${signature.toString('base64url')}`;
}

function missing(message: string): TenantError {
  return new TenantError('ERR_CREDENTIALS', plain(message));
}
