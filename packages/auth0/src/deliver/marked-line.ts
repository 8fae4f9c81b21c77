import { parse } from '@babel/parser';

/** What is looked at of Babel's nodes. */
interface Declaration {
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } };
  readonly declarations: readonly {
    readonly init?: {
      readonly type: string;
      readonly value: string;
      readonly start: number;
      readonly end: number;
    } | null;
  }[];
}

/** The line of a script that holds the pins of a target. */
export interface MarkedLine {
  readonly text: string;
  /** The code with other pins in that line, and otherwise unchanged. */
  readonly replace: (text: string) => string;
}

/**
 * Finds `const DB_PINS = '…'; // certpin: id`. It must be code, and occur once. In a comment or a text, a replacement would have no effect.
 *
 * @returns the line, or why there is none
 */
export function findMarkedLine(code: string, id: string): MarkedLine | string {
  let file: ReturnType<typeof parse>;
  try {
    file = parse(code, { sourceType: 'unambiguous', allowReturnOutsideFunction: true, tokens: false });
  } catch {
    return 'its code cannot be read: it is not JavaScript';
  }
  const marks = (file.comments ?? []).filter(({ type, value }) => type === 'CommentLine' && markOf(value) === id);
  const [mark, other] = marks;
  if (mark === undefined) return `there is no line that ends with // certpin: ${id}`;
  if (other !== undefined) return `there are several lines that end with // certpin: ${id}`;
  const line = mark.loc?.start.line;
  const found = declarationsOf(file.program).filter(({ loc }) => loc.start.line === line && loc.end.line === line);
  const [declaration] = found;
  const value = declaration?.declarations[0]?.init;
  if (found.length !== 1 || declaration?.declarations.length !== 1 || value?.type !== 'StringLiteral') {
    return `the line that ends with // certpin: ${id} is not of the form const DB_PINS = '…'; // certpin: ${id}`;
  }
  const { start, end } = value;
  const quote = code[start];
  return {
    text: value.value,
    replace: (text: string) => `${code.slice(0, start)}${quote}${text}${quote}${code.slice(end)}`,
  };
}

function markOf(comment: string): string | undefined {
  return /^\s*certpin:\s*(\S+)\s*$/.exec(comment)?.[1];
}

/** Every declaration of variables, however deep. */
function declarationsOf(program: object): Declaration[] {
  const found: Declaration[] = [];
  const stack: unknown[] = [program];
  while (stack.length > 0) {
    const one = stack.pop();
    if (Array.isArray(one)) stack.push(...one);
    else if (typeof one === 'object' && one !== null && 'type' in one) {
      if (one.type === 'VariableDeclaration') found.push(one as unknown as Declaration);
      for (const [key, value] of Object.entries(one)) if (!/Comments$|^loc$/.test(key)) stack.push(value);
    }
  }
  return found;
}
