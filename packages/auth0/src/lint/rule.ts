import type { Node, Program } from 'estree';
import { howToPin } from './advice.ts';
import { type InlineBlockRange, inlineBlocks } from './inline-blocks.ts';
import { pageOf } from './pages.ts';
import { type Script, type ScriptKind, scriptOf } from './script.ts';
import type { SourceCode } from './source-code.ts';
import { Values } from './values.ts';

// The part of ESLint's interface for rules that our rules need. ESLint or our own host provides it and can run them.

/** A replacement of the text from one offset to another. */
export interface Edit {
  range: [number, number];
  text: string;
}

export interface Fixer {
  replaceTextRange(range: [number, number], text: string): Edit;
}

/** Lines count from 1, columns from 0, as in ESTree. */
export interface Location {
  start: { line: number; column: number };
  end: { line: number; column: number };
}

type Repair = (fixer: Fixer) => Edit;

/** What ESLint's `context.report` takes. */
interface Report {
  loc: Location;
  messageId: string;
  data: Record<string, string>;
  fix: Repair | null;
  suggest: { messageId: string; fix: Repair }[];
}

/** What ESLint gives to a rule. */
export interface HostContext {
  readonly filename: string;
  readonly sourceCode: SourceCode;
  readonly settings: Readonly<Record<string, unknown>>;
  report(report: Report): void;
}

/** The functions that are called for nodes of their type, before their children. `Program:exit` is called after everything. */
export type Listeners = {
  [Type in Node['type']]?: (node: Extract<Node, { type: Type }>) => void;
} & { 'Program:exit'?: (node: Program) => void };

export type Severity = 'error' | 'warning';

/**
 * What happens, and what to write instead: one or two sentences each, with `{{name}}` for the data of a finding. `{{certpin}}` says how to
 * get certpin into this script, by the subpath `how` if the data has one.
 */
interface Message {
  readonly happens: string;
  readonly instead: string;
}

/** A rule, in the form that ESLint takes. */
export interface Rule {
  readonly name: string;
  readonly severity: Severity;
  /** What ESLint shows as one sentence, in its two parts. */
  readonly parts: Readonly<Record<string, Message>>;
  readonly meta: {
    type: 'problem';
    docs: { description: string; recommended: boolean; url: string };
    fixable?: 'code';
    hasSuggestions?: true;
    schema: never[];
    messages: Record<string, string>;
  };
  create(context: HostContext): Listeners;
}

/** What our rules see. */
interface Context<Id extends string> {
  readonly sourceCode: SourceCode;
  /** The values of expressions, as far as they are known without running them. */
  readonly values: Values;
  readonly script: Script;
  report(node: Node, id: Id, options?: { data?: Record<string, string> } & Repairs): void;
}

interface Repairs {
  /** Only if it is shown to be safe: what is written reaches no wrong server that was not reached before, and silences nothing. */
  readonly fix?: Repair | undefined;
  /** If that cannot be shown: a person reads {@link RuleDefinition.suggestion} and decides. */
  readonly suggest?: Repair | undefined;
}

export interface RuleDefinition<Id extends string> {
  readonly name: string;
  readonly severity: Severity;
  readonly description: string;
  /** Some of its findings have a `fix`. */
  readonly fixable?: true;
  /** What to check before a suggested edit is made. undefined: the rule has no suggestion. */
  readonly suggestion?: string;
  readonly messages: Readonly<Record<Id, Message>>;
  create(context: Context<Id>): Listeners;
}

/** The message of {@link RuleDefinition.suggestion}. */
const SUGGESTION = 'suggestion';

export function defineRule<Id extends string>({ create, ...definition }: RuleDefinition<Id>): Rule {
  const { name, severity, description, fixable, suggestion, messages } = definition;
  const texts = Object.entries<Message>(messages).map(([id, { happens, instead }]) => [id, `${happens} ${instead}`]);
  if (suggestion !== undefined) texts.push([SUGGESTION, suggestion]);
  return {
    name,
    severity,
    parts: messages,
    meta: {
      type: 'problem',
      docs: { description, recommended: true, url: pageOf(name) },
      ...(fixable ? { fixable: 'code' } : {}),
      ...(suggestion === undefined ? {} : { hasSuggestions: true }),
      schema: [],
      messages: Object.fromEntries(texts),
    },
    create({ sourceCode, filename, settings, report }) {
      const { values, script, blocks } = knowledgeOf(sourceCode, filename, settings);
      return create({
        sourceCode,
        values,
        script,
        report(node, messageId, { data = {}, fix, suggest } = {}) {
          const [start = 0] = node.range ?? [];
          if (blocks.some(({ range: [from, to] }) => start >= from && start < to)) return;
          report({
            loc: firstLineOf(node, sourceCode.text),
            messageId,
            data: { certpin: howToPin(data.how, script.kind, filename), ...data },
            fix: fix ?? null,
            suggest: suggest === undefined ? [] : [{ messageId: SUGGESTION, fix: suggest }],
          });
        },
      });
    },
  };
}

/** The first line of something that has several lines: an editor that underlines a whole function does not help. */
function firstLineOf({ loc, range }: Node, text: string): Location {
  if (!loc || !range) return { start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };
  const { start, end } = loc;
  if (start.line === end.line) return { start, end };
  const [line = ''] = text.slice(range[0]).split(/[\r\n\u2028\u2029]/, 1);
  return { start, end: { line: start.line, column: start.column + line.length } };
}

interface Knowledge {
  readonly values: Values;
  readonly script: Script;
  readonly blocks: readonly InlineBlockRange[];
}

const known = new WeakMap<SourceCode, Knowledge>();

/** What all rules need to know of a file. It is worked out once. */
function knowledgeOf(sourceCode: SourceCode, filename: string, settings: HostContext['settings']): Knowledge {
  const earlier = known.get(sourceCode);
  if (earlier !== undefined) return earlier;
  const { script: kind } = (settings.certpin ?? {}) as { script?: ScriptKind };
  const blocks = inlineBlocks(sourceCode.text);
  const knowledge = {
    values: new Values(sourceCode, blocks),
    script: scriptOf(sourceCode.ast, filename, kind),
    blocks,
  };
  known.set(sourceCode, knowledge);
  return knowledge;
}
