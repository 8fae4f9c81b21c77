import { applyDirectives } from './directives.ts';
import { applyFixes } from './fix.ts';
import { type Finding, runRules } from './host.ts';
import { parseScript, ScriptSyntaxError } from './parse.ts';
import type { Rule } from './rule.ts';
import { rules as allRules } from './rules.ts';
import type { ScriptKind } from './script.ts';

/** Why a file could not be linted. */
export interface LintError {
  readonly message: string;
  /** The line, from 1. undefined: the file could not be read at all. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
}

export interface LintResult {
  readonly path: string;
  readonly findings: readonly Finding[];
  /** undefined: the file could be read. */
  readonly error?: LintError;
  /** The source with its fixes. undefined: nothing was fixed. */
  readonly output?: string;
}

export interface LintTextOptions {
  /** Extension and folder say what the source is. Default: `script.js`. Nothing is read from this path. */
  readonly path?: string;
  /** The names of the rules to run. Default: all. */
  readonly rules?: readonly string[];
  /** Whether to fix what can be fixed safely. Then `output` has the result, and `findings` what is left. Default: false. */
  readonly fix?: boolean;
  /** What the source is for Auth0. Default: detected by its folder and its functions. */
  readonly script?: ScriptKind;
}

/**
 * Lints one source: JavaScript, TypeScript, or a single function as Auth0 keeps it.
 *
 * @throws TypeError if a named rule does not exist. A source that cannot be read is an `error` in the result
 */
export function lintText(text: string, options: LintTextOptions = {}): LintResult {
  const { path = 'script.js', fix = false } = options;
  const rules = chooseRules(options.rules);
  try {
    let source = text;
    let findings = lintOnce(source, path, rules, options.script);
    // One fix may be in the way of another. So the rest is checked again. Each round fixes at least one.
    for (let rounds = 0; fix && rounds < 10; rounds++) {
      const fixed = applyFixes(source, findings);
      if (fixed === source) break;
      source = fixed;
      findings = lintOnce(source, path, rules, options.script);
    }
    return { path, findings, ...(source === text ? {} : { output: source }) };
  } catch (error) {
    // The parser, the scopes and the rules all recurse into the syntax tree.
    if (error instanceof RangeError) return { path, findings: [], error: { message: 'it is nested too deeply' } };
    if (!(error instanceof ScriptSyntaxError)) throw error;
    const { message, line, column } = error;
    return { path, findings: [], error: { message, line, column } };
  }
}

function lintOnce(text: string, path: string, rules: readonly Rule[], script: ScriptKind | undefined): Finding[] {
  const parsed = parseScript(text, path);
  const settings = script === undefined ? {} : { certpin: { script } };
  const findings = runRules(rules, parsed, { text, filename: path, settings });
  const names = (list: readonly Rule[]): Set<string> => new Set(list.map(({ name }) => name));
  return applyDirectives(findings, parsed.comments, names(rules), names(allRules));
}

/** @throws TypeError */
export function chooseRules(names: readonly string[] | undefined): readonly Rule[] {
  const unknown = names?.find((name) => !allRules.some((rule) => rule.name === name));
  if (unknown !== undefined) throw new TypeError('there is no rule of that name');
  return names === undefined ? allRules : allRules.filter(({ name }) => names.includes(name));
}
