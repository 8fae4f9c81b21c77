import type { Node, Program } from 'estree';
import { parseScript } from '../lint/parse.ts';
import { type InlineClient, inlineBlock, inlineClients } from './block.ts';
import { findBlocks } from './find.ts';
import { type BlockState, stateOf } from './state.ts';

/**
 * Puts the block of a client into a script: as the first thing in the body of the function, where the script is one function, and else
 * at the top of the file, after its directives and imports.
 *
 * @param path says by its extension what the text is
 * @throws ScriptSyntaxError; RangeError where the block has no place in the script, or one is there
 */
export function insertBlock(text: string, client: InlineClient, path: string): string {
  if (findBlocks(text.split(/\r?\n/)).some((block) => block.client === client))
    throw new RangeError(`a block for ${client} is there already`);
  const { statements, start, indentation } = placeIn(parseScript(text, path).ast, text);
  if (statements.some(declaresCertpin)) {
    const [other] = findBlocks(text.split(/\r?\n/));
    throw new RangeError(
      other === undefined
        ? 'the script has a variable `certpin` of its own'
        : `the block for ${other.client} is there, and one scope has room for one`,
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

/** Of a function that is all of the script: nothing may stand beside what Auth0 keeps of a custom database script. */
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
  /** The whole blocks: where they stand (from 1, in the old text), what they were, and their versions before and after. */
  readonly updated: readonly {
    readonly client: string;
    readonly line: number;
    /** `unmodified`: the block of this release, to which nothing was done. */
    readonly state: BlockState;
    readonly from: string;
    readonly to: string;
  }[];
  /** Blocks without their last line, or for a client that this release has no block for. They stay as they are. */
  readonly broken: readonly { readonly client: string; readonly line: number }[];
}

/** Replaces every block in a script by the block of this release, in its place and with its indentation. */
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
