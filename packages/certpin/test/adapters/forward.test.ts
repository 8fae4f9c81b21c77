import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  certificateHex,
  failureOf,
  type Minted,
  mint,
  runToEnd,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { SocksClient } from 'socks';
import {
  type ForwardedServer,
  pinnedForward,
  pinnedForwardPath,
  pinnedForwardSocks,
} from '../../src/adapters/forward.ts';
import { isSupported } from '../../src/drivers/seen.ts';
import { findCertpinError, livePins } from '../../src/index.ts';

const [right, impostor] = [await mint(), await mint()];
const pins = certificateHex(right);
const SECRET = 'user and password';
/** For tests that wait for a connection to go. */
const limit = { timeout: 20_000 };
/** `net.client.socket` tells of `new net.Socket()` too. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const tellsOfAll = major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 17);

async function serve(t: TestContext, certificate: Minted, onSocket?: (socket: Socket) => void) {
  const server = await startTlsServer({ certificate, ...(onSocket && { onSocket }) });
  t.after(server.close);
  return server;
}

async function forward(t: TestContext, { host, port }: ForwardedServer, policy: object = { pins }, options = {}) {
  const end = await pinnedForward({ host, port }, policy as { pins: string }, options);
  t.after(end.close);
  return end;
}

/** A socket of this process that writes at once what nobody but the right server may read. */
function call(where: NetConnectOpts): Socket {
  const socket = connect(where);
  socket.write(SECRET);
  return socket;
}

/** How a socket ends: its error, where there is one, and what came before. */
async function endOf(socket: Socket): Promise<{ error: Error | undefined; text: string }> {
  let [text, error] = ['', undefined as Error | undefined];
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', (reason) => {
    error = reason;
  });
  // Not `once` of node:events: it rejects with the error.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return { error, text };
}

async function echo(socket: Socket, text = SECRET): Promise<void> {
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (answer.length >= text.length) break;
  }
  assert.equal(answer, text);
}

/** Runs a program in another process; it has the arguments in `process.argv`. */
const elsewhere = (program: string, ...args: (string | number)[]) =>
  promisify(execFile)(process.execPath, ['-e', program, ...args.map(String)], { timeout: 15_000 });

/** Connects, writes a login, and prints how it ended. */
const STRANGER = `
  const where = isNaN(process.argv[1]) ? { path: process.argv[1] } : { host: '127.0.0.1', port: +process.argv[1] };
  const socket = require('net').connect(where);
  let read = 0;
  socket.on('data', (chunk) => (read += chunk.length)).on('error', () => {}).on('close', () => console.log('closed', read));
  socket.write('a login of another process');`;

