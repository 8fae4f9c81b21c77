import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type CountingServer, certificateHex, type Minted, mint, startTlsServer } from '@certpin/testkit';
import { startLdapRelay } from '@certpin/testkit/ldap';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { startMongodb } from '@certpin/testkit/mongodb';
import { freePort, type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { startTdsServer } from '@certpin/testkit/tds';
import { hash } from 'bcryptjs';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { ScriptClient } from '../../src/index.ts';
import { startDirectory } from './people.ts';
import { runOn, type UserRow } from './scripted-users.ts';

// Real servers for generated scripts, each with the places that an attacker, a rotation or a failure would make of it.

export const PASSWORD = 'correct horse battery staple';
export const API_KEY = 'a-key-that-is-secret';
export type Place = 'genuine' | 'next' | 'impostor' | 'expired' | 'down';

export interface User {
  readonly id: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly password: string;
}

/** What the script's server keeps, looked at from the other side. */
export interface Store {
  readonly seed: (email: string) => Promise<User>;
  readonly find: (column: 'email' | 'username' | 'phone_number', value: string) => Promise<User | undefined>;
}

/** One kind of server at every place. */
interface Stage {
  readonly store: Store;
  /** The settings of a script, without the pins. */
  readonly settings: (place: Place) => Record<string, string>;
  /** The server with the next certificate goes away, and every connection to it ends. */
  readonly leave: () => Promise<void>;
  /** Bytes that reached a wrong server. */
  readonly leaked: () => number;
  readonly close: () => Promise<void>;
}

export interface Certificates {
  readonly genuine: Minted;
  readonly next: Minted;
  readonly impostor: Minted;
  readonly expired: Minted;
  /** The pins of a script's settings: that of today and that of the next certificate, and of the one that expired. */
  readonly pins: string;
  readonly wrongPins: string;
}

export async function mintAll(): Promise<Certificates> {
  const [genuine, next, impostor, expired, other] = await Promise.all([
    mint(),
    mint(),
    mint(),
    mint({ validFromDays: -30, validToDays: -1 }),
    mint(),
  ]);
  const pins = [genuine, next, expired].map(certificateHex).join(' ');
  return { ...{ genuine, next, impostor, expired, pins }, wrongPins: certificateHex(other) };
}

type Columns = readonly (readonly [name: string, type: string])[];

const tables: Record<string, Columns> = {
  user_roles: [
    ['user_id', 'varchar(100)'],
    ['role', 'varchar(100)'],
  ],
  clients: [
    ['client_id', 'varchar(100)'],
    ['plan', 'varchar(100)'],
  ],
  invitations: [['email', 'varchar(100)']],
  registrations: [
    ['user_id', 'varchar(100)'],
    ['email', 'varchar(100)'],
  ],
  password_changes: [['user_id', 'varchar(100)']],
};

function schema(id: string): string[] {
  return [
    `CREATE TABLE users (id ${id} PRIMARY KEY, email varchar(100) UNIQUE, password varchar(100), email_verified boolean, nickname varchar(100), username varchar(100), phone_number varchar(100))`,
    ...Object.entries(tables).map(
      ([name, columns]) => `CREATE TABLE ${name} (${columns.map((column) => column.join(' ')).join(', ')})`,
    ),
    "INSERT INTO user_roles VALUES ('auth0|5f7c8ec7c33c6c004bbafe82', 'admin')",
    "INSERT INTO clients VALUES ('client-id', 'gold')",
    "INSERT INTO invitations VALUES ('user@example.com')",
  ];
}

const columns = ['email', 'password', 'email_verified', 'nickname', 'username', 'phone_number'];

/** Of one's own user, whose hash is a quick one. */
async function row(email: string): Promise<(string | boolean)[]> {
  const name = email.split('@')[0] ?? '';
  return [email, await quickHash, false, name, `name of ${name}`, `phone of ${name}`];
}

const quickHash = hash(PASSWORD, 4);

/** A server for each client, and what all of them are asked. */
export interface Stages {
  readonly of: Readonly<Record<ScriptClient, Stage>>;
  readonly leave: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openStages(certificates: Certificates): Promise<Stages> {
  const all = await Promise.all([
    openPostgres(certificates),
    openMariadb(certificates),
    openSqlServer(certificates),
    openMongodb(certificates),
    openDirectory(certificates),
    openApi(certificates),
  ]);
  const [postgres, mariadb, tedious, mongodb, ldapts, api] = all;
  return {
    of: { pg: postgres, mysql2: mariadb, mysql: mariadb, tedious, mongodb, ldapts, axios: api, fetch: api },
    leave: async () => {
      for (const stage of all) await stage.leave();
    },
    close: async () => {
      for (const stage of all) await stage.close();
    },
  };
}

async function openPostgres(certificates: Certificates): Promise<Stage> {
  const server = await startPostgres({ certificate: certificates.genuine });
  const relays = await openRelays(certificates, (certificate) => startPostgresRelay({ certificate, upstream: server }));
  const { host, port, user, password, database } = server;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  for (const statement of schema('serial')) await client.query(statement);
  const find: Store['find'] = async (column, value) =>
    (await client.query(`SELECT * FROM users WHERE ${column} = $1`, [value])).rows[0];
  return {
    store: {
      find,
      seed: async (email) => {
        const marks = columns.map((_, index) => `$${index + 1}`);
        await client.query(`INSERT INTO users (${columns.join(', ')}) VALUES (${marks.join(', ')})`, await row(email));
        return (await find('email', email)) as User;
      },
    },
    ...(await databasePlaces(server, relays, client)),
  };
}

async function openMariadb(certificates: Certificates): Promise<Stage> {
  const server = await startMariadb({ certificate: certificates.genuine });
  const relays = await openRelays(certificates, (certificate) => startMysqlRelay({ certificate, upstream: server }));
  const { host, port, user, password, database } = server;
  const client = await createConnection({ host, port, user, password, database });
  for (const statement of schema('integer AUTO_INCREMENT')) await client.query(statement);
  const find: Store['find'] = async (column, value) => {
    const [rows] = await client.query(`SELECT * FROM users WHERE ${column} = ?`, [value]);
    return (rows as User[])[0];
  };
  return {
    store: {
      find,
      seed: async (email) => {
        const marks = columns.map(() => '?').join(', ');
        await client.query(`INSERT INTO users (${columns.join(', ')}) VALUES (${marks})`, await row(email));
        return (await find('email', email)) as User;
      },
    },
    ...(await databasePlaces(server, relays, client)),
  };
}

/** Everything of a database's stage but what is in the database. */
async function databasePlaces(
  server: Postgres | Mariadb,
  relays: Relays,
  client: { end(): Promise<void> },
): Promise<Omit<Stage, 'store'>> {
  const { host, port, user, password, database } = server;
  const ports = { ...(await portsOf(relays)), genuine: port };
  return {
    settings: (place) => databaseSettings({ host, port: ports[place], database, user, password }),
    leaked: () => leakedTo(relays),
    leave: () => leave(relays),
    close: async () => {
      await client.end();
      await closeAll(relays);
      await server.stop();
    },
  };
}

const ofScript = { user: 'app-user', password: 'a secret of the database', database: 'app' };

/** A scripted SQL Server at every place, with one table. */
async function openSqlServer(certificates: Certificates): Promise<Stage> {
  const users: UserRow[] = [];
  const start = (certificate: Minted): Promise<CountingServer> =>
    startTdsServer({ certificate, password: ofScript.password, run: runOn(users) });
  const find: Store['find'] = async (column, value) => {
    const user = users.find((row) => row[column] === value);
    return user && ({ ...user, email_verified: user.email_verified === '1' } as unknown as User);
  };
  return {
    store: {
      find,
      seed: async (email) => {
        const cells = (await row(email)).map((cell) => (cell === false ? '' : String(cell)));
        const user = Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
        users.push({ ...user, id: String(users.length + 1) });
        return (await find('email', email)) as User;
      },
    },
    ...(await scriptedPlaces(certificates, start)),
  };
}

/** A scripted MongoDB at every place, with one collection. */
async function openMongodb(certificates: Certificates): Promise<Stage> {
  const collections = new Map<string, Record<string, unknown>[]>();
  const start = (certificate: Minted): Promise<CountingServer> =>
    startMongodb({ certificate, login: ofScript, collections, unique: 'email' });
  const find: Store['find'] = async (column, value) => {
    const user = collections.get('app.users')?.find((document) => document[column] === value);
    return user && ({ ...user, id: String(user._id) } as unknown as User);
  };
  return {
    store: {
      find,
      seed: async (email) => {
        const cells = await row(email);
        const user = Object.fromEntries(columns.map((column, index) => [column, cells[index]]));
        collections.set('app.users', [
          ...(collections.get('app.users') ?? []),
          { _id: randomBytes(12).toString('hex'), ...user },
        ]);
        return (await find('email', email)) as User;
      },
    },
    ...(await scriptedPlaces(certificates, start)),
  };
}

/** Everything of a scripted database's stage but what it keeps. */
async function scriptedPlaces(
  certificates: Certificates,
  start: (certificate: Minted) => Promise<CountingServer>,
): Promise<Omit<Stage, 'store'>> {
  const server = await start(certificates.genuine);
  const relays = await openRelays(certificates, start);
  const ports = { ...(await portsOf(relays)), genuine: server.port };
  return {
    settings: (place) => databaseSettings({ ...ofScript, host: '127.0.0.1', port: ports[place] }),
    leaked: () => leakedTo(relays),
    leave: () => leave(relays),
    close: async () => {
      await closeAll(relays);
      await server.close();
    },
  };
}

/** An OpenLDAP, and relays to it at every other place. No script of a database asks it. */
async function openDirectory(certificates: Certificates): Promise<Stage> {
  const server = await startDirectory(certificates.genuine);
  const upstream = { host: '127.0.0.1', port: server.port };
  const relays = await openRelays(certificates, (certificate) => startLdapRelay({ certificate, upstream }));
  const ports = { ...(await portsOf(relays)), genuine: server.ports.ldaps };
  const nobody = (): never => assert.fail('no script of a database asks a directory');
  return {
    store: { seed: nobody, find: nobody },
    settings: (place) => ({
      ...{ LDAP_URL: `ldaps://127.0.0.1:${ports[place]}`, LDAP_BASE: server.base },
      ...{ LDAP_USER: server.user, LDAP_PASSWORD: server.password },
    }),
    leaked: () => leakedTo(relays),
    leave: () => leave(relays),
    close: async () => {
      await closeAll(relays);
      await server.stop();
    },
  };
}

/** An API with the endpoints that the scripts describe, at every place: an impostor may pass everything on. */
async function openApi(certificates: Certificates): Promise<Stage> {
  const users = new Map<string, User & Record<string, unknown>>();
  const http = createServer((request, response) => {
    void answer(request, users).then(({ status, data }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(data === undefined ? '' : JSON.stringify(data));
    });
  });
  const start = (certificate: Minted): Promise<CountingServer> =>
    startTlsServer({ certificate, onSocket: (socket) => http.emit('connection', socket) });
  const server = await start(certificates.genuine);
  const relays = await openRelays(certificates, start);
  const ports = { ...(await portsOf(relays)), genuine: server.port };
  let id = 0;
  return {
    store: {
      find: async (column, value) => [...users.values()].find((user) => user[column] === value),
      seed: async (email) => {
        const [, password, email_verified, nickname, username, phone_number] = await row(email);
        const user = { id: `u${++id}`, email, password, email_verified, nickname, username, phone_number } as User;
        users.set(user.id, { ...user });
        return user;
      },
    },
    settings: (place) => ({ API_URL: `https://127.0.0.1:${ports[place]}/v1`, API_KEY }),
    leaked: () => leakedTo(relays),
    leave: () => leave(relays),
    close: async () => {
      await closeAll(relays);
      await server.close();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly data?: unknown;
}

async function answer(request: IncomingMessage, users: Map<string, User & Record<string, unknown>>): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
  if (request.headers['x-api-key'] !== API_KEY) return { status: 403, data: { secret: 'no key' } };
  const url = new URL(request.url ?? '', 'https://api');
  const find = (column: string, value: unknown) => [...users.values()].find((user) => user[column] === value);
  const change = (column: string, value: unknown, changes: object): Answer => {
    const user = find(column, value);
    if (user === undefined) return { status: 404 };
    users.set(user.id, { ...user, ...changes });
    return { status: 204 };
  };
  const [, , collection, id] = url.pathname.split('/').map(decodeURIComponent);
  switch (`${request.method} ${url.pathname.replace('/v1', '')}`) {
    case 'POST /login': {
      const user = find('email', body.email);
      return user !== undefined && body.password === PASSWORD ? { status: 200, data: user } : { status: 401 };
    }
    case 'GET /users': {
      const user = find('email', url.searchParams.get('email'));
      return user === undefined ? { status: 404 } : { status: 200, data: user };
    }
    case 'POST /users': {
      if (find('email', body.email) !== undefined) return { status: 409 };
      const user = {
        id: `n${users.size}`,
        email: body.email ?? '',
        email_verified: false,
        password: body.password ?? '',
      };
      users.set(user.id, user);
      return { status: 201, data: user };
    }
    case 'POST /users/verify':
      return change('email', body.email, { email_verified: true });
    case 'PUT /users/password':
      return change('email', body.email, { password: body.password });
    case 'PUT /users/email':
      return change('email', body.email, { email: body.newEmail, email_verified: body.verified });
    case 'PUT /users/username':
      return change('username', body.username, { username: body.newUsername });
    case 'PUT /users/phone-number':
      return change('phone_number', body.phoneNumber, { phone_number: body.newPhoneNumber });
    case 'GET /invitations':
      return { status: url.searchParams.get('email') === 'user@example.com' ? 200 : 404, data: {} };
    case 'POST /registrations':
    case 'POST /password-changes':
      return { status: 201 };
    case 'POST /messages':
    case 'POST /emails':
      return { status: (body.to ?? '').startsWith('refused') ? 422 : 202 };
  }
  if (request.method === 'DELETE' && collection === 'users') return { status: users.delete(id ?? '') ? 204 : 404 };
  if (collection === 'clients' && id === 'client-id') return { status: 200, data: { plan: 'gold' } };
  if (url.pathname.endsWith('/roles')) {
    return id === 'auth0|5f7c8ec7c33c6c004bbafe82' ? { status: 200, data: { roles: ['admin'] } } : { status: 404 };
  }
  return { status: 404 };
}

type Relays = Readonly<Record<'next' | 'impostor' | 'expired', CountingServer>>;

async function openRelays(
  { next, impostor, expired }: Certificates,
  start: (certificate: Minted) => Promise<CountingServer>,
): Promise<Relays> {
  return { next: await start(next), impostor: await start(impostor), expired: await start(expired) };
}

async function portsOf(relays: Relays): Promise<Record<Exclude<Place, 'genuine'>, number>> {
  return {
    ...{ next: relays.next.port, impostor: relays.impostor.port, expired: relays.expired.port },
    down: await freePort(),
  };
}

/** The relay with the next certificate is a right server. */
function leakedTo({ impostor, expired }: Relays): number {
  return impostor.received() + expired.received();
}

const gone = new WeakSet<Relays>();

async function leave(relays: Relays): Promise<void> {
  gone.add(relays);
  await relays.next.close();
}

async function closeAll(relays: Relays): Promise<void> {
  if (!gone.has(relays)) await relays.next.close();
  await relays.impostor.close();
  await relays.expired.close();
}

function databaseSettings(place: {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}): Record<string, string> {
  const { host, port, database, user, password } = place;
  return { DB_HOST: host, DB_PORT: String(port), DB_NAME: database, DB_USER: user, DB_PASSWORD: password };
}
