import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { startServer, writeTemporary } from './peers.ts';
import { certpin, PASSWORD } from './transcript.ts';

/** Whatever orders a terminal about, hides, turns text around, or ends a line where the program does not. */
const INVISIBLE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** What is no character at all, and no text file and no XML may hold: U+FFFE, U+FFFF, others of their kind, half a pair. */
const NONCHARACTERS = '\uFFFE\uFFFF\uFDD0\u{1FFFE}\u{10FFFF}';

/** A folder and a file in it whose names say what certpin has not said: clear the screen, another line, text that runs backwards. */
const FOLDER = 'd\u001B[2J\npin matched';
const NAME = `x\u009B2J\u202Egpj\u2028${NONCHARACTERS}.pem`;

function writeHostile(t: TestContext, content: string): string {
  const folder = join(dirname(writeTemporary(t, 'pins.txt', '')), FOLDER);
  mkdirSync(folder);
  const path = join(folder, NAME);
  writeFileSync(path, content);
  return path;
}

test('a file name cannot give the terminal orders, nor make a line of its own', async (t) => {
  const certificate = await mint();
  const file = writeHostile(t, certificate.certPem);
  const csv = await certpin(['get', '--csv', file]);
  assert.doesNotMatch(csv.stdout.replaceAll('\r\n', '\n'), INVISIBLE);
  const json = await certpin(['get', '--json', file]);
  assert.doesNotMatch(json.stdout, INVISIBLE);
  assert.equal(json.stdout.split(/[\n\u0085\u2028\u2029]/).length, 2);
  assert.equal(JSON.parse(json.stdout).target, file);
  const key = writeHostile(t, `${certificate.x509.publicKey.export({ type: 'spki', format: 'pem' })}`);
  const pin = (await certpin(['get', '-q', key])).stdout.trim();
  const encrypted = writeHostile(t, encryptedKey());
  for (const argv of [
    ['get', file],
    ['check', file, '--pin', certificateHex(certificate)],
    ['get', key],
    ['check', key, '--pin', pin],
    ['check', key, '--pin', 'sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
    ['get', encrypted],
    ['trust', 'a.example:1', '--from', file, '--file', join(dirname(file), 'pins.json'), '--yes'],
    ['trust', 'b.example:1', '--from', file, '--file', join(dirname(file), 'pins.json')],
    ['trust', 'a.example:1', '--from', file, '--file', join(dirname(file), 'pins.json')],
  ]) {
    const { stdout, stderr } = await certpin(argv, { typed: 'wrong', confirmed: false });
    const said = stdout + stderr;
    assert.doesNotMatch(said, INVISIBLE, argv.join(' '));
    assert.doesNotMatch(said, /^pin matched\//m, argv.join(' '));
  }
});

function encryptedKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

test('a certificate and a note are text in every report: no order, no markup, no link, no formula', async (t) => {
  const subject = 'CN=[certpin](https://evil.example)\\, {0}]]><b>';
  const server = await startServer(t, await mint({ subject, names: [`a'"\`$(x)`, '=cmd'] }));
  const note = '\uFF1DHYPERLINK(1) [x](https://evil.example) {1}\n\u001B[2J\u202E]]>\u0085';
  const entry = { target: `tls://127.0.0.1:${server.port}`, pins: ['AB'.repeat(32)], note };
  const file = writeTemporary(t, 'certpin.json', JSON.stringify({ version: 1, targets: [entry] }));
  const report = async (form: string): Promise<string> => {
    const { stdout, code } = await certpin(['check', '--file', file, ...(form === '' ? [] : [form])]);
    assert.equal(code, 1);
    assert.doesNotMatch(stdout.replaceAll('\r\n', '\n'), INVISIBLE, form);
    return stdout;
  };
  assert.match(await report(''), /\n {2}presented: CN=\[certpin\]/);
  assert.equal(JSON.parse(await report('--json')).note, note);
  assert.match(await report('--junit'), /CN=\[certpin\]\(https:.*&gt;.*&lt;b/);
  const [{ results }] = JSON.parse(await report('--sarif')).runs;
  const { text } = results[0].message;
  assert.match(text, /CN=\[certpin\] \(https:\/\/evil\.example\).*\{\{0\}\}\]\]/);
  assert.match(text, /note: .*\[x\] \(https.*\{\{1\}\}\n/);
  assert.doesNotMatch(text, INVISIBLE);
  const csv = await report('--csv');
  assert.match(csv, /,"'\uFF1DHYPERLINK\(1\) \[x\]/);
});

test('a name of 45 kB, and names that are no text, in every report and message', async (t) => {
  const name = `${NONCHARACTERS}${'A'.repeat(20_000)}`;
  const server = await startServer(t, await mint({ subject: `CN=${name}`, names: [`${'b'.repeat(45_000)}.example`] }));
  const target = `tls://127.0.0.1:${server.port}`;
  const note = `${NONCHARACTERS}\uD800 note`;
  const entry = { target, pins: ['AB'.repeat(32)], note };
  const file = writeTemporary(t, 'certpin.json', JSON.stringify({ version: 1, targets: [entry] }));
  for (const argv of [
    ['get', target],
    ['get', target, '--chain'],
    ['trust', target, '--file', join(dirname(file), 'new.json')],
  ]) {
    const { stdout, stderr } = await certpin(argv, { confirmed: false });
    assert.doesNotMatch(stdout + stderr, INVISIBLE, argv.join(' '));
    assert.ok((stdout + stderr).length < 12_000, `${argv.join(' ')}: ${(stdout + stderr).length}`);
  }
  for (const form of ['', '--json', '--csv', '--junit', '--sarif']) {
    const { stdout } = await certpin(['check', '--file', file, ...(form === '' ? [] : [form])]);
    assert.doesNotMatch(stdout.replaceAll('\r\n', '\n'), INVISIBLE, form);
  }
  // What a program reads is whole.
  const { certificate } = JSON.parse((await certpin(['get', '--json', target])).stdout);
  assert.ok(certificate.subject.length > 20_000);
});

test('a connection string in the place of a file, or of a name, is neither repeated nor sent nor made a file', async (t) => {
  const server = await startServer(t);
  const target = `127.0.0.1:${server.port}`;
  const file = writeTemporary(t, 'server.crt', server.certificate.certPem);
  for (const login of [
    `postgres://me:${PASSWORD}@db/app`,
    `Server=db;Password=${PASSWORD}`,
    `me@${PASSWORD}`,
    `unix:/run/x.sock;password=${PASSWORD}`,
    `postgres+unix:/run/x.sock ${PASSWORD}`,
    `unix:/run/x.sock:${PASSWORD}`,
  ]) {
    for (const argv of [
      ['get', `${login}:0`],
      ['get', `${login}:0`, '--json'],
      ['check', `${login}:0`, '--pin', 'AB'.repeat(32)],
      ['check', '--file', login],
      ['check', '--file', login, '--json'],
      ['get', '--targets-file', login],
      ['check', file, '--pins-file', login],
      ['check', file, '--pins-file', login, '--json'],
      ['trust', file, '--yes', '--file', login],
      ['trust', target, '--yes', '--from', login],
      ['trust', target, '--yes', '--servername', login],
      ['get', target, '--servername', login],
      ['get', target, '--cert', login, '--key', login],
    ]) {
      const { code } = await certpin(argv); // looks for the password itself
      assert.equal(code, 2, argv.join(' '));
    }
  }
  assert.deepEqual(server.asked, []);
  // What is there, or can be made, has its name.
  const folder = join(dirname(file), 'me@example.com');
  mkdirSync(folder);
  const pins = join(folder, 'certpin.json');
  assert.equal((await certpin(['trust', target, '--yes', '--file', pins])).code, 0);
  assert.equal(JSON.parse(readFileSync(pins, 'utf8')).targets.length, 1);
  const { stderr } = await certpin(['check', '--file', join(folder, 'none.json')]);
  assert.match(stderr, /me@example\.com\/none\.json: no such file\n/);
});
