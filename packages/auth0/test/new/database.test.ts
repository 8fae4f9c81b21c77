import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compare } from 'bcryptjs';
import { type Container, createContainer, type RunOptions, type RunResult } from '../../src/index.ts';
import {
  createScripts,
  type DatabaseKey,
  databaseKeys,
  type ScriptClient,
  scriptClients,
} from '../../src/new/index.ts';
import { nodeOf } from '../nodes.ts';
import {
  API_KEY,
  type Certificates,
  mintAll,
  openApi,
  openMariadb,
  openPostgres,
  PASSWORD,
  type Place,
  type Stage,
  type Store,
  type User,
} from './stage.ts';

// Every custom database script, run as the platform runs it, against real servers.

const folder = fileURLToPath(new URL('../..', import.meta.url));

let certificates: Certificates;
const stages: Partial<Record<ScriptClient, Stage>> = {};
const opened: Stage[] = [];

before(async () => {
  certificates = await mintAll();
  opened.push(...(await Promise.all([openPostgres(certificates), openMariadb(certificates), openApi(certificates)])));
  const [postgres, mariadb, api] = opened as [Stage, Stage, Stage];
  Object.assign(stages, { pg: postgres, mysql2: mariadb, mysql: mariadb, axios: api, fetch: api });
});

after(async () => {
  for (const stage of opened) await stage.close();
});

/** What a key is called with, and what it does to the store and says. */
interface KeyCase {
  readonly args: (user: User) => RunOptions;
  readonly done: (result: RunResult, user: User, store: Store) => Promise<void> | void;
  readonly unknown: (result: RunResult) => void;
}

const answered = (result: RunResult): unknown => {
  assert.equal(result.outcome.type, 'callback');
  const { error, values } = result.outcome as { error: unknown; values: readonly unknown[] };
  assert.equal(error, null, JSON.stringify(result, null, 1));
  return values[0];
};
const refusedWith = (result: RunResult): Record<string, unknown> => {
  assert.equal(result.outcome.type, 'callback', JSON.stringify(result, null, 1));
  const { error } = result.outcome as { error: Record<string, unknown> | null };
  assert.ok(error !== null, 'it succeeded');
  return error;
};
const profileOf = (user: User): object => ({
  ...{ user_id: `users|${user.id}`, email: user.email, email_verified: false },
  nickname: user.email.split('@')[0],
});
const says = (expected: unknown) => (result: RunResult) => assert.deepEqual(answered(result), expected);
const passwordOf = async (store: Store, email: string): Promise<string> =>
  (await store.find('email', email))?.password ?? '';

const cases: Record<DatabaseKey, KeyCase> = {
  login: {
    args: ({ email }) => ({ args: { email, password: PASSWORD } }),
    done: (result, user) => assert.deepEqual(answered(result), profileOf(user)),
    unknown: (result) => {
      const { name, message, user_id } = refusedWith(result);
      assert.equal(name, 'WrongUsernameOrPasswordError');
      assert.equal(message, 'Wrong email or password.');
      assert.equal(user_id ?? null, null);
      assert.equal(result.status, 'refused');
    },
  },
  get_user: {
    args: ({ email }) => ({ args: { email } }),
    done: (result, user) => assert.deepEqual(answered(result), profileOf(user)),
    unknown: says(null),
  },
  create: {
    args: ({ email }) => ({ args: { email: `new-${email}`, password: PASSWORD } }),
    done: async (result, { email }, store) => {
      assert.equal(answered(result), undefined);
      const stored = await passwordOf(store, `new-${email}`);
      assert.ok(stored === PASSWORD || (await compare(PASSWORD, stored)), stored); // the API hashes it itself
    },
    unknown: says(undefined),
  },
  verify: {
    args: ({ email }) => ({ args: { email } }),
    done: async (result, { email }, store) => {
      assert.equal(answered(result), true);
      assert.equal(Boolean((await store.find('email', email))?.email_verified), true);
    },
    unknown: says(false),
  },
  change_password: {
    args: ({ email }) => ({ args: { email, newPassword: `new ${PASSWORD}` } }),
    done: async (result, { email }, store) => {
      assert.equal(answered(result), true);
      const stored = await passwordOf(store, email);
      assert.ok(stored === `new ${PASSWORD}` || (await compare(`new ${PASSWORD}`, stored)), stored);
    },
    unknown: says(false),
  },
  delete: {
    args: ({ id }) => ({ args: { id: `users|${id}` } }),
    done: async (result, { email }, store) => {
      assert.equal(answered(result), undefined);
      assert.equal(await store.find('email', email), undefined);
    },
    unknown: says(undefined),
  },
  change_email: {
    args: ({ email }) => ({ args: { email, newEmail: `changed-${email}`, verified: true } }),
    done: async (result, { email, id }, store) => {
      assert.equal(answered(result), true);
      const changed = await store.find('email', `changed-${email}`);
      assert.deepEqual([changed?.id, Boolean(changed?.email_verified)], [id, true]);
    },
    unknown: says(false),
  },
  change_username: {
    args: ({ email }) => ({ args: { username: `name of ${email.split('@')[0]}`, newUsername: `renamed ${email}` } }),
    done: async (result, { email, id }, store) => {
      assert.equal(answered(result), true);
      assert.equal((await store.find('username', `renamed ${email}`))?.id, id);
    },
    unknown: says(false),
  },
  change_phone_number: {
    args: ({ email }) => ({
      args: { phoneNumber: `phone of ${email.split('@')[0]}`, newPhoneNumber: `moved ${email}` },
    }),
    done: async (result, { email, id }, store) => {
      assert.equal(answered(result), true);
      assert.equal((await store.find('phone_number', `moved ${email}`))?.id, id);
    },
    unknown: says(false),
  },
};

