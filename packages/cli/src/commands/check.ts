import { createPolicy, formatPin, type Peer, type Policy, type PolicyOptions, type Verdict, verify } from 'certpin';
import { type Inspected, inspect, type Target } from 'certpin/probe';
import { type Command, Option } from 'commander';
import { warnOfLeaves } from '../answers/leaves.ts';
import { printAnswer } from '../answers/verdict.ts';
import { addFileOptions, addScanOptions, toProbeOptions, toScanOptions } from '../command-line/options.ts';
import { readPinsFile, readPinValues } from '../command-line/pins.ts';
import { showTarget } from '../command-line/target.ts';
import { type Failure, failureOf, printFailure, UsageError } from '../failure.ts';
import { checkKey } from '../files/check-key.ts';
import { FileReader } from '../files/file-reader.ts';
import type { KeyPin } from '../files/key-pin.ts';
import { type ExitCode, type Io, printHint, printJson, quote, withProgress } from '../io.ts';
import { type AnsweredTarget, type CheckReport, spelled, toReport } from '../reports/check-report.ts';
import { explainAt } from '../reports/explanation.ts';
import { createRotationWarning } from '../scan/rotating.ts';
import type { CheckFileFlags } from './check-file.ts';

interface CheckFlags extends CheckFileFlags {
  readonly file?: string;
  readonly pin?: string[];
  readonly pinsFile?: string[];
  readonly issuerPin?: string[];
  readonly acceptExpired?: true;
  readonly requireHostname?: true;
}

const description = `Ask whether a server presents a pinned certificate, or whether a file holds one.

The target is written before the pins. Several pins may be given: any match is a match.
A pin is one of these, with upper or lower case hex:

  AABB… or AA:BB:…              SHA-256 of the certificate, 64 hex digits
  sha256 Fingerprint=AA:BB:…    the same, as openssl prints it
  sha256/BASE64                 SHA-256 of the public key, as certpin get prints it
  sha256//BASE64, sha256:HEX, pin-sha256="BASE64", 3 0 1 HEX, 3 1 1 HEX
  a PEM certificate or PEM public key

Without --require-hostname, the name counts only if an issuer's pin matched.

With --file, every target of a pins file is asked, or only the named ones. Each target is judged by
its pins and its policy in the file. certpin trust makes such a file. The answer for each target:

  holds          the pin holds
  mixed          several addresses present several pinned certificates
  ends-soon      the certificate ends soon: a warning, unless --fail-expiring
  drift          another certificate
  revoked        a revoked pin
  expired        the pinned certificate has expired
  not-yet-valid  its validity has not begun
  refused        something else does not hold
  unreachable    no answer, or no TLS
  no-such-name   the name cannot be found`;

const examples = `
Examples:
  certpin check db.example.com:5432 --pin 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08
  certpin check api.example.com --pins-file pins.txt --json
  certpin check db.example.com:5432 --issuer-pin "$(cat ca.pem)"
  certpin check server.crt --pin "$DB_PINS"     before the new certificate is installed
  certpin check next.csr --pin "$DB_PINS"       before the certificate is made: is its key pinned?
  certpin check --file certpin.json
  certpin check db.example.com:5432 --pins-file pins.txt --all-addresses
  certpin check --file certpin.json db.example.com:5432 --json
  certpin check --file certpin.json '*.example.com' --expires-within 25%
  certpin check --file certpin.json --problems --retries 2 --openmetrics /var/lib/node/certpin.prom
  certpin check --file certpin.json --junit > certpin.xml
  certpin check --file certpin.json --sarif --expires-within 14d --retries 2 > certpin.sarif

Exit code: 0 the pin holds, 1 it does not, 2 the question could not be asked. With --file: 0 all
hold, 1 one does not, 2 one could not be asked and no other fails, 130 interrupted.`;

