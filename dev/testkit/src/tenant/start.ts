import { type Minted, mint } from '../mint.ts';
import { Actions } from './actions.ts';
import { ApiError, OAuthError } from './api-error.ts';
import { Connections } from './connections.ts';
import { Containers } from './containers.ts';
import { createFetch } from './fetch.ts';
import { keyPair } from './jwt.ts';
import { type Answer, Listener, type LoggedRequest } from './listener.ts';
import { createPasswordLogin } from './logins.ts';
import type { ActionSeed, ConnectionSeed, FakeTenantOptions, JsonObject, Plaintext, RequestHook } from './options.ts';
import { RateLimit } from './rate-limit.ts';
import { answerCall } from './routes.ts';
import { surroundingRoutes } from './surroundings.ts';
import { PASSWORD_REALM, Tokens } from './tokens.ts';

/** A tenant of Auth0 in this process, with what certpin touches of it. */
export interface FakeTenant {
  readonly domain: string;
  /** Its real address: `https://localhost:PORT`. */
  readonly origin: string;
  /** Its CA, PEM: for `NODE_EXTRA_CA_CERTS`. */
  readonly ca: string;
  /** Leads `https://DOMAIN/…` to the fake, over HTTPS, and calls nobody else. */
  readonly fetch: typeof fetch;
  readonly credentials: {
    readonly AUTH0_DOMAIN: string;
    readonly AUTH0_CLIENT_ID: string;
    readonly AUTH0_CLIENT_SECRET: string;
  };
  /** The key of the client, PEM: for private_key_jwt. */
  readonly privateKey: string;
  /** A token for the Management API; default with all that is granted. */
  readonly issueToken: (scopes?: readonly string[]) => string;
  /** From now on, all issued tokens are refused. */
  readonly expireTokens: () => void;
  /** @returns the id */
  readonly addConnection: (seed: ConnectionSeed) => string;
  /** @returns the id */
  readonly addAction: (seed: ActionSeed) => string;
  readonly plaintext: () => Plaintext;
  readonly requests: readonly LoggedRequest[];
  /** @returns a function that ends it */
  readonly onRequest: (hook: RequestHook) => () => void;
  readonly close: () => Promise<void>;
}

/** Starts a tenant on a free port. */
export async function startFakeTenant(options: FakeTenantOptions = {}): Promise<FakeTenant> {
  const { domain = 'acme.eu.auth0.com', grants = ['client_credentials', PASSWORD_REALM] } = options;
  const { ca, certificate } = await mintFor(domain);
  const { privateKey } = await keyPair();
  const connections = new Connections(options);
  const actions = new Actions(options);
  const containers =
    options.runContainer === undefined
      ? undefined
      : new Containers(options.runContainer, options.containers, options.onLogin);
  const origins = (): readonly string[] => [`https://${domain}`, `https://localhost:${listener.port}`];
  const logIn = createPasswordLogin(connections, containers, () => tokens.clientId, options.mfa === true);
  const tokens = new Tokens(options, privateKey, origins, logIn);
  const limit = options.rateLimit === undefined ? undefined : new RateLimit(options.rateLimit);
  const routes = [...connections.routes(), ...actions.routes(), ...surroundingRoutes(domain, tokens.clientId, grants)];

  const answer: Answer = async ({ method, path, query, body }, { authorization, form }) => {
    if (method === 'POST' && path === '/oauth/token') return answerErrors(() => tokens.grant(form));
    const operation = /^\/api\/v2\/(.+)$/.exec(path)?.[1];
    if (operation === undefined) return new ApiError(404, 'not_found', 'Not Found').answer;
    const { headers = {}, refusal } = limit?.take() ?? {};
    const answered = await answerErrors(async () => {
      if (refusal !== undefined) throw refusal;
      return answerCall(routes, method, operation, { query, body, scopes: tokens.scopesOf(authorization) });
    });
    return { ...answered, headers };
  };
  const listener = new Listener(certificate, answer);
  await listener.listen();
  const { fetch, close: closeFetch } = createFetch(domain, listener.port, ca.certPem);

  return {
    domain,
    origin: `https://localhost:${listener.port}`,
    ca: ca.certPem,
    fetch,
    credentials: { AUTH0_DOMAIN: domain, AUTH0_CLIENT_ID: tokens.clientId, AUTH0_CLIENT_SECRET: tokens.clientSecret },
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    issueToken: (scopes) => tokens.issue(`https://${domain}/api/v2/`, scopes),
    expireTokens: () => tokens.expireAll(),
    addConnection: (seed) => connections.add(seed, tokens.clientId),
    addAction: (seed) => actions.add(seed),
    plaintext: () => ({
      connections: Object.fromEntries(
        connections.all.map(({ id, name, strategy, fields, options }): [string, JsonObject] => [
          name,
          structuredClone({ id, name, strategy, ...fields, options }),
        ]),
      ),
      actions: structuredClone(actions.plaintext()),
    }),
    requests: listener.requests,
    onRequest: (hook) => listener.hook(hook),
    close: async () => {
      await closeFetch();
      await listener.close();
      await containers?.close();
    },
  };
}

async function answerErrors(work: () => ReturnType<Tokens['grant']>): ReturnType<Tokens['grant']> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError || error instanceof OAuthError) return error.answer;
    throw error;
  }
}

async function mintFor(domain: string): Promise<{ ca: Minted; certificate: Minted }> {
  const ca = await mint({ subject: 'CN=Fake tenant CA', ca: true });
  const certificate = await mint({ subject: `CN=${domain}`, names: [domain, 'localhost', '127.0.0.1'], issuer: ca });
  return { ca, certificate };
}
