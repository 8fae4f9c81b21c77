import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as tcpConnect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createSecureContext, TLSSocket, connect as tlsConnect } from 'node:tls';
import { asPlainDuplex, type CountingServerOptions, certificateHex, mint, startTlsServer } from '@certpin/testkit';
import type { Verdict } from '../../src/core/verdict.ts';
import { CertpinError } from '../../src/index.ts';
import { connect, type PinnedConnectionOptions, VERDICT_CHANNEL } from '../../src/tls/index.ts';

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);

async function serve(t: TestContext, options: Partial<CountingServerOptions> = {}) {
  const server = await startTlsServer({ certificate: right, ...options });
  t.after(server.close);
  return server;
}

/** The error with which the connection ends; fails where it does not end with one. */
async function failure(socket: TLSSocket): Promise<CertpinError> {
  const [error] = await once(socket, 'error');
  return error as CertpinError;
}

test('a certificate that Node cannot hand over is a refusal with its code', async (t) => {
  const server = await serve(t);
  t.mock.method(TLSSocket.prototype, 'getPeerX509Certificate', () => {
    throw new Error('odd');
  });
  const hosts = { localhost: { pins }, [server.host]: { pins } };
  const several = { host: server.host, port: server.port, servername: 'localhost', hosts };
  for (const options of [{ host: server.host, port: server.port, pins }, several]) {
    const socket = connect(options as PinnedConnectionOptions);
    socket.write('secret');
    const error = await failure(socket);
    assert.equal(error.code, 'ERR_PIN_UNCHECKABLE');
    assert.match(error.message, /cannot be read/);
  }
  await settle();
  assert.equal(server.received(), 0);
});

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

const transports = {
  'its own TCP connection': (host: string, port: number) => ({ host, port }),
  'a net.Socket that is still connecting': (host: string, port: number) => ({ socket: tcpConnect(port, host) }),
  'a connected net.Socket': async (host: string, port: number) => {
    const socket = tcpConnect(port, host);
    await once(socket, 'connect');
    return { socket };
  },
  'a JavaScript Duplex': (host: string, port: number) => ({ socket: asPlainDuplex(tcpConnect(port, host)) }),
} as const;

for (const [transport, open] of Object.entries(transports)) {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    describe(`over ${transport}, ${maxVersion}`, () => {
      test('the pinned server gets what was written before the handshake', async (t) => {
        const server = await serve(t, { maxVersion });
        const socket = connect({ ...(await open(server.host, server.port)), pins } as PinnedConnectionOptions);
        t.after(() => socket.destroy());
        socket.write('early');
        await once(socket, 'secureConnect');
        const [answer] = await once(socket, 'data');
        assert.equal(String(answer), 'early');
        assert.equal(socket.authorized, true);
        assert.equal(socket.authorizationError, null);
      });

      test('another server gets not one byte, and no listener hears of a secure connection', async (t) => {
        const server = await serve(t, { certificate: impostor, maxVersion });
        const heard: string[] = [];
        const socket = connect({ ...(await open(server.host, server.port)), pins } as PinnedConnectionOptions, () =>
          heard.push('listener'),
        );
        socket.on('secureConnect', () => heard.push('secureConnect'));
        socket.prependListener('secureConnect', () => heard.push('prepended'));
        socket.on('session', () => heard.push('session'));
        for (let i = 0; i < 50; i++) socket.write('canary'.repeat(1000));
        const error = await failure(socket);
        assert.equal(error.code, 'ERR_PIN_MISMATCH');
        assert.equal(socket.destroyed, true);
        assert.equal(socket.authorized, false);
        await settle();
        assert.equal(server.received(), 0);
        assert.deepEqual(heard, []);
      });
    });
  }
}

