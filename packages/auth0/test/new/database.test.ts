import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isLong, longOnly } from '@certpin/testkit';
import { compare } from 'bcryptjs';
import { findPackage } from '../../../../dev/tools/nodes/packages.ts';
import { type Container, createContainer, prove, type RunOptions, type RunResult } from '../../src/index.ts';
import {
  createScripts,
  type DatabaseKey,
  databaseKeys,
  pointsOf,
  type ScriptClient,
  type ScriptFile,
  scriptClients,
} from '../../src/new/index.ts';
import { nodeOf } from '../nodes.ts';
import {
  API_KEY,
  type Certificates,
  mintAll,
  openStages,
  PASSWORD,
  type Place,
  type Stages,
  type Store,
  type User,
} from './stage.ts';

// Every custom database script, run as the platform runs it, against real servers.

const folder = fileURLToPath(new URL('../..', import.meta.url));

/** Where the drivers are that the platform has, where it has older ones than the tests of certpin. */
const older = mkdtempSync(join(tmpdir(), 'certpin-drivers-'));
mkdirSync(join(older, 'node_modules'));
for (const [name, alias] of Object.entries({ tedious: 'tedious-11', mongodb: 'mongodb-5.1', bcryptjs: 'bcryptjs' }))
  symlinkSync(realpathSync(findPackage(alias)?.folder ?? ''), join(older, 'node_modules', name));
after(() => rmSync(older, { recursive: true, force: true }));

const folderFor = (client: ScriptClient): string => (['tedious', 'mongodb'].includes(client) ? older : folder);

/** A directory is for Actions alone. */
const databaseClients = scriptClients.filter((client) => pointsOf('database', client).length > 0);

let certificates: Certificates;
let stages: Stages;

