import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '@certpin/testkit';
import { type Container, createContainer, type RunOptions, type RunResult } from '../../src/index.ts';
import { type CreateScriptsOptions, createScripts, pointsOf, scriptClients } from '../../src/new/index.ts';
import { nodeOf } from '../nodes.ts';
import { API_KEY, type Certificates, mintAll, openStages, type Place, type Stages } from './stage.ts';

// Every Action, Rule and Hook, run as the platform runs it, against real servers.

const folder = fileURLToPath(new URL('../..', import.meta.url));
const NAMESPACE = 'https://example.com';

let certificates: Certificates;
let stages: Stages;

before(async () => {
  certificates = await mintAll();
  stages = await openStages(certificates);
});
after(() => stages.close());

const called = ({ calls }: RunResult): unknown[] => calls.map(({ method, arguments: values }) => [method, ...values]);
const answered = ({ outcome }: RunResult): unknown => {
  assert.equal(outcome.type, 'callback');
  const { error, values } = outcome as { error: unknown; values: readonly unknown[] };
  return [error, ...values];
};
const errorOf = ({ outcome }: RunResult): Record<string, unknown> => {
  assert.equal(outcome.type, 'callback', JSON.stringify(outcome));
  const { error } = outcome as { error: Record<string, unknown> | null };
  assert.ok(error !== null, 'it succeeded');
  return error;
};
const UNAVAILABLE = /^The user (?:database|directory|service) cannot be reached at the moment\. Try again later\.$/;
const denied =
  (...before: readonly string[]) =>
  (result: RunResult): void => {
    assert.equal(result.calls.length, 1);
    const [call] = result.calls;
    assert.deepEqual([call?.method, ...(call?.arguments.slice(0, -1) ?? [])], ['access.deny', ...before]);
    assert.match(String(call?.arguments.at(-1)), UNAVAILABLE);
  };
const nothing = (result: RunResult): void => assert.deepEqual(called(result), []);
const retried = (result: RunResult): void =>
  assert.deepEqual(called(result), [['notification.retry', 'The messages cannot be sent at the moment.']]);

/** What a script is called with beside the default, and what comes of it. */
interface PointCase {
  readonly done: (result: RunResult) => void;
  readonly failed: (result: RunResult) => void;
  /** The answer to somebody who is not known. */
  readonly other?: { readonly options: RunOptions; readonly done: (result: RunResult) => void };
}

const roles = (names: readonly string[]): unknown[] =>
  ['idToken', 'accessToken'].map((token) => [`${token}.setCustomClaim`, `${NAMESPACE}/roles`, names]);

const actions: Record<string, PointCase> = {
  'post-login': {
    done: (result) => assert.deepEqual(called(result), roles(['admin'])),
    failed: denied(),
    other: {
      options: { event: { user: { user_id: 'auth0|0/../1', email: 'nobody@example.com' } } },
      done: (result) => assert.deepEqual(called(result), roles([])),
    },
  },
  'credentials-exchange': {
    done: (result) => assert.deepEqual(called(result), [['accessToken.setCustomClaim', `${NAMESPACE}/plan`, 'gold']]),
    failed: denied('server_error'),
    other: {
      options: { event: { client: { client_id: 'nobody' } } },
      done: (result) =>
        assert.deepEqual(called(result), [['access.deny', 'invalid_request', 'This client is not known.']]),
    },
  },
  'pre-user-registration': {
    done: nothing,
    failed: denied('unavailable'),
    other: {
      options: { event: { user: { email: 'nobody@example.com' } } },
      done: (result) =>
        assert.deepEqual(called(result), [['access.deny', 'not_invited', 'To sign up, you need an invitation.']]),
    },
  },
  'post-user-registration': { done: nothing, failed: nothing },
  'post-change-password': { done: nothing, failed: nothing },
  'send-phone-message': { done: nothing, failed: nothing },
  'custom-email-provider': {
    done: nothing,
    failed: retried,
    other: {
      options: { event: { notification: { to: 'refused@example.com' } } },
      done: (result) => assert.deepEqual(called(result), [['notification.drop', 'The message was refused.']]),
    },
  },
  'custom-phone-provider': {
    done: nothing,
    failed: retried,
    other: {
      options: { event: { notification: { recipient: 'refused' } } },
      done: (result) => assert.deepEqual(called(result), [['notification.drop', 'The message was refused.']]),
    },
  },
};

const failedWith =
  (name: string, friendly = false) =>
  (result: RunResult): void => {
    const error = errorOf(result);
    assert.equal(error.name, name);
    assert.match(String(error.message), UNAVAILABLE);
    if (friendly) assert.match(String(error.friendlyMessage), UNAVAILABLE);
  };

