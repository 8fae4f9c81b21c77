import type { ScriptArguments } from './arguments.ts';

export interface ContainerOptions {
  /** Major version (`18`, `node22`) or path. Default: the Node of this process. */
  readonly node?: string;
  /** The folder for file names and modules, after the script's own folder. Default: the working folder of this process. */
  readonly cwd?: string;
  /** `configuration` of database scripts and Rules. Default: empty. */
  readonly configuration?: Readonly<Record<string, string | null>>;
  /** Default 20 000, as on the platform. */
  readonly timeLimitMs?: number;
  /** How many milliseconds a script is watched after its answer, unless it has nothing left to do before. Default 100. */
  readonly settleMs?: number;
  /** A PEM file with CAs that count as public ones. Default: none. */
  readonly trustedCaFile?: string;
}

export interface RunOptions extends ScriptArguments {
  /** `login`, `rule`, `action:post-login`, `hook:send-phone-message` … Default: detected from the script. */
  readonly as?: string;
  /** The exported function of an Action. Default: the trigger's usual one, or the exported one. */
  readonly handler?: string;
  /** Replaces the container's own. */
  readonly configuration?: Readonly<Record<string, string | null>>;
  /** The global `auth0` of Rules. */
  readonly auth0?: { readonly domain: string; readonly accessToken: string; readonly baseUrl: string };
  /** What methods of an Action's `api` return, by name: `{ 'rules.wasExecuted': true }`. */
  readonly returns?: Readonly<Record<string, unknown>>;
}
