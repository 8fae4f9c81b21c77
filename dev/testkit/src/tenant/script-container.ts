/** The answer of a script to a login, with an error in the words of `/oauth/token`. */
export type LoginResult =
  | { readonly profile: Readonly<Record<string, unknown>> }
  | { readonly error: string; readonly error_description: string };

/** One container: it keeps the script and the configuration with which it was started, until it ends. */
export interface ScriptContainer {
  readonly login: (email: string, password: string) => Promise<LoginResult>;
  readonly close: () => Promise<void>;
}

export type RunContainer = (script: string, configuration: Readonly<Record<string, string | null>>) => ScriptContainer;

/** How long warm containers continue with what they were started with. */
export interface ContainerOptions {
  /** Warm containers of each connection. Logins go to them in turn. */
  readonly count: number;
  /** After a write, they are replaced one after the other within this time. After it, none is left. Default 0. */
  readonly livesMs?: number;
  /** How many of them live longer. Default 0. */
  readonly outliers?: number;
  /** How long these live. */
  readonly outliersMs?: number;
  /**
   * After this many logins, a new container takes its place, with what the tenant has then. This does not apply to those that live longer.
   * Default: no limit.
   */
  readonly loginsEach?: number;
}

/** A login that reached a container. */
export interface LoginRecord {
  readonly connection: string;
  readonly email: string;
  /** The generation of the container: 1 is the first content of the tenant, and each write of `options` is the next. */
  readonly generation: number;
  /** The generation of the tenant at that moment. */
  readonly latest: number;
  /** Whether the container is one of those that live longer. */
  readonly outlier: boolean;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly result: LoginResult;
}
