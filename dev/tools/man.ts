// The accident this prevents: a man page that describes an older command line. They are made of the definitions that the program runs with
// (npm run man), and a test compares the two. There is one for the program, and one for each of its commands.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Command,
  groupsOf,
  leavesOf,
  loadCommandLine,
  meaningOf,
  type TitledCommand,
  visible,
} from './command-line.ts';

export const manFolder: string = fileURLToPath(new URL('../../packages/cli/man/', import.meta.url));

/** The man pages by the names of their files, in the macros of man(7). */
export async function renderManPages(): Promise<Record<string, string>> {
  const { program, closing } = await loadCommandLine();
  const name = program.name();
  const pageOf = (title: string, summary: string, body: readonly string[]): [string, string] => {
    const file = title.replaceAll(' ', '-');
    const head = [
      `.TH ${file.toUpperCase()} 1 "" "${name}" "User Commands"`,
      '.SH NAME',
      `${file} \\- ${roff(summary)}`,
    ];
    return [`${file}.1`, `${[...head, ...body, ...environment].join('\n')}\n`];
  };
  const synopsis = (leaves: readonly TitledCommand[]): string[] => [
    '.SH SYNOPSIS',
    ...leaves.flatMap(({ title, command }) => ['.B', roff(title), roff(command.usage()), '.br']),
  ];
  const commands = visible(program).map((command) => {
    const title = `${name} ${command.name()}`;
    return { title, command, leaves: leavesOf(command, title) };
  });
  const whole = pageOf(name, 'show the fingerprint of a TLS certificate, and check a pin', [
    ...synopsis(leavesOf(program, name)),
    '.SH DESCRIPTION',
    ...paragraphs(program.description()),
    ...paragraphs(closing(program)),
    '.SH OPTIONS',
    ...optionsOf(program).slice(1), // one heading is enough
    '.SH SEE ALSO',
    commands.map(({ title }) => `.BR ${roff(title.replaceAll(' ', '-'))} (1)`).join(',\n'),
  ]);
  const each = commands.map(({ title, command, leaves }) =>
    pageOf(title, command.summary(), [
      ...synopsis(leaves.length === 0 || command.options.length > 0 ? [{ title, command }, ...leaves] : leaves),
      '.SH DESCRIPTION',
      ...paragraphs(command.description()),
      ...sectionsOf(command),
      ...leaves.flatMap((leaf) => [
        `.SH ${roff(leaf.title).toUpperCase()}`,
        ...paragraphs(leaf.command.description()),
        ...sectionsOf(leaf.command),
      ]),
    ]),
  );
  return Object.fromEntries([whole, ...each]);

  function sectionsOf(command: Command): string[] {
    return [...optionsOf(command), ...paragraphs(closing(command))];
  }
}

const environment = [
  '.SH ENVIRONMENT',
  ...['.TP', 'NO_COLOR', 'no colours, with any value but the empty one'],
  ...['.TP', 'TERM', 'with the value dumb: no colours and no progress'],
];

/** The options under the headings of the help. */
function optionsOf(command: Command): string[] {
  return [...groupsOf(command)].flatMap(([heading, options]) => [
    `.SS ${roff(heading.replace(/:$/, ''))}`,
    ...options.flatMap((option) => ['.TP', `.B ${roff(option.flags)}`, roff(meaningOf(option))]),
  ]);
}

/** Blank lines separate the paragraphs. `Examples:` is a heading. Indented lines stay unchanged. */
function paragraphs(text: string): string[] {
  return text.split(/\n{2,}/).flatMap((paragraph) => {
    const [first = '', ...rest] = paragraph.split('\n');
    if (first === 'Examples:') return ['.SS Examples', ...verbatim(rest)];
    const at = paragraph.split('\n').findIndex((line) => line.startsWith('  '));
    const all = [first, ...rest];
    if (at === -1) return ['.PP', ...all.map(roff)];
    return [...(at === 0 ? [] : ['.PP', ...all.slice(0, at).map(roff)]), ...verbatim(all.slice(at))];
  });
}

function verbatim(lines: readonly string[]): string[] {
  return ['.PP', '.nf', ...lines.map(roff), '.fi'];
}

/** A backslash, a hyphen that must be copied, a letter beyond ASCII, and what would be a macro at the start of a line. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\[u2026]')
    .replace(/^(?=[.'])/, '\\&');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(manFolder, { recursive: true, force: true });
  mkdirSync(manFolder);
  for (const [file, text] of Object.entries(await renderManPages())) writeFileSync(`${manFolder}${file}`, text);
}
