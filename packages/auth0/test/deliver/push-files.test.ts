import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileFormat, Place } from '@certpin/pins-file';
import { runCommand } from '../../src/deliver/command-step.ts';
import type { Delivered } from '../../src/deliver/index.ts';
import {
  codes,
  configuration,
  customers,
  holdLimits,
  NEXT,
  type Stage,
  said,
  script,
  startStage,
  statuses,
} from './stage.ts';

const place = (path: string, format: FileFormat, key = 'DB_PINS'): Place => ({ kind: 'file', path, format, key });
const put = ({ folder }: Stage, name: string, text: string): void => writeFileSync(join(folder, name), text);

test('files keep their comments, order, quotes and line ends', async (t) => {
  const places = [
    place('a.env', 'env'),
    place('b.json', 'json', '/db/a~1b/0'),
    place('c.tfvars.json', 'tfvars-json'),
    place('config.json', 'deploy-cli'),
    place('new.env', 'env'),
  ];
  const stage = await startStage(t, places);
  const { pins } = stage;
  const files: readonly (readonly [name: string, text: string])[] = [
    ['a.env', '# first\r\nexport DB_PINS = "old" # note\r\nKEY="-----BEGIN\nDB_PINS=within\n-----END"\r\nLAST=1'],
    ['b.json', '{\n\t// kept\n\t"db": { "a/b": ["old", 1] }, // and this\n\t"z": null\n}\n'],
    ['c.tfvars.json', '{ "other": "x", "DB_PINS": "old" }'],
    ['config.json', '{"AUTH0_DOMAIN":"x","AUTH0_KEYWORD_REPLACE_MAPPINGS":{"DB_PINS":"old","B":"c"}}'],
  ];
  for (const [name, text] of files) put(stage, name, text);
  chmodSync(join(stage.folder, 'a.env'), 0o640);
  const done = await stage.push();
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  for (const [name, text] of files) assert.equal(stage.read(name), text.replace('old', pins), name);
  assert.equal(stage.read('new.env'), `DB_PINS=${pins}\n`);
  assert.equal(statSync(join(stage.folder, 'a.env')).mode & 0o777, 0o640);
  assert.deepEqual(
    statuses(await stage.push()),
    places.map(() => 'same'),
  );
});

test('two targets, or two keys, in one file are one write', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env', 'ONE'), place('./a.env', 'env', 'TWO')]);
  assert.equal((await stage.push()).outcome, 'done');
  assert.equal(stage.read('a.env'), `ONE=${stage.pins}\nTWO=${stage.pins}\n`);
});

test('what cannot be changed without a doubt is refused', async (t) => {
  for (const [format, text] of [
    ['env', 'DB_PINS=a\nDB_PINS=b\n'],
    ['env', 'DB_PINS="a\\"b"\n'],
    ['env', 'DB_PINS=$(cat x)y"z"\n'],
    ['json', '{"DB_PINS": "a", "DB_PINS": "b"}'],
    ['json', '{"DB_PINS": ["a"]}'],
    ['json', 'no JSON'],
  ] as const) {
    const stage = await startStage(t, [place('a', format, format === 'json' ? '/DB_PINS' : 'DB_PINS')]);
    put(stage, 'a', text);
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused), stage.read('a')], ['refused', ['ERR_PLACE'], text], text);
  }
});

test('neither a path nor a link leads out of the folder of the pins file, nor to the pins file itself', async (t) => {
  const stage = await startStage(t, [place('sub/a.env', 'env')]);
  const outside = join(stage.folder, '..', `${Date.now()}-outside`);
  t.after(() => import('node:fs').then(({ rmSync }) => rmSync(outside, { recursive: true, force: true })));
  mkdirSync(outside);
  writeFileSync(join(outside, 'a.env'), 'DB_PINS=old\n');
  symlinkSync(outside, join(stage.folder, 'sub'));
  symlinkSync(join(outside, 'a.env'), join(stage.folder, 'b.env'));
  symlinkSync(join(outside, 'not-there.env'), join(stage.folder, 'c.env'));
  for (const path of ['sub/a.env', 'sub/new.env', 'b.env', 'c.env', 'certpin.json']) {
    stage.write({
      deliver: [place(path, path.endsWith('json') ? 'json' : 'env', path.endsWith('json') ? '/x' : 'DB_PINS')],
    });
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_PLACE']], path);
  }
  assert.equal(readFileSync(join(outside, 'a.env'), 'utf8'), 'DB_PINS=old\n');
});

