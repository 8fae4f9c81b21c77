import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';

/** What `certpin trust` writes of a target. */
export interface NewEntry {
  readonly target: string;
  readonly protocol?: string | undefined;
  readonly servername?: string | undefined;
  readonly pins?: readonly string[] | undefined;
  readonly issuerPins?: readonly string[] | undefined;
  readonly expired?: 'accept' | undefined;
  readonly note?: string | undefined;
}

/** A pin that shall never count again, as it is written. */
export interface NewRevoked {
  readonly pin: string;
  readonly since: string;
  readonly reason?: string | undefined;
}

/** What becomes of one target that is there. */
export interface EntryChange {
  /** Which of the targets, from 0. */
  readonly index: number;
  /** Behind the pins that are there, or in their place. */
  readonly pins?: { readonly add: readonly string[] } | { readonly replace: readonly string[] } | undefined;
  readonly issuerPins?: EntryChange['pins'];
  /** Which pins go, of both lists. A list of which nothing is left goes too. */
  readonly drop?: ((pin: string) => boolean) | undefined;
  readonly revoke?: readonly NewRevoked[] | undefined;
  readonly expired?: 'accept' | undefined;
}

export interface Changes {
  readonly entries?: readonly EntryChange[];
  /** Behind the last target, in their order. */
  readonly add?: readonly NewEntry[];
  /** Which of the targets go, from 0. */
  readonly remove?: readonly number[];
}

/** The beginning of a pins file. */
export const emptyText = '{\n  "version": 1,\n  "targets": []\n}\n';

/**
 * Makes all changes at once. Comments, order, indentation and line ends stay, and every list keeps its shape. A revoked pin needs version 2
 * of the format: then the version is raised.
 */
export function changeText(text: string, { entries = [], add = [], remove = [] }: Changes): string {
  const dropped = entries.filter(({ drop }) => drop !== undefined);
  const shorter = dropped.length + remove.length === 0 ? text : takeOut(text, dropped, remove);
  const raised = entries.some(({ revoke = [] }) => revoke.length > 0) ? raiseVersion(shorter) : shorter;
  return putIn(raised, entries, add);
}

/** Deletions come first, by themselves: what is appended then meets nothing that goes. */
function takeOut(text: string, entries: readonly EntryChange[], remove: readonly number[]): string {
  const draft = new Draft(text);
  const list = draft.at(['targets']);
  draft.takeOut(list, new Set(remove), true);
  for (const { index, drop = () => false } of entries) {
    const entry = list.children?.[index] as Node;
    const emptied: number[] = [];
    for (const [place, { children: [name, value] = [] }] of (entry.children ?? []).entries()) {
      if (value === undefined || (name?.value !== 'pins' && name?.value !== 'issuerPins')) continue;
      const pins = value.children ?? [];
      const gone = new Set([...pins.keys()].filter((index) => drop(String(pins[index]?.value))));
      if (gone.size === pins.length) emptied.push(place);
      else draft.takeOut(value, gone);
    }
    draft.takeOut(entry, new Set(emptied));
  }
  return draft.toString();
}

function raiseVersion(text: string): string {
  const draft = new Draft(text);
  const { offset, length } = draft.at(['version']);
  draft.put(offset, '2', length);
  return draft.toString();
}

function putIn(text: string, entries: readonly EntryChange[], add: readonly NewEntry[]): string {
  const draft = new Draft(text);
  const list = draft.at(['targets']);
  for (const change of entries) changeEntry(draft, list.children?.[change.index] as Node, change);
  if (add.length > 0) {
    const last = list.children?.at(-1);
    const render = (entry: NewEntry) => (indent: string) => draft.renderLike(last, entry, indent);
    draft.append(list, add.map(render));
  }
  return draft.toString();
}

function changeEntry(draft: Draft, entry: Node, { revoke = [], expired, ...change }: EntryChange): void {
  const fields = new Map(entry.children?.map(({ children: [name, value] = [] }) => [String(name?.value), value]));
  const missing: string[] = [];
  const quoted = (texts: readonly string[]): string[] => texts.map((one) => JSON.stringify(one));
  for (const name of ['pins', 'issuerPins'] as const) {
    const wanted = change[name];
    if (wanted === undefined) continue;
    const list = fields.get(name);
    const texts = quoted('add' in wanted ? wanted.add : wanted.replace);
    if (list === undefined) missing.push(`"${name}": [${texts.join(', ')}]`);
    else if ('add' in wanted)
      draft.append(
        list,
        texts.map((one) => () => one),
      );
    else draft.replaceItems(list, texts);
  }
  if (revoke.length > 0) {
    const items = revoke.map((one) => inline(one));
    const list = fields.get('revoked');
    if (list === undefined) missing.push(`"revoked": [${items.join(', ')}]`);
    else
      draft.append(
        list,
        items.map((one) => () => one),
      );
  }
  const old = fields.get('expired');
  if (expired !== undefined && old === undefined) missing.push(`"expired": "${expired}"`);
  else if (expired !== undefined && old !== undefined) draft.put(old.offset, `"${expired}"`, old.length);
  draft.append(
    entry,
    missing.map((one) => () => one),
  );
}

