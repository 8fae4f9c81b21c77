import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeTemporary } from '../peers.ts';
import { certpin, transcript } from '../transcript.ts';

/** They come with the package. */
const pages = join(dirname(fileURLToPath(import.meta.resolve('@certpin/auth0/lint'))), '../docs/lint');

const FAULT = "require('axios').create({ httpsAgent });\nconst ssl = { rejectUnauthorized: false };\n";
const REPAIRED =
  "require('axios').get('https://x', { maxRedirects: 0, httpsAgent: require('certpin/https').pinnedAgent(pins) });\n";

test('lint: 0 nothing was found, 1 something was, 2 a file could not be read', async (t) => {
  const clean = writeTemporary(t, 'clean.js', 'module.exports = 1;\n');
  const faulty = writeTemporary(t, 'faulty.js', FAULT);
  const broken = writeTemporary(t, 'broken.js', 'function (');
  assert.equal(await transcript('lint CLEAN', { CLEAN: clean }), '2> certpin: summary: 1 file, 0 findings\nexit 0');
  assert.equal(
    await transcript('lint FAULTY', { FAULTY: faulty }),
    `FAULTY
  1:27  error  require-axios-proxy-false
    Where HTTPS_PROXY is set, or a proxy is given, axios does not use this httpsAgent as it is: the request is sent without its checks.
    Write proxy: false beside httpsAgent.
    suggestion: Write proxy: false beside httpsAgent. Look first: the request then goes to the server itself, so this agent has to verify it, and no URL and no redirect may lead to http.
  2:15  error  no-reject-unauthorized-false
    rejectUnauthorized: false accepts every certificate: whoever stands between you and the server reads and changes everything.
    Pin the server's certificate with certpin, or give the certificate itself as ca.

2> certpin: summary: 1 file, 2 findings, 1 suggestion to decide about
2> certpin: hint: certpin lint --explain require-axios-proxy-false
exit 1`,
  );
  assert.equal(
    await transcript('lint BROKEN CLEAN GONE.js', { BROKEN: broken, CLEAN: clean }),
    `BROKEN
  1:10  error  Unexpected token

GONE.js
  error  no such file

2> certpin: summary: 3 files, 0 findings, 2 files could not be read
exit 2`,
  );
});

test('lint: JSON, SARIF, one rule, --fix', async (t) => {
  const file = writeTemporary(t, 'faulty.js', FAULT);
  const json = await certpin(['lint', file, '--json', '--rule', 'no-reject-unauthorized-false']);
  const { path, findings, fixed } = JSON.parse(json.stdout);
  assert.deepEqual(
    { path, fixed, count: findings.length, code: json.code },
    { path: file, fixed: false, count: 1, code: 1 },
  );
  const sarif = await certpin(['lint', file, '--format', 'sarif']);
  assert.equal(JSON.parse(sarif.stdout).runs[0].results.length, 2);
  const before = await certpin(['lint', file, '--fix', '--json', '--rule', 'require-axios-proxy-false']);
  const [{ suggestion, fix }] = JSON.parse(before.stdout).findings;
  assert.deepEqual([fix, suggestion.edit], [undefined, { range: [26, 26], text: 'proxy: false, ' }]);
  assert.equal(readFileSync(file, 'utf8'), FAULT, 'a suggestion is not written');
  const repaired = writeTemporary(t, 'repaired.js', REPAIRED);
  assert.match((await certpin(['lint', repaired])).stderr, /1 finding, 1 of them to be repaired by --fix/);
  assert.equal((await certpin(['lint', repaired, '--fix'])).code, 0);
  assert.equal(readFileSync(repaired, 'utf8'), REPAIRED.replace('httpsAgent:', 'proxy: false, httpsAgent:'));
});

test('lint: a rule that does not exist is a mistake in the command line, and is not repeated', async () => {
  const { stdout, stderr, code } = await certpin(['lint', 'x.js', '--rule', 'correct']);
  assert.deepEqual({ stdout, code }, { stdout: '', code: 2 });
  assert.match(
    stderr,
    /^certpin: error: --rule takes one of no-reject-unauthorized-false, .*\ncertpin: hint: certpin help lint\n$/,
  );
});

