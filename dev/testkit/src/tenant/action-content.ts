import { isDeepStrictEqual } from 'node:util';
import { ApiError, invalidBody } from './api-error.ts';
import { isObject } from './connection-checks.ts';
import type { Json, JsonObject, PlainContent } from './options.ts';

interface Secret {
  readonly name: string;
  readonly value: string;
  readonly updatedAt: string;
}

/** The content of a version of an Action. */
export interface ActionContent {
  readonly code: string;
  readonly runtime: string;
  readonly dependencies: Json;
  readonly modules: Json;
  readonly supported_triggers: Json;
  readonly secrets: readonly Secret[];
}

const LIMITS = { secrets: 30, secretName: 128, secretValue: 4096, code: 100_000, dependencies: 10 };

/** The content after a write. What a write leaves out stays. */
export function changeContent(content: ActionContent, given: JsonObject, nameOnly: 'kept' | 'emptied'): ActionContent {
  const { code = content.code, runtime = content.runtime, dependencies = content.dependencies } = given;
  const { supported_triggers = content.supported_triggers, modules = content.modules } = given;
  if (typeof code !== 'string' || typeof runtime !== 'string') throw invalidBody('Expected type string: code, runtime');
  if (Buffer.byteLength(code) > LIMITS.code) throw invalidBody('String is too long: code');
  if (!Array.isArray(dependencies) || dependencies.length > LIMITS.dependencies)
    throw invalidBody('Array is too long: dependencies');
  if (!Array.isArray(supported_triggers) || supported_triggers.length !== 1) {
    throw invalidBody('An action can target a single trigger: supported_triggers');
  }
  const secrets =
    given.secrets === undefined ? content.secrets : changeSecrets(content.secrets, given.secrets, nameOnly);
  return { code, runtime, dependencies, modules, supported_triggers, secrets };
}

/** The array is replaced: a secret that it does not name is deleted. */
function changeSecrets(before: readonly Secret[], given: Json, nameOnly: 'kept' | 'emptied'): readonly Secret[] {
  if (!Array.isArray(given)) throw invalidBody('Expected type array: secrets');
  if (given.length > LIMITS.secrets)
    throw invalidBody(`Array is too long (${given.length}), maximum ${LIMITS.secrets}: secrets`);
  const secrets = (given as readonly Json[]).map((entry): Secret => {
    const { name, value } = isObject(entry) ? entry : {};
    if (typeof name !== 'string' || name === '' || name.length > LIMITS.secretName) throw invalidBody('secrets: name');
    if (typeof value === 'string') {
      if (value.length > LIMITS.secretValue)
        throw invalidBody(`String is too long (${value.length} chars), maximum ${LIMITS.secretValue}: secrets`);
      return { name, value, updatedAt: new Date().toISOString() };
    }
    const known = before.find((secret) => secret.name === name);
    if (known !== undefined && nameOnly === 'kept') return known;
    return { name, value: '', updatedAt: new Date().toISOString() };
  });
  if (new Set(secrets.map(({ name }) => name)).size < secrets.length) {
    throw new ApiError(400, 'invalid_body', 'Secret names must be unique.');
  }
  return secrets;
}

/** The form for clients: a secret is its name and the time of its last write. */
export function showContent({ modules, secrets, ...content }: ActionContent): JsonObject {
  return {
    ...content,
    secrets: secrets.map(({ name, updatedAt }) => ({ name, updated_at: updatedAt })),
    ...(modules === null ? {} : { modules }),
  };
}

export function plainContent({ secrets, ...content }: ActionContent): PlainContent {
  return { ...content, secrets: Object.fromEntries(secrets.map(({ name, value }) => [name, value])) };
}

export function isSame(one: ActionContent, other: ActionContent): boolean {
  return isDeepStrictEqual(one, other);
}