const hooks: Record<string, PointCase> = {
  'credentials-exchange': {
    done: (result) => assert.deepEqual(answered(result), [null, { scope: [], [`${NAMESPACE}/plan`]: 'gold' }]),
    failed: failedWith('ServerError'),
  },
  'pre-user-registration': {
    done: (result) => assert.deepEqual(answered(result), [null, { user: { app_metadata: { invited: true } } }]),
    failed: failedWith('PreUserRegistrationError', true),
    other: {
      options: { user: { email: 'nobody@example.com' } },
      done: (result) => assert.deepEqual(answered(result), [null, { user: { app_metadata: { invited: false } } }]),
    },
  },
  'post-user-registration': {
    done: (result) => assert.deepEqual(answered(result), [null]),
    failed: failedWith('Error'),
  },
  'post-change-password': { done: (result) => assert.deepEqual(answered(result), [null]), failed: failedWith('Error') },
  'send-phone-message': {
    done: (result) => assert.deepEqual(answered(result), [null]),
    failed: failedWith('SendPhoneMessageError', true),
  },
  'password-exchange': {
    done: (result) =>
      assert.deepEqual(answered(result), [null, { accessToken: { [`${NAMESPACE}/plan`]: 'gold' }, idToken: {} }]),
    failed: failedWith('ServerError'),
  },
};

const rule: PointCase = {
  done: (result) => {
    const [error, , context] = answered(result) as [unknown, unknown, Record<string, Record<string, unknown>>];
    assert.equal(error, null);
    for (const token of ['idToken', 'accessToken'])
      assert.deepEqual(context[token], { [`${NAMESPACE}/roles`]: ['admin'] });
  },
  failed: failedWith('UnauthorizedError'),
};

const failures: readonly { readonly place: Place; readonly pins?: 'wrong' | 'none'; readonly log: RegExp }[] = [
  { place: 'genuine', pins: 'wrong', log: /ERR_PIN_MISMATCH/ },
  { place: 'impostor', log: /ERR_PIN_MISMATCH/ },
  { place: 'expired', log: /ERR_CERTIFICATE_EXPIRED/ },
  { place: 'down', log: /ECONNREFUSED/ },
  { place: 'genuine', pins: 'none', log: /not configured: (?:DB|LDAP|API)_PINS/ },
];

async function runAll(container: Container, options: CreateScriptsOptions): Promise<void> {
  const { kind, client, form = 'inline' } = options;
  const { settings, leaked } = stages.of[client];
  const pinName = `${Object.keys(settings('genuine'))[0]?.split('_')[0]}_PINS`;
  for (const { path, content, isScript } of createScripts(options)) {
    if (!isScript) continue;
    const point = path.replace('.js', '');
    const { done, failed, other } = (
      kind === 'action' ? actions[point] : kind === 'hook' ? hooks[point] : rule
    ) as PointCase;
    const run = async (place: Place, pins: string, more: RunOptions = {}): Promise<RunResult> => {
      const values = { ...settings(place), [pinName]: pins };
      const as = kind === 'rule' ? 'rule' : `${kind}:${point}`;
      // A file of its own for each: the module scope of an Action runs once.
      const script = { source: content, fileName: `${kind}-${client}-${form}-${path}`, folder };
      // The user of a Hook has an `id`.
      const { user = {}, ...others } = more;
      const settingsOf = { configuration: values, secrets: values };
      const result = await container.run(script, { as, ...others, user: { id: '1', ...user }, ...settingsOf });
      assert.deepEqual(result.findings, [], `${client} ${path}`);
      const said = JSON.stringify([result.console, result.outcome, result.calls]);
      const { DB_PASSWORD = API_KEY, LDAP_PASSWORD = API_KEY } = settings('genuine');
      for (const secret of [API_KEY, DB_PASSWORD, LDAP_PASSWORD]) {
        assert.ok(!said.includes(secret), `${path} tells a secret: ${said}`);
      }
      return result;
    };
    for (const place of ['genuine', 'next'] as const) {
      const result = await run(place, certificates.pins);
      assert.deepEqual(result.console, [], `${client} ${path}`);
      done(result);
    }
    if (other !== undefined) other.done(await run('genuine', certificates.pins, other.options));
    for (const { place, pins, log } of failures) {
      const own = { wrong: certificates.wrongPins, none: '' }[String(pins)] ?? certificates.pins;
      const result = await run(place, own);
      failed(result);
      assert.match(result.console.map(({ text }) => text).join('\n'), log, `${client} ${path} ${place}`);
      assert.equal(leaked(), 0, `${client} ${path}: bytes reached ${place}`);
    }
  }
}

// On Node 18 the form that stands in the script; on Node 22 every one. The short form has each client on one of the two.
for (const major of [22, 18] as const) {
  describe(`Actions, Rules and Hooks on Node ${major}`, { concurrency: 2 }, () => {
    for (const [index, client] of scriptClients.filter((one) => pointsOf('action', one).length > 0).entries()) {
      test(client, major === [22, 18][index % 2] ? {} : longOnly, async (t) => {
        const container = createContainer({ node: nodeOf(major), cwd: folder, settleMs: 0 });
        t.after(() => container.close());
        for (const kind of ['action', 'hook'] as const) {
          if (pointsOf(kind, client).length === 0) continue;
          for (const form of major === 22 ? (['inline', 'npm'] as const) : (['inline'] as const)) {
            await runAll(container, { kind, client, form, triggers: pointsOf(kind, client) });
          }
        }
        if (pointsOf('rule', client).length > 0) await runAll(container, { kind: 'rule', client });
      });
    }
  });
}
