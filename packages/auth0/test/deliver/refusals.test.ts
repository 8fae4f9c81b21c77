// Each refusal of a plan: nothing is written, neither in the tenant nor beside the pins file, and no value of the file is repeated.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Place } from '@certpin/pins-file';
import type { ConnectionSeed } from '@certpin/testkit/tenant';
import type { DeliverOptions } from '../../src/deliver/index.ts';
import {
  actionCode,
  configuration,
  customers,
  DOMAIN,
  LOGIN,
  type Stage,
  script,
  secret,
  startStage,
} from './stage.ts';

const file: Place = { kind: 'file', path: 'deploy.env', format: 'env', key: 'DB_PINS' };
const CODE = "const DB_PINS = ''; // certpin: customer-db\n";
const SECRETS = { DB_PINS: 'old', API_KEY: 'battery-staple' };

interface Refusal {
  readonly outcome?: 'refused' | 'unknown';
  readonly code: string;
  readonly says: RegExp;
  readonly places?: readonly Place[];
  readonly connection?: ConnectionSeed['options'];
  readonly action?: { readonly code?: string; readonly secrets?: Readonly<Record<string, string>> };
  /** What the file of `--values` holds; a text as it is. */
  readonly values?: object | string | ((stage: Stage) => Promise<object>);
  /** What learn has written beside the pins file. */
  readonly learned?: object;
  readonly pins?: readonly string[];
  readonly options?: Partial<DeliverOptions>;
}

/** What the tenant shows of a configuration. */
async function ciphertext({ tenant }: Stage): Promise<Record<string, string>> {
  const answer = await tenant.fetch(`https://${tenant.domain}/api/v2/connections?take=50`, {
    headers: { authorization: `Bearer ${tenant.issueToken()}` },
  });
  const { connections } = (await answer.json()) as { connections: { options: { configuration: never } }[] };
  return connections[0]?.options.configuration ?? assert.fail('nothing is shown');
}

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`KEY_${index}`, 'battery-staple']));
const ofConnection = (values: object) => ({ connections: { customers: values } });
const ofAction = (values: object) => ({ actions: { 'post-login': values } });

