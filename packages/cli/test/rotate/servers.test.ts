import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { certificateHex, type Minted, mint, startAddresses } from '@certpin/testkit';
import { startMariadb } from '@certpin/testkit/mariadb';
import { startPostgres } from '@certpin/testkit/postgres';
import { certpin } from '../transcript.ts';
import { createStage, type Stage } from './stage.ts';

// Real servers, which take another certificate as their operators do it: by the commands that certpin prints.

/** Up to the step at which the servers are to be swapped. @returns the commands that were printed for the server, as one script */
async function leadToSwap(stage: Stage, server: string, next: Minted): Promise<string> {
  const { crt, key } = stage.write('next', next);
  assert.equal((await stage.rotate(`start --next ${crt} --key ${key} --settle 1h`)).code, 0);
  assert.equal((await stage.rotate('next --yes')).code, 0);
  assert.equal((await stage.rotate('next --yes --by-hand')).code, 0);
  stage.pass(3_600_000);
  assert.equal((await stage.rotate('next')).code, 0);
  const { commands = [], step } = await stage.report('next');
  assert.equal(step, 'swapped');
  return scriptOf(commands, server);
}

function scriptOf(commands: readonly { server: string; commands: readonly string[] }[], server: string): string {
  const found = commands.find((one) => one.server.startsWith(server));
  assert.ok(found, JSON.stringify(commands));
  return found.commands.join('\n');
}

