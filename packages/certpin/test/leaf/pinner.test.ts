// What decides in a pasted block, each check alone: the attack that it refuses, and the connection that it lets pass.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { createSecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import {
  type CountingServer,
  type CountingServerOptions,
  certificateHex,
  mint,
  publicKeyPin,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import { handshakeProblem, matchPin, mismatch, NONE_PRESENTED, tried, validityProblem } from '../../src/leaf/checks.ts';
import { type CertificateEvidence, readEvidence } from '../../src/leaf/evidence.ts';
import { safeHandshake } from '../../src/leaf/handshake.ts';
import { readConnectTimeout, refuseOptions } from '../../src/leaf/options.ts';
import { asSha256, pinOf } from '../../src/leaf/pin.ts';
import { readPins } from '../../src/leaf/pin-text.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../../src/leaf/pinner.ts';
import { createLeafPolicy } from '../../src/leaf/policy.ts';
import { startTimeout } from '../../src/leaf/time-limit.ts';
import { verifyLeaf } from '../../src/leaf/verify-leaf.ts';

const [right, impostor] = [await mint(), await mint()];
const pins = certificateHex(right);

async function serve(t: TestContext, options: Partial<CountingServerOptions> = {}) {
  const server = await startTlsServer({ certificate: right, ...options });
  t.after(server.close);
  return server;
}

function open(t: TestContext, { port }: CountingServer, policy: LeafPinnerOptions = { pins }, more: object = {}) {
  const socket = createLeafPinner(policy).open({ host: 'localhost', port, ...more });
  t.after(() => socket.destroy());
  return socket;
}

/** The code with which a server is refused that was written to, and got nothing. */
async function refusal(server: CountingServer, socket: TLSSocket) {
  const heard: string[] = [];
  socket.on('session', () => heard.push('session'));
  socket.on('secureConnect', () => {
    heard.push('secureConnect');
    setTimeout(() => socket.destroy(new Error('it was used')), 50); // what was written arrives
  });
  socket.write('password');
  const [error] = await once(socket, 'error');
  await new Promise((resolve) => setTimeout(resolve, 20)); // bytes on their way arrive
  assert.deepEqual([server.received(), heard, socket.destroyed, socket.authorized], [0, [], true, false]);
  return error;
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`the pinner of the leaf, over ${maxVersion}`, () => {
    test('gives what was written to the pinned server', async (t) => {
      const server = await serve(t, { maxVersion });
      for (const pin of [pins, await publicKeyPin(right), `${certificateHex(impostor)} ${pins}`]) {
        const socket = open(t, server, { pins: pin });
        socket.write('hello');
        assert.equal(String((await once(socket, 'data'))[0]), 'hello');
        assert.equal(socket.authorized, true);
      }
    });

    test('gives nothing to another one, and says in words and data what it saw', async (t) => {
      const server = await serve(t, { maxVersion, certificate: impostor });
      const error = await refusal(server, open(t, server, { pins: [pins, await publicKeyPin(right)] }));
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      const { verdict } = JSON.parse(JSON.stringify(error.details));
      assert.deepEqual(
        [verdict.ok, verdict.code, verdict.host, verdict.port],
        [false, error.code, 'localhost', server.port],
      );
      assert.equal(verdict.presented[0].certificateSha256, certificateHex(impostor));
      assert.equal(verdict.policy.pins[0].sha256, pins);
      assert.match(
        error.message,
        new RegExp(`for localhost:${server.port}; presented: ${certificateHex(impostor)} or`),
      );
    });

    test('refuses a session that was slipped in', async (t) => {
      const server = await serve(t, { maxVersion });
      const first = tlsConnect({ host: server.host, port: server.port, ca: right.certPem, servername: 'localhost' });
      first.write('x');
      const [session] = await once(first, 'session');
      first.destroy();
      server.forget();
      const socket = open(t, server);
      (socket as TLSSocket & { setSession(session: Buffer): void }).setSession(session);
      assert.equal((await refusal(server, socket)).code, 'ERR_PIN_UNCHECKABLE');
    });

    test('takes no session that the options bring', async (t) => {
      const server = await serve(t, { maxVersion });
      const first = tlsConnect({ host: server.host, port: server.port, ca: right.certPem, servername: 'localhost' });
      first.write('x');
      const [session] = await once(first, 'session');
      first.destroy();
      const socket = open(t, server, { pins }, { session });
      await once(socket, 'secureConnect');
      assert.equal(socket.isSessionReused(), false);
    });

    test('refuses what is outside of its validity, and an end of it where the policy says so', async (t) => {
      const ended = await mint({ validFromDays: -9, validToDays: -2 });
      const begins = await mint({ validFromDays: 2, validToDays: 9 });
      for (const [certificate, expired, code] of [
        [ended, undefined, 'ERR_CERTIFICATE_EXPIRED'],
        [ended, 'accept', undefined],
        [begins, 'accept', 'ERR_CERTIFICATE_NOT_YET_VALID'],
      ] as const) {
        const server = await serve(t, { maxVersion, certificate });
        const socket = open(t, server, { pins: certificateHex(certificate), expired });
        if (code === undefined) await once(socket, 'secureConnect');
        else assert.equal((await refusal(server, socket)).code, code);
      }
    });
  });
}

