import { createPolicy, type Policy } from 'certpin';
import type { Protocol } from 'certpin/probe';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { closest } from './closest.ts';
import { type Refuse, readArray, readObject, readString } from './nodes.ts';
import { PinsFileError } from './pins-file-error.ts';
import { keyOfName, type Placed, placeTarget } from './place.ts';
import { readGrammar } from './schema.ts';
import type { Span } from './span.ts';
import { blank, findTargetTexts, type TextPlace } from './target-texts.ts';
import {
  type LaterFields,
  laterEntryKeys,
  laterKeys,
  readInterval,
  readLaterFields,
  readPinText,
  readSpan,
} from './version2.ts';

/** A target of a pins file, with its names. */
export interface Entry extends Placed, LaterFields {
  /** The number of the target, from 0. */
  readonly index: number;
  readonly line: number;
  readonly column: number;
  readonly policy: Policy;
  readonly protocol: Protocol | undefined;
  readonly servername: string | undefined;
  readonly note: string | undefined;
}

/** Of the format. */
type Version = 1 | 2;

export interface PinsDocument {
  /** As messages name it. */
  readonly path: string;
  readonly text: string;
  readonly version: Version;
  /** The default for targets. */
  readonly expiresWithin: Span | undefined;
  readonly entries: readonly Entry[];
}

/** A pins file whose targets are read one after the other. */
export interface PinsText extends Omit<PinsDocument, 'text' | 'entries'> {
  /** The default for targets. */
  readonly intervalMs: number | undefined;
  /** @throws PinsFileError after the targets that come before the mistake. The caller must throw these away */
  readonly entries: () => Generator<ReadEntry, void, void>;
}

/** A target, and its own part of the file. */
interface ReadEntry {
  readonly entry: Entry;
  readonly text: string;
}

/**
 * Reads a pins file. Nothing is ignored: what is not understood is an error.
 *
 * @throws PinsFileError with line and column of the first mistake. The content is not repeated, because people paste passwords
 */
export function parsePinsFile(text: string, path: string): PinsDocument {
  const { entries, intervalMs: _, ...document } = openPinsText(text, path);
  return { ...document, text, entries: [...entries()].map(({ entry }) => entry) };
}

/**
 * The same for a file with a hundred thousand targets. It holds only one target at a time, and makes no syntax tree of the whole file.
 *
 * @throws PinsFileError
 */
export function openPinsText(text: string, path: string): PinsText {
  const position = createPositions(text);
  const refuse: Refuse = (offset, message, hint) => {
    const { line, column } = position(offset);
    throw new PinsFileError(`${path}:${line}:${column}: ${message}`, hint);
  };
  const outline = findTargetTexts(text);
  // Of the same length, so that every offset stays the same.
  const root = readTree(outline === undefined ? text : blank(text, outline), refuse);
  if (root.type !== 'object') return refuse(root.offset, 'an object is expected');
  const version = readVersion(root, refuse); // Before the keys: another version has other keys.
  const own = ['$schema', 'version', 'targets'] as const;
  const fields = readObject(root, version === 1 ? own : [...own, ...laterKeys], refuse, laterKeys);
  const [expiresWithin, interval] = laterKeys.map((key) => fields.get(key as never));
  const schema = fields.get('$schema');
  const intervalMs = interval === undefined ? undefined : readInterval(interval, refuse);
  if (schema !== undefined) readString(schema, refuse);
  const targets = fields.get('targets');
  if (targets === undefined) return refuse(root.offset, '"targets" is missing');
  const nodes = readArray(targets, refuse);
  function* entries(): Generator<ReadEntry, void, void> {
    const names = createNames(path);
    const places = new Set<string>();
    let index = 0;
    const pieces =
      outline === undefined ? nodes.map((node) => ({ node, offset: 0 })) : piecesOf(text, outline.targets, refuse);
    for (const { node, offset } of pieces) {
      const at: Refuse = (inner, message, hint) => refuse(inner + offset, message, hint);
      const where = { index, ...position(node.offset + offset) };
      const entry: Entry = { ...readEntry(node, { path, version, places }, at), ...where };
      names.add(entry, () => at(node.offset, `this target is in line ${names.lineOf(entry.key)} already`));
      yield { entry, text: text.slice(node.offset + offset, node.offset + offset + node.length) };
      index++;
    }
    names.end();
  }
  const span = expiresWithin === undefined ? undefined : readSpan(expiresWithin, refuse);
  return { path, version, expiresWithin: span, intervalMs, entries };
}

