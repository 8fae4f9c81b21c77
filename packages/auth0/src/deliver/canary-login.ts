import { loadPinsFile } from '@certpin/pins-file';
import { DeliverError } from './deliver-error.ts';
import type { DeliverOptions } from './deliver-options.ts';
import { readJournal } from './journal.ts';
import { makePlan } from './plan.ts';
import { readValues } from './values.ts';
import { readCanary, reasonOfLogin, verifyLogins } from './verify-login.ts';
import { wishesOf } from './wishes-of.ts';

/** The outcome of a login of the canary, a user that exists only for such logins. */
export interface CanaryLogin {
  /** `none`: no place of the targets is a connection. `unknown`: the question could not be asked. */
  readonly outcome: 'logged-in' | 'refused' | 'unknown' | 'none';
  readonly reason: string;
}

/**
 * Lets the canary log in over each connection to which the targets are delivered, as a real user does. Nothing is written.
 *
 * @throws PinsFileError, CertpinError `ERR_TARGET_INVALID`
 */
export async function tryCanary(
  pinsFile: string,
  names: readonly string[],
  { env, fetch, signal, onProgress }: DeliverOptions,
): Promise<CanaryLogin> {
  const document = loadPinsFile(pinsFile);
  const wishes = wishesOf(document, names).filter(({ place }) => 'connection' in place);
  if (wishes.length === 0) return { outcome: 'none', reason: 'no place of it is a connection' };
  try {
    const canary = readCanary(env);
    const context = { document, journal: readJournal(pinsFile), values: readValues(undefined), drop: [], signal };
    // Whichever tool writes the tenant, the login goes over the same connection.
    const how = { env, fetch, signal, onWait: onProgress, allowCommands: false, ownerIsNone: true };
    const plan = await makePlan(context, wishes, how);
    await verifyLogins(plan.management, plan.steps, canary);
    const [left] = plan.elsewhere;
    if (left !== undefined) return { outcome: 'unknown', reason: `${left.place.kind}: ${left.reason}` };
    return { outcome: 'logged-in', reason: `over ${plan.steps.map(({ name }) => name).join(', ')}` };
  } catch (error) {
    signal?.throwIfAborted();
    const isRefused = error instanceof DeliverError && error.code === 'ERR_LOGIN';
    return { outcome: isRefused ? 'refused' : 'unknown', reason: reasonOfLogin(error as Error) };
  }
}