/** Runs a script as the operator would on the server, with the server's own client under its usual name. */
async function operate(stage: Stage, script: string, client: { readonly name: string; readonly program: string }) {
  const bin = join(stage.folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const path = join(bin, client.name);
  // Whatever stands in a folder above: it has no ending that would say what it is.
  writeFileSync(join(bin, 'package.json'), '{"type": "commonjs"}');
  writeFileSync(path, client.program);
  chmodSync(path, 0o755);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  return (await promisify(execFile)('sh', ['-euc', script], { cwd: stage.folder, env })).stdout;
}

interface Login {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The package of the test's PostgreSQL has no psql: this one knows what the commands need of it. */
function psql({ port, user, password }: Login): string {
  const pg = createRequire(import.meta.url).resolve('pg');
  const settings = JSON.stringify({ host: 'localhost', port, user, password, database: 'postgres' });
  return `#!${process.execPath}
const { Client } = require(${JSON.stringify(pg)});
const client = new Client(${settings});
const value = (found) => (found === true ? 't' : found);
client.connect().then(() => client.query({ text: process.argv.at(-1), rowMode: 'array' }))
  .then(({ rows }) => console.log(rows.map((row) => row.map(value).join('|')).join('\\n')))
  .finally(() => client.end());
`;
}

function mariadbClient({ port, user, password }: Login): string {
  return `#!/bin/sh
MYSQL_PWD='${password}' exec /usr/bin/mariadb --no-defaults --host=127.0.0.1 --port=${port} --user=${user} --skip-ssl "$@"
`;
}

test('PostgreSQL: the printed commands swap it, and bring it back; a reload that kept the old file is found', async (t) => {
  const [old, next, stranger] = [await mint(), await mint(), await mint()];
  const server = await startPostgres({ certificate: old });
  t.after(() => server.stop());
  const stage = createStage(t, { target: `postgres://127.0.0.1:${server.port}`, pins: [old] });
  const client = { name: 'psql', program: psql(server) };
  const swap = await leadToSwap(stage, 'PostgreSQL', next);

  // Nobody has done anything: the step before is not shown.
  const early = await stage.report('next');
  assert.deepEqual([early.code, early.step], [1, 'swapped']);
  assert.match(early.details?.[0] ?? '', new RegExp(`it presents the old certificate, ${certificateHex(old)}`));

  // The next certificate with the wrong key: the server says "t", and keeps the old pair.
  const { key } = stage.write('stranger', stranger);
  const wrong = swap.replace(join(stage.folder, 'next.key'), key);
  assert.notEqual(wrong, swap);
  assert.equal((await operate(stage, wrong, client)).trim(), 't');
  const kept = await stage.report('next');
  assert.deepEqual([kept.code, kept.step], [1, 'swapped']);
  assert.match(kept.reason ?? '', /^not every address presents the certificate that it should$/);
  assert.match(kept.hints?.[0] ?? '', /a reload that kept the old file/);
  assert.deepEqual(stage.pins(), [certificateHex(old), certificateHex(next)], 'the old pin stays');

  // As printed; twice is no harm: the old files are kept, and are the old ones.
  for (const _ of [1, 2]) assert.equal((await operate(stage, swap, client)).trim(), 't');
  await presents(stage, next);
  assert.equal((await stage.report('next')).step, 'verified');

  // Back again: abort demands it, and says how.
  const refused = await stage.report('abort --yes');
  assert.deepEqual([refused.code, refused.ok], [1, false]);
  assert.match(refused.reason ?? '', /^bring the old certificate back first/);
  assert.deepEqual(stage.pins(), [certificateHex(old), certificateHex(next)]);
  await operate(stage, scriptOf(refused.commands ?? [], 'PostgreSQL'), client);
  await presents(stage, old);
  assert.deepEqual([(await stage.report('abort --yes --by-hand')).ended], ['aborted']);
  assert.deepEqual(stage.pins(), [certificateHex(old)]);
});

/** The postmaster has taken the signal when a handshake shows it. */
async function presents(stage: Stage, certificate: Minted): Promise<void> {
  const { target } = JSON.parse((await certpin(['check', '--file', stage.pinsFile, '--json'])).stdout);
  for (let tries = 0; tries < 100; tries++) {
    const { code } = await certpin(['check', target, '--pin', certificateHex(certificate)]);
    if (code === 0) return;
  }
  assert.fail('it is not presented');
}

test('MariaDB: the printed commands swap it; one that was loaded by half is found', async (t) => {
  const [old, next, stranger] = [await mint(), await mint(), await mint()];
  const server = await startMariadb({ certificate: old });
  t.after(() => server.stop());
  const stage = createStage(t, { target: `mysql://127.0.0.1:${server.port}`, pins: [old] });
  const client = { name: 'mariadb', program: mariadbClient(server) };
  const swap = await leadToSwap(stage, 'MariaDB', next);
  assert.match(swap, /FLUSH LOCAL SSL/);

  const { key } = stage.write('stranger', stranger);
  await assert.rejects(
    operate(stage, swap.replace(join(stage.folder, 'next.key'), key), client),
    /key values mismatch|SSL/i,
  );
  assert.deepEqual([(await stage.report('next')).code, stage.pins().length], [1, 2]);

  await operate(stage, swap, client);
  const verified = await stage.report('next');
  assert.deepEqual([verified.code, verified.step, verified.steps?.at(-1)?.evidence], [0, 'verified', 'shown']);
  const retired = await stage.report('next --yes --by-hand');
  assert.deepEqual([retired.code, retired.ended], [0, 'retired']);
  assert.deepEqual(stage.pins(), [certificateHex(next)]);
});

test('one of two addresses was forgotten: nothing is taken out before both present the next certificate', async (t) => {
  const [old, next] = [await mint(), await mint()];
  const name = await startAddresses([old, old], { name: 'localhost' });
  t.after(name.close);
  const [one, two] = name.servers;
  assert.ok(one && two);
  const target = `tls://localhost:${name.port}`;
  const stage = createStage(t, { target, pins: [old], options: { lookup: name.lookup } });
  await leadToSwap(stage, 'nginx', next);
  one.server.setSecureContext({ cert: next.chainPem, key: next.keyPem });
  const forgotten = await stage.report('next');
  assert.equal(forgotten.code, 1);
  assert.deepEqual(forgotten.details, [`127.0.0.2: it presents the old certificate, ${certificateHex(old)}`]);

  two.server.setSecureContext({ cert: next.chainPem, key: next.keyPem });
  assert.equal((await stage.report('next')).step, 'verified');
  // It falls back before the last step: whoever looked once must look again.
  two.server.setSecureContext({ cert: old.chainPem, key: old.keyPem });
  const fallen = await stage.report('next --yes --by-hand');
  assert.deepEqual([fallen.code, stage.pins().length], [1, 2]);
  // And one that does not answer shows nothing.
  await two.close();
  const gone = await stage.report('next --yes --by-hand');
  assert.deepEqual([gone.code, stage.pins().length], [2, 2]);
});
