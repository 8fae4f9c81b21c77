// The accident this prevents: a page that lists other rules than there are. Run it to write the table anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rules } from '../../src/lint/index.ts';

export const page: string = fileURLToPath(new URL('../../../../docs/reference/lint.md', import.meta.url));

/** The page with the table of the present rules. */
export function withTable(text: string): string {
  const rows = rules.map(
    ({ name, severity, meta }) =>
      `| [${name}](lint/${name}.md) | ${meta.docs.description} | ${severity} | ${[...(meta.fixable ? ['yes'] : []), ...(meta.hasSuggestions ? ['suggestion'] : [])].join(', or ')} |`,
  );
  const table = ['| rule | finds | severity | `--fix` |', '|---|---|---|---|', ...rows].join('\n');
  return text.replace(/(<!-- rules -->\n)[\s\S]*(<!-- \/rules -->)/, (_, open, close) => `${open}${table}\n${close}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, withTable(readFileSync(page, 'utf8')));
