import type { Comment } from 'estree';
import { byPlace, type Finding, placeOf } from './host.ts';
import { pageOf } from './pages.ts';
import type { Location } from './rule.ts';

/** The name under which a comment that disables nothing is reported. */
export const UNUSED = 'unused-disable';

const DIRECTIVE = /^\s*certpin-lint-disable-(next-line|line)(?:\s+([\s\S]*?))?\s*$/;

interface Directive {
  /** Where the comment stands. */
  readonly loc: Location;
  /** The line whose findings the comment accepts. */
  readonly line: number;
  /** The rule. undefined: the comment names none. */
  readonly rule: string | undefined;
}

/**
 * Removes the findings that a comment in the source accepts: `// certpin-lint-disable-next-line rule, rule -- why`, or
 * `certpin-lint-disable-line`. A comment without a rule accepts nothing: it would also accept the next fault. A comment that accepts
 * nothing is reported itself.
 *
 * @param ran the rules that were run. A comment about another rule is left alone
 */
export function applyDirectives(
  findings: readonly Finding[],
  comments: readonly Comment[],
  ran: ReadonlySet<string>,
  known: ReadonlySet<string>,
): Finding[] {
  const directives = comments.flatMap(directivesOf);
  const accepts = ({ line, rule }: Directive, finding: Finding): boolean =>
    line === finding.line && rule === finding.rule;
  const left = findings.filter((finding) => !directives.some((directive) => accepts(directive, finding)));
  const unused = directives.filter(
    (directive) =>
      !findings.some((finding) => accepts(directive, finding)) &&
      (directive.rule === undefined || ran.has(directive.rule) || !known.has(directive.rule)),
  );
  return [...left, ...unused.map((directive) => toFinding(directive, known))].sort(byPlace);
}

function directivesOf({ value, loc }: Comment): Directive[] {
  const [, which, rest = ''] = DIRECTIVE.exec(value) ?? [];
  if (which === undefined || !loc) return [];
  const line = which === 'line' ? loc.start.line : loc.end.line + 1;
  const rules = (rest.split(/(?:^|\s)--(?:\s|$)/)[0] ?? '').split(/[\s,]+/).filter((name) => name !== '');
  return rules.length === 0 ? [{ loc, line, rule: undefined }] : rules.map((rule) => ({ loc, line, rule }));
}

function toFinding({ loc, rule }: Directive, known: ReadonlySet<string>): Finding {
  const message =
    rule === undefined
      ? 'The comment names no rule, so it accepts nothing.'
      : known.has(rule)
        ? `The comment accepts a finding of ${rule}, and there is none.`
        : 'The comment names a rule that certpin does not have.';
  return {
    rule: UNUSED,
    severity: 'warning',
    ...placeOf(loc),
    message,
    instead: 'Write the name of the rule after certpin-lint-disable-next-line, or remove the comment.',
    page: pageOf(UNUSED),
  };
}
