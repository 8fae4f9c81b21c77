import { loadPinsFile, lock, type PinsDocument } from '@certpin/pins-file';
import type { TenantError } from '../tenant/tenant-error.ts';
import { carryOut } from './carry-out.ts';
import type { Context } from './context.ts';
import { DeliverError } from './deliver-error.ts';
import type { DeliverOptions } from './deliver-options.ts';
import type { Delivered, DeliveryProblem } from './delivered.ts';
import { findBreaches } from './find-breaches.ts';
import { besideOf, type JournalLine, readJournal } from './journal.ts';
import { outcomeOf, problemOf, worst } from './outcome-of.ts';
import { makePlan, type Plan } from './plan.ts';
import { Report } from './report.ts';
import { notTakenBack, wishesOfUndo } from './undo.ts';
import { readValues, refuseStrangers } from './values.ts';
import { readCanary, verifyLogins } from './verify-login.ts';
import { isNeeded, isSame, type Step, type Wanted } from './wish.ts';
import { wishesOf } from './wishes-of.ts';

/**
 * Brings the pins of targets to their places. Everything is read and planned before the first write.
 *
 * @param names targets of the pins file, as `findTargets` takes them. None: all targets that have places
 * @throws PinsFileError, CertpinError `ERR_TARGET_INVALID`; the signal's reason
 */
export async function deliver(pinsFile: string, names: readonly string[], options: DeliverOptions): Promise<Delivered> {
  return underLock(pinsFile, options, () =>
    push(pinsFile, options, (document) => ({ wishes: wishesOf(document, names) })),
  );
}

/** Takes the last push back: does the same with what was there before it. */
export async function undoDelivery(pinsFile: string, options: DeliverOptions): Promise<Delivered> {
  return underLock(pinsFile, options, () => push(pinsFile, options, wishesOfUndo));
}

/** Two pushes at once are refused: each would take the other's writes for those of somebody else. */
async function underLock(
  pinsFile: string,
  { dryRun }: DeliverOptions,
  work: () => Promise<Delivered>,
): Promise<Delivered> {
  if (dryRun) return work();
  const held = await lock(besideOf(pinsFile).journal, 3_000);
  if (typeof held === 'string') {
    const message = `another push of ${pinsFile} is under way; if none is, remove ${held} beside it`;
    return nothing('refused', [{ code: 'ERR_CHANGED', message }]);
  }
  try {
    return await work();
  } finally {
    held.release();
  }
}

async function push(
  pinsFile: string,
  options: DeliverOptions,
  want: (document: PinsDocument, journal: readonly JournalLine[]) => Wanted,
): Promise<Delivered> {
  const document = loadPinsFile(pinsFile);
  const { env, signal, onProgress, dryRun = false, verifyLogin = false } = options;
  let plan: Plan;
  let wanted: Wanted;
  let unfinished: string | undefined;
  try {
    const journal = readJournal(pinsFile);
    unfinished = unfinishedIn(journal);
    wanted = want(document, journal);
    const values = readValues(options.values);
    refuseStrangers(values, document);
    const context: Context = {
      document,
      journal,
      values,
      drop: options.drop ?? [],
      signal,
    };
    onProgress?.('reading every place');
    plan = await makePlan(context, wanted.wishes, {
      ...{ env, fetch: options.fetch, signal, onWait: onProgress },
      allowCommands: options.allowCommands === true,
      ownerIsNone: options.owner === 'none',
    });
  } catch (error) {
    signal?.throwIfAborted();
    return { ...nothing(outcomeOf(error), [problemOf(error)]), unfinished };
  }
  const steps = plan.steps.filter((step) => step.items.some((item) => isNeeded(step, item)));
  const report = new Report(plan);
  const about = { unfinished, push: undefined, snapshot: undefined };
  const end = (outcome: Delivered['outcome'], problems: readonly unknown[]): Delivered => {
    report.isOver = outcome === 'refused' || outcome === 'unknown';
    return { ...about, outcome, problems: problems.map(problemOf), outcomes: report.outcomes() };
  };
  const refusals = refusalsOf(plan, steps, wanted);
  if (refusals.length > 0) return end(worst(refusals), refusals);
  if (steps.length === 0) return end('done', []);
  try {
    const breaches = await findBreaches(steps, options);
    if (breaches.length > 0) return end('refused', breaches);
    const canary = verifyLogin ? readCanary(env) : undefined;
    if (dryRun) return end('done', []);
    if (options.confirm !== undefined && !(await options.confirm(report.outcomes()))) return end('declined', []);
    if (canary !== undefined) await verifyLogins(plan.management, steps, canary, 'before');
    // Between the plan and the answer of a person, addresses and the file may have changed.
    const late = options.confirm === undefined ? [] : await findBreaches(steps, options);
    if (late.length > 0) return end('refused', late);
    if (loadPinsFile(pinsFile).text !== document.text) {
      throw new DeliverError('ERR_CHANGED', `${pinsFile}: it was changed since it was read; nothing was written`);
    }
  } catch (error) {
    signal?.throwIfAborted();
    return end(outcomeOf(error), [error]);
  }
  return carryOut({ pinsFile, document, plan, steps, report, wanted, unfinished }, options);
}

/** Why nothing is begun. */
function refusalsOf(plan: Plan, steps: readonly Step[], wanted: Wanted): readonly (DeliverError | TenantError)[] {
  const unwelcome = steps.flatMap(({ items }) =>
    items.flatMap((item) => (isSame(item) ? [] : (wanted.refuse?.(item) ?? []))),
  );
  // An undo must do everything itself: otherwise it would report success although places are left to somebody else.
  const left =
    wanted.undoes === undefined ? [] : plan.elsewhere.map(({ place, reason }) => notTakenBack(place, reason));
  // A reason against writing a connection does not matter if nothing of it is written.
  const skipped = new Set(plan.steps.filter((step) => !steps.includes(step)).flatMap(({ refusals }) => refusals));
  return [...unwelcome, ...left, ...plan.refusals.filter((one) => !skipped.has(one as DeliverError))];
}

/** A push that has begun, and has not reported its end. */
function unfinishedIn(journal: readonly JournalLine[]): string | undefined {
  const last = journal.at(-1);
  return last === undefined || last.event === 'end' ? undefined : last.push;
}

function nothing(outcome: Delivered['outcome'], problems: readonly DeliveryProblem[]): Delivered {
  return { outcome, problems, push: undefined, snapshot: undefined, unfinished: undefined, outcomes: [] };
}
