// What somebody who means harm, or a tenant that does not do what it says, tries on a push.
import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FileFormat, Place } from '@certpin/pins-file';
import {
  type Delivered,
  deliver,
  diffDeliveries,
  learn,
  pullDeliveries,
  undoDelivery,
} from '../../src/deliver/index.ts';
import {
  actionCode,
  ask,
  codes,
  configuration,
  customers,
  NEXT,
  plainConnection,
  type Stage,
  said,
  script,
  secret,
  startStage,
  writeValues,
} from './stage.ts';

const place = (path: string, format: FileFormat = 'env', key = 'DB_PINS'): Place => ({
  kind: 'file',
  path,
  format,
  key,
});
const put = ({ folder }: Stage, name: string, text: string): void => writeFileSync(join(folder, name), text);

function makeOutside(t: TestContext): string {
  const outside = mkdtempSync(join(tmpdir(), 'certpin-outside-'));
  t.after(() => rmSync(outside, { recursive: true }));
  return outside;
}

test('the undo of places that had different pins asks the servers about each of them', async (t) => {
  const stage = await startStage(t, [place('a.env'), place('b.env')]);
  put(stage, 'a.env', `DB_PINS=${NEXT}\n`); // it matches no server
  put(stage, 'b.env', `DB_PINS=${stage.current}\n`);
  assert.equal((await stage.push()).outcome, 'done');
  const refused = await stage.undo();
  assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_UNION']]);
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.pins}\n`);
});

test('a place that a push has not written is not taken back: what stands there is a colleague’s', async (t) => {
  const theirs = 'CD'.repeat(32);
  const stage = await startStage(t, [place('a.env'), place('b.env')]);
  for (const name of ['a.env', 'b.env']) put(stage, name, `DB_PINS=${stage.current}\n`);
  let isFirst = true;
  const cut = await stage.push({
    onProgress: (text) => {
      if (!text.startsWith('writing b.env') || !isFirst) return;
      isFirst = false;
      put(stage, 'b.env', `DB_PINS=${stage.current},${theirs}\n`);
    },
  });
  assert.deepEqual([cut.outcome, codes(cut)], ['failed', ['ERR_CHANGED']]);
  const undone = await stage.undo();
  assert.deepEqual([undone.outcome, said(undone)], ['done', '']);
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.current}\n`);
  assert.equal(stage.read('b.env'), `DB_PINS=${stage.current},${theirs}\n`);
});

test('a configuration that a colleague has changed under a push is not taken back either', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  stage.write({ pins: [stage.current] });
  assert.equal((await stage.push()).outcome, 'done');
  stage.write({});
  const { id } = (await connectionsOf(stage))[0] ?? {};
  const unhook = stage.tenant.onRequest(async ({ method, path }, proceed) => {
    if (method === 'GET' && path.endsWith(String(id))) {
      unhook();
      await patch(stage, String(id), { DB_PINS: `${stage.current},${'CD'.repeat(32)}` });
    }
    return proceed();
  });
  const cut = await stage.push();
  assert.deepEqual([cut.outcome, codes(cut)], ['failed', ['ERR_CHANGED']]);
  await stage.undo();
  assert.deepEqual(plainConnection(stage.tenant).options.configuration, {
    DB_PINS: `${stage.current},${'CD'.repeat(32)}`,
  });
});

interface Row {
  readonly id: string;
  readonly options: { readonly [key: string]: unknown };
}

async function connectionsOf(stage: Stage): Promise<readonly Row[]> {
  const answer = (await ask(stage, 'GET', 'connections?take=50')) as readonly Row[] | { connections: readonly Row[] };
  return 'connections' in answer ? answer.connections : answer;
}

async function patch(stage: Stage, id: string, values: object): Promise<void> {
  const { options } = (await ask(stage, 'GET', `connections/${id}`)) as Row;
  await ask(stage, 'PATCH', `connections/${id}`, { options: { ...options, configuration: values } });
}

