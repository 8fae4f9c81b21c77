import type { Finding, LintResult } from '@certpin/auth0/lint';
import { type Colors, printable } from '../io.ts';

/** The findings of one file, for people. undefined: there is nothing to report. */
export function renderResult({ path, findings, error }: LintResult, colors: Colors): string | undefined {
  if (error === undefined && findings.length === 0) return undefined;
  const broken =
    error === undefined
      ? []
      : [`  ${place(error.line, error.column, colors)}${colors.red('error')}  ${printable(error.message)}`];
  return [
    colors.underline(printable(path)),
    ...broken,
    ...findings.flatMap((finding) => renderFinding(finding, colors)),
  ].join('\n');
}

function renderFinding(finding: Finding, colors: Colors): string[] {
  const { line, column, severity, rule, message, instead, suggestion } = finding;
  const word = severity === 'error' ? colors.red('error') : colors.yellow('warning');
  return [
    `  ${place(line, column, colors)}${word}  ${colors.bold(rule)}`,
    `    ${printable(message)}`,
    `    ${printable(instead)}`,
    ...(suggestion === undefined ? [] : [`    suggestion: ${printable(suggestion.message)}`]),
  ];
}

function place(line: number | undefined, column: number | undefined, colors: Colors): string {
  return line === undefined ? '' : colors.dim(`${line}:${column}  `);
}

/** The last line of a run. */
export function renderSummary(results: readonly LintResult[]): string {
  const findings = results.flatMap((result) => result.findings);
  const fixable = findings.filter(({ fix }) => fix !== undefined).length;
  const suggested = findings.filter(({ suggestion }) => suggestion !== undefined).length;
  const broken = results.filter(({ error }) => error !== undefined).length;
  const fixed = results.filter(({ output }) => output !== undefined).length;
  return [
    `${count(results.length, 'file')}, ${count(findings.length, 'finding')}`,
    ...(fixable > 0 ? [`${fixable} of them to be repaired by --fix`] : []),
    ...(suggested > 0 ? [`${count(suggested, 'suggestion')} to decide about`] : []),
    ...(fixed > 0 ? [`${count(fixed, 'file')} repaired`] : []),
    ...(broken > 0 ? [`${count(broken, 'file')} could not be read`] : []),
  ].join(', ');
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