export function defineCheck(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  const command = program
    .command('check')
    .summary('ask whether a server or a file has a pinned certificate')
    .description(description)
    .argument('[target...]', 'file, - for standard input, host:port, host, or URL')
    .option('--pin <pin...>', 'a pin on the certificate or on its public key')
    .option('--pins-file <file>', 'a file with pins and # comments, or with certificates', collect)
    .option('--issuer-pin <pin...>', 'a pin on a CA from which a verified chain must lead to the certificate')
    .option('--accept-expired', 'accept a pinned certificate after the end of its validity')
    .option('--require-hostname', 'the certificate must name the host')
    .addOption(new Option('--file <file>', 'ask the targets of a pins file, or only the named ones'))
    .option(
      '--expires-within <span>',
      'with --file: when a certificate counts as ends-soon: 30d, 36h, 25% (default: 30d)',
    )
    .option('--fail-expiring', 'with --file: exit code 1 if a certificate ends soon')
    .addOption(
      new Option('--problems', 'with --file: print only the targets that need a person, the worst first').conflicts([
        'quiet',
        'junit',
        'sarif',
      ]),
    )
    .option(
      '--openmetrics <file>',
      "with --file: also write metrics, for a node exporter's textfile collector; - prints them in place of the answer",
    )
    .addOption(
      new Option('-q, --quiet', 'print no answer: the exit code is the answer').conflicts([
        'json',
        'csv',
        'junit',
        'sarif',
      ]),
    )
    .addOption(
      new Option('--json', 'print the answer as one JSON object; with --file, one for each target').conflicts([
        'csv',
        'junit',
        'sarif',
      ]),
    )
    .addOption(new Option('--csv', 'with --file: print a table, RFC 4180').conflicts(['junit', 'sarif']))
    .addOption(new Option('--junit', 'with --file: print test results, JUnit XML').conflicts('sarif'))
    .option('--sarif', 'with --file: print SARIF 2.1.0, for code scanning');
  addFileOptions(addScanOptions(command))
    .usage('[options] <target> --pin <pin...>')
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: CheckFlags) => finish(await check(targets, flags, io)));
}

async function check(targets: string[], flags: CheckFlags, io: Io): Promise<ExitCode> {
  const { file } = flags;
  checkFlags(flags);
  if (file === undefined) return checkOne(targets, flags, io);
  try {
    const { checkFile } = await import('./check-file.ts');
    return await checkFile(file, targets, flags, io);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    printFailure(io, { command: 'check', label: undefined, failure: failureOf(error) });
    return 2;
  }
}

const onlyWithFile = [
  'expiresWithin',
  'failExpiring',
  'problems',
  'openmetrics',
  'csv',
  'junit',
  'sarif',
  'concurrency',
  'retries',
  'totalTimeout',
] as const;

/** What a pins file says for each of its targets. */
const saidByFile = [
  'pin',
  'pinsFile',
  'issuerPin',
  'acceptExpired',
  'requireHostname',
  'servername',
  'protocol',
] as const;

/** @throws UsageError */
function checkFlags(flags: CheckFlags): void {
  const spelling = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const isGiven = (name: keyof CheckFlags): boolean => flags[name] !== undefined;
  const alone = flags.file === undefined ? onlyWithFile.find(isGiven) : undefined;
  if (alone !== undefined) throw new UsageError(`${spelling(alone)} goes with --file`, 'check');
  const said = flags.file === undefined ? undefined : saidByFile.find(isGiven);
  if (said !== undefined) {
    throw new UsageError(`${spelling(said)} does not go with --file: the pins file says it for each target`, 'check');
  }
}

async function checkOne([target, ...others]: string[], flags: CheckFlags, io: Io): Promise<ExitCode> {
  // `--pin PIN TARGET` is read as two pins.
  if (target === undefined) throw new UsageError('check needs a target, written before --pin, or --file', 'check');
  if (others.length > 0) throw new UsageError('check takes one target; several stand in a pins file: --file', 'check');
  if (!flags.pin && !flags.pinsFile && !flags.issuerPin) {
    throw new UsageError('check needs a pin: give --pin, --pins-file or --issuer-pin', 'check');
  }
  const { allAddresses } = toScanOptions(flags, 'check');
  const options = { ...toProbeOptions(flags, 'check'), lookup: io.lookup, resolveSrv: io.resolveSrv };
  const shown = showTarget(target);
  const protocol = shown.target?.protocol ?? null;
  const couldNotAsk = (failure: Failure, label?: string): ExitCode => {
    const report = { target: shown.label ?? '(unreadable)', protocol, ok: false, error: failure } satisfies CheckReport;
    if (flags.json) printJson(io, report);
    else printFailure(io, { command: 'check', label, failure });
    return 2;
  };
  if (shown.refusal !== undefined) return couldNotAsk(shown.refusal);

  const files = new FileReader(flags, io);
  let policy: Policy;
  try {
    policy = await readPolicy(flags, files); // Before any connection is made.
  } catch (error) {
    return couldNotAsk(failureOf(error));
  }
  if (allAddresses) {
    const { checkAddresses } = await import('./check-addresses.ts');
    try {
      return await checkAddresses(shown, policy, { ...options, flags, io });
    } catch (error) {
      return couldNotAsk(failureOf(error), shown.label);
    }
  }
  let peer: Peer;
  let found: Pick<Inspected, 'protocol' | 'address' | 'otherAddresses'> = { protocol: 'file' };
  try {
    if (shown.target.protocol === 'file') {
      const { certificates, leaves, key } = await files.read(shown.target);
      warnOfLeaves(io, shown.label, leaves);
      if (key !== undefined) return printKeyFinding(io, shown.target, key, policy, flags);
      peer = { certificates, fromFile: true };
    } else {
      const pending = inspect(shown.target, options);
      const inspected = flags.quiet ? await pending : await withProgress(io, `probing ${shown.label} ...`, pending);
      found = inspected;
      peer = inspected;
    }
  } catch (error) {
    return couldNotAsk(failureOf(error), shown.label);
  }
  const host = peer.host ?? flags.servername;
  const verdict = verify({ ...peer, host }, policy);
  if (!verdict.ok && verdict.code === 'ERR_HOSTNAME_MISMATCH' && host === undefined) {
    throw new UsageError('a file has no host name to compare: give --servername', 'check');
  }
  const { protocol: spoken, address, otherAddresses } = found;
  const about = { label: shown.label, protocol: spoken, address, otherAddresses };
  printVerdict(io, about, { verdict, peer: { ...peer, host } }, flags);
  if (!flags.quiet) createRotationWarning(io, flags.servername)(shown.target, verdict.presented[0]);
  return verdict.ok ? 0 : 1;
}

