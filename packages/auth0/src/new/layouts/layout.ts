import type { Plan } from '../options.ts';

/** A file to write. `path` uses `/` and is relative to the output folder. */
export interface ScriptFile {
  readonly path: string;
  readonly content: string;
  /** A script, or a file that belongs to scripts. */
  readonly isScript: boolean;
}

/** A finished script, and its key, trigger or extension point. */
export interface Script {
  readonly point: string;
  readonly content: string;
}

/** Where the files of one format go, and which files there are besides the scripts. */
export type LayoutFunction = (scripts: readonly Script[], plan: Plan) => readonly ScriptFile[];

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
