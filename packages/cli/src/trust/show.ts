import type { Placed } from '@certpin/pins-file';
import { formatPin } from 'certpin';
import type { ProbeSuccess } from 'certpin/probe';
import { renderKeyReport } from '../answers/key-text.ts';
import { renderReport } from '../answers/text.ts';
import { type Io, printable, stdoutColors } from '../io.ts';
import type { PinSource } from './plan.ts';
import type { Candidate } from './step.ts';

/** What a server has presented, at one address or in general. */
export function renderPresented({ placed: { label }, presented }: Candidate, at: string | undefined, io: Io): string {
  const report = presented?.report() as ProbeSuccess;
  const target = at === undefined ? label : `${label} at ${at}`;
  return renderReport(
    { ...report, target, ...(at === undefined ? {} : { address: null }) },
    stdoutColors(io),
    new Date(),
  );
}

/** What was read from a file, under the name of its target if there is one. */
export function renderSource({ path, pins, certificates, key }: PinSource, targets: readonly Placed[], io: Io): string {
  const colors = stdoutColors(io);
  const target = targets.length === 1 ? (targets[0]?.label ?? path) : `${targets.length} targets`;
  const chain = certificates?.map((certificate) => certificate.toJSON()) ?? [];
  const [certificate] = chain;
  const nobody = `  read from ${printable(path)}: no server was asked`;
  if (key !== undefined) {
    const report = { target, protocol: 'file', ok: true, certificate: null, chain: [], publicKey: key } as const;
    return `${renderKeyReport(report, colors)}\n${colors.dim(nobody)}`;
  }
  if (certificate === undefined) {
    const lines = pins.map(({ pin }) => `  ${formatPin(pin)} (${pin.kind})`);
    return [colors.bold(printable(target)), ...lines, colors.dim(nobody)].join('\n');
  }
  const where = { host: null, port: null, address: null, otherAddresses: [], tlsVersion: null };
  const report = { target, protocol: 'file', detected: false, ...where, ok: true, certificate, chain } as const;
  return `${renderReport(report, colors, new Date())}\n${colors.dim(nobody)}`;
}
