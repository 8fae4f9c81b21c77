import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { databaseScripts, formatRole, hookPoints, parseRole, type Role } from './roles.ts';
import { RunError } from './run-error.ts';
import type { ScriptFunction, Source } from './source.ts';
import { triggers } from './triggers.ts';

/**
 * What a script is: from its exports, its file's name (as the Deploy CLI writes it), its function's name, its parameters, in this order.
 *
 * @throws RunError `ERR_SCRIPT_ROLE` where nothing or more than one thing fits
 */
export function detectRole(source: Source): Role {
  const candidates = findCandidates(source);
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return only;
  const name = basename(source.file);
  if (only === undefined) {
    throw new RunError(
      'ERR_SCRIPT_ROLE',
      `${name} does not look like a script of Auth0, by its name and its function`,
      'say what it is: --as login',
    );
  }
  const list = candidates.map(formatRole);
  throw new RunError(
    'ERR_SCRIPT_ROLE',
    `${name} may be ${list.slice(0, -1).join(', ')} or ${list.at(-1)}`,
    `say which: --as ${list[0]}`,
  );
}

function findCandidates(source: Source): Role[] {
  const byExport = Object.entries(triggers).flatMap(([name, { handlers }]): Role[] => {
    const handler = handlers.find((candidate) => source.exported.includes(candidate));
    return handler === undefined ? [] : [{ kind: 'action', name, handler }];
  });
  if (byExport.length > 0) return byExport;
  if (source.moduleExport !== undefined) return hooksOf(source.file, source.moduleExport);
  const byFile = basename(source.file, '.js');
  if (Object.hasOwn(databaseScripts, byFile)) return [{ kind: 'database', name: byFile }];
  if (basename(dirname(source.file)) === 'rules') return [{ kind: 'rule', name: 'rule' }];
  const named = source.functions.flatMap(({ name }) => databaseRoleOf(name));
  if (named.length > 0) return named;
  const [first, ...rest] = source.functions;
  return first !== undefined && rest.length === 0 ? rolesByParameters(first) : [];
}

/** The Deploy CLI writes the extension point into a JSON file beside the Hook. */
function hooksOf(file: string, { parameters }: ScriptFunction): Role[] {
  const given = readTriggerId(file);
  const role = given === undefined ? undefined : parseRole(`hook:${given}`);
  if (role !== undefined) return [role];
  const own = parameters.slice(0, -1).join();
  return Object.entries(hookPoints)
    .filter(([, before]) => before.join() === own)
    .map(([name]) => ({ kind: 'hook', name }));
}

function readTriggerId(file: string): string | undefined {
  try {
    const manifest = join(dirname(file), `${basename(file, '.js')}.json`);
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { triggerId?: string }).triggerId;
  } catch {
    return undefined;
  }
}

function databaseRoleOf(name: string | undefined): Role[] {
  if (name === undefined) return [];
  return Object.entries(databaseScripts)
    .filter(([, { functions }]) => functions.includes(name))
    .map(([key]) => ({ kind: 'database', name: key }));
}

function rolesByParameters({ name, parameters }: ScriptFunction): Role[] {
  const own = parameters.slice(0, -1).filter((parameter) => parameter !== 'context');
  const [first = '', second = '', third = ''] = own;
  const keys = (...names: readonly string[]): Role[] => names.map((key) => ({ kind: 'database', name: key }));
  const rule: Role = { kind: 'rule', name: 'rule' };
  if (parameters.length === 3 && first === 'user' && parameters[1] === 'context') {
    return name === undefined ? [rule, ...keys('get_user', 'create', 'verify')] : [rule];
  }
  if (/verified/i.test(third)) return keys('change_email');
  if (/^new_?password$/i.test(second)) return keys('change_password');
  if (/^password$/i.test(second)) return keys('login');
  if (second !== '') return [];
  if (/^(?:user_?)?id$/i.test(first)) return keys('delete');
  if (first === 'user') return keys('create');
  return /^(?:email|identifierValue)$/.test(first) ? keys('get_user', 'verify') : [];
}
