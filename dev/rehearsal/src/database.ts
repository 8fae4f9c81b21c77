import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createScripts } from '@certpin/auth0';
import type { Minted } from '@certpin/testkit';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { hash } from 'bcryptjs';
import pg from 'pg';

export const EMAIL = 'ada@example.com';
export const CANARY = 'canary@example.com';
export const PASSWORD = 'correct horse battery staple';

type DatabaseName = 'PostgreSQL' | 'MariaDB';

/** A real database with one user in it, and its operator's actions. */
export interface Database {
  readonly name: DatabaseName;
  /** The id in the pins file, and the name of the connection of the tenant. */
  readonly id: string;
  /** As the pins file names it. */
  readonly target: string;
  readonly port: number;
  /** The login script, as `certpin auth0 new` writes it. */
  readonly script: string;
  /** The settings of the connection, without the pins. */
  readonly settings: Readonly<Record<string, string>>;
  /** Runs commands that certpin has printed, in a shell on the server. */
  readonly operate: (commands: readonly string[], folder: string) => Promise<void>;
  /** Presents a certificate, without commands of certpin. */
  readonly present: (certificate: Minted) => Promise<void>;
  /** Ends every connection of scripts: a pool would hide for long what a new connection meets. */
  readonly endConnections: () => Promise<void>;
  /** How many connections of scripts the server has let in. */
  readonly countSessions: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

const TABLE =
  'CREATE TABLE users (id serial PRIMARY KEY, email varchar(100) UNIQUE, password varchar(100), email_verified boolean, nickname varchar(100))';
/** The cost of bcrypt is low, as in a test: passwords are not measured here. */
const COST = 4;

export async function startPostgresDatabase(certificate: Minted): Promise<Database> {
  const server = await startPostgres({ certificate });
  // The cost of SCRAM protects a stolen table of accounts. Here, it would be most of what is measured.
  await server.configure({ scram_iterations: '1' });
  const { host, port, user, password } = server;
  const first = new pg.Client({ host, port, user, password, database: server.database });
  await first.connect();
  await first.query('CREATE DATABASE users');
  await first.end();
  const users = { ...server, database: 'users' };
  const admin = new pg.Client({ host, port, user, password, database: users.database });
  admin.on('error', () => undefined);
  await admin.connect();
  await admin.query(TABLE);
  await admin.query(await insertUsers());
  await admin.query(`CREATE USER login PASSWORD '${password}'; GRANT SELECT ON users TO login`);
  return {
    ...{ name: 'PostgreSQL', id: 'customers-postgres', target: `postgres://127.0.0.1:${port}`, port },
    ...{ script: scriptFor('pg'), settings: settingsOf(users, 'login'), present: server.present },
    operate: (commands, folder) => operate(commands, folder, 'psql', psql(server)),
    endConnections: async () => {
      await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'login'");
    },
    countSessions: async () => {
      // One of them is the operator's.
      const { rows } = await admin.query(
        'SELECT sessions - 1 AS count FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(rows[0].count);
    },
    stop: async () => {
      await admin.end();
      await server.stop();
    },
  };
}

export async function startMariadbDatabase(certificate: Minted): Promise<Database> {
  const server = await startMariadb({ certificate, flags: ['--userstat=1'] });
  const { port, database } = server;
  await server.execute(`USE ${database}; ${TABLE}; ${await insertUsers()}`);
  return {
    ...{ name: 'MariaDB', id: 'customers-mariadb', target: `mariadb://127.0.0.1:${port}`, port },
    ...{ script: scriptFor('mysql2'), settings: settingsOf(server, server.user), present: server.present },
    operate: (commands, folder) => operate(commands, folder, 'mariadb', mariadbClient(server)),
    endConnections: async () => {
      await server.execute(`KILL HARD CONNECTION USER '${server.user}'@'%'`);
    },
    countSessions: async () => {
      const sql = `SELECT TOTAL_SSL_CONNECTIONS FROM information_schema.USER_STATISTICS WHERE USER = '${server.user}'`;
      return Number(await server.execute(sql));
    },
    stop: server.stop,
  };
}

async function insertUsers(): Promise<string> {
  const hashed = await hash(PASSWORD, COST);
  const rows = [EMAIL, CANARY].map((email) => `('${email}', '${hashed}', true, 'ada')`);
  return `INSERT INTO users (email, password, email_verified, nickname) VALUES ${rows.join(', ')}`;
}

function scriptFor(client: 'pg' | 'mysql2'): string {
  const scripts = createScripts({ kind: 'database', userIdPrefix: 'users|', client, keys: ['login'] });
  const login = scripts.find(({ path }) => path === 'login.js');
  if (login === undefined) throw new Error('no login script was written');
  return login.content;
}

function settingsOf(
  server: Pick<Postgres | Mariadb, 'port' | 'password' | 'database'>,
  user: string,
): Record<string, string> {
  const { port, password, database } = server;
  return { DB_HOST: '127.0.0.1', DB_PORT: String(port), DB_NAME: database, DB_USER: user, DB_PASSWORD: password };
}

async function operate(commands: readonly string[], folder: string, name: string, program: string): Promise<void> {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), program);
  chmodSync(join(bin, name), 0o755);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  await promisify(execFile)('sh', ['-euc', commands.join('\n')], { cwd: folder, env });
  await delay(500); // A reload of PostgreSQL is a signal, which takes effect a moment later.
}

/** The package of the test's PostgreSQL has no psql. This program does what the commands need of it. */
function psql({ port, user, password }: Postgres): string {
  const settings = JSON.stringify({ host: 'localhost', port, user, password, database: 'postgres' });
  return `#!${process.execPath}
const { Client } = require(${JSON.stringify(createRequire(import.meta.url).resolve('pg'))});
const client = new Client(${settings});
client.connect().then(() => client.query({ text: process.argv.at(-1), rowMode: 'array' }))
  .then(({ rows }) => console.log(rows.map(([value]) => (value === true ? 't' : value)).join('\\n')))
  .finally(() => client.end());
`;
}

function mariadbClient({ port, user, password }: Mariadb): string {
  return `#!/bin/sh
MYSQL_PWD='${password}' exec /usr/bin/mariadb --no-defaults --host=127.0.0.1 --port=${port} --user=${user} --skip-ssl "$@"
`;
}
