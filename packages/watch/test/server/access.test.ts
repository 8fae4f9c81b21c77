// The accident this prevents: a stranger reads which server is not watched well, over the network, through somebody's browser, or by guessing.
import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Minted, mint } from '@certpin/testkit';
import { createAttempts } from '../../src/server/attempts.ts';
import { checkListenOptions, type ListenOptions } from '../../src/server/listen-options.ts';
import { createSessions } from '../../src/server/sessions.ts';
import { DAY, makeStore, NOW, serve } from '../pages/fixture.ts';
import { type Answered, cookiesOf, get, page, raw } from './ask.ts';

const TOKEN = 'correct-horse-battery-staple-42';
const store = (t: TestContext) => makeStore(t, [{ label: 'secret-name.example.com:5432', state: 'drift' }]);
const tlsOf = ({ certPem, keyPem }: Minted) => ({ certificate: certPem, key: keyPem });

test('what would show the pages to anybody is refused before anything listens', async () => {
  const tls = tlsOf(await mint());
  const refused: [Partial<ListenOptions>, RegExp][] = [
    [{ host: '0.0.0.0' }, /no loopback address.*tls/s],
    [{ host: '192.0.2.1', token: TOKEN }, /no loopback address.*tls/s],
    [{ host: '::', tls }, /a token, or a CA of client certificates/],
    [{ host: 'watch.example.com', tls }, /a token, or a CA/],
    [{ host: '127.evil.example', tls }, /a token, or a CA/],
    [{ host: '0.0.0.0', behindProxy: true, token: TOKEN }, /names/],
    [{ host: '127.0.0.1', behindProxy: true, names: ['watch.example.com'] }, /a token is needed/],
    [{ host: '127.0.0.1', token: 'short' }, /too short/],
    [{ host: '127.0.0.1', token: `${TOKEN} with spaces` }, /characters/],
    [{ host: '' }, /address/],
    [{ port: 70_000 }, /port/],
  ];
  for (const [options, message] of refused)
    assert.throws(
      () => checkListenOptions({ host: '127.0.0.1', port: 0, ...options }),
      message,
      JSON.stringify(options),
    );
  for (const host of ['127.0.0.1', '::1', 'localhost', '127.8.9.10']) checkListenOptions({ host, port: 0 });
  checkListenOptions({ host: '0.0.0.0', port: 0, tls, token: TOKEN });
  checkListenOptions({ host: '0.0.0.0', port: 0, tls: { ...tls, clientCa: tls.certificate } });
});

test('wrong tokens of a page under another name lock out that name, and not the person who reads it', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const ask = async (host: string, token: string): Promise<number> =>
    (await get(url, '/index.json', { headers: { host, authorization: `Bearer ${token}` } })).status;
  for (let guess = 0; guess < 5; guess++) assert.equal(await ask('evil.example', `wrong-${guess}`), 401);
  assert.equal(await ask('evil.example', TOKEN), 429);
  assert.equal(await ask('localhost', TOKEN), 200);
});

