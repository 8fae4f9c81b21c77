import { isDeepStrictEqual } from 'node:util';
import type { Place } from '@certpin/pins-file';
import { MAX_SCRIPT_BYTES } from '../platform/script-size.ts';
import {
  type Connection,
  type ConnectionChange,
  configurationOf,
  differencesAfter,
  findConnection,
  headOf,
  lossOf,
  metadataOf,
  patchOf,
  readConnection,
  scriptsOf,
  writeConnection,
} from '../tenant/connections.ts';
import { plain } from '../tenant/tenant-error.ts';
import type { TenantContext } from './context.ts';
import { DeliverError } from './deliver-error.ts';
import { lastWritten, type Witness } from './journal.ts';
import { findMarkedLine } from './marked-line.ts';
import { sha256 } from './pins-text.ts';
import { shapeOfValues, valuesOf } from './values.ts';
import { type HiddenPlace, valuesOfOthers } from './values-of-others.ts';
import type { Item, Standing, Step, Wish } from './wish.ts';

/** Limits of Auth0: the number of keys, and the length of a value. */
const MAX_METADATA = 10;
const MAX_METADATA_LENGTH = 255;

/**
 * The places of one connection: keys of its configuration, and lines of its scripts.
 *
 * @throws TenantError if it cannot be read
 */
export async function planConnection(context: TenantContext, name: string, wishes: readonly Wish[]): Promise<Step> {
  const { management, values, learned, drop } = context;
  const connection = await findConnection(management, name);
  const refusals: DeliverError[] = [];
  const isCustom = connection.whole.strategy === 'auth0' && connection.options.enabledDatabaseCustomization === true;
  if (!isCustom)
    refusals.push(
      new DeliverError(
        'ERR_PLACE',
        `the connection ${name} is not a custom database, so nothing reads its configuration`,
      ),
    );
  // Without a prototype: a key may be called __proto__ or constructor.
  const scripts: Record<string, string> = Object.create(null);
  const configuration: Record<string, string> = Object.create(null);
  const items = wishes.map((wish): Item => {
    const { place, pins } = wish;
    if (place.kind === 'configuration') {
      configuration[place.key] = pins;
      return { ...wish, standing: standingOf(connection, place.key, lastWritten(context.journal, place)) };
    }
    const script = place.kind === 'script' ? place.script : '';
    const code = scripts[script] ?? scriptsOf(connection)[script];
    const line =
      typeof code === 'string' ? findMarkedLine(code, wish.entry.id ?? '') : `the connection has no script ${script}`;
    if (typeof line === 'string' || typeof code !== 'string') {
      const reason = String(line);
      refusals.push(new DeliverError('ERR_PLACE', `the script ${script} of ${name}: ${reason}`, place));
      return { ...wish, standing: { how: 'unknown', reason } };
    }
    scripts[script] = line.replace(pins);
    if (Buffer.byteLength(scripts[script]) > MAX_SCRIPT_BYTES)
      refusals.push(
        new DeliverError('ERR_PLACE', `the script ${script} of ${name} would become longer than 100 kB`, place),
      );
    return { ...wish, standing: { how: 'read', text: line.text } };
  });
  const given = valuesOf(values.connections, name);
  const unmeant = Object.keys(given).filter(
    (key) => Object.hasOwn(configuration, key) || !Object.hasOwn(configurationOf(connection), key),
  );
  if (unmeant.length > 0) {
    const which = unmeant.map(plain).join(', ');
    refusals.push(
      new DeliverError(
        'ERR_VALUES',
        `the file of --values has ${which} for ${name}, which comes from the pins file or does not exist; remove it there`,
      ),
    );
  }
  const copied = Object.keys(given).filter((key) => given[key] === configurationOf(connection)[key]);
  if (copied.length > 0) {
    const which = copied.map(plain).join(', ');
    refusals.push(
      new DeliverError(
        'ERR_VALUES',
        `the file of --values has ${which} for ${name} as the tenant shows it, which is ciphertext: the value itself is needed`,
      ),
    );
  }
  const { domain } = management.credentials;
  const isBeside = (place: Place): place is HiddenPlace =>
    place.kind === 'configuration' &&
    place.tenant === domain &&
    place.connection === name &&
    !Object.hasOwn(configuration, place.key);
  const others = valuesOfOthers(context, isBeside, (key, last) => standingOf(connection, key, last));
  const known = { ...others, ...given };
  const change: ConnectionChange = { configuration, scripts, metadata: {}, drop };
  const loss = lossOf(connection, drop);
  if (loss !== undefined) refusals.push(new DeliverError('ERR_LOSS', `the connection ${name}: ${loss}`));
  const { echoed } = patchOf(connection, change, known);
  if (echoed.length > 0 && learned?.echo !== true) {
    const why =
      learned?.echo === false
        ? 'give them with --values (this tenant does not take their ciphertext back)'
        : 'give them with --values, or measure with certpin auth0 learn whether they can be sent back as they are';
    refusals.push(
      new DeliverError(
        'ERR_VALUES',
        `the connection ${name} has other values in its configuration, and nobody can read them (${echoed.map(plain).join(', ')}): ${why}`,
        undefined,
        shapeOfValues('connections', name, echoed),
      ),
    );
  }
  return {
    name: `the connection ${name} of ${management.credentials.domain}`,
    ...{ items, refusals },
    snapshot: connection.whole,
    login: { connection: name, isImport: connection.options.import_mode === true },
    write: (push) => write({ context, connection, change, known, items, push }),
  };
}

