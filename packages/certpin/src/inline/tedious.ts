import type { EventEmitter } from 'node:events';
import { createTediousConnection, type TediousClass } from '../drivers/tedious-events.ts';
import type { TediousOptions } from '../drivers/tedious-options.ts';
import { ownOptions, readConnectTimeout } from '../leaf/options.ts';
import type { LeafPinnerOptions } from '../leaf/pinner.ts';
import { createLeafPolicy } from '../leaf/policy.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A connection of tedious for a script: `pinnedTedious(Connection, config, { pins })` in place of `new Connection(config)`. */
export function pinnedTedious(
  Connection: TediousClass<EventEmitter>,
  config: { readonly options?: TediousOptions },
  policy: LeafPinnerOptions,
): EventEmitter {
  const { connectTimeoutMs, ...others } = ownOptions(policy ?? {});
  const limitMs = readConnectTimeout(connectTimeoutMs);
  return createTediousConnection(Connection, config, createLeafPolicy(others), limitMs, readScriptTls, 'pinnedTedious');
}