describe('the verdict comes before everything else', () => {
  test('`authorized` is never true on the way to a refusal, even where the chain is trusted', async (t) => {
    const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
    const server = await serve(t, { certificate: await mint({ issuer: ca }) });
    const socket = connect({ host: server.host, port: server.port, pins, ca: ca.certPem });
    assert.equal(socket.authorized, false);
    assert.equal((await failure(socket)).code, 'ERR_PIN_MISMATCH');
    assert.equal(socket.authorized, false);
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`sessions are handed out after the verdict, over ${maxVersion}`, async (t) => {
      const server = await serve(t, { maxVersion });
      const order: string[] = [];
      const socket = connect({ host: server.host, port: server.port, pins });
      t.after(() => socket.destroy());
      socket.on('session', () => order.push('session')).on('secureConnect', () => order.push('secureConnect'));
      socket.write('x');
      await once(socket, 'data');
      assert.equal(order[0], 'secureConnect');
      assert.ok(order.includes('session'));
    });

    test(`a session that was slipped in is refused, for it shows no certificate, over ${maxVersion}`, async (t) => {
      const server = await serve(t, { maxVersion });
      const first = tlsConnect({ host: server.host, port: server.port, ca: right.certPem, servername: 'localhost' });
      first.write('x');
      const [session] = await once(first, 'session');
      first.destroy();
      server.forget();

      // The attack is real: Node resumes, and shows no certificate to whoever would compare it.
      const naive = tlsConnect({
        host: server.host,
        port: server.port,
        ca: right.certPem,
        session,
        servername: 'localhost',
      });
      await once(naive, 'secureConnect');
      assert.equal(naive.isSessionReused(), true);
      naive.destroy();
      server.forget();

      const socket = connect({ host: server.host, port: server.port, servername: 'localhost', pins });
      (socket as TLSSocket & { setSession(session: Buffer): void }).setSession(session);
      socket.write('canary');
      const error = await failure(socket);
      assert.equal(error.code, 'ERR_PIN_UNCHECKABLE');
      await settle();
      assert.equal(server.received(), 0);
    });
  }

  test('a server without a certificate is refused', async (t) => {
    const anonymous = { ciphers: 'AECDH-AES256-SHA:@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;
    const server = await serve(t, anonymous);
    const socket = connect({ host: server.host, port: server.port, pins, ...anonymous });
    socket.write('canary');
    assert.equal((await failure(socket)).code, 'ERR_PIN_UNCHECKABLE');
    await settle();
    assert.equal(server.received(), 0);
  });

  test('TLS 1.1 is refused even where a secure context of the caller permits it', async (t) => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const certificate = await mint({ keyType: 'rsa' });
    const server = await serve(t, { ...old, certificate });
    const secureContext = createSecureContext(old);
    const socket = connect({ host: server.host, port: server.port, pins: certificateHex(certificate), secureContext });
    socket.write('canary');
    assert.equal((await failure(socket)).code, 'ERR_TLS_VERSION');
    await settle();
    assert.equal(server.received(), 0);
  });

  test('the server cannot renegotiate', { timeout: 10_000 }, async (t) => {
    let tell: (outcome: Error | null) => void;
    // What the server heard of its request for a second handshake; null: there was one.
    const outcome = new Promise<(Error & { code?: string }) | null>((resolve) => {
      tell = resolve;
    });
    const server = await serve(t, {
      maxVersion: 'TLSv1.2',
      onSocket: (socket) => {
        socket.once('data', () => socket.renegotiate({}, tell)).on('error', tell);
      },
    });
    let verdicts = 0;
    const socket = connect({ host: server.host, port: server.port, pins }, () => socket.write('x'));
    t.after(() => socket.destroy());
    socket.on('secureConnect', () => verdicts++).on('error', () => undefined);
    assert.equal((await outcome)?.code, 'ERR_SSL_NO_RENEGOTIATION');
    assert.equal(verdicts, 1);
  });

  test('an error of the verdict is the same for everybody who listens', async (t) => {
    const server = await serve(t, { certificate: impostor });
    const socket = connect({ host: server.host, port: server.port, pins });
    const error = await failure(socket);
    assert.ok(error instanceof CertpinError);
    assert.match(error.message, new RegExp(`^pin mismatch for 127\\.0\\.0\\.1:${server.port}`));
    assert.match(error.message, new RegExp(certificateHex(impostor)));
    assert.match(error.message, new RegExp(pins));
  });
});

