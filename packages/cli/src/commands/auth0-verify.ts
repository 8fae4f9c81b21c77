import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { InlineFinding } from '@certpin/auth0';
import { decodeText } from 'certpin/probe';
import { type Command, Option } from 'commander';
import { failureOf, plainWords } from '../failure.ts';
import {
  type Colors,
  type ExitCode,
  type Io,
  printable,
  printError,
  printHint,
  printJson,
  printText,
  stdoutColors,
} from '../io.ts';

interface VerifyFlags {
  readonly quiet?: true;
  readonly json?: true;
}

/** What `certpin auth0 verify --json` prints for each file. Fields are added, never renamed. */
type VerifyReport =
  | { readonly file: string; readonly ok: boolean; readonly findings: readonly InlineFinding[] }
  | { readonly file: string; readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

const description = `Say whether a script carries an unmodified certpin: the block that stands in a custom database
script, or in an Action without npm dependencies.

The block is unmodified, modified, or of an unknown version: it is compared with the one of this
certpin, byte by byte; line ends, and an indentation of the whole of it, make no difference. A block
of another version can only be compared with the digest in its own header: ask the certpin of that
version.

The script around it is intact, tampered or unclear. Intact: all of it is understood, and leaves the
block and what the block uses alone. Tampered: a change of that is seen. Unclear: something is not
understood, and the line is told. The script is read and not run. Packages, other scripts of the
same container, and connections that the script makes without certpin are not looked at.`;

const examples = `
Examples:
  certpin auth0 verify login.js
  certpin auth0 verify tenant/database-connections/*/*.js --json
  npx @certpin/cli@VERSION auth0 verify login.js      a block of another version

Exit code: 0 each block is unmodified and its surroundings are intact; 1 a block is modified, or its
surroundings are tampered; 2 anything else: unclear, another version, no block, no readable file.`;

export function defineAuth0Verify(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  group
    .command('verify')
    .summary('say whether a script carries an unmodified certpin')
    .description(description)
    .argument('<file...>', 'file, or - for standard input')
    .addOption(new Option('-q, --quiet', 'print no answer: the exit code is the answer').conflicts('json'))
    .option('--json', 'print the answer for each file as one JSON object')
    .addHelpText('after', examples)
    .action(async (files: readonly string[], flags: VerifyFlags) => finish(await verify(files, flags, io)));
}

async function verify(files: readonly string[], flags: VerifyFlags, io: Io): Promise<ExitCode> {
  // Loaded here, so that the other commands do not wait for it.
  const { verifyInline } = await import('@certpin/auth0');
  const codes: ExitCode[] = [];
  for (const file of files) {
    let source: string;
    try {
      source = file === '-' ? await readAll(io.stdin()) : decodeText(await readFile(file));
    } catch (error) {
      const { code = 'ERR_FILE_UNREADABLE' } = error as NodeJS.ErrnoException;
      const message = 'the file cannot be read';
      if (flags.json) printJson(io, { file, ok: false, error: { code, message } } satisfies VerifyReport);
      else printError(io, `${file}: ${plainWords(failureOf(error))}`);
      codes.push(2);
      continue;
    }
    const findings = verifyInline(source);
    const code = exitCode(findings);
    codes.push(code);
    if (flags.json) printJson(io, { file, ok: code === 0, findings } satisfies VerifyReport);
    else if (!flags.quiet) print(io, file, findings);
  }
  return codes.includes(1) ? 1 : codes.includes(2) ? 2 : 0;
}

function exitCode(findings: readonly InlineFinding[]): ExitCode {
  if (findings.some(({ block, surroundings }) => block === 'modified' || surroundings === 'tampered')) return 1;
  const isGood = findings.every(({ block, surroundings }) => block === 'unmodified' && surroundings === 'intact');
  return findings.length > 0 && isGood ? 0 : 2;
}

function print(io: Io, file: string, findings: readonly InlineFinding[]): void {
  const colors = stdoutColors(io);
  if (findings.length === 0) printText(io, `${printable(file)}: ${colors.yellow('no block of certpin')}`);
  for (const finding of findings) {
    printText(io, `${printable(file)}:${finding.line}: ${describeBlock(finding, colors)}`);
    if (finding.block === 'unknown-version')
      printHint(io, `npx @certpin/cli@${printable(finding.version)} auth0 verify FILE`);
  }
  // All blocks of a file have the same surroundings.
  const [first] = findings;
  if (first === undefined) return;
  if (first.surroundings === 'intact') printText(io, `${printable(file)}: ${colors.green('surroundings intact')}`);
  for (const { line, state, reason } of first.problems)
    printText(io, `${printable(file)}:${line}: ${describeProblem(state, reason, colors)}`);
}

function describeProblem(state: 'tampered' | 'unclear', reason: string, { red, yellow }: Colors): string {
  return (state === 'tampered' ? red : yellow)(`surroundings ${state}: ${printable(reason)}`);
}

function describeBlock(finding: InlineFinding, { green, red, yellow }: Colors): string {
  const { client, version, difference } = finding;
  const name = `certpin ${printable(version)} for ${printable(client)}`;
  switch (finding.block) {
    case 'unmodified':
      return green(`unmodified ${name}`);
    case 'unknown-version':
      return yellow(`unknown version: it says that it is ${name}, and has the digest that it says itself`);
    case 'modified': {
      const what = red(`modified: it says that it is ${name}`);
      if (difference === undefined) return `${what}, and has not the digest that it says`;
      const { line, expected, found } = difference;
      return `${what}\n  line ${line} is   ${printable(found.trim())}\n  and should be  ${printable(expected.trim())}`;
    }
  }
}
