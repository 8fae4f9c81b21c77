import { parseDocument } from 'yaml';
import { toJson } from './layout.ts';

/** What the Deploy CLI fills in. */
const MARKER = /^(?:@@\w+@@|##\w+##)$/;

/** What a new file begins with. If somebody has changed it, that was on purpose. */
const beginnings: ReadonlySet<string | number | undefined> = new Set(['import_mode', 'runtime', 'deployed']);

/** A value that must be at a path. */
type Change = readonly [path: readonly (string | number)[], value: unknown];

/** Whether a file contains settings that somebody may have filled in. Then call {@link mergeSettings} before it is replaced. */
export function isMerged(path: string): boolean {
  return /(?:^|\/)(?:(?:configuration|secrets|database)\.json|tenant\.yaml|actions\/[^/]+\.json)$/.test(path);
}

/**
 * Puts the planned settings into the existing file. Everything there stays: other options, other settings, other connections, and the
 * comments in YAML. Settings that the planned file only names (`@@DB_PASSWORD@@`, or an empty text) keep their existing value.
 *
 * @throws SyntaxError if the existing file cannot be read
 */
export function mergeSettings(path: string, existing: string, planned: string): string {
  if (path.endsWith('.json')) {
    const document = readObject(() => JSON.parse(existing));
    for (const change of changesOf(document, JSON.parse(planned))) setIn(document, change);
    return toJson(document);
  }
  const document = parseDocument(existing);
  if (document.errors.length > 0) throw new SyntaxError('the file is not YAML');
  for (const [place, value] of changesOf(
    readObject(() => document.toJS() ?? {}),
    parseDocument(planned).toJS(),
  ))
    document.setIn(place, value);
  return document.toString({ lineWidth: 0 });
}

function readObject(read: () => unknown): object {
  let value: unknown;
  try {
    value = read();
  } catch {
    // The parser's message would repeat the content of the file.
    throw new SyntaxError('the file has a syntax error');
  }
  if (isObject(value)) return value;
  throw new SyntaxError('the file is not an object');
}

function changesOf(existing: unknown, planned: unknown, path: Change[0] = []): Change[] {
  if (isObject(existing) && isObject(planned))
    return Object.entries(planned).flatMap(([key, value]) =>
      changesOf((existing as Record<string, unknown>)[key], value, [...path, key]),
    );
  if (isNamedList(existing) && isNamedList(planned)) {
    let end = existing.length;
    return planned.flatMap((item) => {
      const index = existing.findIndex(({ name }) => name === item.name);
      return index === -1 ? [[[...path, end++], item] as const] : changesOf(existing[index], item, [...path, index]);
    });
  }
  const isOpen = typeof planned === 'string' && (planned === '' || MARKER.test(planned));
  const isKnown = existing !== undefined && (isOpen || beginnings.has(path.at(-1)));
  return isKnown || JSON.stringify(existing) === JSON.stringify(planned) ? [] : [[path, planned]];
}

function setIn(document: object, [path, value]: Change): void {
  const parent = path
    .slice(0, -1)
    .reduce<object>((place, key) => (place as Record<string, object>)[key] as object, document);
  Object.defineProperty(parent, path[path.length - 1] as string, {
    ...{ value, enumerable: true, writable: true, configurable: true },
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is readonly { readonly name: string }[] {
  return Array.isArray(value) && value.every((item) => typeof (item as { name?: unknown } | null)?.name === 'string');
}
