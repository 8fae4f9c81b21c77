import { type Command, Option } from 'commander';
import { ask } from '../ask.ts';
import { mapBounded } from '../bounded.ts';
import { UsageError } from '../failure.ts';
import { forms } from '../forms/forms.ts';
import { type ExitCode, type Io, withProgress } from '../io.ts';
import { addConnectionOptions, type ConnectionFlags, toProbeOptions } from '../options.ts';
import { createPrinter, type PrinterFlags } from '../printer.ts';
import { showTarget } from '../target.ts';

interface GetFlags extends ConnectionFlags, PrinterFlags {}

/** Servers that are asked at the same time. */
const CONCURRENCY = 8;

const description = `Show the fingerprint of the certificate in a file, or of the one that a server presents.

A target is a file (PEM or DER), host:port, a host (port 443), or a URL: https://, tls://,
postgres://, mysql://, mariadb://. Port 5432 means PostgreSQL, port 3306 MySQL or MariaDB. A
connection string will do: its credentials are neither sent nor shown.

What a server presents says nothing about whose server it is. Compare it with the fingerprint
of the server's own certificate file, or ask its operator, before you pin it.

Forms of --format:
${Object.entries(forms)
  .map(([name, { meaning }]) => `  ${name.padEnd(9)}${meaning}`)
  .join('\n')}`;

const examples = `
Examples:
  certpin get server.crt                    on the server itself: the fingerprint to pin
  certpin get db.example.com:5432           what the PostgreSQL server presents
  certpin get postgres://db.example.com:6432/app
  certpin get mysql://db.example.com        what the MySQL or MariaDB server presents
  certpin get -q db.example.com:5432        64 hex digits, nothing else
  certpin get --format tlsa --chain mail.example.com
  certpin get --format env --env-name DB_PINS server.crt >> .env
  certpin get --format pg db.example.com:5432   a configuration to paste
  certpin get --json a.example.com b.example.com:8443 | jq -r .certificate.validTo

Exit code: 0 every certificate was read, 2 one was not.`;

export function defineGet(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('get')
    .summary('show the fingerprint of a certificate, from a server or a file')
    .description(description)
    .argument('<target...>', 'file, host:port, host, or URL')
    .addOption(new Option('-q, --quiet', 'print the SHA-256 of the certificate only, 64 hex digits').conflicts('json'))
    .option('--json', 'print one JSON object per target, one a line')
    .addOption(
      new Option('--format <form>', 'print it in another form, see above')
        .choices(Object.keys(forms))
        .conflicts(['quiet', 'json']),
    )
    .option('--chain', 'with -q or --format: print every presented certificate')
    .option('--env-name <name>', 'with --format env: the name, where it is not to be made of the host');
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: GetFlags) => finish(await get(targets, flags, io)));
}

async function get(targets: readonly string[], flags: GetFlags, io: Io): Promise<ExitCode> {
  checkFlags(flags, targets.length);
  const options = toProbeOptions(flags, 'get');
  const print = createPrinter(io, flags);
  const answers = mapBounded(targets, CONCURRENCY, async (target) =>
    io.stdoutClosed() ? undefined : ask(target, options, flags.format),
  );
  let code: ExitCode = 0;
  for (const [index, pending] of answers.entries()) {
    const label = showTarget(targets[index] ?? '').label ?? `target ${index + 1}`;
    const answer = flags.quiet ? await pending : await withProgress(io, `probing ${label} ...`, pending);
    if (answer === undefined) break; // nobody reads any more
    if (!answer.report.ok) code = 2;
    print(answer, label);
  }
  return code;
}

/** @throws UsageError */
function checkFlags({ format, chain, envName }: GetFlags, count: number): void {
  if (chain && format !== undefined && forms[format]?.printChain === undefined) {
    throw new UsageError(`--chain does not go with --format ${format}`, 'get');
  }
  if (envName === undefined) return;
  if (format !== 'env') throw new UsageError('--env-name goes with --format env', 'get');
  if (!/^[A-Za-z_]\w*$/.test(envName)) throw new UsageError('--env-name takes letters, digits and _', 'get');
  if (count > 1) throw new UsageError('--env-name is the name of one target', 'get');
}
