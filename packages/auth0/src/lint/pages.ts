import { fileURLToPath } from 'node:url';

/** The folder of the rules' pages, `RULE.md`, which come with the package: where they are on this machine. */
export const pagesFolder: string = fileURLToPath(new URL('../docs/lint/', import.meta.url));

/** The page of a rule, as a path that begins with the package, in `node_modules`. */
export function pageOf(rule: string): string {
  return `@certpin/auth0/dist/docs/lint/${rule}.md`;
}
