/** A text in a configuration of Terraform, as Terraform reads it. */
export interface HclText {
  readonly text: string;
  /** The line of the file, from 1, of the text's first line. */
  readonly line: number;
  /** Whether each line of the text is a line of the file. */
  readonly isVerbatim: boolean;
  /** The first line with a value that Terraform inserts. undefined: it inserts none. */
  readonly evaluatedAt: number | undefined;
  /** Whether Terraform changes the text: in a function call, a condition, or a `for`. */
  readonly isComputed: boolean;
}

const HEREDOC = /<<(-?)([\p{ID_Start}_][\p{ID_Continue}-]*)[ \t]*\n/uy;
const COMMENT = /(?:#|\/\/)[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;

/** The quoted texts and heredocs of a file of Terraform. @param source with `\n` as its line end */
export function readHcl(source: string): readonly HclText[] {
  const found: HclText[] = [];
  const around = new Expression();
  const lineAt = (offset: number): number => source.slice(0, offset).split('\n').length;
  let at = 0;
  while (at < source.length) {
    const comment = matchAt(COMMENT, source, at);
    const heredoc = comment === undefined ? matchAt(HEREDOC, source, at) : undefined;
    if (comment !== undefined) at += comment[0].length;
    else if (heredoc !== undefined) {
      const [opening, indented = '', marker = ''] = heredoc;
      const lines = source.slice(at + opening.length).split('\n');
      const end = lines.findIndex((line) => line.trim() === marker);
      const body = end === -1 ? lines : lines.slice(0, end);
      const text = (indented === '' ? body : withoutIndentation(body)).map((one) => `${one}\n`).join('');
      found.push({ ...readTemplate(text), line: lineAt(at) + 1, isVerbatim: true, isComputed: around.isComputed });
      at += opening.length + body.join('\n').length + (end === -1 ? 0 : 1 + (lines[end] ?? '').length);
    } else if (source[at] === '"') {
      const end = endOfQuoted(source, at + 1);
      const inner = unquoted(source.slice(at + 1, end));
      found.push({ ...readTemplate(inner), line: lineAt(at), isVerbatim: false, isComputed: around.isComputed });
      at = end + 1;
    } else {
      const [word = ''] = matchAt(WORD, source, at) ?? [];
      around.take(word || (source[at] as string));
      at += word.length || 1;
    }
  }
  return found;
}

const WORD = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;

/** The characters and words between the texts, as far as they decide what happens to a text. */
class Expression {
  /** For each open bracket: whether its content is computed with. */
  readonly #open: boolean[] = [];
  #isFirst = false;
  #isConditional = false;

  get isComputed(): boolean {
    return this.#isConditional || this.#open.includes(true);
  }

  take(token: string): void {
    if (token === '\n' || token === ',') this.#isConditional = false;
    if (token === '?') this.#isConditional = true;
    if (token === 'for' && this.#isFirst) this.#open.splice(-1, 1, true);
    if (/[)\]}]/.test(token)) this.#open.pop();
    if (/[([{]/.test(token)) this.#open.push(token === '(');
    if (token.trim() !== '') this.#isFirst = /[[{]/.test(token);
  }
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at;
  return expression.exec(text) ?? undefined;
}

/** `$${` stands for `${`, and `%%{` for `%{`. Without the second character, Terraform evaluates what follows. */
export function readTemplate(text: string): Pick<HclText, 'text' | 'evaluatedAt'> {
  const evaluated = /(?:(?<![$])\$|(?<![%])%)\{/.exec(text)?.index;
  return {
    text: text.replace(/([$%])\1\{/g, '$1{'),
    evaluatedAt: evaluated === undefined ? undefined : text.slice(0, evaluated).split('\n').length,
  };
}

/** `<<-` removes from every line the indentation that all have. A line of white space does not count, and stays. */
function withoutIndentation(lines: readonly string[]): string[] {
  const depths = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const depth = depths.length === 0 ? 0 : Math.min(...depths);
  return lines.map((line) => (line.trim() === '' ? line : line.slice(depth)));
}

/** Where a quoted text ends. An expression inside may contain quoted texts of its own. */
function endOfQuoted(source: string, from: number): number {
  for (let at = from; at < source.length; at++) {
    const character = source[at];
    if (character === '"' || character === '\n') return at;
    if (character === '\\') at++;
    else if (/^[$%]\{/.test(source.slice(at, at + 2)))
      at = /^([$%])\1/.test(source.slice(at - 1, at + 1)) ? at + 1 : endOfEvaluated(source, at + 2);
  }
  return source.length;
}

function endOfEvaluated(source: string, from: number): number {
  let depth = 1;
  for (let at = from; at < source.length; at++) {
    if (source[at] === '"') at = endOfQuoted(source, at + 1);
    else if (source[at] === '{') depth++;
    else if (source[at] === '}' && --depth === 0) return at;
  }
  return source.length;
}

function unquoted(text: string): string {
  const signs: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g, (whole, short, long, sign: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (!Number.isNaN(code)) return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
    return signs[sign] ?? whole;
  });
}
