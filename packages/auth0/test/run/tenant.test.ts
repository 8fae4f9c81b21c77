// A login over the fake tenant meets a real database, with the pins that stand in the tenant.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, type Minted, mint } from '@certpin/testkit';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { type FakeTenant, type LoginRecord, startFakeTenant } from '@certpin/testkit/tenant';
import { hash } from 'bcryptjs';
import pg from 'pg';
import { createScripts } from '../../src/new/index.ts';
import { nodeOf } from '../nodes.ts';
import { runActions, runInContainers } from './tenant-container.ts';

const PASSWORD = 'correct horse battery staple';
const cwd = fileURLToPath(new URL('../..', import.meta.url));
const login =
  createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', keys: ['login'] }).find(
    ({ path }) => path === 'login.js',
  )?.content ?? assert.fail('no script');

describe('a login over the fake tenant', () => {
  let server: Postgres;
  let certificates: { readonly current: Minted; readonly next: Minted };
  let tenant: FakeTenant;
  let users: string;
  let heard: LoginRecord[] = [];

  before(async () => {
    certificates = { current: await mint(), next: await mint() };
    server = await startPostgres({ certificate: certificates.current });
    const { host, port, user, password, database } = server;
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    await client.query(
      'CREATE TABLE users (id serial PRIMARY KEY, email varchar(100) UNIQUE, password varchar(100), email_verified boolean, nickname varchar(100))',
    );
    await client.query(
      "INSERT INTO users (email, password, email_verified, nickname) VALUES ('ada@example.com', $1, true, 'ada')",
      [await hash(PASSWORD, 4)],
    );
    await client.end();
    tenant = await startFakeTenant({
      ...{ runContainer: runInContainers({ node: nodeOf(22), cwd }), onLogin: (record) => void heard.push(record) },
      containers: { count: 2, livesMs: 0, outliers: 1, outliersMs: 60_000 },
    });
    users = tenant.addConnection({ name: 'users', options: optionsWith(certificates.current) });
  });
  after(async () => {
    await tenant?.close();
    await server?.stop();
  });

  const optionsWith = (...pinned: readonly Minted[]) => {
    const { host, port, user, password, database } = server;
    return {
      ...{ enabledDatabaseCustomization: true, customScripts: { login } },
      configuration: {
        ...{ DB_HOST: host, DB_PORT: String(port), DB_NAME: database, DB_USER: user, DB_PASSWORD: password },
        DB_PINS: pinned.map(certificateHex).join(' '),
      },
    };
  };

  /** One login in each container. */
  const logInTwice = async (password = PASSWORD): Promise<unknown[]> => {
    heard = [];
    for (let index = 0; index < 2; index++) {
      const { AUTH0_DOMAIN, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET } = tenant.credentials;
      const body = {
        ...{ grant_type: 'http://auth0.com/oauth/grant-type/password-realm', realm: 'users' },
        ...{ client_id: AUTH0_CLIENT_ID, client_secret: AUTH0_CLIENT_SECRET, username: 'ada@example.com', password },
      };
      await tenant.fetch(`https://${AUTH0_DOMAIN}/oauth/token`, { method: 'POST', body: new URLSearchParams(body) });
    }
    return heard.map(({ generation, outlier, result }) => [
      generation,
      outlier,
      'profile' in result ? 'in' : result.error_description,
    ]);
  };

  const write = async (...pinned: readonly Minted[]): Promise<void> => {
    const answer = await tenant.fetch(`https://${tenant.domain}/api/v2/connections/${users}`, {
      ...{ method: 'PATCH', body: JSON.stringify({ options: optionsWith(...pinned) }) },
      headers: { authorization: `Bearer ${tenant.issueToken()}`, 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 200);
  };

  it('goes in with the pin of the server, and not with a wrong password', async () => {
    assert.deepEqual(await logInTwice(), [
      [1, false, 'in'],
      [1, true, 'in'],
    ]);
    assert.deepEqual(await logInTwice('wrong'), [
      [1, false, 'Wrong email or password.'],
      [1, true, 'Wrong email or password.'],
    ]);
  });

  it('a rotation locks out the containers that never heard of the next pin, and those alone', async () => {
    await write(certificates.current, certificates.next);
    assert.deepEqual(await logInTwice(), [
      [2, false, 'in'],
      [1, true, 'in'],
    ]);
    await server.present(certificates.next);
    await server.restart(); // connections that are open live on, and would hide it
    assert.deepEqual(await logInTwice(), [
      [2, false, 'in'],
      [1, true, 'The user database cannot be reached at the moment. Try again later.'],
    ]);
  });

  it('the article of the vendor, which has one pin, locks everybody out until the script is edited', async () => {
    await write(certificates.current);
    assert.deepEqual((await logInTwice())[0], [
      3,
      false,
      'The user database cannot be reached at the moment. Try again later.',
    ]);
  });
});

describe('an Action of the fake tenant', () => {
  it('is tested with the secrets of its draft, and says what it sees', async () => {
    const tenant = await startFakeTenant({ runAction: runActions({ node: nodeOf(22), cwd }) });
    const code = 'exports.onExecutePostLogin = async ({ secrets, user }) => console.log(user.name, secrets.PIN);';
    const id = tenant.addAction({ name: 'pins', code, secrets: { PIN: 'a secret' } });
    const answer = await tenant.fetch(`https://${tenant.domain}/api/v2/actions/actions/${id}/test`, {
      ...{ method: 'POST', body: JSON.stringify({ payload: { user: { name: 'Ada' } } }) },
      headers: { authorization: `Bearer ${tenant.issueToken()}`, 'content-type': 'application/json' },
    });
    assert.deepEqual(await answer.json(), { payload: { logs: 'Ada a secret', status: 'success' } });
    await tenant.close();
  });
});
