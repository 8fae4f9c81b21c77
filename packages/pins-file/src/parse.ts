import { createPolicy, formatPin, type Policy, parsePin } from 'certpin';
import type { Protocol } from 'certpin/probe';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { closest } from './closest.ts';
import { PinsFileError } from './pins-file-error.ts';
import { type Placed, placeTarget } from './place.ts';
import { readGrammar } from './schema.ts';

/** A target of a pins file, with what it is known by. */
export interface Entry extends Placed {
  /** Which of the targets, from 0. */
  readonly index: number;
  readonly line: number;
  readonly column: number;
  readonly policy: Policy;
  readonly protocol: Protocol | undefined;
  readonly servername: string | undefined;
  readonly note: string | undefined;
}

export interface PinsDocument {
  /** As messages name it. */
  readonly path: string;
  readonly text: string;
  readonly entries: readonly Entry[];
}

/** Where the mistake is: the offset of a piece of the text. */
type Refuse = (offset: number, message: string, hint?: string) => never;

/**
 * Reads a pins file. Nothing is passed over: what is not understood is an error.
 *
 * @throws PinsFileError with line and column of the first mistake. What stands there is not repeated: people paste passwords
 */
export function parsePinsFile(text: string, path: string): PinsDocument {
  const position = createPositions(text);
  const refuse: Refuse = (offset, message, hint) => {
    const { line, column } = position(offset);
    throw new PinsFileError(`${path}:${line}:${column}: ${message}`, hint);
  };
  const root = readTree(text, refuse);
  if (root.type !== 'object') return refuse(root.offset, 'an object is expected');
  refuseOtherVersion(root, refuse); // before the keys: another version has others
  const fields = readObject(root, ['$schema', 'version', 'targets'], refuse);
  const schema = fields.get('$schema');
  if (schema !== undefined) readString(schema, refuse);
  const targets = fields.get('targets');
  if (targets === undefined) return refuse(root.offset, '"targets" is missing');
  const entries: Entry[] = [];
  const first = new Map<string, Entry>();
  for (const [index, node] of readArray(targets, refuse).entries()) {
    const entry = { ...readEntry(node, path, refuse), index, ...position(node.offset) };
    const earlier = first.get(entry.key);
    if (earlier !== undefined) refuse(node.offset, `this target stands in line ${earlier.line} already`);
    first.set(entry.key, entry);
    entries.push(entry);
  }
  return { path, text, entries };
}

function refuseOtherVersion(root: Node, refuse: Refuse): void {
  const version = findNodeAtLocation(root, ['version']);
  if (version === undefined) refuse(root.offset, '"version": 1 is missing');
  const { value, offset } = version;
  if (value === 1) return;
  if (!Number.isInteger(value) || value < 1) refuse(offset, '"version" is 1: a whole number, without quotes');
  const message = `version ${value} of the format needs a newer certpin; this one reads version 1`;
  refuse(offset, message, 'npm install --global @certpin/cli@latest');
}

function readTree(text: string, refuse: Refuse): Node {
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    // A byte order mark is kept, and is no part of the JSON.
    root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  } catch {
    refuse(0, 'it is nested too deeply');
  }
  const [error] = errors;
  // `CommaExpected`
  if (error !== undefined) {
    const words = printParseErrorCode(error.error).replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`);
    refuse(error.offset, `it is no JSON: ${words.toLowerCase()}`);
  }
  return root ?? refuse(0, 'it is no JSON: value expected');
}

function readEntry(node: Node, path: string, refuse: Refuse): Omit<Entry, 'index' | 'line' | 'column'> {
  const fields = readObject(node, entryKeys, refuse);
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
  return { ...readPlace(target, path, about.servername, refuse), policy, ...about };
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

/** The strings, and not the pins: of a certificate, more is kept than its hash. */
function readPins(list: Node, refuse: Refuse): string[] {
  const nodes = readArray(list, refuse);
  if (nodes.length === 0) refuse(list.offset, 'there is no pin in the list');
  return nodes.map((node) => {
    const text = readString(node, refuse);
    try {
      const pin = parsePin(text);
      if (!readGrammar().pins.some((pattern) => pattern.test(text)))
        refuse(node.offset, `in a pins file, this pin is written ${formatPin(pin)}`);
    } catch (error) {
      if (error instanceof PinsFileError) throw error;
      refuse(node.offset, (error as Error).message.replace(/^pin \d+ cannot be used/, 'the pin cannot be used'));
    }
    return text;
  });
}

function readObject<Key extends string>(node: Node, keys: readonly Key[], refuse: Refuse): Map<Key, Node> {
  if (node.type !== 'object') refuse(node.offset, 'an object is expected');
  const fields = new Map<Key, Node>();
  for (const { children: [name, value] = [], offset } of node.children ?? []) {
    const key = String(name?.value) as Key;
    if (!keys.includes(key)) {
      const meant = closest(key, keys);
      const shown = /^[\w$-]{1,40}$/.test(key) ? ` "${key}"` : '';
      refuse(offset, `unknown key${shown}${meant === undefined ? '' : `; did you mean "${meant}"?`}`);
    }
    if (fields.has(key)) refuse(offset, `"${key}" is given twice`);
    if (value !== undefined) fields.set(key, value);
  }
  return fields;
}

function readArray(node: Node, refuse: Refuse): readonly Node[] {
  if (node.type !== 'array') refuse(node.offset, 'a list in brackets is expected');
  return node.children ?? [];
}

function readString(node: Node, refuse: Refuse): string {
  return node.type === 'string' ? String(node.value) : refuse(node.offset, 'a string is expected');
}

/** Line and column of an offset, both from 1, the column in UTF-16 code units, as editors and SARIF count. */
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
