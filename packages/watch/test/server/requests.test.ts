// The accident this prevents: one client that sends slowly, much, or nonsense takes the pages away from everybody, or reads what is no page.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createConnections } from '../../src/server/connections.ts';
import { serveWatch } from '../../src/server/serve.ts';
import type { PageStore } from '../../src/store/store.ts';
import { makeStore, serve } from '../pages/fixture.ts';
import { get, page, raw } from './ask.ts';

const store = (t: TestContext) => makeStore(t, [{ label: 'db.example.com:5432' }]);

test('no path leads to a file', async (t) => {
  const { url } = await serve(t, await store(t));
  const paths = [
    '/../../../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/style.css/../../package.json',
    '/style.css%00.html',
    '//etc/passwd',
    '/targets/../metrics',
    '/TARGETS',
    '/targets/',
    '/constructor',
    '/__proto__',
    '/toString.json',
    '/.env',
  ];
  for (const path of paths) {
    const answer = await raw(url, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 404 /, path);
    assert.ok(!answer.includes('root:'), path);
  }
});

test('pages are only read', async (t) => {
  const { url } = await serve(t, await store(t));
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    const { status, headers } = await get(url, '/targets', { method });
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
  }
  const head = await get(url, '/targets', { method: 'HEAD' });
  assert.deepEqual([head.status, head.bytes], [200, 0]);
  assert.ok(Number(head.headers['content-length']) > 1000);
  assert.match(
    await raw(url, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n'),
    /^$|^HTTP\/1\.1 4/,
  );
});

test('what somebody writes into the address makes no header, and no page is made of nonsense', async (t) => {
  const { url } = await serve(t, await store(t));
  const asked = '/targets?search=x%0D%0ASet-Cookie:%20a=b%0D%0A%0D%0A%3Cscript%3E';
  const { headers, status } = await get(url, asked, { headers: page });
  assert.equal(status, 200);
  assert.equal(headers['set-cookie'], undefined);
  const nonsense = [
    '/targets?page=0',
    '/targets?page=-1',
    '/targets?page=1e3',
    '/targets?page=99999999999999999999',
    '/targets?page[]=1&page=x',
    '/targets?state=gone',
    `/targets?${'state=drift&'.repeat(40)}`,
    '/targets?sort=constructor',
    '/targets?remark=__proto__',
    '/targets?ends-from=2027-13-45',
    `/targets?search=${'a'.repeat(201)}`,
    '/changes?before=1%20OR%201=1',
  ];
  for (const path of nonsense) {
    const { status: refused, body } = await get(url, path, { headers: page });
    assert.equal(refused, 400, path);
    assert.match(body, /The address is not understood/);
    const json = await get(url, path.replace('?', '.json?'));
    assert.equal(json.status, 400);
    assert.equal(typeof JSON.parse(json.body).error, 'string');
  }
  for (const path of [
    "/targets?search='%20OR%20'1'='1",
    '/targets?search=%25',
    '/targets?search=%FF%00',
    '/target?key=%FF',
  ])
    assert.ok([200, 404].includes((await get(url, path)).status), path);
});

test('a long address, a long form and a form of another kind are refused', async (t) => {
  const { url } = await serve(t, await store(t), { token: 'correct-horse-battery-staple-42' });
  assert.equal((await get(url, `/targets?search=${'a'.repeat(20_000)}`)).status, 431);
  assert.equal((await get(url, '/', { headers: { cookie: 'a'.repeat(20_000) } })).status, 431);
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  assert.equal((await get(url, '/login', { ...form, body: `token=${'a'.repeat(100_000)}` })).status, 400);
  assert.equal(
    (await get(url, '/login', { ...form, headers: { 'content-type': 'text/plain' }, body: 'token=x' })).status,
    400,
  );
  const answer = await raw(
    url,
    'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 400 /, 'two lengths are two opinions about where the next request begins');
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
});

test('who sends a letter at a time is let go, and the others are served meanwhile', {
  timeout: 30_000,
}, async (t) => {
  const server = await serve(t, await store(t), { token: 'correct-horse-battery-staple-42' });
  const port = Number(new URL(server.url).port);
  const closed = (socket: Socket) => new Promise<number>((resolve) => socket.on('close', () => resolve(Date.now())));
  const began = Date.now();
  const slow = Array.from({ length: 60 }, (_, index) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const half =
      index % 2 === 0
        ? 'GET / HTTP/1.1\r\nX-A: '
        : 'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\nt';
    socket.write(half);
    const timer = setInterval(() => socket.write('a'), 100);
    socket.on('close', () => clearInterval(timer));
    return closed(socket);
  });
  await wait(200);
  assert.equal((await get(server.url, '/healthz')).status, 200);
  const ends = await Promise.all(slow);
  for (const [index, end] of ends.entries())
    assert.ok(end - began < (index % 2 === 0 ? 13_000 : 20_000), `${index}: ${end - began} ms`);
});

