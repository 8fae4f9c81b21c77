// The accident this prevents: a page that lists other options than the command has. The tables of docs/reference are made of the definitions
// that `--help` is made of (npm run man), and a test compares the two.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optionGroups } from '../../packages/cli/src/command-line/option-groups.ts';
import { groupsOf, leavesOf, loadCommandLine, meaningOf, type Option, type TitledCommand } from './command-line.ts';

export const referenceFolder: string = fileURLToPath(new URL('../../docs/reference/', import.meta.url));

/** What several commands share, and the page that has it. Every other page links to it. */
const shared: Readonly<Record<string, { readonly page: string; readonly what: string }>> = {
  [optionGroups.connecting]: { page: 'connecting.md', what: 'how certpin reaches a server' },
  [optionGroups.many]: { page: 'many-targets.md', what: 'for a list of targets' },
  [optionGroups.encrypted]: { page: 'files.md', what: 'the password of an encrypted file' },
  [optionGroups.script]: { page: 'commands/auth0-run.md', what: 'the script, and what it is called with' },
};

/** Commands that one page describes together. */
const together = ['rotate', 'watch'];

/** Of a page its text with the tables of today. Tables stand between two comments, the first of which says which it is. */
interface ReferencePage {
  /** From docs/reference. */
  readonly path: string;
  readonly text: string;
  readonly rendered: string;
}

interface Reference {
  readonly pages: readonly ReferencePage[];
  /** The pages that there have to be: one for each command. */
  readonly commandPages: readonly string[];
}

/** @throws Error for a comment that names no command and no group */
export async function renderReference(): Promise<Reference> {
  const { program } = await loadCommandLine();
  const leaves = leavesOf(program, '').map(({ title, command }) => ({ title: title.trim(), command }));
  const tables: Record<string, (path: string) => string> = {};
  const pages = new Map<string, TitledCommand[]>();
  for (const leaf of leaves) {
    const [first = ''] = leaf.title.split(' ');
    const name = together.includes(first) ? first : leaf.title;
    pages.set(name, [...(pages.get(name) ?? []), leaf]);
  }
  for (const [name, commands] of pages) tables[`options of certpin ${name}`] = (path) => tableOf(commands, path);
  for (const [heading, { page }] of Object.entries(shared)) {
    const owner = leaves.find(({ command }) => groupsOf(command).has(heading));
    const options = owner === undefined ? [] : (groupsOf(owner.command).get(heading) ?? []);
    if (!page.startsWith('commands/')) tables[`options: ${heading.replace(/:$/, '')}`] = () => plainTable(options);
  }
  const markdown = readdirSync(referenceFolder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.md'),
  );
  return {
    commandPages: [...pages.keys()].map((name) => `commands/${name.replaceAll(' ', '-')}.md`),
    pages: markdown.map((path) => {
      const text = readFileSync(join(referenceFolder, path), 'utf8');
      return { path, text, rendered: withTables(text, path, tables) };
    }),
  };
}

function withTables(text: string, path: string, tables: Readonly<Record<string, (path: string) => string>>): string {
  return text.replace(/^<!-- (options\b.*) -->\n[\s\S]*?^<!-- end of options -->$/gm, (_, name: string) => {
    const render = tables[name];
    if (render === undefined) throw new Error(`docs/reference/${path}: nobody knows the table "${name}"`);
    return `<!-- ${name} -->\n${render(path)}\n<!-- end of options -->`;
  });
}

/** One table: the options of the commands, and a row for each group that another page has. */
function tableOf(commands: readonly TitledCommand[], path: string): string {
  const rows = new Map<string, { option: Option; of: string[] }>();
  const elsewhere = new Map<string, { options: Option[]; of: string[] }>();
  for (const { title, command } of commands) {
    const name =
      title
        .split(' ')
        .slice(commands.length > 1 ? 1 : 0)
        .join(' ') || title;
    for (const [heading, options] of groupsOf(command)) {
      const home = shared[heading];
      if (home !== undefined && home.page !== path) {
        elsewhere.set(heading, { options, of: [...(elsewhere.get(heading)?.of ?? []), name] });
        continue;
      }
      for (const option of options) {
        if (option.long === '--help') continue;
        const key = `${option.flags}\n${meaningOf(option)}`;
        rows.set(key, { option, of: [...(rows.get(key)?.of ?? []), name] });
      }
    }
  }
  const isGroup = commands.length > 1;
  const ofText = (of: readonly string[]): string =>
    of.length === commands.length ? 'all' : of.map((name) => `\`${name}\``).join(', ');
  const row = (term: string, of: readonly string[], meaning: string): string =>
    isGroup ? `| ${term} | ${ofText(of)} | ${meaning} |` : `| ${term} | ${meaning} |`;
  const own = [...rows.values()].map(({ option, of }) =>
    row(termOf(option), of, markdownOf(meaningOf(option, '. One of: '))),
  );
  const others = [...elsewhere].map(([heading, { options, of }]) => {
    const { page, what } = shared[heading] as { page: string; what: string };
    const link = posix.relative(posix.dirname(path), page);
    return row(
      options.map(shortTermOf).join(', '),
      of,
      `[${heading.replace(/:$/, '').toLowerCase()}](${link}): ${what}`,
    );
  });
  if (own.length + others.length === 0) return 'It has none but `-h`, `--help`.';
  const head = isGroup ? ['| option | of | meaning |', '|---|---|---|'] : ['| option | meaning |', '|---|---|'];
  return [...head, ...own, ...others].join('\n');
}

function plainTable(options: readonly Option[]): string {
  const rows = options.map((option) => `| ${termOf(option)} | ${markdownOf(meaningOf(option, '. One of: '))} |`);
  return ['| option | meaning |', '|---|---|', ...rows].join('\n');
}

/** `-q`, `--quiet` */
function termOf({ flags }: Option): string {
  return flags
    .split(', ')
    .map((flag) => `\`${flag}\``)
    .join(', ');
}

function shortTermOf({ short, long }: Option): string {
  return `\`${long ?? short}\``;
}

/** What would mean something in Markdown is escaped; options are code. */
function markdownOf(text: string): string {
  return text.replace(/[|*_<>[\]`]/g, '\\$&').replace(/(?<![\w-])--?[a-z][\w-]*/g, '`$&`');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { pages } = await renderReference();
  for (const { path, text, rendered } of pages) {
    if (rendered !== text) writeFileSync(join(referenceFolder, path), rendered);
  }
}
