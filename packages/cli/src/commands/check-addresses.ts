import { type Policy, type Verdict, verify } from 'certpin';
import type { Inspected, ProbeOptions } from 'certpin/probe';
import { printAnswer } from '../answers/verdict.ts';
import type { ShownTarget } from '../command-line/target.ts';
import { type Failure, printFailure } from '../failure.ts';
import { FileReader } from '../files/file-reader.ts';
import { type ExitCode, type Io, printJson, withProgress } from '../io.ts';
import { type AddressReport, type CheckReport, toAddressReport, toReport } from '../reports/check-report.ts';
import { explainAt } from '../reports/explanation.ts';
import { type AddressAnswer, fetchAnswer } from '../scan/answer.ts';
import { createRotationWarning } from '../scan/rotating.ts';

interface Asking extends ProbeOptions {
  readonly flags: { readonly quiet?: true; readonly json?: true; readonly servername?: string };
  readonly io: Io;
}

type Finding = { readonly address: string } & (
  | { readonly verdict: Verdict; readonly protocol: Inspected['protocol']; readonly failure?: undefined }
  | { readonly verdict?: undefined; readonly failure: Failure }
);

/**
 * Whether a pin holds at every address of a server. The server's name is sent, and the policy is about it.
 *
 * @throws what `addressesOf` throws; CertpinError `ERR_TARGET_INVALID` for a file and a unix socket
 */
export async function checkAddresses(
  shown: Extract<ShownTarget, { readonly target: object }>,
  policy: Policy,
  { flags, io, ...options }: Asking,
): Promise<ExitCode> {
  const { quiet, json, servername } = flags;
  const how = { ...options, format: undefined, files: new FileReader({}, io), allAddresses: true, brief: true };
  const pending = fetchAnswer(shown, how);
  const answer = quiet ? await pending : await withProgress(io, `probing ${shown.label} ...`, pending);
  const findings = (answer.addresses ?? []).map((one) => toFinding(one, policy));
  const refused = findings.find(({ verdict }) => verdict?.ok === false);
  const failed = findings.find(({ failure }) => failure !== undefined);
  const worst = refused ?? failed ?? findings[0];
  if (json && worst !== undefined) printJson(io, toJson(shown, worst, findings));
  if (!json) for (const finding of findings) printFinding(io, shown.label, finding, quiet === true);
  if (!quiet) createRotationWarning(io, servername)(shown.target, worst?.verdict?.presented[0]);
  return refused !== undefined ? 1 : failed !== undefined ? 2 : 0;
}

function toFinding({ address, answer }: AddressAnswer, policy: Policy): Finding {
  if (answer.failure !== undefined) return { address, failure: answer.failure };
  const { found } = answer;
  return { address, verdict: verify(found, policy), protocol: found.protocol };
}

function toJson(
  { label, target: { protocol } }: Extract<ShownTarget, { readonly target: object }>,
  worst: Finding,
  findings: readonly Finding[],
): CheckReport {
  const addresses = findings.map(toAddress);
  return worst.failure === undefined
    ? { ...toReport({ label, protocol: worst.protocol, address: worst.address }, worst.verdict), addresses }
    : { target: label, protocol, ok: false, error: worst.failure, addresses };
}

function toAddress({ address, verdict, failure }: Finding): AddressReport {
  return verdict === undefined ? { address, ok: false, error: failure as Failure } : toAddressReport(address, verdict);
}

function printFinding(io: Io, label: string, { address, verdict, failure }: Finding, quiet: boolean): void {
  if (failure !== undefined) printFailure(io, { command: 'check', label, at: address, failure });
  else if (!quiet) printAnswer(io, verdict.ok, explainAt(verdict, { address }));
}
