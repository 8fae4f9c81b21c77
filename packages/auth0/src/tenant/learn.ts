import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { findAction, findActionId, readAction, untilBuilt } from './actions.ts';
import { configurationOf, findConnection, findConnectionId, readConnection } from './connections.ts';
import { type LoginOutcome, logIn } from './log-in.ts';
import type { Found, Management } from './management.ts';
import { TenantError } from './tenant-error.ts';

/** What was learned of a tenant. null: it could not be measured, and `notes` say why. */
export interface Lesson {
  readonly echo: boolean | null;
  readonly nameOnlySecrets: boolean | null;
  readonly realms: 'kept' | 'changed' | null;
  readonly firstSeenSeconds: number | null;
  readonly oldestContainerSeconds: number | null;
  readonly watchedSeconds: number;
  readonly notes: readonly string[];
}

export interface LearnOptions {
  /** How long logins are watched for containers with the old configuration, in milliseconds. */
  readonly watchMs: number;
  /** Pause between two logins, in milliseconds. */
  readonly everyMs: number;
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Only success or failure of the login is the answer: nobody shows what a script prints. */
const LOGIN = `function login(email, password, callback) {
  const [first, second] = password.split('.');
  const isSecond = second === '-' || configuration.SECOND === second;
  if (configuration.FIRST === first && isSecond) return callback(null, { user_id: email, email: email });
  callback(new WrongUsernameOrPasswordError(email));
}
`;
/** Logins before the write, so that there are containers with the old configuration. */
const WARM_LOGINS = 5;
/** Logins in a row with which it is certain: the new value is there, and the one that was sent back as ciphertext is not. */
const LOST_LOGINS = 5;

/**
 * Measures with a connection and an Action of its own. They are removed again, whatever happens.
 *
 * @throws TenantError; the signal's reason
 */
export async function learnTenant(management: Management, options: LearnOptions): Promise<Lesson> {
  const [notes, left]: [string[], string[]] = [[], []];
  const name = `certpin-learn-${randomBytes(6).toString('hex')}`;
  const lab: Lab = { management, name, notes, left, ...options };
  try {
    const ofConnection = await learnConnection(lab);
    options.onProgress?.('testing an Action of its own');
    const nameOnlySecrets = await learnSecrets(lab);
    return { ...ofConnection, nameOnlySecrets, notes: [...notes, ...left] };
  } catch (error) {
    if (left.length === 0) throw error;
    // The error must also say what could not be removed.
    const code = error instanceof TenantError ? error.code : 'ERR_TENANT_UNCLEAR';
    const message = options.signal?.aborted ? 'it was interrupted' : (error as Error).message;
    throw new TenantError(code, [message, ...left].join('; '), { cause: error });
  }
}

interface Lab extends LearnOptions {
  readonly management: Management;
  /** Of the connection and the Action. */
  readonly name: string;
  readonly notes: string[];
  /** What could not be removed. */
  readonly left: string[];
}

type OfConnection = Omit<Lesson, 'nameOnlySecrets' | 'notes'>;

async function learnConnection(lab: Lab): Promise<OfConnection> {
  const { management, name, onProgress } = lab;
  const { clientId } = management.credentials;
  const [old, second, fresh] = [random(), random(), random()];
  const realms = [name, `${name}-other`];
  try {
    onProgress?.('making a connection of its own');
    const body = {
      ...{ name, strategy: 'auth0', realms, ...(clientId === undefined ? {} : { enabled_clients: [clientId] }) },
      options: {
        ...{ enabledDatabaseCustomization: true, import_mode: false, customScripts: { login: LOGIN } },
        configuration: { FIRST: old, SECOND: second },
      },
    };
    await management.write('POST', 'connections', body, () => isThere(findConnectionId(management, name)));
    const before = await findConnection(management, name);
    const path = `connections/${encodeURIComponent(before.id)}`;
    let warm = await tryLogin(lab, `${old}.${second}`);
    for (let index = 1; index < WARM_LOGINS && warm.outcome === 'logged-in'; index++) {
      warm = await tryLogin(lab, `${old}.${second}`);
    }
    if (warm.outcome !== 'logged-in') {
      lab.notes.push(`no login over it could be had, so what scripts see is not known: ${warm.reason}`);
    }
    // Without realms. FIRST is new, and SECOND is the ciphertext that was read.
    const configuration = { ...configurationOf(before), FIRST: fresh };
    const patch = { options: { ...before.options, configuration } };
    await management.write('PATCH', path, patch, async (): Promise<Found> => {
      const now = await readConnection(management, before.id);
      return isDeepStrictEqual(configurationOf(now), configurationOf(before)) ? 'unwritten' : 'written';
    });
    const after = await readConnection(management, before.id);
    const kept = isDeepStrictEqual(after.whole.realms, before.whole.realms) ? 'kept' : 'changed';
    const seen = warm.outcome === 'logged-in' ? await watch(lab, fresh, second) : nothingSeen;
    return { realms: kept, ...seen };
  } finally {
    await remove(lab, 'connections', findConnectionId);
  }
}

const nothingSeen = { echo: null, firstSeenSeconds: null, oldestContainerSeconds: null, watchedSeconds: 0 } as const;

/** Logs in again and again after the write. Success or failure says which configuration the container has. */
async function watch(lab: Lab, fresh: string, second: string): Promise<Omit<OfConnection, 'realms'>> {
  const begun = performance.now();
  const seconds = (): number => Math.round((performance.now() - begun) / 100) / 10;
  let firstSeen: number | null = null;
  let lastOld: number | null = null;
  let echo: boolean | null = null;
  let lost = 0;
  while (performance.now() - begun < lab.watchMs) {
    lab.onProgress?.(`watching for old containers: ${Math.round(seconds())} s of ${Math.round(lab.watchMs / 1000)} s`);
    const login = await tryLogin(lab, `${fresh}.-`);
    if (login.outcome === 'unknown') {
      lab.notes.push(`the watch ended early: ${login.reason}`);
      break;
    }
    if (login.outcome === 'refused') {
      lastOld = seconds();
      lost = 0;
    } else {
      firstSeen ??= seconds();
      if (echo !== true) {
        const both = await tryLogin(lab, `${fresh}.${second}`);
        if (both.outcome === 'logged-in') echo = true;
        else if (both.outcome === 'refused' && ++lost >= LOST_LOGINS) echo = false;
      }
    }
    await delay(lab.everyMs, undefined, lab.signal === undefined ? {} : { signal: lab.signal });
  }
  if (echo === null) lab.notes.push('it was not watched for long enough to say whether ciphertext can be sent back');
  return { echo, firstSeenSeconds: firstSeen, oldestContainerSeconds: lastOld, watchedSeconds: seconds() };
}

/** As another user each time: a user with many failures is blocked. */
async function tryLogin({ management, name, signal }: Lab, password: string): Promise<LoginOutcome> {
  signal?.throwIfAborted();
  return logIn(management, name, `${random()}@example.com`, password);
}

async function learnSecrets(lab: Lab): Promise<boolean | null> {
  const { management, name, notes } = lab;
  const [first, second] = [random(), random()];
  const marks = { kept: `kept-${random()}`, lost: `lost-${random()}` };
  const code = `exports.onExecutePostLogin = async (event) => {
  console.log(event.secrets.SECOND === '${second}' ? '${marks.kept}' : '${marks.lost}');
};
`;
  try {
    const body = {
      ...{ name, code, runtime: 'node22', dependencies: [] },
      supported_triggers: [{ id: 'post-login', version: 'v3' }],
      secrets: [
        { name: 'FIRST', value: first },
        { name: 'SECOND', value: second },
      ],
    };
    await management.write('POST', 'actions/actions', body, () => isThere(findActionId(management, name)));
    const { id } = await findAction(management, name);
    const path = `actions/actions/${encodeURIComponent(id)}`;
    const isBuilt = (): Promise<void> =>
      untilBuilt(management, { what: 'its build' }, async () => (await readAction(management, id)).status);
    await isBuilt();
    const secrets = [{ name: 'FIRST', value: random() }, { name: 'SECOND' }];
    // If it is made twice, the result is the same.
    await management.write('PATCH', path, { secrets }, async () => 'unwritten');
    await isBuilt();
    const answer = await management.write('POST', `${path}/test`, { payload: {} }, async () => 'unwritten');
    const said = JSON.stringify(answer ?? null);
    const [isKept, isLost] = [said.includes(marks.kept), said.includes(marks.lost)];
    // Both marks: the answer contains the code, and not only what it printed.
    if (isKept !== isLost) return isKept;
    notes.push('the test of an Action does not show what it printed, so what becomes of its secrets is not known');
    return null;
  } catch (error) {
    if (!(error instanceof TenantError)) throw error;
    notes.push(`what becomes of the secrets of an Action is not known: ${error.message}`);
    return null;
  } finally {
    await remove(lab, 'actions/actions', findActionId);
  }
}

async function isThere(id: Promise<string | undefined>): Promise<Found> {
  return (await id) === undefined ? 'unwritten' : 'written';
}

/** Removes what was made, also after a failure, and after Ctrl-C. */
async function remove(
  { management, name, left }: Lab,
  path: string,
  find: (management: Management, name: string) => Promise<string | undefined>,
): Promise<void> {
  const patient = management.withoutSignal();
  try {
    const id = await find(patient, name);
    if (id === undefined) return; // It was never made.
    await patient.write('DELETE', `${path}/${id}`, undefined, async () => 'unwritten');
  } catch (error) {
    const { status, message } = error as TenantError;
    if (status === 404) return; // It is gone already: the answer to the first DELETE was lost.
    left.push(`${name} may be left in the tenant, look for it and remove it: ${message}`);
  }
}

function random(): string {
  return randomBytes(12).toString('hex');
}
