import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { certificateHex, longOnly, mint } from '@certpin/testkit';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { type FakeTenant, startFakeTenant } from '@certpin/testkit/tenant';
import { hash } from 'bcryptjs';
import pg from 'pg';
import { createScripts } from '../src/new/index.ts';
import { nodeOf } from './nodes.ts';
import { runInContainers } from './run/tenant-container.ts';

// The commands of docs/reference/rotation.md, as they stand there: against a real PostgreSQL, and a tenant whose logins go to it.

const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(root, 'docs/reference/rotation.md'), 'utf8');
const PASSWORD = 'correct horse battery staple';
const DAY = 86_400_000;

/** In the page, for what differs in each run. */
const shown = {
  server: '60303AE22B998861BCE3B28F33EEC1BE758A213C86C93C076DBE9F558C11C752',
  next: '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08',
  third: '2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE',
  fourth: 'FCDE2B2EDBA56BF408601FB721FE9B5C338D10EE429EA04FAE5511B68FBF8FB9',
} as const;

/** The fenced blocks, and what the page says in a comment of its own line that happens meanwhile. */
function blocksOf(text: string): { readonly language: string; readonly text: string }[] {
  const found = text.matchAll(/^```(\w+)\n([\s\S]*?)^```$|^<!-- (.*) -->$/gm);
  return [...found].map(([, language = 'event', block = '', event]) => ({ language, text: event ?? block }));
}

test('docs/reference/rotation.md: every command, and every line of output that it shows', longOnly, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-rotation-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const certificates = { server: await mint(), next: await mint(), third: await mint(), fourth: await mint() };
  const server = await startPostgres({ certificate: certificates.server });
  t.after(() => server.stop());
  const tenant = await startTenant(server, certificateHex(certificates.server));
  t.after(() => tenant.close());
  const work = join(folder, 'work');
  mkdirSync(join(work, 'deploy'), { recursive: true });
  for (const [name, { certPem, keyPem }] of Object.entries(certificates)) {
    writeFileSync(join(work, `${name}.crt`), certPem);
    writeFileSync(join(work, `${name}.key`), keyPem);
  }
  writeFileSync(join(work, 'values.json'), JSON.stringify({ connections: { customers: valuesOf(server) } }));
  writeFileSync(join(work, 'deploy/production.env'), `DB_PINS=${certificateHex(certificates.server)}\n`);

  const own = Object.entries(shown).map(
    ([name, text]) => [certificateHex(certificates[name as keyof typeof shown]), text] as const,
  );
  const toOwn = (text: string): string =>
    own
      .reduce((done, [real, inPage]) => done.replaceAll(inPage, real), text)
      .replaceAll('db.example.com', `localhost:${server.port}`);
  const toShown = (text: string): string =>
    own
      .reduce((done, [real, inPage]) => done.replaceAll(real, inPage), text)
      .replaceAll(`localhost:${server.port}`, 'db.example.com')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '2027-03-01 09:00 UTC')
      .replace(/\.old-\d{8}T\d{6}Z/g, '.old-20270301T090000Z');

  const env = { ...process.env, ...tenant.credentials, ...writePrograms(folder, server, tenant), ...canary };
  let output = '';
  let printed = '';
  let isJudged = true;
  const done: Record<string, number> = {};
  for (const { language, text } of blocksOf(page)) {
    done[language] = (done[language] ?? 0) + 1;
    if (language === 'json') writeFileSync(join(work, 'certpin.json'), toOwn(text));
    else if (language === 'event') {
      if (text === '24 hours pass') pass(join(work, 'certpin.rotations.json'));
      else if (text === 'on the server: the printed commands') {
        const [, commands = ''] = printed.split(/^on each server.*\n/m);
        const lines = commands.split('\n').filter((line) => /^ {2}(?!#)/.test(line));
        const { code, stderr } = await runScript(lines.join('\n'), work, env);
        assert.equal(code, 0, stderr);
        await presents(work, env);
      } else assert.fail(text);
    } else if (language === 'sh') {
      assert.ok(isJudged, `an exit code that nobody looked at:\n${output}`);
      const { stdout, stderr, code } = await runScript(toOwn(text), work, env);
      if (/^on each server/m.test(stdout)) printed = stdout;
      output = `${toShown(`${stdout}${stderr}`)}${code === 0 ? '' : `exit ${code}\n`}`;
      isJudged = code === 0;
      for (const secret of [server.password, PASSWORD]) assert.ok(!output.includes(secret), 'a password was printed');
    } else if (language === 'text') {
      const lines = text.trimEnd().split('\n');
      for (const line of lines) assert.ok(output.split('\n').includes(line), `${line}\n--- is not in\n${output}`);
      isJudged ||= lines.some((line) => line.startsWith('exit '));
    }
  }
  assert.ok(isJudged);
  assert.deepEqual(done, { json: 1, sh: 14, text: 15, event: 3 });
});

