// Every way in which a configuration of the driver of MongoDB can lose its pin: each ends refused, and nothing leaves.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { certificateHex, mint, startScriptedServer, startTlsServer } from '@certpin/testkit';
import { watchProcess } from '@certpin/testkit/conformance-records';
import { startMongodb } from '@certpin/testkit/mongodb';
import { pinnedMongodb, pinnedMongodbForward } from '../../src/adapters/mongodb.ts';
import { isCertpinError } from '../../src/errors.ts';
import { drivers, type Way, ways } from './mongodb-ways.ts';

const [right, impostor] = [await mint(), await mint()];
const pins = certificateHex(right);
const login = { user: 'login', password: 'secret' };
const short = { serverSelectionTimeoutMS: 400 };

type Arguments = [url: string, options: Record<string, unknown>];

/** What a program could do to a configuration on its way to the driver. */
const losses: Record<Way['name'], Record<string, (given: Arguments, port: number) => Arguments>> = {
  seen: {
    'the options as JSON': ([url, options]) => [url, JSON.parse(JSON.stringify(options))],
    'the options without what is no text or number': ([url, options]) => [
      url,
      Object.fromEntries(Object.entries(options).filter(([, value]) => Object(value) !== value)),
    ],
    'the URL alone': ([url]) => [url, short],
    'tls: false behind it': ([url, options]) => [url, { ...options, tls: false }],
    'TLS: false behind it': ([url, options]) => [url, { ...options, TLS: false }],
    'ssl: false behind it': ([url, options]) => [url, { ...options, ssl: false }],
    'tls=false in the URL': ([url, options]) => [`${url}&tls=false`, options],
    'ssl=false in the URL': ([url, options]) => [`${url}&ssl=false`, options],
    'tlsInsecure in the URL': ([url, options]) => [`${url}&tlsInsecure=true`, options],
    'tlsAllowInvalidCertificates in the URL': ([url, options]) => [`${url}&tlsAllowInvalidCertificates=true`, options],
    'tlsAllowInvalidHostnames in the URL': ([url, options]) => [`${url}&tlsAllowInvalidHostnames=true`, options],
    'rejectUnauthorized: false behind it': ([url, options]) => [url, { ...options, rejectUnauthorized: false }],
    'tlsInsecure behind it': ([url, options]) => [url, { ...options, tlsInsecure: true }],
    'another checkServerIdentity': ([url, options]) => [url, { ...options, checkServerIdentity: () => undefined }],
    'no secureContext': ([url, options]) => [url, { ...options, secureContext: undefined }],
    'a proxy behind it': ([url, options], port) => [url, { ...options, proxyHost: '127.0.0.1', proxyPort: port }],
  },
  forwarded: {
    'tls: true behind it': ([url, options]) => [url, { ...options, tls: true }],
    'the parameters of the URL, and the proxy': ([url, options]) => [
      url.replace(/\?.*/, '?authSource=admin'),
      withoutProxy(options),
    ],
    'the parameters of the URL, the proxy, and what is no text': ([url, options]) => [
      url.replace(/\?.*/, '?authSource=admin'),
      JSON.parse(JSON.stringify(withoutProxy(options))),
    ],
    'the whole options, and the parameters of the URL': ([url]) => [url.replace(/\?.*/, '?authSource=admin'), short],
    'the whole URL, and the proxy': ([, options], port) => [
      `mongodb://login:secret@localhost:${port}/app?authSource=admin`,
      withoutProxy(options),
    ],
  },
};

function withoutProxy(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !name.startsWith('proxy')));
}

/** Bytes that somebody said in plaintext: TLS begins with a record of the handshake, and a proxy is greeted without a name (RFC 1928 §3). */
function plaintext(received: Buffer): string {
  const isGreeting = received.toString('hex').replaceAll('050100', '') === '';
  return received[0] === 0x16 || isGreeting ? '' : received.toString('latin1');
}

for (const driver of drivers) {
  for (const way of ways) {
    // Each waits for the driver to give up, and has servers of its own: so they wait beside each other.
    describe(`${driver.name}: ${way.name}, lost`, { skip: driver.skip || way.skip, concurrency: 6 }, () => {
      async function attempt(t: TestContext, args: Arguments): Promise<void> {
        try {
          const client = new (driver.load())(...args);
          t.after(() => client.close());
          await client.db().collection('users').findOne({});
          assert.fail('it went through');
        } catch (error) {
          if ((error as { code?: string }).code === 'ERR_ASSERTION') throw error;
        }
      }

      for (const [name, lose] of Object.entries(losses[way.name])) {
        test(name, async (t) => {
          const wrong = await startTlsServer({ certificate: impostor });
          const plain = await startScriptedServer(() => undefined);
          t.after(() => Promise.all([wrong.close(), plain.close()]));
          const places = ['localhost', '127.0.0.1'].flatMap((host) =>
            [wrong, plain].map(({ port }) => ({ host, port })),
          );
          const attempts = places.map(async ({ host, port }) => {
            const url = `mongodb://login:secret@${host}:${port}/app?authSource=admin`;
            const opened = await way.open(url, { pins }, short);
            t.after(opened.close);
            await attempt(t, lose(opened.args, port));
          });
          const watched = watchProcess();
          await Promise.all(attempts).finally(watched.stop);
          assert.deepEqual(watched.events, []);
          assert.equal(wrong.received(), 0);
          assert.equal(plaintext(plain.received()), '');
        });
      }

      test('a copy of the configuration keeps the pin', async (t) => {
        const server = await startMongodb({ certificate: right, login });
        t.after(server.close);
        const url = `mongodb://login:secret@localhost:${server.port}/app?authSource=admin`;
        const opened = await way.open(url, { pins }, { serverSelectionTimeoutMS: 20_000 });
        t.after(opened.close);
        const copies: Arguments[] = [
          [opened.args[0], { ...opened.args[1] }],
          [opened.args[0], Object.assign({}, opened.args[1], { appName: 'copy' })],
          [url, { ...opened.args[1] }],
          ...(way.name === 'seen' ? [] : [[opened.args[0], {}] as Arguments]),
        ];
        const watched = watchProcess();
        t.after(watched.stop);
        for (const args of copies) {
          server.present(right);
          const client = new (driver.load())(...args);
          assert.equal((await client.db().command({ ping: 1 })).ok, 1);
          await client.close();
          server.present(impostor);
          await attempt(t, [args[0], { ...args[1], ...short }]);
          assert.equal(server.received(), 0);
        }
        assert.deepEqual(watched.events, []);
      });
    });
  }
}

