import { buffer as readAll } from 'node:stream/consumers';
import type { InlineFinding, VerifiedFile } from '@certpin/auth0';
import { plainWords } from '@certpin/pins-file';
import { decodeText } from 'certpin/probe';
import { type Command, Option } from 'commander';
import { failureOf } from '../failure.ts';
import {
  type Colors,
  type ExitCode,
  type Io,
  printable,
  printError,
  printHint,
  printJson,
  printSummary,
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

const description = `Say whether a script contains an unmodified certpin: the block in a custom database script, or in an
Action without npm dependencies.

The block is unmodified, modified, or of an unknown version. It is compared with the block of this
certpin, byte by byte. Line ends, and an indentation of the whole block, make no difference. A block
of another version can be compared only with the digest in its own header: use the certpin of that
version.

The script around the block is intact, tampered or unclear.
Intact: all of it is understood, and it leaves the block and what the block uses alone.
Tampered: it changes something of that.
Unclear: something is not understood, and the answer names the line.
The script is read and not run. Packages, other scripts of the same container, and connections that
the script makes without certpin are not checked.

A path is a file or a folder: JavaScript and TypeScript, files of Terraform (.tf), and files of the
Deploy CLI (database.json, tenant.yaml). Each is read as its own tool reads it. In a folder, files
without a block are named. They are not an error.`;

const examples = `
Examples:
  certpin auth0 verify login.js
  certpin auth0 verify tenant/ --json
  certpin auth0 verify users.tf
  npx @certpin/cli@VERSION auth0 verify login.js      a block of another version

Exit code: 0 each block is unmodified and its surroundings are intact. 1 a block is modified, or its
surroundings are tampered. 2 anything else: unclear, another version, no block, an unreadable file.`;

export function defineAuth0Verify(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  group
    .command('verify')
    .summary('say whether a script contains an unmodified certpin')
    .description(description)
    .argument('<path...>', 'file or folder, or - for standard input')
    .addOption(new Option('-q, --quiet', 'print no answer: the exit code is the answer').conflicts('json'))
    .option('--json', 'print the answer for each file as one JSON object')
    .addHelpText('after', examples)
    .action(async (files: readonly string[], flags: VerifyFlags) => finish(await verify(files, flags, io)));
}

async function verify(paths: readonly string[], flags: VerifyFlags, io: Io): Promise<ExitCode> {
  const codes: ExitCode[] = [];
  for (const given of paths) {
    const without: string[] = [];
    const answered = codes.length;
    for await (const { path, isOfFolder, findings, error } of verified(given, io)) {
      if (error !== undefined) codes.push(unreadable(path, error, flags, io));
      // In a folder, files without a block are reported together: not every file of a tenant has one.
      else if (findings.length === 0 && isOfFolder) without.push(path);
      else codes.push(answer(path, findings, flags, io));
    }
    if (codes.length === answered) codes.push(answer(given, [], flags, io));
    if (without.length > 0 && !flags.json && !flags.quiet)
      printSummary(io, `without a block: ${without.map(printable).join(', ')}`);
  }
  return codes.includes(1) ? 1 : codes.includes(2) ? 2 : 0;
}

async function* verified(given: string, io: Io): AsyncGenerator<VerifiedFile, void, void> {
  // Loaded here, so that the other commands do not wait for it.
  const { verifyFiles, verifyInline } = await import('@certpin/auth0');
  if (given !== '-') yield* verifyFiles([given]);
  else yield { path: '-', isOfFolder: false, findings: verifyInline(decodeText(await readAll(io.stdin()))) };
}

function answer(file: string, findings: readonly InlineFinding[], flags: VerifyFlags, io: Io): ExitCode {
  const code = exitCode(findings);
  if (flags.json) printJson(io, { file, ok: code === 0, findings } satisfies VerifyReport);
  else if (!flags.quiet) print(io, file, findings);
  return code;
}

function unreadable(file: string, problem: unknown, { json }: VerifyFlags, io: Io): ExitCode {
  const failure = failureOf(problem);
  const message = plainWords(failure);
  if (json) printJson(io, { file, ok: false, error: { code: failure.code, message } } satisfies VerifyReport);
  else printError(io, `${file}: ${message}`);
  return 2;
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
  if (findings.length > 0 && findings.every(({ surroundings }) => surroundings === 'intact'))
    printText(io, `${printable(file)}: ${colors.green('surroundings intact')}`);
  // All blocks of a script have the same surroundings, and a file may hold several scripts.
  const problems = findings.flatMap((finding) => finding.problems);
  const lines = problems.map(
    ({ line, state, reason }) => `${printable(file)}:${line}: ${describeProblem(state, reason, colors)}`,
  );
  for (const line of new Set(lines)) printText(io, line);
}

function describeProblem(state: 'tampered' | 'unclear', reason: string, { red, yellow }: Colors): string {
  return (state === 'tampered' ? red : yellow)(`surroundings ${state}: ${printable(reason)}`);
}

function describeBlock(finding: InlineFinding, { green, red, yellow }: Colors): string {
  const { client, version, difference, digest } = finding;
  const name = `certpin ${printable(version)} for ${printable(client)}`;
  switch (finding.block) {
    case 'unmodified':
      return green(`unmodified ${name}`);
    case 'unknown-version':
      return yellow(`unknown version: it says that it is ${name}, and has the digest that it says itself`);
    case 'modified': {
      const what = red(`modified: it says that it is ${name}`);
      if (digest !== undefined)
        return `${what}\n  its SHA-256 is ${digest.found}, and it says ${digest.said ?? 'none'}`;
      if (difference === undefined) return what;
      const { line, expected, found } = difference;
      return `${what}\n  line ${line} is   ${printable(found.trim())}\n  and should be  ${printable(expected.trim())}`;
    }
  }
}
