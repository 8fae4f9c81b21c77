import { Argument, type Command } from 'commander';
import { completionScript, shells } from '../command-line/completion.ts';
import { type ExitCode, type Io, printText } from '../io.ts';

const description = 'Print a script that completes commands, options and their values in a shell.';

const examples = `
Examples:
  certpin completion bash > ~/.local/share/bash-completion/completions/certpin
  certpin completion zsh > "\${fpath[1]}/_certpin"
  certpin completion fish > ~/.config/fish/completions/certpin.fish

Exit code: 0 done, 2 a mistake in the command line.`;

export function defineCompletion(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description(description)
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', examples)
    .action((shell: string) => {
      printText(io, completionScript(program, shell));
      finish(0);
    });
}
