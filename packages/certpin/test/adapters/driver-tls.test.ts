// A client's own `tls.connect` under a policy: what it may connect to, what a wrong server receives, and every way to lose the pin.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer, type LookupFunction, connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import tls, {
  type ConnectionOptions,
  connect,
  createSecureContext,
  createServer as createTlsServer,
  type TLSSocket,
} from 'node:tls';
import { inspect } from 'node:util';
import {
  asPlainDuplex,
  type CountingServer,
  type CountingServerOptions,
  certificateHex,
  mint,
  publicKeyPin,
  startTlsServer,
} from '@certpin/testkit';
import { isSupported, pinnedTls } from '../../src/adapters/driver-tls.ts';
import { livePins } from '../../src/core/live-pins.ts';
import { seenTlsUnchecked } from '../../src/drivers/seen.ts';
import { CertpinError } from '../../src/errors.ts';
import { createLeafAttacher } from '../../src/leaf/attacher.ts';
import { readTlsOptions } from '../../src/tls/options.ts';
import { seenPinnerOf } from '../../src/tls/pinner-of.ts';

const [right, impostor] = [await mint(), await mint()];
const pins = certificateHex(right);
/** What the look for support connects to. */
const attempts: unknown[] = [];
const watch = (message: unknown): void =>
  void (message as { socket: TLSSocket }).socket.on('connectionAttempt', (address) => attempts.push(address));
subscribe('net.client.socket', watch);
const skip = isSupported() ? false : `Node ${process.version} does not announce TLS sockets`;
unsubscribe('net.client.socket', watch);
const testSeen = (name: string, run: (t: TestContext) => Promise<void>): unknown => test(name, { skip }, run);

async function serve(t: TestContext, options: Partial<CountingServerOptions> = {}): Promise<CountingServer> {
  const server = await startTlsServer({ certificate: right, ...options });
  t.after(server.close);
  return server;
}

/** As a driver does: written before anything is known of the server. */
function dial(t: TestContext, options: ConnectionOptions): TLSSocket {
  const socket = connect(options);
  t.after(() => socket.destroy());
  socket.write('password');
  return socket;
}

