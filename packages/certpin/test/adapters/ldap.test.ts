import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import {
  type CountingServer,
  called,
  certificateHex,
  failureOf,
  mint,
  startScriptedServer,
  startTap,
  startTlsServer,
} from '@certpin/testkit';
import { type LdapLike, ldapClient, promisedLdapjs } from '@certpin/testkit/clients';
import { CANARY, runConformance } from '@certpin/testkit/conformance';
import { answerStartTls, type LdapRelayOptions, startLdapRelay, startSlapd } from '@certpin/testkit/ldap';
import ldapjs from 'ldapjs';
import ldapjs2 from 'ldapjs-2';
import { Client } from 'ldapts';
import { Client as Client7 } from 'ldapts-7';
import { isSupported, pinnedTls } from '../../src/adapters/driver-tls.ts';
import { pinnedForward } from '../../src/adapters/forward.ts';
import { pinnedLdapjs, pinnedLdapts } from '../../src/adapters/ldap.ts';
import { findCertpinError, livePins } from '../../src/index.ts';

const right = await mint({ keyType: 'rsa' });
const impostor = await mint();
const pins = certificateHex(right);
const slapd = await startSlapd(right);
after(slapd.stop);
const { host, user, password, base } = slapd;

const modes = [
  { mode: 'ldaps', port: slapd.ports.ldaps },
  { mode: 'ldap', port: slapd.ports.ldap },
] as const;
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** A man in the middle who passes everything on to OpenLDAP. */
async function relayTo(t: TestContext, options: Partial<LdapRelayOptions> = {}): Promise<CountingServer> {
  const relay = await startLdapRelay({ certificate: right, upstream: slapd, ...options });
  t.after(relay.close);
  return relay;
}

/** A client that is gone with the test. */
function open(t: TestContext, options: { url: string } & Record<string, unknown>, policy: object = { pins }): Client {
  const client = new Client(pinnedLdapts(options, policy as { pins: string }));
  t.after(() => client.unbind());
  return client;
}

/** How many entries hold the canary: all that one may read after a bind. */
async function search(client: Client): Promise<number> {
  const { searchEntries } = await client.search(base, { filter: `(description=${CANARY})` });
  return searchEntries.length;
}

async function login(client: Client): Promise<number> {
  await client.bind(user, password);
  return search(client);
}

/** No byte, nor one that is still on its way. */
async function assertNothing(relay: CountingServer): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(relay.received(), 0);
}