test('a command runs only where it is allowed, without a shell, with the pins on its standard input', async (t) => {
  const keep = "require('fs').writeFileSync(process.argv[1], require('fs').readFileSync(0))";
  const command = [process.execPath, '-e', keep, 'kept; touch shell'];
  const stage = await startStage(t, [{ kind: 'command', command }]);
  const refused = await stage.push();
  assert.deepEqual([refused.outcome, statuses(refused)], ['done', ['not-run']]);
  assert.throws(() => stage.read('kept; touch shell'));
  const done = await stage.push({ allowCommands: true });
  assert.deepEqual([done.outcome, said(done)], ['done', '']);
  assert.equal(stage.read('kept; touch shell'), `${stage.pins}\n`);
  assert.throws(() => stage.read('shell'));
  assert.deepEqual(statuses(await stage.push({ allowCommands: true })), ['same']);
});

test('a command that fails is a failure, and its words are not shown', async (t) => {
  const stage = await startStage(t, [
    { kind: 'command', command: [process.execPath, '-e', "console.error('correct-horse'); process.exit(3)"] },
  ]);
  const failed = await stage.push({ allowCommands: true });
  assert.deepEqual([failed.outcome, codes(failed)], ['failed', ['ERR_COMMAND']]);
  assert.match(said(failed), /it ended with status 3$/);
});

test('a command that does not end, and one that is interrupted, have ended before that is told', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  const wish = { pins: stage.pins, place: { kind: 'command', command: ['x'] } } as const;
  // It says who it is. By itself it ends long after this test.
  const slow =
    "const f = require('fs'); f.writeFileSync('draft', String(process.pid)); f.renameSync('draft', 'pid'); setTimeout(() => {}, 60_000)";
  const command = [process.execPath, '-e', slow];
  const path = join(stage.folder, 'pid');
  const begun = async (): Promise<number> => {
    for (let looks = 0; !existsSync(path); looks++) {
      assert.ok(looks < 3_000, 'the command does not begin');
      await delay(10);
    }
    const pid = Number(readFileSync(path, 'utf8'));
    rmSync(path);
    assert.equal(process.kill(pid, 0), true, 'it runs');
    return pid;
  };
  const assertDead = (pid: number): void => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });

  const { limits, pass } = holdLimits(t);
  const limited = runCommand(command, stage.folder, wish, undefined, 400);
  const first = await begun();
  assert.deepEqual(
    limits.map(({ milliseconds }) => milliseconds),
    [400],
  );
  pass();
  await assert.rejects(limited, { code: 'ERR_COMMAND', message: /it did not end within 0\.4 s$/ });
  assertDead(first);

  const stop = new AbortController();
  const interrupted = runCommand(command, stage.folder, wish, stop.signal);
  const second = await begun();
  assert.notEqual(second, first);
  stop.abort();
  await assert.rejects(interrupted, { name: 'AbortError' });
  assertDead(second);
  await assert.rejects(runCommand(command, stage.folder, wish, stop.signal), { name: 'AbortError' });
});

