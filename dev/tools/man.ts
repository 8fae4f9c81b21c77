// The accident this prevents: a man page that describes an older command line. It is made of the definitions that the program runs with
// (npm run man), and a test compares the two.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Io } from '../../packages/cli/src/io.ts';
import { createProgram } from '../../packages/cli/src/run.ts';

type Command = Awaited<ReturnType<typeof createProgram>>;

export const manPage: string = fileURLToPath(new URL('../../packages/cli/man/certpin.1', import.meta.url));

/** The man page, in the macros of man(7). */
export async function renderManPage(): Promise<string> {
  let printed = '';
  const io: Io = {
    stdout: (text) => {
      printed += text;
    },
    stderr: () => undefined,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    stdoutClosed: () => false,
    stdoutReady: async () => undefined,
    stdin: () => process.stdin,
    onInterrupt: () => () => undefined,
    askSecret: async () => undefined,
    confirm: async () => undefined,
    env: {},
  };
  const program = await createProgram(io, () => undefined);
  /** What commander keeps to itself: the text behind the help. */
  const closing = (command: Command): string => {
    printed = '';
    command.outputHelp();
    return printed.slice(printed.indexOf('\nExamples:\n')).trim();
  };
  const name = program.name();
  const commands = leavesOf(program, name);
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "${name}" "User Commands"`,
    '.SH NAME',
    `${name} \\- show the fingerprint of a TLS certificate, and check a pin`,
    '.SH SYNOPSIS',
    ...commands.flatMap(({ title, command }) => ['.B', roff(title), roff(command.usage()), '.br']),
    '.SH DESCRIPTION',
    ...paragraphs(program.description()),
    '.SH OPTIONS',
    ...optionsOf(program),
    ...commands.flatMap(({ title, command }) => [
      `.SH ${roff(title).toUpperCase()}`,
      ...paragraphs(command.description()),
      '.SS Options',
      ...optionsOf(command),
      ...paragraphs(closing(command)),
    ]),
    '.SH ENVIRONMENT',
    '.TP',
    'NO_COLOR',
    'no colours, with any value but the empty one',
    '.TP',
    'TERM',
    'with the value dumb: no colours and no progress',
  ];
  return `${lines.join('\n')}\n`;
}

/** The commands, those within groups too, under all their words. */
function leavesOf(parent: Command, words: string): { title: string; command: Command }[] {
  return parent.commands.flatMap((command) => {
    const title = `${words} ${command.name()}`;
    return command.commands.length === 0
      ? [{ title, command: command as Command }]
      : leavesOf(command as Command, title);
  });
}

function optionsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ flags, description, argChoices }) => [
      '.TP',
      `.B ${roff(flags)}`,
      roff(argChoices === undefined ? description : `${description}: ${argChoices.join(', ')}`),
    ]);
}

/** Blank lines part the paragraphs; `Examples:` is a heading; lines that are indented stay as they are. */
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

/** A backslash, a hyphen that is to be copied, a letter beyond ASCII, and what would be a macro at the start of a line. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\[u2026]')
    .replace(/^(?=[.'])/, '\\&');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(manPage, await renderManPage());
