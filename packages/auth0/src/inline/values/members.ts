import type { Key } from '../keys/key.ts';
import { isInternal } from '../keys/node-members.ts';
import { isLegacyPackage, isNodeGlobal } from '../known/globals.ts';
import { isNodeModule } from '../known/modules.ts';
import { type Home, homeOf } from './fields.ts';
import type { Reading } from './reading.ts';
import {
  ANYTHING,
  GIVEN_VALUE,
  globalValue,
  isGlobalObject,
  moduleValue,
  OUTSIDE,
  OWN,
  PINNED,
  PLAIN,
  type Shared,
  type Value,
  Values,
} from './value.ts';

type Known = Pick<Reading, 'knowledge'>;

/** Members at a deeper level are not distinguished. */
const DEPTH = 6;

/** What `values` have under a name. */
export function membersOf(known: Known, values: Iterable<Value>, key: Key): Values {
  const found = new Values();
  for (const value of values) found.add(memberOf(known, value, key));
  return found;
}

function memberOf(known: Known, value: Value, key: Key): Iterable<Value> {
  switch (value.kind) {
    case 'shared':
      return key.text === undefined ? [ANYTHING] : memberOfShared(known, value, key.text);
    case 'certpin':
      return [key.text === undefined ? ANYTHING : { kind: 'certpin', path: [...value.path, key.text] }];
    case 'anything':
      return [ANYTHING];
    case 'pinned':
      return [key.ordinary ? PINNED : ANYTHING];
    default:
  }
  const { kind } = value;
  if (!key.ordinary) return [key.text === 'prototype' && kind === 'function' ? OWN : ANYTHING];
  if (kind === 'outside' && isInternal(key.text ?? '')) return [ANYTHING];
  if (/^(?:outside|plain|unset|function)$/.test(kind)) return [OUTSIDE];
  return fieldsAt(known, homeOf(value), key, kind === 'own' ? [] : [kind === 'fresh' ? OUTSIDE : value]);
}

function memberOfShared(known: Known, value: Shared, name: string): Iterable<Value> {
  const path = value.path.join('.');
  if (isGlobalObject(value)) return globalNamed(known, name);
  if (path === 'module' && name === 'exports' && !value.isModule) return [GIVEN_VALUE];
  if (/^process\.(?:env|version|versions)\.?/.test(path) && !value.isModule) return [PLAIN];
  return [value.path.length < DEPTH ? { ...value, path: [...value.path, name] } : ANYTHING];
}

/** What a global is that the script does not declare. */
export function globalNamed({ knowledge }: Known, name: string): Iterable<Value> {
  if (isNodeGlobal(name)) return name === 'crypto' ? [globalValue(name), moduleValue(name)] : [globalValue(name)];
  const written = knowledge.global(name);
  if (written !== undefined) return written;
  // Old platforms have some packages as globals.
  if (!isLegacyPackage(name)) return [OUTSIDE];
  return [isNodeModule(name) ? moduleValue(name) : globalValue(name)];
}

/** What an object may have under a name, besides what is known of it. */
function* fieldsAt({ knowledge }: Known, home: Home, key: Key, known: readonly Value[]): Generator<Value> {
  const fields = knowledge.fields.at(home, key);
  // A name of which only a part is known may be any name. A member that nobody has set is one that all objects have.
  const isAny = key.text === undefined && !key.isIndex && !key.isApart;
  yield* known;
  yield* fields;
  if (isAny || (known.length === 0 && fields.length === 0)) yield OUTSIDE;
}