test('a link at the name of the draft is not followed', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  put(stage, 'victim', 'precious');
  symlinkSync(join(stage.folder, 'victim'), join(stage.folder, '.a.env.certpin-draft'));
  const failed = await stage.push();
  assert.deepEqual([failed.outcome, stage.read('victim')], ['failed', 'precious']);
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.current}\n`);
});

test('what is no regular file is no place', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  mkdirSync(join(stage.folder, 'a.env'));
  assert.deepEqual(codes(await stage.push()), ['ERR_PLACE']);
});

test('a pins file that changes while a person thinks writes nothing', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  const failed = await stage.push({
    confirm: async () => {
      stage.write({ pins: [stage.current, 'CD'.repeat(32)] });
      return true;
    },
  });
  assert.deepEqual([failed.outcome === 'done', codes(failed)], [false, ['ERR_CHANGED']]);
  assert.throws(() => stage.read('a.env'));
});

test('the union asks nobody for nothing: a name that cannot be looked up, and one without an address, are refusals', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  const lookups: Record<string, LookupFunction> = {
    fails: (host, _, done) =>
      done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), ''),
    'has none': (_host, _options, done) => done(null, []),
  };
  for (const [name, lookup] of Object.entries(lookups)) {
    const refused = await stage.push({ lookup });
    assert.deepEqual([refused.outcome === 'done', codes(refused)], [false, ['ERR_UNION']], name);
    assert.throws(() => stage.read('a.env'), name);
  }
  assert.equal((await stage.push({ lookup: lookups.fails, unreached: ['customer-db'] })).outcome, 'done');
});

for (const [tool, files, format] of [
  ['Terraform', { 'users.tf': 'resource "auth0_connection" "users" {\n}\n' }, 'tfvars-json'],
  ['the Deploy CLI', { 'tenant.yaml': 'databases:\n  - name: customers\n' }, 'deploy-cli'],
] as const) {
  test(`a tenant that ${tool} owns is told, and its file is written in place of the API`, async (t) => {
    const stage = await startStage(t, [script]);
    stage.tenant.addConnection(customers({ configuration: {} }));
    for (const [name, text] of Object.entries(files)) put(stage, name, text);
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_OWNER']]);
    assert.match(said(refused), new RegExp(`${tool} writes it .*put the old pins back.*"format": "${format}"`));
    stage.write({ deliver: [script, place('values.json', format)] });
    const done = await stage.push();
    assert.deepEqual(statuses(done), ['written', 'left-to-owner']);
    assert.equal(stage.tenant.requests.length, 0);
    assert.ok(stage.read('values.json').includes(stage.pins));
    stage.write({ deliver: [script] });
    assert.equal((await stage.push({ owner: 'none' })).outcome, 'done');
    assert.ok(stage.writes() > 0);
  });
}

test('each push is in the journal; the undo brings back what stood there, unless an address would be locked out', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  assert.equal((await stage.push()).outcome, 'done');
  const lines = stage
    .read('certpin.journal.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['begin', 'writing', 'written', 'end'],
  );
  assert.match(lines[0].time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.ok('user' in lines[0] && 'commit' in lines[0] && 'tenant' in lines[0] && /^[0-9a-f]{64}$/.test(lines[0].file));
  const undone = await stage.undo();
  assert.deepEqual([undone.outcome, stage.read('a.env')], ['done', `DB_PINS=${stage.current}\n`]);
  const twice = await stage.undo();
  assert.deepEqual([twice.outcome, codes(twice)], ['refused', ['ERR_UNDO']]);

  put(stage, 'a.env', `DB_PINS=${NEXT}\n`); // what stands there matches no server
  assert.equal((await stage.push()).outcome, 'done');
  const forbidden = await stage.undo();
  assert.deepEqual([forbidden.outcome, codes(forbidden)], ['refused', ['ERR_UNION']]);
});

test('the undo takes nothing back that somebody else has written since, nor brings a revoked pin', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  await stage.push();
  put(stage, 'a.env', `DB_PINS=${stage.current},${'CD'.repeat(32)}\n`);
  assert.deepEqual(codes(await stage.undo()), ['ERR_CHANGED']);
  put(stage, 'a.env', `DB_PINS=${stage.pins}\n`);
  stage.write({ pins: [NEXT], revoked: [{ pin: stage.current, since: '2026-11-02' }] });
  assert.deepEqual(codes(await stage.undo()), ['ERR_UNDO']);
});

test('of a key that stood there as ciphertext, the undo says that nobody knows it; after a second push it is known', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ configuration: { DB_PINS: 'old' } }));
  await stage.push();
  const unknown = await stage.undo();
  assert.deepEqual([unknown.outcome, codes(unknown)], ['refused', ['ERR_UNDO']]);
  stage.write({ pins: [stage.current, 'CD'.repeat(32)] });
  await stage.push();
  assert.equal((await stage.undo()).outcome, 'done');
  const { options } = stage.tenant.plaintext().connections.customers as unknown as {
    options: { configuration: object };
  };
  assert.deepEqual(options.configuration, { DB_PINS: stage.pins });
});

test('two pushes at once: one of them is refused', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  let other: Delivered | undefined;
  const one = await stage.push({
    confirm: async () => {
      other = await stage.push();
      return true;
    },
  });
  assert.deepEqual([one.outcome, other?.outcome], ['done', 'refused']);
  assert.match(said(other as Delivered), /another push .* is under way/);
});

test('a torn last line of the journal is passed over, and ended', async (t) => {
  const stage = await startStage(t, [place('a.env', 'env')]);
  put(stage, 'certpin.journal.jsonl', '{"push":"x","time":"2026-11');
  assert.equal((await stage.push()).outcome, 'done');
  assert.deepEqual(statuses(await stage.push()), ['same']);
  put(stage, 'certpin.journal.jsonl', 'something else\n{}\n');
  assert.equal((await stage.push()).outcome, 'refused');
});
