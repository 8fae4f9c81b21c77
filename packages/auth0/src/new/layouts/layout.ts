import type { Plan } from '../options.ts';

/** A file that is to be written; `path` has `/` and is relative to the folder of the output. */
export interface ScriptFile {
  readonly path: string;
  readonly content: string;
  /** A script, or what stands beside scripts. */
  readonly isScript: boolean;
}

/** A finished script, and its key, trigger or extension point. */
export interface Script {
  readonly point: string;
  readonly content: string;
}

/** Where the files of one format stand, and what stands beside the scripts. */
export type LayoutFunction = (scripts: readonly Script[], plan: Plan) => readonly ScriptFile[];

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
