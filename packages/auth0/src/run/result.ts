import type { Json } from './events.ts';
import type { ScriptKind } from './roles.ts';

/** The result of a run: plain JSON. Fields are added, never renamed. */
export interface RunResult {
  /** Path of the file, as it was read. */
  readonly script: string;
  readonly kind: ScriptKind;
  /** The key of a database script, the trigger of an Action, the extension point of a Hook; `rule`. */
  readonly name: string;
  /** `refused`: the script said no, as a login with a wrong password should. `error`: anything else that is not a success. */
  readonly status: 'success' | 'refused' | 'error';
  readonly outcome: Outcome;
  /** What an Action asked of `api`, in order. */
  readonly calls: readonly ApiCall[];
  /** What the OAuth client is told. null: not known, or nothing is wrong. */
  readonly client: ClientView | null;
  /** The tenant's log entry, as far as it is documented. */
  readonly log: LogEntry | null;
  /** What the platform would object to in the script. */
  readonly findings: readonly Remark[];
  /** What may be different on the platform. */
  readonly warnings: readonly Remark[];
  readonly console: readonly ConsoleLine[];
  /** The number of lines that are not in `console`: it keeps the last 500. */
  readonly consoleDropped: number;
  readonly modules: readonly LoadedModule[];
  readonly durationMs: number;
  /** `v22.23.3` */
  readonly node: string;
  readonly container: ContainerState;
  /** The single Rules of a chain. */
  readonly rules?: readonly RunResult[];
}

export type Outcome =
  | { readonly type: 'callback'; readonly error: SerializedError | null; readonly values: readonly Json[] }
  /** The handler of an Action ended. */
  | { readonly type: 'returned' }
  /** `thrown`, `uncaughtException`, `unhandledRejection`; `rejected`: by the handler of an Action. */
  | { readonly type: 'exception'; readonly origin: string; readonly error: SerializedError }
  /** `drained`: nothing was left to do. `blocked`: at the time limit, the event loop was not free. `exited`: the process ended. */
  | { readonly type: 'none'; readonly reason: 'drained' | 'time-limit' | 'blocked' | 'exited' };

/** What the platform keeps of an error. For a Hook's error, also its own properties. */
export interface SerializedError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly description?: string;
  readonly user_id?: string | null;
  readonly stack?: string;
  readonly status_code?: number;
  readonly [property: string]: Json | undefined;
}

export interface ApiCall {
  readonly method: string;
  readonly arguments: readonly Json[];
}

export interface ClientView {
  readonly error: string;
  readonly error_description: string;
  /** `documented`: seen in a publication of Auth0. `emulated`: the likeliest meaning of the documentation. */
  readonly basis: 'documented' | 'emulated';
}

export interface LogEntry {
  readonly type: string;
  readonly user_id: string | null;
}

export interface Remark {
  readonly code: string;
  readonly message: string;
}

export interface ConsoleLine {
  readonly level: string;
  readonly text: string;
}

export interface LoadedModule {
  /** As the script wrote it: `pg@8.7.1`. */
  readonly request: string;
  readonly name: string;
  /** The version that was asked for. */
  readonly wanted: string | null;
  /** The installed version. null: none. */
  readonly version: string | null;
}

export interface ContainerState {
  /** Whether an earlier run used it. */
  readonly warm: boolean;
  /** Why it ended with this run. null: it goes on. */
  readonly ended: string | null;
}
