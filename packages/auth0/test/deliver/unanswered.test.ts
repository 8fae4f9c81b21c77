// A tenant that answers late, not at all, or that says "later": what was not heard is never taken for done, and never for undone.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Place } from '@certpin/pins-file';
import { interruptAt, type RequestHook, type TenantRequest } from '@certpin/testkit/tenant';
import {
  actionCode,
  ask,
  codes,
  customers,
  holdLimits,
  rest,
  type Stage,
  said,
  script,
  secret,
  startStage,
  statuses,
  writeValues,
} from './stage.ts';

const file: Place = { kind: 'file', path: 'deploy.env', format: 'env', key: 'DB_PINS' };
const CODE = "const DB_PINS = ''; // certpin: customer-db\n";
const action = { name: 'post-login', code: CODE, secrets: { DB_PINS: 'old', API_KEY: 'battery-staple' } };

const isWrite = ({ method, path }: TenantRequest): boolean => method === 'PATCH' && path.startsWith('/api/v2/');
const isOne = ({ path }: TenantRequest): boolean => /\/(?:connections|actions\/actions)\/[^/]+$/.test(path);

/** The methods of the requests for one connection or Action, from the first write on. */
function since(stage: Stage): readonly string[] {
  const own = stage.tenant.requests.filter(isOne);
  return own.slice(own.findIndex(isWrite)).map(({ method }) => method);
}

