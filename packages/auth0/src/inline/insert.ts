import type { Node, Program } from 'estree';
import { parseScript } from '../lint/parse.ts';
import { type InlineClient, inlineBlock, inlineClients } from './block.ts';
import { findBlocks } from './find.ts';
import { type BlockState, stateOf } from './state.ts';

/**
 * Puts the block of a client into a script. If the script is one function, the block becomes the first thing in its body. Otherwise it goes
 * to the top of the file, after directives and imports.
 *
 * @param path its extension says what the text is
 * @throws ScriptSyntaxError; RangeError if the block has no place in the script, or is already there
 */
export function insertBlock(text: string, client: InlineClient, path: string): string {
  if (findBlocks(text.split(/\r?\n/)).some((block) => block.client === client))
    throw new RangeError(`the script has a block for ${client} already`);
  const { statements, start, indentation } = placeIn(parseScript(text, path).ast, text);
  if (statements.some(declaresCertpin)) {
    const [other] = findBlocks(text.split(/\r?\n/));
    throw new RangeError(
      other === undefined
        ? 'the script has a variable `certpin` of its own'
        : `the script has a block for ${other.client}, and one scope can have only one block`,
    );
  }
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const block = indented(inlineBlock(client).text, indentation).join(newline);
  const [before, rest] = [text.slice(0, start), text.slice(start)];
  const lead = before === '' || before.endsWith('\n') ? '' : newline;
  return `${before}${lead}${block}${/^\r?\n/.test(rest) ? '' : newline}${rest}`;
}

interface Place {
  /** The block will stand before or after them. */
  readonly statements: readonly Node[];
  readonly start: number;
  readonly indentation: string;
}

function placeIn({ body }: Program, text: string): Place {
  const own = body.length === 1 ? bodyOf(body[0] as Node) : undefined;
  const statements = own?.statements ?? body;
  let start = own?.start ?? (/^#!.*\r?\n/.exec(text)?.[0].length || 0);
  for (const statement of statements) {
    if (!('directive' in statement) && statement.type !== 'ImportDeclaration') break;
    start = statement.range?.[1] ?? start;
  }
  const [first] = statements;
  const line = first === undefined ? '' : text.slice(text.lastIndexOf('\n', first.range?.[0] ?? 0) + 1);
  const [indentation = ''] = /^[ \t]*/.exec(line) ?? [];
  return { statements, start, indentation: own === undefined ? '' : indentation || '  ' };
}

/** If the script is one function: Auth0 keeps nothing beside the function of a custom database script. */
function bodyOf(statement: Node): { readonly statements: readonly Node[]; readonly start: number } | undefined {
  const own = statement.type === 'ExpressionStatement' ? statement.expression : statement;
  if (!/^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(own.type)) return undefined;
  const { body } = own as { body: Node };
  if (body.type !== 'BlockStatement') throw new RangeError('the body of the function has no braces');
  return { statements: body.body, start: (body.range?.[0] ?? 0) + 1 };
}

function declaresCertpin(statement: Node): boolean {
  if (statement.type === 'FunctionDeclaration') return statement.id?.name === 'certpin';
  if (statement.type !== 'VariableDeclaration') return false;
  return statement.declarations.some(({ id }) => id.type === 'Identifier' && id.name === 'certpin');
}

function indented(block: string, indentation: string): string[] {
  return block
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : indentation + line));
}

/** What {@link updateBlocks} did. */
export interface BlockUpdate {
  readonly text: string;
  /** The complete blocks: where they were (lines from 1, in the old text), their state, and their versions before and after. */
  readonly updated: readonly {
    readonly client: string;
    readonly line: number;
    /** `unmodified`: the block of this release, without changes. */
    readonly state: BlockState;
    readonly from: string;
    readonly to: string;
  }[];
  /** Blocks without their last line, or for a client that has no block in this release. They stay unchanged. */
  readonly broken: readonly { readonly client: string; readonly line: number }[];
}

/** Replaces every block in a script by the block of this release, at the same place and with the same indentation. */
export function updateBlocks(text: string): BlockUpdate {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r?\n/);
  const found = findBlocks(lines);
  const usable = found.filter(({ complete, client }) => complete && inlineClients.includes(client as InlineClient));
  for (const { client, line, lines: own } of [...usable].reverse()) {
    const [indentation = ''] = /^[ \t]*/.exec(lines[line - 1] ?? '') ?? [];
    lines.splice(line - 1, own.length, ...indented(inlineBlock(client as InlineClient).text, indentation));
  }
  return {
    text: lines.join(newline),
    updated: usable.map((block) => ({
      ...{ client: block.client, line: block.line, state: stateOf(block).block },
      ...{ from: block.version, to: inlineBlock(block.client as InlineClient).version },
    })),
    broken: found.filter((block) => !usable.includes(block)).map(({ client, line }) => ({ client, line })),
  };
}