interface Writing {
  readonly context: TenantContext;
  readonly connection: Connection;
  readonly change: ConnectionChange;
  readonly known: Readonly<Record<string, string>>;
  readonly items: readonly Item[];
  readonly push: string;
}

async function write({
  context,
  connection,
  change,
  known,
  items,
  push,
}: Writing): Promise<readonly (Witness | null)[]> {
  const { management } = context;
  const { name } = connection;
  const now = await readConnection(management, connection.id);
  if (!isDeepStrictEqual(now.whole, connection.whole)) {
    throw new DeliverError(
      'ERR_CHANGED',
      `the connection ${name}: somebody else has changed it since it was read; it was not written`,
    );
  }
  const keys = Object.keys(change.configuration);
  const begun = marks(connection, keys, (key) => `1 ${push} ${sha256(change.configuration[key] ?? '')} -`);
  const { body } = patchOf(now, { ...change, metadata: begun }, known);
  const isOurs = (found: Connection): boolean => {
    if (keys.length > 0 && Object.keys(begun).length > 0)
      return keys.every((key) => metadataOf(found)[nameOfMark(key)] === begun[nameOfMark(key)]);
    const [old, fresh] = [configurationOf(now), configurationOf(found)];
    return differencesAfter(now, body, found).length === 0 && keys.every((key) => old[key] !== fresh[key]);
  };
  const after = await writeConnection(management, now, body, isOurs);
  // Ciphertext changes with each write, even if the value stays the same.
  const unwritten = keys.filter((key) => configurationOf(after)[key] === configurationOf(now)[key]);
  refuseDifferences(name, [
    ...differencesAfter(now, body, after),
    ...unwritten.map((key) => `options.configuration.${plain(key)}`),
  ]);
  const cipher = (key: string): Witness => sha256(String(configurationOf(after)[key]));
  const ended = marks(connection, keys, (key) => `1 ${push} ${sha256(change.configuration[key] ?? '')} ${cipher(key)}`);
  if (Object.keys(ended).length > 0) {
    // No options: then none of them is changed.
    const head = headOf(after, ended);
    const marked = await writeConnection(management, after, head, (found) =>
      isDeepStrictEqual(metadataOf(found), head.metadata),
    );
    refuseDifferences(name, differencesAfter(after, head, marked));
    const unlike = keys.filter((key) => configurationOf(marked)[key] !== configurationOf(after)[key]);
    refuseDifferences(
      name,
      unlike.map((key) => `options.configuration.${plain(key)}`),
    );
  }
  return items.map(({ place }) => (place.kind === 'configuration' ? cipher(place.key) : null));
}

function refuseDifferences(name: string, differences: readonly string[]): void {
  if (differences.length === 0) return;
  throw new DeliverError(
    'ERR_DIFFERENCE',
    `the connection ${name}: after the write, it differs from what was written: ${differences.join(', ')}`,
  );
}

/** The witnesses, if there is room for all of them. Otherwise they are only in the journal. */
function marks(
  connection: Connection,
  keys: readonly string[],
  text: (key: string) => string,
): Readonly<Record<string, string>> {
  const names = new Set([...Object.keys(metadataOf(connection)), ...keys.map(nameOfMark)]);
  if (names.size > MAX_METADATA || keys.some((key) => nameOfMark(key).length > MAX_METADATA_LENGTH)) return {};
  return Object.fromEntries(keys.map((key) => [nameOfMark(key), text(key)]));
}

function nameOfMark(key: string): string {
  return `certpin_${key}`;
}

/** What is known of a key that can be read only as ciphertext. */
function standingOf(
  connection: Connection,
  key: string,
  last: { readonly sha256: string; readonly pins: string; readonly witness: Witness | null } | undefined,
): Standing {
  const all = configurationOf(connection);
  const ciphertext = Object.hasOwn(all, key) ? all[key] : undefined;
  if (typeof ciphertext !== 'string') return { how: 'absent' };
  const cipher = sha256(ciphertext);
  const [, , marked, witness] = String(metadataOf(connection)[nameOfMark(key)] ?? '').split(' ');
  const hash = witness === cipher ? marked : last?.witness === cipher ? last.sha256 : undefined;
  if (hash !== undefined) return { how: 'witness', sha256: hash, text: last?.sha256 === hash ? last.pins : undefined };
  const isNew = marked === undefined && last === undefined;
  const reason = isNew
    ? 'it is ciphertext, and push has not written it yet'
    : witness === '-'
      ? 'it is ciphertext, and the push that wrote it did not finish'
      : 'it is ciphertext, and somebody else has written it since the last push';
  return { how: 'unknown', reason };
}