/** A target, read from its own part of the file after the whole file was read. */
export function readEntryText(
  text: string,
  { path, version, index, line, column }: Pick<PinsText, 'path' | 'version'> & Pick<Entry, 'index' | 'line' | 'column'>,
): Entry {
  const refuse: Refuse = (_, message, hint) => {
    throw new PinsFileError(`${path}:${line}:${column}: ${message}`, hint);
  };
  const entry = readEntry(plainTree(text) ?? readTree(text, refuse), { path, version, places: new Set() }, refuse);
  return { ...entry, index, line, column };
}

/**
 * The tree of a text that was read before, by the parser of the engine: a watcher reads its targets again and again. A key that stands there twice, which it
 * does not see, was refused then. undefined: there are comments in it, or it is no JSON.
 */
function plainTree(text: string): Node | undefined {
  try {
    return toNode(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Offsets are unknown: the message about such a text names the line of the target. */
function toNode(value: unknown): Node {
  const place = { offset: 0, length: 0 };
  if (Array.isArray(value)) return { type: 'array', ...place, children: value.map(toNode) };
  if (typeof value === 'object' && value !== null) {
    const children = Object.entries(value).map(
      ([name, one]): Node => ({ type: 'property', ...place, children: [toNode(name), toNode(one)] }),
    );
    return { type: 'object', ...place, children };
  }
  return { type: value === null ? 'null' : (typeof value as 'string' | 'number' | 'boolean'), ...place, value };
}

/** A target's node, and what its offsets are counted from. */
interface Piece {
  readonly node: Node;
  readonly offset: number;
}

function* piecesOf(text: string, places: readonly TextPlace[], refuse: Refuse): Generator<Piece, void, void> {
  for (const { offset, length } of places) {
    const own = text.slice(offset, offset + length);
    yield { node: readTree(own, (inner, message, hint) => refuse(inner + offset, message, hint)), offset };
  }
}

interface Names {
  /** @param refuse called if another target is the same server */
  readonly add: (entry: Entry, refuse: () => never) => void;
  readonly lineOf: (key: string) => number | undefined;
  /** A word must not be the `id` of one target and the address of another: it would mean both. @throws PinsFileError */
  readonly end: () => void;
}

function createNames(path: string): Names {
  type Known = Pick<Entry, 'index' | 'line' | 'column'>;
  const keys = new Map<string, Known>();
  const labels = new Map<string, Known>();
  const ids = new Map<string, Known>();
  const refuse = ({ line, column }: Known, message: string): never => {
    throw new PinsFileError(`${path}:${line}:${column}: ${message}`);
  };
  return {
    add({ key, label, id, index, line, column }, refuseTwin) {
      if (keys.has(key)) refuseTwin();
      const known = { index, line, column };
      keys.set(key, known);
      labels.set(label, known);
      if (id === undefined) return;
      const twin = ids.get(id);
      if (twin !== undefined) refuse(known, `the target of line ${twin.line} has this "id" already`);
      ids.set(id, known);
    },
    lineOf: (key) => keys.get(key)?.line,
    end() {
      for (const [id, known] of ids) {
        const other = keys.get(keyOfName(id)) ?? labels.get(id);
        if (other !== undefined && other.index !== known.index) {
          refuse(known, `its "id" is the address of the target of line ${other.line}`);
        }
      }
    },
  };
}

function readVersion(root: Node, refuse: Refuse): Version {
  const version = findNodeAtLocation(root, ['version']);
  if (version === undefined) return refuse(root.offset, '"version": 1 is missing');
  const { value, offset } = version;
  if (value === 1 || value === 2) return value;
  if (!Number.isInteger(value) || value < 1) refuse(offset, '"version" is 1 or 2: a whole number, without quotes');
  const message = `version ${value} of the format needs a newer certpin; this one reads version 1 and 2`;
  return refuse(offset, message, 'npm install --global @certpin/cli@latest');
}

function readTree(text: string, refuse: Refuse): Node {
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    // A byte order mark is kept. It is not part of the JSON.
    root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  } catch {
    refuse(0, 'it is nested too deeply');
  }
  const [error] = errors;
  // `CommaExpected`
  if (error !== undefined) {
    const words = printParseErrorCode(error.error).replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`);
    refuse(error.offset, `it is not JSON: ${words.toLowerCase()}`);
  }
  return root ?? refuse(0, 'it is not JSON: value expected');
}

interface Around {
  readonly path: string;
  readonly version: Version;
  /** Keys of the targets before. */
  readonly places: Set<string>;
}

function readEntry(
  node: Node,
  { path, version, places }: Around,
  refuse: Refuse,
): Omit<Entry, 'index' | 'line' | 'column'> {
  const keys = version === 1 ? entryKeys : [...entryKeys, ...laterEntryKeys];
  const fields = readObject<(typeof entryKeys | typeof laterEntryKeys)[number]>(node, keys, refuse, laterEntryKeys);
  const grammar = readGrammar();
  const target = fields.get('target');
  if (target === undefined) return refuse(node.offset, '"target" is missing');
  const words = <Word extends string>(name: keyof typeof grammar.words): Word | undefined => {
    const field = fields.get(name);
    if (field === undefined) return undefined;
    const word = readString(field, refuse);
    if (grammar.words[name].includes(word)) return word as Word;
    const meant = closest(word, grammar.words[name]);
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return refuse(field.offset, `"${name}" is one of ${grammar.words[name].join(', ')}${hint}`);
  };
  const servername = fields.get('servername');
  if (servername !== undefined && !grammar.servername.test(readString(servername, refuse))) {
    refuse(servername.offset, '"servername" is a host name');
  }
  const note = fields.get('note');
  const about = {
    protocol: words<Protocol>('protocol'),
    servername: servername?.value as string | undefined,
    note: note === undefined ? undefined : readString(note, refuse),
  };
  const pins = fields.get('pins');
  const issuerPins = fields.get('issuerPins');
  if (pins === undefined && issuerPins === undefined) return refuse(node.offset, '"pins" is missing');
  const policy = createPolicy({
    pins: pins === undefined ? undefined : readPins(pins, refuse),
    issuerPins: issuerPins === undefined ? undefined : readPins(issuerPins, refuse),
    hostnameVerification: words<'require' | 'ignore'>('hostnameVerification'),
    expired: words<'refuse' | 'accept'>('expired'),
  });
  const later = readLaterFields(node, fields as never, policy, places, refuse);
  return { ...readPlace(target, path, about.servername, refuse), policy, ...about, ...later };
}

const entryKeys = [
  'target',
  'pins',
  'issuerPins',
  'hostnameVerification',
  'expired',
  'protocol',
  'servername',
  'note',
] as const;

function readPlace(node: Node, path: string, servername: string | undefined, refuse: Refuse): Placed {
  const text = readString(node, refuse);
  if (!readGrammar().target.test(text)) {
    refuse(node.offset, '"target" is a server or a file, without login, @, = and control characters');
  }
  try {
    return placeTarget(text, path, servername);
  } catch (error) {
    return refuse(node.offset, (error as Error).message);
  }
}

/** The strings, and not the pins: for a certificate, more than its hash is kept. */
function readPins(list: Node, refuse: Refuse): string[] {
  const nodes = readArray(list, refuse);
  if (nodes.length === 0) refuse(list.offset, 'there is no pin in the list');
  return nodes.map((node) => readPinText(node, refuse));
}

/** Line and column of an offset, both from 1. The column counts UTF-16 code units, as in editors and SARIF. */
function createPositions(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map(({ index, 0: end }) => index + end.length)];
  return (offset) => {
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