for (const { mode, port } of modes) {
  describe(`ldapts 8.2: ${mode}://`, () => {
    for (const maxVersion of versions) {
      test(`OpenLDAP itself, over ${maxVersion}: bind and search`, async (t) => {
        const client = open(t, { url: `${mode}://${host}:${port}`, tlsOptions: { maxVersion } });
        assert.equal(await login(client), 1);
      });

      test(`another server gets nothing, over ${maxVersion}, and the error is ours as it is`, async (t) => {
        const relay = await relayTo(t, { certificate: impostor, maxVersion });
        const client = open(t, { url: `${mode}://${host}:${relay.port}` });
        for (const call of [
          () => client.bind(user, password),
          () => client.bind('EXTERNAL'),
          () => client.search(base, { filter: '(cn=secret)' }),
          () => client.compare(user, 'description', CANARY),
          () => client.exop('1.3.6.1.4.1.4203.1.11.3'),
          () => client.startTLS(),
        ]) {
          assert.equal((await failureOf(call())).code, 'ERR_PIN_MISMATCH');
          assert.equal(client.isConnected, false);
        }
        assert.ok(relay.handshakes() > 0 || maxVersion === 'TLSv1.3');
        await assertNothing(relay);
      });
    }

    test('the wrong pin at OpenLDAP itself', async (t) => {
      const client = open(t, { url: `${mode}://${host}:${port}` }, { pins: certificateHex(impostor) });
      assert.equal((await failureOf(client.bind(user, password))).code, 'ERR_PIN_MISMATCH');
    });

    test('a wrong password is the server’s own error', async (t) => {
      const client = open(t, { url: `${mode}://${host}:${port}` });
      const error = await failureOf(client.bind(user, 'wrong'));
      assert.equal(error.name, 'InvalidCredentialsError');
    });

    test('the certificate is swapped back and forth between binds', async (t) => {
      const relay = await relayTo(t);
      const client = open(t, { url: `${mode}://${host}:${relay.port}` });
      for (let round = 1; round <= 5; round++) {
        assert.equal(await login(client), 1);
        await client.unbind();
        relay.present(impostor);
        for (let attempt = 1; attempt <= 3; attempt++)
          assert.equal((await failureOf(client.bind(user, password))).code, 'ERR_PIN_MISMATCH');
        await assertNothing(relay);
        relay.present(right);
      }
      assert.equal(await login(client), 1);
    });

    test('a bind that the client replays by itself is under the pin too', async (t) => {
      const live = livePins(pins);
      const relay = await relayTo(t);
      const client = open(t, { url: `${mode}://${host}:${relay.port}`, autoRebind: true }, { pins: live });
      const lose = async (): Promise<void> => {
        live.set(certificateHex(impostor));
        while (client.isConnected) await new Promise((resolve) => setTimeout(resolve, 5));
        live.set(pins);
      };
      assert.equal(await login(client), 1);
      await lose();
      relay.present(impostor);
      assert.equal((await failureOf(search(client))).code, 'ERR_PIN_MISMATCH');
      await assertNothing(relay);
      relay.present(right);
      assert.equal(await search(client), 1);
      assert.ok(relay.receivedText().includes(password));
    });

    test('many clients at once, the half of them at another server', async (t) => {
      const [relay, other] = [await relayTo(t), await relayTo(t, { certificate: impostor })];
      const url = ({ port }: CountingServer): string => `${mode}://${host}:${port}`;
      const [one, two] = [pinnedLdapts({ url: url(relay) }, { pins }), pinnedLdapts({ url: url(other) }, { pins })];
      const attempts = Array.from({ length: 20 }, async () => {
        const [client, refused] = [new Client(one), new Client(two)];
        assert.equal((await failureOf(login(refused))).code, 'ERR_PIN_MISMATCH');
        assert.equal(await login(client), 1);
        await client.unbind();
      });
      await Promise.all(attempts);
      assert.equal(relay.handshakes(), 20);
      await assertNothing(other);
    });

    test('a policy by host, and a host that has none', async (t) => {
      const url = `${mode}://localhost:${port}`;
      assert.equal(await login(open(t, { url }, { hosts: { localhost: { pins } } })), 1);
      const unpinned = open(t, { url }, { hosts: { 'other.example': { pins } } });
      assert.equal((await failureOf(login(unpinned))).code, 'ERR_HOST_UNPINNED');
    });

    test('a server that says nothing is given up in time', async (t) => {
      const silent = await startScriptedServer(() => undefined);
      t.after(silent.close);
      const client = open(t, { url: `${mode}://${host}:${silent.port}` }, { pins, connectTimeoutMs: 100 });
      assert.equal((await failureOf(login(client))).code, 'ERR_CONNECT_TIMEOUT');
    });

    test('the time limit of the client', async (t) => {
      const silent = await startScriptedServer(() => undefined);
      t.after(silent.close);
      const client = open(t, { url: `${mode}://${host}:${silent.port}`, connectTimeout: 50 });
      assert.equal((await failureOf(login(client))).message, 'Connection timeout');
    });

    test('a server that nobody is at', async (t) => {
      const client = open(t, { url: `${mode}://${host}:1` });
      assert.equal((await failureOf(login(client))).code, 'ECONNREFUSED');
    });

    test('startTLS() at OpenLDAP, which has TLS already', async (t) => {
      const client = open(t, { url: `${mode}://${host}:${port}` });
      assert.match((await failureOf(client.startTLS())).message, /TLS already started/);
      assert.equal(await login(client), 1);
    });

    test('startTLS() at a server that consents is refused, and the connection goes', async (t) => {
      const upstream = await startScriptedServer((socket) => {
        socket.once('data', (request) => socket.write(answerStartTls(request[4] as number)));
      });
      t.after(upstream.close);
      const odd = await relayTo(t, { upstream });
      const client = open(t, { url: `${mode}://${host}:${odd.port}` });
      const error = await failureOf(client.startTLS({ rejectUnauthorized: true }));
      assert.equal(error.code, 'ERR_CLIENT_UNSUPPORTED');
      assert.match(error.message, /remove the call of startTLS\(\)/);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(client.isConnected, false);
      assert.ok(!odd.receivedText().includes(password));
    });
  });

  describe(`ldapts 8.2: ${mode}://, options that lost something`, () => {
    type Options = Record<string, unknown> & { url: string };
    const json = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));
    const none = { createSecureConnection: undefined, createConnection: undefined };
    const plain = ({ port }: CountingServer): string => `ldap://${host}:${port}`;
    const lost: Record<string, [(pinned: Options, relay: CountingServer) => Options, RegExp]> = {
      'through JSON': [json, /certpin: the pinned options were not used; .* ldapts 8\.2/],
      'a spread, without functions': [
        (pinned) => ({ ...pinned, ...none }),
        /certpin: the pinned options were not used/,
      ],
      'through JSON, with the plain URL': [
        (pinned, relay) => ({ ...json(pinned), url: plain(relay) }),
        /certpin: the pinned options were not used/,
      ],
      'the URL alone': [({ url }) => ({ url }), /self.signed|disconnected before secure TLS/],
      'the plain URL': [
        (pinned, relay) => ({ ...pinned, url: plain(relay), tlsOptions: undefined }),
        /`url` was changed/,
      ],
      'another URL': [(pinned) => ({ ...pinned, url: 'ldaps://127.0.0.1:1' }), /`url` was changed/],
      'another host': [(pinned, relay) => ({ ...pinned, url: `ldaps://localhost:${relay.port}` }), /`url` was changed/],
      'other TLS options': [
        (pinned) => ({ ...pinned, tlsOptions: Object.fromEntries([['rejectUnauthorized', false]]) }),
        /`tlsOptions` was changed/,
      ],
      'no TLS options': [(pinned) => ({ ...pinned, tlsOptions: undefined }), /`tlsOptions` was changed/],
    };
    for (const [what, [change, message]] of Object.entries(lost)) {
      test(what, async (t) => {
        const relay = await relayTo(t);
        const pinned = pinnedLdapts({ url: `${mode}://${host}:${relay.port}` }, { pins });
        const client = new Client(change(pinned as never, relay));
        assert.match((await failureOf(client.bind(user, password))).message, message);
        await assertNothing(relay);
      });
    }

    test('a spread, and what the client writes into it, keep the pin', async (t) => {
      const relay = await relayTo(t);
      const options = { ...pinnedLdapts({ url: `${mode}://${host}:${relay.port}`, strictDN: true }, { pins }) };
      const client = new Client({ ...options, timeout: 5_000 });
      assert.equal(await login(client), 1);
      await client.unbind();
      relay.present(impostor);
      assert.equal((await failureOf(login(client))).code, 'ERR_PIN_MISMATCH');
      await assertNothing(relay);
    });

    test('nobody writes over what is certpin’s own', () => {
      const pinned = pinnedLdapts({ url: `${mode}://${host}` }, { pins });
      for (const key of ['url', 'tlsOptions', 'createConnection', 'createSecureConnection']) {
        assert.throws(() => Object.assign(pinned, { [key]: undefined }), { code: 'ERR_OPTION_INVALID' });
      }
    });

    test('ldapts 7, which does not know the functions', async (t) => {
      const relay = await relayTo(t);
      const client = new Client7(pinnedLdapts({ url: `${mode}://${host}:${relay.port}` }, { pins }));
      for (const call of [() => client.bind(user, password), () => client.startTLS(), () => client.search(base)]) {
        assert.match((await failureOf(call())).message, /certpin: the pinned options were not used; .* ldapts 8\.2/);
      }
      await assertNothing(relay);
    });
  });
}