const refusals: Record<string, Refusal> = {
  'values: the pins themselves': {
    code: 'ERR_VALUES',
    values: ofConnection({ DB_PASSWORD: 'correct-horse', DB_PINS: 'correct-horse' }),
    says: /^the file of --values has DB_PINS for customers, which comes from the pins file or does not exist; remove it there$/,
  },
  'values: a key that is not there': {
    code: 'ERR_VALUES',
    values: ofConnection({ DB_PASSWORD: 'correct-horse', DB_PASWORD: 'correct-horse' }),
    says: /^the file of --values has DB_PASWORD for customers, which comes/,
  },
  'values: a key that objects have': {
    code: 'ERR_VALUES',
    values: '{"connections": {"customers": {"DB_PASSWORD": "correct-horse", "__proto__": "correct-horse"}}}',
    says: /^the file of --values has __proto__ for customers, which comes/,
  },
  'values: one of two keys is missing': {
    code: 'ERR_VALUES',
    connection: { configuration: { DB_PINS: 'old', DB_PASSWORD: 'correct-horse', DB_USER: 'correct-horse' } },
    values: ofConnection({ DB_USER: 'correct-horse' }),
    says: /nobody can read them \(DB_PASSWORD\): give them with --values, or measure with certpin auth0 learn/,
  },
  'values: none, in a tenant that encrypts ciphertext again': {
    code: 'ERR_VALUES',
    learned: { echo: false },
    says: /\(DB_PASSWORD\): give them with --values \(this tenant does not take their ciphertext back\)$/,
  },
  'values: the ciphertext that the tenant shows': {
    code: 'ERR_VALUES',
    values: async (stage) => ofConnection({ DB_PASSWORD: (await ciphertext(stage)).DB_PASSWORD }),
    says: /^the file of --values has DB_PASSWORD for customers as the tenant shows it, which is ciphertext: the value itself/,
  },
  'values: a connection in which no place is': {
    code: 'ERR_VALUES',
    values: { connections: { custmers: { DB_PASSWORD: 'correct-horse' } } },
    says: /has the connection custmers, which no place of the pins file names; the places name: customers$/,
  },
  'values: an Action in which no place is': {
    code: 'ERR_VALUES',
    values: { ...ofConnection({ DB_PASSWORD: 'correct-horse' }), ...ofAction({ API_KEY: 'battery-staple' }) },
    says: /has the Action post-login, which no place of the pins file names; the places name: none$/,
  },
  'values: the secret with the pins itself': {
    code: 'ERR_VALUES',
    places: [secret],
    values: ofAction({ ...SECRETS }),
    says: /^the Action post-login: the file of --values has DB_PINS, which comes from the pins file or does not exist; remove it there$/,
  },
  'values: a secret that is not there': {
    code: 'ERR_VALUES',
    places: [secret],
    values: ofAction({ API_KEY: 'battery-staple', API_KEYS: 'battery-staple' }),
    says: /^the Action post-login: the file of --values has API_KEYS, which comes/,
  },
  'values: a secret is missing': {
    code: 'ERR_VALUES',
    places: [secret],
    action: { secrets: { ...SECRETS, OTHER: 'battery-staple' } },
    values: ofAction({ API_KEY: 'battery-staple' }),
    says: /nobody can read them \(OTHER\): give them with --values, .*measure with certpin auth0 learn/,
  },
  'values: none, in a tenant that empties secrets without a value': {
    code: 'ERR_VALUES',
    places: [secret],
    learned: { nameOnlySecrets: false },
    says: /\(API_KEY\).* \(in this tenant a secret that is sent without its value loses it\)$/,
  },
  'values: no such file': {
    outcome: 'unknown',
    code: 'ERR_VALUES_FILE',
    options: { values: 'gone.json' },
    says: /^--values gone\.json: no such file$/,
  },
  ...Object.fromEntries(
    (
      [
        ['no JSON', '{"connections": correct-horse', /it cannot be read as JSON$/],
        ['a list', ['correct-horse'], /an object is expected$/],
        ['null', 'null', /an object is expected$/],
        [
          'a key of its own',
          { customers: { DB_PASSWORD: 'correct-horse' } },
          /its keys are "connections" and "actions"$/,
        ],
        ['a list of connections', { connections: ['correct-horse'] }, /has an object of texts$/],
        ['null for a connection', { connections: { customers: null } }, /has an object of texts$/],
        ['a number', ofConnection({ DB_PASSWORD: 12345678 }), /has an object of texts$/],
        ['null for a value', ofConnection({ DB_PASSWORD: null }), /has an object of texts$/],
        ['an object for a value', ofAction({ API_KEY: { value: 'battery-staple' } }), /has an object of texts$/],
      ] as const
    ).map(([what, values, says]): [string, Refusal] => [
      `values: ${what}`,
      { outcome: 'unknown', code: 'ERR_VALUES_FILE', values, says },
    ]),
  ),
  'a connection that is not there': {
    code: 'ERR_TENANT_REFUSED',
    places: [{ kind: 'configuration', tenant: DOMAIN, connection: 'custmers', key: 'DB_PINS' }],
    says: /^there is no connection custmers in the tenant$/,
  },
  'a script that is not there': {
    code: 'ERR_PLACE',
    places: [{ kind: 'script', tenant: DOMAIN, connection: 'customers', script: 'delete' }],
    values: ofConnection({ DB_PASSWORD: 'correct-horse', DB_PINS: 'old' }),
    says: /^the script delete of customers: the connection has no script delete$/,
  },
  'a script that would be too long': {
    code: 'ERR_PLACE',
    places: [script],
    connection: { customScripts: { login: `${LOGIN}${'/'.repeat(100_000 - LOGIN.length)}` } },
    values: ofConnection({ DB_PASSWORD: 'correct-horse', DB_PINS: 'old' }),
    says: /^the script login of customers would become longer than 100 kB$/,
  },
  'code of an Action that would be too long': {
    code: 'ERR_PLACE',
    places: [actionCode],
    action: { code: `${CODE}${'/'.repeat(100_000 - CODE.length)}` },
    says: /^the Action post-login: its code would become longer than 100 kB$/,
  },
  'an Action without the marked line': {
    code: 'ERR_PLACE',
    places: [actionCode],
    action: { code: CODE.replace('customer-db', 'other-db') },
    says: /^the Action post-login: there is no line that ends with \/\/ certpin: customer-db$/,
  },
  'more pins than a secret holds': {
    code: 'ERR_PLACE',
    places: [secret],
    values: ofAction({ API_KEY: 'battery-staple' }),
    pins: Array.from({ length: 64 }, (_, index) => index.toString(16).padStart(2, '0').toUpperCase().repeat(32)),
    says: /^the Action post-login: its secret would be longer than 4,096 characters$/,
  },
  'one secret more than an Action has': {
    code: 'ERR_PLACE',
    places: [secret],
    action: { secrets: many(30) },
    values: ofAction(many(30)),
    says: /^the Action post-login: it would have more than 30 secrets$/,
  },
  'pins of issuers': {
    code: 'ERR_PLACE',
    places: [file],
    pins: [],
    says: /it has issuerPins, which no place can hold: deliver pins$/,
  },
};

