import {
  type Entry,
  findTargets,
  loadPinsFile,
  nearEnd,
  outcomeOf,
  type PinsDocument,
  parseSpan,
  plainWords,
  type Span,
  statuses,
} from '@certpin/pins-file';
import { warnOfLeaves } from '../answers/leaves.ts';
import { type ScanFlags, toScanOptions } from '../command-line/options.ts';
import { refuseConnectionString, showPath } from '../command-line/target.ts';
import { failureOf, UsageError } from '../failure.ts';
import { FileError } from '../files/file-error.ts';
import { FileReader } from '../files/file-reader.ts';
import type { PasswordFlags } from '../files/password.ts';
import { type ExitCode, type Io, printError, printSummary } from '../io.ts';
import { judgeAnswer } from '../pins-file/judge-answer.ts';
import { StatusTally } from '../pins-file/tally.ts';
import { createCsvReport } from '../reports/csv-report.ts';
import { createJsonReport } from '../reports/json-report.ts';
import { createJunitReport } from '../reports/junit-report.ts';
import { placeMetrics, renderMetrics, type Timed, writeMetrics } from '../reports/openmetrics.ts';
import { onlyProblems } from '../reports/problems-report.ts';
import { createQuietReport } from '../reports/quiet-report.ts';
import { type CreateReport, isRefusal } from '../reports/report.ts';
import { createSarifReport } from '../reports/sarif-report.ts';
import { createTextReport } from '../reports/text-report.ts';
import { fetchAnswers, type NumberedAnswer, type Question } from '../scan/fetch-answers.ts';
import { inOrder } from '../scan/order.ts';
import { createRotationWarning } from '../scan/rotating.ts';
import { serversNamed } from '../scan/servers.ts';
import { bar, startProgress } from '../terminal/progress.ts';

export interface CheckFileFlags extends ScanFlags, PasswordFlags {
  readonly expiresWithin?: string;
  readonly failExpiring?: true;
  readonly problems?: true;
  readonly openmetrics?: string;
  readonly quiet?: true;
  readonly json?: true;
  readonly csv?: true;
  readonly junit?: true;
  readonly sarif?: true;
}

/**
 * Whether every target of a pins file, or every named one, is as the file says. Each is judged by its own policy.
 *
 * @throws UsageError, FileError, PinsFileError: before any connection is made
 */
export async function checkFile(path: string, names: string[], flags: CheckFileFlags, io: Io): Promise<ExitCode> {
  const { expiresWithin, failExpiring = false, quiet, problems } = flags;
  refuseTwoAnswers(flags);
  const near = expiresWithin === undefined ? undefined : readSpan(expiresWithin);
  const options = toScanOptions(flags, 'check');
  refuseConnectionString(path);
  const document = loadPinsFile(path);
  const named = await serversNamed(
    names.map((text) => ({ text })),
    { timeoutMs: options.timeoutMs, resolveSrv: io.resolveSrv },
  );
  const texts = named.map(({ text }) => text);
  const asked = names.length === 0 ? document.entries : findTargets(document, texts);
  if (asked.length === 0) {
    printError(io, `${path}: there is no target in it`);
    return 2;
  }
  const isPrinted = flags.openmetrics === STDOUT;
  const metrics = flags.openmetrics === undefined || isPrinted ? flags.openmetrics : placeFor(flags.openmetrics);
  const create = isPrinted ? createQuietReport : formOf(flags);
  const report = (problems ? onlyProblems(create) : create)({ io, document, asked, failExpiring });
  const timed: Timed[] = [];
  const begun = performance.now();
  const tally = new StatusTally();
  const interrupt = new AbortController();
  const letGo = io.onInterrupt(() => interrupt.abort());
  const progress = startProgress(io, () => (quiet ? '' : bar(tally, asked.length)));
  const warn = createRotationWarning(io, undefined);
  try {
    const files = new FileReader(flags, io);
    const how = { ...options, lookup: io.lookup, signal: interrupt.signal, files, format: undefined };
    for await (const answer of inOrder(fetchAnswers(questions(asked, io), how))) {
      const entry = asked[answer.index] as Entry;
      const judged = judgeAnswer(entry, answer, new Date(), nearEnd(entry, document, near));
      progress.clear();
      tally.count(judged);
      report.add(judged, answer.seconds);
      if (metrics !== undefined) timed.push({ judged, seconds: answer.seconds, checkedAt: new Date() });
      if (!quiet && !problems) {
        warnOf(entry, answer, warn);
        warnOfLeaves(io, entry.label, answer.leaves);
      }
      await io.stdoutReady();
    }
  } finally {
    progress.end();
    letGo();
  }
  const isComplete = tally.done === asked.length;
  report.end({ isComplete });
  const isQuiet = quiet || (problems && isComplete && tally.of('holds') === tally.done);
  if (!isQuiet && !io.stdoutClosed()) {
    printSummary(io, `${tally}${isComplete ? '' : '; the others were not waited for'}`);
  }
  const isTold = metrics === undefined || (isComplete && tellMetrics(metrics, { path, timed, begun }, io));
  if (interrupt.signal.aborted) return 130;
  if (!isComplete && !io.stdoutClosed()) printError(io, 'the total time was over before every target was asked');
  // Drift is reported even if other targets could not be asked, because it is the worse news.
  if (tally.of(...statuses.filter((status) => isRefusal({ status }, failExpiring))) > 0) return 1;
  // A reader that stops has what it wanted. If nothing was asked, there is no answer.
  const isEnough = isComplete || (io.stdoutClosed() && tally.done > 0);
  const unasked = tally.of(...statuses.filter((status) => outcomeOf[status] === 'unasked'));
  return isEnough && unasked === 0 && isTold ? 0 : 2;
}

