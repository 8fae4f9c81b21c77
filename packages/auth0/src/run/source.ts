import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseExpression } from '@babel/parser';
import { decodeText } from 'certpin/probe';
import { foreignLanguage } from '../platform/foreign-source.ts';
import { RunError } from './run-error.ts';

/** A file, or the text itself. */
export type Script = string | URL | ScriptText;

export interface ScriptText {
  readonly source: string;
  /** Its name in the result and in stack traces. The role may follow from it (`login.js`). Default `script.js`. */
  readonly fileName?: string;
  /** The folder in which its modules are looked for first. Default: the working folder. */
  readonly folder?: string;
}

/** A script that was read, but not run yet. */
export interface Source {
  readonly file: string;
  readonly folder: string;
  readonly bytes: number;
  /** What Node gets: an expression without its trailing semicolon, or statements. */
  readonly text: string;
  readonly form: 'expression' | 'statements';
  readonly trailingSemicolon: boolean;
  /** The function of an expression, or the functions at the top of statements. */
  readonly functions: readonly ScriptFunction[];
  /** Names of `exports.name = …`. */
  readonly exported: readonly string[];
  /** The function of `module.exports = function (…) {}`. */
  readonly moduleExport: ScriptFunction | undefined;
}

export interface ScriptFunction {
  /** undefined: anonymous. */
  readonly name: string | undefined;
  readonly parameters: readonly string[];
}

/** What is used of Babel's nodes, by shape. */
interface Node {
  readonly type: string;
  readonly id?: { readonly name?: string } | null;
  readonly params?: readonly { readonly name?: string; readonly left?: { readonly name?: string } }[];
}

type Statement = ReturnType<typeof parse>['program']['body'][number];

/**
 * The text of a script, for callers that run it more than once: a file may change between two runs.
 *
 * @param cwd the folder in which its name is looked for. Default: the working folder of this process
 * @throws RunError `ERR_SCRIPT_UNREADABLE`
 */
export function readScript(script: Script, cwd: string = process.cwd()): ScriptText {
  const { text, file, folder } = readText(script, cwd);
  return { source: text, fileName: basename(file), folder };
}

/** @throws RunError `ERR_SCRIPT_UNREADABLE`, `ERR_SCRIPT_SYNTAX` */
export function readSource(script: Script, cwd: string): Source {
  const { text, file, folder } = readText(script, cwd);
  const marker = /@@\w+@@/.exec(text)?.[0];
  if (marker !== undefined) {
    const hint = "replace the Deploy CLI's keywords first, as a0deploy does";
    throw new RunError('ERR_SCRIPT_SYNTAX', `${basename(file)} still has the marker ${marker}`, hint);
  }
  const common = { file, folder, bytes: Buffer.byteLength(text) };
  const expression = readExpression(text);
  if (expression !== undefined) return { ...common, ...expression };
  refuseModule(text, basename(file));
  return { ...common, ...readStatements(text, file) };
}

/** For `import` and `export`, the parser only says that they need another option of the parser. @throws RunError */
function refuseModule(text: string, name: string): void {
  if (!/^\s*(?:import|export)\b/m.test(text)) return;
  try {
    parse(text, { sourceType: 'module' });
  } catch {
    return; // The next reader reports what it is.
  }
  const hint = 'write require() for import, and exports.NAME = for export';
  throw new RunError('ERR_SCRIPT_SYNTAX', `${name} is an ES module, but Auth0 accepts only CommonJS`, hint);
}