describe('StartTLS that somebody takes away', () => {
  const consent = (id: number): Buffer => answerStartTls(id);
  const answers: Record<string, [(id: number) => Buffer, string]> = {
    'the server does not know it': [(id) => answerStartTls(id, 2), 'ERR_UPGRADE_REFUSED'],
    'the server has no TLS now': [(id) => answerStartTls(id, 52), 'ERR_UPGRADE_REFUSED'],
    'the server refers to another one': [(id) => answerStartTls(id, 10), 'ERR_UPGRADE_REFUSED'],
    'the answer is no LDAP': [() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_UPGRADE_UNEXPECTED'],
    'the answer is to another message': [(id) => consent(id + 1), 'ERR_UPGRADE_UNEXPECTED'],
    'the server says goodbye': [() => consent(0), 'ERR_UPGRADE_UNEXPECTED'],
    'bytes stand behind the answer': [(id) => Buffer.concat([consent(id), consent(2)]), 'ERR_UPGRADE_INJECTED'],
  };
  for (const [what, [answer, code]] of Object.entries(answers)) {
    test(what, async (t) => {
      const relay = await relayTo(t, { answer });
      const client = open(t, { url: `ldap://${host}:${relay.port}` });
      assert.equal((await failureOf(client.bind(user, password))).code, code);
      assert.equal(relay.handshakes(), 0);
      await assertNothing(relay);
    });
  }

  test('what the wire carries before TLS is the request and nothing else', async (t) => {
    const tap = await startTap(slapd);
    t.after(tap.close);
    assert.equal(await login(open(t, { url: `ldap://${host}:${tap.port}` })), 1);
    const request = Buffer.from('301d02010177188016312e332e362e312e342e312e313436362e3230303337', 'hex');
    assert.deepEqual(tap.received().subarray(0, request.length), request);
    assert.equal(tap.received()[request.length], 0x16);
  });

  test('each way is refused at a server that speaks the other one', async (t) => {
    const tls = await startTlsServer({ certificate: right });
    t.after(tls.close);
    for (const url of [`ldap://${host}:${tls.port}`, `ldaps://${host}:${slapd.ports.ldap}`]) {
      await failureOf(login(open(t, { url }, { pins, connectTimeoutMs: 2_000 })));
    }
    assert.equal(tls.received(), 0);
  });
});

describe('pinnedLdapts refuses, at once', () => {
  const refused: Record<string, object> = {
    'no URL': {},
    'a URL that is none': { url: 'ldap.example.com' },
    'another scheme': { url: 'ldapi://%2fvar%2frun%2fldapi' },
    'several URLs': { url: ['ldaps://one.example', 'ldaps://two.example'] },
    createConnection: { url: 'ldap://x', createConnection: () => undefined },
    createSecureConnection: { url: 'ldap://x', createSecureConnection: () => undefined },
    rejectUnauthorized: { url: 'ldap://x', tlsOptions: { rejectUnauthorized: true } },
    checkServerIdentity: { url: 'ldap://x', tlsOptions: { checkServerIdentity: () => undefined } },
    'another host in `tlsOptions`': { url: 'ldaps://x', tlsOptions: { host: 'y' } },
    'another port in `tlsOptions`': { url: 'ldaps://x', tlsOptions: { port: 1 } },
    'a unix socket in `tlsOptions`': { url: 'ldaps://x', tlsOptions: { path: '/y' } },
    'a socket in `tlsOptions`': { url: 'ldaps://x', tlsOptions: { socket: {} } },
    'a misspelt TLS option': { url: 'ldaps://x', tlsOptions: { servernme: 'y' } },
    'pinned options': pinnedLdapts({ url: 'ldaps://x' }, { pins }),
  };
  for (const [what, options] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(() => pinnedLdapts(options as { url: string }, { pins }), { code: 'ERR_OPTION_INVALID' });
    });
  }

  test('a pin that cannot be read', () => {
    assert.throws(() => pinnedLdapts({ url: 'ldaps://x' }, { pins: 'x' }), { code: 'ERR_PIN_INVALID' });
  });

  test('a URL, without showing it', () => {
    const options = { url: 'http://user:secret@x' };
    assert.throws(
      () => pinnedLdapts(options, { pins }),
      ({ message }: Error) => !message.includes('secret'),
    );
  });

  test('by its types', () => {
    const policy = { pins };
    const url = 'ldaps://ldap.example.com';
    // @ts-expect-error certpin makes the connection
    assert.throws(() => pinnedLdapts({ url, createConnection: () => undefined }, policy));
    // @ts-expect-error the pin decides
    assert.throws(() => pinnedLdapts({ url, tlsOptions: { rejectUnauthorized: true } }, policy));
  });
});