describe('an end at the loopback interface', () => {
  test('leads to the pinned server, which sees TLS and what the client said', limit, async (t) => {
    const server = await serve(t, right);
    const end = await forward(t, { host: 'localhost', port: server.port });
    assert.equal(end.host, '127.0.0.1');
    await echo(call(end));
    assert.equal(server.receivedText(), SECRET);
    assert.deepEqual(server.servernames, ['localhost']);
    assert.equal(end.lastError, undefined);
  });

  test('tells a wrong server nothing, and the client why', limit, async (t) => {
    const server = await serve(t, impostor);
    const end = await forward(t, server);
    const { error, text } = await endOf(call(end));
    assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
    assert.equal(end.lastError, error);
    assert.equal(text, '');
    assert.equal(server.received(), 0);
  });

  test('says nothing of a wrong server to the client', limit, async (t) => {
    const server = await serve(t, impostor, (socket) => socket.write('220 welcome'));
    const { error, text } = await endOf(call(await forward(t, server)));
    assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
    assert.equal(text, '');
  });

  test('carries what the server says first', limit, async (t) => {
    const server = await serve(t, right, (socket) => socket.end('220 welcome'));
    const socket = connect(await forward(t, server));
    assert.deepEqual(await endOf(socket), { error: undefined, text: '220 welcome' });
  });

  test('lets no other process in, and opens nothing for it', limit, async (t) => {
    const server = await startScriptedServer(() => undefined);
    t.after(server.close);
    const end = await forward(t, server);
    const { stdout } = await elsewhere(STRANGER, end.port);
    assert.equal(stdout, 'closed 0\n');
    assert.equal(server.received().length, 0);
    const error = findCertpinError(end.lastError);
    assert.ok(error?.code === 'ERR_CLIENT_UNSUPPORTED' && error.message.includes('another process'));
  });

  test('says what to do to a client that makes TLS itself, where it is turned away for it', limit, async (t) => {
    const server = await serve(t, right);
    const end = await forward(t, server);
    const socket = tlsConnect({ host: end.host, port: end.port });
    t.after(() => socket.destroy());
    await endOf(socket);
    // Where Node announces TLS sockets the end carries what the client says, and the server makes nothing of it.
    if (isSupported()) assert.equal(end.lastError, undefined);
    else assert.match((end.lastError as Error).message, /makes TLS itself .*, switch its TLS off/);
  });

  test('lets no other process in from a port that was that of an own socket, once or still', limit, async (t) => {
    const server = await serve(t, right);
    const [end, other] = [await forward(t, server), await forward(t, server)];
    const socket = call(end);
    await once(socket, 'data');
    const { localPort } = socket;
    // The kernel gives the same local port again for another address: what is connected to one end says nothing at another.
    const program = `
      const socket = require('net').connect({ host: '127.0.0.1', port: +process.argv[1], localPort: +process.argv[2] });
      socket.on('data', () => console.log('data')).on('error', (e) => console.log(e.code === 'EADDRINUSE' ? e.code : 'closed'));
      socket.on('close', (hadError) => hadError || console.log('closed'));
      socket.write('a login of another process');`;
    const { stdout } = await elsewhere(program, other.port, localPort as number);
    assert.match(stdout, /^(?:closed|EADDRINUSE)\n$/);
    socket.destroy();
    await once(socket, 'close');
    await delay(20);
    const { stdout: later } = await elsewhere(program, end.port, localPort as number);
    assert.match(later, /^(?:closed|EADDRINUSE)\n$/);
    assert.equal(server.receivedText(), SECRET);
  });

  test('lets nobody in who comes from another address', { ...limit, skip: process.platform !== 'linux' }, async (t) => {
    const server = await serve(t, right);
    const end = await forward(t, server);
    const { text } = await endOf(call({ ...end, localAddress: '127.0.0.2' } as NetConnectOpts));
    assert.equal(text, '');
    assert.equal(server.handshakes(), 0);
  });

  test('knows `new net.Socket()` where Node tells of it, and refuses it elsewhere', limit, async (t) => {
    const { Socket: NetSocket } = await import('node:net');
    const server = await serve(t, right);
    const end = await forward(t, server);
    const socket = new NetSocket().connect(end.port, end.host);
    socket.write(SECRET);
    if (tellsOfAll) return echo(socket);
    assert.equal((await endOf(socket)).text, '');
    assert.match(end.lastError?.message ?? '', /new net\.Socket\(\)/);
    assert.equal(server.handshakes(), 0);
  });

  test(
    'gives the port up when it is closed; a new end there lets nobody in whom the old one knew',
    limit,
    async (t) => {
      const server = await serve(t, right);
      const end = await forward(t, server);
      const socket = call(end);
      await once(socket, 'data');
      await end.close();
      const { error } = await endOf(socket);
      assert.equal((error as { code?: string } | undefined)?.code, 'ECONNRESET');
      assert.equal(((await endOf(call(end))).error as { code?: string }).code, 'ECONNREFUSED');
      await end.close();
      const heir = createServer().listen(end.port, end.host);
      await once(heir, 'listening');
      heir.close();
    },
  );

  test('reads nothing from a caller before the verdict, and gives up a server that stalls', limit, async (t) => {
    const server = await startScriptedServer(() => undefined);
    t.after(server.close);
    const end = await forward(t, server, { pins, connectTimeoutMs: 150 });
    const socket = connect(end);
    socket.write(Buffer.alloc(50_000_000));
    const { error } = await endOf(socket);
    assert.equal(findCertpinError(error)?.code, 'ERR_CONNECT_TIMEOUT');
    assert.equal(server.received().includes(Buffer.alloc(64)), false);
    assert.ok(socket.bytesWritten === 50_000_000 && socket.destroyed);
  });

  test('gives up the server of a caller that has gone before the verdict', limit, async (t) => {
    let gone: Promise<unknown> | undefined;
    const server = await startScriptedServer((socket) => {
      gone = once(socket, 'close');
    });
    t.after(server.close);
    const socket = connect(await forward(t, server, { pins, connectTimeoutMs: 0 }));
    while (server.received().length === 0) await delay(5);
    socket.destroy();
    await gone;
  });

  test('hands on what Node says of a server that is not there', limit, async (t) => {
    const server = await serve(t, right);
    const end = await forward(t, server);
    await server.close().catch(() => undefined);
    assert.equal(((await endOf(call(end))).error as { code?: string }).code, 'ECONNREFUSED');
  });

  test('brings nothing down where nobody hears an error', limit, async (t) => {
    const end = await forward(t, await serve(t, impostor));
    const socket = connect(end);
    // `once` of node:events would listen for an error.
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(findCertpinError(end.lastError)?.code, 'ERR_PIN_MISMATCH');
  });

  test('takes a hundred connections at once, and refuses a hundred', limit, async (t) => {
    for (const certificate of [right, impostor]) {
      const server = await serve(t, certificate);
      const end = await forward(t, server);
      const sockets = Array.from({ length: 100 }, () => call(end));
      if (certificate === right) await Promise.all(sockets.map((socket) => echo(socket)));
      else
        for (const { error } of await Promise.all(sockets.map(endOf)))
          assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
      assert.equal(server.received(), certificate === right ? 100 * SECRET.length : 0);
    }
  });

  test('carries megabytes to a slow reader without keeping them, and the end of each direction', limit, async (t) => {
    const size = 20_000_000;
    // The client says that it has finished, and is answered after that.
    const server = await serve(t, right, (socket) => {
      let count = 0;
      socket.on('data', (chunk: Buffer) => {
        count += chunk.length;
      });
      socket.on('end', () => socket.end(String(count).padStart(size, ' ')));
    });
    server.server.on('connection', (socket: Socket & { allowHalfOpen: boolean }) => {
      socket.allowHalfOpen = true;
    });
    server.server.on('secureConnection', (socket: Socket & { allowHalfOpen: boolean }) => {
      socket.allowHalfOpen = true;
    });
    const end = await forward(t, server);
    const socket = connect({ ...end, allowHalfOpen: true });
    socket.end(Buffer.alloc(size));
    let [read, last] = [0, ''];
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      read += chunk.length;
      last = chunk.toString().slice(-8);
    }
    assert.deepEqual([read, last], [size, String(size)]);
  });

  test('does not let a broken connection look like an end', limit, async (t) => {
    const server = await serve(t, right, (socket) => socket.write('half of an answer'));
    const ways: Socket[] = [];
    const front = await startScriptedServer((socket) => {
      ways.push(socket);
      socket.pipe(connect(server.port, server.host)).pipe(socket);
    });
    t.after(front.close);
    const socket = connect(await forward(t, front));
    const ended = endOf(socket);
    await once(socket, 'data');
    for (const way of ways) way.resetAndDestroy();
    const { error, text } = await ended;
    assert.equal((error as { code?: string } | undefined)?.code, 'ECONNRESET');
    assert.equal(text, 'half of an answer');
  });

  test('ends open connections when their live pin goes, with the reason', limit, async (t) => {
    const server = await serve(t, right);
    const live = livePins(pins);
    const socket = call(await forward(t, server, { pins: live }));
    await once(socket, 'data');
    live.set(certificateHex(impostor));
    assert.equal(findCertpinError((await endOf(socket)).error)?.code, 'ERR_PIN_MISMATCH');
  });

  test('is an address and nothing else where it is spread, and cannot be led elsewhere', limit, async (t) => {
    const end = await forward(t, await serve(t, right));
    assert.deepEqual(Object.keys({ ...end }), ['host', 'port']);
    assert.throws(() => Object.assign(end, { port: 1 }), TypeError);
  });
});

