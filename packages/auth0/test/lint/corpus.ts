import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A piece of source, and where one rule is to find its faults. */
export interface Sample {
  readonly rule: string;
  readonly title: string;
  readonly isWrong: boolean;
  readonly path: string;
  readonly code: string;
  /** The lines that end with the comment `fault`. */
  readonly faults: readonly number[];
}

const folder = new URL('./samples/', import.meta.url);

export const samples: readonly Sample[] = readdirSync(folder).flatMap((file) =>
  readFileSync(new URL(file, folder), 'utf8')
    .split(/^=== /m)
    .slice(1)
    .map((section) => toSample(basename(file, '.txt'), section)),
);

function toSample(rule: string, section: string): Sample {
  const [heading = '', ...lines] = section.trimEnd().split('\n');
  const [, kind, title = '', path = 'script.js'] = /^(right|wrong): (.*?)(?: \(path: (.*)\))?$/.exec(heading) ?? [];
  if (kind === undefined) throw new Error(`${rule}: ${heading}`);
  const faults = lines.flatMap((line, index) => (/\/\/ fault$/.test(line) ? [index + 1] : []));
  return { rule, title, isWrong: kind === 'wrong', path, code: `${lines.join('\n')}\n`, faults };
}