test('the address of the URL is the one that is called', () => {
  const urls: [string, string][] = [
    ['ldaps://ldap.example.com', 'ldaps://ldap.example.com:636'],
    ['ldap://ldap.example.com', 'ldaps://ldap.example.com:389'],
    ['ldap://[::1]', 'ldaps://[::1]:389'],
    ['ldaps:///', 'ldaps://localhost:636'],
    ['ldap://ldap.example.com:1389/o=users?cn', 'ldaps://ldap.example.com:1389'],
  ];
  for (const [given, shown] of urls) assert.equal(pinnedLdapts({ url: given }, { pins }).url, shown);
});

/** Every Node says what it is. */
const skip = isSupported() ? false : `Node ${process.version} does not announce TLS sockets`;
type Ldapjs = typeof ldapjs;

for (const [version, { createClient }] of Object.entries({ 'ldapjs 3': ldapjs, 'ldapjs 2': ldapjs2 as Ldapjs })) {
  /** A client of ldapjs that is gone with the test. */
  const make = (t: TestContext, options: object): LdapLike => {
    const client = promisedLdapjs(() => createClient(options as ldapjs.ClientOptions) as never);
    t.after(() => client.unbind());
    return client;
  };
  const exchange = (client: LdapLike): Promise<void> =>
    ldapClient(() => client, { user, password, database: base }).exchange();

  describe(version, { skip }, () => {
    for (const maxVersion of versions) {
      test(`OpenLDAP itself, over ${maxVersion}: bind and search`, async (t) => {
        const url = `ldaps://${host}:${slapd.ports.ldaps}`;
        await exchange(make(t, pinnedLdapjs({ url, tlsOptions: { maxVersion } }, { pins })));
      });

      test(`another server gets nothing, over ${maxVersion}, and the error is ours as it is`, async (t) => {
        const relay = await relayTo(t, { certificate: impostor, maxVersion });
        const login = { bindDN: user, bindCredentials: password };
        const client = make(t, pinnedLdapjs({ url: `ldaps://${host}:${relay.port}`, ...login }, { pins }));
        assert.equal((await failureOf(exchange(client))).code, 'ERR_PIN_MISMATCH');
        await assertNothing(relay);
      });
    }

    test('it reconnects by itself, while the certificate is swapped back and forth', async (t) => {
      const relay = await relayTo(t);
      const live = livePins(pins);
      const reconnect = { initialDelay: 5, maxDelay: 20 };
      const login = { bindDN: user, bindCredentials: password };
      const options = pinnedLdapjs({ url: `ldaps://${host}:${relay.port}`, reconnect, ...login }, { pins: live });
      const client = createClient(options);
      t.after(() => client.destroy());
      const refusals: Error[] = [];
      client.on('connectError', (error: Error) => refusals.push(error)).on('error', () => undefined);
      for (let round = 1; round <= 3; round++) {
        await new Promise((resolve) => client.once('connect', resolve));
        assert.ok(relay.receivedText().includes(password));
        relay.present(impostor);
        live.set(certificateHex(await mint()));
        live.set(pins);
        refusals.length = 0;
        while (refusals.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
        for (const error of refusals) assert.equal(findCertpinError(error)?.code, 'ERR_PIN_MISMATCH');
        await assertNothing(relay);
        relay.present(right);
      }
    });

    test('several servers are tried in turn, each under the pin', async (t) => {
      const [other, relay] = [await relayTo(t, { certificate: impostor }), await relayTo(t)];
      const url = [other, relay].map(({ port }) => `ldaps://${host}:${port}`);
      await exchange(make(t, pinnedLdapjs({ url }, { pins })));
      await assertNothing(other);
    });

    test('starttls() of the client is no way around', async (t) => {
      const relay = await relayTo(t, { certificate: impostor });
      const { tlsOptions } = pinnedLdapjs({ url: `ldaps://${host}:${relay.port}` }, { pins });
      const client = createClient({ url: `ldap://${host}:${relay.port}` });
      client.on('error', () => undefined);
      t.after(() => client.destroy());
      const error = await failureOf(
        new Promise<void>((resolve, reject) => {
          client.starttls({ ...tlsOptions }, [], (reason) => (reason ? reject(reason) : resolve()));
        }),
      );
      assert.match(error.message, /self-signed certificate|certpin did not see/);
      await assertNothing(relay);
    });

    type Options = Record<string, unknown>;
    const json = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));
    const lost: Record<string, (pinned: Options) => Options> = {
      'through JSON': json,
      'a spread, through JSON': (pinned) => json({ ...pinned }),
      'TLS options that switch the verification off': (pinned) => ({
        ...pinned,
        tlsOptions: { ...(pinned.tlsOptions as Options), ...Object.fromEntries([['rejectUnauthorized', false]]) },
      }),
      'TLS options without the context': (pinned) => ({
        ...pinned,
        tlsOptions: { ...(pinned.tlsOptions as Options), secureContext: undefined },
      }),
    };
    for (const [what, change] of Object.entries(lost)) {
      test(`lost: ${what}`, async (t) => {
        const relay = await relayTo(t);
        const login = { bindDN: user, bindCredentials: password };
        const pinned = pinnedLdapjs({ url: `ldaps://${host}:${relay.port}`, ...login }, { pins });
        await failureOf(exchange(make(t, change(pinned as unknown as Options))));
        await assertNothing(relay);
      });
    }

    test('a spread keeps the pin, and nobody writes over what is certpin’s own', async (t) => {
      const pinned = pinnedLdapjs({ url: `ldaps://${host}:${slapd.ports.ldaps}`, bindCredentials: password }, { pins });
      await exchange(make(t, { ...pinned, bindCredentials: undefined }));
      for (const key of ['url', 'tlsOptions'])
        assert.throws(() => Object.assign(pinned, { [key]: 'ldap://x' }), { code: 'ERR_OPTION_INVALID' });
      assert.throws(() => pinned.url.push('ldap://x'), TypeError);
      assert.throws(() => Object.assign(pinned.tlsOptions, { rejectUnauthorized: true }), TypeError);
      assert.ok(!JSON.stringify(pinned).includes(password));
    });
  });

  describe(`${version}: through certpin/forward, on every Node`, () => {
    test('the pinned server, and nothing for another one', async (t) => {
      const relay = await relayTo(t);
      const end = await pinnedForward({ host, port: relay.port }, { pins });
      const client = make(t, { url: `ldap://${end.host}:${end.port}` });
      t.after(end.close);
      await exchange(client);
      await client.unbind();
      relay.present(impostor);
      const next = createClient({ url: `ldap://${end.host}:${end.port}` });
      t.after(() => next.destroy());
      const errors: Error[] = [];
      next.on('error', (error: Error) => errors.push(error));
      // It is connected to the end, so its own call tells of a connection that was closed.
      const failure = failureOf(called((done) => next.bind(user, password, done as never)));
      assert.match((await failure).message, /closed/);
      assert.equal(findCertpinError(errors[0])?.code, 'ERR_PIN_MISMATCH');
      assert.equal(findCertpinError(end.lastError)?.code, 'ERR_PIN_MISMATCH');
      await assertNothing(relay);
    });
  });
}

