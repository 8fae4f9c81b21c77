import { type Command, Option } from 'commander';
import { warnOfLeaves } from '../answers/leaves.ts';
import { createPrinter, isBrief, type PrinterFlags } from '../answers/printer.ts';
import { addFileOptions, addScanOptions, type ScanFlags, toScanOptions } from '../command-line/options.ts';
import { type ShownTarget, showTarget } from '../command-line/target.ts';
import { readTargetList } from '../command-line/target-list.ts';
import { UsageError } from '../failure.ts';
import { FileReader } from '../files/file-reader.ts';
import type { PasswordFlags } from '../files/password.ts';
import { forms } from '../forms/forms.ts';
import { type ExitCode, type Io, printError, printSummary } from '../io.ts';
import { fetchAnswers, type Question } from '../scan/fetch-answers.ts';
import { inOrder } from '../scan/order.ts';
import { createRotationWarning } from '../scan/rotating.ts';
import { withServers } from '../scan/servers.ts';
import { Tally } from '../scan/tally.ts';
import { bar, startProgress } from '../terminal/progress.ts';

interface GetFlags extends ScanFlags, PrinterFlags, PasswordFlags {
  readonly targetsFile?: string[];
}

const description = `Show the fingerprint of the certificate in a file, or of the one that a server presents.

A target is a file, - (standard input), host:port, a host (port 443), or a URL. Its scheme is
https://, tls://, postgres://, mysql://, sqlserver://, mongodb://, rediss://, ldap://, smtp://,
imap://, rdp:// or that of another service. With mongodb+srv://, each server of the cluster is
asked. The protocol follows from the scheme, then from the port. If the port belongs to no protocol,
certpin finds out the protocol. A connection string works too: its credentials are neither sent nor shown.

A file may hold certificates (PEM, DER, PKCS#7, PKCS#12). If it holds a private key, a public key or a
certificate signing request, the answer is the public-key pin of the next certificate. The password
of an encrypted file is asked for, without echo.

What a server presents says nothing about whose server it is. Compare it with the fingerprint
of the server's own certificate file, or ask its operator, before you pin it.

Forms of --format:
${Object.entries(forms)
  .map(([name, { meaning }]) => `  ${name.padEnd(9)}${meaning}`)
  .join('\n')}`;

const examples = `
Examples:
  certpin get server.crt                    on the server itself: the fingerprint to pin
  certpin get server.pfx --password-env PFX_PASSWORD
  certpin get next.csr                      the pin of the next certificate, before it is made
  certpin get db.example.com:5432           what the PostgreSQL server presents
  certpin get postgres://db.example.com:6432/app
  certpin get mysql://db.example.com        what the MySQL or MariaDB server presents
  certpin get 'Server=tcp:db.example.com,1433;User Id=app;Password=...;Encrypt=true'
  certpin get mongodb+srv://cluster.example.com
  certpin get -q db.example.com:5432        64 hex digits, nothing else
  certpin get --format tlsa --chain mail.example.com
  certpin get --format env --env-name DB_PINS server.crt >> .env
  certpin get --format pg db.example.com:5432   a configuration to paste
  certpin get --json a.example.com b.example.com:8443 | jq -r .certificate.validTo
  certpin get --all-addresses db.example.com:5432   each server behind the name
  certpin get --sigalgs rsa api.example.com          if it has an ECDSA certificate too
  certpin get --csv --targets-file hosts.txt --concurrency 64 --retries 2 > certificates.csv

Exit code: 0 every certificate was read, 2 one was not, 130 interrupted by Ctrl-C.`;

export function defineGet(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  const command = program
    .command('get')
    .summary('show the fingerprint of a certificate, from a server or a file')
    .description(description)
    .argument('[target...]', 'file, - for standard input, host:port, host, or URL')
    .addOption(new Option('-q, --quiet', 'print the SHA-256 of the certificate only, 64 hex digits').conflicts('json'))
    .option('--json', 'print one JSON object per target, one a line')
    .addOption(
      new Option('--format <form>', 'print it in another form')
        .choices(Object.keys(forms))
        .conflicts(['quiet', 'json', 'csv']),
    )
    .addOption(new Option('--csv', 'print a table, RFC 4180').conflicts(['quiet', 'json']))
    .option('--chain', 'with -q, --csv or --format: print every presented certificate')
    .option('--env-name <name>', 'with --format env: the name of the variable (default: made from the host)')
    .option(
      '--targets-file <file>',
      'ask the targets of a file too, one a line, # comments; - for standard input',
      collect,
    );
  addFileOptions(addScanOptions(command))
    .usage('[options] <target...>')
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: GetFlags) => finish(await get(targets, flags, io)));
}

