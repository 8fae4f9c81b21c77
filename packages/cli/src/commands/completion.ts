import { Argument, type Command } from 'commander';
import { completionScript, LIST_TARGETS, shells } from '../command-line/completion.ts';
import { type ExitCode, type Io, printText } from '../io.ts';

const description = 'Print a script that completes commands, options and their values in a shell.';

const examples = `
Examples:
  certpin completion bash > ~/.local/share/bash-completion/completions/certpin
  certpin completion zsh > "\${fpath[1]}/_certpin"
  certpin completion fish > ~/.config/fish/completions/certpin.fish

Exit code: 0 done, 2 a mistake in the command line.`;

/** The linter is loaded only when its rules are needed. */
async function nameRules(program: Command): Promise<void> {
  const { rules } = await import('@certpin/auth0/lint');
  const names = rules.map(({ name }) => name);
  const lint = program.commands.find((command) => command.name() === 'lint');
  // Not with `choices`: the program has its own message for an unknown rule.
  for (const option of lint?.options ?? []) if (/<(?:name|rule)>/.test(option.flags)) option.argChoices = names;
}

/** Bash expands the words from which it chooses. A name with other characters would be executed. */
const HARMLESS = /^[\w.:/-]+$/;

/** The ids and addresses of the pins file in the current folder. Empty if it cannot be read: completion must show no errors. */
async function targetNames(): Promise<string[]> {
  const { openPinsFile } = await import('@certpin/pins-file');
  try {
    const { entries } = openPinsFile('certpin.json') ?? { entries: [] };
    return entries.flatMap(({ id, label }) => [id ?? '', label]).filter((name) => HARMLESS.test(name));
  } catch {
    return [];
  }
}

export function defineCompletion(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description(description)
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', examples)
    .action(async (shell: string) => {
      await nameRules(program);
      printText(io, completionScript(program, shell));
      finish(0);
    });
  program.command(LIST_TARGETS, { hidden: true }).action(async () => {
    for (const name of await targetNames()) printText(io, name);
    finish(0);
  });
}