test('a name that an attacker has pointed at us is no name of ours (DNS rebinding)', async (t) => {
  const { url } = await serve(t, await store(t));
  const { port } = new URL(url);
  for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', `127.0.0.1:${port}`, '[::1]:4000', 'LOCALHOST.'])
    assert.equal((await get(url, '/', { headers: { host } })).status, 200, host);
  const foreign = [
    'evil.example',
    'evil.example:80',
    `localhost.evil.example:${port}`,
    '127.0.0.1.nip.example',
    'localhost@evil.example',
  ];
  for (const host of [...foreign, 'localhost, evil.example']) {
    for (const path of ['/', '/index.json', '/metrics', '/readyz', '/style.css', '/login']) {
      const { status, body } = await get(url, path, { headers: { host } });
      assert.equal(status, 421, `${host} ${path}`);
      assert.ok(!body.includes('secret-name'), host);
    }
  }
  const twice = await raw(url, `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
  assert.match(twice, /^HTTP\/1\.1 (?:400|421) /);
  assert.match(await raw(url, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(url, 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 421 /);
  assert.match(await raw(url, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /);
  assert.match(
    await raw(url, 'GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 400 /,
  );
});

test('a page of a stranger in the same browser reads nothing, and embeds nothing', async (t) => {
  const { url } = await serve(t, await store(t));
  const from = (site: string, mode: string, method = 'GET'): Promise<Answered> =>
    get(url, '/index.json', { method, headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode } });
  assert.equal((await from('cross-site', 'no-cors')).status, 403);
  assert.equal((await from('same-site', 'cors')).status, 403, 'another port of this machine is a stranger too');
  assert.equal((await from('cross-site', 'navigate')).status, 200, 'a link from a chat');
  assert.equal((await from('same-origin', 'cors')).status, 200);
  assert.equal((await from('none', 'navigate')).status, 200);
  const { headers } = await from('none', 'navigate');
  assert.equal(headers['access-control-allow-origin'], undefined);
});

test('every answer tells the browser to run, load, frame and pass on nothing', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const authorization = `Bearer ${TOKEN}`;
  const answers = [
    await get(url, '/', { headers: page }),
    await get(url, '/', { headers: { authorization } }),
    await get(url, '/index.json', { headers: { authorization } }),
    await get(url, '/metrics', { headers: { authorization } }),
    await get(url, '/nowhere', { headers: { authorization } }),
    await get(url, '/style.css'),
    await get(url, '/healthz'),
    await get(url, '/', { headers: { host: 'evil.example' } }),
    await get(url, '/', { method: 'DELETE' }),
  ];
  for (const { headers } of answers) {
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; /);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /base-uri 'none'/);
    assert.match(policy, /form-action 'self'/);
    assert.doesNotMatch(policy, /unsafe|script-src|\*/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['x-powered-by'], undefined);
    assert.equal(headers.server, undefined);
  }
});

test('without a login only /healthz answers, and it says nothing', async (t) => {
  const tls = tlsOf(await mint());
  const { url } = await serve(t, await store(t), { tls, token: TOKEN });
  const options = { rejectUnauthorized: false };
  const health = await get(url, '/healthz', { ...options, headers: { host: '10.1.2.3:8443' } });
  assert.deepEqual([health.status, health.body], [200, 'ok\n']);
  const paths = [
    '/',
    '/index.json',
    '/targets',
    '/targets.json?search=secret',
    '/target?key=x',
    '/calendar',
    '/changes',
    '/metrics',
    '/readyz',
    '/nowhere',
  ];
  for (const path of paths) {
    for (const headers of [
      {},
      page,
      { authorization: 'Bearer wrong' },
      { authorization: 'Basic dXNlcjpwYXNz' },
      { cookie: '__Host-certpin-watch-session=guess' },
    ]) {
      if ('authorization' in headers && path !== '/') continue; // the limit of attempts has a test of its own
      const { status, body } = await get(url, path, { ...options, headers });
      assert.equal(status, 401, `${path} ${JSON.stringify(headers)}`);
      assert.ok(!body.includes('secret-name') && !body.includes('drift'), path);
    }
  }
  for (const path of ['/', '/index.json', '/metrics', '/readyz']) {
    const headers = { authorization: `Bearer ${TOKEN}`, host: '10.1.2.3' };
    const { status } = await get(url, path, { ...options, headers });
    assert.equal(status, 200, `${path}: a machine may call us by our address`);
  }
});

/** Gets the form, as a browser does, and what is needed to send it. */
async function fetchForm(
  url: string,
  path = '/',
): Promise<{ readonly cookie: string; readonly nonce: string; readonly answer: Answered }> {
  const answer = await get(url, path, { headers: { ...page, 'accept-encoding': 'gzip' } });
  assert.equal(answer.status, 401);
  return { answer, cookie: cookiesOf(answer), nonce: /name="form" value="([\w-]+)"/.exec(answer.body)?.[1] ?? '' };
}

function post(
  url: string,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const body = new URLSearchParams(fields).toString();
  return get(url, path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...page, ...headers },
  });
}

test('the token in the form becomes a cookie that no script reads and no other site sends', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const { cookie, nonce, answer } = await fetchForm(url, '/targets?state=drift');
  assert.equal(answer.headers['content-encoding'], undefined);
  const asked = await post(url, '/login', { token: TOKEN, form: nonce, next: '/targets?state=drift' }, { cookie });
  assert.deepEqual([asked.status, asked.headers.location], [303, '/targets?state=drift']);
  const [session = ''] = asked.headers['set-cookie'] ?? [];
  for (const word of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(session.includes(word), session);
  assert.ok(!session.includes(TOKEN) && !asked.body.includes(TOKEN));
  const loggedIn = { ...page, cookie: cookiesOf(asked) };
  const shown = await get(url, '/targets', { headers: loggedIn });
  assert.equal(shown.status, 200);
  assert.match(shown.body, /secret-name/);
  assert.match(shown.body, /<form method="post" action="\/logout">/);
  // Logged out means that the cookie is worth nothing any more, also for whoever has copied it.
  assert.equal((await post(url, '/logout', {}, loggedIn)).status, 303);
  assert.equal((await get(url, '/targets', { headers: loggedIn })).status, 401);
});

test('over TLS the cookies are bound to this host and to TLS', async (t) => {
  const { url } = await serve(t, await store(t), { tls: tlsOf(await mint()), token: TOKEN });
  const options = { rejectUnauthorized: false };
  const form = await get(url, '/', { ...options, headers: page });
  const nonce = /name="form" value="([\w-]+)"/.exec(form.body)?.[1] ?? '';
  const body = new URLSearchParams({ token: TOKEN, form: nonce, next: '/' }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie: cookiesOf(form) };
  const answer = await get(url, '/login', { ...options, method: 'POST', body, headers });
  assert.equal(answer.status, 303);
  for (const cookie of [...(form.headers['set-cookie'] ?? []), ...(answer.headers['set-cookie'] ?? [])])
    assert.match(cookie, /^__Host-certpin-watch-\w+=[^;]*; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/);
});

test('a form of another site logs nobody in and out, and costs nobody his attempts', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const { cookie, nonce } = await fetchForm(url);
  const foreign: [Record<string, string>, Record<string, string>][] = [
    [{ token: TOKEN, form: nonce }, {}], // the attacker got a form himself; the browser of the victim has no such cookie
    [{ token: TOKEN, form: 'x' }, { cookie }],
    [{ token: TOKEN }, { cookie }],
    [{ token: TOKEN, form: '' }, { cookie: 'certpin-watch-form=' }],
    [{ token: TOKEN, form: nonce }, { cookie: `${cookie}; certpin-watch-form=planted` }],
  ];
  for (const [fields, headers] of foreign) {
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const { status, headers: sent } = await post(url, '/login', fields, headers);
      assert.equal(status, 403);
      assert.ok(!(sent['set-cookie'] ?? []).some((text) => text.includes('session=')));
    }
  }
  const crossSite = { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  assert.equal((await post(url, '/login', { token: TOKEN, form: nonce }, crossSite)).status, 403);
  const asked = await post(url, '/login', { token: TOKEN, form: nonce }, { cookie });
  assert.equal(asked.status, 303, 'the attempts of the victim are all there');
  const session = cookiesOf(asked);
  await post(url, '/logout', {}, { cookie: session, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' });
  await post(url, '/logout', {}, {});
  assert.equal((await get(url, '/', { headers: { cookie: session } })).status, 200);
});

test('the login leads to a page of ours and nowhere else', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const elsewhere = [
    '//evil.example',
    'https://evil.example/',
    '/\\evil.example',
    '/targets\r\nSet-Cookie: a=b',
    '/login',
    'javascript:alert(1)',
    '/targets/../../x',
    '',
  ];
  for (const next of elsewhere) {
    const { cookie, nonce } = await fetchForm(url);
    const { headers, status } = await post(url, '/login', { token: TOKEN, form: nonce, next }, { cookie });
    assert.deepEqual([status, headers.location], [303, '/'], next);
  }
  const { cookie, nonce } = await fetchForm(url);
  const asked = await post(
    url,
    '/login',
    { token: TOKEN, form: nonce, next: '/targets?search=a\r\nX: "<b>' },
    { cookie },
  );
  assert.equal(asked.headers.location, '/targets?search=a%0D%0AX%3A+%22%3Cb%3E');
  const form = await get(url, '/targets?search=%22%3E%3Cscript%3E', { headers: page });
  assert.ok(!form.body.includes('<script'));
});

test('a link from a mail leads to the page although a strict cookie stays at home', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const headers = { ...page, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  const { body, headers: sent } = await get(url, '/targets?state=drift', { headers });
  assert.equal(sent.refresh, '0; url=/targets?state=drift');
  assert.match(body, /<a href="\/targets\?state=drift">/);
});

test('five wrong tokens, and the address waits; the right one does not help then', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN });
  const tried = (token: string) => get(url, '/index.json', { headers: { authorization: `Bearer ${token}` } });
  for (let attempt = 0; attempt < 5; attempt += 1) assert.equal((await tried(`wrong-${attempt}`)).status, 401);
  const { status, headers } = await tried(TOKEN);
  assert.equal(status, 429);
  assert.ok(Number(headers['retry-after']) > 800);
  const { cookie, nonce } = await fetchForm(url);
  assert.equal((await post(url, '/login', { token: TOKEN, form: nonce }, { cookie })).status, 429);
  assert.equal((await get(url, '/healthz')).status, 200);
});

test('behind a proxy it is the address that the proxy saw which waits, and not what the client wrote', async (t) => {
  const { url } = await serve(t, await store(t), { token: TOKEN, behindProxy: true, names: ['watch.example.com'] });
  const tried = (token: string, forwarded: string) =>
    get(url, '/', { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': forwarded } });
  for (let attempt = 0; attempt < 5; attempt += 1)
    assert.equal((await tried('wrong-token', `10.0.0.${attempt}, 198.51.100.7`)).status, 401);
  assert.equal((await tried(TOKEN, '10.9.9.9, 198.51.100.7')).status, 429);
  assert.equal((await tried(TOKEN, '198.51.100.8')).status, 200);
  assert.equal((await get(url, '/', { headers: { host: 'localhost' } })).status, 421);
  assert.equal((await get(url, '/', { headers: { host: 'watch.example.com' } })).status, 401);
});

test('attempts: a quarter of an hour; a network of IPv6 is one address; those that are remembered are bounded', () => {
  const attempts = createAttempts();
  for (let index = 0; index < 5; index += 1) attempts.failed(`2001:db8:1:2:${index}::9`, NOW);
  assert.ok(attempts.waitSeconds('2001:db8:1:2:ffff::1', NOW) > 0);
  assert.equal(attempts.waitSeconds('2001:db8:1:3::1', NOW), 0);
  assert.equal(attempts.waitSeconds('2001:db8:1:2::1', NOW + 900_001), 0);
  for (let index = 0; index < 5; index += 1) attempts.failed('::ffff:192.0.2.1', NOW);
  assert.ok(attempts.waitSeconds('192.0.2.1', NOW) > 0);
  attempts.succeeded('192.0.2.1');
  assert.equal(attempts.waitSeconds('192.0.2.1', NOW), 0);
});

test('a session ends after twelve hours', () => {
  const sessions = createSessions();
  const id = sessions.open(NOW);
  assert.ok(sessions.has(id, NOW + 43_199_000));
  assert.ok(!sessions.has(id, NOW + 43_200_000));
  assert.ok(!sessions.has('', NOW));
});

test('a client certificate of the CA is a login; any other one is none', async (t) => {
  const ca = await mint({ ca: true, subject: 'CN=clients' });
  const [server, client, stranger] = [
    await mint(),
    await mint({ issuer: ca, subject: 'CN=ops' }),
    await mint({ subject: 'CN=ops' }),
  ];
  const fake = await mint({ issuer: ca, signedBy: stranger, subject: 'CN=ops' });
  const late = await mint({ issuer: ca, subject: 'CN=ops', validFromDays: -9, validToDays: -1 });
  const { url } = await serve(t, await store(t), { tls: { ...tlsOf(server), clientCa: ca.certPem } }, Date.now);
  const as = async (minted: Minted | undefined, path = '/index.json') => {
    const own = minted === undefined ? {} : { cert: minted.certPem, key: minted.keyPem };
    return (await get(url, path, { rejectUnauthorized: false, ...own })).status;
  };
  assert.equal(await as(client), 200);
  for (const [name, other] of Object.entries({ nobody: undefined, stranger, fake, late })) {
    assert.equal(await as(other), 401, name);
    assert.equal(await as(other, '/healthz'), 200, name);
  }
  const foreign = {
    rejectUnauthorized: false,
    cert: client.certPem,
    key: client.keyPem,
    headers: { host: 'evil.example' },
  };
  assert.equal(
    (await get(url, '/index.json', foreign)).status,
    421,
    'a browser presents its certificate under any name',
  );
});

/** Asks once over TLS, and gives the status with a session that a later connection may resume. */
async function askResuming(
  url: string,
  options: ConnectionOptions,
): Promise<{ readonly status: number; readonly session: Buffer | undefined; readonly isResumed: boolean }> {
  const { port } = new URL(url);
  const socket = connectTls({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  let isResumed = false;
  socket.on('session', (given) => {
    session = given;
  });
  socket.once('secureConnect', () => {
    isResumed = socket.isSessionReused();
  });
  socket.end('GET /index.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const part of socket) text += part;
  return { status: Number(text.split(' ')[1]), session, isResumed };
}

test('a session that is resumed proves nothing of who had no certificate, and does not outlive a certificate or its CA', async (t) => {
  const [ca, next] = [await mint({ ca: true, subject: 'CN=clients' }), await mint({ ca: true, subject: 'CN=next' })];
  const [server, client, late, stranger] = [
    await mint(),
    await mint({ issuer: ca, subject: 'CN=ops', validToDays: 3 }),
    await mint({ issuer: ca, subject: 'CN=ops', validFromDays: -9, validToDays: -1 }),
    await mint({ subject: 'CN=ops' }),
  ];
  let now = Date.now();
  const tls = { ...tlsOf(server), clientCa: ca.certPem };
  const { url, renewTls } = await serve(t, await store(t), { tls }, () => now);
  const own = { cert: client.certPem, key: client.keyPem };
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const versions = { minVersion: version, maxVersion: version };
    for (const [name, as, status] of [
      ['nobody', {}, 401],
      ['late', { cert: late.certPem, key: late.keyPem }, 401],
      ['stranger', { cert: stranger.certPem, key: stranger.keyPem }, 401],
      ['client', own, 200],
    ] as const) {
      const first = await askResuming(url, { ...versions, ...as });
      assert.equal(first.status, status, `${name} ${version}`);
      const again = await askResuming(url, { ...versions, ...as, session: first.session });
      assert.ok(again.isResumed, `${name} ${version}: a session that the server knows`);
      assert.equal(again.status, status, `${name} ${version}, resumed`);
    }
  }
  const { session } = await askResuming(url, own);
  now += 4 * DAY;
  assert.equal((await askResuming(url, { ...own, session })).status, 401, 'the certificate has ended since');
  now -= 4 * DAY;
  renewTls({ ...tls, clientCa: next.certPem });
  assert.equal((await askResuming(url, { ...own, session })).status, 401, 'its CA is none of ours any more');
});

test('who is connected when another CA counts has to show a certificate again', async (t) => {
  const [ca, next] = [await mint({ ca: true, subject: 'CN=clients' }), await mint({ ca: true, subject: 'CN=next' })];
  const [server, client] = [await mint(), await mint({ issuer: ca, subject: 'CN=ops' })];
  const tls = { ...tlsOf(server), clientCa: ca.certPem };
  const { url, renewTls } = await serve(t, await store(t), { tls }, Date.now);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  t.after(() => agent.destroy());
  const own = { agent, cert: client.certPem, key: client.keyPem };
  const ports = new Set<number | undefined>();
  const ask = () => get(url, '/index.json', { ...own, onSocket: (socket) => ports.add(socket.localPort) });
  assert.equal((await ask()).status, 200);
  renewTls({ ...tls, certificate: server.certPem });
  assert.equal((await ask()).status, 200);
  assert.equal(ports.size, 1, 'a renewed certificate of our own ends no connection');
  renewTls({ ...tls, clientCa: next.certPem });
  // The client may notice the end of its connection only as it asks.
  const answer = await ask().catch(() => ask());
  assert.equal(answer.status, 401);
});

test('the names in the certificate are ours, and a renewed one is taken without a restart', async (t) => {
  const [first, second] = [
    await mint({ names: ['watch.example.com', '*.watch.example.org'] }),
    await mint({ names: ['new.example.com'] }),
  ];
  const { url, renewTls } = await serve(t, await store(t), { tls: tlsOf(first), token: TOKEN });
  const called = async (host: string) => (await get(url, '/', { rejectUnauthorized: false, headers: { host } })).status;
  assert.equal(await called('watch.example.com'), 401);
  assert.equal(await called('a.watch.example.org'), 401);
  for (const host of ['a.b.watch.example.org', 'watch.example.org', 'new.example.com'])
    assert.equal(await called(host), 421, host);
  renewTls(tlsOf(second));
  assert.equal(await called('new.example.com'), 401);
  assert.equal(await called('watch.example.com'), 421);
  assert.throws(() => renewTls({ certificate: 'nothing', key: second.keyPem }));
  assert.equal(await called('new.example.com'), 401, 'the old one stays');
});

test('TLS 1.1 is refused', async (t) => {
  const { url } = await serve(t, await store(t), { tls: tlsOf(await mint()), token: TOKEN });
  const versions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await assert.rejects(get(url, '/healthz', { rejectUnauthorized: false, ...versions }), {
    message: /alert protocol version/, // the server's
  });
});
