import { logIn } from '../tenant/log-in.ts';
import type { Management } from '../tenant/management.ts';
import { plain } from '../tenant/tenant-error.ts';
import { DeliverError } from './deliver-error.ts';
import type { Step } from './wish.ts';

/** A user that exists only to log in, and has no rights. */
export interface Canary {
  readonly username: string;
  readonly password: string;
}

const REFUSED = 'the login was refused: ';
const UNASKED = 'the login was not verified: ';

/** The reason alone. The caller adds the rest. */
export function reasonOfLogin({ message }: Error): string {
  return [REFUSED, UNASKED].reduce(
    (text, words) => (text.startsWith(words) ? text.slice(words.length) : text),
    message,
  );
}

/** @throws DeliverError `ERR_NOT_VERIFIED` */
export function readCanary(env: Readonly<Record<string, string | undefined>>): Canary {
  const { CERTPIN_CANARY_USERNAME: username = '', CERTPIN_CANARY_PASSWORD: password = '' } = env;
  if (username !== '' && password !== '') return { username, password };
  throw notVerified('CERTPIN_CANARY_USERNAME and CERTPIN_CANARY_PASSWORD are missing');
}

/**
 * Lets the canary log in over every connection that is written.
 *
 * @param when before or after a write. undefined: nothing is written
 * @throws DeliverError `ERR_LOGIN` if it was refused; `ERR_NOT_VERIFIED` if the result says nothing
 */
export async function verifyLogins(
  management: Management | undefined,
  steps: readonly Step[],
  { username, password }: Canary,
  when?: 'before' | 'after',
): Promise<void> {
  const logins = steps.flatMap(({ login }) => login ?? []);
  if (management === undefined || logins.length === 0)
    throw notVerified('no connection is written over which the canary could log in');
  for (const { connection, isImport } of logins) {
    if (isImport) {
      throw notVerified(
        `the connection ${plain(connection)} has import_mode: after its first login a user is known to the tenant, and never reaches the script again`,
      );
    }
    const login = await logIn(management, connection, username, password);
    if (login.outcome === 'logged-in') continue;
    const moment = when === undefined ? '' : `, ${when} the write`;
    const message = `the canary over ${plain(connection)}${moment}: ${login.reason}`;
    if (login.outcome === 'unknown') throw notVerified(message);
    throw new DeliverError('ERR_LOGIN', `${REFUSED}${message}`);
  }
}

function notVerified(reason: string): DeliverError {
  return new DeliverError('ERR_NOT_VERIFIED', `${UNASKED}${reason}`);
}