async function get(args: readonly string[], flags: GetFlags, io: Io): Promise<ExitCode> {
  const { targetsFile = [], quiet, format } = flags;
  if (args.length + targetsFile.length === 0) throw new UsageError("missing required argument 'target'", 'get');
  checkFlags(flags, args.length + targetsFile.length * 2);
  const options = toScanOptions(flags, 'get');
  const files = new FileReader(flags, io, targetsFile.includes('-'));
  const named = args.map((text) => showTarget(text));
  const list = readTargetList(named, targetsFile, io);
  const tally = new Tally(list.targets);
  const isShort = targetsFile.length === 0 && args.length <= options.concurrency;
  const progress = startProgress(io, () => {
    if (quiet) return '';
    return isShort
      ? `probing ${named[tally.done]?.label ?? nameOf(tally.done, args.length)} ...`
      : bar(tally, list.count);
  });
  const interrupt = new AbortController();
  const letGo = io.onInterrupt(() => interrupt.abort());
  try {
    const print = createPrinter(io, flags);
    const warn = createRotationWarning(io, flags.servername);
    const how = { ...options, lookup: io.lookup, format, files, brief: isBrief(flags), signal: interrupt.signal };
    const { timeoutMs } = options;
    const naming = { timeoutMs, resolveSrv: io.resolveSrv, signal: interrupt.signal };
    const answers = fetchAnswers(withServers(untilClosed(tally.targets, io), naming), how);
    for await (const answer of inOrder(answers)) {
      progress.clear();
      tally.count(answer);
      const label = answer.target?.label ?? nameOf(answer.nth, args.length);
      print(answer, label);
      if (answer.target !== undefined) warn(answer.target, answer.certificates[0]);
      if (label !== undefined) warnOfLeaves(io, label, answer.leaves);
      await io.stdoutReady();
    }
  } finally {
    progress.end();
    letGo();
  }
  if (io.stdoutClosed()) return tally.failed > 0 ? 2 : 0;
  const isCut = interrupt.signal.aborted || !tally.isComplete;
  if (isCut && tally.done > 0) printSummary(io, `${tally}; the others were not waited for`);
  else if (targetsFile.length > 0 && !quiet) printSummary(io, String(tally));
  if (interrupt.signal.aborted) return 130;
  if (isCut) printError(io, 'the total time was over before every target was asked');
  else if (tally.done === 0) printError(io, 'there is no target in the list');
  return isCut || tally.done === 0 || tally.failed > 0 ? 2 : 0;
}

/** If nobody reads the output any more, no further target is asked. */
async function* untilClosed(targets: AsyncIterable<ShownTarget>, io: Io): AsyncGenerator<Question, void, void> {
  let nth = 0;
  for await (const target of targets) {
    if (io.stdoutClosed()) return;
    yield { target, nth: nth++ };
  }
}

/** An argument that cannot be read is named by its number. For a line of a list, the error names the line. */
function nameOf(index: number, count: number): string | undefined {
  return index < count ? `target ${index + 1}` : undefined;
}

/** @throws UsageError */
function checkFlags({ format, chain, envName, targetsFile = [] }: GetFlags, count: number): void {
  if (targetsFile.indexOf('-') !== targetsFile.lastIndexOf('-')) {
    throw new UsageError('standard input can be read once only', 'get');
  }
  if (chain && format !== undefined && forms[format]?.printChain === undefined) {
    throw new UsageError(`--chain does not go with --format ${format}`, 'get');
  }
  if (envName === undefined) return;
  if (format !== 'env') throw new UsageError('--env-name goes with --format env', 'get');
  if (!/^[A-Za-z_]\w*$/.test(envName)) throw new UsageError('--env-name may contain only letters, digits and _', 'get');
  if (count > 1) throw new UsageError('--env-name is the name of one target', 'get');
}
