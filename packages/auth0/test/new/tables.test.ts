import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint } from '@certpin/testkit';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { hash } from 'bcryptjs';
import { CertpinError } from 'certpin';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { createContainer, type RunResult } from '../../src/index.ts';
import { type CreateScriptsOptions, createScripts, type DatabaseKey, type ScriptFile } from '../../src/new/index.ts';
import { nodeOf } from '../nodes.ts';

// A table that was there before certpin: other names, one that is a word of SQL, no nickname; and users that are known already.

const PASSWORD = 'correct horse battery staple';
const folder = fileURLToPath(new URL('../..', import.meta.url));
const own = {
  kind: 'database',
  userIdPrefix: '',
  table: 'user',
  columns: { id: 'uid', email: 'eMail', password: 'pw_hash', email_verified: 'confirmed', nickname: '' },
} as const;

let server: { readonly postgres: Postgres; readonly mariadb: Mariadb };
let pins: string;
/** Sends a statement with `?` for its values, and quotes names as the database does. */
let ask: Record<'pg' | 'mysql2' | 'mysql', (sql: string, ...values: unknown[]) => Promise<Record<string, unknown>[]>>;
const closing: (() => Promise<unknown>)[] = [];

before(async () => {
  const certificate = await mint();
  pins = certificateHex(certificate);
  const [postgres, mariadb] = await Promise.all([startPostgres({ certificate }), startMariadb({ certificate })]);
  server = { postgres, mariadb };
  const login = ({ host, port, user, password, database }: Postgres | Mariadb) => ({
    ...{ host, port, user, password, database },
  });
  const postgresClient = new pg.Client(login(postgres));
  await postgresClient.connect();
  const mariadbClient = await createConnection(login(mariadb));
  closing.push(
    ...[() => postgresClient.end(), () => mariadbClient.end()],
    ...[() => postgres.stop(), () => mariadb.stop()],
  );
  const mysql = async (sql: string, ...values: unknown[]) =>
    (await mariadbClient.query(sql.replaceAll('"', '`'), values))[0] as Record<string, unknown>[];
  ask = {
    mysql,
    mysql2: mysql,
    pg: async (sql, ...values) => {
      let position = 0;
      return (
        await postgresClient.query(
          sql.replace(/\?/g, () => `$${++position}`),
          values,
        )
      ).rows;
    },
  };
  const columns = '"eMail" varchar(100) UNIQUE, pw_hash varchar(100), confirmed boolean';
  await ask.pg(`CREATE TABLE "user" (uid serial PRIMARY KEY, ${columns})`);
  await ask.mysql(`CREATE TABLE "user" (uid integer AUTO_INCREMENT PRIMARY KEY, ${columns})`);
});
after(async () => {
  for (const close of closing) await close();
});

function answered(result: RunResult): unknown {
  assert.equal(result.outcome.type, 'callback', JSON.stringify(result));
  const { error, values } = result.outcome as { error: unknown; values: readonly unknown[] };
  assert.equal(error, null, JSON.stringify([error, result.console]));
  return values[0];
}

