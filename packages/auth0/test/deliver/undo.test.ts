// The way back is whole, or it is refused, or it says how far it came.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Place } from '@certpin/pins-file';
import { actionCode, codes, customers, type Stage, said, script, startStage, statuses } from './stage.ts';

const place = (path: string): Place => ({ kind: 'file', path, format: 'env', key: 'DB_PINS' });
const put = ({ folder }: Stage, name: string, text: string): void => writeFileSync(join(folder, name), text);

test('where nothing stood before, an undo would leave no pin: it is refused, and the other places stay too', async (t) => {
  const stage = await startStage(t, [place('a.env'), place('new.env'), place('empty.env')]);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  put(stage, 'empty.env', 'DB_PINS=\n');
  assert.equal((await stage.push()).outcome, 'done');
  const refused = await stage.undo();
  assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_UNDO']]);
  assert.match(said(refused), /DB_PINS in new\.env: it had nothing before, and without any pin, nobody could log in$/);
  for (const name of ['a.env', 'new.env', 'empty.env']) assert.equal(stage.read(name), `DB_PINS=${stage.pins}\n`);

  // An empty text is no pin either.
  stage.write({ deliver: [place('empty.env')], pins: [stage.current] });
  put(stage, 'empty.env', 'DB_PINS=\n');
  assert.equal((await stage.push()).outcome, 'done');
  assert.match(said(await stage.undo()), /DB_PINS in empty\.env: it had nothing before/);
});

test('a place whose target is gone from the pins file is not taken back: no server could be asked', async (t) => {
  const stage = await startStage(t, [place('a.env')]);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  assert.equal((await stage.push()).outcome, 'done');
  const target = { id: 'other', target: `tls://${stage.name}:1`, pins: [stage.current] };
  put(stage, 'certpin.json', JSON.stringify({ version: 2, targets: [target] }));
  const refused = await stage.undo();
  assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_UNDO']]);
  assert.match(said(refused), /customer-db is no longer in the pins file, and no server could be asked for it$/);
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.pins}\n`);

  // Without an id it is found by its address; two of the same address may be meant.
  const address = `tls://${stage.name}:${stage.port}`;
  const journal = stage.read('certpin.journal.jsonl');
  put(stage, 'certpin.journal.jsonl', journal.replaceAll('"customer-db"', `"${address}"`));
  const named = (servernames: readonly string[]): string => {
    const targets = servernames.map((servername) => ({ target: address, servername, pins: [stage.current] }));
    return JSON.stringify({ version: 2, targets });
  };
  put(stage, 'certpin.json', named(['one.example', 'two.example']));
  assert.deepEqual(codes(await stage.undo()), ['ERR_UNDO']);
  put(stage, 'certpin.json', named(['one.example']));
  assert.deepEqual(statuses(await stage.undo()), ['written']);
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.current}\n`);
});

test('an undo that fails half-way names what is done and what is not, and a second one does the rest', async (t) => {
  let broken = false;
  const stage = await startStage(t, [script, actionCode, place('a.env')], { tenant: { failBuilds: () => broken } });
  const { tenant, current, pins } = stage;
  const line = `const DB_PINS = '${current}'; // certpin: customer-db\n`;
  tenant.addConnection(customers({ configuration: {}, customScripts: { login: `${line}function login() {}` } }));
  tenant.addAction({ name: 'post-login', code: line });
  put(stage, 'a.env', `DB_PINS=${current}\n`);
  const before = tenant.plaintext().actions['post-login'];
  assert.equal((await stage.push()).outcome, 'done');
  const login = (): string =>
    (tenant.plaintext().connections.customers as never as { options: { customScripts: { login: string } } }).options
      .customScripts.login;

  broken = true;
  const failed = await stage.undo();
  assert.deepEqual([failed.outcome, statuses(failed)], ['failed', ['written', 'failed', 'not-done']]);
  assert.match(said(failed), /the build of the Action post-login has failed/);
  assert.ok(existsSync(failed.snapshot ?? ''));
  assert.ok(login().includes(`'${current}'`));
  assert.deepEqual(
    [tenant.plaintext().actions['post-login']?.deployed?.code.includes(pins), stage.read('a.env')],
    [true, `DB_PINS=${pins}\n`],
  );

  broken = false;
  const done = await stage.undo();
  assert.deepEqual([done.outcome, said(done), statuses(done)], ['done', '', ['same', 'written', 'written']]);
  const after = tenant.plaintext().actions['post-login'];
  assert.deepEqual([after?.draft, after?.deployed], [before?.draft, before?.deployed]);
  assert.equal(stage.read('a.env'), `DB_PINS=${current}\n`);
  assert.deepEqual(codes(await stage.undo()), ['ERR_UNDO'], 'it is taken back, and not a second time');
});

test('after an undo that failed half-way, a push goes forward again', async (t) => {
  let broken = false;
  const stage = await startStage(t, [place('a.env'), actionCode], { tenant: { failBuilds: () => broken } });
  stage.tenant.addAction({ name: 'post-login', code: `const DB_PINS = '${stage.current}'; // certpin: customer-db\n` });
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  assert.equal((await stage.push()).outcome, 'done');
  broken = true;
  assert.equal((await stage.undo()).outcome, 'failed');
  broken = false;
  const done = await stage.push();
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  const { draft, deployed } = stage.tenant.plaintext().actions['post-login'] ?? {};
  assert.deepEqual([draft, deployed?.code.includes(stage.pins)], [deployed, true]);
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.pins}\n`);
});
