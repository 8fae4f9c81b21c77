import type { ProbeSuccess } from 'certpin/probe';
import { printFailure } from '../failure.ts';
import type { Subject } from '../forms/form.ts';
import { forms } from '../forms/forms.ts';
import { type Io, printCsv, printJson, printText, printWarning, stdoutColors } from '../io.ts';
import { type Answer, byCertificate, type KeyReport } from '../scan/answer.ts';
import { csvHeader, csvRows } from './csv.ts';
import { renderKeyReport } from './key-text.ts';
import { renderReport } from './text.ts';

/** How `certpin get` is asked to print. */
export interface PrinterFlags {
  readonly quiet?: true;
  readonly json?: true;
  readonly csv?: true;
  readonly format?: string;
  readonly chain?: true;
  readonly envName?: string;
  readonly servername?: string;
}

/** Whether only the failure of a report is printed. Then the content of the certificates need not be read. */
export function isBrief({ quiet, json, csv, format }: PrinterFlags): boolean {
  return !json && !csv && (quiet === true || format !== undefined);
}

/** Prints one answer after the other, as the flags say. */
export function createPrinter(io: Io, flags: PrinterFlags): (answer: Answer, label: string | undefined) => void {
  const colors = stdoutColors(io);
  if (flags.csv) printCsv(io, csvHeader);
  let blocks = 0;
  const printBlock = (text: string): void => printText(io, `${blocks++ === 0 ? '' : '\n'}${text}`);
  // A key has one pin and no certificate, so only one form fits it.
  const printKey = (report: KeyReport): void =>
    flags.quiet ? printText(io, report.publicKey.pin) : printBlock(renderKeyReport(report, colors));
  const form = forms[flags.quiet ? 'hex' : (flags.format ?? '')];
  const printOne = (answer: Answer, label: string | undefined, at?: string): void => {
    const { target, failure, key, report } = answer;
    const place = at === undefined ? {} : { at };
    if (failure !== undefined) printFailure(io, { command: 'get', label, ...place, failure });
    else if (key !== undefined) printKey(report());
    else if (form === undefined) {
      const shown = report() as ProbeSuccess;
      const target = at === undefined ? shown.target : `${shown.target} at ${at}`;
      // What follows the name is then in the headline.
      printBlock(renderReport(at === undefined ? shown : { ...shown, target, address: null }, colors, new Date()));
    } else if (isPresented(answer.certificates)) {
      const print = (flags.chain ? form.printChain : undefined) ?? form.print;
      const { servername, envName } = flags;
      const text = print({ target, certificates: answer.certificates, servername, envName });
      if (form.isBlock) printBlock(text);
      else printText(io, text);
    }
  };
  return (answer, label) => {
    const { addresses, report } = answer;
    if (flags.json) printJson(io, report());
    else if (flags.csv) for (const row of csvRows(report(), flags.chain === true)) printCsv(io, row);
    else if (addresses === undefined) printOne(answer, label);
    else for (const { at, answer: one } of byCertificate(addresses)) printOne(one, label, at);
    if (addresses !== undefined && label !== undefined) warnOfDifference(io, label, addresses);
  };
}

function warnOfDifference(io: Io, label: string, addresses: NonNullable<Answer['addresses']>): void {
  const count = byCertificate(addresses).filter(({ answer }) => answer.failure === undefined).length;
  if (count > 1) printWarning(io, `${label}: its addresses present ${count} different certificates`);
}

/** There is at least one for an answer that is not a failure. */
function isPresented(certificates: Answer['certificates']): certificates is Subject['certificates'] {
  return certificates.length > 0;
}