/** What the log says of each failure. */
const failures: readonly {
  readonly name: string;
  readonly place: Place;
  readonly pins?: string;
  readonly log: RegExp;
}[] = [
  { name: 'a wrong pin', place: 'genuine', pins: 'wrong', log: /ERR_PIN_MISMATCH/ },
  { name: 'an impostor', place: 'impostor', log: /ERR_PIN_MISMATCH/ },
  { name: 'an expired certificate', place: 'expired', log: /ERR_CERTIFICATE_EXPIRED/ },
  { name: 'a server that is down', place: 'down', log: /ECONNREFUSED/ },
  { name: 'no pins', place: 'genuine', pins: '', log: /not configured: (?:DB|API)_PINS/ },
];

let counter = 0;

async function runAll(
  container: Container,
  client: ScriptClient,
  context: boolean,
  keys: readonly DatabaseKey[],
): Promise<void> {
  const { store, settings, leaked } = stages[client] as Stage;
  const pinName = 'DB_HOST' in settings('genuine') ? 'DB_PINS' : 'API_PINS';
  const configure = (place: Place, pins: string): Record<string, string> => ({ ...settings(place), [pinName]: pins });
  for (const { path, content, isScript } of createScripts({ kind: 'database', client, context, keys })) {
    if (!isScript) continue;
    const key = path.replace('.js', '') as DatabaseKey;
    const { args, done, unknown } = cases[key];
    const run = async (options: RunOptions): Promise<RunResult> => {
      const result = await container.run({ source: content, fileName: path, folder }, { as: key, ...options });
      assert.deepEqual(result.findings, [], `${client} ${path}`);
      assert.equal(result.container.ended, null);
      const said = JSON.stringify([result.console, result.outcome]);
      for (const secret of [PASSWORD, API_KEY, settings('genuine').DB_PASSWORD ?? API_KEY]) {
        assert.ok(!said.includes(secret), `${path} tells a secret: ${said}`);
      }
      return result;
    };
    for (const place of ['genuine', 'next'] as const) {
      const user = await store.seed(`user${++counter}@example.com`);
      await done(await run({ ...args(user), configuration: configure(place, certificates.pins) }), user, store);
    }
    const nobody = { id: '999999', email: `nobody${++counter}@example.com`, email_verified: false, password: '' };
    unknown(await run({ ...args(nobody), configuration: configure('genuine', certificates.pins) }));
    for (const { name, place, pins, log } of failures) {
      const own = pins === undefined ? certificates.pins : pins === 'wrong' ? certificates.wrongPins : '';
      const result = await run({ ...args(nobody), configuration: configure(place, own) });
      const { message } = refusedWith(result);
      assert.match(
        String(message),
        /^The user (?:database|service) cannot be reached at the moment\. Try again later\.$/,
      );
      assert.equal(result.client?.error_description ?? message, message, name);
      assert.match(result.console.map(({ text }) => text).join('\n'), log, `${path}: ${name}`);
      assert.equal(leaked(), 0, `${path}: bytes reached ${name}`);
    }
    if (key === 'login') {
      const user = await store.seed(`user${++counter}@example.com`);
      const wrong = { args: { email: user.email, password: 'wrong' } };
      const result = await run({ ...wrong, configuration: configure('genuine', certificates.pins) });
      const isApi = client === 'axios' || client === 'fetch';
      assert.equal(refusedWith(result).user_id ?? null, isApi ? null : `users|${user.id}`);
      assert.equal(refusedWith(result).message, 'Wrong email or password.');
      assert.deepEqual(result.console, []);
    }
    if (key === 'create') {
      const user = await store.seed(`user${++counter}@example.com`);
      const again = { args: { email: user.email, password: PASSWORD } };
      const result = await run({ ...again, configuration: configure('genuine', certificates.pins) });
      assert.deepEqual([refusedWith(result).name, refusedWith(result).code], ['ValidationError', 'user_exists']);
    }
  }
}

// On Node 18 with the parameter `context`, on Node 22 with it and without it.
for (const major of [22, 18] as const) {
  describe(`custom database scripts on Node ${major}`, { concurrency: 2 }, () => {
    for (const client of scriptClients) {
      test(client, async (t) => {
        const container = createContainer({ node: nodeOf(major), cwd: folder, settleMs: 0 });
        t.after(() => container.close());
        for (const context of major === 22 ? [false, true] : [true])
          await runAll(container, client, context, databaseKeys);
      });
    }
  });
}
