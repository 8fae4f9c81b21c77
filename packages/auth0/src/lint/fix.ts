import type { Finding } from './host.ts';

/** The source with all fixes that do not overlap, the first ones first. */
export function applyFixes(text: string, findings: readonly Finding[]): string {
  const edits = findings
    .flatMap(({ fix }) => (fix === undefined ? [] : [fix]))
    .sort(({ range: [a] }, { range: [b] }) => a - b);
  let fixed = '';
  let done = 0;
  for (const { range, text: replacement } of edits) {
    const [start, end] = range;
    if (start < done) continue;
    fixed += text.slice(done, start) + replacement;
    done = end;
  }
  return fixed + text.slice(done);
}
