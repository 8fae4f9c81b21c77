import { readFileSync } from 'node:fs';
import type { PinsDocument } from '@certpin/pins-file';
import { plain } from '../tenant/tenant-error.ts';
import { DeliverError } from './deliver-error.ts';

/** Values of a tenant that cannot be read there: those of `configuration` by connection, secrets by Action. */
export interface Values {
  readonly connections: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly actions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const none: Values = { connections: {}, actions: {} };

/** @throws DeliverError `ERR_VALUES_FILE`. Nothing from the file is repeated */
export function readValues(path: string | undefined): Values {
  if (path === undefined) return none;
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw bad(path, code === 'ENOENT' ? 'no such file' : 'it cannot be read as JSON');
  }
  if (!isObject(read)) throw bad(path, 'an object is expected');
  if (Object.keys(read).some((key) => key !== 'connections' && key !== 'actions')) {
    throw bad(path, 'its keys are "connections" and "actions"');
  }
  const { connections = {}, actions = {} } = read;
  return { connections: toTexts(path, connections), actions: toTexts(path, actions) };
}

/** A misspelt name would be ignored, and its values asked for again. @throws DeliverError `ERR_VALUES` */
export function refuseStrangers({ connections, actions }: Values, { entries }: PinsDocument): void {
  const places = entries.flatMap(({ deliver }) => deliver);
  const groups = [
    ['connection', connections, places.flatMap((place) => ('connection' in place ? place.connection : []))],
    ['Action', actions, places.flatMap((place) => ('action' in place ? place.action : []))],
  ] as const;
  for (const [what, group, known] of groups) {
    const stranger = Object.keys(group).find((name) => !known.includes(name));
    if (stranger === undefined) continue;
    const names = [...new Set(known)].map(plain).join(', ');
    throw new DeliverError(
      'ERR_VALUES',
      `the file of --values has the ${what} ${plain(stranger)}, which no place of the pins file names; the places name: ${names || 'none'}`,
    );
  }
}

/** What the file of --values must contain, for the user to fill in. */
export function shapeOfValues(group: keyof Values, name: string, keys: readonly string[]): string {
  const values = Object.fromEntries(keys.map((key) => [plain(key), '…']));
  return `--values values.json, and in that file: ${JSON.stringify({ [group]: { [plain(name)]: values } })}`;
}

/** The values of one connection or Action. */
export function valuesOf(group: Values['connections'], name: string): Readonly<Record<string, string>> {
  return Object.hasOwn(group, name) ? (group[name] ?? {}) : {};
}

function toTexts(path: string, group: unknown): Values['connections'] {
  const isGood =
    isObject(group) && Object.values(group).every((one) => isObject(one) && Object.values(one).every(isText));
  if (!isGood) throw bad(path, 'each connection and Action has an object of texts');
  return group as Values['connections'];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function bad(path: string, why: string): DeliverError {
  const hint = '{"connections": {"NAME": {"KEY": "value"}}, "actions": {"NAME": {"KEY": "value"}}}';
  return new DeliverError('ERR_VALUES_FILE', `--values ${plain(path)}: ${why}`, undefined, hint);
}
