// The accident this prevents: a push that changes anything else than the pins. 100 connections and Actions in each mode of the tenant;
// CERTPIN_LOSSLESS_RUNS=1000 node --import tsx --test packages/auth0/test/deliver/lossless.test.ts is the long form.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Place } from '@certpin/pins-file';
import { longOnly } from '@certpin/testkit';
import type { JsonObject } from '@certpin/testkit/tenant';
import fc from 'fast-check';
import { DOMAIN, rest, type Stage, startStage, writeValues } from './stage.ts';

const runs = Number(process.env.CERTPIN_LOSSLESS_RUNS ?? 100);

const mark = (): fc.Arbitrary<string> =>
  fc.constantFrom('', 'old', 'AB'.repeat(32)).map((text) => `const DB_PINS = '${text}'; // certpin: customer-db\n`);
const code = fc
  .tuple(mark(), fc.constantFrom('function login() {}\n', '// é \u2028 日本\n', 'const a = `b`;\r\n'), fc.boolean())
  .map(([line, other, first]) => (first ? line + other : other + line));
const key = fc
  .oneof(
    { weight: 5, arbitrary: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/) },
    fc.constantFrom('constructor', '__proto__'),
  )
  .filter((name) => name !== 'DB_PINS');
const values = fc.dictionary(key, fc.string({ maxLength: 80 }), { maxKeys: 4, noNullPrototype: true });
/** As a tenant sends it: JSON has no -0 that JavaScript would write again. */
const anyJson = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
/** A number that JavaScript would write in another way is refused: most values have none, or hardly anything would be pushed. */
const plainJson = anyJson.map((value) => {
  const toInteger = (_: string, one: unknown): unknown => (typeof one === 'number' ? Math.trunc(one % 1e6) || 0 : one);
  return JSON.parse(JSON.stringify(value), toInteger) as JsonObject;
});
const json = fc.oneof({ weight: 5, arbitrary: plainJson }, anyJson);
const option = fc
  .stringMatching(/^[a-z_]{1,16}$/)
  .filter((name) => !['configuration', 'attributes', 'validation'].includes(name));

const connection = fc.record({
  more: fc.dictionary(option, json, { maxKeys: 6, noNullPrototype: true }),
  groups: fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    fc.record(
      {
        attributes: json,
        requires_username: fc.boolean(),
        password_options: json,
        passwordPolicy: fc.constantFrom('good', 'none'),
        non_persistent_attrs: fc.constantFrom(null, [], ['ssn']),
      },
      { requiredKeys: [] },
    ),
  ),
  script: code,
  values,
  nullValue: fc.boolean(),
  hasPins: fc.boolean(),
  display_name: fc.option(fc.string({ minLength: 1, maxLength: 30 }), { nil: undefined }),
  realms: fc.array(fc.stringMatching(/^[a-z.]{1,12}$/), { maxLength: 3 }),
  metadata: fc.dictionary(key, fc.string({ maxLength: 255 }), { maxKeys: 10, noNullPrototype: true }),
});
const action = fc.record({
  code,
  secrets: values,
  hasPins: fc.boolean(),
  dependencies: fc.array(fc.record({ name: fc.constant('axios'), version: fc.constantFrom('1.7.0', '1.8.1') }), {
    maxLength: 1,
  }),
  isDirty: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, fc.constant(true)),
});
const chosen = fc.record({
  ofConnection: fc.subarray(['configuration', 'script'] as const, { minLength: 1 }),
  ofAction: fc.subarray(['secret', 'action-code'] as const, { minLength: 1 }),
  isGiven: fc.constantFrom(true, true, true, false),
  isLearned: fc.boolean(),
});

const placesOf = (
  name: string,
  { ofConnection, ofAction }: { ofConnection: string[]; ofAction: string[] },
): Place[] => [
  ...ofConnection.map(
    (kind): Place =>
      kind === 'script'
        ? { kind, tenant: DOMAIN, connection: name, script: 'login' }
        : { kind: 'configuration', tenant: DOMAIN, connection: name, key: 'DB_PINS' },
  ),
  ...ofAction.map(
    (kind): Place =>
      kind === 'secret'
        ? { kind, tenant: DOMAIN, action: name, key: 'DB_PINS' }
        : { kind: 'action-code', tenant: DOMAIN, action: name },
  ),
];

