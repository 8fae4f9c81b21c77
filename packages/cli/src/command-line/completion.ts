import type { Command, Option } from 'commander';
import { TargetArgument } from './target-argument.ts';

/** What a script must know of a command. It is made from the definition itself, so it knows the same options as the program. */
interface CommandWords {
  /** Within a group, both words: `auth0 run`.. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  /** The allowed values of its argument. undefined: a file, or a host, which no script can know. */
  readonly operands: readonly string[] | undefined;
  /** Its argument may be a target of the pins file. The script asks the program for these targets. */
  readonly takesTargets: boolean;
}

/** The hidden command that prints the targets of the pins file in the current folder, one on each line. */
export const LIST_TARGETS = '_targets';

interface OptionWords {
  /** `-q` and `--quiet`.. */
  readonly spellings: readonly string[];
  readonly description: string;
  /** `file`, `choice`: a value that can be completed. `value`: another value. `none`: no value. */
  readonly takes: 'none' | 'value' | 'file' | 'choice';
  readonly choices: readonly string[];
}

const scripts: Record<string, (name: string, commands: readonly CommandWords[]) => string> = { bash, zsh, fish };

export const shells: readonly string[] = Object.keys(scripts);

/** A completion script for one of {@link shells}. */
export function completionScript(program: Command, shell: string): string {
  return scripts[shell]?.(program.name(), readCommands(program)) ?? '';
}

function readCommands(program: Command, group = ''): CommandWords[] {
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const names = commands.map((command) => command.name());
  return commands.flatMap((command) => {
    const within = command.name() === 'help' ? [] : readCommands(command, `${command.name()} `);
    const inner = help.visibleCommands(command).map((child) => child.name());
    const words = {
      name: `${group}${command.name()}`,
      summary: command.summary() || command.description(),
      options: help.visibleOptions(command).map(readOption),
      operands:
        command.name() === 'help'
          ? names
          : [...inner, ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [], 0)],
      takesTargets: command.registeredArguments.some((argument) => argument instanceof TargetArgument),
    };
    return [words, ...within];
  });
}

/** The words at the first place, and those at the second place of each group. */
function groupsOf(commands: readonly CommandWords[]): string[] {
  return [...new Set(commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0] ?? ''))];
}

function readOption({ short, long, flags, description, argChoices }: Option): OptionWords {
  const takes =
    argChoices !== undefined ? 'choice' : /<file>/.test(flags) ? 'file' : /</.test(flags) ? 'value' : 'none';
  return {
    spellings: [short, long].filter((spelling) => spelling !== undefined),
    description,
    takes,
    choices: argChoices ?? [],
  };
}

/** If nothing else is known, readline completes file names (`-o default`). */
function bash(program: string, commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).filter((name) => !name.includes(' '));
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ takes }) => takes !== 'none')
      .flatMap(({ spellings, choices }) =>
        spellings.map((spelling) => `    '${name} ${spelling}') words='${choices.join(' ')}' ;;`),
      ),
  );
  const words = commands.map(({ name, options, operands, takesTargets }) => {
    const flags = options.flatMap(({ spellings }) => spellings).join(' ');
    const others = takesTargets ? `$(${program} ${LIST_TARGETS} 2>/dev/null)` : `'${operands?.join(' ') ?? ''}'`;
    return `        '${name}') if [[ $current == -* ]]; then words='${flags}'; else words=${others}; fi ;;`;
  });
  return `# bash completion of ${program}; made by: ${program} completion bash
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command='' words=''
  ((COMP_CWORD > 1)) && command=\${COMP_WORDS[1]}
  case $command in
    ${[...groupsOf(commands), '-'].join('|')}) ((COMP_CWORD > 2)) && command+=" \${COMP_WORDS[2]}" ;;
  esac
  case "$command $previous" in
${values.join('\n')}
    *)
      case $command in
        '') words='${names.join(' ')} --help --version' ;;
${words.join('\n')}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}`;
}

function zsh(program: string, commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const spec = ({ spellings, description, takes, choices }: OptionWords): string => {
    const explained = `[${description.replace(/[[\]\\:]/g, '\\$&')}]`;
    const value = { none: '', value: ':value:', file: ':file:_files', choice: `:value:(${choices.join(' ')})` }[takes];
    const names = spellings.length > 1 ? `{${spellings.join(',')}}` : spellings[0];
    return `        '*'${names}${quoted(explained + value)} \\\n`;
  };
  const cases = commands.map(
    ({ name, options, operands, takesTargets }) => `    ${quoted(name)})
      ${takesTargets ? `local -a targets=(\${(f)"$(${program} ${LIST_TARGETS} 2>/dev/null)"})\n      ` : ''}_arguments -S \\
${options.map(spec).join('')}        ${quoted(`*:argument:${takesTargets ? 'compadd -a targets' : operands?.length ? `(${operands.join(' ')})` : '_files'}`)} ;;`,
  );
  const top = commands.filter(({ name }) => !name.includes(' '));
  return `#compdef ${program}
# zsh completion of ${program}; made by: ${program} completion zsh
_${program}() {
  local -a commands
  commands=(
${top.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    ${[...groupsOf(commands), '-'].join('|')})
      if ((CURRENT > 2)); then
        command+=" $words[2]"
        shift words
        ((CURRENT--))
      fi
      ;;
  esac
  case $command in
${cases.join('\n')}
  esac
}
# From a folder of $fpath the file is the function's body; read with eval, it has to be registered.
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi`;
}

function fish(program: string, commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = commands.flatMap(({ name, summary, options, operands, takesTargets }) => {
    const seen = name.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
    const within = `complete -c ${program} -n '${seen.join('; and ')}'`;
    const first =
      seen.length > 1 ? [] : [`complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`];
    return [
      ...first,
      ...(operands?.length ? [`${within} -f -a ${quoted(operands.join(' '))}`] : []),
      ...(takesTargets ? [`${within} -f -a ${quoted(`(${program} ${LIST_TARGETS} 2>/dev/null)`)}`] : []),
      ...options.map(({ spellings, description, takes, choices }) => {
        const names = spellings.map((spelling) =>
          spelling.startsWith('--') ? `-l ${spelling.slice(2)}` : `-s ${spelling.slice(1)}`,
        );
        const value = { none: '', value: ' -x', file: ' -r -F', choice: ` -x -a ${quoted(choices.join(' '))}` }[takes];
        return `${within} ${names.join(' ')} -d ${quoted(description)}${value}`;
      }),
    ];
  });
  return [`# fish completion of ${program}; made by: ${program} completion fish`, ...lines].join('\n');
}
