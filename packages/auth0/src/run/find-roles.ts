import { databaseScripts, hookPoints, parseRole, type Role } from './roles.ts';
import type { ScriptFunction, Source } from './source.ts';
import { triggers } from './triggers.ts';

/** What is known of a script without running it. */
export interface ScriptShape extends Pick<Source, 'file' | 'functions' | 'exported' | 'moduleExport'> {
  /** The extension point of a Hook, if the file next to it names one. */
  readonly triggerId: string | undefined;
}

/**
 * What a script may be: from its exports, its file's name (as the Deploy CLI writes it), its function's name and its parameters, in this
 * order. The runner and the linter use it.
 */
export function findRoles({ file, functions, exported, moduleExport, triggerId }: ScriptShape): Role[] {
  const byExport = Object.entries(triggers).flatMap(([name, { handlers }]): Role[] => {
    const handler = handlers.find((candidate) => exported.includes(candidate));
    return handler === undefined ? [] : [{ kind: 'action', name, handler }];
  });
  if (byExport.length > 0) return byExport;
  if (moduleExport !== undefined) return hooksOf(moduleExport, triggerId);
  const [name = '', folder] = file.split(/[\\/]/).reverse();
  const byFile = name.replace(/\.[cm]?[jt]s$/, '');
  if (Object.hasOwn(databaseScripts, byFile)) return [{ kind: 'database', name: byFile }];
  if (folder === 'rules') return [{ kind: 'rule', name: 'rule' }];
  const named = functions.flatMap((found) => databaseRolesOf(found.name));
  if (named.length > 0) return named;
  const [first, ...rest] = functions;
  return first !== undefined && rest.length === 0 ? rolesByParameters(first) : [];
}

function hooksOf({ parameters }: ScriptFunction, triggerId: string | undefined): Role[] {
  const role = triggerId === undefined ? undefined : parseRole(`hook:${triggerId}`);
  if (role !== undefined) return [role];
  const own = parameters.slice(0, -1).join();
  return Object.entries(hookPoints)
    .filter(([, before]) => before.join() === own)
    .map(([name]) => ({ kind: 'hook', name }));
}

/** The database scripts with a function of this name. */
export function databaseRolesOf(name: string | undefined): Role[] {
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
