import type { ScriptKind } from './script.ts';

/** What has a block, by the subpath of the package: the client of the block. */
const blocks: Readonly<Record<string, string>> = {
  'certpin/pg': 'pg',
  'certpin/mysql': 'mysql',
  'certpin/mysql2': 'mysql2',
  'certpin/mariadb': 'mariadb',
  'certpin/undici': 'fetch',
};

/** What can require no package of ours: certpin is a block in it. */
const PASTED: readonly ScriptKind[] = ['database-script', 'rule'];

/**
 * `certpin`, and how it comes into a script.
 *
 * @param how the subpath that pins this client (`certpin/pg`), or another way; undefined: it is not known
 */
export function howToPin(how: string | undefined, kind: ScriptKind, path: string): string {
  const client = how === undefined ? 'CLIENT' : blocks[how];
  const file = /^[\w./:-]+$/.test(path) ? path : 'FILE';
  if (PASTED.includes(kind) && client !== undefined) return `certpin (certpin auth0 block ${client} --insert ${file})`;
  return how === undefined ? 'certpin' : `certpin (${how})`;
}
