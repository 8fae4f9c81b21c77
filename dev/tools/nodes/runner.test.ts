// The accident this prevents: on some Node, the program in which scripts run does not start, or redirects no connection to the impostors.
// Then every proof on that Node would succeed.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { mint, startHttpsServer } from '@certpin/testkit';
import { prove } from '../../../packages/auth0/src/prove/index.ts';
import { runScript } from '../../../packages/auth0/src/run/index.ts';

const args = { email: 'ada@example.com', password: 'correct horse' };
const folder = mkdtempSync(join(tmpdir(), 'certpin-runner-'));
test.after(() => rmSync(folder, { recursive: true }));

test('a script runs on this Node, imports modules, and writes no file from Node 22 on', async () => {
  const file = join(folder, 'written');
  const write = ['writeFile', 'promises.writeFile', 'writeFileSync', 'createWriteStream', 'open'];
  const source = `async function login(email, password, callback) {
    const fs = require('fs');
    const { createHash } = await import('node:crypto');
    const code = (work) => new Promise((resolve) => work((error) => resolve(error ? error.code : 'written'))).catch((error) => error.code);
    const codes = [
      await code((done) => fs.writeFile(configuration.FILE, '', done)),
      await fs.promises.writeFile(configuration.FILE, '').then(() => 'written', (error) => error.code),
      await code((done) => { fs.writeFileSync(configuration.FILE, ''); done(); }),
      await code((done) => fs.createWriteStream(configuration.FILE).on('error', done).on('finish', () => done()).end()),
      await code((done) => fs.open(configuration.FILE, 'a', done)),
    ];
    const entries = (await import('fs')).readdirSync('.').length > 0;
    callback(null, { user_id: createHash('sha256').update(email).digest('hex'), email, codes, entries });
  }`;
  const result = await runScript({ source }, { args, configuration: { FILE: file } });
  assert.equal(result.status, 'success', JSON.stringify(result));
  assert.equal(result.node, process.version);
  const [profile] = result.outcome.type === 'callback' ? (result.outcome.values as [{ codes: string[] }]) : [];
  const isReadOnly = Number(/^v(\d+)/.exec(process.version)?.[1]) >= 22;
  const expected = isReadOnly ? 'EROFS' : 'written';
  assert.equal(existsSync(file), !isReadOnly);
  assert.deepEqual(
    profile?.codes,
    write.map(() => expected),
  );
});

for (const [client, call] of [
  [
    'https',
    "require('https').get(configuration.URL, (response) => response.resume().on('end', () => done())).on('error', done)",
  ],
  ['fetch', 'fetch(configuration.URL).then((response) => response.text()).then(() => done(), done)'],
] as const) {
  test(`${client} is led to the impostors on this Node`, async (t) => {
    const ca = await mint({ subject: 'CN=Public CA', ca: true });
    const server = await startHttpsServer({ certificate: await mint({ issuer: ca }) });
    t.after(server.close);
    const trustedCaFile = join(folder, 'ca.pem');
    writeFileSync(trustedCaFile, ca.certPem);
    const source = `function login(email, password, callback) {
      const done = (error) => (error ? callback(error) : callback(null, { user_id: '1', email }));
      ${call};
    }`;
    const configuration = { URL: `https://localhost:${server.port}/users?email=ada@example.com` };
    const { finding, servers } = await prove({ source }, { args, configuration, trustedCaFile, stallMs: 3000 });
    assert.equal(finding, 'leaked');
    const atOnce = servers[0]?.trials.filter(({ moment }) => moment === 'at-once');
    assert.deepEqual(
      atOnce?.map(({ impostor, bytes, connections }) => [impostor, bytes > 0, connections > 0]),
      [
        ['another-key', false, true],
        ['self-signed', false, true],
        ['genuine-chain', false, true],
        ['genuine-issuer', false, true],
        ['trusted-ca', true, true],
        ['trusted-namesake', true, true],
        ['trusted-chain', true, true],
        ['another-name', false, true],
        ['asked-name', true, true],
        ['common-name', true, true],
        ['expired', false, true],
        ['expiring', true, true],
        ['renewed', true, true],
        ['stolen-certificate', false, true],
        ['plaintext', false, true],
      ],
    );
  });
}
