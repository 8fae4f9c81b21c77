import {
  type AnyFetch,
  createConnector,
  createDispatcher,
  createFetch,
  type DispatcherLike,
  type DispatcherOptions,
  type PinnedFetch,
  readFetchOptions,
} from '../drivers/undici.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

interface ScriptFetchOptions extends DispatcherOptions<DispatcherLike> {
  readonly fetch?: AnyFetch | undefined;
  readonly tls?: object | undefined;
}

/** The pinned `fetch` of a script. */
export function pinnedFetch(policy: LeafPinnerOptions, options: ScriptFetchOptions = {}): PinnedFetch<AnyFetch> {
  const { fetch: given, tls = {}, ...others } = readFetchOptions(options);
  const connect = createConnector(createLeafPinner(policy), readScriptTls(tls, 'pinnedConnector'));
  return createFetch(createDispatcher(connect, others), given);
}
