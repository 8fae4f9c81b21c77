import type { Finding } from './host.ts';
import type { ScriptKind } from './script.ts';

/** What can require no package of ours. */
const PASTED: readonly ScriptKind[] = ['database-script', 'rule'];

/** In a script that can require no package of ours certpin is a block: names the command that puts it there. */
export function adviseBlock(finding: Finding, kind: ScriptKind, path: string): Finding {
  if (!PASTED.includes(kind)) return finding;
  const file = /^[\w./:-]+$/.test(path) ? path : 'FILE';
  const instead = finding.instead.replace(
    /\bwith certpin(?: \(certpin\/(pg|mysql2?|mariadb)\)|(?! \())/,
    (_, client = 'CLIENT') => `with certpin (certpin auth0 block ${client} --insert ${file})`,
  );
  return { ...finding, instead };
}
