import type { RunScriptOptions } from '../run/run-script.ts';

export interface ProveOptions extends RunScriptOptions {
  /** How long a script is watched if its first connection stalls. Default: the time limit at which the platform ends the container. */
  readonly stallMs?: number;
}
