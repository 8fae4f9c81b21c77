import type { TenantLesson } from '@certpin/auth0';
import type { Command } from 'commander';
import { credentialsHelp, tellUnasked, withWork } from '../auth0/deliveries.ts';
import { readSeconds } from '../command-line/options.ts';
import { type ExitCode, type Io, printable, printJson, printText, printWarning } from '../io.ts';

const command = 'auth0 learn';

interface LearnFlags {
  readonly file: string;
  readonly watch: string;
  readonly every: string;
  readonly json?: true;
}

const description = `Measure what Auth0 does not document about a tenant. To do so, learn makes a connection and an
Action of its own, and removes them again.

It answers these questions:

  Can the ciphertext of a configuration be sent back?
  Does a secret keep its value if it is sent without it?
  What happens to realms that are left out?
  After how many seconds do scripts see a new configuration?
  How old was the oldest container?

The answers are written beside the pins file, for this tenant. Before learn has run, certpin auth0
push assumes the worst case, and demands the values that nobody can read.

${credentialsHelp}
The client needs the password-realm grant and these scopes: create:, read:, update: and
delete:connections, the same for connections_options, and create:, read:, update: and
delete:actions.`;

const examples = `
Examples:
  certpin auth0 learn
  certpin auth0 learn --watch 3600          for an hour: older containers are found
  certpin auth0 learn --json

Exit code: 0 everything was measured; 2 something could not be measured.`;

export function defineAuth0Learn(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  group
    .command('learn')
    .summary('measure what Auth0 does not document about a tenant')
    .description(description)
    .option('--file <file>', 'the pins file', 'certpin.json')
    .option('--watch <seconds>', 'how long to watch for containers with the old configuration', '600')
    .option('--every <seconds>', 'how long to wait between two logins', '2')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', examples)
    .action(async (flags: LearnFlags) => finish(await learnOf(flags, io)));
}

async function learnOf({ file, watch, every, json }: LearnFlags, io: Io): Promise<ExitCode> {
  const times = { watchMs: readSeconds(watch, '--watch', command), everyMs: readSeconds(every, '--every', command) };
  let lesson: TenantLesson;
  try {
    // Loaded here, so that the other commands do not wait for it.
    const { learn } = await import('@certpin/auth0');
    const { env, fetch = globalThis.fetch } = io;
    lesson = await withWork(io, (how) => learn(file, { env, fetch, ...times, ...how }));
  } catch (error) {
    return tellUnasked(io, command, error);
  }
  const { echo, nameOnlySecrets, realms, firstSeenSeconds, notes } = lesson;
  const isComplete = [echo, nameOnlySecrets, realms, firstSeenSeconds].every((answer) => answer !== null);
  if (json) printJson(io, { ok: isComplete, ...lesson });
  else {
    print(io, lesson);
    for (const note of notes) printWarning(io, note);
  }
  return isComplete && notes.length === 0 ? 0 : 2;
}

function print(io: Io, lesson: TenantLesson): void {
  const { tenant, path, echo, nameOnlySecrets, realms, watchedSeconds } = lesson;
  const yes = (answer: boolean | null): string => (answer === null ? 'not known' : answer ? 'yes' : 'no');
  const seconds = (answer: number | null, none: string): string => (answer === null ? none : `${answer} s`);
  printText(io, printable(tenant));
  printText(io, `  ciphertext that is sent back means the same    ${yes(echo)}`);
  printText(io, `  a secret without its value keeps it            ${yes(nameOnlySecrets)}`);
  printText(io, `  realms that are left out                       ${realms ?? 'not known'}`);
  printText(io, `  a script first saw a new configuration after   ${seconds(lesson.firstSeenSeconds, 'not known')}`);
  printText(
    io,
    `  an old container last served a login after     ${seconds(lesson.oldestContainerSeconds, 'none was seen')} (watched for ${watchedSeconds} s)`,
  );
  printText(io, printable(`written into ${path}`));
}
