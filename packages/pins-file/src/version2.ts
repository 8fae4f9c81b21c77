import { isAbsolute, posix } from 'node:path';
import { type Pin, type Policy, parsePin } from 'certpin';
import type { Node } from 'jsonc-parser';
import { closest } from './closest.ts';
import { type Refuse, readArray, readObject, readString } from './nodes.ts';
import { isSamePin, matchesPin } from './same-pin.ts';
import { readGrammar } from './schema.ts';
import { parseSpan, type Span } from './span.ts';

/** A pin that never counts again. */
export interface Revoked {
  readonly pin: Pin;
  /** As written in the file: a date, or a time in UTC. */
  readonly since: string;
  readonly reason: string | undefined;
}

/** The keys of a target that version 2 adds. docs/decisions/0029 */
export const laterEntryKeys = ['id', 'revoked', 'expiresWithin', 'interval', 'deliver'] as const;
/** The keys of the whole file that version 2 adds. */
export const laterKeys = ['expiresWithin', 'interval'] as const;

/** Where the pins of a target must be: docs/decisions/0029. */
export type Place =
  | { readonly kind: 'configuration'; readonly tenant: string; readonly connection: string; readonly key: string }
  | { readonly kind: 'secret'; readonly tenant: string; readonly action: string; readonly key: string }
  | { readonly kind: 'script'; readonly tenant: string; readonly connection: string; readonly script: string }
  | { readonly kind: 'action-code'; readonly tenant: string; readonly action: string }
  | { readonly kind: 'file'; readonly path: string; readonly format: FileFormat; readonly key: string }
  | { readonly kind: 'command'; readonly command: readonly string[] };

export type FileFormat = 'env' | 'json' | 'tfvars-json' | 'deploy-cli';

type Fields = ReadonlyMap<(typeof laterEntryKeys)[number], Node>;

/** What version 2 says of a target. */
export interface LaterFields {
  /** A short name that is unique in the file. */
  readonly id: string | undefined;
  readonly revoked: readonly Revoked[];
  readonly expiresWithin: Span | undefined;
  /** How often a watcher asks the target. */
  readonly intervalMs: number | undefined;
  /** In the order of the file. */
  readonly deliver: readonly Place[];
}

/** @param places those of the targets before: one place belongs to one target */
export function readLaterFields(
  entry: Node,
  fields: Fields,
  policy: Policy,
  places: Set<string>,
  refuse: Refuse,
): LaterFields {
  const [id, revoked, expiresWithin, interval, deliver] = laterEntryKeys.map((key) => fields.get(key));
  if (id !== undefined && !readGrammar().id.test(readString(id, refuse))) {
    refuse(id.offset, '"id" may contain only lower-case letters, digits, dots, hyphens and _, at most 64');
  }
  if (expiresWithin !== undefined && policy.expired === 'accept') {
    refuse(expiresWithin.offset, '"expiresWithin" has no meaning with "expired": "accept"');
  }
  return {
    id: id?.value as string | undefined,
    revoked: revoked === undefined ? [] : readRevoked(revoked, policy, refuse),
    expiresWithin: expiresWithin === undefined ? undefined : readSpan(expiresWithin, refuse),
    intervalMs: interval === undefined ? undefined : readInterval(interval, refuse),
    deliver: deliver === undefined ? [] : readPlaces(deliver, id === undefined ? entry : undefined, places, refuse),
  };
}

export function readSpan(node: Node, refuse: Refuse): Span {
  const message = '"expiresWithin" must be a time or a share of the lifetime: "30d", "36h", "25%"; "0d" for never';
  return parseSpan(readString(node, refuse)) ?? refuse(node.offset, message);
}

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** In milliseconds. */
export function readInterval(node: Node, refuse: Refuse): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(readString(node, refuse)) ?? [];
  const length = Number(count) * (seconds[unit] ?? Number.NaN);
  if (!(length >= 10 && length <= 7 * 86_400)) refuse(node.offset, '"interval" must be a time from "10s" to "7d"');
  return length * 1_000;
}

function readRevoked(list: Node, policy: Policy, refuse: Refuse): Revoked[] {
  const nodes = readArray(list, refuse);
  if (nodes.length === 0) refuse(list.offset, 'there is no pin in the list');
  return nodes.map((node) => {
    const fields = readObject(node, ['pin', 'since', 'reason'], refuse);
    const [pin, since, reason] = [fields.get('pin'), fields.get('since'), fields.get('reason')];
    if (pin === undefined) return refuse(node.offset, '"pin" is missing');
    if (since === undefined) return refuse(node.offset, '"since" is missing');
    if (!isDate(readString(since, refuse))) {
      refuse(since.offset, '"since" must be a date, or a time in UTC: "2027-03-01", "2027-03-01T12:00Z"');
    }
    const read = parsePin(readPinText(pin, refuse));
    if (listsPin(policy, read))
      refuse(pin.offset, 'this pin is revoked, but the target still has it among its pins: remove it there');
    return {
      pin: read,
      since: String(since.value),
      reason: reason === undefined ? undefined : readString(reason, refuse),
    };
  });
}