/** An Action without its pins. */
function restOfAction({ tenant }: Stage, name: string): unknown {
  const { draft, deployed } = tenant.plaintext().actions[name] ?? {};
  return [draft, deployed].map((content) => {
    if (content === null || content === undefined) return content;
    const { DB_PINS: _, ...secrets } = content.secrets;
    return { ...content, secrets, code: content.code.replace(/^const DB_PINS = .*$/m, '') };
  });
}

for (const mode of [
  { ciphertext: 'echo', nameOnlySecrets: 'kept', realms: 'kept' },
  { ciphertext: 'encrypted-twice', nameOnlySecrets: 'emptied', realms: 'renamed' },
] as const) {
  test(
    `${runs} connections and Actions (${mode.ciphertext}): only the pins have changed, or nothing was written`,
    mode.ciphertext === 'echo' ? {} : longOnly,
    async (t) => {
      let stage = await startStage(t, [], { tenant: mode });
      let count = 0;
      const seen = { done: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(connection, action, chosen, async (one, other, how) => {
          if (++count % 50 === 0) stage = await startStage(t, [], { tenant: mode }); // a tenant takes 100 Actions
          const { tenant, folder, pins } = stage;
          const name = `c${count}`;
          const pinned = (has: boolean): Record<string, string> => (has ? { DB_PINS: 'old' } : {});
          tenant.addConnection({
            ...{ name, realms: one.realms, metadata: one.metadata },
            ...(one.display_name === undefined ? {} : { display_name: one.display_name }),
            options: {
              ...one.more,
              ...(one.groups as JsonObject),
              enabledDatabaseCustomization: true,
              customScripts: { login: one.script, get_user: 'function getByEmail() {}' },
              configuration: { ...one.values, ...(one.nullValue ? { NOTHING: null } : {}), ...pinned(one.hasPins) },
            },
          });
          const { isDirty, hasPins, ...seed } = other;
          const draft = isDirty ? { draftCode: `${seed.code}// more` } : {};
          tenant.addAction({ ...seed, name, secrets: { ...seed.secrets, ...pinned(hasPins) }, ...draft });
          stage.write({ deliver: placesOf(name, how) });
          const learned = { echo: mode.ciphertext === 'echo', nameOnlySecrets: mode.nameOnlySecrets === 'kept' };
          const path = stage.file.replace('.json', '.learned.json');
          if (how.isLearned) writeFileSync(path, JSON.stringify({ version: 1, tenants: { [DOMAIN]: learned } }));
          else rmSync(path, { force: true });
          const given = { connections: { [name]: one.values }, actions: { [name]: seed.secrets } };

          const before = [rest(tenant, name), restOfAction(stage, name)];
          const whole = [tenant.plaintext().connections[name], tenant.plaintext().actions[name]];
          const writes = stage.writes();
          const result = await stage.push(how.isGiven ? { values: writeValues(folder, given) } : {});
          const after = [tenant.plaintext().connections[name], tenant.plaintext().actions[name]];
          assert.ok(result.outcome === 'done' || result.outcome === 'refused', JSON.stringify(result));
          seen[result.outcome]++;
          if (result.outcome === 'refused') {
            assert.deepEqual([after, stage.writes()], [whole, writes]);
            return;
          }
          assert.deepEqual([rest(tenant, name), restOfAction(stage, name)], before);
          const { options } = after[0] as unknown as {
            options: { configuration: object; customScripts: { login: string } };
          };
          const { deployed } = tenant.plaintext().actions[name] ?? {};
          if (how.ofConnection.includes('configuration')) assert.equal(Object(options.configuration).DB_PINS, pins);
          if (how.ofConnection.includes('script'))
            assert.ok(options.customScripts.login.includes(`'${pins}'; // certpin`));
          if (how.ofAction.includes('secret')) assert.equal(deployed?.secrets.DB_PINS, pins);
          if (how.ofAction.includes('action-code')) assert.ok(deployed?.code.includes(`'${pins}'; // certpin`));
          assert.equal((await stage.push()).push, undefined); // and it knows so
        }),
        { numRuns: runs },
      );
      // Neither half is empty.
      t.diagnostic(JSON.stringify(seen));
      assert.ok(seen.done > runs / 10 && seen.refused > runs / 10, JSON.stringify(seen));
    },
  );
}