describe('what is refused when the configuration is made', () => {
  const url = 'mongodb://user:secret@db.example.com/app';
  const refusals: [string, string, object?][] = [
    ['tlsInsecure', `${url}?tlsInsecure=true`],
    ['TLSINSECURE', `${url}?TLSINSECURE=true`],
    ['tlsAllowInvalidCertificates', `${url}?w=1&tlsAllowInvalidCertificates=true`],
    ['tlsAllowInvalidHostnames', `${url}?tlsAllowInvalidHostnames=false`],
    ['tls', `${url}?tls=false`],
    ['tls', `${url}?tls=true&TLS=false`.replace('TLS', 'tls')],
    ['ssl', `${url}?ssl=false`],
    ['tlsCAFile', `${url}?tlsCAFile=/etc/ca.pem`],
    ['tlsCertificateKeyFile', `${url}?tlsCertificateKeyFile=/etc/key.pem`],
    ['proxyHost', `${url}?proxyHost=proxy.example.com`],
    ['rejectUnauthorized', `${url}?rejectUnauthorized=false`],
    ['tlsInsecure', url, { tlsInsecure: true }],
    ['tlsinsecure', url, { tlsinsecure: true }],
    ['tlsAllowInvalidCertificates', url, { tlsAllowInvalidCertificates: true }],
    ['tlsAllowInvalidHostnames', url, { tlsAllowInvalidHostnames: true }],
    ['sslValidate', url, { sslValidate: false }],
    ['tls', url, { tls: false }],
    ['TLS', url, { TLS: false }],
    ['ssl', url, { ssl: false }],
    ['tlsCAFile', url, { tlsCAFile: '/etc/ca.pem' }],
    ['tlsCertificateKeyFile', url, { tlsCertificateKeyFile: '/etc/key.pem' }],
    ['rejectUnauthorized', url, { rejectUnauthorized: false }],
    ['checkServerIdentity', url, { checkServerIdentity: () => undefined }],
    ['session', url, { session: Buffer.alloc(1) }],
    ['proxyHost', url, { proxyHost: 'proxy.example.com' }],
    ['url', 'https://db.example.com'],
    ['url', 'mongodb://user:secret@%2Ftmp%2Fmongodb-27017.sock'],
    ['url', 'mongodb://user:secret@db.example.com/?t\nls=false'],
  ];
  const seen = ways[0]?.skip === false;

  for (const [option, given, options] of refusals) {
    test(`${given.replace('user:secret@', '').slice(0, 60)} ${Object.keys(options ?? {})}`, async () => {
      const judge = (error: unknown): boolean => {
        assert.ok(isCertpinError(error) && error.code === 'ERR_OPTION_INVALID', String(error));
        assert.ok((error.details as { option: string }).option.endsWith(option), JSON.stringify(error.details));
        assert.ok(!error.message.includes('secret'));
        return true;
      };
      await assert.rejects(pinnedMongodbForward(given, { pins }, options), judge);
      if (seen) assert.throws(() => pinnedMongodb(given, { pins }, options), judge);
    });
  }

  test('tls=true is no contradiction', { skip: !seen }, () => {
    const [text] = pinnedMongodb(`${url}?tls=true&w=1&ssl=true`, { pins }, { tls: true });
    assert.match(text, /^mongodb:\/\/user:secret@db\.example\.com\/app\?w=1&tls=true&/);
  });

  test('a driver beside which there is no `socks` is named', async (t) => {
    const [folder, before] = [mkdtempSync(join(tmpdir(), 'certpin-mongodb-')), process.cwd()];
    t.after(() => {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    });
    mkdirSync(join(folder, 'node_modules/mongodb'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/mongodb/index.js'), '');
    process.chdir(folder);
    await assert.rejects(pinnedMongodbForward(url, { pins }), {
      code: 'ERR_CLIENT_UNSUPPORTED',
      message: /npm install socks/,
    });
  });

  test('a Node that announces no TLS sockets names the other function', { skip: seen }, () => {
    assert.throws(() => pinnedMongodb(url, { pins }), /pinnedMongodbForward/);
  });
});
