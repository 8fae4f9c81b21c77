// What push leaves behind, as Auth0's own SDK reads it: nobody here wrote that reader.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireTenantClients } from '../../../../dev/tools/tenant-clients.ts';
import { actionCode, configuration, customers, DOMAIN, script, secret, startStage, writeValues } from './stage.ts';

type Read = Readonly<Record<string, unknown>>;

interface Reader {
  readonly connections: { readonly get: (id: string) => Promise<Read> };
  readonly actions: { readonly get: (id: string) => Promise<Read> };
}

const { sdk } = requireTenantClients() as { sdk: { ManagementClient: new (options: object) => Reader } };

const code = `const DB_PINS = ''; // certpin: customer-db
exports.onExecutePostLogin = async () => { await ask(DB_PINS); };
`;

/** Without what a write changes in any case: ciphertext, times, numbers of versions, and the marks that push leaves. */
const steady = (read: Read): unknown =>
  JSON.parse(
    JSON.stringify(read, (key, value) => {
      if (/^(?:updated_at|built_at|created_at|number|certpin_.*)$/.test(key)) return undefined;
      if (key === 'id' && value !== read.id) return undefined; // of a version
      return typeof value === 'string' && value.startsWith('CkIKI') ? 'ciphertext' : value;
    }),
  );

for (const [ciphertext, nameOnlySecrets] of [
  ['echo', 'kept'],
  ['encrypted-twice', 'emptied'],
] as const) {
  test(`the SDK of Auth0 reads the same after push, but for the pins (${ciphertext})`, async (t) => {
    const places = [configuration, script, secret, actionCode];
    const stage = await startStage(t, places, { tenant: { ciphertext, nameOnlySecrets } });
    const connection = stage.tenant.addConnection(customers());
    const action = stage.tenant.addAction({
      ...{ name: 'post-login', code, secrets: { DB_PINS: 'old', API_KEY: 'battery-staple' } },
      dependencies: [{ name: 'axios', version: '1.7.0' }],
    });
    const { AUTH0_CLIENT_ID: clientId, AUTH0_CLIENT_SECRET: clientSecret } = stage.tenant.credentials;
    const given = { domain: DOMAIN, clientId, clientSecret, fetch: stage.tenant.fetch, telemetry: false };
    const reader = new sdk.ManagementClient(given);
    const read = async (): Promise<unknown> => [
      steady(await reader.connections.get(connection)),
      steady(await reader.actions.get(action)),
    ];

    const before = JSON.stringify(await read());
    const values = {
      connections: { customers: { DB_PASSWORD: 'correct-horse' } },
      actions: { 'post-login': { API_KEY: 'battery-staple' } },
    };
    const { outcome, problems } = await stage.push({ values: writeValues(stage.folder, values) });
    assert.deepEqual([outcome, problems], ['done', []]);
    const after = JSON.stringify(await read());

    // The pins stand in both marked lines, of the draft and of what is deployed; taken away, nothing differs.
    assert.ok(after.split(stage.pins).length > 2, after);
    const withoutPins = (text: string): string => text.replaceAll(/const DB_PINS = '[^']*'/g, 'const DB_PINS');
    assert.deepEqual(JSON.parse(withoutPins(after)), JSON.parse(withoutPins(before)));
  });
}