describe('pinnedLdapjs refuses, at once', { skip }, () => {
  const refused: Record<string, object> = {
    'no URL': {},
    'no URL in a list': { url: [] },
    'an ldap:// URL': { url: 'ldap://x' },
    'an ldap:// URL among others': { url: ['ldaps://x', 'ldap://y'] },
    'a unix socket': { socketPath: '/x' },
    rejectUnauthorized: { url: 'ldaps://x', tlsOptions: { rejectUnauthorized: true } },
    'a CA': { url: 'ldaps://x', tlsOptions: { ca: 'x' } },
    'another host': { url: 'ldaps://x', tlsOptions: { host: 'y' } },
  };
  for (const [what, options] of Object.entries(refused)) {
    test(what, () => {
      assert.throws(() => pinnedLdapjs(options as { url: string }, { pins }), { code: 'ERR_OPTION_INVALID' });
    });
  }
});

test('pinnedLdapjs, where Node does not announce TLS sockets', { skip: skip === false }, () => {
  assert.throws(() => pinnedLdapjs({ url: 'ldaps://x' }, { pins }), {
    code: 'ERR_CLIENT_UNSUPPORTED',
    message: /use Node 22\.17, 24\.2 or newer, or certpin\/forward$/,
  });
});

test('ldapts 7 with certpin/driver-tls: the pinned server, and nothing for another one', { skip }, async (t) => {
  const relay = await relayTo(t);
  const client = new Client7({ url: `ldaps://${host}:${relay.port}`, tlsOptions: pinnedTls({ pins }) });
  await client.bind(user, password);
  await client.unbind();
  relay.present(impostor);
  assert.equal((await failureOf(client.bind(user, password))).code, 'ERR_PIN_MISMATCH');
  await assertNothing(relay);
});

