import { TenantError } from '../tenant/tenant-error.ts';
import { DeliverError } from './deliver-error.ts';
import type { Delivered, DeliveryProblem } from './delivered.ts';

export function problemOf(error: unknown): DeliveryProblem {
  const { code, message } = error as NodeJS.ErrnoException;
  const hint = error instanceof DeliverError ? error.hint : undefined;
  return {
    code: typeof code === 'string' ? code : 'ERR_UNKNOWN',
    message: String(message ?? error),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** If a question could not be asked, the answer is neither yes nor no. */
export function outcomeOf(error: unknown): 'refused' | 'unknown' {
  if (error instanceof TenantError)
    return error.code === 'ERR_TENANT_REFUSED' && error.status === undefined ? 'refused' : 'unknown';
  const unasked: readonly unknown[] = ['ERR_NOT_VERIFIED', 'ERR_VALUES_FILE'];
  return error instanceof DeliverError && !unasked.includes(error.code) ? 'refused' : 'unknown';
}

export function worst(errors: readonly unknown[]): 'refused' | 'unknown' {
  return errors.some((error) => outcomeOf(error) === 'refused') ? 'refused' : 'unknown';
}

/** The outcome of a push that has begun to write. */
export function outcomeOfWork(problems: readonly unknown[], hasFailed: boolean): Delivered['outcome'] {
  if (problems.length === 0) return 'done';
  if (problems.some((error) => error instanceof DeliverError && error.code === 'ERR_INTERRUPTED')) return 'interrupted';
  return !hasFailed && problems.some((error) => outcomeOf(error) === 'unknown') ? 'unknown' : 'failed';
}
