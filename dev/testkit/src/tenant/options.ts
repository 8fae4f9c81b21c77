import type { ContainerOptions, LoginRecord, RunContainer } from './script-container.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** The behaviour of the fake tenant. If Auth0 does not document something, there is a mode for each possible behaviour. */
export interface FakeTenantOptions {
  /** The domain that it claims. Default `acme.eu.auth0.com`. */
  readonly domain?: string;
  /** Ciphertext of `configuration` that is sent back. `echo`: the plaintext stays (default). `encrypted-twice`: the ciphertext becomes the plaintext. */
  readonly ciphertext?: 'echo' | 'encrypted-twice';
  /** Entries of an Action's `secrets` that have a name and no value. Default `kept`. */
  readonly nameOnlySecrets?: 'kept' | 'emptied';
  /** `realms` that a PATCH leaves out. `renamed`: they become the name of the connection. Default `kept`. */
  readonly realms?: 'kept' | 'renamed';
  /** What is granted to the client. Default: all that the fake has. */
  readonly scopes?: readonly string[];
  /** The grants of the client. Default: both that the fake knows. */
  readonly grants?: readonly string[];
  /** Every login by password is answered with `mfa_required`. */
  readonly mfa?: boolean;
  /** The number of requests to the Management API in each window, then 429. Default: no limit. */
  readonly rateLimit?: { readonly requests: number; readonly windowMs: number };
  /** How long the build of a draft or a version of an Action takes. Default 0. */
  readonly buildMs?: number;
  /** Whether builds fail: all of them, or those that are named. */
  readonly failBuilds?:
    | boolean
    | ((build: { readonly name: string; readonly code: string; readonly of: 'draft' | 'version' }) => boolean);
  /** Runs the `login` script of a connection. Without it, no login by password is possible. */
  readonly runContainer?: RunContainer;
  /** Default: one container for each connection, which uses a change at once. */
  readonly containers?: ContainerOptions;
  /** Runs the draft of an Action when it is tested. The result is passed on unchanged. Without it, no Action can be tested. */
  readonly runAction?: (run: {
    readonly code: string;
    readonly secrets: Readonly<Record<string, string>>;
    readonly payload: JsonObject;
  }) => Promise<JsonObject>;
  /** Called for each login that reached a container. */
  readonly onLogin?: (login: LoginRecord) => void;
}

/** A request, in the form for a test. */
export interface TenantRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The sent JSON. undefined for tokens, because these requests contain passwords. */
  readonly body: unknown;
}

/** An answer, as it is sent. */
export interface TenantAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Intervenes between a client and the tenant. `proceed` lets the tenant do what it was asked for, and gives its answer. The client gets
 * what the hook returns. `hang`: no answer, ever. `hang-up`: the connection is cut.
 */
export type RequestHook = (
  request: TenantRequest,
  proceed: () => Promise<TenantAnswer>,
) => Promise<TenantAnswer | 'hang' | 'hang-up'>;

/** A connection that the tenant has before a test begins, with `options.configuration` in plaintext. */
export interface ConnectionSeed {
  readonly name: string;
  /** Default `auth0`: a database connection. */
  readonly strategy?: string;
  readonly display_name?: string;
  readonly options?: JsonObject;
  /** Default: the name. */
  readonly realms?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly is_domain_connection?: boolean;
  readonly show_as_button?: boolean;
  readonly authentication?: JsonObject;
  readonly connected_accounts?: JsonObject;
  /** Default: the client of the fake. */
  readonly enabled_clients?: readonly string[];
}

/** An Action that the tenant has before a test begins, already built. */
export interface ActionSeed {
  readonly name: string;
  readonly code: string;
  /** In plaintext. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly dependencies?: readonly { readonly name: string; readonly version: string }[];
  /** Default `node22`. */
  readonly runtime?: string;
  readonly modules?: readonly JsonObject[];
  /** Default `post-login`, v3. */
  readonly supported_triggers?: readonly { readonly id: string; readonly version: string }[];
  /** Default true: what it says is deployed. */
  readonly deployed?: boolean;
  /** Code that somebody has written into the draft since. */
  readonly draftCode?: string;
}

/** Every secret in plaintext, which no client ever gets. */
export interface Plaintext {
  readonly connections: Readonly<Record<string, JsonObject>>;
  readonly actions: Readonly<Record<string, PlainAction>>;
}

export interface PlainAction {
  readonly id: string;
  readonly draft: PlainContent;
  readonly deployed: PlainContent | null;
  /** Versions, the deployed one included. */
  readonly versions: number;
}

export interface PlainContent {
  readonly code: string;
  readonly runtime: string;
  readonly dependencies: Json;
  readonly modules: Json;
  readonly supported_triggers: Json;
  readonly secrets: Readonly<Record<string, string>>;
}