describe('with the verification switched off', () => {
  const off = Object.fromEntries([['rejectUnauthorized', false]]);
  const naive: Record<string, (url: string) => LdapLike> = {
    'ldapts, ldaps': (url) => new Client({ url: `ldaps://${url}`, tlsOptions: off }),
    'ldapts, startTLS()': (url) => {
      const client = new Client({ url: `ldap://${url}` });
      const bind = async (name: string, secret: string): Promise<void> => {
        if (!client.isConnected) await client.startTLS({ ...off });
        await client.bind(name, secret);
      };
      return { bind, search: (from, options) => client.search(from, options), unbind: () => client.unbind() };
    },
    'ldapts, in plaintext': (url) => new Client({ url: `ldap://${url}` }),
    'ldapjs, ldaps': (url) =>
      promisedLdapjs(() => ldapjs.createClient({ url: `ldaps://${url}`, tlsOptions: off }) as never),
  };
  for (const [name, create] of Object.entries(naive)) {
    test(`${name}: the suite finds that the password reaches the wrong server`, async () => {
      const cannot = { hosts: 'x', 'live pins': 'x', 'host header': 'x', 'own sessions': 'x' };
      const results = await runConformance({
        ...{ name, protocol: 'ldaps', pools: true, cannot },
        startServer: (options) => startLdapRelay({ ...options, upstream: slapd }),
        createClient: (target) =>
          ldapClient(() => create(`${target.host}:${target.port}`), { user, password, database: base }),
      });
      const leaked = results.filter(({ failure }) => failure === 'leaked').map((result) => result.case);
      assert.ok(leaked.includes('another key under the same name is refused'), name);
      assert.ok(leaked.includes('a wrong server is refused four times over TLSv1.3'), name);
    });
  }
});
