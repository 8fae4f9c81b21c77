import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { certificateHex, mint, publicKeyPin, startHttpsServer } from '@certpin/testkit';
import { startMariadb } from '@certpin/testkit/mariadb';
import { startPostgres as startRealPostgres } from '@certpin/testkit/postgres';
import { Certificate, parsePin } from 'certpin';
import { parseTarget } from 'certpin/probe';
import { printConfiguration } from '../../src/forms/configurations.ts';
import { printVariable } from '../../src/forms/variable.ts';
import { startPostgres, startServer, writeTemporary } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

const HEX = /[0-9A-F]{64}/;

test('--format: every spelling of the pins, each read back as the same pin', async (t) => {
  const certificate = await mint();
  const file = writeTemporary(t, 'server.crt', certificate.certPem);
  const pin = await publicKeyPin(certificate);
  const key = parsePin(pin).sha256;
  const names = {
    FILE: file,
    HEX: certificateHex(certificate),
    COLONS: certificate.x509.fingerprint256,
    BASE64: pin.slice('sha256/'.length),
    UPPER: key,
    LOWER: key.toLowerCase(),
  };
  const expected = {
    hex: 'HEX',
    colon: 'COLONS',
    spki: 'sha256/BASE64',
    okhttp: 'sha256/BASE64',
    curl: 'sha256//BASE64',
    hpkp: 'pin-sha256="BASE64"',
    kubeadm: 'sha256:LOWER',
    tlsa: '3 1 1 UPPER\n3 0 1 HEX',
    env: 'SERVER_PINS=HEX',
  };
  for (const [form, text] of Object.entries(expected)) {
    assert.equal(await transcript(`get --format ${form} FILE`, names), `${text}\nexit 0`);
    if (form === 'env') continue;
    for (const line of text.split('\n')) {
      assert.equal(await transcript(`check FILE -q --pin ${line}`, names), 'exit 0', form);
    }
  }
  assert.equal((await certpin(['get', '--format', 'pem', file])).stdout, certificate.certPem.replace(/\s*$/, '\n'));
});

test('--chain: every presented certificate, the server first; an issuer has the TLSA usage of a CA', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' }); // not sent
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const certificate = await mint({ issuer });
  const server = await startServer(t, certificate);
  const names = {
    PORT: server.port,
    OWN: certificateHex(certificate),
    CA: certificateHex(issuer),
    OWNKEY: await publicKeyPin(certificate),
    CAKEY: await publicKeyPin(issuer),
    OWNHEX: parsePin(await publicKeyPin(certificate)).sha256,
    CAHEX: parsePin(await publicKeyPin(issuer)).sha256,
  };
  const target = '127.0.0.1:PORT';
  assert.equal(await transcript(`get -q ${target}`, names), 'OWN\nexit 0');
  assert.equal(await transcript(`get -q --chain ${target}`, names), 'OWN\nCA\nexit 0');
  assert.equal(await transcript(`get --format spki --chain ${target}`, names), 'OWNKEY\nCAKEY\nexit 0');
  assert.equal(
    await transcript(`get --format tlsa --chain ${target}`, names),
    '3 1 1 OWNHEX\n3 0 1 OWN\n2 1 1 CAHEX\n2 0 1 CA\nexit 0',
  );
  const { stdout } = await certpin(['get', '--format', 'pem', '--chain', `127.0.0.1:${server.port}`]);
  assert.equal(stdout.match(/BEGIN/g)?.length, 2);
});

test('--format tlsa: the owner of the records, where the target has a name', async (t) => {
  const { port } = await startServer(t);
  const said = await transcript('get --format tlsa localhost:PORT', { PORT: port });
  assert.match(said, /^_PORT\._tcp\.localhost\. IN TLSA 3 1 1 [0-9A-F]{64}\n_PORT\._tcp\.localhost\. IN TLSA 3 0 1 /);
});

test('--format env: the name is made of the host, and of a port that is not the usual one', async (t) => {
  const own = { certificateSha256: 'AA' };
  const nameOf = (target: string): string =>
    printVariable({ target: parseTarget(target), certificates: [own] } as never).replace('=AA', '');
  assert.deepEqual(
    [
      'api.example.com',
      'https://api.example.com:8443/x',
      'my-db.example.com:5432',
      'postgres://db:6432/app',
      'mysql://db',
      '192.0.2.1',
      '[2001:db8::1]:443',
      './certs/db.example.com.crt',
    ].map(nameOf),
    [
      'API_EXAMPLE_COM_PINS',
      'API_EXAMPLE_COM_8443_PINS',
      'MY_DB_EXAMPLE_COM_PINS',
      'DB_6432_PINS',
      'DB_PINS',
      '_192_0_2_1_PINS',
      '_2001_DB8_1_PINS',
      'DB_EXAMPLE_COM_PINS',
    ],
  );
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  assert.match(
    (await certpin(['get', '--format', 'env', '--env-name', 'DB_PINS', file])).stdout,
    /^DB_PINS=[0-9A-F]{64}\n$/,
  );
});

