import { writeSarif } from '../sarif.ts';
import { UNUSED } from './directives.ts';
import type { LintResult } from './lint-text.ts';
import { pageOf } from './pages.ts';
import { rules } from './rules.ts';

/**
 * The results as SARIF 2.1.0: a `result` for each finding, a notification for each file that could not be read.
 *
 * @param version of the program that is named as the tool
 */
export function toSarif(results: readonly LintResult[], version: string): object {
  const unreadable = results.flatMap(({ path, error }) =>
    error === undefined
      ? []
      : [{ message: error.message, place: { path, startLine: error.line, startColumn: error.column } }],
  );
  return writeSarif({
    ...{ version, rules: described, unreadable, isComplete: unreadable.length === 0 },
    results: results.flatMap(({ path, findings }) =>
      findings.map(({ rule, severity, message, instead, line, column, endLine, endColumn }) => ({
        ...{ ruleId: rule, level: severity, message: `${message} ${instead}` },
        place: { path, startLine: line, startColumn: column, endLine, endColumn },
      })),
    ),
  });
}

const described = [
  ...rules.map(({ name, severity, meta }) => ({
    ...{ id: name, text: meta.docs.description, help: meta.docs.url, level: severity },
  })),
  {
    id: UNUSED,
    text: 'A comment that accepts a finding which is not there',
    help: pageOf(UNUSED),
    level: 'warning' as const,
  },
];