test('who holds every connection that there is keeps no newcomer away: 200 stay, and the oldest go', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await serve(t, await store(t));
  const [most, all] = [200, 260];
  const ended: Promise<unknown>[] = [];
  const sockets: Socket[] = [];
  for (let index = 0; index < all; index += 1) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    sockets.push(socket);
    ended.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
    // One after the other, so that it is known which one is the oldest. It never ends its request.
    await once(socket, 'connect');
  }
  await Promise.all(ended.slice(0, all - most));
  assert.deepEqual(
    sockets.map((socket) => socket.readyState === 'open'),
    sockets.map((_, index) => index >= all - most),
  );
  assert.equal((await get(url, '/healthz')).status, 200);
  await ended[all - most];
  assert.equal(
    sockets.filter((socket) => socket.readyState === 'open').length,
    most - 1,
    'the newcomer took one place',
  );
});

test('of too many connections, the client with the most loses its oldest one, and nobody else any', async () => {
  const connections = createConnections(4);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    connections.add(socket);
    socket.write('taken');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await once(socket, 'data');
    return { socket, closed };
  };
  const quiet = await open('127.0.0.3');
  const greedy = [await open('127.0.0.2'), await open('127.0.0.2'), await open('127.0.0.2')] as const;
  const newcomer = await open('127.0.0.4');
  await greedy[0].closed;
  // One of them goes by itself: there is room for one more, and nobody loses any.
  greedy[1].socket.destroy();
  await greedy[1].closed;
  const later = [await open('127.0.0.2'), await open('127.0.0.2')] as const;
  await greedy[2].closed;
  for (const { socket } of [quiet, newcomer, ...later]) assert.equal(socket.readyState, 'open');
  connections.endAll();
  await Promise.all([quiet.closed, newcomer.closed, later[0].closed, later[1].closed]);
  server.close();
});

test('an error while a page is made says nothing to the client, and all to the log', async (t) => {
  const broken = new Proxy({} as PageStore, {
    get: (_target, name) => async () => {
      throw new Error(`disk full in /secret/place: ${String(name)}`);
    },
  });
  const errors: unknown[] = [];
  const server = await serveWatch({
    ...{ store: broken, timeZone: 'UTC', metricsTargets: 10, listen: { host: '127.0.0.1', port: 0 } },
    onError: (error) => errors.push(error),
  });
  t.after(server.close);
  for (const path of ['/', '/targets.json', '/metrics', '/readyz']) {
    const { status, body } = await get(server.url, path);
    assert.equal(status, 500, path);
    assert.ok(!body.includes('secret') && !body.includes('disk'), body);
  }
  assert.equal(errors.length, 4);
  assert.match(String(errors[0]), /disk full/);
});

test('the end: what is being sent is sent, nobody new is served, and open connections do not hold it up', async (t) => {
  const { url, close } = await serve(t, await store(t));
  const idle = connect(Number(new URL(url).port), '127.0.0.1');
  idle.on('error', () => undefined);
  const answered = get(url, '/targets');
  await answered;
  const began = Date.now();
  await close();
  assert.ok(Date.now() - began < 3000);
  await assert.rejects(get(url, '/healthz'));
});
