import { inlineClients } from '../inline/block.ts';
import type { ScriptKind } from './script.ts';

/** Kinds of scripts that cannot require our package: certpin is a block in them. */
const PASTED: readonly ScriptKind[] = ['database-script', 'rule'];

/**
 * `certpin`, and how to put it into a script.
 *
 * @param how the subpath that pins this client (`certpin/pg`), or another way. undefined: not known
 */
export function howToPin(how: string | undefined, kind: ScriptKind, path: string): string {
  const client = how === undefined ? 'CLIENT' : blockOf(how);
  const file = /^[\w./:-]+$/.test(path) ? path : 'FILE';
  if (PASTED.includes(kind) && client !== undefined) return `certpin (certpin auth0 block ${client} --insert ${file})`;
  if (PASTED.includes(kind)) return `certpin (${how}, in an API of your own: this script can require no package)`;
  return how === undefined ? 'certpin' : `certpin (${how})`;
}

const otherNames: Readonly<Record<string, string>> = { 'certpin/undici': 'fetch', 'certpin/mssql': 'tedious' };

/** The client of the block that pins what a subpath of the package pins. */
function blockOf(how: string): string | undefined {
  const client = otherNames[how] ?? how.slice('certpin/'.length);
  return inlineClients.find((known) => known === client);
}
