import type { Judged, Status } from '@certpin/pins-file';
import { printJson } from '../io.ts';
import { type CheckReport, toReport } from './check-report.ts';
import type { CreateReport } from './report.ts';

/** A line of `certpin check --file --json`: what `certpin check --json` prints of one target, and more. Fields are added, never renamed. */
type FileCheckReport = CheckReport & {
  readonly status: Status;
  /** Where it stands in the pins file, from 1. */
  readonly line: number;
  readonly note?: string;
};

export const createJsonReport: CreateReport = ({ io }) => ({
  add: (judged) => printJson(io, toJson(judged)),
  end: () => undefined,
});

function toJson({ entry, status, verdict, protocol, failure }: Judged): FileCheckReport {
  const { label, line, note } = entry;
  const about = { status, line, ...(note === undefined ? {} : { note }) };
  if (verdict !== undefined) return { ...toReport({ label, protocol }, verdict), ...about };
  return { target: label, protocol, ok: false, error: failure, ...about };
}