describe('scripts for a table of other names', () => {
  for (const client of ['pg', 'mysql2', 'mysql'] as const) {
    test(client, async (t) => {
      const { host, port, user, password, database } = client === 'pg' ? server.postgres : server.mariadb;
      const configuration = {
        ...{ DB_HOST: host, DB_PORT: String(port), DB_NAME: database, DB_USER: user, DB_PASSWORD: password },
        DB_PINS: pins,
      };
      const container = createContainer({ node: nodeOf(22), cwd: folder, settleMs: 0 });
      t.after(() => container.close());
      const run = async (key: DatabaseKey, args: Record<string, unknown>): Promise<unknown> => {
        const [{ content }] = createScripts({ ...own, client, keys: [key] }) as [ScriptFile];
        const result = await container.run(
          { source: content, fileName: `${key}.js`, folder },
          { as: key, args: args as never, configuration },
        );
        return answered(result);
      };
      const email = `${client}@example.com`;
      await ask[client](
        'INSERT INTO "user" ("eMail", pw_hash, confirmed) VALUES (?, ?, ?)',
        ...[email, await hash(PASSWORD, 4), true],
      );
      const [{ uid }] = (await ask[client]('SELECT uid FROM "user" WHERE "eMail" = ?', email)) as [{ uid: number }];
      // No prefix, and no nickname: the very profile that the script before it gave.
      const profile = { user_id: String(uid), email, email_verified: true };
      assert.deepEqual(await run('login', { email, password: PASSWORD }), profile);
      assert.deepEqual(await run('get_user', { email }), profile);
      assert.equal(await run('change_password', { email, newPassword: 'another one' }), true);
      assert.deepEqual(await run('login', { email, password: 'another one' }), profile);
      assert.equal(await run('change_email', { email, newEmail: `new-${email}`, verified: false }), true);
      assert.equal(await run('verify', { email: `new-${email}` }), true);
      assert.deepEqual(await run('get_user', { email: `new-${email}` }), { ...profile, email: `new-${email}` });
      await run('create', { email, password: PASSWORD });
      const created = (await run('login', { email, password: PASSWORD })) as { user_id: string };
      assert.deepEqual(created, { ...profile, user_id: created.user_id, email_verified: false });
      await run('delete', { id: String(uid) });
      assert.equal(await run('get_user', { email: `new-${email}` }), null);
      assert.deepEqual(await run('get_user', { email }), created);
    });
  }
});

describe('the prefix of user_id', () => {
  const options = { kind: 'database', client: 'pg' } as const;
  const refused = (wrong: Partial<CreateScriptsOptions>, message: RegExp): void => {
    assert.throws(
      () => createScripts({ ...options, ...wrong } as CreateScriptsOptions),
      (error) => error instanceof CertpinError && message.test(error.message),
    );
  };

  test('has to be answered wherever a user_id is made or taken apart', () => {
    for (const key of ['login', 'get_user', 'delete'] as const) refused({ keys: [key] }, /give `userIdPrefix`/);
    refused({}, /every user becomes another user/);
    assert.equal(createScripts({ ...options, keys: ['verify'] }).length, 2);
    refused({ kind: 'action', userIdPrefix: 'x' }, /for the scripts of a database/);
    refused({ userIdPrefix: 'a b' }, /without spaces/);
    refused({ userIdPrefix: 'é' }, /printable/);
  });

  test('stands in every script of the set, and cannot leave its string', () => {
    for (const userIdPrefix of ['', 'users|', `it's\\"|`]) {
      const scripts = createScripts({ ...options, userIdPrefix }).filter(({ isScript }) => isScript);
      assert.equal(scripts.length, 7);
      for (const { content, path } of scripts) {
        const line =
          userIdPrefix === ''
            ? '// user_id: the id of the table, without a prefix.'
            : `// user_id: '${userIdPrefix}' and the id of the table.`;
        assert.ok(content.includes(line), path);
        const [, literal] = /const USER_ID_PREFIX = ('.*');/.exec(content) ?? [];
        if (literal !== undefined) assert.equal(new Function(`return ${literal}`)(), userIdPrefix);
      }
    }
  });

  test('table and columns: what cannot be is refused', () => {
    const set = { userIdPrefix: '' };
    refused({ ...set, table: 'users; DROP TABLE users' }, /name of the table/);
    refused({ ...set, columns: { email: 'a"b' } }, /name of the column email/);
    refused({ ...set, columns: { mail: 'email' } as never }, /`columns` must be one of id, email/);
    refused({ ...set, columns: { email: '' } }, /need a column for email/);
    refused({ ...set, columns: { email_verified: '' } }, /need a column for email_verified/);
    refused({ ...set, client: 'axios', table: 'people' }, /for the scripts of a database/);
    const [{ content }] = createScripts({
      ...options,
      ...{ ...set, keys: ['login'], columns: { email_verified: '' }, table: 'crm.People' },
    }) as [ScriptFile];
    assert.match(content, /FROM crm\."People" WHERE email = \$1/);
    assert.doesNotMatch(content.slice(0, content.indexOf('// certpin')), /email_verified/);
  });
});