test('an undo that takes nothing back is not done', async (t) => {
  const keep = "require('fs').writeFileSync('kept', require('fs').readFileSync(0))";
  const command: Place = { kind: 'command', command: [process.execPath, '-e', keep] };
  const stage = await startStage(t, [command, configuration]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  stage.write({ pins: [stage.current] });
  const allowed = { allowCommands: true };
  assert.equal((await stage.push(allowed)).outcome, 'done');
  stage.write({});
  assert.equal((await stage.push(allowed)).outcome, 'done');
  const other = { ...stage.options.env, AUTH0_DOMAIN: 'other.eu.auth0.com' };
  for (const how of [{}, { ...allowed, env: other }]) {
    const undone = await stage.undo(how);
    assert.deepEqual([undone.outcome, codes(undone)], ['refused', ['ERR_UNDO']]);
  }
  assert.equal(stage.read('kept'), `${stage.pins}\n`);
  assert.equal((await stage.undo(allowed)).outcome, 'done');
  assert.equal(stage.read('kept'), `${stage.current}\n`);
});

test('the files that push keeps beside the pins file lead nowhere else by a link', async (t) => {
  const outside = makeOutside(t);
  const victim = join(outside, 'victim');
  for (const [name, isFolder] of [
    ['certpin.journal.jsonl', false],
    ['certpin.snapshots', true],
  ] as const) {
    const stage = await startStage(t, [place('a.env')]);
    if (isFolder) {
      mkdirSync(join(outside, 'snapshots'));
      symlinkSync(join(outside, 'snapshots'), join(stage.folder, name));
    } else {
      writeFileSync(victim, '');
      symlinkSync(victim, join(stage.folder, name));
    }
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_PLACE']], name);
    assert.equal(existsSync(join(stage.folder, 'a.env')), false, name);
  }
  assert.equal(readFileSync(victim, 'utf8'), '');
  assert.deepEqual(readdirSync(join(outside, 'snapshots')), []);
});

test('what learn has seen is written over no file elsewhere', async (t) => {
  const victim = join(makeOutside(t), 'victim');
  writeFileSync(victim, 'precious');
  const stage = await startStage(t, [place('a.env')]);
  symlinkSync(victim, join(stage.folder, 'certpin.learned.json.draft'));
  await assert.rejects(learn(stage.file, { ...stage.options, watchMs: 50, everyMs: 10 }), { code: 'ELOOP' });
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
});

test('a folder that becomes a link while a person thinks leads nowhere else', async (t) => {
  const outside = makeOutside(t);
  const stage = await startStage(t, [place('sub/a.env')]);
  mkdirSync(join(stage.folder, 'sub'));
  const failed = await stage.push({
    confirm: async () => {
      renameSync(join(stage.folder, 'sub'), join(stage.folder, 'was'));
      symlinkSync(outside, join(stage.folder, 'sub'));
      return true;
    },
  });
  assert.notEqual(failed.outcome, 'done');
  assert.deepEqual(readdirSync(outside), []);
});

test('under two names of one pins file there is one journal, and one push at a time', async (t) => {
  const stage = await startStage(t, [place('a.env')]);
  const link = join(makeOutside(t), 'other.json');
  symlinkSync(stage.file, link);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  let other: Delivered | undefined;
  const one = await stage.push({
    confirm: async () => {
      other = await deliver(link, [], stage.options);
      return true;
    },
  });
  assert.deepEqual([one.outcome, other?.outcome], ['done', 'refused']);
  assert.equal((await undoDelivery(link, stage.options)).outcome, 'done');
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.current}\n`);
});

test('a tenant that repeats what it was sent shows no secret', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers());
  const values = writeValues(stage.folder, { connections: { customers: { DB_PASSWORD: 'say "correct" horse' } } });
  stage.tenant.onRequest(async ({ method, body }, proceed) => {
    if (method !== 'PATCH') return proceed();
    const { options } = body as { options: { configuration: Record<string, string> } };
    const message = `not taken: ${options.configuration.DB_PASSWORD} ${JSON.stringify(options.configuration)}`;
    return { status: 400, body: { statusCode: 400, message, errorCode: 'invalid_body' } };
  });
  const failed = await stage.push({ values });
  assert.equal(failed.outcome, 'failed');
  assert.match(said(failed), /not taken/);
  assert.doesNotMatch(JSON.stringify(failed.problems), /correct|horse/);
});

test('what cannot be pins is neither kept in the journal nor shown', async (t) => {
  const stage = await startStage(t, [place('a.env')]);
  put(stage, 'a.env', 'DB_PINS=correct-horse\n');
  const { places } = await diffDeliveries(stage.file, [], stage.options);
  assert.deepEqual([places[0]?.status, places[0]?.found], ['differs', null]);
  const done = await stage.push();
  assert.equal(done.outcome, 'done');
  assert.doesNotMatch(stage.read('certpin.journal.jsonl'), /correct-horse/);
  assert.deepEqual(codes(await stage.undo()), ['ERR_UNDO']);
});

test('a configuration that the tenant says to have written, and has not, is no success', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ configuration: { DB_PINS: 'old' } }));
  let kept: unknown;
  stage.tenant.onRequest(async ({ method, path, body }, proceed) => {
    const isOne = /connections\/./.test(path);
    if (method === 'PATCH' && (body as { options?: object }).options !== undefined) {
      kept = (body as { metadata: object }).metadata;
      return { status: 200, body: {} };
    }
    if (method === 'PATCH') kept = undefined;
    const answer = await proceed();
    if (method === 'GET' && isOne && kept !== undefined) {
      return { ...answer, body: { ...(answer.body as object), metadata: kept } };
    }
    return answer;
  });
  const failed = await stage.push();
  assert.deepEqual([failed.outcome, codes(failed)], ['failed', ['ERR_DIFFERENCE']]);
  assert.match(said(failed), /options\.configuration\.DB_PINS/);
});

test('a deployed version that still has the old secret is no success', async (t) => {
  const stage = await startStage(t, [secret]);
  stage.tenant.addAction({ name: 'post-login', code: '', secrets: { DB_PINS: 'old' } });
  let old: unknown;
  stage.tenant.onRequest(async ({ method, path }, proceed) => {
    const answer = await proceed();
    if (method !== 'GET' || !/actions\/[^/]+$/.test(path)) return answer;
    const { deployed_version } = answer.body as { deployed_version?: { secrets: unknown } };
    if (deployed_version === undefined) return answer;
    old ??= deployed_version.secrets;
    return { ...answer, body: { ...(answer.body as object), deployed_version: { ...deployed_version, secrets: old } } };
  });
  const failed = await stage.push();
  assert.equal(failed.outcome, 'failed');
  assert.match(said(failed), /what is deployed .* \(secrets\)/);
});

test('a tenant whose lists have no end is left', async (t) => {
  const stage = await startStage(t, [configuration, secret]);
  let asked = 0;
  stage.tenant.onRequest(async ({ method, path }, proceed) => {
    if (method !== 'GET' || !/connections$|actions$/.test(path)) return proceed();
    if (++asked > 5_000) return 'hang-up';
    return path.endsWith('connections')
      ? { status: 200, body: { connections: [], next: `${asked}` } }
      : { status: 200, body: { actions: [], total: 1e12 } };
  });
  const refused = await stage.push();
  assert.equal(refused.outcome, 'unknown');
  assert.ok(asked < 500, String(asked));
});

test('what JSON cannot bring back unchanged is a refusal', async (t) => {
  for (const [text, how] of [
    ['12345678901234567890', /options\.answer/],
    ['1e400', /options\.answer/],
    ['"\u00FF"', /not JSON/],
  ] as const) {
    const stage = await startStage(t, [script]);
    stage.tenant.addConnection(customers({ answer: '@' }));
    const fetch: typeof globalThis.fetch = async (url, init) => {
      const answer = await stage.options.fetch(url, init);
      if (!String(url).includes('/connections')) return answer;
      const bytes = Buffer.from((await answer.text()).replace('"@"', text), 'latin1');
      return new Response(bytes, { status: answer.status, headers: answer.headers });
    };
    const refused = await stage.push({ fetch, values: writeValues(stage.folder, { connections: {} }) });
    assert.notEqual(refused.outcome, 'done', text);
    assert.match(said(refused), how, text);
    assert.equal(stage.writes(), 0);
  }
});

test('an id that leads to another part of the API is refused', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  stage.tenant.onRequest(async ({ method, path }, proceed) => {
    const answer = await proceed();
    if (method !== 'GET' || !path.endsWith('connections')) return answer;
    const text = JSON.stringify(answer.body).replace(/"id":"con_[^"]*"/, '"id":".."');
    return { ...answer, body: JSON.parse(text) };
  });
  const refused = await stage.push();
  assert.equal(refused.outcome, 'refused');
  assert.match(said(refused), /its answer is not a connection/);
});

test('learn that may not see options says so, and has taken away again what it had made', async (t) => {
  const scopes = ['create:connections', 'read:connections', 'delete:connections', 'update:connections'];
  const stage = await startStage(t, [configuration], { tenant: { scopes } });
  await assert.rejects(learn(stage.file, { ...stage.options, watchMs: 50, everyMs: 10 }), {
    ...{ name: 'Error', code: 'ERR_TENANT_REFUSED' },
    message: /does not show the options of certpin-learn-\w+: give the client the scopes read:connections_options/,
  });
  const writes = stage.tenant.requests.filter(({ path, method }) => path.startsWith('/api/') && method !== 'GET');
  assert.deepEqual(
    writes.map(({ method, status }) => `${method} ${status}`),
    ['POST 201', 'DELETE 202'],
  );
  assert.deepEqual(Object.keys(stage.tenant.plaintext().connections), []);
});

for (const end of ['fails', 'is interrupted'] as const) {
  test(`learn that ${end} and may not delete says what it has left in the tenant`, async (t) => {
    const scopes = ['create:connections', 'read:connections', 'read:connections_options', 'update:connections'];
    const stage = await startStage(t, [configuration], { tenant: { scopes } });
    const interrupt = new AbortController();
    if (end === 'is interrupted') {
      stage.tenant.onRequest(async ({ method }, proceed) => {
        const answer = await proceed();
        if (method === 'PATCH') interrupt.abort();
        return answer;
      });
    }
    const { signal } = interrupt;
    const error = await learn(stage.file, { ...stage.options, watchMs: 50, everyMs: 10, signal }).then(
      () => assert.fail('it did not fail'),
      (reason: Error) => reason,
    );
    const [left] = Object.keys(stage.tenant.plaintext().connections);
    assert.match(left ?? '', /^certpin-learn-/);
    const why = end === 'fails' ? 'update:connections_options' : 'it was interrupted';
    assert.match(
      error.message,
      new RegExp(`${why}.*; ${left} may be left in the tenant, look for it and remove it: DELETE`),
    );
  });
}

test('a journal that was cut off in the first word of a line is read', async (t) => {
  const stage = await startStage(t, [place('a.env')]);
  put(stage, 'certpin.journal.jsonl', '{"pu');
  assert.equal((await stage.push()).outcome, 'done');
  assert.equal((await stage.push()).outcome, 'done');
});

test('a draft that was not used does not stay', async (t) => {
  const stage = await startStage(t, [place('a.env')]);
  put(stage, 'a.env', `PASSWORD=correct-horse\nDB_PINS=${stage.current}\n`);
  await stage.push({
    onProgress: (text) => {
      if (text.startsWith('writing a.env')) put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
    },
  });
  assert.deepEqual(
    readdirSync(stage.folder).filter((name) => name.includes('draft')),
    [],
  );
});

test('a draft of ours that a colleague has worked on since is not published', async (t) => {
  for (const [own, theirs] of [
    [actionCode, { modules: [{ module_id: 'half-finished' }] }],
    [secret, { secrets: [{ name: 'DB_PINS' }, { name: 'API_KEY', value: 'half-finished' }] }],
  ] as const) {
    let broken = true;
    const failBuilds = ({ of }: { readonly of: string }): boolean => broken && of === 'version';
    const stage = await startStage(t, [own], { tenant: { failBuilds } });
    const code = "const DB_PINS = ''; // certpin: customer-db\n";
    stage.tenant.addAction({ name: 'post-login', code, secrets: { DB_PINS: 'old', API_KEY: 'battery-staple' } });
    const values = writeValues(stage.folder, { actions: { 'post-login': { API_KEY: 'battery-staple' } } });
    const how = own.kind === 'secret' ? { values } : {};
    assert.equal((await stage.push(how)).outcome, 'failed');
    broken = false;
    await new Promise((done) => setTimeout(done, 1_500));
    const { id, deployed } = stage.tenant.plaintext().actions['post-login'] ?? {};
    await ask(stage, 'PATCH', `actions/actions/${id}`, theirs);
    const { draft } = stage.tenant.plaintext().actions['post-login'] ?? {};
    assert.match(JSON.stringify(draft), /half-finished/);
    const refused = await stage.push(how);
    assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_DRAFT']], own.kind);
    const after = stage.tenant.plaintext().actions['post-login'];
    assert.deepEqual([after?.draft, after?.deployed], [draft, deployed]);
  }
});

test('of one address under two server names, pull gives no target the pins of the other', async (t) => {
  const stage = await startStage(t, [configuration]);
  stage.tenant.addConnection(customers({ configuration: { DB_PINS: 'old' } }));
  const target = `tls://${stage.name}:${stage.port}`;
  const [first, second] = ['CD'.repeat(32), 'EF'.repeat(32)];
  const targets = [
    { id: 'first', target, servername: 'first.example', pins: [first], deliver: [place('a.env')] },
    { id: 'second', target, servername: 'second.example', pins: [second], deliver: [configuration] },
  ];
  writeFileSync(stage.file, JSON.stringify({ version: 2, targets }));
  put(stage, 'a.env', `DB_PINS=${NEXT}\n`);
  const found = await pullDeliveries(stage.file, [], stage.options, async () => true);
  assert.deepEqual(
    found.map(({ status }) => status),
    ['changed', 'unknown'],
  );
  const pins = JSON.parse(stage.read('certpin.json')).targets.map((one: { pins: unknown }) => one.pins);
  assert.deepEqual(pins, [[NEXT], [second]]);
});

test('a file keeps its owner', {
  skip: process.getuid?.() === 0 ? false : 'only root may give files away',
}, async (t) => {
  const stage = await startStage(t, [place('a.env')]);
  put(stage, 'a.env', `DB_PINS=${stage.current}\n`);
  chownSync(join(stage.folder, 'a.env'), 65_534, 65_534);
  assert.equal((await stage.push()).outcome, 'done');
  const { uid, gid } = statSync(join(stage.folder, 'a.env'));
  assert.deepEqual([uid, gid], [65_534, 65_534]);
});
