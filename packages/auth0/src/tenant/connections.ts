import { isDeepStrictEqual } from 'node:util';
import { type Found, fieldOf, isId, type Json, listOf, type Management, refuseEndless } from './management.ts';
import { plain, TenantError } from './tenant-error.ts';

export type JsonObject = { readonly [key: string]: Json };

/** A database connection, as the tenant shows it. `options.configuration` is ciphertext, which changes with each write. */
export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly options: JsonObject;
  /** Everything that the tenant sent, also `options`. */
  readonly whole: JsonObject;
}

/**
 * Finds it by its name.
 *
 * @throws TenantError, also if the tenant leaves `options` out, as it does without the scope `read:connections_options`. Merging with
 * nothing would erase the connection
 */
export async function findConnection(management: Management, name: string): Promise<Connection> {
  const found = await searchConnection(management, name);
  if (found === undefined) throw refused(`there is no connection ${plain(name)} in the tenant`);
  return toConnection(found);
}

/** Also if its options are not shown. undefined: there is none. @throws TenantError */
export async function findConnectionId(management: Management, name: string): Promise<string | undefined> {
  const id = fieldOf(await searchConnection(management, name), 'id');
  return isId(id) ? id : undefined;
}

async function searchConnection(management: Management, name: string): Promise<Json | undefined> {
  const found: Json[] = [];
  for (let from: Json | undefined = '', pages = 0; from !== undefined && from !== null; pages++) {
    refuseEndless(pages);
    const next: string = from === '' ? '' : `&from=${encodeURIComponent(String(from))}`;
    const page = await management.get(`connections?name=${encodeURIComponent(name)}&take=50${next}`);
    const rows = listOf(Array.isArray(page) ? page : fieldOf(page, 'connections'));
    found.push(...rows.filter((connection) => fieldOf(connection, 'name') === name));
    from = fieldOf(page, 'next');
  }
  const [one, other] = found;
  if (other !== undefined) throw refused(`there are several connections ${plain(name)} in the tenant`);
  return one;
}

export async function readConnection(management: Management, id: string): Promise<Connection> {
  return toConnection(await management.get(`connections/${encodeURIComponent(id)}`));
}

function toConnection(whole: Json): Connection {
  const [id, name, options] = ['id', 'name', 'options'].map((key) => fieldOf(whole, key));
  if (!isId(id) || typeof name !== 'string') throw refused('its answer is not a connection');
  if (!isObject(options)) {
    throw refused(
      `the tenant does not show the options of ${plain(name)}: give the client the scopes read:connections_options and update:connections_options`,
    );
  }
  return { id, name, options, whole: whole as JsonObject };
}

/** The ciphertext of each key. */
export function configurationOf({ options }: Connection): JsonObject {
  return isObject(options.configuration) ? options.configuration : {};
}

export function scriptsOf({ options }: Connection): JsonObject {
  return isObject(options.customScripts) ? options.customScripts : {};
}

export function metadataOf({ whole }: Connection): JsonObject {
  return isObject(whole.metadata) ? whole.metadata : {};
}

/** The changes of a connection. `null` removes a key. */
export interface ConnectionChange {
  readonly configuration: Readonly<Record<string, string | null>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Options that may be lost. */
  readonly drop: readonly string[];
}

export interface ConnectionPatch {
  readonly body: JsonObject;
  /** Which values of `configuration` are not known, and are sent back as the ciphertext that was read. */
  readonly echoed: readonly string[];
}

/** Options that can be read together, but not written together. */
const exclusive: readonly (readonly [string, readonly string[]])[] = [
  ['attributes', ['requires_username', 'validation']],
  [
    'password_options',
    [
      'passwordPolicy',
      'password_complexity_options',
      'password_history',
      'password_no_personal_info',
      'password_dictionary',
    ],
  ],
];

/** Why a connection could not be written without a loss. undefined: it can. */
export function lossOf({ options }: Connection, drop: readonly string[]): string | undefined {
  const place = Object.keys(options).find((key) => !drop.includes(key) && hasOtherNumber(options[key] ?? null));
  if (place !== undefined) {
    return `options.${plain(place)} has a number that JavaScript cannot send back as it was: say --drop ${plain(place)}, or write it by another tool`;
  }
  for (const [one, others] of exclusive) {
    const read = [one, ...others].filter((name) => options[name] !== undefined && !drop.includes(name));
    if (!read.includes(one) || read.length === 1) continue;
    const rest = read.slice(1).join(', ');
    return `the tenant shows ${one} together with ${rest}, and takes only one of the two: say with --drop which may be lost`;
  }
  // alexkappa/terraform-provider-auth0#382: after such a write, logins hang and end with 504.
  if (options.non_persistent_attrs === null && !drop.includes('non_persistent_attrs')) {
    return 'its non_persistent_attrs is null, and logins hang once that is written back: set it to [] first, or say --drop non_persistent_attrs';
  }
  return undefined;
}

