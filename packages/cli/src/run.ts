import { Command, CommanderError } from 'commander';
import { printUsageError } from './command-line/usage.ts';
import { failureOf, UsageError } from './failure.ts';
import { type ExitCode, type Io, printError } from './io.ts';
import { readVersion } from './version.ts';

type Define = (program: Command, io: Io, finish: (code: ExitCode) => void) => void;

/** In the order of the help. Only the requested command is loaded, with its code, so the program starts faster. */
const commands: Readonly<Record<string, () => Promise<Define>>> = {
  get: async () => (await import('./commands/get.ts')).defineGet,
  check: async () => (await import('./commands/check.ts')).defineCheck,
  trust: async () => (await import('./commands/trust.ts')).defineTrust,
  rotate: async () => (await import('./commands/rotate.ts')).defineRotate,
  watch: async () => (await import('./commands/watch.ts')).defineWatch,
  auth0: async () => (await import('./commands/auth0.ts')).defineAuth0,
  lint: async () => (await import('./commands/lint.ts')).defineLint,
  completion: async () => (await import('./commands/completion.ts')).defineCompletion,
};

const examples = `
Examples:
  certpin get server.crt                          the fingerprint of a certificate file
  certpin get db.example.com:5432                 what a server presents
  certpin check db.example.com:5432 --pin PIN     whether it presents the pinned certificate
  certpin trust db.example.com:5432               adds it to certpin.json, the known servers
  certpin check --file certpin.json               whether all of them are unchanged
  certpin rotate start customer-db --next next.crt --key next.key   leads a rotation
  certpin auth0 new --from postgres://HOST/DB     scripts for Auth0 that pin it
  certpin lint login.js                           finds what makes TLS worthless in a script

Guides, one task each: certpin help guides

Exit code: 0 done, the pin holds, or nothing was found; 1 the pin does not hold, or something was
found; 2 the question could not be asked.`;

/**
 * The whole program: reads the command line, does what it says.
 *
 * @param argv the arguments alone, without the program
 * @returns the exit code; nothing is thrown
 */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = 0;
  try {
    const finish = (result: ExitCode): void => {
      code = result;
    };
    const program = await createProgram(io, finish, argv[0]);
    if (argv[0] === 'help' && !program.commands.some((command) => command.name() === argv[1])) {
      const { printGuide } = await import('./guides.ts');
      if (argv[1] !== undefined && printGuide(io, argv[1])) return 0;
    }
    await program.parseAsync(withoutHelp(argv, program), { from: 'user' });
    return code;
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') return 130; // Ctrl-C at a question.
    if (error instanceof UsageError) printUsageError(io, error, argv);
    else if (!(error instanceof CommanderError)) printError(io, failureOf(error).message);
    else if (error.exitCode === 0)
      return 0; // For --help and --version.
    else if (error.code !== 'commander.help') printUsageError(io, error, argv);
    return 2;
  }
}

/** Paragraphs without the breaks that the source has: the terminal's width decides. Lists keep theirs. */
function joinLines(text: string): string {
  return text.replace(/(?<=\S)\n(?=[^\s-])/g, ' ');
}

/** The terminal's width, but no more than is easy to read. */
function helpWidth(io: Io): number {
  return Math.min(io.stdoutWidth?.() ?? 100, 120);
}

/**
 * For an unknown command, commander would print the whole help. Here, only the mistake is reported. For a command in a group, commander
 * would print the help of the group. `help auth0 verify` is `auth0 verify --help`.
 */
function withoutHelp(argv: readonly string[], { commands }: Command): readonly string[] {
  const [first, word, inner] = argv;
  if (first !== 'help' || word === undefined || word.startsWith('-')) return argv;
  const group = commands.find((command) => command.name() === word);
  if (group === undefined) return [word];
  if (inner === undefined || inner.startsWith('-') || group.commands.length === 0) return argv;
  return group.commands.some((command) => command.name() === inner) ? [word, inner, '--help'] : [word, inner];
}

/**
 * The command line, as commander knows it. Help, completion and the man pages are made from it.
 *
 * @param asked the first argument. If it is a command that needs no other one, the program contains only this command
 */
export async function createProgram(io: Io, finish: (code: ExitCode) => void, asked = ''): Promise<Command> {
  const program = new Command('certpin')
    .description(
      'Show the SHA-256 fingerprint of a TLS certificate, and check a pin: files, TLS servers, databases, mail and more.',
    )
    .exitOverride() // commander's own exit code for a mistake is 1, which means here that the pin does not hold.
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      outputError: () => undefined, // told by printUsageError
      getOutHelpWidth: () => helpWidth(io),
      getErrHelpWidth: () => helpWidth(io),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace('[options] ', '')}`,
      commandDescription: (command) => joinLines(command.description()),
    })
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command, or a guide (help guides)')
    .addHelpText('after', examples);
  const isAlone = Object.hasOwn(commands, asked) && asked !== 'completion';
  for (const [name, load] of Object.entries(commands)) {
    if (!isAlone || name === asked) (await load())(program, io, finish);
  }
  return program;
}