/** `{ "target": "…", "pins": ["…"] }` */
function inline(object: object): string {
  const fields = Object.entries(object).filter(([, value]) => value !== undefined);
  return `{ ${fields.map(([key, value]) => `${JSON.stringify(key)}: ${inlineValue(value)}`).join(', ')} }`;
}

function inlineValue(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((one) => JSON.stringify(one)).join(', ')}]` : JSON.stringify(value);
}

/** A line in which nothing else stands: between two comments there may be a target. */
const ONLY_COMMENTS = /^[ \t]*(?=\/)(?:\/\*(?:(?!\*\/).)*\*\/[ \t]*)*(?:\/\/.*)?$/;

interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly content: string;
}

/** A text with changes that are pending. They are made in one go, whatever their number. */
class Draft {
  readonly #text: string;
  readonly #root: Node;
  readonly #pieces: Piece[] = [];
  /** The line ends of the text, and what it indents with. */
  readonly #end: string;
  readonly #unit: string;

  constructor(text: string) {
    this.#text = text;
    this.#root = parseTree(text.replace(/^\uFEFF/, ' '), [], { allowTrailingComma: true }) as Node; // it has been read before
    this.#end = /\r?\n/.exec(text)?.[0] ?? '\n';
    this.#unit = /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
  }

  at(path: (string | number)[]): Node {
    return findNodeAtLocation(this.#root, path) as Node;
  }

  put(offset: number, content: string, length = 0): void {
    this.#pieces.push({ offset, length, content });
  }

  toString(): string {
    const pieces = this.#pieces.map((piece, order) => ({ ...piece, order }));
    pieces.sort((a, b) => a.offset - b.offset || a.order - b.order);
    let done = 0;
    let result = '';
    for (const { offset, length, content } of pieces) {
      if (offset > done) result += this.#text.slice(done, offset);
      result += content;
      done = Math.max(done, offset + length); // what goes may be named twice
    }
    return result + this.#text.slice(done);
  }

  /**
   * Appends to a list or an object. A comment behind the last item, in its line, is about that item and stays with it, which is what the
   * edits of jsonc-parser do not do.
   */
  append(container: Node, renders: readonly ((indent: string) => string)[]): void {
    if (renders.length === 0) return;
    const close = container.offset + container.length - 1;
    const last = container.children?.at(-1);
    const items = (indent: string, between: string): string => renders.map((render) => render(indent)).join(between);
    if (last === undefined) {
      const inside = this.#text.slice(container.offset + 1, close);
      const outer = this.#indentAt(container.offset);
      const indent = `${outer}${this.#unit}`;
      const begin = `${this.#end}${indent}`;
      const content = `${begin}${items(indent, `,${begin}`)}`;
      if (/[\r\n]/.test(inside)) this.put(container.offset + 1 + inside.trimEnd().length, content);
      else this.put(close, `${content}${this.#end}${outer}`);
      return;
    }
    const item = last.offset + last.length;
    const { comma, lineEnd } = this.#tail(item, close);
    const indent = this.#indentAt(last.offset);
    if (lineEnd === undefined) {
      if (comma === undefined) this.put(item, `, ${items(indent, ', ')}`);
      else this.put(comma + 1, ` ${items(indent, ', ')},`);
      return;
    }
    const begin = `${this.#end}${indent}`;
    const content = `${begin}${items(indent, `,${begin}`)}`;
    if (comma === undefined) this.put(item, ',');
    this.put(lineEnd, comma === undefined ? content : `${content},`);
  }

  /** Other items in the place of those of a list, with the comments among them: they are about what is gone. */
  replaceItems(list: Node, texts: readonly string[]): void {
    const [first] = list.children ?? [];
    const inside = this.#text.slice(list.offset + 1, first?.offset ?? list.offset + list.length - 1);
    const isOneLine = first === undefined || !/[\r\n]/.test(inside);
    const outer = this.#indentAt(list.offset);
    const begin = `${this.#end}${first === undefined || isOneLine ? outer : this.#indentAt(first.offset)}`;
    const content = isOneLine
      ? `[${texts.join(', ')}]`
      : `[${texts.map((one) => `${begin}${one}`).join(',')}${this.#end}${outer}]`;
    this.put(list.offset, content, list.length);
  }

  /**
   * Takes items out of a list or an object, with their commas and the comments in their lines.
   *
   * @param withComments also the comment in the lines above an item that has lines of its own, unless it may be the heading of the next one too
   */
  takeOut(container: Node, gone: ReadonlySet<number>, withComments = false): void {
    const items = container.children ?? [];
    const close = container.offset + container.length - 1;
    const kept = items.reduce((found, _, index) => (gone.has(index) ? found : index), -1);
    for (const index of gone) {
      const { offset, length } = items[index] as Node;
      const next = items[index + 1];
      const { comma, lineEnd } = this.#tail(offset + length, next?.offset ?? close);
      const begin = this.#lineStart(offset);
      if (lineEnd === undefined || this.#text.slice(begin, offset).trim() !== '') {
        const start = index > kept ? this.#blanksBefore(offset) : offset;
        const end = (comma ?? offset + length - 1) + 1;
        this.put(start, '', (next === undefined ? end : this.#blanksBehind(end)) - start);
        continue;
      }
      const end = lineEnd + (this.#text.startsWith('\r\n', lineEnd) ? 2 : 1);
      const isHeading = next !== undefined && this.#lineStart(next.offset) === end;
      const start = withComments && !isHeading ? this.#commentAbove(begin) : begin;
      this.put(start, '', end - start);
    }
    // Without a comma behind the last item, none stays behind the one that is last then.
    const [last, end] = [items.at(-1), items[kept]];
    if (last === undefined || end === undefined || kept === items.length - 1) return;
    if (this.#tail(last.offset + last.length, close).comma !== undefined) return;
    const { comma } = this.#tail(end.offset + end.length, items[kept + 1]?.offset ?? close);
    if (comma !== undefined) this.put(comma, '', 1);
  }

  /** A new target in the form of another one: in one line, or its lists in one line, or neither. */
  renderLike(model: Node | undefined, entry: NewEntry, indent: string): string {
    const isOneLine = (node: Node | undefined): boolean =>
      node !== undefined && !/[\r\n]/.test(this.#text.slice(node.offset, node.offset + node.length));
    if (isOneLine(model)) return inline(entry);
    const lists =
      model?.children?.map(({ children }) => children?.[1]).filter((value) => value?.type === 'array') ?? [];
    const inner = `${this.#end}${indent}${this.#unit}`;
    const isInline = lists.length > 0 && lists.every(isOneLine);
    const value = (one: unknown): string =>
      Array.isArray(one) && !isInline
        ? `[${one.map((item) => `${inner}${this.#unit}${JSON.stringify(item)}`).join(',')}${inner}]`
        : inlineValue(one);
    const fields = Object.entries(entry).filter(([, one]) => one !== undefined);
    return `{${fields.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${value(one)}`).join(',')}${this.#end}${indent}}`;
  }

  /** What stands behind an item: its comma, if any, and the end of the line in which the two are, unless something else comes first. */
  #tail(start: number, close: number): { comma?: number; lineEnd?: number } {
    const TRIVIA = /[ \t]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/|(?<end>\r\n|\r|\n)|(?<comma>,)/y;
    TRIVIA.lastIndex = start;
    let comma: number | undefined;
    let lineEnd: number | undefined;
    while (TRIVIA.lastIndex < close) {
      const at = TRIVIA.lastIndex;
      const { end, comma: found } = TRIVIA.exec(this.#text)?.groups ?? {};
      if (found !== undefined) {
        comma = at;
        lineEnd = undefined;
      }
      if (end !== undefined) lineEnd ??= at;
    }
    return { ...(comma === undefined ? {} : { comma }), ...(lineEnd === undefined ? {} : { lineEnd }) };
  }

  /** Where the comment begins that fills the lines above. */
  #commentAbove(lineStart: number): number {
    let begin = lineStart;
    while (begin > 0) {
      const above = this.#lineStart(begin - (this.#text.startsWith('\r\n', begin - 2) ? 2 : 1));
      if (!ONLY_COMMENTS.test(this.#text.slice(above, begin).trimEnd())) break;
      begin = above;
    }
    return begin;
  }

  #lineStart(offset: number): number {
    let start = offset;
    while (start > 0 && !/[\r\n]/.test(this.#text[start - 1] ?? '')) start--;
    return start;
  }

  #indentAt(offset: number): string {
    return /^\uFEFF?([ \t]*)/.exec(this.#text.slice(this.#lineStart(offset), offset))?.[1] ?? '';
  }

  #blanksBefore(offset: number): number {
    let start = offset;
    while (/[ \t]/.test(this.#text[start - 1] ?? '')) start--;
    return start;
  }

  #blanksBehind(offset: number): number {
    let end = offset;
    while (/[ \t]/.test(this.#text[end] ?? '')) end++;
    return end;
  }
}