for (const [what, refusal] of Object.entries(refusals)) {
  test(what, async (t) => {
    const { outcome = 'refused', code, says, places = [configuration], learned, values, pins, options = {} } = refusal;
    const stage = await startStage(
      t,
      [...places, file].filter((place, index, all) => all.indexOf(place) === index),
    );
    const { tenant, folder } = stage;
    tenant.addConnection(customers(refusal.connection));
    tenant.addAction({ name: 'post-login', code: CODE, secrets: SECRETS, ...refusal.action });
    if (pins !== undefined) stage.write({ pins: [stage.current, ...pins] });
    if (pins?.length === 0) {
      writeFileSync(stage.file, stage.read('certpin.json').replace('"pins"', '"issuerPins"'));
    }
    if (learned !== undefined) {
      const all = { version: 1, tenants: { [DOMAIN]: { measuredAt: '2026-11-02T09:00:00.000Z', ...learned } } };
      writeFileSync(join(folder, 'certpin.learned.json'), JSON.stringify(all));
    }
    const path = join(folder, 'values.secret');
    if (values !== undefined) {
      const given = typeof values === 'function' ? await values(stage) : values;
      writeFileSync(path, typeof given === 'string' ? given : JSON.stringify(given));
    }
    const [before, names] = [tenant.plaintext(), readdirSync(folder)];
    const refused = await stage.push({ ...(values === undefined ? {} : { values: path }), ...options });
    assert.deepEqual([refused.outcome, refused.problems.map((one) => one.code)], [outcome, [code]]);
    assert.match(refused.problems[0]?.message.replace(path, 'FILE') ?? '', says);
    assert.doesNotMatch(JSON.stringify(refused), /correct-horse|battery-staple|12345678/);
    assert.deepEqual([stage.writes(), tenant.plaintext(), readdirSync(folder)], [0, before, names]);
    assert.ok(refused.outcomes.every(({ status }) => status === 'not-done' || status === 'same'));
  });
}

test('a folder for --values is no file of values', async (t) => {
  const stage = await startStage(t, [file]);
  mkdirSync(join(stage.folder, 'values'));
  const refused = await stage.push({ values: join(stage.folder, 'values') });
  assert.deepEqual([refused.outcome, refused.problems[0]?.code], ['unknown', 'ERR_VALUES_FILE']);
});

test('what learn has shown lifts the demand for values, and only that', async (t) => {
  const stage = await startStage(t, [configuration, secret], {
    tenant: { ciphertext: 'echo', nameOnlySecrets: 'kept' },
  });
  stage.tenant.addConnection(customers());
  stage.tenant.addAction({ name: 'post-login', code: CODE, secrets: SECRETS });
  const learn = (answers: object): void =>
    writeFileSync(
      join(stage.folder, 'certpin.learned.json'),
      JSON.stringify({ version: 1, tenants: { [DOMAIN]: { measuredAt: '2026-11-02T09:00:00.000Z', ...answers } } }),
    );
  learn({ echo: true, nameOnlySecrets: null });
  const half = await stage.push();
  assert.deepEqual(
    half.problems.map(({ code, message }) => [code, message.startsWith('the Action')]),
    [['ERR_VALUES', true]],
  );
  learn({ echo: true, nameOnlySecrets: true });
  assert.equal((await stage.push()).outcome, 'done');
  const { connections, actions } = stage.tenant.plaintext();
  const { options } = connections.customers as never as { options: { configuration: object } };
  assert.deepEqual(options.configuration, { DB_PINS: stage.pins, DB_PASSWORD: 'correct-horse' });
  assert.deepEqual(actions['post-login']?.deployed?.secrets, { DB_PINS: stage.pins, API_KEY: 'battery-staple' });
});