/** A number that JavaScript has read as another one. */
function hasOtherNumber(value: Json): boolean {
  if (typeof value === 'number')
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  return typeof value === 'object' && value !== null && Object.values(value).some(hasOtherNumber);
}

/**
 * Everything that was read, with the changes. PATCH replaces `options` and `configuration` as a whole, and sets `display_name` and `realms`
 * if they are left out.
 *
 * @param values the plaintext of other keys of `configuration`, if somebody knows it
 */
export function patchOf(
  before: Connection,
  { configuration, scripts, metadata, drop }: ConnectionChange,
  values: Readonly<Record<string, string>>,
): ConnectionPatch {
  const old = configurationOf(before);
  const removed = Object.keys(configuration).filter((key) => configuration[key] === null);
  const written = { ...old, ...pick(values, Object.keys(old)), ...configuration };
  const isChanged = Object.keys(configuration).length > 0 || before.options.configuration !== undefined;
  const echoed = Object.keys(old).filter(
    (key) => typeof old[key] === 'string' && !Object.hasOwn(configuration, key) && !Object.hasOwn(values, key),
  );
  const options = {
    ...without(before.options, drop),
    ...(isChanged ? { configuration: without(written, removed) } : {}),
    ...(Object.keys(scripts).length === 0 ? {} : { customScripts: { ...scriptsOf(before), ...scripts } }),
  } as JsonObject;
  return { body: { ...headOf(before, metadata), options }, echoed };
}

/** What every PATCH of this connection must contain, and the marks of push. */
export function headOf({ whole }: Connection, metadata: Readonly<Record<string, string>>): JsonObject {
  const kept = pick(whole, ['display_name', 'realms']);
  const old = isObject(whole.metadata) ? whole.metadata : {};
  return Object.keys(metadata).length === 0 ? kept : { ...kept, metadata: { ...old, ...metadata } };
}

/**
 * The places that differ from what was sent. Ciphertext is not compared: it only must be there.
 *
 * @param body what was sent
 */
export function differencesAfter(before: Connection, body: JsonObject, after: Connection): readonly string[] {
  const expected: JsonObject = { ...before.whole, ...body };
  const differences: string[] = [];
  for (const key of new Set([...Object.keys(expected), ...Object.keys(after.whole)])) {
    if (key === 'options' || isDeepStrictEqual(expected[key], after.whole[key])) continue;
    // Documented: if these did not exist, a PATCH sets them to the name of the connection. Nothing was lost.
    if ((key === 'display_name' || key === 'realms') && before.whole[key] === undefined) continue;
    differences.push(key);
  }
  const options = expected.options as JsonObject;
  for (const key of new Set([...Object.keys(options), ...Object.keys(after.options)])) {
    if (key === 'configuration' || isDeepStrictEqual(options[key], after.options[key])) continue;
    differences.push(`options.${key}`);
  }
  const wanted = isObject(options.configuration) ? options.configuration : {};
  const found = configurationOf(after);
  for (const key of new Set([...Object.keys(wanted), ...Object.keys(found)])) {
    const [one, other] = [wanted[key], found[key]];
    const isSame = typeof one === 'string' ? typeof other === 'string' && other !== '' : isDeepStrictEqual(one, other);
    if (!isSame) differences.push(`options.configuration.${key}`);
  }
  return differences.map(plain);
}

/** @returns the connection after the write. @throws TenantError */
export async function writeConnection(
  management: Management,
  before: Connection,
  body: JsonObject,
  isOurs: (now: Connection) => boolean,
): Promise<Connection> {
  const path = `connections/${encodeURIComponent(before.id)}`;
  await management.write('PATCH', path, body, async (): Promise<Found> => {
    const now = await readConnection(management, before.id);
    if (isOurs(now)) return 'written';
    return isDeepStrictEqual(now.whole, before.whole) ? 'unwritten' : 'unclear';
  });
  return readConnection(management, before.id);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pick<Value>(from: Readonly<Record<string, Value>>, keys: readonly string[]): Record<string, Value> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}

function without<Value>(from: Readonly<Record<string, Value>>, keys: readonly string[]): Record<string, Value> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));
}

function refused(message: string): TenantError {
  return new TenantError('ERR_TENANT_REFUSED', message);
}