/** The text of a pin, in one of the spellings of a pins file. */
export function readPinText(node: Node, refuse: Refuse): string {
  const text = readString(node, refuse);
  const problem = readGrammar().refusePin(text);
  return problem === undefined ? text : refuse(node.offset, problem);
}

/** Whether a pin is among those of a policy. A public-key pin also counts if its certificate is in the policy as a whole. */
export function listsPin({ pins, issuerPins, knownCertificates }: Policy, pin: Pin): boolean {
  return (
    [...pins, ...issuerPins].some((one) => isSamePin(one, pin)) ||
    (pin.kind === 'public-key' && knownCertificates.some((certificate) => matchesPin(certificate, pin)))
  );
}

/** RFC 3339, and a day that exists. */
function isDate(text: string): boolean {
  if (!readGrammar().since.test(text)) return false;
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 10));
}

/** @param nameless the target, if it has no `id` */
function readPlaces(list: Node, nameless: Node | undefined, places: Set<string>, refuse: Refuse): Place[] {
  const nodes = readArray(list, refuse);
  if (nodes.length === 0) refuse(list.offset, 'there is no place in the list');
  return nodes.map((node) => {
    const fields = readPlace(node, refuse);
    const kind = fields.get('kind');
    if (nameless !== undefined && (kind === 'script' || kind === 'action-code')) {
      refuse(
        nameless.offset,
        `the target has no "id", and a place of the kind "${kind}" needs one: its line ends with // certpin: ID`,
      );
    }
    const key = JSON.stringify([...fields].sort());
    if (places.has(key)) refuse(node.offset, 'the file has this place already');
    places.add(key);
    return Object.fromEntries(fields) as unknown as Place;
  });
}

function readPlace(node: Node, refuse: Refuse): ReadonlyMap<string, unknown> {
  const { places } = readGrammar();
  if (node.type !== 'object') refuse(node.offset, 'an object is expected');
  const wordOf = (name: string): Node | undefined =>
    node.children?.find(({ children }) => children?.[0]?.value === name)?.children?.[1];
  const chosen = (name: string, known: readonly string[]): string => {
    const field = wordOf(name);
    if (field === undefined) return refuse(node.offset, `"${name}" is missing`);
    const word = readString(field, refuse);
    if (known.includes(word)) return word;
    const meant = closest(word, known);
    return refuse(
      field.offset,
      `"${name}" is one of ${known.join(', ')}${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    );
  };
  const kind = chosen('kind', [...new Set(places.map(({ words }) => words.kind ?? ''))]);
  const ofKind = places.filter(({ words }) => words.kind === kind);
  const formats = ofKind.flatMap(({ words }) => words.format ?? []);
  const format = formats.length === 0 ? undefined : chosen('format', formats);
  const place = ofKind.find(({ words }) => words.format === format);
  const keys = [...Object.keys(place?.words ?? {}), ...Object.keys(place?.patterns ?? {}), ...(place?.lists ?? [])];
  const fields = readObject(node, keys, refuse);
  for (const key of keys) if (!fields.has(key)) refuse(node.offset, `"${key}" is missing`);
  for (const [key, pattern] of Object.entries(place?.patterns ?? {})) {
    const field = fields.get(key) as Node;
    if (!pattern.test(readString(field, refuse))) refuse(field.offset, `"${key}" cannot be used`);
    if (key === 'path' && leadsOut(String(field.value))) {
      refuse(field.offset, '"path" must not lead out of the folder of the pins file');
    }
  }
  for (const key of place?.lists ?? []) {
    const list = fields.get(key) as Node;
    const words = readArray(list, refuse).map((word) => readString(word, refuse));
    if (words.length === 0 || words[0] === '')
      refuse(list.offset, `"${key}" must be a list of the program and its arguments`);
  }
  return new Map([...fields].map(([key, field]) => [key, field.children?.map(({ value }) => value) ?? field.value]));
}

function leadsOut(path: string): boolean {
  const plain = posix.normalize(path.replaceAll('\\', '/'));
  return (
    isAbsolute(path) || posix.isAbsolute(plain) || /^[A-Za-z]:/.test(plain) || plain === '..' || plain.startsWith('../')
  );
}
