import type { Json, JsonObject } from '@certpin/auth0';

/** A value that the Deploy CLI must still fill in, or has left out, does not count. */
const NO_VALUE = /^(?:@@\w+@@|##\w+##|_VALUE_NOT_SHOWN_)$/;

/**
 * The configuration in a JSON file: the object itself, or that of a connection (`options.configuration` of a `database.json`). The Deploy
 * CLI and the Management API use this form.
 *
 * @throws TypeError if it is something else
 */
export function configurationIn(file: JsonObject): Record<string, string | null> {
  const { strategy, options } = file;
  return settingsIn(isObject(options) && strategy !== undefined ? (options.configuration ?? {}) : file);
}

/**
 * The secrets in a JSON file. That is the object itself, or the secrets of an Action (a list of names and values) or a Hook (an object).
 * The Deploy CLI and the Management API use these forms.
 *
 * @throws TypeError if it is something else
 */
export function secretsIn(file: JsonObject): Record<string, string | null> {
  const { secrets } = file;
  if (!Array.isArray(secrets)) return settingsIn(isObject(secrets) ? secrets : file);
  const named = (secrets as readonly JsonObject[]).map(({ name, value }) => [String(name), value ?? null] as const);
  return settingsIn(Object.fromEntries(named));
}

/** The platform keeps texts, so a number becomes a text. Anything else is an error, and does not count as nothing. */
function settingsIn(values: Json): Record<string, string | null> {
  const settings: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(isObject(values) ? values : {})) {
    if (typeof value === 'object' && value !== null)
      throw new TypeError(`${/^\w+$/.test(name) ? name : 'a value'} is not a text, so the file does not hold settings`);
    if (typeof value !== 'string' || !NO_VALUE.test(value)) settings[name] = value === null ? null : String(value);
  }
  return settings;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
