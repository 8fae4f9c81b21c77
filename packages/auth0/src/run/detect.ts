import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findRoles } from './find-roles.ts';
import { formatRole, type Role } from './roles.ts';
import { RunError } from './run-error.ts';
import type { Source } from './source.ts';

/**
 * What a script is: from its exports, its file's name (as the Deploy CLI writes it), its function's name and its parameters, in this order.
 *
 * @throws RunError `ERR_SCRIPT_ROLE` if nothing fits, or more than one thing
 */
export function detectRole(source: Source): Role {
  const candidates = findRoles({ ...source, triggerId: source.moduleExport && readTriggerId(source.file) });
  const [only, ...others] = candidates;
  if (only !== undefined && others.length === 0) return only;
  const name = basename(source.file);
  const unknown = source.exported.find((exported) => /^on(?:Execute|Continue)/.test(exported));
  if (only === undefined && unknown !== undefined) {
    throw new RunError(
      'ERR_SCRIPT_ROLE',
      `${name} exports ${unknown}, but no trigger has a function of this name`,
      "name it as the trigger's documentation does; --as action:TRIGGER says which name that is",
    );
  }
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

/** The Deploy CLI writes the extension point of a Hook into a JSON file next to it. */
function readTriggerId(file: string): string | undefined {
  try {
    const manifest = join(dirname(file), `${basename(file, '.js')}.json`);
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { triggerId?: string }).triggerId;
  } catch {
    return undefined;
  }
}
