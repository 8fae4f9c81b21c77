import { applyEdits, type Edit, findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';

/** What `certpin trust` writes of a target. */
export interface NewEntry {
  readonly target: string;
  readonly pins: readonly string[];
  readonly protocol?: string | undefined;
  readonly servername?: string | undefined;
}

/** A pins file with one target. */
export function createText(entry: NewEntry): string {
  return `${JSON.stringify({ version: 1, targets: [entry] }, null, 2)}\n`;
}

/** Behind the last target, in the form of the others. */
export function addEntry(text: string, entry: NewEntry): string {
  const list = nodeAt(text, ['targets']);
  const last = list.children?.at(-1);
  const isInline = last !== undefined && !/[\r\n]/.test(text.slice(last.offset, last.offset + last.length));
  const { end, unit } = styleOf(text);
  const render = (indent: string): string =>
    isInline ? inline(entry) : JSON.stringify(entry, null, unit).replaceAll('\n', `${end}${indent}`);
  return applyEdits(text, append(text, list, render));
}

/** Behind the last pin of a target, or as its first. */
export function addPin(text: string, index: number, pin: string): string {
  const list = findNodeAtLocation(treeOf(text), ['targets', index, 'pins']);
  const quoted = JSON.stringify(pin);
  if (list !== undefined)
    return applyEdits(
      text,
      append(text, list, () => quoted),
    );
  return applyEdits(
    text,
    append(text, nodeAt(text, ['targets', index]), () => `"pins": [${quoted}]`),
  );
}

/** The list of a target's pins, with the comments in it: they are about pins that are gone. */
export function replacePins(text: string, index: number, pin: string): string {
  const list = findNodeAtLocation(treeOf(text), ['targets', index, 'pins']);
  if (list === undefined) return addPin(text, index, pin);
  return applyEdits(text, [{ offset: list.offset, length: list.length, content: JSON.stringify([pin]) }]);
}

/** `{ "target": "…", "pins": ["…"] }` */
function inline(entry: NewEntry): string {
  const fields = Object.entries(entry).filter(([, value]) => value !== undefined);
  return `{ ${fields.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ')} }`;
}

/**
 * Appends to a list or an object. A comment behind the last item, in its line, is about that item and stays with it, which is what the
 * edits of jsonc-parser do not do.
 */
function append(text: string, container: Node, render: (indent: string) => string): Edit[] {
  const close = container.offset + container.length - 1;
  const { end, unit } = styleOf(text);
  const insert = (offset: number, content: string): Edit => ({ offset, length: 0, content });
  const last = container.children?.at(-1);
  if (last === undefined) {
    const inside = text.slice(container.offset + 1, close);
    const outer = indentAt(text, container.offset);
    const indent = `${outer}${unit}`;
    if (!/[\r\n]/.test(inside)) return [insert(close, `${end}${indent}${render(indent)}${end}${outer}`)];
    return [insert(container.offset + 1 + inside.trimEnd().length, `${end}${indent}${render(indent)}`)];
  }
  const { comma, lineEnd } = readTail(text, last.offset + last.length, close);
  const item = last.offset + last.length;
  if (lineEnd === undefined) {
    const indent = indentAt(text, last.offset);
    return comma === undefined ? [insert(item, `, ${render(indent)}`)] : [insert(comma + 1, ` ${render(indent)},`)];
  }
  const indent = indentAt(text, last.offset);
  const content = `${end}${indent}${render(indent)}`;
  return comma === undefined ? [insert(item, ','), insert(lineEnd, content)] : [insert(lineEnd, `${content},`)];
}

/** What stands behind the last item: its comma, if any, and the end of the line in which the two are, unless the bracket comes first. */
function readTail(text: string, start: number, close: number): { comma?: number; lineEnd?: number } {
  const TRIVIA = /[ \t]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/|(?<end>\r\n|\r|\n)|(?<comma>,)/y;
  TRIVIA.lastIndex = start;
  let comma: number | undefined;
  let lineEnd: number | undefined;
  while (TRIVIA.lastIndex < close) {
    const at = TRIVIA.lastIndex;
    const { end, comma: found } = TRIVIA.exec(text)?.groups ?? {};
    if (found !== undefined) {
      comma = at;
      lineEnd = undefined;
    }
    if (end !== undefined) lineEnd ??= at;
  }
  return { ...(comma === undefined ? {} : { comma }), ...(lineEnd === undefined ? {} : { lineEnd }) };
}

function indentAt(text: string, offset: number): string {
  return /(?:^|[\r\n])\uFEFF?([ \t]*)[^\r\n]*$/.exec(text.slice(0, offset))?.[1] ?? '';
}

/** The line ends of the text, and what it indents with. */
function styleOf(text: string): { readonly end: string; readonly unit: string } {
  return { end: /\r?\n/.exec(text)?.[0] ?? '\n', unit: /^([ \t]+)"/m.exec(text)?.[1] ?? '  ' };
}

function treeOf(text: string): Node {
  return parseTree(text.replace(/^\uFEFF/, ' ')) as Node; // it has been read before
}

function nodeAt(text: string, path: (string | number)[]): Node {
  return findNodeAtLocation(treeOf(text), path) as Node;
}
