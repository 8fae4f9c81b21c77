import { type ParserOptions, parse, parseExpression } from '@babel/parser';
import type { Comment, ExpressionStatement, Program, VariableDeclaration } from 'estree';
import { foreignLanguage } from '../platform/foreign-source.ts';
import { maskMarkers } from './markers.ts';

export interface Parsed {
  readonly ast: Program;
  readonly comments: Comment[];
}

/** The place at which a source is neither JavaScript nor TypeScript. */
export class ScriptSyntaxError extends Error {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/**
 * Reads JavaScript or TypeScript, by the extension of `path`, into the tree of ESLint's parsers.
 *
 * A module, a CommonJS module, a script, or what Auth0 keeps: a single function, with or without a name. Markers of the Deploy CLI may be
 * anywhere.
 *
 * @throws ScriptSyntaxError
 */
export function parseScript(text: string, path: string): Parsed {
  const options = optionsFor(path);
  try {
    return readProgram(text, options);
  } catch {
    const masked = maskMarkers(text);
    try {
      return readProgram(masked, options);
    } catch (error) {
      try {
        return readFunction(masked, options);
      } catch {
        if (error instanceof RangeError) throw error;
        throw toSyntaxError(error, foreignWords(masked, path)); // the error about the file as a whole
      }
    }
  }
}

/** What to do about a source in another language. */
function foreignWords(text: string, path: string): string | undefined {
  const language = foreignLanguage(text);
  if (language === 'JSON') return 'this is JSON, not a script: name the script, for example login.js, or its folder';
  if (language === undefined && !/\.[cm]?[jt]sx?$/.test(path)) return 'this is neither JavaScript nor TypeScript';
  if (language === undefined || isTypescript(path)) return undefined;
  return 'this is TypeScript, but Auth0 accepts only JavaScript: lint the compiled file, or rename this file to .ts';
}

function toSyntaxError(error: unknown, words: string | undefined): ScriptSyntaxError {
  const { message, loc } = error as { message: string; loc?: { line: number; column: number } };
  if (words !== undefined) return new ScriptSyntaxError(words, loc?.line ?? 1, (loc?.column ?? 0) + 1);
  const reason = message.replace(/ \(\d+:\d+\)$/, '').replace(/\.$/, '');
  return new ScriptSyntaxError(
    /requires enabling one of the following parser plugin/.test(reason)
      ? 'Unexpected token'
      : (reason.split('\n')[0] ?? ''),
    loc?.line ?? 1,
    (loc?.column ?? 0) + 1,
  );
}

function isTypescript(path: string): boolean {
  return /\.[cm]?tsx?$/.test(path);
}

function optionsFor(path: string): ParserOptions {
  const typescript = isTypescript(path);
  const jsx = !/\.[cm]?ts$/.test(path);
  return {
    sourceType: 'unambiguous',
    errorRecovery: true, // Other tools report a name that is declared twice.
    ranges: true,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    plugins: [
      ['estree', { classFeatures: true }],
      ...(typescript ? (['typescript', 'decorators-legacy'] as const) : []),
      ...(jsx ? (['jsx'] as const) : []),
    ],
  };
}

function readProgram(text: string, options: ParserOptions): Parsed {
  const { program, comments, errors } = parse(text, options);
  refuseGuesses(errors);
  const ast = program as unknown as Program;
  ast.body = ast.body.map(importEquals);
  return { ast, comments: toComments(comments) };
}

/** After a syntax error, the parser goes on. Then it has read something other than what is written. */
const GUESSES = /^(?:MissingSemicolon|UnexpectedToken|UnexpectedReservedWord|UnexpectedTokenUnaryExponentiation)$/;

/** @throws SyntaxError of the parser */
function refuseGuesses(errors: unknown): void {
  const guessed = ((errors ?? []) as { reasonCode?: string }[]).find(({ reasonCode = '' }) => GUESSES.test(reasonCode));
  if (guessed !== undefined) throw guessed;
}

/** A function without a name is an expression, and a file of Auth0. A semicolon may follow it. */
function readFunction(text: string, options: ParserOptions): Parsed {
  const read = parseExpression(
    text.replace(/;\s*$/, (end) => end.replace(';', ' ')),
    options,
  );
  if (!/^(?:Arrow)?FunctionExpression$/.test(read.type)) throw new SyntaxError('not a function');
  const { comments, loc } = read;
  const expression = read as unknown as ExpressionStatement['expression'];
  const range: [number, number] = [0, text.length];
  const statement = { type: 'ExpressionStatement', expression, range: expression.range, loc } as ExpressionStatement;
  const ast = {
    type: 'Program',
    sourceType: 'script',
    body: [statement],
    range,
    loc,
    comments: [],
  } as unknown as Program;
  return { ast, comments: toComments(comments) };
}

/** Whether a source is a function without a name. No other parser accepts this as a file. */
export function isBareFunction(text: string): boolean {
  const options = optionsFor('script.js');
  try {
    readProgram(text, options);
    return false;
  } catch {
    try {
      readFunction(text, options);
      return true;
    } catch {
      return false;
    }
  }
}

/** `import pg = require('pg')` in TypeScript is `const pg = require('pg')`. */
function importEquals(statement: Program['body'][number]): Program['body'][number] {
  const { type, id, moduleReference, loc, range } = statement as unknown as Record<string, never>;
  const { type: kind, expression } = (moduleReference ?? {}) as { type?: string; expression?: unknown };
  if (type !== 'TSImportEqualsDeclaration' || kind !== 'TSExternalModuleReference') return statement;
  const place = { loc, range };
  const init = {
    type: 'CallExpression',
    callee: { type: 'Identifier', name: 'require', ...place },
    arguments: [expression],
    ...place,
  };
  return {
    type: 'VariableDeclaration',
    kind: 'const',
    declarations: [{ type: 'VariableDeclarator', id, init, ...place }],
    ...place,
  } as unknown as VariableDeclaration;
}

function toComments(comments: unknown): Comment[] {
  const list = (comments ?? []) as (Omit<Comment, 'type'> & {
    type: 'CommentBlock' | 'CommentLine';
    start: number;
    end: number;
  })[];
  return list.map(({ type, value, loc, start, end }) => ({
    type: type === 'CommentBlock' ? 'Block' : 'Line',
    value,
    range: [start, end],
    ...(loc ? { loc } : {}),
  }));
}