describe('a configuration that cannot be used', () => {
  const server = { host: 'db.example', port: 5432 };
  const cases: Record<string, [() => Promise<unknown>, string]> = {
    'no pins': [() => pinnedForward(server, {} as { pins: string }), 'ERR_OPTION_INVALID'],
    'a pin that is none': [() => pinnedForward(server, { pins: 'abc' }), 'ERR_PIN_INVALID'],
    'a host without pins': [() => pinnedForward(server, { hosts: { 'other.example': { pins } } }), 'ERR_HOST_UNPINNED'],
    'something that is not a host': [
      () => pinnedForward({ ...server, host: '/run/db' }, { pins }),
      'ERR_OPTION_INVALID',
    ],
    'no host': [() => pinnedForward({ port: 1 } as ForwardedServer, { pins }), 'ERR_OPTION_INVALID'],
    'no server': [() => pinnedForward(undefined as never, { pins }), 'ERR_OPTION_INVALID'],
    'a port that is none': [() => pinnedForward({ ...server, port: 0 }, { pins }), 'ERR_OPTION_INVALID'],
    'a misspelt option': [() => pinnedForward(server, { pins }, { tsl: {} } as object), 'ERR_OPTION_INVALID'],
    'verification off': [
      () => pinnedForward(server, { pins }, { tls: { rejectUnauthorized: false } as object }),
      'ERR_OPTION_INVALID',
    ],
    'another server among the TLS options': [
      () => pinnedForward(server, { pins }, { tls: { host: 'other.example' } }),
      'ERR_OPTION_INVALID',
    ],
    'a unix socket among the TLS options': [
      () => pinnedForwardSocks({ pins }, { tls: { path: '/run/db' } }),
      'ERR_OPTION_INVALID',
    ],
    'a proxy that is none': [() => pinnedForwardPath(server, { pins }, { proxy: 'ftp://x' }), 'ERR_OPTION_INVALID'],
  };
  for (const [name, [make, code]] of Object.entries(cases)) {
    test(`is refused when it is made: ${name}`, async () => assert.equal((await failureOf(make())).code, code));
  }
});