async function answered(server: CountingServer, socket: TLSSocket): Promise<void> {
  await once(socket, 'secureConnect');
  assert.equal(socket.authorized, true);
  while (server.received() < 'password'.length) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** @returns the error with which a connection ended that nobody could use */
async function refused(server: CountingServer, socket: TLSSocket): Promise<Error & { code?: string }> {
  const heard: string[] = [];
  for (const event of ['session', 'secureConnect'])
    socket.on(event, () => {
      heard.push(event);
      setTimeout(() => socket.destroy(new Error('it was used')), 50);
    });
  const [error] = await once(socket, 'error');
  await new Promise((resolve) => setTimeout(resolve, 30)); // bytes on their way arrive
  assert.deepEqual([server.received(), heard, socket.destroyed, socket.authorized], [0, [], true, false]);
  return error;
}

const at = ({ port }: CountingServer, host = 'localhost'): ConnectionOptions => ({ host, port });

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`a client's own connection, over ${maxVersion}`, () => {
    testSeen('goes to the pinned server', async (t) => {
      const server = await serve(t, { maxVersion });
      await answered(server, dial(t, { ...at(server), ...pinnedTls({ pins }) }));
      server.forget();
      await answered(
        server,
        dial(t, { ...at(server, '127.0.0.1'), ...pinnedTls({ pins: await publicKeyPin(right) }) }),
      );
      assert.deepEqual(server.servernames.at(-1), false);
    });

    testSeen('to another server ends before a byte, with the words and data of the guard', async (t) => {
      const server = await serve(t, { maxVersion, certificate: impostor });
      for (const host of ['localhost', '127.0.0.1']) {
        const error = await refused(server, dial(t, { ...at(server, host), ...pinnedTls({ pins }) }));
        assert.ok(error instanceof CertpinError && error.code === 'ERR_PIN_MISMATCH');
        assert.match(error.message, new RegExp(`${host}:${server.port}`));
        server.forget();
      }
    });

    testSeen('to a CA’s server that Node would trust, and nobody pinned, ends before a byte', async (t) => {
      const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
      const [pinned, other] = [await mint({ issuer: ca }), await mint({ issuer: ca })];
      const server = await serve(t, { maxVersion, certificate: other });
      const tls = pinnedTls({ pins: certificateHex(pinned) });
      assert.equal(
        (await refused(server, dial(t, { ...at(server), ...tls, ca: ca.certPem } as ConnectionOptions))).code,
        'ERR_PIN_MISMATCH',
      );
      const again = await serve(t, { maxVersion, certificate: pinned });
      await answered(again, dial(t, { ...at(again), ...tls }));
    });

    testSeen('to an expired certificate is as the policy says', async (t) => {
      const expired = await mint({ validFromDays: -30, validToDays: -1 });
      const server = await serve(t, { maxVersion, certificate: expired });
      const expiredPins = certificateHex(expired);
      const error = await refused(server, dial(t, { ...at(server), ...pinnedTls({ pins: expiredPins }) }));
      assert.equal(error.code, 'ERR_CERTIFICATE_EXPIRED');
      await answered(server, dial(t, { ...at(server), ...pinnedTls({ pins: expiredPins, expired: 'accept' }) }));
    });

    testSeen('tries the next address of a name, and judges there', async (t) => {
      const dead = createServer().listen(0, '127.0.0.1');
      await once(dead, 'listening');
      dead.close();
      const addresses = [
        { address: '127.0.0.99', family: 4 },
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ];
      const lookup = ((_host, _options, done) => done(null, addresses as never)) as LookupFunction;
      for (const certificate of [right, impostor]) {
        const server = await serve(t, { maxVersion, certificate });
        const options = { ...at(server, 'db.example.com'), ...pinnedTls({ pins }), lookup, autoSelectFamily: true };
        const socket = dial(t, options);
        if (certificate === right) {
          await answered(server, socket);
          assert.deepEqual(server.servernames, ['db.example.com']);
        } else assert.equal((await refused(server, socket)).code, 'ERR_PIN_MISMATCH');
      }
    });

    testSeen('is judged by the leaf alone in a pasted block', async (t) => {
      const tls = seenTlsUnchecked(createLeafAttacher({ pins }), {}, 'test');
      const server = await serve(t, { maxVersion });
      await answered(server, dial(t, { ...at(server), ...tls }));
      server.present(impostor);
      server.forget();
      assert.equal((await refused(server, dial(t, { ...at(server), ...tls }))).code, 'ERR_PIN_MISMATCH');
    });
  });
}

