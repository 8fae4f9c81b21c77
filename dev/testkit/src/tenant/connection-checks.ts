import { invalidBody } from './api-error.ts';
import type { Json, JsonObject } from './options.ts';

/** What a write may name at the top level of a connection. */
export const changeable: readonly string[] = [
  'display_name',
  'options',
  'enabled_clients',
  'is_domain_connection',
  'show_as_button',
  'realms',
  'metadata',
  'authentication',
  'connected_accounts',
];

/** Options that cannot be written together, though they can be read together. */
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

const SCRIPT_LIMIT = 100_000;

/** @throws ApiError */
export function readOptions(options: Json): JsonObject {
  if (options === null) return {};
  if (!isObject(options)) throw invalidBody('Expected type object but found another type: options');
  const { configuration, customScripts } = options;
  if (configuration !== undefined && configuration !== null) {
    if (!isObject(configuration)) throw invalidBody('Expected type object but found another type: configuration');
    for (const value of Object.values(configuration)) {
      if (value !== null && typeof value !== 'string') throw invalidBody('Expected type string: configuration');
    }
  }
  for (const script of Object.values(isObject(customScripts) ? customScripts : {})) {
    if (script === null) continue;
    if (typeof script !== 'string') throw invalidBody('Expected type string: customScripts');
    if (Buffer.byteLength(script) > SCRIPT_LIMIT) throw invalidBody('String is too long: customScripts');
  }
  return options;
}

/** @throws ApiError */
export function refuseExclusive(options: JsonObject): void {
  for (const [one, others] of exclusive) {
    const clash = options[one] === undefined ? undefined : others.find((other) => options[other] !== undefined);
    if (clash !== undefined) throw invalidBody(`Cannot use ${one} together with ${clash}`);
  }
}

/** @throws ApiError */
export function refuseUnknown(given: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw invalidBody(`Additional properties not allowed: ${unknown.join(',')}`);
}

/** @throws ApiError */
export function checkMetadata(metadata: Json | undefined): void {
  if (metadata === undefined || metadata === null) return;
  const values = isObject(metadata) ? Object.entries(metadata) : undefined;
  if (values === undefined || values.length > 10) throw invalidBody('Object has too many properties: metadata');
  for (const [key, value] of values) {
    if (typeof value !== 'string' || key.length > 255 || value.length > 255)
      throw invalidBody(`String is too long: metadata.${key}`);
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
