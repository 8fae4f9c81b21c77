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

/** A pin that must never count again, in written form. */
export interface NewRevoked {
  readonly pin: string;
  readonly since: string;
  readonly reason?: string | undefined;
}

/** The changes of one existing target. */
export interface EntryChange {
  /** The number of the target, from 0. */
  readonly index: number;
  /** After the existing pins, or in their place. */
  readonly pins?: { readonly add: readonly string[] } | { readonly replace: readonly string[] } | undefined;
  readonly issuerPins?: EntryChange['pins'];
  /** The pins to remove, from both lists. An empty list is removed too. */
  readonly drop?: ((pin: string) => boolean) | undefined;
  readonly revoke?: readonly NewRevoked[] | undefined;
  readonly expired?: 'accept' | undefined;
}

export interface Changes {
  readonly entries?: readonly EntryChange[];
  /** Added after the last target, in this order. */
  readonly add?: readonly NewEntry[];
  /** The numbers of the targets to remove, from 0. */
  readonly remove?: readonly number[];
}

/** The beginning of a pins file. */
export const emptyText = '{\n  "version": 1,\n  "targets": []\n}\n';

/**
 * Makes all changes at once. Comments, order, indentation and line ends stay, and every list keeps its form. A revoked pin needs version 2
 * of the format, so the version is raised if necessary.
 */
export function changeText(text: string, { entries = [], add = [], remove = [] }: Changes): string {
  const dropped = entries.filter(({ drop }) => drop !== undefined);
  const shorter = dropped.length + remove.length === 0 ? text : takeOut(text, dropped, remove);
  const raised = entries.some(({ revoke = [] }) => revoke.length > 0) ? raiseVersion(shorter) : shorter;
  return putIn(raised, entries, add);
}

/** First the deletions, alone: then nothing is appended to something that is removed. */
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

/** A line of its own, because there may be a target between two comments. */
const ONLY_COMMENTS = /^[ \t]*(?=\/)(?:\/\*(?:(?!\*\/).)*\*\/[ \t]*)*(?:\/\/.*)?$/;

interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly content: string;
}

/** A text with pending changes. They are made in one go, whatever their number. */
class Draft {
  readonly #text: string;
  readonly #root: Node;
  readonly #pieces: Piece[] = [];
  /** The line ends and the indentation of the text. */
  readonly #end: string;
  readonly #unit: string;

  constructor(text: string) {
    this.#text = text;
    this.#root = parseTree(text.replace(/^\uFEFF/, ' '), [], { allowTrailingComma: true }) as Node; // It has been read before.
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
      done = Math.max(done, offset + length); // The same item may be named twice.
    }
    return result + this.#text.slice(done);
  }

  /**
   * Appends to a list or an object. A comment in the line of the last item, after it, belongs to that item and stays with it. The edits of
   * jsonc-parser do not do this.
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

  /** Replaces the items of a list, with the comments among them, because these are about the old items. */
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
   * Removes items from a list or an object, with their commas and the comments in their lines.
   *
   * @param withComments removes also the comment in the lines above an item. The item must have its own lines, and the comment must not be
   * a heading for the next item
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
    // If the last item has no comma, the new last item has none either.
    const [last, end] = [items.at(-1), items[kept]];
    if (last === undefined || end === undefined || kept === items.length - 1) return;
    if (this.#tail(last.offset + last.length, close).comma !== undefined) return;
    const { comma } = this.#tail(end.offset + end.length, items[kept + 1]?.offset ?? close);
    if (comma !== undefined) this.put(comma, '', 1);
  }

  /** A new target in the form of another one: on one line, or with its lists on one line, or neither. */
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

  /** What follows an item: its comma, if there is one, and the rest of the line, unless something else comes first. */
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

  /** The beginning of a comment that fills the lines above. */
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