test('a refusal shows the whole chain, so that the pin of a CA in the wrong place is recognised', async (t) => {
  const ca = await mint({ ca: true, subject: 'CN=Company CA' });
  const issuing = await mint({ ca: true, subject: 'CN=Issuing CA', issuer: ca });
  const server = await serve(t, { certificate: await mint({ issuer: issuing }) });
  const error = await failure(connect({ host: server.host, port: server.port, pins: certificateHex(issuing) }));
  assert.equal(error.code, 'ERR_PIN_MISMATCH');
  assert.match(error.message, /issuer: CN=Issuing CA/);
  assert.match(error.message, /the pin is the CA's, not the leaf's/);
});

describe('what a driver may do afterwards', () => {
  test('the certificate can be read, again and again, by either getter', async (t) => {
    const server = await serve(t);
    const socket = connect({ host: server.host, port: server.port, pins });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    for (let i = 0; i < 3; i++) assert.equal(socket.getPeerCertificate().fingerprint256, right.x509.fingerprint256);
    assert.equal(socket.getPeerCertificate(true).fingerprint256, right.x509.fingerprint256);
    assert.equal(socket.getPeerX509Certificate()?.fingerprint256, right.x509.fingerprint256);
  });

  test('ALPN is negotiated as asked', async (t) => {
    const server = await serve(t, { ALPNProtocols: ['two', 'one'] });
    const socket = connect({ host: server.host, port: server.port, pins, ALPNProtocols: ['one'] });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    assert.equal(socket.alpnProtocol, 'one');
  });

  test('a server that hangs up in the handshake gives Node’s own error', async (t) => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, pins });
    assert.equal((await failure(socket)).code, 'ECONNRESET');
  });
});

describe('the switches of the policy', () => {
  test('the ordinary CA verification can be demanded too', async (t) => {
    const server = await serve(t);
    const target = { host: server.host, port: server.port, pins, caVerification: 'require' } as const;
    const refused = connect(target);
    const error = await failure(refused);
    assert.equal(error.code, 'ERR_CA_UNTRUSTED');
    assert.match(error.message, /DEPTH_ZERO_SELF_SIGNED_CERT/);

    const trusted = connect({ ...target, ca: right.certPem });
    await once(trusted, 'secureConnect');
    trusted.destroy();
  });

  test('the host name can be demanded too; behind a given socket it is the server name', async (t) => {
    const server = await serve(t);
    const target = { port: server.port, pins, hostnameVerification: 'require' } as const;
    const named = connect({ ...target, host: server.host });
    await once(named, 'secureConnect');
    named.destroy();

    const other = connect({ ...target, host: server.host, servername: 'other.example' });
    assert.equal((await failure(other)).code, 'ERR_HOSTNAME_MISMATCH');

    const unknown = connect({ ...target, socket: tcpConnect(server.port, server.host) });
    assert.equal((await failure(unknown)).code, 'ERR_HOSTNAME_MISMATCH');

    const told = connect({ ...target, socket: tcpConnect(server.port, server.host), servername: 'localhost' });
    await once(told, 'secureConnect');
    told.destroy();
  });

  test('the IPv6 loopback connects, without a server name', async (t) => {
    const server = await serve(t, { host: '::1' });
    const socket = connect({ host: '::1', port: server.port, pins });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    await settle();
    assert.deepEqual(server.servernames, [false]);
  });

  test('an IP address as `servername` is not sent (RFC 6066)', async (t) => {
    const server = await serve(t);
    const socket = connect({ host: server.host, port: server.port, servername: '127.0.0.1', pins });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    await settle();
    assert.deepEqual(server.servernames, [false]);
  });
});

