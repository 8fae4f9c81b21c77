import { type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { ApiError, OAuthError } from './api-error.ts';
import { readJwt, signJwt } from './jwt.ts';
import type { FakeTenantOptions, TenantAnswer } from './options.ts';
import { scopesOfAll } from './scopes.ts';

/** Where the tenant can be called: by its domain, and by its real address. */
export type Origins = readonly string[];
export type PasswordLogin = (realm: string, email: string, password: string) => Promise<void>;

const DAY_S = 24 * 60 * 60;
const ASSERTION_S = 5 * 60;
export const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';

/** The one client of the fake, its tokens, and `/oauth/token`. */
export class Tokens {
  readonly clientId = `fake${randomBytes(12).toString('hex')}`;
  readonly clientSecret: string = randomBytes(32).toString('base64url');
  readonly #options: FakeTenantOptions;
  readonly #key: KeyObject;
  readonly #origins: () => Origins;
  readonly #logIn: PasswordLogin;
  readonly #issued = new Map<string, { readonly scopes: ReadonlySet<string>; readonly endsAt: number }>();
  readonly #assertions = new Set<string>();

  constructor(options: FakeTenantOptions, key: KeyObject, origins: () => Origins, logIn: PasswordLogin) {
    this.#options = options;
    this.#key = key;
    this.#origins = origins;
    this.#logIn = logIn;
  }

  /** A token for the Management API, as the client would get it. */
  issue(audience: string, scopes: readonly string[] = this.#options.scopes ?? scopesOfAll): string {
    const iat = Math.floor(Date.now() / 1000);
    const subject = `${this.clientId}@clients`;
    const claims = { iss: new URL('/', audience).href, sub: subject, aud: audience, iat, exp: iat + DAY_S };
    const token = signJwt(
      { ...claims, scope: scopes.join(' '), gty: 'client-credentials', jti: randomBytes(8).toString('hex') },
      this.#key,
    );
    this.#issued.set(token, { scopes: new Set(scopes), endsAt: Date.now() + DAY_S * 1000 });
    return token;
  }

  /** Issued tokens are no longer accepted. */
  expireAll(): void {
    this.#issued.clear();
  }

  /** What the bearer of a token may do. */
  scopesOf(authorization: string | undefined): ReadonlySet<string> {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new ApiError(401, 'missing_authentication', 'Missing authentication');
    const issued = this.#issued.get(token);
    if (issued === undefined || issued.endsAt < Date.now()) {
      throw new ApiError(401, 'invalid_token', 'Invalid token');
    }
    return issued.scopes;
  }

  async grant(given: Readonly<Record<string, string>>): Promise<TenantAnswer> {
    const { grant_type: type = '' } = given;
    this.#authenticate(given);
    if (!['client_credentials', PASSWORD_REALM].includes(type)) {
      throw new OAuthError(403, 'unsupported_grant_type', `Unsupported grant type: ${type}`);
    }
    if (this.#options.grants?.includes(type) === false) {
      throw new OAuthError(403, 'unauthorized_client', `Grant type '${type}' not allowed for the client.`);
    }
    return type === PASSWORD_REALM ? this.#grantByPassword(given) : this.#grantToClient(given);
  }

  #grantToClient({ audience = '' }: Readonly<Record<string, string>>): TenantAnswer {
    if (!this.#origins().some((origin) => audience === `${origin}/api/v2/`)) {
      throw new OAuthError(403, 'access_denied', `Service not enabled within domain: ${audience}`);
    }
    const scopes = this.#options.scopes ?? scopesOfAll;
    if (scopes.length === 0) {
      const text = `Client is not authorized to access "${audience}". You need to create a "client-grant" associated to this API.`;
      throw new OAuthError(403, 'access_denied', text);
    }
    const token = {
      access_token: this.issue(audience),
      scope: scopes.join(' '),
      expires_in: DAY_S,
      token_type: 'Bearer',
    };
    return { status: 200, body: token };
  }

  async #grantByPassword(given: Readonly<Record<string, string>>): Promise<TenantAnswer> {
    const { realm, username, password } = given;
    if (realm === undefined || username === undefined || password === undefined) {
      throw new OAuthError(400, 'invalid_request', 'Missing required parameter: realm, username or password');
    }
    await this.#logIn(realm, username, password);
    // Without an audience, it is not a JWT.
    const token = randomBytes(24).toString('base64url');
    return { status: 200, body: { access_token: token, expires_in: DAY_S, token_type: 'Bearer' } };
  }

  #authenticate(given: Readonly<Record<string, string>>): void {
    const { client_id, client_secret, client_assertion, client_assertion_type } = given;
    if (client_assertion !== undefined) {
      if (client_assertion_type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') {
        throw new OAuthError(401, 'invalid_client', 'Invalid client_assertion_type');
      }
      this.#checkAssertion(client_assertion);
    } else if (client_id !== this.clientId || !isEqual(client_secret ?? '', this.clientSecret)) {
      throw new OAuthError(401, 'access_denied', 'Unauthorized');
    }
  }

  #checkAssertion(assertion: string): void {
    const { iss, sub, aud, exp, jti } = readJwt(assertion, this.#key) ?? {};
    const now = Date.now() / 1000;
    const wrong =
      iss !== this.clientId || sub !== this.clientId
        ? 'its issuer and its subject have to be the client'
        : !this.#origins().some((origin) => aud === `${origin}/`)
          ? 'its audience has to be the URL of the tenant, with the slash at the end'
          : typeof exp !== 'number' || exp < now || exp > now + ASSERTION_S
            ? 'it has to end within 5 minutes'
            : typeof jti !== 'string' || this.#assertions.has(jti)
              ? 'its jti has to be new'
              : undefined;
    if (wrong !== undefined) throw new OAuthError(401, 'invalid_client', `Invalid client assertion: ${wrong}`);
    this.#assertions.add(jti as string);
  }
}

function isEqual(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
