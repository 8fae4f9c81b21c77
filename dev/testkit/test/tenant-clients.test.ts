// The fake tenant is ours: what holds it honest are clients that nobody here wrote. What they send, it takes; what it answers, they take.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { requireTenantClients } from '../../tools/tenant-clients.ts';
import { stopClock } from '../src/clock.ts';
import { longOnly } from '../src/long.ts';
import { type FakeTenant, type FakeTenantOptions, type JsonObject, startFakeTenant } from '../src/tenant/index.ts';

/** What is used of the SDK, by shape. */
interface Sdk {
  readonly ManagementClient: new (options: object) => ManagementClient;
}
interface ManagementClient {
  readonly connections: {
    readonly list: (query: object) => Promise<AsyncIterable<Connection>>;
    readonly get: (id: string) => Promise<Connection>;
    readonly create: (given: object) => Promise<Connection>;
    readonly update: (id: string, given: object) => Promise<Connection>;
    readonly delete: (id: string) => Promise<void>;
  };
  readonly actions: {
    readonly list: (query: object) => Promise<AsyncIterable<Action>>;
    readonly get: (id: string) => Promise<Action>;
    readonly create: (given: object) => Promise<Action>;
    readonly update: (id: string, given: object) => Promise<Action>;
    readonly deploy: (id: string) => Promise<{ readonly id: string }>;
    readonly delete: (id: string) => Promise<void>;
    readonly versions: {
      readonly list: (
        id: string,
        query: object,
      ) => Promise<AsyncIterable<{ readonly id: string; readonly number: number }>>;
      readonly deploy: (id: string, versionId: string, given?: object) => Promise<unknown>;
    };
  };
}
interface Connection {
  readonly id: string;
  readonly name: string;
  readonly options?: { readonly configuration?: Readonly<Record<string, string>>; readonly [option: string]: unknown };
}
interface Action {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly all_changes_deployed: boolean;
  readonly secrets: readonly { readonly name: string; readonly value?: string; readonly updated_at: string }[];
  readonly deployed_version?: { readonly id: string; readonly number: number; readonly code: string };
}

