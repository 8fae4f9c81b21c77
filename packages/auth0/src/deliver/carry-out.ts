import { randomBytes } from 'node:crypto';
import type { Entry, PinsDocument } from '@certpin/pins-file';
import { readDomain } from '../tenant/credentials.ts';
import { DeliverError } from './deliver-error.ts';
import type { DeliverOptions } from './deliver-options.ts';
import type { Delivered } from './delivered.ts';
import { appendJournal, commitOf, userName, writeSnapshot } from './journal.ts';
import { outcomeOfWork, problemOf } from './outcome-of.ts';
import { sha256 } from './pins-text.ts';
import type { Plan } from './plan.ts';
import type { Report } from './report.ts';
import { readCanary, verifyLogins } from './verify-login.ts';
import { beforeOf, type Step, type Wanted } from './wish.ts';

interface Work {
  readonly pinsFile: string;
  readonly document: PinsDocument;
  readonly plan: Plan;
  readonly steps: readonly Step[];
  readonly report: Report;
  readonly wanted: Wanted;
  readonly unfinished: string | undefined;
}

/** Writes one step after another. Before and after each, it writes a line into the journal. A failure ends it. */
export async function carryOut(
  { pinsFile, document, plan, steps, report, wanted, unfinished }: Work,
  { env, signal, verifyLogin, onProgress }: DeliverOptions,
): Promise<Delivered> {
  const id = newId();
  const { undoes } = wanted;
  report.isOver = true; // What is reported afterwards is no longer a plan.
  const snapshot = writeSnapshot(
    pinsFile,
    id,
    steps.map(({ name, snapshot }) => ({ name, before: snapshot })),
  );
  appendJournal(pinsFile, id, {
    ...{ event: 'begin', user: userName(), commit: await commitOf(pinsFile) },
    ...{ tenant: plan.management === undefined ? null : (readDomain(env) ?? null), file: sha256(document.text) },
    ...(undoes === undefined ? {} : { undoes }),
  });
  const problems: unknown[] = [];
  for (const step of steps) {
    if (signal?.aborted) {
      problems.push(interrupted(`before ${step.name} was written`));
      break;
    }
    onProgress?.(`writing ${step.name}`);
    try {
      for (const item of step.items) {
        const { place, pins } = item;
        appendJournal(pinsFile, id, {
          event: 'writing',
          target: nameOf(item.entry),
          place,
          before: beforeOf(item),
          pins,
        });
      }
      const witnesses = await step.write(id);
      for (const [index, { entry, place, pins }] of step.items.entries()) {
        const witness = witnesses[index] ?? null;
        appendJournal(pinsFile, id, {
          event: 'written',
          target: nameOf(entry),
          place,
          pins,
          sha256: sha256(pins),
          witness,
        });
      }
      report.written.add(step);
    } catch (error) {
      report.failed = step;
      problems.push(isAbort(error, signal) ? interrupted(`while ${step.name} was written: it may have been`) : error);
      if (error instanceof DeliverError && error.code === 'ERR_CHANGED') {
        for (const { entry, place } of step.items) {
          appendJournal(pinsFile, id, { event: 'unwritten', target: nameOf(entry), place });
        }
      }
      break;
    }
  }
  if (problems.length === 0 && verifyLogin) {
    await verifyLogins(plan.management, steps, readCanary(env), 'after').catch((error) =>
      problems.push(isAbort(error, signal) ? interrupted('before the canary had logged in') : error),
    );
  }
  appendJournal(pinsFile, id, { event: 'end', ok: problems.length === 0 });
  const outcome = outcomeOfWork(problems, report.failed !== undefined);
  return { outcome, push: id, snapshot, unfinished, problems: problems.map(problemOf), outcomes: report.outcomes() };
}

function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || (error as Error).name === 'AbortError');
}

function interrupted(when: string): DeliverError {
  return new DeliverError('ERR_INTERRUPTED', `interrupted ${when}`);
}

function nameOf({ id, label }: Entry): string {
  return id ?? label;
}

/** The name begins with the time, so that the names of snapshots are in order. */
function newId(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}