async function readPolicy(
  { pin = [], pinsFile = [], issuerPin = [], acceptExpired, requireHostname }: CheckFlags,
  files: FileReader,
): Promise<Policy> {
  const pins = readPinValues('--pin', pin);
  for (const path of pinsFile) pins.push(await readPinsFile(path, files)); // One password is asked for at a time.
  const issuerPins = readPinValues('--issuer-pin', issuerPin);
  return createPolicy({
    pins: pins.length === 0 ? undefined : pins,
    issuerPins: issuerPins.length === 0 ? undefined : issuerPins,
    expired: acceptExpired ? 'accept' : 'refuse',
    hostnameVerification: requireHostname ? 'require' : undefined,
  });
}

/** @throws FileError if the pins cannot decide */
function printKeyFinding(io: Io, target: Target, key: KeyPin, policy: Policy, { quiet, json }: CheckFlags): ExitCode {
  const { matched, explanation } = checkKey(target.label, key, policy);
  if (json) {
    const { label, protocol } = target;
    const about = { address: null, otherAddresses: [], certificate: null, chain: [] } as const;
    const answer = { ...about, publicKey: key, ...spelled(policy), explanation };
    const report: CheckReport = matched
      ? { target: label, protocol, ok: true, matched: 'leaf', pin: formatPin(matched), ...answer }
      : {
          target: label,
          protocol,
          ok: false,
          code: 'ERR_PIN_MISMATCH',
          reason: 'the public key is none of the pinned ones',
          ...answer,
        };
    printJson(io, report);
  } else if (!quiet) {
    printAnswer(io, matched !== undefined, explanation);
  }
  return matched ? 0 : 1;
}

/** The explanation is the answer, not an error. So it goes to stdout, whether the pin holds or not. */
function printVerdict(
  io: Io,
  target: AnsweredTarget,
  { verdict, peer }: { readonly verdict: Verdict; readonly peer: Peer },
  { quiet, json }: CheckFlags,
): void {
  if (quiet) return;
  if (json) {
    printJson(io, toReport(target, verdict));
    return;
  }
  printAnswer(io, verdict.ok, explainAt(verdict, target));
  const next = nextCommand(target.label, verdict, peer);
  if (next !== undefined) printHint(io, next);
}

/** A command for which the answer is yes. A certificate that is only sent along with the configured pin gives no such command. */
function nextCommand(label: string, verdict: Verdict, peer: Peer): string | undefined {
  if (verdict.ok) return undefined;
  const { pins } = verdict.policy;
  const command = `certpin check ${quote(label)}`;
  const holds = (policy: PolicyOptions): boolean => verify(peer, policy).ok;
  if (verdict.code === 'ERR_CERTIFICATE_EXPIRED') {
    const pin = pins.find((one) => holds({ pins: [one], expired: 'accept' }));
    return pin && `${command} --pin ${formatPin(pin)} --accept-expired`;
  }
  if (verdict.code !== 'ERR_PIN_MISMATCH') return undefined;
  const pin = pins.find((one) => holds({ issuerPins: [one] }));
  return pin && `${command} --issuer-pin ${formatPin(pin)}`;
}