const { sdk, deployCli } = requireTenantClients() as { sdk: Sdk; deployCli: string };
const folder = mkdtempSync(join(tmpdir(), 'certpin-tenant-clients-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A value that stands nowhere else. */
const SECRET = 'correct-horse-battery-staple';
const login = 'function login(email, password, callback) { callback(null, { user_id: "1", email }); }';
const options: JsonObject = {
  ...{ enabledDatabaseCustomization: true, import_mode: false, customScripts: { login } },
  ...{
    configuration: { PIN: 'old', PASSWORD: SECRET },
    mfa: { active: true },
    validation: null,
    precedence: ['email'],
  },
};
const code = 'exports.onExecutePostLogin = async (event) => { event.secrets.PIN; };';

/** A tenant with two connections and an Action. */
async function start(
  given: FakeTenantOptions = {},
): Promise<FakeTenant & { readonly users: string; readonly pins: string }> {
  const tenant = await startFakeTenant(given);
  const users = tenant.addConnection({
    name: 'users',
    display_name: 'Our users',
    realms: ['users', 'example.com'],
    options,
  });
  tenant.addConnection({ name: 'others', options });
  const pins = tenant.addAction({ name: 'pins', code, secrets: { PIN: 'old', PASSWORD: SECRET } });
  return { ...tenant, users, pins };
}

function connect({ domain, credentials, fetch }: FakeTenant): ManagementClient {
  const { AUTH0_CLIENT_ID: clientId, AUTH0_CLIENT_SECRET: clientSecret } = credentials;
  return new sdk.ManagementClient({ domain, clientId, clientSecret, fetch, telemetry: false });
}

async function collect<Item>(list: Promise<AsyncIterable<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of await list) items.push(item);
  return items;
}

describe('the SDK of Auth0', () => {
  for (const ciphertext of ['echo', 'encrypted-twice'] as const) {
    it(`reads a connection, writes it and reads it again (${ciphertext})`, async () => {
      const tenant = await start({ ciphertext });
      const client = connect(tenant);
      const before = await client.connections.get(tenant.users);
      const { PIN = '', PASSWORD = '' } = before.options?.configuration ?? {};
      assert.match(PIN, /^CkIKI/);
      await client.connections.update(tenant.users, {
        display_name: 'Our users',
        options: { ...before.options, configuration: { PIN: 'new', PASSWORD } },
      });
      const { configuration, ...others } = (await client.connections.get(tenant.users)).options ?? {};
      const { configuration: _, ...othersBefore } = before.options ?? {};
      assert.deepEqual(others, othersBefore);
      // The ciphertext of what did not change is another one too.
      assert.notEqual(configuration?.PASSWORD, PASSWORD);
      const plain = tenant.plaintext().connections.users as {
        options: JsonObject;
        realms: unknown;
        display_name: unknown;
      };
      const kept = ciphertext === 'echo' ? SECRET : PASSWORD;
      assert.deepEqual(plain.options, { ...options, configuration: { PIN: 'new', PASSWORD: kept } });
      assert.deepEqual([plain.display_name, plain.realms], ['Our users', ['users', 'example.com']]);
      await tenant.close();
    });
  }

  it('finds a connection by its name, page by page; makes one and deletes it', async () => {
    const tenant = await start();
    const client = connect(tenant);
    const names = async (query: object): Promise<string[]> =>
      (await collect(client.connections.list(query))).map(({ name }) => name);
    assert.deepEqual(await names({ name: 'others' }), ['others']);
    assert.deepEqual(await names({ strategy: ['auth0'], take: 1 }), ['users', 'others']);
    assert.deepEqual(await names({ strategy: ['google-oauth2'] }), []);
    const { id } = await client.connections.create({
      name: 'scratch',
      strategy: 'auth0',
      options: { configuration: { A: 'b' } },
    });
    assert.deepEqual(await names({ name: 'scratch' }), ['scratch']);
    await client.connections.delete(id);
    assert.deepEqual(await names({}), ['users', 'others']);
    await assert.rejects(client.connections.get(id), { name: 'NotFoundError', statusCode: 404 });
    await tenant.close();
  });

  it('changes a secret, waits for the build, deploys and rolls back', async (context) => {
    // Time passes with each look at a build alone.
    const pass = stopClock(context);
    const built = async (isBuilt: () => Promise<boolean>): Promise<void> => {
      for (let look = 0; !(await isBuilt()); look++) {
        assert.ok(look < 10, 'it is not built');
        pass(200);
      }
    };
    const tenant = await start({ buildMs: 600 });
    const client = connect(tenant);
    const [{ id } = { id: '' }] = await collect(client.actions.list({ actionName: 'pins' }));
    assert.equal(id, tenant.pins);
    const changed = await client.actions.update(id, { secrets: [{ name: 'PIN', value: 'new' }, { name: 'PASSWORD' }] });
    assert.deepEqual(
      changed.secrets.map(({ name, value }) => [name, value]),
      [
        ['PIN', undefined],
        ['PASSWORD', undefined],
      ],
    );
    assert.deepEqual(
      [changed.status, changed.all_changes_deployed, changed.deployed_version?.number],
      ['pending', false, 1],
    );
    await assert.rejects(client.actions.deploy(id), { name: 'BadRequestError', statusCode: 400 });
    await built(async () => (await client.actions.get(id)).status === 'built');
    await client.actions.deploy(id);
    await built(async () => (await client.actions.get(id)).deployed_version?.number === 2);
    const { draft, deployed } = tenant.plaintext().actions.pins ?? assert.fail();
    assert.deepEqual(draft, deployed);
    assert.deepEqual(deployed?.secrets, { PIN: 'new', PASSWORD: SECRET });
    assert.equal((await client.actions.get(id)).all_changes_deployed, true);

    const versions = await collect(client.actions.versions.list(id, {}));
    assert.deepEqual(
      versions.map(({ number }) => number),
      [2, 1],
    );
    await client.actions.versions.deploy(id, versions[1]?.id ?? '');
    await built(async () => (await client.actions.get(id)).deployed_version?.number === 3);
    assert.equal(tenant.plaintext().actions.pins?.deployed?.secrets.PIN, 'old');
    await tenant.close();
  });

  it('understands the errors: a scope that is missing, a property that nobody knows, a limit of requests', async () => {
    const tenant = await start({
      scopes: ['read:connections', 'update:connections', 'update:actions'],
      rateLimit: { requests: 4, windowMs: 2000 },
    });
    const client = connect(tenant);
    assert.equal((await client.connections.get(tenant.users)).options, undefined);
    const forbidden = { name: 'ForbiddenError', statusCode: 403 };
    await assert.rejects(client.connections.update(tenant.users, { options: {} }), forbidden);
    await assert.rejects(client.actions.update(tenant.pins, { colour: 'red' }), {
      name: 'BadRequestError',
      statusCode: 400,
    });
    // The SDK waits as the headers say, and asks again.
    for (let round = 0; round < 4; round++) await client.connections.get(tenant.users);
    const statuses = tenant.requests.map(({ status }) => status);
    assert.ok(statuses.includes(429), 'the limit was reached');
    assert.deepEqual(tenant.plaintext().connections.users?.options, options);
    await tenant.close();
  });
});

describe('the Deploy CLI of Auth0', { concurrency: 2, ...longOnly }, () => {
  for (const ciphertext of ['echo', 'encrypted-twice'] as const) {
    it(`exports connections and Actions, and imports them again (${ciphertext})`, async () => {
      const tenant = await start({ ciphertext, buildMs: 100 });
      const before = tenant.plaintext();
      const files = join(folder, ciphertext);
      await deploy(tenant, files, 'export');
      assert.equal(existsSync(join(files, 'database-connections/users/login.js')), true);
      assertNoSecret(files);
      const database = readJson(join(files, 'database-connections/others/database.json')) as { options: JsonObject };
      assert.equal('configuration' in database.options, false);
      // Somebody writes one key by hand, as its documentation says.
      database.options = { ...database.options, configuration: { PIN: 'new' } };
      writeFileSync(join(files, 'database-connections/others/database.json'), JSON.stringify(database));
      await deploy(tenant, files, 'import');

      const { connections, actions } = tenant.plaintext();
      const added = { disable_self_service_change_password: false };
      const users = connections.users?.options as { readonly configuration: Record<string, string> };
      const { configuration: echoed, ...others } = users;
      const { configuration: _, ...othersBefore } = options;
      assert.deepEqual(others, { ...othersBefore, ...added });
      if (ciphertext === 'echo') assert.deepEqual(echoed, options.configuration);
      else assert.match(echoed.PASSWORD ?? '', /^CkIKI/);
      assert.deepEqual(connections.others?.options, { ...options, ...added, configuration: { PIN: 'new' } });
      assert.deepEqual(connections.users?.realms, ['users', 'example.com']);
      assert.equal(actions.pins?.versions, 2);
      assert.deepEqual(actions.pins?.deployed, before.actions.pins?.deployed);
      await tenant.close();
    });
  }

  it('signs in with a private key, and exports a whole tenant: what the fake does not have is told as a scope that is missing', async () => {
    const tenant = await start();
    const key = join(folder, 'key.pem');
    writeFileSync(key, tenant.privateKey);
    const files = join(folder, 'whole');
    // There is no secret that it could sign in with.
    const config = { AUTH0_CLIENT_SECRET: undefined, AUTH0_CLIENT_SIGNING_KEY_PATH: key };
    const output = await deploy(tenant, files, 'export', config);
    assert.match(output, /Cannot retrieve roles due to missing scopes: read:roles/);
    assert.match(output, /Export Successful/);
    assert.equal(existsSync(join(files, 'actions/pins/code.js')), true);
    assertNoSecret(files);
    await tenant.close();
  });
});

const only = { AUTH0_INCLUDED_ONLY: ['databases', 'actions'] };

/** Runs the Deploy CLI as its users do, with the address of the fake as the domain. */
async function deploy(
  tenant: FakeTenant,
  files: string,
  command: 'export' | 'import',
  given: object = only,
): Promise<string> {
  const ca = `${files}-ca.pem`;
  const config = `${files}-config.json`;
  writeFileSync(ca, tenant.ca);
  const domain = new URL(tenant.origin).host;
  writeFileSync(config, JSON.stringify({ ...tenant.credentials, AUTH0_DOMAIN: domain, ...given }));
  const where = command === 'export' ? ['--format=directory', `--output_folder=${files}`] : [`--input_file=${files}`];
  const { PATH, HOME } = process.env;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [deployCli, command, ...where, `--config_file=${config}`, '--env=false'],
    { cwd: folder, env: { PATH, HOME, NODE_EXTRA_CA_CERTS: ca } },
  );
  return stdout + stderr;
}

/** Neither a value of `configuration` or of a secret of an Action, nor its ciphertext, stands in any file of an export. */
function assertNoSecret(files: string): void {
  const names = readdirSync(files, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(files, name)).isFile(),
  );
  assert.ok(names.includes('actions/pins/code.js'), names.join('\n'));
  for (const name of names) {
    const text = readFileSync(join(files, name), 'utf8');
    assert.ok(!text.includes(SECRET) && !text.includes('CkIKI'), `${name}: ${text}`);
  }
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
