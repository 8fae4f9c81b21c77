import { probe } from 'certpin/probe';
import { type Command, Option } from 'commander';
import { mapBounded } from '../bounded.ts';
import { printFailure } from '../failure.ts';
import { addFileOptions, FileReader } from '../files/file-reader.ts';
import type { PasswordFlags } from '../files/password.ts';
import { renderKeyReport } from '../files/render-key.ts';
import { type ExitCode, type Io, printJson, printText, stdoutColors, withProgress } from '../io.ts';
import { addConnectionOptions, type ConnectionFlags, toProbeOptions } from '../options.ts';
import { showTarget } from '../target.ts';
import { renderReport } from '../text.ts';

interface GetFlags extends ConnectionFlags, PasswordFlags {
  readonly quiet?: true;
  readonly json?: true;
}

/** Servers that are asked at the same time. */
const CONCURRENCY = 8;

const description = `Show the fingerprint of the certificate in a file, or of the one that a server presents.

A target is a file, - (standard input), host:port, a host (port 443), or a URL: https://, tls://,
postgres://, mysql://, mariadb://. Port 5432 means PostgreSQL, port 3306 MySQL or MariaDB. A
connection string will do: its credentials are neither sent nor shown.

A file holds certificates (PEM, DER, PKCS#7, PKCS#12), or a private key, a public key or a
certificate signing request: then the answer is the public-key pin of the next certificate.
The password of an encrypted file is asked for, without echo.

What a server presents says nothing about whose server it is. Compare it with the fingerprint
of the server's own certificate file, or ask its operator, before you pin it.`;

const examples = `
Examples:
  certpin get server.crt                    on the server itself: the fingerprint to pin
  certpin get server.pfx --password-env PFX_PASSWORD
  certpin get next.csr                      the pin of a certificate that is yet to be made
  certpin get db.example.com:5432           what the PostgreSQL server presents
  certpin get postgres://db.example.com:6432/app
  certpin get mysql://db.example.com        what the MySQL or MariaDB server presents
  certpin get -q db.example.com:5432        64 hex digits, nothing else
  certpin get --json a.example.com b.example.com:8443 | jq -r .certificate.validTo

Exit code: 0 every certificate was read, 2 one was not.`;

export function defineGet(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('get')
    .summary('show the fingerprint of a certificate, from a server or a file')
    .description(description)
    .argument('<target...>', 'file, - for standard input, host:port, host, or URL')
    .addOption(new Option('-q, --quiet', 'print the SHA-256 of the certificate only, 64 hex digits').conflicts('json'))
    .option('--json', 'print one JSON object per target, one a line');
  addFileOptions(addConnectionOptions(command))
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: GetFlags) => finish(await get(targets, flags, io)));
}

async function get(targets: readonly string[], flags: GetFlags, io: Io): Promise<ExitCode> {
  const options = toProbeOptions(flags, 'get');
  const files = new FileReader(flags, io);
  const ask = (text: string) => {
    const { target } = showTarget(text);
    return target?.protocol === 'file' ? files.report(target) : probe(text, options);
  };
  const reports = mapBounded(targets, CONCURRENCY, async (target) => (io.stdoutClosed() ? undefined : ask(target)));
  let code: ExitCode = 0;
  let printed = 0;
  for (const [index, pending] of reports.entries()) {
    const { target, label = `target ${index + 1}` } = showTarget(targets[index] ?? '');
    const report =
      flags.quiet || target?.protocol === 'file'
        ? await pending
        : await withProgress(io, `probing ${label} ...`, pending);
    if (report === undefined) break; // nobody reads any more
    if (!report.ok) code = 2;
    if (flags.json) printJson(io, report);
    else if (!report.ok) printFailure(io, { command: 'get', label, failure: report.error });
    else if (report.certificate === null) {
      const { publicKey } = report;
      const separator = printed++ === 0 ? '' : '\n';
      printText(io, flags.quiet ? publicKey.pin : `${separator}${renderKeyReport(report, stdoutColors(io))}`);
    } else if (flags.quiet) printText(io, report.certificate.sha256);
    else printText(io, `${printed++ === 0 ? '' : '\n'}${renderReport(report, stdoutColors(io), new Date())}`);
  }
  return code;
}
