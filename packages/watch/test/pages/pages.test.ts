// The accident this prevents: a page that does not say what needs a person, or says what a server wants it to say.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { commandsOf } from '../../src/pages/advice.ts';
import { html, textOf } from '../../src/pages/html.ts';
import { createClock } from '../../src/pages/times.ts';
import { states } from '../../src/states/states.ts';
import type { State } from '../../src/types.ts';
import { get, page } from '../server/ask.ts';
import { addTransition, DAY, hash, makeAddress, makeCertificate, makeStore, NOW, serve } from './fixture.ts';
import { attacks, makeHostile } from './hostile.ts';
import { makeSample } from './sample.ts';

test('a text stays a text, wherever it stands', () => {
  for (const attack of attacks) {
    const shown = textOf(html`<p title="${attack}">${attack}</p>${[attack, html`<b>${attack}</b>`]}`);
    assert.equal(shown.match(/<(?!\/?[pb]>|p title=")/g), null, attack);
    const [, title = ''] = /title="([^"]*)"/.exec(shown) ?? [];
    assert.ok(shown.includes(`">${title}</p>`), attack);
  }
  assert.equal(textOf(html`${'a\u0000b\u202Ec\r\nd\uD800'}`), 'a\uFFFDb\uFFFDc\uFFFD\uFFFDd\uFFFD');
  assert.ok(textOf(html`${'&lt;'.repeat(20_000)}`).length < 20_000, 'a name of 80 kB');
  // An object that looks like HTML is none: what JSON brings cannot make it.
  assert.equal(textOf(html`${JSON.parse('{"html":"<b>"}')}`), 'undefined');
});

/** Only tags and attributes that the pages themselves write, however a text looks. */
function assertOwnTags(body: string, path: string): void {
  for (const [found] of body.matchAll(/<[^>]*>?/g)) {
    assert.match(found, /^<(?:!doctype html|\/?[a-z0-9]+(?: [A-Za-z-]+(?:="[^"<>]*")?)*\/?)>$/, path);
    assert.doesNotMatch(
      found,
      /^<\/?(?:script|img|iframe|style|base|object|embed|xss)| (?:on\w+|style|src|srcdoc|formaction)=?/i,
      path,
    );
    assert.doesNotMatch(found, / href="(?!\/(?!\/)|#)/, path);
  }
}

test('names in certificates, reasons and notes make no element on any page', async (t) => {
  const { store, key } = await makeHostile(t);
  const { url, errors } = await serve(t, store);
  const pages = [
    '/',
    '/targets',
    `/targets?search=${encodeURIComponent('<script>')}`,
    `/target?key=${encodeURIComponent(key)}`,
    '/calendar',
    '/changes',
  ];
  for (const path of pages) {
    const { status, body, headers } = await get(url, path, { headers: page });
    assert.equal(status, 200, path);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assertOwnTags(body, path);
    assert.doesNotMatch(body.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, path);
  }
  const json = await get(url, `/target.json?key=${encodeURIComponent(key)}`);
  assert.match(String(json.headers['content-type']), /^application\/json/);
  assert.equal(JSON.parse(json.body).target, key, 'a program gets the text as it is');
  for (const accept of ['text/plain', 'application/openmetrics-text']) {
    const { body } = await get(url, '/metrics', { headers: { accept } });
    assert.ok(!body.includes('presented by the server'), 'no label holds a name of a certificate');
    for (const line of body.trim().split('\n'))
      assert.match(line, /^(?:# (?:HELP|TYPE|EOF)|certpin_\w+\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\} [-\d.e+]+$)/);
  }
  assert.deepEqual(errors, []);
});

test('first what needs a person: the worst state first, with words and the command', async (t) => {
  const store = await makeSample(t);
  const { url } = await serve(t, store);
  const { body } = await get(url, '/', { headers: page });
  assert.match(body, /<h1><bdi>6 targets need a person<\/bdi><\/h1>/);
  const order = [...body.matchAll(/<h2 id="state-([\w-]+)">/g)].map(([, state]) => state);
  assert.deepEqual(order, ['revoked', 'drift', 'expired', 'unreachable', 'ends-soon', 'mixed']);
  const { pinsFile } = await store.watcher();
  assert.ok(body.includes(`certpin trust db.example.com:5432 --from server.crt --add --file ${pinsFile}`));
  assert.match(body, /<a href="\/targets\?muted=yes">1 target<\/a> is muted/);
  assert.match(body, /There is no backup pin/);
  assert.ok(!/need a person[\s\S]*app-01[\s\S]*What ends next/.test(body), 'what holds needs nobody');
  const json = JSON.parse((await get(url, '/index.json')).body);
  assert.deepEqual(
    json.attention.map(({ status }: { status: string }) => status),
    order,
  );
  assert.equal(json.counts.holds, 24);
  assert.equal(json.generatedAt, new Date(NOW).toISOString());
});

test('where nothing is wrong, the page says so; where nothing is watched, too', async (t) => {
  const good = await serve(t, await makeStore(t, [{ label: 'a.example.com:443' }]));
  assert.match((await get(good.url, '/', { headers: page })).body, /Nothing needs a person/);
  const empty = await serve(t, await makeStore(t, []));
  assert.match((await get(empty.url, '/', { headers: page })).body, /Nothing is watched yet/);
  assert.match((await get(empty.url, '/targets', { headers: page })).body, /The pins file has no target yet/);
  for (const path of ['/calendar', '/changes', '/metrics']) assert.equal((await get(empty.url, path)).status, 200);
});

test('a flood of one state does not hide the others', async (t) => {
  const many = Array.from({ length: 300 }, (_, index) => ({
    label: `h${index}.example.com:443`,
    state: 'drift' as const,
  }));
  const { url } = await serve(t, await makeStore(t, [...many, { label: 'quiet.example.com:443', state: 'ends-soon' }]));
  const { body } = await get(url, '/', { headers: page });
  assert.match(body, /301 targets need a person/);
  assert.match(body, /quiet\.example\.com/);
  assert.match(body, /<a href="\/targets\?state=drift&amp;muted=no">295 more: drift<\/a>/);
});

test('what is wrong with the watcher itself comes before all states', async (t) => {
  const store = await makeStore(t, [{ label: 'a.example.com:443' }]);
  const { url } = await serve(t, store);
  const shown = async (): Promise<string> => (await get(url, '/', { headers: page })).body;
  const ready = async (): Promise<number> => (await get(url, '/readyz')).status;
  assert.equal(await ready(), 200);
  await store.recordWatcher({ networkLostAt: NOW - 1000 });
  assert.match(await shown(), /The watcher needs a person[\s\S]*The watcher reaches nobody/);
  assert.equal(await ready(), 503, 'what is known is that of before');
  await store.recordWatcher({ networkLostAt: null, fileError: '/etc/certpin/certpin.json:3:1: a value is expected' });
  assert.match(await shown(), /The pins file cannot be read[\s\S]*The last good one stays in use[\s\S]*:3:1/);
  await store.recordWatcher({ fileError: null, caughtUpAt: NOW - 2 * 3_600_000 - 60_001 });
  const isLate = async () => /^certpin_watch_late\{[^}]*\} (\d)$/m.exec((await get(url, '/metrics')).body)?.[1];
  assert.match(await shown(), /Checks are late/);
  assert.equal(await ready(), 503);
  assert.equal(await isLate(), '1');
  await store.recordWatcher({ intervalMs: 7_200_000 });
  assert.doesNotMatch(await shown(), /Checks are late/);
  assert.equal(await ready(), 200);
  assert.equal(await isLate(), '0');
  await store.recordWatcher({ caughtUpAt: null, startedAt: NOW });
  assert.doesNotMatch(await shown(), /Checks are late/);
  assert.equal(await ready(), 503, 'the first cycle has not ended');
});

test('the list is searched, filtered, sorted and paged, and the form keeps what was asked', async (t) => {
  const targets = Array.from({ length: 250 }, (_, index) => {
    const certificate = makeCertificate({ validTo: NOW + (250 - index) * DAY });
    return {
      label: `host-${String(index).padStart(3, '0')}.example.com:443`,
      seen: { addresses: [makeAddress({ certificate })] },
    };
  });
  const { url } = await serve(
    t,
    await makeStore(t, [...targets, { label: 'odd.example.com:636', state: 'drift', note: 'Büro' }]),
  );
  const list = async (query: string) => JSON.parse((await get(url, `/targets.json?${query}`)).body);
  const names = (json: { targets: { target: string }[] }) => json.targets.map(({ target }) => target);
  const all = await list('');
  assert.deepEqual([all.total, all.pages, all.targets.length, names(all)[0]], [251, 3, 100, 'odd.example.com:636']);
  assert.deepEqual([(await list('page=3')).targets.length, (await list('page=4')).targets.length], [51, 0]);
  assert.equal(all.next, '/targets.json?page=2');
  assert.deepEqual(names(await list('state=drift')), ['odd.example.com:636']);
  assert.deepEqual(names(await list('search=b%C3%BCro')), ['odd.example.com:636']);
  assert.equal((await list('state=drift&state=holds')).total, 251);
  assert.equal(names(await list('sort=ends'))[0], 'host-249.example.com:443');
  assert.equal(names(await list('sort=label&order=descending'))[0], 'odd.example.com:636');
  assert.equal((await list('ends-from=2027-03-16&ends-before=2027-03-18')).total, 2);
  const { body } = await get(url, '/targets?search=host&state=holds&sort=ends&page=2', { headers: page });
  assert.match(body, /101 to 200 of 250 targets/);
  assert.match(body, /<input id="search" type="search" name="search" value="host"/);
  assert.match(body, /name="state" value="holds" checked>/);
  assert.match(body, /<option value="ends" selected>/);
  assert.match(body, /rel="next" href="\/targets\?search=host&amp;state=holds&amp;sort=ends&amp;page=3">/);
  assert.match(body, /href="\/targets\.json\?search=host&amp;state=holds&amp;sort=ends&amp;page=2">/);
});

test('a target: every address with what it presented and which pin holds; the rotation; the timeline', async (t) => {
  const [old, next] = [hash(), hash()];
  const address = (ip: string, pin: string) => makeAddress({ address: ip, pin });
  const store = await makeStore(t, [
    {
      ...{ label: 'api.example.com:443', servername: 'api.internal', key: 'k&=#1', pins: [old, next], state: 'mixed' },
      seen: { addresses: [address('192.0.2.1', old), address('2001:db8::1', next)], observed: 'drift' },
    },
  ]);
  await addTransition(store, {
    key: 'k&=#1',
    label: 'api.example.com:443',
    from: 'holds',
    to: 'mixed',
    mutedBy: 'rotation',
  });
  const { url } = await serve(t, store);
  const list = await get(url, '/targets', { headers: page });
  const [, link = ''] = /<a href="(\/target\?[^"]+)">/.exec(list.body) ?? [];
  const { body } = await get(url, link.replaceAll('&amp;', '&'), { headers: page });
  for (const text of [old, next, '192.0.2.1', '2001:db8::1', 'api.internal', 'muted by a rotation'])
    assert.ok(body.includes(text), text);
  assert.match(body, /Rotation: half done\. The addresses present different pinned certificates/);
  assert.match(body, /The last check found <span class="state bad">drift<\/span>/);
  assert.match(body, /certpin check api\.example\.com:443 --all-addresses/);
  const gone = await get(url, '/target?key=gone', { headers: page });
  assert.equal(gone.status, 404);
  assert.equal((await get(url, '/target.json')).status, 404);
});

test('a page calls a rotation done only where the state does, and names the pin that no address presents', async (t) => {
  const certificate = makeCertificate();
  const [held, key, spare, spare2] = [
    certificate.sha256,
    `sha256/${Buffer.from(certificate.publicKeySha256 ?? '', 'hex').toString('base64')}`,
    hash(),
    hash(),
  ];
  const shown = async (pins: readonly string[], state: State, pin: string | null) => {
    const seen = { addresses: [makeAddress({ certificate, state, pin })] };
    const { url } = await serve(t, await makeStore(t, [{ label: 'db.example.com:5432', pins, state, seen }]));
    return (await get(url, '/target?key=db.example.com%3A5432', { headers: page })).body;
  };
  // Whatever the order in the file is: a pin that holds is not to be removed, and a backup pin is no old one.
  for (const pins of [
    [held, spare],
    [spare, held],
  ])
    for (const state of ['holds', 'ends-soon'] as const)
      assert.doesNotMatch(await shown(pins, state, held), /Rotation|removed/);
  const done = await shown([held, spare], 'rotated', held);
  assert.ok(done.includes(`No address presents <code>${spare}</code>. It can be removed.`));
  const several = await shown([spare, held, spare2, key], 'rotated', held);
  assert.ok(
    several.includes(`No address presents these pins: <code>${spare}</code> <code>${spare2}</code> .`),
    several,
  );
  assert.doesNotMatch(several, new RegExp(`<code>${held}</code> .{0,80}can be removed`));
  // The pin is that of the presented certificate, although it does not hold.
  const ended = await shown([held, spare], 'expired', null);
  assert.match(ended, new RegExp(`<code>${held}</code> <span class="quiet">presented at 192\\.0\\.2\\.10<`));
  assert.equal(ended.match(/no address presents it/g)?.length, 1);
});

test('times are UTC, or in the zone that was asked for', () => {
  const summer = Date.UTC(2027, 6, 1, 22, 5);
  assert.match(textOf(createClock('UTC', NOW).moment(summer)), />2027-07-01 22:05 UTC</);
  assert.match(
    textOf(createClock('Europe/Berlin', NOW).moment(summer)),
    /datetime="2027-07-01T22:05:00.000Z">2027-07-02 00:05 \+02:00</,
  );
  assert.match(textOf(createClock('Europe/London', NOW).moment(NOW)), / 12:30 \+00:00</);
  assert.throws(() => createClock('Mars/Olympus', NOW), RangeError);
  const { distance } = createClock('UTC', NOW);
  assert.deepEqual([NOW, NOW - 90_000, NOW + 3 * DAY, NOW - 25 * 3_600_000].map(distance), [
    'less than a minute ago',
    '1 minute ago',
    'in 3 days',
    '25 hours ago',
  ]);
});

test('a command that is pasted is one command, whatever the names are', () => {
  const target = { id: null, label: 'x.example.com:1;touch owned $(id)`id`\'"', servername: '$(id)' };
  for (const state of states) {
    for (const line of commandsOf(state, target, "/etc/it's here/certpin.json")) {
      if (!line.startsWith('certpin')) continue;
      const script = `certpin() { printf '%s\\n' "$@"; }; ${line}`;
      const [command = '', ...parts] = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
      assert.equal(parts[0], target.label);
      assert.equal(parts.includes('--servername'), command !== 'check', 'check --file takes it from the file');
      assert.equal(parts.includes("/etc/it's here/certpin.json"), command !== 'get', line);
    }
  }
});
