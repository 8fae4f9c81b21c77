import { type Json, sometimes } from './events.ts';
import type { SerializedError } from './result.ts';
import { formatRole, type Role } from './roles.ts';

/**
 * The missing part of `event` or `context` that made a script fail. It does not exist in an ordinary transaction, or the platform does not
 * know it. undefined: the cause is something else.
 */
export function adviseOnMissing(
  role: Role,
  text: string,
  values: readonly Json[],
  { message = '' }: SerializedError,
): string | undefined {
  const read = /^Cannot read properties of (?:undefined|null) \(reading '(\w+)'\)/.exec(message)?.[1];
  if (read === undefined || role.kind === 'database') return undefined;
  const [given, option, index] =
    role.kind === 'action' ? ['event', '--event', 0] : ['context', '--context', values.length - 1];
  const there = (values[index as number] ?? {}) as Readonly<Record<string, Json>>;
  const expression = new RegExp(
    `(?:\\b(${given})\\s*\\.\\s*|\\b)(\\w+)\\s*(?:\\.\\s*${read}\\b|\\[\\s*['"]${read}['"])`,
    'g',
  );
  for (const [, object, name = ''] of text.matchAll(expression)) {
    if (there[name] !== undefined && there[name] !== null) continue;
    if (Object.hasOwn(sometimes, name))
      return `${given}.${name} exists only if ${sometimes[name]}: check for it first, and give one here with ${option} FILE`;
    if (object !== undefined)
      return `${given}.${name} is not documented for ${formatRole(role)}; give it here with ${option} FILE`;
  }
  return undefined;
}
