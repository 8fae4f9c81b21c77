// The pages of the linter's rules, docs/reference/lint, in the form for the package. Messages name them, and `certpin lint --explain`
// prints them. The accident this prevents: a link in the package to a page that is not in it. Only the text of such a link stays.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const pages = new URL('../../docs/reference/lint/', import.meta.url);
const packaged = new URL('../../packages/auth0/dist/docs/lint/', import.meta.url);

export function buildRulePages() {
  mkdirSync(packaged, { recursive: true });
  for (const name of readdirSync(pages))
    writeFileSync(new URL(name, packaged), withoutLinksOut(readFileSync(new URL(name, pages), 'utf8')));
}

/** @param {string} page */
function withoutLinksOut(page) {
  return page.replace(/\[([^\]]+)\]\(\.\.\/[^)]*\)/g, '$1');
}
