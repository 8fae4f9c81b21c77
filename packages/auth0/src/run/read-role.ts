import { detectRole } from './detect.ts';
import { entryOf } from './judge.ts';
import type { RunOptions } from './options.ts';
import { parseRole, type Role } from './roles.ts';
import { RunError } from './run-error.ts';
import type { Source } from './source.ts';
import { triggers } from './triggers.ts';

/**
 * The role of a script. The options give it. Otherwise, it is detected from the script.
 *
 * @throws RunError `ERR_SCRIPT_ROLE`, `ERR_SCRIPT_SYNTAX`
 */
export function readRole(source: Source, { as, handler }: RunOptions): Role {
  const role = as === undefined ? detectRole(source) : parseRole(as);
  if (role === undefined)
    throw new RunError('ERR_SCRIPT_ROLE', `${as} is not a kind of script, or the name fits two kinds`);
  if (role.kind !== 'action') {
    const found = role.kind === 'hook' ? source.moduleExport : entryOf(source, role);
    if (found !== undefined) return role;
    throw new RunError(
      'ERR_SCRIPT_SYNTAX',
      role.kind === 'hook' ? 'a Hook is module.exports = function (…) {}' : 'the script has no function',
    );
  }
  const known: readonly string[] = triggers[role.name]?.handlers ?? [];
  const chosen = handler ?? known.find((name) => source.exported.includes(name));
  if (chosen !== undefined && known.includes(chosen) && source.exported.includes(chosen))
    return { ...role, handler: chosen };
  throw new RunError('ERR_SCRIPT_ROLE', `an Action of ${role.name} exports ${handler ?? known.join(' or ')}`);
}
