import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { InlineFinding } from '@certpin/auth0';
import { type Command, Option } from 'commander';
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

The block is compared with the one of this certpin, byte by byte; line ends, and an indentation of
the whole of it, make no difference. A block of another version can only be compared with the
digest in its own header: ask the certpin of that version.

The script around the block is looked at too: whether it replaces certpin, or what certpin uses. It
is read and not run, and what is not found is not proven.`;

const examples = `
Examples:
  certpin auth0 verify login.js
  certpin auth0 verify tenant/database-connections/*/*.js --json
  npx @certpin/cli@VERSION auth0 verify login.js      a block of another version

Exit code: 0 each file has a block, unmodified and left alone; 1 one has none, or another one; 2 a
file cannot be read, or its block is of another version.`;

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
      source = file === '-' ? await readAll(io.stdin()) : await readFile(file, 'utf8');
    } catch (error) {
      const { code = 'ERR_FILE_UNREADABLE' } = error as NodeJS.ErrnoException;
      const message = 'the file cannot be read';
      if (flags.json) printJson(io, { file, ok: false, error: { code, message } } satisfies VerifyReport);
      else printError(io, `${file}: ${message} (${code})`);
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
  const verdicts = findings.map(({ verdict }) => verdict);
  if (findings.length === 0 || verdicts.includes('modified') || verdicts.includes('tampered')) return 1;
  return verdicts.every((verdict) => verdict === 'unmodified') ? 0 : 2;
}

function print(io: Io, file: string, findings: readonly InlineFinding[]): void {
  const colors = stdoutColors(io);
  if (findings.length === 0) printText(io, `${printable(file)}: ${colors.red('no block of certpin')}`);
  for (const finding of findings) {
    printText(io, `${printable(file)}:${finding.line}: ${describe(finding, colors)}`);
    if (finding.verdict === 'unknown-version')
      printHint(io, `npx @certpin/cli@${printable(finding.version)} auth0 verify FILE`);
  }
}

function describe(finding: InlineFinding, { green, red, yellow }: Colors): string {
  switch (finding.verdict) {
    case 'unmodified':
      return green(`unmodified certpin ${finding.version} for ${finding.client}`);
    case 'modified': {
      const { client, version, difference } = finding;
      const what = red(`modified: it says that it is certpin ${printable(version)} for ${printable(client)}`);
      if (difference === undefined) return `${what}, and has not the digest that it says`;
      const { line, expected, found } = difference;
      return `${what}\n  line ${line} is   ${printable(found.trim())}\n  and should be  ${printable(expected.trim())}`;
    }
    case 'unknown-version': {
      const name = `certpin ${printable(finding.version)} for ${printable(finding.client)}`;
      return yellow(`unknown version: it says that it is ${name}, and has the digest that it says itself`);
    }
    case 'tampered':
      return red(`not left alone: ${printable(finding.problem)}`);
    case 'unreadable':
      return yellow(`the script around it cannot be read: ${printable(finding.problem)}`);
  }
}
