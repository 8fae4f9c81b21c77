import { closest } from '@certpin/pins-file';
import type { CommanderError } from 'commander';
import { UsageError } from '../failure.ts';
import { type Io, printError, printHint, quote } from '../io.ts';
import { showTarget } from './target.ts';

/** Says what is wrong with the command line. `argv` is read only for the hint. */
export function printUsageError(io: Io, error: CommanderError | UsageError, argv: readonly string[]): void {
  if (error instanceof UsageError) {
    printError(io, error.message);
    printHint(io, helpOf(error.command));
    return;
  }
  printError(io, reword(error));
  printHint(
    io,
    error.code === 'commander.unknownCommand' && !isGroup(argv[0]) ? missingCommand(argv[0] ?? '') : helpFor(argv),
  );
}

/** Brings commander's message into certpin's form. */
function reword({ code, message }: CommanderError): string {
  const text = message
    .replace(/^error: /, '')
    .replace('.. Expected', ': expected')
    .replace(/\.$/, '');
  if (code === 'commander.invalidArgument') return rewordChoices(text);
  if (code !== 'commander.unknownCommand' && code !== 'commander.unknownOption') return text;
  // The word that commander quotes comes from the user. It may be a connection string, or an option followed by a password.
  const word = /'([\s\S]*)'/.exec(message)?.[1] ?? '';
  const shown = /^(?:--[\w-]+(?==|$)|-\w|\w[\w-]*$)/.exec(word)?.[0];
  const meant = /\(Did you mean (?:one of )?([^)]*)\?\)$/.exec(message)?.[1];
  const what = code === 'commander.unknownCommand' ? 'unknown command' : 'unknown option';
  return `${what}${shown === undefined ? '' : ` '${shown}'`}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** The given word is not repeated: it may be anything, in the wrong place. */
function rewordChoices(text: string): string {
  const { option, word, other, argument, choices } =
    /^(?:option '(?<option>-[^ ']*)[^']*' argument '(?<word>[\s\S]*)' is invalid|command-argument value '(?<other>[\s\S]*)' is invalid for argument '(?<argument>[^']*)')\. Allowed choices are (?<choices>.*)$/.exec(
      text,
    )?.groups ?? {};
  const meant = meantChoice(word ?? other ?? '', choices?.split(', ') ?? []);
  return `${option ?? argument} takes one of ${choices}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** Other names of clients and protocols, and certpin's own names for them, the nearest first. */
const otherNames: readonly (readonly [names: RegExp, choices: readonly string[]])[] = [
  [/^(?:pgsql|postgres(?:ql)?|psql|node-postgres|pg-.*)$/, ['pg', 'postgres']],
  [/^(?:mariadb|maria|mysqljs|mysql-.*)$/, ['mariadb', 'mysql2', 'mysql']],
  [/^(?:mssql|sql-?server|msnodesqlv8)$/, ['mssql', 'tedious']],
  [/^(?:mongo|mongoose)$/, ['mongodb']],
  [/^(?:ldaps?|ldapjs|openldap|active-?directory)$/, ['ldapts']],
  [/^(?:node-fetch|undici)$/, ['fetch']],
  [/^https?$/, ['https', 'axios', 'tls']],
];

function meantChoice(word: string, choices: readonly string[]): string | undefined {
  const [, called = []] = otherNames.find(([names]) => names.test(word.toLowerCase())) ?? [];
  return called.find((name) => choices.includes(name)) ?? closest(word, choices);
}

/** `certpin db.example.com:5432`: the command was forgotten. */
function missingCommand(word: string): string {
  const { label } = showTarget(word);
  return label !== undefined && /[.:/]/.test(label) ? `certpin get ${quote(label)}` : 'certpin --help';
}

function helpFor(argv: readonly string[]): string {
  const [command, inner] = argv.filter((argument) =>
    /^(?:get|check|trust|completion|lint|rotate|start|status|next|abort|auth0|new|block|run|prove|verify|diff|push|pull|learn)$/.test(
      argument,
    ),
  );
  if (command === undefined) return 'certpin --help';
  return helpOf(isGroup(command) && inner !== undefined ? `${command} ${inner}` : command);
}

/** A command that has commands within. */
function isGroup(word: string | undefined): boolean {
  return word === 'auth0' || word === 'rotate';
}

/** `certpin help` knows the commands, but not those in a group. */
function helpOf(command: string): string {
  return command.includes(' ') ? `certpin ${command} --help` : `certpin help ${command}`;
}