function readText(script: Script, cwd: string): { text: string; file: string; folder: string } {
  if (typeof script === 'object' && 'source' in script) {
    const folder = resolve(cwd, script.folder ?? '.');
    return { text: script.source, file: join(folder, script.fileName ?? 'script.js'), folder };
  }
  const file = typeof script === 'string' ? resolve(cwd, script) : fileURLToPath(script);
  try {
    // A device or a pipe may have no end, and the platform accepts no more than 100 kB.
    const found = statSync(file);
    if (!found.isFile()) throw new Error(found.isDirectory() ? 'it is a directory' : 'it is not a regular file');
    return { text: decodeText(readFileSync(file)), file, folder: dirname(file) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : message;
    throw new RunError('ERR_SCRIPT_UNREADABLE', `${basename(file)}: ${reason}`);
  }
}

type Shape = Pick<Source, 'text' | 'form' | 'trailingSemicolon' | 'functions' | 'exported' | 'moduleExport'>;

/** A semicolon that only white space and comments follow. Each of them can be read in only one way, so this takes no time. */
const LAST_SEMICOLON = /;(?=(?:\s|\/\/[^\n\r\u2028\u2029]*(?:[\n\r\u2028\u2029]|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*$)/;

/** The platform's wrapper accepts a bare function: `(<script>)(args)`, `var fn = <script>`. */
function readExpression(text: string): Shape | undefined {
  for (const [candidate, trailingSemicolon] of [
    [text, false],
    [text.replace(LAST_SEMICOLON, ''), true],
  ] as const) {
    try {
      const found = toFunction(parseExpression(candidate, { sourceType: 'script' }) as Node);
      if (found === undefined) return undefined;
      const shape = { functions: [found], exported: [], moduleExport: undefined };
      return { text: candidate, form: 'expression', trailingSemicolon, ...shape };
    } catch {
      // It is read as statements next, and that error is the one to report.
    }
  }
  return undefined;
}

/** @throws RunError */
function readStatements(text: string, file: string): Shape {
  let body: readonly Statement[];
  try {
    body = parse(text, { sourceType: 'script' }).program.body;
  } catch (error) {
    throw syntaxError(text, basename(file), error as Error);
  }
  const functions: ScriptFunction[] = [];
  const exported: string[] = [];
  let moduleExport: ScriptFunction | undefined;
  for (const statement of body) {
    const declared = toFunction(statement as Node);
    if (declared !== undefined) functions.push(declared);
    if (statement.type === 'VariableDeclaration') {
      for (const { id, init } of statement.declarations) {
        const found = init ? toFunction(init as Node) : undefined;
        if (id.type === 'Identifier' && found !== undefined) functions.push({ ...found, name: id.name });
      }
    }
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue;
    const { left, right } = statement.expression;
    const path = left.type === 'MemberExpression' ? text.slice(left.start ?? 0, left.end ?? 0) : '';
    if (path === 'module.exports') {
      const named = functions.find(({ name }) => right.type === 'Identifier' && name === right.name);
      moduleExport = toFunction(right as Node) ?? named;
    } else {
      const name = /^(?:module\.)?exports\.(\w+)$/.exec(path)?.[1];
      if (name !== undefined) exported.push(name);
    }
  }
  return { text, form: 'statements', trailingSemicolon: false, functions, exported, moduleExport };
}

/** What a person can do about a source that is not JavaScript. Otherwise, what the parser says. */
function syntaxError(text: string, name: string, { message }: Error): RunError {
  const language = foreignLanguage(text);
  if (language === 'TypeScript') {
    const words = `${name} is TypeScript, but Auth0 accepts only JavaScript`;
    return new RunError('ERR_SCRIPT_SYNTAX', words, 'name the compiled JavaScript file');
  }
  if (language === 'JSON') {
    return new RunError('ERR_SCRIPT_SYNTAX', `${name} is JSON, not a script`, 'name the script, for example login.js');
  }
  return new RunError('ERR_SCRIPT_SYNTAX', `${name}: ${message}`);
}

const functionTypes: readonly string[] = ['FunctionExpression', 'ArrowFunctionExpression', 'FunctionDeclaration'];

function toFunction({ type, id, params = [] }: Node): ScriptFunction | undefined {
  if (!functionTypes.includes(type)) return undefined;
  return { name: id?.name, parameters: params.map(({ name, left }) => name ?? left?.name ?? '…') };
}
