import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with the pages of the rules, `RULE.md`, in the installed package. */
const pagesFolder: string = fileURLToPath(new URL('../docs/lint/', import.meta.url));

/** The page of a rule, as a path that begins with the package, in `node_modules`. */
export function pageOf(rule: string): string {
  return `@certpin/auth0/dist/docs/lint/${rule}.md`;
}

/**
 * The page of a rule, as Markdown: what the rule finds, what happens, what to write instead, and what it does not check.
 *
 * @throws Error of Node.js if there is no such page
 */
export function readPage(rule: string): Promise<string> {
  return readFile(join(pagesFolder, `${rule}.md`), 'utf8');
}
