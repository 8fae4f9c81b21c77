// Impostors of SQL Server and MongoDB: what generated scripts do there, and what scripts do that switch the verification off.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { certificateHex, longOnly, mint } from '@certpin/testkit';
import { type MongodbServer, startMongodb } from '@certpin/testkit/mongodb';
import { startTdsServer, type TdsServer } from '@certpin/testkit/tds';
import { findPackage } from '../../../../dev/tools/nodes/packages.ts';
import { createScripts, type ProofReport, prove, type ScriptClient } from '../../src/index.ts';
import { nodeOf } from '../nodes.ts';

const folder = mkdtempSync(join(tmpdir(), 'certpin-prove-databases-'));
const email = 'ada@example.com';
const login = { user: 'app-user', password: 'a secret of the database' };
const right = await mint();

let tds: TdsServer;
let mongodb: MongodbServer;
before(async () => {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  const installed = {
    tedious: findPackage('tedious-11')?.folder,
    mongodb: findPackage('mongodb-5.1')?.folder,
  };
  for (const [name, place] of Object.entries(installed)) symlinkSync(place ?? assert.fail(name), join(modules, name));
  [tds, mongodb] = await Promise.all([
    startTdsServer({ certificate: right, run: () => [{ id: '7', email }] }),
    startMongodb({ certificate: right, login }),
  ]);
});
after(async () => {
  await Promise.all([tds.close(), mongodb.close()]);
  rmSync(folder, { recursive: true });
});

const serverOf = (client: 'tedious' | 'mongodb'): TdsServer | MongodbServer => (client === 'tedious' ? tds : mongodb);

const configurationOf = (client: 'tedious' | 'mongodb') => ({
  ...{ DB_HOST: '127.0.0.1', DB_PORT: String(serverOf(client).port), DB_NAME: 'app' },
  ...{ DB_USER: login.user, DB_PASSWORD: login.password, DB_PINS: certificateHex(right) },
});

/** Node 22 announces TLS sockets. */
const proof = (client: 'tedious' | 'mongodb', source: string): Promise<ProofReport> =>
  prove(
    { source, folder, fileName: 'get_user.js' },
    { args: { email }, configuration: configurationOf(client), node: nodeOf(22), stallMs: 3_000 },
  );

function generated(client: ScriptClient): string {
  const [file] = createScripts({ kind: 'database', client, keys: ['get_user'], userIdPrefix: '' });
  return file?.content ?? assert.fail('no script');
}

const tediousScript = (options: string): string => `function getUser(email, callback) {
  const { Connection, Request } = require('tedious');
  const connection = new Connection({
    server: configuration.DB_HOST,
    authentication: { type: 'default', options: { userName: configuration.DB_USER, password: configuration.DB_PASSWORD } },
    options: { port: Number(configuration.DB_PORT), database: 'app', ${options} },
  });
  connection.on('error', () => {});
  connection.connect((error) => {
    if (error) return callback(error);
    connection.execSql(new Request('SELECT 1', (failure) => { connection.close(); callback(failure, failure ? null : { user_id: '7', email }); }));
  });
}`;

const mongodbScript = (options: string): string => `async function getUser(email, callback) {
  const { MongoClient } = require('mongodb');
  const { DB_HOST, DB_PORT, DB_USER, DB_PASSWORD } = configuration;
  const client = new MongoClient(\`mongodb://\${DB_HOST}:\${DB_PORT}/\`, {
    auth: { username: DB_USER, password: DB_PASSWORD }, authSource: 'admin', serverSelectionTimeoutMS: 1000, ${options},
  });
  try {
    await client.db('app').collection('users').findOne({ email });
    callback(null, { user_id: '7', email });
  } catch (error) {
    callback(error);
  } finally {
    await client.close();
  }
}`;

const wrong: readonly (readonly [
  client: 'tedious' | 'mongodb',
  name: string,
  source: string,
  kinds: readonly string[],
])[] = [
  [
    'tedious',
    'trustServerCertificate',
    tediousScript('encrypt: true, trustServerCertificate: true'),
    ['password', 'user name'],
  ],
  [
    'tedious',
    'a server that says it encrypts nothing',
    tediousScript(`encrypt: true, cryptoCredentialsDetails: { ca: ${JSON.stringify(right.certPem)} }`),
    ['password', 'user name'],
  ],
  [
    'mongodb',
    'tlsAllowInvalidCertificates',
    mongodbScript('tls: true, tlsAllowInvalidCertificates: true'),
    ['greeting', 'user name'],
  ],
];

describe('prove: SQL Server and MongoDB', () => {
  for (const [client, speech] of [
    ['tedious', 'mssql'],
    ['mongodb', 'http'],
  ] as const)
    test(`the generated script holds: ${client}`, longOnly, async () => {
      const report = await proof(client, generated(client));
      assert.deepEqual([report.finding, report.reasons], ['held', []], JSON.stringify(report.control));
      assert.deepEqual([report.servers.length, report.servers[0]?.speech, report.servers[0]?.tls], [1, speech, true]);
      assert.equal(report.servers[0]?.certificateSha256, certificateHex(right));
    });

  for (const [client, name, source, kinds] of wrong)
    test(`is not held: ${client}, ${name}`, longOnly, async () => {
      const report = await proof(client, source);
      assert.equal(report.finding, 'leaked', JSON.stringify(report.control));
      const seen = report.servers.flatMap(({ trials }) => trials.flatMap((trial) => trial.kinds));
      for (const kind of kinds) assert.ok(seen.includes(kind), `${kind}: ${[...new Set(seen)]}`);
    });
});