describe('the connection that is judged', () => {
  testSeen('is the client’s own socket, whatever another one does in the same tick', async (t) => {
    const foreignCa = await mint({ ca: true, subject: 'CN=Foreign CA' });
    const foreignLeaf = await mint({ issuer: foreignCa });
    const [ours, theirs] = [await serve(t, { certificate: impostor }), await serve(t, { certificate: foreignLeaf })];
    const tls = pinnedTls({ pins });
    const foreign = { ...at(theirs), ca: foreignCa.certPem };
    const early = dial(t, foreign);
    const refusal = refused(ours, dial(t, { ...at(ours), ...tls }));
    const late = dial(t, foreign);
    const untrusted = dial(t, at(theirs));
    await Promise.all([once(early, 'secureConnect'), once(late, 'secureConnect'), once(untrusted, 'error')]);
    assert.deepEqual([early.authorized, late.authorized, untrusted.authorized], [true, true, false]);
    assert.equal((await refusal).code, 'ERR_PIN_MISMATCH');
  });

  testSeen('is none of another client, whatever was done with our options before it', async (t) => {
    const server = await serve(t);
    const tls = pinnedTls({ pins });
    const raw = netConnect(server.port, '127.0.0.1').on('error', () => undefined);
    t.after(() => raw.destroy());
    const { port } = server;
    // Each reads our context, and makes no socket of ours that is announced.
    const reads: (() => unknown)[] = [
      () => JSON.stringify(tls),
      () => inspect(tls, { depth: 9, getters: true, showHidden: true }),
      () => ({ ...tls, secureContext: { ...tls.secureContext } }),
      () => createTlsServer({ secureContext: tls.secureContext } as never).close(),
      () => connect({ port, ...tls, minDHSize: -1 }),
      () => connect({ port: 70_000, ...tls }).on('error', () => undefined),
      () => connect({ socket: raw, ...tls }).on('error', () => undefined),
      () => connect({ port, ...tls, ...pinnedTls({ pins: certificateHex(impostor) }) }).on('error', () => undefined),
    ];
    for (const read of reads) {
      try {
        read();
      } catch {
        // the constructor threw
      }
      // Node refuses the pinned server: it is self-signed, and this client has pinned nothing.
      const foreign = dial(t, at(server));
      const [error] = await once(foreign, 'error');
      assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
      assert.equal(server.received(), 0);
    }
  });

  testSeen('is judged by its own policy, where two are made in one tick', async (t) => {
    const [one, two] = [await serve(t), await serve(t, { certificate: impostor })];
    const [ofOne, ofTwo] = [pinnedTls({ pins }), pinnedTls({ pins: certificateHex(impostor) })];
    const sockets = [dial(t, { ...at(one), ...ofOne }), dial(t, { ...at(two), ...ofTwo })] as const;
    await Promise.all([answered(one, sockets[0]), answered(two, sockets[1])]);
    one.forget();
    two.forget();
    const crossed = [dial(t, { ...at(one), ...ofTwo }), dial(t, { ...at(two), ...ofOne })] as const;
    const errors = await Promise.all([refused(one, crossed[0]), refused(two, crossed[1])]);
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['ERR_PIN_MISMATCH', 'ERR_PIN_MISMATCH'],
    );
  });

  testSeen('may be made at any later time, and by the same options again and again', async (t) => {
    const server = await serve(t);
    const tls = pinnedTls({ pins });
    for (const wait of [0, 30]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      server.forget();
      await answered(server, dial(t, { ...at(server), ...tls }));
      await answered(server, dial(t, { ...tls, ...at(server) }));
      server.forget();
      const socket = connect(server.port, 'localhost', tls);
      socket.write('password');
      t.after(() => socket.destroy());
      await answered(server, socket);
    }
  });

  testSeen('follows the pins while it is open', async (t) => {
    const server = await serve(t);
    const live = livePins(pins);
    const socket = dial(t, { ...at(server), ...pinnedTls({ pins: live }) });
    await answered(server, socket);
    live.set(certificateHex(impostor));
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
    assert.equal(socket.destroyed, true);
  });

  testSeen('has the policy of its host: by the name that is dialled and that the client gives', async (t) => {
    const [one, two] = [await serve(t), await serve(t, { certificate: impostor })];
    const tls = pinnedTls({
      hosts: { localhost: { pins }, '127.0.0.1': { pins: certificateHex(impostor) }, 'named.example': { pins } },
    });
    await answered(one, dial(t, { ...at(one), ...tls }));
    await answered(two, dial(t, { ...at(two, '127.0.0.1'), ...tls }));
    for (const server of [one, two]) server.forget();
    assert.equal((await refused(two, dial(t, { ...at(two), ...tls }))).code, 'ERR_PIN_MISMATCH');
    assert.equal((await refused(one, dial(t, { ...at(one, '127.0.0.1'), ...tls }))).code, 'ERR_PIN_MISMATCH');
    const named = dial(t, { ...at(two, '127.0.0.1'), ...tls, servername: 'named.example' });
    assert.equal((await refused(two, named)).code, 'ERR_PIN_MISMATCH');
  });

  testSeen('is not opened to a host without pins, whether it is a name or an address', async (t) => {
    const server = await serve(t);
    let connections = 0;
    server.server.on('connection', () => connections++);
    const tls = pinnedTls({ hosts: { 'db.example.com': { pins } } });
    const atOnce = ((_host, { all }, done) =>
      all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) as LookupFunction;
    for (const more of [
      {},
      { servername: 'other.example' },
      { lookup: atOnce },
      { lookup: atOnce, servername: 'other.example' },
      { lookup: atOnce, autoSelectFamily: false },
    ])
      for (const host of ['localhost', '127.0.0.1']) {
        const error = await refused(server, dial(t, { ...at(server, host), ...tls, ...more }));
        assert.equal(error.code, 'ERR_HOST_UNPINNED');
      }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(connections, 0);
  });

  testSeen('is not opened to a host without pins for a name that a request brought', async (t) => {
    const server = await serve(t, { certificate: impostor });
    const hosts = { 'db.example.com': { pins }, 'stranger.example': { pins: certificateHex(impostor) } };
    const headers = { host: 'stranger.example' };
    const ask = (options: object) =>
      new Promise<Error & { code?: string }>((resolve, reject) => {
        request({ ...at(server, '127.0.0.1'), headers, agent: false, ...options }, reject)
          .on('error', resolve)
          .end();
      });
    assert.equal((await ask(pinnedTls({ hosts }))).code, 'ERR_HOST_UNPINNED');
    assert.equal((await ask(pinnedTls({ hosts }, { servername: 'db.example.com' }))).code, 'ERR_PIN_MISMATCH');
    assert.equal(server.received(), 0);
  });

  testSeen('is judged by the name that the configuration gives, and by the host, never by a header', async (t) => {
    const ca = await mint({ ca: true, subject: 'CN=Pinned CA' });
    const stranger = await mint({ issuer: ca, names: ['stranger.example'] });
    const server = await serve(t, { certificate: stranger });
    const policy = { issuerPins: certificateHex(ca), hostnameVerification: 'require' } as const;
    server.server.setSecureContext({ cert: stranger.certPem + ca.certPem, key: stranger.keyPem });
    const named = pinnedTls(policy, { servername: 'stranger.example' });
    await answered(server, dial(t, { ...at(server), ...named }));
    server.forget();
    const sent = { ...at(server), servername: 'stranger.example', ...pinnedTls(policy) };
    assert.equal((await refused(server, dial(t, sent))).code, 'ERR_HOSTNAME_MISMATCH');
    for (const servername of ['other.example', '', undefined]) {
      const error = await refused(server, dial(t, { ...at(server), ...named, servername }));
      assert.match(error.message, /`servername` of the connection is not what certpin gave/);
    }
  });

  testSeen('has what the configuration gives, and nothing from Object.prototype', async (t) => {
    const values = { ciphers: 'none', pfx: 'none', secureProtocol: 'TLSv1_method', crl: 'none', ticketKeys: 'none' };
    for (const [name, value] of Object.entries(values))
      Object.defineProperty(Object.prototype, name, { value, configurable: true });
    t.after(() => Object.keys(values).forEach((name) => void delete (Object.prototype as never)[name]));
    assert.equal(pinnedTls({ pins }).rejectUnauthorized, true);
  });

  testSeen('is told of on both channels, as any other', async (t) => {
    const server = await serve(t);
    const told: {
      client?: string;
      ok?: boolean;
      outcome?: string;
      host?: string;
      port?: number;
      address?: string;
      code?: string;
    }[] = [];
    const tell = (message: unknown): void => void told.push(message as object);
    for (const name of ['certpin:verdict', 'certpin:attempt']) {
      subscribe(name, tell);
      t.after(() => unsubscribe(name, tell));
    }
    const tls = pinnedTls({ hosts: { localhost: { pins } } });
    await answered(server, dial(t, { ...at(server), ...tls }));
    server.present(impostor);
    server.forget();
    await refused(server, dial(t, { ...at(server), ...tls }));
    await refused(server, dial(t, { ...at(server, '127.0.0.1'), ...tls }));
    const { port } = server;
    const [first, opened, second, failed, unpinned] = told;
    assert.deepEqual([first?.ok, second?.ok, told.length], [true, false, 5]);
    assert.deepEqual(
      [opened?.client, opened?.outcome, opened?.host, opened?.port],
      ['driver-tls', 'opened', 'localhost', port],
    );
    assert.deepEqual([failed?.outcome, failed?.code], ['refused', 'ERR_PIN_MISMATCH']);
    assert.deepEqual([unpinned?.outcome, unpinned?.host], ['unpinned', '127.0.0.1']);
  });

  testSeen('has a time limit from the client’s call on', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const socket = dial(t, { host: '127.0.0.1', port, ...pinnedTls({ pins, connectTimeoutMs: 50 }) });
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ERR_CONNECT_TIMEOUT');
  });

  testSeen('shows a client certificate, and agrees on a protocol', async (t) => {
    const clientCa = await mint({ ca: true, subject: 'CN=Client CA' });
    const own = await mint({ subject: 'CN=client', issuer: clientCa });
    const demand = { requestCert: true, rejectUnauthorized: true, ca: clientCa.certPem, ALPNProtocols: ['sql'] };
    const server = await serve(t, demand);
    const tls = pinnedTls({ pins }, { cert: own.certPem, key: own.keyPem, ALPNProtocols: ['sql'] });
    const socket = dial(t, { ...at(server), ...tls });
    await answered(server, socket);
    assert.equal(socket.alpnProtocol, 'sql');
  });

  testSeen('is never older than TLS 1.2, and no session of another connection is resumed', async (t) => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const rsa = await mint({ keyType: 'rsa' });
    const ancient = await serve(t, { ...old, certificate: rsa });
    const tls = pinnedTls({ pins: certificateHex(rsa) }, { ciphers: 'DEFAULT@SECLEVEL=0' });
    // As a driver that has a default of its own: the secure context decides.
    await refused(ancient, dial(t, { ...at(ancient), ...tls, minVersion: 'TLSv1' }));
    const server = await serve(t, { maxVersion: 'TLSv1.2' });
    const first = dial(t, { ...at(server), ...pinnedTls({ pins }) });
    await answered(server, first);
    const session = first.getSession() as Buffer;
    server.present(impostor);
    server.forget();
    const error = await refused(server, dial(t, { ...at(server), ...pinnedTls({ pins }), session }));
    assert.match(error.message, /`session`/);
    assert.deepEqual(server.resumptions, [false]);
  });

  testSeen('ends once, with one error', async (t) => {
    const server = await serve(t, { certificate: impostor });
    const socket = dial(t, { ...at(server), ...pinnedTls({ pins }) });
    const errors: unknown[] = [];
    socket.on('error', (error) => errors.push(error));
    await new Promise((resolve) => socket.on('close', resolve));
    socket.emit('error', new Error('a broken record'));
    assert.equal(errors.length, 1);
  });
});