test('mistakes with forms: exit 2, nobody is asked', async (t) => {
  const server = await startServer(t);
  const postgres = await startPostgres(t, server.certificate);
  const mistakes = {
    [`get --format pg tls://127.0.0.1:${server.port}`]: `tls://127.0.0.1:${server.port}: --format pg is for a server named postgres://host:port, or a certificate file`,
    [`get --format fetch postgres://127.0.0.1:${postgres.port}`]: `postgres://127.0.0.1:${postgres.port}: --format fetch is for a server named https://host:port, or a certificate file`,
    'get --format pg --chain a.pem': '--chain does not go with --format pg',
    'get --format env --chain a.pem': '--chain does not go with --format env',
    'get --env-name X a.pem': '--env-name goes with --format env',
    'get --format env --env-name 1X a.pem': '--env-name may contain only letters, digits and _',
    'get --format env --env-name X a.pem b.pem': '--env-name is the name of one target',
    'get --format hex -q a.pem': "option '--format <form>' cannot be used with option '-q, --quiet'",
  };
  for (const [command, error] of Object.entries(mistakes)) {
    assert.equal(
      await transcript(command),
      `2> certpin: error: ${error}\n2> certpin: hint: certpin help get\nexit 2`,
      command,
    );
  }
  assert.equal(server.connections(), 0);
  assert.deepEqual(postgres.received, []);
});

test('--format pg: a server on a port of no protocol is asked as PostgreSQL, at once', async (t) => {
  const certificate = await mint();
  const server = await startPostgres(t, certificate);
  const { stdout, code } = await certpin(['get', '--format', 'pg', `127.0.0.1:${server.port}`]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`port: ${server.port},[^]*pins: '${certificateHex(certificate)}'`));
  const sslRequest = Buffer.from('0000000804d2162f', 'hex');
  assert.deepEqual(server.received, [sslRequest]); // found out, it would have been asked in TLS first
});

test('a host cannot leave its string in a configuration', async () => {
  const evil = "x', evil: process.exit(7), y: '\\";
  assert.equal((await certpin(['get', '--format', 'fetch', 'localhost:1', '--servername', evil])).code, 2);
  const text = printConfiguration('fetch').print({
    target: { protocol: 'tls', label: evil, host: evil, port: 443 },
    certificates: [new Certificate((await mint()).x509.raw)],
    servername: evil,
    envName: undefined,
  });
  const read = (literal: RegExp): string => new Function(`return ${literal.exec(text)?.[1] ?? ''}`)();
  assert.equal(read(/servername: (.*) } }\);/), evil);
  assert.equal(read(/await api\((.*)\);/), `https://[${evil}]/`); // as of an IPv6 address, for its colons
});

/** Runs a configuration that was printed, with more code below it. */
async function runPasted(
  t: TestContext,
  code: string,
  more: string,
  env: Record<string, string> = {},
): Promise<string> {
  const file = writeTemporary(t, 'pasted.mjs', `${code}\n${more}\n`);
  const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
  symlinkSync(modules, join(dirname(file), 'node_modules'));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...env } });
  return stdout;
}

/** The same configuration with a pin of nobody's. */
function withWrongPin(code: string): string {
  return code.replace(HEX, 'AB'.repeat(32));
}

test('--format pg: the pasted configuration logs in to a real PostgreSQL, and not with another pin', async (t) => {
  const server = await startRealPostgres({ certificate: await mint() });
  t.after(server.stop);
  const target = `postgres://${server.user}:${PASSWORD}@${server.host}:${server.port}/app`;
  const { stdout } = await certpin(['get', '--format', 'pg', target]);
  const env = { DB_USER: server.user, DB_PASSWORD: server.password, DB_NAME: server.database };
  const query = `
const { rows } = await pool.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()').catch((error) => ({ rows: error.code }));
console.log(JSON.stringify(rows));
await pool.end();`;
  assert.equal(await runPasted(t, stdout, query, env), '[{"ssl":true}]\n');
  assert.equal(await runPasted(t, withWrongPin(stdout), query, env), '"ERR_PIN_MISMATCH"\n');
});

test('--format mysql2: the pasted configuration logs in to a real MariaDB, and not with another pin', async (t) => {
  const server = await startMariadb({ certificate: await mint() });
  t.after(server.stop);
  const { stdout } = await certpin(['get', '--format', 'mysql2', `mysql://${server.host}:${server.port}`]);
  const env = { DB_USER: server.user, DB_PASSWORD: server.password, DB_NAME: server.database };
  const query = `
const [rows] = await pool.query('SELECT 1 AS one').catch((error) => [error.code]);
console.log(JSON.stringify(rows));
await pool.end();`;
  assert.equal(await runPasted(t, stdout, query, env), '[{"one":1}]\n');
  assert.equal(await runPasted(t, withWrongPin(stdout), query, env), '"ERR_PIN_MISMATCH"\n');
});

for (const [format, request] of Object.entries({
  fetch: 'console.log(response.status);\nawait api.dispatcher.close();',
  axios: "const { status } = await api.get('/');\nconsole.log(status);",
})) {
  test(`--format ${format}: the pasted configuration reaches a real server, and not with another pin`, async (t) => {
    const server = await startHttpsServer({ certificate: await mint() });
    t.after(server.close);
    const { stdout } = await certpin(['get', '--format', format, `https://${server.host}:${server.port}`]);
    assert.equal(await runPasted(t, stdout, request), '200\n');
    server.forget();
    await assert.rejects(runPasted(t, withWrongPin(stdout), request), /ERR_PIN_MISMATCH/);
    assert.equal(server.received(), 0);
  });
}
