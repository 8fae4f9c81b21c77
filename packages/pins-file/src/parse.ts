import { createPolicy, type Policy } from 'certpin';
import type { Protocol } from 'certpin/probe';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { closest } from './closest.ts';
import { type Refuse, readArray, readObject, readString } from './nodes.ts';
import { PinsFileError } from './pins-file-error.ts';
import { keyOfName, type Placed, placeTarget } from './place.ts';
import { readGrammar } from './schema.ts';
import type { Span } from './span.ts';
import {
  type LaterFields,
  laterEntryKeys,
  laterKeys,
  readInterval,
  readLaterFields,
  readPinText,
  readSpan,
} from './version2.ts';

/** A target of a pins file, with what it is known by. */
export interface Entry extends Placed, LaterFields {
  /** Which of the targets, from 0. */
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
  /** For the targets that say nothing themselves. */
  readonly expiresWithin: Span | undefined;
  readonly entries: readonly Entry[];
}

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
  const version = readVersion(root, refuse); // before the keys: another version has others
  const own = ['$schema', 'version', 'targets'] as const;
  const fields = readObject(root, version === 1 ? own : [...own, ...laterKeys], refuse, laterKeys);
  const [expiresWithin, interval] = laterKeys.map((key) => fields.get(key as never));
  if (interval !== undefined) readInterval(interval, refuse);
  const schema = fields.get('$schema');
  if (schema !== undefined) readString(schema, refuse);
  const targets = fields.get('targets');
  if (targets === undefined) return refuse(root.offset, '"targets" is missing');
  const entries: Entry[] = [];
  const first = new Map<string, Entry>();
  const places = new Set<string>();
  for (const [index, node] of readArray(targets, refuse).entries()) {
    const entry = { ...readEntry(node, { path, version, places }, refuse), index, ...position(node.offset) };
    const earlier = first.get(entry.key);
    if (earlier !== undefined) refuse(node.offset, `this target stands in line ${earlier.line} already`);
    first.set(entry.key, entry);
    entries.push(entry);
  }
  refuseSharedNames(entries, path);
  return {
    ...{ path, text, version, entries },
    expiresWithin: expiresWithin === undefined ? undefined : readSpan(expiresWithin, refuse),
  };
}

/** A word that is the `id` of one target and the address of another would mean two of them. */
function refuseSharedNames(entries: readonly Entry[], path: string): void {
  const addresses = new Map(entries.flatMap((entry) => [[entry.key, entry] as const, [entry.label, entry] as const]));
  const ids = new Map<string, number>();
  for (const entry of entries) {
    const { id, line, column } = entry;
    if (id === undefined) continue;
    const refuse = (message: string): never => {
      throw new PinsFileError(`${path}:${line}:${column}: ${message}`);
    };
    const twin = ids.get(id);
    if (twin !== undefined) refuse(`the target of line ${twin} has this "id" already`);
    ids.set(id, line);
    const other = addresses.get(keyOfName(id)) ?? addresses.get(id);
    if (other !== undefined && other !== entry) refuse(`its "id" is the address of the target of line ${other.line}`);
  }
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

interface Around {
  readonly path: string;
  readonly version: Version;
  /** Those of the targets before. */
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

/** The strings, and not the pins: of a certificate, more is kept than its hash. */
function readPins(list: Node, refuse: Refuse): string[] {
  const nodes = readArray(list, refuse);
  if (nodes.length === 0) refuse(list.offset, 'there is no pin in the list');
  return nodes.map((node) => readPinText(node, refuse));
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
