// The definitions of the command line, for what is made of them: man pages, and the tables of docs/reference.
import type { Io } from '../../packages/cli/src/io.ts';
import { createProgram } from '../../packages/cli/src/run.ts';

export type Command = Awaited<ReturnType<typeof createProgram>>;
export type Option = ReturnType<ReturnType<Command['createHelp']>['visibleOptions']>[number];

interface CommandLine {
  readonly program: Command;
  /** What commander keeps to itself: the text behind the help. */
  readonly closing: (command: Command) => string;
}

export async function loadCommandLine(): Promise<CommandLine> {
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
  const closing = (command: Command): string => {
    printed = '';
    command.outputHelp();
    return printed.slice(printed.indexOf('\nExamples:\n')).trim();
  };
  return { program, closing };
}

/** Without `help`, and without what only shells call. */
export function visible(parent: Command): Command[] {
  const help = parent.createHelp();
  return help.visibleCommands(parent).filter((command) => command.name() !== 'help') as Command[];
}

export interface TitledCommand {
  /** All its words: `certpin auth0 run`. */
  readonly title: string;
  readonly command: Command;
}

/** What can be called below a command. A group with options of its own, `watch`, can be called too. */
export function leavesOf(parent: Command, words: string): TitledCommand[] {
  return visible(parent).flatMap((command) => {
    const title = `${words} ${command.name()}`;
    const within = leavesOf(command, title);
    return within.length === 0 || command.options.length > 0 ? [{ title, command }, ...within] : within;
  });
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

/** Under the headings of the help. */
export function groupsOf(command: Command): Map<string, Option[]> {
  const groups = new Map<string, Option[]>();
  for (const option of optionsOf(command)) {
    const heading = option.helpGroupHeading ?? 'Options:';
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return groups;
}

/** What the help says of an option, with its values and its default. @param among stands before the values */
export function meaningOf({ description, argChoices, defaultValue }: Option, among = ': '): string {
  const choices = argChoices === undefined ? '' : `${among}${argChoices.join(', ')}`;
  return `${description}${choices}${typeof defaultValue === 'string' ? ` (default: ${defaultValue})` : ''}`;
}