before(async () => {
  certificates = await mintAll();
  stages = await openStages(certificates);
});
after(() => stages.close());

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
  const { store, settings, leaked } = stages.of[client];
  const pinName = 'DB_HOST' in settings('genuine') ? 'DB_PINS' : 'API_PINS';
  const configure = (place: Place, pins: string): Record<string, string> => ({ ...settings(place), [pinName]: pins });
  for (const { path, content, isScript } of createScripts({
    kind: 'database',
    userIdPrefix: 'users|',
    client,
    context,
    keys,
  })) {
    if (!isScript) continue;
    const key = path.replace('.js', '') as DatabaseKey;
    const { args, done, unknown } = cases[key];
    const run = async (options: RunOptions): Promise<RunResult> => {
      const result = await container.run(
        { source: content, fileName: path, folder: folderFor(client) },
        { as: key, ...options },
      );
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
    // The driver of MongoDB looks for a server as long as it may, and the code for it is the same in every script.
    const few = client === 'mongodb' && (context || key !== 'login');
    for (const { name, place, pins, log } of few ? failures.slice(-1) : failures) {
      const own = pins === undefined ? certificates.pins : pins === 'wrong' ? certificates.wrongPins : '';
      const result = await run({ ...args(nobody), configuration: configure(place, own) });
      const { message } = refusedWith(result);
      assert.match(
        String(message),
        /^The user (?:database|service) cannot be reached at the moment\. Try again later\.$/,
      );
      assert.equal(result.client?.error_description ?? message, message, name);
      const said = place === 'down' && client === 'tedious' ? /ESOCKET: .* - Could not connect/ : log;
      assert.match(result.console.map(({ text }) => text).join('\n'), said, `${path}: ${name}`);
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

/** The short form has some of the drivers and of the APIs, which have much in common. */
const short: readonly ScriptClient[] = ['pg', 'mysql2', 'axios'];

// With the parameter `context` and without it. The short form has each client on one Node, in one of the two.
for (const major of [22, 18] as const) {
  describe(`custom database scripts on Node ${major}`, { concurrency: 2 }, () => {
    for (const client of databaseClients) {
      if (major === 18 && client === 'mongodb') continue;
      const own = databaseClients.indexOf(client) % 2 === 0 || client === 'mongodb' ? 22 : 18;
      test(client, major === own && short.includes(client) ? {} : longOnly, async (t) => {
        const container = createContainer({ node: nodeOf(major), cwd: folder, settleMs: 0 });
        t.after(() => container.close());
        for (const context of isLong ? [false, true] : [client === 'mysql2' || client === 'axios'])
          await runAll(container, client, context, databaseKeys);
      });
    }
  });
}

/** tedious 11 names the host to its server, an address too. */
const warning = /DEP0123|--trace-deprecation/;

test('MongoDB on Node 18, which announces no TLS sockets: refused before it connects, with the reason', async (t) => {
  const container = createContainer({ node: nodeOf(18), cwd: folder, settleMs: 0 });
  t.after(() => container.close());
  const { settings } = stages.of.mongodb;
  for (const { path, content, isScript } of createScripts({ kind: 'database', userIdPrefix: '', client: 'mongodb' })) {
    if (!isScript) continue;
    const key = path.replace('.js', '') as DatabaseKey;
    const args = cases[key].args({
      id: 'f'.repeat(24),
      email: 'a@example.com',
      email_verified: false,
      password: '',
    });
    const result = await container.run(
      { source: content, fileName: path, folder: older },
      { as: key, ...args, configuration: { ...settings('impostor'), DB_PINS: certificates.pins } },
    );
    assert.match(String(refusedWith(result).message), /cannot be reached at the moment/);
    assert.match(
      result.console.map(({ text }) => text).join('\n'),
      /ERR_CLIENT_UNSUPPORTED: .*does not announce TLS sockets.*use Node 22\.17, 24\.2 or newer/,
    );
    assert.equal(stages.of.mongodb.leaked(), 0);
  }
});

describe('what else may go wrong, on Node 22', () => {
  const configurationFor = (client: ScriptClient, place: Place): Record<string, string> => {
    const settings = stages.of[client].settings(place);
    return { ...settings, ['DB_HOST' in settings ? 'DB_PINS' : 'API_PINS']: certificates.pins };
  };
  const scriptOf = (client: ScriptClient, key: DatabaseKey, options = {}): string =>
    createScripts({ kind: 'database', userIdPrefix: 'users|', client, keys: [key], ...options })[0]?.content ?? '';
  const neutral = /^The user (?:database|service) cannot be reached/;

  // All of them only wait.
  describe('a server that never answers', { concurrency: true }, () => {
    for (const client of databaseClients) {
      test(`${client}: an answer within the 10 s that are the platform's advice`, async (t) => {
        const silent = createServer(() => undefined).listen(0, '127.0.0.1');
        t.after(() => silent.close());
        await once(silent, 'listening');
        const { port } = silent.address() as AddressInfo;
        const place =
          client === 'axios' || client === 'fetch'
            ? { API_URL: `https://127.0.0.1:${port}` }
            : { DB_PORT: String(port) };
        const container = createContainer({ node: nodeOf(22), cwd: folder, settleMs: 0, timeLimitMs: 10_000 });
        t.after(() => container.close());
        const result = await container.run(
          { source: scriptOf(client, 'get_user'), fileName: 'get_user.js', folder: folderFor(client) },
          {
            args: { email: 'a@example.com' },
            configuration: { ...configurationFor(client, 'genuine'), ...place, DB_HOST: '127.0.0.1' },
          },
        );
        assert.deepEqual(result.findings, []);
        assert.match(String(refusedWith(result).message), neutral);
        assert.match(result.console.map(({ text }) => text).join(), /ERR_CONNECT_TIMEOUT/);
      });
    }
  });

  // prove/databases.test.ts proves those of SQL Server and MongoDB.
  for (const client of ['pg', 'mysql2', 'mysql', 'axios', 'fetch'] as const) {
    test(`${client}: the negative proof holds`, client === 'mysql2' ? {} : longOnly, async () => {
      const { store } = stages.of[client];
      const user = await store.seed(`user${++counter}@example.com`);
      const proof = await prove(
        { source: scriptOf(client, 'login'), fileName: 'login.js', folder: folderFor(client) },
        {
          ...{ node: nodeOf(22), cwd: folder, args: { email: user.email, password: PASSWORD } },
          configuration: configurationFor(client, 'genuine'),
        },
      );
      assert.deepEqual([proof.finding, proof.reasons], ['held', []]);
      assert.ok((proof.servers[0]?.trials.length ?? 0) >= 3);
    });
  }

  test('a package that is not there: the callback hears of it', async (t) => {
    const container = createContainer({ node: nodeOf(22), cwd: folder, settleMs: 0 });
    t.after(() => container.close());
    const source = scriptOf('pg', 'login', { bcrypt: 'bcrypt', modules: { bcrypt: '0.0.1' } });
    const args = { email: 'a@example.com', password: 'b' };
    const run = { args, configuration: configurationFor('pg', 'genuine') };
    const result = await container.run({ source, fileName: 'login.js', folder }, run);
    assert.deepEqual(result.findings, []);
    assert.match(String(refusedWith(result).message), neutral);
    assert.match(
      result.console.map(({ text }) => text).join(),
      /MODULE_NOT_FOUND: Cannot find module 'bcrypt@0\.0\.1'/,
    );
  });

  test('an unknown user: a password is compared all the same, once', async (t) => {
    const modules = mkdtempSync(join(tmpdir(), 'certpin-bcrypt-'));
    t.after(() => rmSync(modules, { recursive: true, force: true }));
    mkdirSync(join(modules, 'node_modules/bcryptjs'), { recursive: true });
    const stub = "exports.compare = async (_password, hash) => { console.log('compared', hash.length); return true; };";
    writeFileSync(join(modules, 'node_modules/bcryptjs/index.js'), stub);
    for (const name of ['tedious', 'mongodb'])
      symlinkSync(realpathSync(join(older, 'node_modules', name)), join(modules, 'node_modules', name));
    const container = createContainer({ node: nodeOf(22), cwd: folder, settleMs: 0 });
    t.after(() => container.close());
    for (const client of ['pg', 'mysql2', 'mysql', 'tedious', 'mongodb'] as const) {
      const script = { source: scriptOf(client, 'login'), fileName: 'login.js', folder: modules };
      const args = { email: 'nobody-at-all@example.com', password: 'b' };
      const result = await container.run(script, { args, configuration: configurationFor(client, 'genuine') });
      // Even where the comparison says yes.
      assert.equal(refusedWith(result).name, 'WrongUsernameOrPasswordError');
      assert.deepEqual(
        result.console.map(({ text }) => text).filter((text) => !warning.test(text)),
        ['compared 60'],
      );
    }
  });
});

test('a server that goes away under a kept pool: the container lives, and the next call is refused', async (t) => {
  const runs: { readonly client: ScriptClient; readonly run: () => Promise<RunResult> }[] = [];
  for (const client of databaseClients) {
    const { store, settings } = stages.of[client];
    const place = settings('next');
    const configuration = { ...place, ['DB_HOST' in place ? 'DB_PINS' : 'API_PINS']: certificates.pins };
    const container = createContainer({ node: nodeOf(22), cwd: folder });
    t.after(() => container.close());
    const user = await store.seed(`user${++counter}@example.com`);
    const [{ content }] = createScripts({ kind: 'database', userIdPrefix: 'users|', client, keys: ['get_user'] }) as [
      ScriptFile,
    ];
    const script = { source: content, fileName: 'get_user.js', folder: folderFor(client) };
    const run = (): Promise<RunResult> => container.run(script, { args: { email: user.email }, configuration });
    assert.deepEqual(answered(await run()), profileOf(user));
    runs.push({ client, run });
  }
  await stages.leave();
  for (const { client, run } of runs) {
    const result = await run();
    assert.equal(result.container.ended, null, client);
    assert.equal(result.container.warm, true, client);
    assert.deepEqual(result.findings, [], client);
    assert.match(String(refusedWith(result).message), /cannot be reached/);
  }
});