test('a tenant that never answers is given 30 seconds for each request, four times, and that is told', async (t) => {
  const stage = await startStage(t, [script]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  const { limits, pass } = holdLimits(t);
  let asked = 0;
  stage.tenant.onRequest(async ({ path }, proceed) => {
    if (path === '/oauth/token') return proceed();
    asked++;
    pass();
    return 'hang';
  });
  const done = await stage.push();
  assert.deepEqual([done.outcome, codes(done), asked], ['unknown', ['ERR_TENANT_UNREACHABLE'], 4]);
  assert.match(said(done), /^no answer from the tenant: it does not answer within 30 s$/);
  assert.deepEqual(new Set(limits.map(({ milliseconds }) => milliseconds)), new Set([30_000]));
  assert.equal(stage.writes(), 0);
});

for (const isMade of [true, false]) {
  test(`a write that hangs is read before anything else: it was ${isMade ? 'made, and is not made again' : 'not made, and is made once'}`, async (t) => {
    const stage = await startStage(t, [script]);
    stage.tenant.addConnection(customers({ configuration: {} }));
    const before = rest(stage.tenant);
    const { pass } = holdLimits(t);
    const unhook = stage.tenant.onRequest(async (request, proceed) => {
      if (!isWrite(request)) return proceed();
      unhook();
      if (isMade) await proceed();
      pass();
      return 'hang';
    });
    const done = await stage.push();
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    // The last one compares.
    assert.deepEqual(since(stage), isMade ? ['PATCH', 'GET', 'GET'] : ['PATCH', 'GET', 'PATCH', 'GET']);
    assert.deepEqual(rest(stage.tenant), before);
  });
}

for (const status of [408, 500, 503]) {
  test(`status ${status}: a question is asked again, and a write is made again only after a look`, async (t) => {
    const stage = await startStage(t, [script]);
    stage.tenant.addConnection(customers({ configuration: {} }));
    const answered = new Set<string>();
    stage.tenant.onRequest(async (request, proceed) => {
      const key = `${request.method} ${request.path}`;
      if (answered.has(key)) return proceed();
      answered.add(key);
      return { status, body: { statusCode: status, message: 'later' } };
    });
    const done = await stage.push();
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    // The look is refused the first time, too.
    assert.deepEqual(since(stage), ['PATCH', 'GET', 'PATCH', 'GET']);
    assert.equal(answered.size, 4); // the token, the list, the connection, the write
  });
}

test('a tenant that is broken for good: each write has a look behind it, and the fourth is the last', async (t) => {
  const stage = await startStage(t, [script, file]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  const before = stage.tenant.plaintext();
  stage.tenant.onRequest(async (request, proceed) =>
    isWrite(request) ? { status: 503, body: { message: 'later' } } : proceed(),
  );
  const failed = await stage.push();
  assert.deepEqual([failed.outcome, codes(failed)], ['failed', ['ERR_TENANT_UNREACHABLE']]);
  assert.match(said(failed), /it answers with status 503/);
  assert.deepEqual(statuses(failed), ['failed', 'not-done']);
  assert.deepEqual(since(stage), ['PATCH', 'GET', 'PATCH', 'GET', 'PATCH', 'GET', 'PATCH', 'GET']);
  assert.deepEqual(stage.tenant.plaintext(), before);
});

/** A limit that is used up for an hour. */
const exhausted: RequestHook = async () => ({
  status: 429,
  headers: { 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3_600) },
  body: { statusCode: 429, error: 'Too Many Requests', message: 'Global limit has been reached', errorCode: 'x' },
});
const anHour = (): RegExp => {
  const [at, before] = [3_600_000, 3_540_000].map((more) => new Date(Date.now() + more).toISOString());
  const minute = (iso = ''): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
  return new RegExp(`used up until (?:${minute(at)}|${minute(before)})`);
};

test('a rate limit that lasts for an hour is not slept through: it is told until when', async (t) => {
  const stage = await startStage(t, [script]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  stage.tenant.onRequest(async (request, proceed) =>
    request.path === '/oauth/token' ? proceed() : exhausted(request, proceed),
  );
  const progress: string[] = [];
  const done = await stage.push({ onProgress: (text) => progress.push(text) });
  assert.deepEqual([done.outcome, codes(done), stage.writes()], ['unknown', ['ERR_TENANT_REFUSED'], 0]);
  assert.match(said(done), anHour());
  assert.doesNotMatch(progress.join('\n'), /waiting/);
});

test('the same half-way through a push: what is done and what is not is named, and the next push does the rest', async (t) => {
  const stage = await startStage(t, [script, actionCode, file]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  stage.tenant.addAction(action);
  const end = stage.tenant.onRequest(async (request, proceed) =>
    isWrite(request) && request.path.includes('/actions/') ? exhausted(request, proceed) : proceed(),
  );
  const failed = await stage.push();
  assert.deepEqual([failed.outcome, codes(failed)], ['failed', ['ERR_TENANT_REFUSED']]);
  assert.match(said(failed), anHour());
  assert.deepEqual(statuses(failed), ['written', 'failed', 'not-done']);
  assert.equal(existsSync(join(stage.folder, 'deploy.env')), false);
  end();
  const done = await stage.push();
  assert.deepEqual([done.outcome, said(done), statuses(done)], ['done', '', ['same', 'written', 'written']]);
});

test('a rate limit that says nothing of use is waited for a little, and one that no calendar has is not', async (t) => {
  for (const [headers, outcome] of [
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, 'done'],
    [{ 'x-ratelimit-reset': '1e300' }, 'unknown'],
    [{ 'x-ratelimit-reset': 'Infinity' }, 'unknown'],
  ] as const) {
    const stage = await startStage(t, [script]);
    stage.tenant.addConnection(customers({ configuration: {} }));
    const end = stage.tenant.onRequest(async ({ path }, proceed) => {
      if (path === '/oauth/token') return proceed();
      if (outcome === 'done') end();
      return { status: 429, headers, body: { message: 'later' } };
    });
    const done = await stage.push({ dryRun: true });
    assert.equal(done.outcome, outcome, JSON.stringify(headers));
    assert.doesNotMatch(said(done), /Invalid|NaN|Infinity/);
  }
});

const places = [
  {
    what: 'a connection',
    place: script,
    add: (stage: Stage) => stage.tenant.addConnection(customers({ configuration: {} })),
  },
  { what: 'an Action', place: actionCode, add: (stage: Stage) => stage.tenant.addAction(action) },
] as const;

for (const { what, place, add } of places) {
  test(`${what}: a write without an answer, and afterwards something else stands there: nothing is written again`, async (t) => {
    const stage = await startStage(t, [place, file]);
    const { tenant } = stage;
    const id = add(stage);
    const theirs = place === script ? { display_name: 'Somebody else was here' } : { code: `${CODE}// half-finished` };
    const unhook = tenant.onRequest(async (request, proceed) => {
      if (!isWrite(request)) return proceed();
      unhook();
      // It is lost on the way, and a colleague writes meanwhile.
      await ask(stage, 'PATCH', request.path, theirs);
      return 'hang-up';
    });
    const failed = await stage.push();
    assert.deepEqual([failed.outcome, codes(failed)], ['failed', ['ERR_TENANT_UNCLEAR']]);
    assert.match(said(failed), /afterwards it was neither as before nor as written$/);
    assert.deepEqual(statuses(failed), ['failed', 'not-done']);
    const writes = tenant.requests.filter(isWrite);
    assert.deepEqual(
      writes.map(({ path }) => path.endsWith(id)),
      [true, true],
    ); // ours, and the colleague's
    assert.doesNotMatch(JSON.stringify(tenant.plaintext()), new RegExp(stage.pins));
  });
}

for (const [what, place, isMade] of [
  ['code', actionCode, true],
  ['code', actionCode, false],
  ['secrets', secret, true],
  ['secrets', secret, false],
] as const) {
  test(`an answer to the PATCH of an Action’s ${what} is lost: it was ${isMade ? 'made, and is not made again' : 'not made, and is made once'}`, async (t) => {
    const stage = await startStage(t, [place]);
    stage.tenant.addAction(action);
    const values = writeValues(stage.folder, { actions: { 'post-login': { API_KEY: 'battery-staple' } } });
    const unhook = stage.tenant.onRequest(async (request, proceed) => {
      if (!isWrite(request)) return proceed();
      unhook();
      if (isMade) await proceed();
      return 'hang-up';
    });
    const done = await stage.push(place === secret ? { values } : {});
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    const ours = since(stage);
    assert.deepEqual(ours.slice(0, 3), isMade ? ['PATCH', 'GET', 'GET'] : ['PATCH', 'GET', 'PATCH']);
    assert.equal(ours.filter((method) => method === 'PATCH').length, isMade ? 1 : 2);
    const { deployed, versions } = stage.tenant.plaintext().actions['post-login'] ?? {};
    assert.equal(versions, 2);
    assert.deepEqual(deployed?.secrets, { DB_PINS: place === secret ? stage.pins : 'old', API_KEY: 'battery-staple' });
    assert.equal(deployed?.code.includes(stage.pins), place === actionCode);
  });
}

test('Ctrl-C while a question hangs, and while a rate limit is waited for: nothing is begun, and the lock is given back', async (t) => {
  const stage = await startStage(t, [script]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  const signal = interruptAt(stage.tenant, ({ path }) => path.endsWith('/connections'));
  await assert.rejects(stage.push({ signal }), { name: 'AbortError' });

  const person = new AbortController();
  const end = stage.tenant.onRequest(async ({ path }, proceed) =>
    path === '/oauth/token'
      ? proceed()
      : { status: 429, headers: { 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 60) }, body: {} },
  );
  const onProgress = (text: string): void => {
    if (text.startsWith('waiting for the rate limit')) person.abort();
  };
  await assert.rejects(stage.push({ signal: person.signal, onProgress }), { name: 'AbortError' });
  end();
  assert.deepEqual([stage.writes(), existsSync(join(stage.folder, 'certpin.journal.jsonl'))], [0, false]);
  assert.equal((await stage.push()).outcome, 'done');
});

test('Ctrl-C while a write hangs: it may have been made, and that is told; what follows is not done, and the next push does it', async (t) => {
  const stage = await startStage(t, [script, actionCode, file]);
  stage.tenant.addConnection(customers({ configuration: {} }));
  stage.tenant.addAction(action);
  const signal = interruptAt(stage.tenant, (request) => isWrite(request) && request.path.includes('/actions/'));
  const cut = await stage.push({ signal });
  assert.deepEqual([cut.outcome, codes(cut)], ['interrupted', ['ERR_INTERRUPTED']]);
  assert.match(
    said(cut),
    /^interrupted while the Action post-login of acme\.eu\.auth0\.com was written: it may have been/,
  );
  assert.deepEqual(statuses(cut), ['written', 'failed', 'not-done']);
  assert.notEqual(cut.snapshot, undefined);
  const done = await stage.push();
  assert.deepEqual([done.outcome, statuses(done)], ['done', ['same', 'written', 'written']]);
});

test('Ctrl-C while an Action is built: what is deployed is what was there, and the next push finishes', async (t) => {
  const stage = await startStage(t, [actionCode], { tenant: { buildMs: 400 } });
  stage.tenant.addAction(action);
  const person = new AbortController();
  // On a slow machine the build would have ended before the person is there: so the clock stands still until then.
  const now = Date.now();
  const clock = t.mock.method(Date, 'now', () => now);
  const cut = await stage.push({
    signal: person.signal,
    onProgress: (text) => text.startsWith('waiting for the build') && person.abort(),
  });
  clock.mock.restore();
  assert.deepEqual([cut.outcome, statuses(cut)], ['interrupted', ['failed']]);
  assert.equal(stage.tenant.plaintext().actions['post-login']?.deployed?.code, CODE);
  assert.equal((await stage.push()).outcome, 'done');
  assert.match(stage.tenant.plaintext().actions['post-login']?.deployed?.code ?? '', new RegExp(stage.pins));
});

test('Ctrl-C between two places: of the second nobody says that it may have been written', async (t) => {
  const stage = await startStage(t, [file, { ...file, path: 'second.env' }]);
  const person = new AbortController();
  const onProgress = (text: string): void => {
    if (text === 'writing deploy.env') person.abort();
  };
  const cut = await stage.push({ signal: person.signal, onProgress });
  assert.deepEqual([cut.outcome, statuses(cut)], ['interrupted', ['written', 'not-done']]);
  assert.equal(said(cut), 'interrupted before second.env was written');
  assert.equal(existsSync(join(stage.folder, 'second.env')), false);
});