test('lint: each rule has a page that comes with the package, and every report names it from there', async (t) => {
  const file = writeTemporary(t, 'faulty.js', FAULT);
  const { findings } = JSON.parse((await certpin(['lint', file, '--json'])).stdout);
  const [run] = JSON.parse((await certpin(['lint', file, '--format', 'sarif'])).stdout).runs;
  const named = [
    ...findings.map(({ page }: { page: string }) => page),
    ...run.tool.driver.rules.map(({ help }: { help: { text: string } }) => help.text),
  ];
  assert.ok(named.length > 15);
  for (const page of named) {
    const [, name = ''] = /^@certpin\/auth0\/dist\/docs\/lint\/([\w-]+\.md)$/.exec(page) ?? [];
    assert.ok(existsSync(join(pages, name)), page);
  }
});

test('lint: --explain prints the page of a rule, which needs no other file; it takes no path and no unknown rule', async () => {
  for (const name of readdirSync(pages).map((file) => file.replace(/\.md$/, ''))) {
    const { stdout, stderr, code } = await certpin(['lint', '--explain', name]);
    assert.deepEqual({ stderr, code }, { stderr: '', code: 0 }, name);
    assert.match(stdout, new RegExp(`^# ${name}\n\n[\\s\\S]*\n$`));
    // Whoever has the package alone can follow every link.
    for (const [, link = ''] of stdout.matchAll(/\]\(([^)]+)\)/g)) assert.match(link, /^https:/, name);
  }
  assert.match((await certpin(['lint', '--explain', 'require-tls'])).stdout, /\n## What to write instead\n/);
  assert.match(
    await transcript('lint --explain correct'),
    /^2> certpin: error: --explain takes one of no-reject-unauthorized-false, .*, unused-disable\n2> certpin: hint: certpin help lint\nexit 2$/,
  );
  assert.equal(
    await transcript('lint --explain require-tls x.js'),
    '2> certpin: error: --explain reads no file: leave the paths out\n2> certpin: hint: certpin help lint\nexit 2',
  );
  assert.equal((await certpin(['lint', '--explain', 'require-tls', '--fix'])).code, 2);
  assert.equal(
    await transcript('lint'),
    '2> certpin: error: give a file or a folder\n2> certpin: hint: certpin help lint\nexit 2',
  );
});

test('lint: a database.json and a script in TypeScript are named in plain words', async (t) => {
  const configuration = writeTemporary(t, 'database.json', '{"options":{"customScripts":{"login":"./login.js"}}}');
  const typescript = writeTemporary(t, 'login.js', 'function login(email: string, password: string, callback) {}\n');
  assert.equal(
    await transcript('lint JSON TYPESCRIPT', { JSON: configuration, TYPESCRIPT: typescript }),
    `JSON
  error  this file names its scripts by their paths and holds no script: name the folder with the scripts

TYPESCRIPT
  1:21  error  this is TypeScript, but Auth0 accepts only JavaScript: lint the compiled file, or rename this file to .ts

2> certpin: summary: 2 files, 0 findings, 2 files could not be read
exit 2`,
  );
});

test('lint: in a script that can require no package of ours the advice is the command that puts the block there', async (t) => {
  const script =
    "function login(email, password, callback) {\n  new (require('pg').Pool)({ host: 'db', ssl: SSL });\n}\n";
  const file = writeTemporary(t, 'login.js', script.replace('SSL', 'false'));
  assert.match(
    await transcript('lint FILE', { FILE: file }),
    /Pin the certificate with certpin \(certpin auth0 block pg --insert FILE\), or verify it/,
  );
  const other = writeTemporary(t, 'get_user.js', script.replace('SSL', '{ rejectUnauthorized: false }'));
  assert.match(
    await transcript('lint FILE', { FILE: other }),
    /with certpin \(certpin auth0 block CLIENT --insert FILE\), or give/,
  );
  const fetching = writeTemporary(
    t,
    'verify.js',
    'function verify(email, callback) {\n  fetch("https://x", { agent });\n}\n',
  );
  assert.match(
    await transcript('lint FILE --rule no-fetch-agent', { FILE: fetching }),
    /the fetch of certpin \(certpin auth0 block fetch --insert FILE\), or its agent/,
  );
  assert.match(await transcript('lint FILE --as other', { FILE: file }), /with certpin \(certpin\/pg\)/);
});