describe('a configuration that lost the pin', () => {
  /** @returns how the connection ended, at a server that the client's own CA has signed: nothing arrives there */
  async function outcome(t: TestContext, change: (tls: ReturnType<typeof pinnedTls>) => ConnectionOptions) {
    const server = await serve(t, { certificate: impostor });
    try {
      const socket = dial(t, { ...at(server), ...change(pinnedTls({ pins })) });
      return (await refused(server, socket)).code ?? 'no code';
    } catch (error) {
      assert.equal(server.received(), 0);
      const { code, name } = error as { code?: unknown; name: string };
      return typeof code === 'string' ? code : name;
    }
  }

  const changes: Record<string, [(tls: ReturnType<typeof pinnedTls>) => ConnectionOptions, string]> = {
    'a spread': [(tls) => ({ ...tls }), 'ERR_PIN_MISMATCH'],
    'Object.assign': [(tls) => Object.assign(Object.create(null), tls), 'ERR_PIN_MISMATCH'],
    'a proxy around it': [(tls) => new Proxy(tls, {}), 'ERR_PIN_MISMATCH'],
    'a JSON clone': [(tls) => JSON.parse(JSON.stringify(tls)), 'ERR_TLS_INVALID_CONTEXT'],
    'a structured clone': [(tls) => structuredClone(tls), 'DataCloneError'],
    'a deep clone': [(tls) => deepClone(tls), 'ERR_TLS_INVALID_CONTEXT'],
    'a proxy around the context': [
      (tls) => ({ ...tls, secureContext: new Proxy(tls.secureContext, {}) }),
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
    'no context': [(tls) => ({ ...tls, secureContext: undefined }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    'another context': [(tls) => ({ ...tls, secureContext: createSecureContext() }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    'rejectUnauthorized off': [(tls) => ({ ...tls, rejectUnauthorized: false }), 'ERR_CLIENT_UNSUPPORTED'],
    'rejectUnauthorized undefined': [(tls) => ({ ...tls, rejectUnauthorized: undefined }), 'ERR_PIN_MISMATCH'],
    'another identity check': [(tls) => ({ ...tls, checkServerIdentity: () => undefined }), 'ERR_CLIENT_UNSUPPORTED'],
    'a pre-shared key': [(tls) => ({ ...tls, pskCallback: () => null }), 'ERR_CLIENT_UNSUPPORTED'],
  };
  for (const [name, [change, expected]] of Object.entries(changes))
    testSeen(`${name}: ${expected}`, async (t) => assert.equal(await outcome(t, change), expected));

  testSeen('a unix socket is not used', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    let bytes = 0;
    const server = createServer((socket) => socket.on('data', (data) => (bytes += data.length))).listen(path);
    await once(server, 'listening');
    t.after(() => server.close());
    const [error] = await once(dial(t, { path, ...pinnedTls({ pins }) }), 'error');
    assert.deepEqual([error.code, bytes], ['ERR_CLIENT_UNSUPPORTED', 0]);
    assert.match(error.message, /`path`/);
  });

  testSeen('a socket that connects a second time is given up', async (t) => {
    const [server, other] = [await serve(t), await serve(t, { certificate: impostor })];
    const socket = dial(t, { ...at(server), ...pinnedTls({ pins }) });
    socket.connect(other.port, '127.0.0.1');
    await refused(other, socket);
    assert.equal(server.received(), 0);
  });
});

interface CaStore {
  getCACertificates(type: 'default'): string[];
  setDefaultCACertificates(certificates: readonly string[]): void;
}

describe('where nobody sees the connection', () => {
  const ca = mint({ ca: true, subject: 'CN=Trusted CA' });

  /** The ways on which Node tells of no TLS socket, and the way that it tells of, where it does not. */
  const ways: Record<string, (port: number, tls: ConnectionOptions) => TLSSocket> = {
    'a given socket': (port, tls) => connect({ ...tls, socket: netConnect(port, 'localhost'), host: 'localhost' }),
    'a given stream': (port, tls) =>
      connect({ ...tls, socket: asPlainDuplex(netConnect(port, 'localhost')), host: 'localhost' }),
    ...(isSupported() ? {} : { 'a Node that does not announce it': (port, tls) => connect(port, 'localhost', tls) }),
  };
  for (const [way, open] of Object.entries(ways)) {
    const dialUnseen = (t: TestContext, server: CountingServer, more: object = {}): TLSSocket => {
      const tls = seenTlsUnchecked(createLeafAttacher({ pins }), {}, 'test');
      const socket = open(server.port, { ...tls, ...more });
      t.after(() => socket.destroy());
      socket.write('password');
      return socket;
    };

    test(`${way}: Node refuses every server, the pinned one too`, async (t) => {
      const issuer = await ca;
      const certificates = [right, impostor, await mint({ issuer })];
      const codes = [];
      for (const certificate of certificates) {
        const server = await serve(t, { certificate });
        codes.push((await refused(server, dialUnseen(t, server))).code);
      }
      const [selfSigned, ofCa] = ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'];
      assert.deepEqual(codes, [selfSigned, selfSigned, ofCa]);
    });

    test(`${way}: a client that trusts a CA of its own is told why`, async (t) => {
      const issuer = await ca;
      const server = await serve(t, { certificate: await mint({ issuer }) });
      // As a client that knows `ca` and no `secureContext`.
      const trusting = { secureContext: undefined, ca: issuer.certPem };
      const error = await refused(server, dialUnseen(t, server, trusting));
      assert.equal(error.code, 'ERR_CLIENT_UNSUPPORTED');
      assert.match(error.message, /certpin did not see this connection/);
    });
  }

  test('a CA that Node trusts counts for nobody whom certpin has not seen', async (t) => {
    const issuer = await ca;
    // Of Node 22.19 and 24.5.
    const { getCACertificates, setDefaultCACertificates } = tls as Partial<CaStore>;
    if (getCACertificates === undefined || setDefaultCACertificates === undefined)
      return t.skip('Node has one list of CAs');
    const server = await serve(t, { certificate: await mint({ issuer }) });
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, issuer.certPem]);
    t.after(() => setDefaultCACertificates(before));
    await answered(server, dial(t, at(server)));
    server.forget();
    const seen = seenTlsUnchecked(createLeafAttacher({ pins }), {}, 'test');
    for (const lost of [{}, { checkServerIdentity: undefined }, { secureContext: undefined }]) {
      const given = netConnect(server.port, 'localhost');
      const options = Object.fromEntries(
        Object.entries({ ...seen, ...lost }).filter(([, value]) => value !== undefined),
      );
      const error = await refused(server, dial(t, { ...options, socket: given, host: 'localhost' }));
      assert.equal(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    }
  });

  test('a Node without the private name refuses as well', { skip }, async (t) => {
    const server = await serve(t);
    const tls = pinnedTls({ pins });
    const mocked = t.mock.method(Object, 'getOwnPropertySymbols', () => []);
    const socket = dial(t, { ...at(server), ...tls });
    mocked.mock.restore();
    assert.equal((await refused(server, socket)).code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  });
});

describe('whether this Node is supported', () => {
  // Fails on the first Node that changes what certpin needs: see docs/decisions/0038.
  test('is so since 22.17 and 24.2', () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    assert.equal(isSupported(), major > 24 || (major === 24 && minor >= 2) || (major === 22 && minor >= 17));
  });

  test('is found out without a connection', async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(attempts, []);
  });

  test('is said when the configuration is made', () => {
    if (isSupported()) assert.doesNotThrow(() => pinnedTls({ pins }));
    else
      assert.throws(() => pinnedTls({ pins }), {
        code: 'ERR_CLIENT_UNSUPPORTED',
        message:
          /does not announce TLS sockets.*Node 22\.17, 24\.2 or newer, certpin's own adapter for the client, or certpin\/forward/,
      });
  });
});

describe('what cannot be used is refused when the configuration is made', () => {
  const policies: Record<string, object> = {
    caVerification: { pins, caVerification: 'require' },
    'caVerification of a host': {
      hosts: { 'db.example.com': { pins }, '*.example.com': { pins, caVerification: 'require' } },
    },
    otherHosts: { hosts: { 'db.example.com': { pins } }, otherHosts: 'verify' },
    resumption: { pins, resumption: 'own' },
    rejectUnauthorized: { pins, rejectUnauthorized: false },
    ERR_PIN_INVALID: { pins: 'no pin' },
  };
  for (const [name, policy] of Object.entries(policies))
    test(`of the policy: ${name}`, () =>
      assert.throws(() => pinnedTls(policy as { pins: string }), {
        code: name.startsWith('ERR') ? name : 'ERR_OPTION_INVALID',
      }));

  const options = {
    ...{ ca: [], crl: [], pfx: '', allowPartialTrustChain: true, secureContext: {}, socket: {}, path: 'x' },
    ...{
      session: Buffer.alloc(1),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      pskCallback: () => null,
    },
    ...{ minVersion: 'TLSv1.1', secureProtocol: 'TLSv1_method', servernam: 'x' },
  };
  for (const [option, value] of Object.entries(options))
    test(`of TLS: ${option}`, () =>
      assert.throws(
        () => seenTlsUnchecked(seenPinnerOf({ pins }, 'test'), readTlsOptions({ [option]: value }, 'test'), 'test'),
        ({ code, message }) => code === 'ERR_OPTION_INVALID' && message.includes(option),
      ));

  test('a key that is none', () =>
    assert.throws(() => seenTlsUnchecked(createLeafAttacher({ pins }), { key: 'x' }, 'test')));
});

/** As the usual libraries do: own enumerable properties, the prototype kept. */
function deepClone<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value));
  for (const [key, inner] of Object.entries(value)) copy[key] = deepClone(inner);
  return copy;
}
