/** What a script said to a login; an error in the words of `/oauth/token`. */
export type LoginResult =
  | { readonly profile: Readonly<Record<string, unknown>> }
  | { readonly error: string; readonly error_description: string };

/** One container: the script and the configuration that it was started with stay until it ends. */
export interface ScriptContainer {
  readonly login: (email: string, password: string) => Promise<LoginResult>;
  readonly close: () => Promise<void>;
}

export type RunContainer = (script: string, configuration: Readonly<Record<string, string | null>>) => ScriptContainer;

/** How long containers that are warm live on with what they were started with. */
export interface ContainerOptions {
  /** Warm containers of each connection. Logins go round. */
  readonly count: number;
  /** Within this time after a write, one after another is replaced; after it, none is left. Default 0. */
  readonly livesMs?: number;
  /** So many of them live on for longer. Default 0. */
  readonly outliers?: number;
  /** How long those do. */
  readonly outliersMs?: number;
  /** After so many logins another one takes its place, with what stands in the tenant then; not one of those that live longer. Default: no limit. */
  readonly loginsEach?: number;
}

/** A login that reached a container. */
export interface LoginRecord {
  readonly connection: string;
  readonly email: string;
  /** Of the container: 1 is what the tenant was seeded with, and each write of `options` is the next. */
  readonly generation: number;
  /** What stood in the tenant at that moment. */
  readonly latest: number;
  /** Whether the container is one of those that live longer. */
  readonly outlier: boolean;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly result: LoginResult;
}