describe('the pinner of the leaf', () => {
  test('refuses a server without a certificate', async (t) => {
    const anonymous = { ciphers: 'AECDH-AES256-SHA:@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;
    const server = await serve(t, anonymous);
    const error = await refusal(server, open(t, server, { pins }, anonymous));
    assert.deepEqual([error.code, error.details.verdict.presented], ['ERR_PIN_UNCHECKABLE', []]);
  });

  test('refuses TLS 1.1, which a secure context permits', async (t) => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const certificate = await mint({ keyType: 'rsa' });
    const server = await serve(t, { ...old, certificate });
    const secureContext = createSecureContext(old);
    const socket = open(t, server, { pins: certificateHex(certificate) }, { secureContext });
    assert.equal((await refusal(server, socket)).code, 'ERR_TLS_VERSION');
  });

  test('answers with no pre-shared key', async (t) => {
    const psk = randomBytes(32);
    const tls = { ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2', pskCallback: () => psk } as never;
    const server = await serve(t, tls);
    const pskCallback = () => ({ psk, identity: 'me' });
    const options = { ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2', pskCallback };
    await refusal(server, open(t, server, { pins }, options));
  });

  test('refuses a certificate in which a check throws', async (t) => {
    const server = await serve(t);
    const socket = open(t, server);
    t.mock.method(Object.getPrototypeOf(socket), 'getPeerX509Certificate', () => {
      throw new Error('made for this');
    });
    const error = await refusal(server, socket);
    assert.equal(error.code, 'ERR_PIN_UNCHECKABLE');
    assert.match(error.message, /cannot be read \(made for this\)/);
    assert.equal(error.details.verdict.ok, false);
  });

  test('gives up a server that does not answer', async (t) => {
    const server = await startScriptedServer(() => undefined);
    t.after(server.close);
    const socket = createLeafPinner({ pins }).open({ host: '127.0.0.1', port: server.port }, 30);
    const [error] = await once(socket, 'error');
    assert.deepEqual([error.code, error.details], ['ERR_CONNECT_TIMEOUT', { timeoutMs: 30 }]);
  });

  test('keeps no clock of a connection that is over', async (t) => {
    const server = await serve(t, { certificate: impostor });
    const socket = createLeafPinner({ pins }).open({ host: 'localhost', port: server.port }, 60_000);
    const clock = setTimeout(() => undefined, 0);
    const clear = t.mock.method(Object.getPrototypeOf(clock), 'close');
    clearTimeout(clock);
    await once(socket, 'error');
    if (!socket.closed) await once(socket, 'close');
    assert.equal(clear.mock.callCount(), 1);
  });

  test('names the server that is called, whatever name a request wants to be sent', async (t) => {
    const server = await serve(t, { certificate: impostor, maxVersion: 'TLSv1.2' });
    const pinner = createLeafPinner({ pins });
    for (const [host, servername] of [['localhost'], ['db.example', 'db.example']]) {
      const options = { port: server.port, host: 'localhost', servername };
      const [error] = await once(pinner.open(options, 0, 'evil.example'), 'error');
      assert.equal(error.details.verdict.host, host);
    }
    while (server.servernames.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(server.servernames, ['evil.example', 'db.example']);
  });

  test('is made of what it knows only', () => {
    const refused: [options: object, code: string][] = [
      [{}, 'ERR_OPTION_INVALID'],
      [{ pins: undefined }, 'ERR_OPTION_INVALID'],
      [{ pins: '' }, 'ERR_PIN_INVALID'],
      [{ pins: [] }, 'ERR_PIN_INVALID'],
      [{ pins, expired: 'Accept' }, 'ERR_OPTION_INVALID'],
      [{ pins, expired: null }, 'ERR_OPTION_INVALID'],
      [{ pins, expired: true }, 'ERR_OPTION_INVALID'],
      ...['hosts', 'otherHosts', 'issuerPins', 'caVerification', 'hostnameVerification', 'resumption', 'proxy'].map(
        (option): [object, string] => [{ pins, [option]: 'ignore' }, 'ERR_OPTION_INVALID'],
      ),
      ...[-1, 1.5, 2 ** 31, Number.NaN, '10', null].map((connectTimeoutMs): [object, string] => [
        { pins, connectTimeoutMs },
        'ERR_OPTION_INVALID',
      ]),
    ];
    for (const [options, code] of refused)
      assert.throws(() => createLeafPinner(options as never), { code }, JSON.stringify(options));
    assert.throws(() => createLeafPinner(null as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => createLeafPolicy(null as never), { code: 'ERR_OPTION_INVALID' });
    assert.equal(createLeafPolicy({ pins }).expired, 'refuse');
    assert.deepEqual(
      [readConnectTimeout(undefined), readConnectTimeout(0), readConnectTimeout(2 ** 31 - 1)],
      [10_000, 0, 2 ** 31 - 1],
    );
  });
});

describe('the checks', () => {
  const evidence = readEvidence(right.x509);
  const policy = createLeafPolicy({ pins });
  const now = new Date();

  test('the handshake: a resumed one, and every version but 1.2 and 1.3', () => {
    const code = (facts: object): unknown => handshakeProblem(facts)?.code;
    assert.equal(code({ sessionReused: true, tlsVersion: 'TLSv1.3' }), 'ERR_PIN_UNCHECKABLE');
    for (const tlsVersion of ['TLSv1.1', 'TLSv1', 'SSLv3', '', 'unknown', null])
      assert.equal(code({ tlsVersion }), 'ERR_TLS_VERSION');
    for (const tlsVersion of ['TLSv1.2', 'TLSv1.3', undefined]) assert.equal(code({ tlsVersion }), undefined);
  });

  test('no leaf, and the leaf', () => {
    assert.equal(verifyLeaf(undefined, {}, policy, now), NONE_PRESENTED);
    assert.equal(verifyLeaf(evidence, {}, policy, now), undefined);
    assert.equal(verifyLeaf(evidence, { sessionReused: true }, policy, now)?.code, 'ERR_PIN_UNCHECKABLE');
    assert.equal(verifyLeaf(evidence, { tlsVersion: 'TLSv1.1' }, policy, now)?.code, 'ERR_TLS_VERSION');
  });

  test('a pin of one kind is none of the other, and a key that cannot be read is not another one', () => {
    const { certificateSha256, publicKeySha256 } = evidence;
    assert.ok(publicKeySha256);
    const ofKey = pinOf('public-key', publicKeySha256);
    const confused = [pinOf('certificate', publicKeySha256), pinOf('public-key', certificateSha256)];
    assert.equal(matchPin(evidence, confused), undefined);
    assert.equal(matchPin(evidence, [...confused, ofKey]), ofKey);
    const unreadable: CertificateEvidence = { ...evidence, publicKeySha256: null };
    assert.equal(matchPin(unreadable, [ofKey]), undefined);
    assert.equal(mismatch(unreadable, [ofKey]).code, 'ERR_PIN_UNCHECKABLE');
    assert.equal(mismatch(unreadable, [pinOf('certificate', publicKeySha256)]).code, 'ERR_PIN_MISMATCH');
    assert.equal(mismatch(evidence, [ofKey]).code, 'ERR_PIN_MISMATCH');
  });

  test('both ends belong to the validity, and a date that cannot be read does not', () => {
    const [validFrom, validTo] = [new Date(1_000), new Date(2_000)];
    const code = (at: number, expired: 'refuse' | 'accept' = 'refuse', dates: object = {}): unknown =>
      validityProblem({ validFrom, validTo, ...dates }, new Date(at), expired)?.code;
    assert.deepEqual([code(1_000), code(2_000)], [undefined, undefined]);
    assert.equal(code(999), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(code(999, 'accept'), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(code(2_001), 'ERR_CERTIFICATE_EXPIRED');
    assert.equal(code(2_001, 'accept'), undefined);
    const unreadable = new Date(Number.NaN);
    assert.equal(code(1_500, 'accept', { validFrom: unreadable }), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(code(1_500, 'refuse', { validTo: unreadable }), 'ERR_CERTIFICATE_EXPIRED');
    assert.equal(
      validityProblem({ validFrom, validTo: unreadable }, new Date(1_500), 'refuse')?.reason.includes('unreadable'),
      true,
    );
  });

  test('what throws is refused', () => {
    const thrown = tried<string>(
      () => {
        throw new Error('broken');
      },
      ({ code, reason }) => `${code}: ${reason}`,
    );
    assert.equal(thrown, 'ERR_PIN_UNCHECKABLE: the presented certificate cannot be read (broken)');
  });
});

test('an option is refused where it is the caller’s own', () => {
  const refuse = (options: object): void =>
    refuseOptions(options, { constructor: 'made for this' }, (option, why) => new Error(`${option}: ${why}`));
  refuse({});
  refuse({ constructor: undefined });
  assert.throws(() => refuse({ constructor: 'x' }), /constructor: made for this/);
});

test('the options of a handshake are what is not the caller’s to choose', () => {
  const safe = (options: object) => safeHandshake(options as never) as Record<string, unknown>;
  for (const minVersion of ['TLSv1', 'TLSv1.1', 'TLSv1.2', undefined])
    assert.equal(safe({ minVersion }).minVersion, 'TLSv1.2');
  assert.equal(safe({ minVersion: 'TLSv1.3' }).minVersion, 'TLSv1.3');
  assert.equal(safe({}).secureOptions, 0x4000_0000);
  assert.equal(safe({ secureOptions: 4 }).secureOptions, 0x4000_0004);
  const given = { session: Buffer.alloc(1), pskCallback: () => undefined };
  assert.deepEqual([safe(given).session, safe(given).pskCallback], [undefined, undefined]);
  const names = ['db.example', 'db.example.', '10.0.0.5', '[fd00::5]', 'fe80::1%eth_0'];
  assert.deepEqual(
    names.map((host) => safe({ host }).servername),
    ['db.example', 'db.example', '', '', ''],
  );
  assert.equal(safe({ host: '10.0.0.5', servername: 'db.example.' }).servername, 'db.example');
  const inherited = ['ca', 'crl', 'secureContext', 'socket', 'path', 'lookup'];
  for (const option of inherited) assert.ok(Object.hasOwn(safe({}), option), option);
  const inheritedBy = Object.getPrototypeOf(safe({}));
  assert.deepEqual([Object.getPrototypeOf(inheritedBy), Reflect.ownKeys(inheritedBy)], [null, []]);
  assert.ok(Object.isFrozen(inheritedBy));
  const prototype = { minVersion: 'TLSv1.3', secureOptions: 4, servername: 'evil.example', host: 'evil.example' };
  assert.deepEqual(safe(Object.create(prototype)), safe({}));
});

describe('the text of a pin', () => {
  const hex = asSha256(pins);
  const base64 = Buffer.from(hex, 'hex').toString('base64');

  test('is one whole hash, and nothing around it', () => {
    const refused = [
      ...[`${hex}0`, `0${hex}`, hex.slice(1), `x${hex}`, `${hex}x`, `sha1:${hex}`, `sha256:${hex}0`, `md5/${base64}`],
      ...[`sha256/${base64}A`, `sha256/A${base64}`, `sha256/${base64.slice(0, 42)}B`, `x sha256/${base64}`],
      ...[`xsha256/${base64}`, `xsha256:${hex}`, `sha256//${base64}x`, `${hex.replace(/..(?!$)/g, '$&:')}:`],
    ];
    for (const text of refused) assert.throws(() => readPins(text), { code: 'ERR_PIN_INVALID' }, text);
    assert.deepEqual(readPins(`${hex}, sha256/${base64}\nSHA256 Fingerprint=${hex}`), [
      pinOf('certificate', hex),
      pinOf('public-key', hex),
      pinOf('certificate', hex),
    ]);
  });

  test('is not what somebody has commented out, and has no characters that nobody sees', () => {
    assert.deepEqual(readPins(`# ${certificateHex(impostor)}\n${hex} # ${certificateHex(impostor)}`), [
      pinOf('certificate', hex),
    ]);
    assert.throws(() => readPins(`#${hex}`), { code: 'ERR_PIN_INVALID' });
    assert.deepEqual(readPins(`\u200E\uFEFF${hex}\u200B`), [pinOf('certificate', hex)]);
  });

  test('is text, and nothing that can be made text', () => {
    for (const input of [Buffer.alloc(32), { replace: () => hex }, new String(hex), [[hex]], 5, null])
      assert.throws(() => readPins(input), { code: 'ERR_PIN_INVALID' });
  });

  test('is repeated in no message', () => {
    assert.throws(
      () => readPins('hunter2'),
      ({ message }: Error) => !message.includes('hunter2'),
    );
  });
});

test('a time limit calls once, not after it was stopped, and keeps no process alive', async () => {
  const calls: unknown[] = [];
  const stop = startTimeout(5, (error) => calls.push(error.code));
  startTimeout(5, (error) => calls.push(error.code));
  stop();
  for (const never of [0, undefined]) startTimeout(never, () => calls.push('never'))();
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual(calls, ['ERR_CONNECT_TIMEOUT']);
  const alive = process as unknown as { getActiveResourcesInfo(): string[] };
  const before = alive.getActiveResourcesInfo();
  startTimeout(60_000, () => undefined);
  assert.deepEqual(alive.getActiveResourcesInfo(), before);
});