const STDOUT = '-';

/** Standard output carries one answer. @throws UsageError */
function refuseTwoAnswers({ openmetrics, json, csv, junit, sarif, problems }: CheckFileFlags): void {
  if (openmetrics === STDOUT && (json || csv || junit || sarif || problems))
    throw new UsageError(
      '--openmetrics - prints the metrics in place of the answer: name a file to have both',
      'check',
    );
}

/** @throws FileError, before any connection is made */
function placeFor(path: string): string {
  try {
    return placeMetrics(path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): FileError {
  const { code } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'no such folder' : plainWords(failureOf(error));
  return new FileError(`${showPath(path, '--openmetrics')}: ${reason}`);
}

/** For a check that has ended. @returns whether they were written */
function tellMetrics(
  place: string,
  { path, timed, begun }: { readonly path: string; readonly timed: readonly Timed[]; readonly begun: number },
  io: Io,
): boolean {
  const seconds = (performance.now() - begun) / 1000;
  const text = renderMetrics({ file: path, targets: timed, completedAt: new Date(), seconds });
  if (place === STDOUT) {
    io.stdout(text);
    return true;
  }
  try {
    writeMetrics(place, text);
    return true;
  } catch (error) {
    printError(io, unwritable(place, error).message);
    return false;
  }
}

/** As in the file, or days without a unit. @throws UsageError */
function readSpan(text: string): Span {
  const span = parseSpan(/^\d+$/.test(text) ? `${Number(text)}d` : text);
  if (span !== undefined) return span;
  throw new UsageError('--expires-within takes a time, or a share of the lifetime: 30d, 36h, 25%', 'check');
}

function formOf({ quiet, json, csv, junit, sarif }: CheckFileFlags): CreateReport {
  if (quiet) return createQuietReport;
  if (json) return createJsonReport;
  if (csv) return createCsvReport;
  if (junit) return createJunitReport;
  return sarif ? createSarifReport : createTextReport;
}

/** If nobody reads the output any more, no further target is asked. */
async function* questions(entries: PinsDocument['entries'], io: Io): AsyncGenerator<Question, void, void> {
  for (const { target, protocol, servername } of entries) {
    if (io.stdoutClosed()) return;
    yield { target: { target, label: target.label }, protocol, servername };
  }
}

/** The service goes by the name by which the server is called. */
function warnOf(
  entry: Entry,
  { target, certificates }: NumberedAnswer,
  warn: ReturnType<typeof createRotationWarning>,
): void {
  if (target === undefined) return;
  const called = 'host' in target ? { ...target, host: entry.servername ?? target.host } : target;
  warn(called, certificates[0]);
}
