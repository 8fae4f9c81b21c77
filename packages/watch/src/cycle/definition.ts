import { type Entry, nearEnd, type PinsText, readEntryText, type Span } from '@certpin/pins-file';
import { DEFAULT_INTERVAL_MS } from '../states/late.ts';
import { pinTexts } from '../states/observe.ts';
import type { DueTarget, WatchedTarget } from '../store/store.ts';

/** What the store keeps of a target, so that it can be asked without the file. Where it stays the same, nothing has changed for the target. */
interface Definition {
  readonly version: 1 | 2;
  readonly near: Span;
  readonly text: string;
}

/** What holds for targets that say nothing themselves: the configuration's word wins over the file's. */
export interface Defaults {
  readonly intervalMs: number | undefined;
  readonly expiresWithin: Span | undefined;
}

/** How often targets are asked that say nothing themselves. */
export function intervalOf({ intervalMs }: PinsText, defaults: Defaults): number {
  return defaults.intervalMs ?? intervalMs ?? DEFAULT_INTERVAL_MS;
}

export function toWatched(entry: Entry, text: string, file: PinsText, defaults: Defaults): WatchedTarget {
  const near = nearEnd(entry, file, defaults.expiresWithin);
  const definition: Definition = { version: file.version, near, text };
  return {
    key: entry.key,
    label: entry.label,
    id: entry.id ?? null,
    servername: entry.servername ?? null,
    note: entry.note ?? null,
    line: entry.line,
    pins: pinTexts(entry.policy),
    intervalMs: entry.intervalMs ?? intervalOf(file, defaults),
    text: JSON.stringify(definition),
    isHere: entry.target.protocol === 'file' || 'socketPath' in entry.target,
  };
}

/** @param path of the pins file: a target that is a file is found from its folder */
export function fromWatched({ row, text }: DueTarget, path: string): { readonly entry: Entry; readonly near: Span } {
  const { version, near, text: own } = JSON.parse(text) as Definition;
  return { entry: readEntryText(own, { path, version, index: 0, line: row.line, column: 1 }), near };
}
