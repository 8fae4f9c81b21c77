import type { JsonObject } from '@certpin/auth0';

/** What the Deploy CLI is to fill in is no value. */
const MARKER = /^(?:@@\w+@@|##\w+##)$/;

/**
 * The configuration in a JSON file: the object itself, or that of a connection as the Deploy CLI and the Management API keep it
 * (`options.configuration` of a `database.json`).
 */
export function configurationIn(file: JsonObject | undefined): JsonObject {
  const { strategy, options } = file ?? {};
  const isConnection = strategy === 'auth0' && typeof options === 'object' && options !== null;
  const configuration = isConnection ? ((options as JsonObject).configuration ?? {}) : (file ?? {});
  return Object.fromEntries(
    Object.entries(configuration as JsonObject).filter(([, value]) => typeof value !== 'string' || !MARKER.test(value)),
  );
}
