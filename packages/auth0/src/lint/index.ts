export { UNUSED } from './directives.ts';
export { type LintFilesOptions, lintFiles } from './files.ts';
export type { Finding, Suggestion } from './host.ts';
export { type LintError, type LintResult, type LintTextOptions, lintText } from './lint-text.ts';
export { readPage } from './pages.ts';
export type { Rule, Severity } from './rule.ts';
export { rules } from './rules.ts';
export { toSarif } from './sarif.ts';
export type { ScriptKind } from './script.ts';
