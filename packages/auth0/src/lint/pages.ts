import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the rules' pages, `RULE.md`, which come with the package: where they are on this machine. */
const pagesFolder: string = fileURLToPath(new URL('../docs/lint/', import.meta.url));

/** The page of a rule, as a path that begins with the package, in `node_modules`. */
export function pageOf(rule: string): string {
  return `@certpin/auth0/dist/docs/lint/${rule}.md`;
}

/**
 * The page of a rule, as Markdown: what is found, what happens, what to write in its place, and what is not looked at.
 *
 * @throws Error of Node.js where there is no such page
 */
export function readPage(rule: string): Promise<string> {
  return readFile(join(pagesFolder, `${rule}.md`), 'utf8');
}
