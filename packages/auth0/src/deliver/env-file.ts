/** The one line `NAME=value` of a file of environment variables. */
export interface Variable {
  readonly text: string | undefined;
  readonly replace: (text: string) => string;
}

/** Name, then a value in quotes or without them, then perhaps a comment. */
const ASSIGNMENT =
  /^(?<head>[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*)(?<value>"[^"\\]*"|'[^']*'|[^\s"'#]*)(?<tail>[ \t]*(?:#.*)?)$/;
const OPENS = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*(?<quote>["'])/;

/** @returns the variable, or why it cannot be used */
export function findVariable(text: string, name: string): Variable | string {
  const end = /\r?\n/.exec(text)?.[0] ?? '\n';
  const lines = text.split(/(?<=\n)/);
  const found: { readonly at: number; readonly line: RegExpExecArray }[] = [];
  let quote: string | undefined;
  for (const [at, whole] of lines.entries()) {
    const line = whole.replace(/\r?\n$/, '');
    if (quote !== undefined) {
      // Inside a value of several lines, a line that looks like the variable is only text.
      if (closes(line, quote)) quote = undefined;
      continue;
    }
    const bare = at === 0 ? line.replace(/^\uFEFF/, '') : line;
    const match = ASSIGNMENT.exec(bare);
    if (match?.groups?.name === name) found.push({ at, line: match });
    else if (new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=`).test(bare)) {
      return `the value of ${name} is written in a way that certpin does not change`;
    }
    const opened = OPENS.exec(bare);
    const mark = opened?.groups?.quote;
    if (match === null && opened !== null && mark !== undefined && !closes(bare.slice(opened[0].length), mark))
      quote = mark;
  }
  const [one, other] = found;
  if (other !== undefined) return `${name} occurs several times`;
  if (one === undefined) {
    const between = text === '' || text.endsWith('\n') ? '' : end;
    return { text: undefined, replace: (value: string) => `${text}${between}${name}=${value}${end}` };
  }
  const { head = '', value = '', tail = '' } = one.line.groups ?? {};
  const mark = /^["']/.exec(value)?.[0] ?? '';
  return {
    text: mark === '' ? value : value.slice(1, -1),
    replace: (text: string) => {
      const whole = lines[one.at] ?? '';
      const bom = one.at === 0 && whole.startsWith('\uFEFF') ? '\uFEFF' : '';
      const lineEnd = /\r?\n$/.exec(whole)?.[0] ?? '';
      const changed = `${bom}${head}${mark}${text}${mark}${tail}${lineEnd}`;
      return [...lines.slice(0, one.at), changed, ...lines.slice(one.at + 1)].join('');
    },
  };
}

function closes(text: string, quote: string): boolean {
  return new RegExp(`(?<!\\\\)${quote}`).test(text);
}