describe('an end at a unix socket', { skip: process.platform === 'win32' }, () => {
  const path = async (t: TestContext, { host, port }: ForwardedServer, policy = { pins }) => {
    const end = await pinnedForwardPath({ host, port }, policy);
    t.after(end.close);
    return end;
  };
  /** As if this were another folder for temporary files. */
  const inFolder = async <Value>(folder: string, run: () => Promise<Value>): Promise<Value> => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      return await run();
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  };

  test('leads to the pinned server, in a folder that nobody else can enter, and goes with it', limit, async (t) => {
    const server = await serve(t, right);
    const end = await path(t, server);
    assert.equal(statSync(dirname(end.path)).mode & 0o777, 0o700);
    await echo(call(end));
    assert.equal(server.receivedText(), SECRET);
    await end.close();
    assert.equal(existsSync(dirname(end.path)), false);
  });

  test('tells a wrong server nothing, and says why', limit, async (t) => {
    const server = await serve(t, impostor);
    const end = await path(t, server);
    assert.equal((await endOf(call(end))).text, '');
    assert.equal(findCertpinError(end.lastError)?.code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
  });

  test('is made with a mode of its own, whatever the process makes otherwise', limit, async (t) => {
    const before = process.umask(0);
    t.after(() => process.umask(before));
    const end = await path(t, await serve(t, right));
    assert.equal(statSync(dirname(end.path)).mode & 0o777, 0o700);
  });

  test('is not made where others could replace it, nor where its name is cut', limit, async (t) => {
    const server = { host: 'db.example', port: 5432 };
    const folder = mkdtempSync(join(tmpdir(), 'certpin-test-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const long = join(folder, 'a'.repeat(100));
    mkdirSync(long);
    for (const [parent, mode] of [
      [folder, 0o777],
      [long, 0o700],
    ] as const) {
      chmodSync(parent, mode);
      const error = await inFolder(parent, () => failureOf(pinnedForwardPath(server, { pins })));
      assert.equal(error.code, 'ERR_OPTION_INVALID');
      assert.match(error.message, /TMPDIR/);
      assert.deepEqual(readdirSync(long), []);
    }
  });

  test('is refused on Windows', async (t) => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
    Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
    t.after(() => Object.defineProperty(process, 'platform', platform));
    const error = await failureOf(pinnedForwardPath({ host: 'db.example', port: 5432 }, { pins }));
    assert.equal(error.code, 'ERR_CLIENT_UNSUPPORTED');
  });
});

describe('an end that speaks SOCKS5', () => {
  const socks = async (t: TestContext, policy: object = { pins }) => {
    const end = await pinnedForwardSocks(policy as { pins: string });
    t.after(end.close);
    return end;
  };
  type End = Awaited<ReturnType<typeof socks>>;
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  const hello = [5, 1, 2];
  const login = ({ proxyUsername, proxyPassword }: Pick<End, 'proxyUsername' | 'proxyPassword'>) => [
    1,
    ...text(proxyUsername),
    ...text(proxyPassword),
  ];
  const named = (host: string, port: number) => [5, 1, 0, 3, ...text(host), port >> 8, port & 255];
  /** Says all of it at once, and then what nobody but the right server may read. */
  const talk = ({ proxyHost, proxyPort }: End, ...said: readonly number[][]) => {
    const socket = connect(proxyPort, proxyHost);
    socket.write(Buffer.from([...said.flat(), ...Buffer.from(SECRET)]));
    return socket;
  };
  const done = '\x05\x02\x01\0\x05\0\0\x01\0\0\0\0\0\0';

  test('leads to the server that the client names, by name and by address', limit, async (t) => {
    const server = await serve(t, right);
    const end = await socks(t);
    const addresses = [
      named('localhost', server.port),
      [5, 1, 0, 1, 127, 0, 0, 1, server.port >> 8, server.port & 255],
      [5, 1, 0, 4, ...Array(10).fill(0), 255, 255, 127, 0, 0, 1, server.port >> 8, server.port & 255],
    ];
    for (const address of addresses) {
      const socket = talk(end, hello, login(end), address);
      await echo(socket, done + SECRET);
    }
    assert.deepEqual(server.servernames, ['localhost', false, false]);
  });

  test('tells a wrong server nothing, and the client why', limit, async (t) => {
    const server = await serve(t, impostor);
    const end = await socks(t);
    const { error, text: read } = await endOf(talk(end, hello, login(end), named('localhost', server.port)));
    assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
    assert.ok(!read.includes(done.slice(4)), 'the end said that the connection stands');
    assert.equal(server.received(), 0);
  });

  test('carries the end of each direction', limit, async (t) => {
    const server = await startTlsServer({
      certificate: right,
      allowHalfOpen: true,
      onSocket: (socket) => socket.on('end', () => setTimeout(() => socket.end('answer'), 50)),
    });
    t.after(server.close);
    const end = await socks(t);
    const socket = talk(end, hello, login(end), named('localhost', server.port)).end();
    assert.deepEqual(await endOf(socket), { error: undefined, text: `${done}answer` });
    assert.equal(server.receivedText(), SECRET);
  });

  test('calls no host without pins', limit, async (t) => {
    const server = await startScriptedServer(() => undefined);
    t.after(server.close);
    const end = await socks(t, { hosts: { 'db.example': { pins } } });
    const socket = talk(end, hello, login(end), named('localhost', server.port));
    assert.equal(findCertpinError((await endOf(socket)).error)?.code, 'ERR_HOST_UNPINNED');
    assert.equal(server.received().length, 0);
  });

  const wrong: Record<string, (end: End, port: number) => [number[][], string]> = {
    'without a login': (_, port) => [[[5, 1, 0], named('localhost', port)], '\x05\xff'],
    'with another password': (end, port) => [
      [hello, login({ ...end, proxyUsername: 'certpin', proxyPassword: 'x'.repeat(43) }), named('localhost', port)],
      '\x05\x02\x01\x01',
    ],
    'with a part of the password': (end, port) => [
      [hello, [1, ...text('certpin'), ...text(end.proxyPassword.slice(0, -1))], named('localhost', port)],
      '\x05\x02\x01\x01',
    ],
    'with the login shifted': (end, port) => [
      [
        hello,
        [1, ...text(`certpin${end.proxyPassword.slice(0, 1)}`), ...text(end.proxyPassword.slice(1))],
        named('localhost', port),
      ],
      '\x05\x02\x01\x01',
    ],
    'with an empty login': (_, port) => [[hello, [1, 0, 0], named('localhost', port)], '\x05\x02\x01\x01'],
    'as SOCKS4': () => [[[4, 1, 0, 80, 127, 0, 0, 1, 0]], ''],
    'as an HTTP proxy': () => [[[...Buffer.from('CONNECT localhost:80 HTTP/1.1\r\n\r\n')]], ''],
    'to listen': (end, port) => [
      [hello, login(end), [5, 2, 0, ...named('localhost', port).slice(3)]],
      '\x05\x02\x01\0\x05\x07\0\x01\0\0\0\0\0\0',
    ],
    'for an address that is none': (end) => [
      [hello, login(end), named('local\0host', 80)],
      '\x05\x02\x01\0\x05\x08\0\x01\0\0\0\0\0\0',
    ],
  };
  for (const [name, say] of Object.entries(wrong)) {
    test(`opens nothing for a caller ${name}`, limit, async (t) => {
      const server = await startScriptedServer(() => undefined);
      t.after(server.close);
      const end = await socks(t);
      const [said, answer] = say(end, server.port);
      const socket = talk(end, ...said);
      // What was not read when the end closed may reset the connection, and take the answer along.
      const { text: read, error } = await endOf(socket);
      assert.ok(read === answer || (error !== undefined && answer.startsWith(read)), JSON.stringify(read));
      assert.equal(server.received().length, 0);
    });
  }

  test('gives up a caller that is silent, or says half of it', limit, async (t) => {
    const end = await socks(t, { pins, connectTimeoutMs: 100 });
    for (const said of [[], [5], [5, 1, 2, 1, 9], [...hello, ...login(end), 5, 1, 0, 3, 255]]) {
      const socket = connect(end.proxyPort, end.proxyHost);
      if (said.length > 0) socket.write(Buffer.from(said));
      await endOf(socket);
      assert.equal(findCertpinError(end.lastError)?.code, 'ERR_CONNECT_TIMEOUT');
    }
  });

  test('has another secret each time', limit, async (t) => {
    const [one, other] = [await socks(t), await socks(t)];
    assert.notEqual(one.proxyPassword, other.proxyPassword);
    assert.ok(one.proxyPassword.length >= 43);
    assert.deepEqual(Object.keys(one), ['proxyHost', 'proxyPort', 'proxyUsername', 'proxyPassword']);
  });
});

describe('the error of a client', () => {
  /** Says nothing that Redis would say, but what it is asked. */
  const wrongServer = (t: TestContext) => serve(t, impostor);

  test('ioredis: its event `error` has ours', limit, async (t) => {
    const server = await wrongServer(t);
    const { host, port } = await forward(t, server);
    const client = new Redis({ host, port, lazyConnect: true, retryStrategy: () => null });
    const told = once(client, 'error');
    await failureOf(client.connect());
    assert.equal(findCertpinError((await told)[0])?.code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
  });

  test('socks, the client of MongoDB’s driver: its text says why', limit, async (t) => {
    const end = await pinnedForwardSocks({ pins });
    t.after(end.close);
    const { proxyHost: host, proxyPort: port, proxyUsername: userId, proxyPassword: password } = end;
    const calls = async (server: ForwardedServer) =>
      SocksClient.createConnection({
        command: 'connect',
        destination: { host: server.host, port: server.port },
        proxy: { host, port, type: 5, userId, password },
      });
    const genuine = await serve(t, right);
    const { socket } = await calls(genuine);
    socket.write(SECRET);
    await echo(socket);
    const server = await wrongServer(t);
    const { message } = await failureOf(calls(server));
    // Where Node tells of its socket the text is ours; elsewhere it is the reply of SOCKS.
    assert.match(message, tellsOfAll ? /pin mismatch/ : /NotAllowed/);
    assert.equal(findCertpinError(end.lastError)?.code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
  });

  test('redis: its rejection has ours', limit, async (t) => {
    const server = await wrongServer(t);
    const { host, port } = await forward(t, server);
    const client = createClient({ socket: { host, port, reconnectStrategy: false }, password: SECRET });
    client.on('error', () => undefined);
    assert.equal(findCertpinError(await failureOf(client.connect()))?.code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
  });
});

describe('a process that forgets to close its end', () => {
  const program = fileURLToPath(new URL('forward-process.mjs', import.meta.url));
  const run = async (t: TestContext, task: string): Promise<string> => {
    const { host, port } = await serve(t, right);
    const argument = JSON.stringify({ task, server: { host, port }, policy: { pins } });
    return runToEnd(['--import', 'tsx', program, argument]);
  };

  for (const task of ['loopback', 'idle', 'pending'])
    test(`ends by itself: ${task}`, async (t) => assert.equal(await run(t, task), 'hello\n'));

  for (const task of ['unix', 'stopped'])
    test(`takes the folder of a unix socket along: ${task}`, {
      skip: process.platform === 'win32',
    }, async (t) => {
      const [path = ''] = /\S+\n$/.exec(await run(t, task)) ?? [];
      assert.match(path, /certpin-/);
      assert.equal(existsSync(dirname(path)), false);
    });

  test('shares its end with no other process of a cluster', async (t) =>
    assert.equal(await run(t, 'cluster'), 'hello,hello\n'));
});