describe('time limits and signals', () => {
  async function silentServer(t: TestContext): Promise<number> {
    const server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  test('a server that never answers is given up', async (t) => {
    const socket = connect({ host: '127.0.0.1', port: await silentServer(t), pins, connectTimeoutMs: 50 });
    const error = await failure(socket);
    assert.equal(error.code, 'ERR_CONNECT_TIMEOUT');
    assert.deepEqual(error.details, { timeoutMs: 50 });
    assert.equal(socket.destroyed, true);
  });

  test('a connection outlives the limit of its handshake', async (t) => {
    const server = await serve(t);
    const socket = connect({ host: server.host, port: server.port, pins, connectTimeoutMs: 1_000 });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    socket.write('still here');
    const [answer] = await once(socket, 'data');
    assert.equal(String(answer), 'still here');
  });

  test('a signal ends the attempt', async (t) => {
    const controller = new AbortController();
    const socket = connect({ host: '127.0.0.1', port: await silentServer(t), pins, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    assert.equal((await failure(socket)).name, 'AbortError');
    assert.equal(socket.destroyed, true);
  });

  test('a signal that was already given ends it before it begins', async (t) => {
    const server = await serve(t);
    const socket = connect({ host: server.host, port: server.port, pins, signal: AbortSignal.abort() });
    assert.equal((await failure(socket)).name, 'AbortError');
    assert.equal(server.handshakes(), 0);
  });
});

describe('a configuration that cannot be used is refused at once', () => {
  const address = { host: '127.0.0.1', port: 1 };
  const cases: [string, object, string, RegExp][] = [
    ['no pin', {}, 'ERR_OPTION_INVALID', /a policy needs pins/],
    ['a pin of the wrong length', { pins: pins.slice(2) }, 'ERR_PIN_INVALID', /62 hex digits; a SHA-256 has 64/],
    ['rejectUnauthorized: false', { pins, rejectUnauthorized: false }, 'ERR_OPTION_INVALID', /the pin decides/],
    ['checkServerIdentity', { pins, checkServerIdentity: () => undefined }, 'ERR_OPTION_INVALID', /the pin decides/],
    ['a session', { pins, session: Buffer.alloc(1) }, 'ERR_OPTION_INVALID', /without showing a certificate/],
    ['a pre-shared key', { pins, pskCallback: () => null }, 'ERR_OPTION_INVALID', /nothing to pin/],
    ['TLS 1.1', { pins, minVersion: 'TLSv1.1' }, 'ERR_OPTION_INVALID', /must be 'TLSv1.2' or 'TLSv1.3'/],
    ['SSLv23_method', { pins, secureProtocol: 'TLS_method' }, 'ERR_OPTION_INVALID', /older than TLS 1.2/],
    ['a misspelt switch', { pins, expird: 'accept' }, 'ERR_OPTION_INVALID', /did you mean `expired`\?/],
    ['a wrong value', { pins, expired: true }, 'ERR_OPTION_INVALID', /must be one of 'refuse', 'accept'/],
    ['a wrong time limit', { pins, connectTimeoutMs: -1 }, 'ERR_OPTION_INVALID', /whole number of milliseconds/],
  ];
  for (const [name, options, code, message] of cases) {
    test(name, () => {
      assert.throws(() => connect({ ...address, ...options } as PinnedConnectionOptions), { code, message });
    });
  }

  test('an undefined option is no option', async (t) => {
    const server = await serve(t);
    const options = { host: server.host, port: server.port, pins, rejectUnauthorized: undefined, session: undefined };
    const socket = connect(options as PinnedConnectionOptions);
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
  });
});

test('every verdict is published on the diagnostics channel', async (t) => {
  const verdicts: Verdict[] = [];
  const listener = (message: unknown): void => {
    verdicts.push(message as Verdict);
  };
  subscribe(VERDICT_CHANNEL, listener);
  t.after(() => unsubscribe(VERDICT_CHANNEL, listener));
  const server = await serve(t);
  const socket = connect({ host: server.host, port: server.port, pins });
  await once(socket, 'secureConnect');
  socket.destroy();
  server.present(impostor);
  await failure(connect({ host: server.host, port: server.port, pins }));
  assert.deepEqual(
    verdicts.map((verdict) => [verdict.ok, verdict.host, verdict.port]),
    [
      [true, '127.0.0.1', server.port],
      [false, '127.0.0.1', server.port],
    ],
  );
});