const canary = { CERTPIN_CANARY_USERNAME: 'canary@example.com', CERTPIN_CANARY_PASSWORD: PASSWORD };

function valuesOf({ host, port, user, password, database }: Postgres): Record<string, string> {
  return { DB_HOST: host, DB_PORT: String(port), DB_NAME: database, DB_USER: user, DB_PASSWORD: password };
}

async function startTenant(server: Postgres, pin: string): Promise<FakeTenant> {
  const { host, port, user, password, database } = server;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  await client.query(
    'CREATE TABLE users (id serial PRIMARY KEY, email varchar(100) UNIQUE, password varchar(100), email_verified boolean, nickname varchar(100))',
  );
  const row = ['canary@example.com', await hash(PASSWORD, 4)];
  await client.query("INSERT INTO users (email, password, email_verified, nickname) VALUES ($1, $2, true, 'c')", row);
  await client.end();
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const tenant = await startFakeTenant({ runContainer: runInContainers({ node: nodeOf(22), cwd }) });
  const scripts = createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', keys: ['login'] });
  const login = scripts.find(({ path }) => path === 'login.js')?.content ?? assert.fail('no script');
  tenant.addConnection({
    name: 'customers',
    options: {
      ...{ enabledDatabaseCustomization: true, import_mode: false, customScripts: { login } },
      configuration: { ...valuesOf(server), DB_PINS: pin },
    },
  });
  return tenant;
}

/** Programs that the page calls: certpin as it was built, which finds the tenant of the test; and what of psql the commands need. */
function writePrograms(folder: string, server: Postgres, tenant: FakeTenant): Record<string, string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  // Whatever stands in a folder above: psql has no ending that would say what it is.
  writeFileSync(join(bin, 'package.json'), '{"type": "commonjs"}');
  writeFileSync(join(folder, 'ca.pem'), tenant.ca);
  const lead = join(folder, 'lead.cjs');
  writeFileSync(
    lead,
    `const own = globalThis.fetch;
globalThis.fetch = (url, init) => own(String(url).replace('https://${tenant.domain}/', '${tenant.origin}/'), init);\n`,
  );
  const { port, user, password } = server;
  const settings = JSON.stringify({ host: 'localhost', port, user, password, database: 'postgres' });
  const programs = {
    certpin: `#!/bin/sh\nexec '${process.execPath}' --require '${lead}' '${join(root, 'packages/cli/bin/certpin.cjs')}' "$@"\n`,
    psql: `#!${process.execPath}
const { Client } = require(${JSON.stringify(createRequire(import.meta.url).resolve('pg'))});
const client = new Client(${settings});
client.connect().then(() => client.query({ text: process.argv.at(-1), rowMode: 'array' }))
  .then(({ rows }) => console.log(rows.map(([value]) => (value === true ? 't' : value)).join('\\n')))
  .finally(() => client.end());\n`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  return { PATH: `${bin}${delimiter}${process.env.PATH}`, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
}

/** Everything that the rotation has written down lies a day further back. */
function pass(stateFile: string): void {
  const earlier = (text: string): string => new Date(Date.parse(text) - DAY).toISOString();
  const text = readFileSync(stateFile, 'utf8');
  writeFileSync(stateFile, text.replace(/(?<="(?:at|startedAt)": ")[^"]+/g, earlier));
}

/** A reload is a signal: the postmaster takes it a moment later. */
async function presents(cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { rotations } = JSON.parse(readFileSync(join(cwd, 'certpin.rotations.json'), 'utf8'));
  const { next, target } = rotations[0];
  for (let tries = 0; tries < 40; tries++) {
    if ((await runScript(`certpin check ${target} --pin ${next.pin}`, cwd, env)).code === 0) return;
  }
  assert.fail('the server does not present the next certificate');
}

async function runScript(
  script: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await promisify(execFile)('sh', ['-ec', script], { cwd, env })), code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
    return { stdout, stderr, code };
  }
}
