// The blocks as scripts have them, run against real servers by the suite of the adapters.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { runInThisContext } from 'node:vm';
import {
  certificateHex,
  mint,
  publicKeyPin,
  startHttp2Server,
  startHttpsServer,
  startScriptedServer,
} from '@certpin/testkit';
import { loginTo } from '@certpin/testkit/clients';
import {
  CANARY,
  conformanceCases,
  type SuiteAdapter,
  type SuitePolicy,
  type SuiteProtocol,
  whyNotRun,
} from '@certpin/testkit/conformance';
import { recordCases } from '@certpin/testkit/conformance-records';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { mysqlGreeting } from '@certpin/testkit/mysql-script';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { type InlineClient, inlineBlock, inlineClients } from '../../src/inline/index.ts';
import { blockClients, evaluate } from './block-clients.ts';

const require = createRequire(import.meta.url);

let postgres: Postgres;
let mariadb: Mariadb;
before(async () => {
  [postgres, mariadb] = await Promise.all([
    startPostgres({ certificate: await mint() }),
    startMariadb({ certificate: await mint() }),
  ]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop()]));

const clients = blockClients((protocol) => loginTo(protocol === 'postgres' ? postgres : mariadb));

const servers: Record<SuiteProtocol, SuiteAdapter['startServer']> = {
  tls: startHttpsServer,
  http2: startHttp2Server,
  postgres: (options) => startPostgresRelay({ ...options, upstream: postgres }),
  mysql: (options) => startMysqlRelay({ ...options, upstream: mariadb }),
};

/**
 * A block has no pins on issuers, and resumes no sessions. What the suite does four times, or with a CA, the adapters have passed: a block is the same code, and
 * what is looked for here is a part that was left out.
 */
const cases = [...conformanceCases, ...recordCases].filter(
  ({ name }) => !/(?:the|a) pinned CA|pin of the CA|four times|a CA|its CA|trusted CA|own sessions/.test(name),
);

/** Says what certpin must never let happen: no TLS is offered, in the words of the protocol. */
const plaintext: Record<InlineClient, (socket: Socket) => void> = {
  https: (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  axios: (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  fetch: (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  pg: (socket) => socket.on('data', () => socket.write('N')),
  mysql2: (socket) => socket.write(mysqlGreeting({ tls: false })),
  mysql: (socket) => socket.write(mysqlGreeting({ tls: false })),
  mariadb: (socket) => socket.write(mysqlGreeting({ tls: false })),
};

/** What no block can express; what stands here is refused by one (`hosts`), or is no text (a live pin set). */
const onePinSet = {
  hosts: 'a block has one pin set, for whatever server it calls',
  'live pins': 'a block takes its pins as text',
};
/** Whose requests can carry a strange `Host` header: Node's `fetch` sends that of the URL. */
const withHeader: readonly InlineClient[] = ['https', 'axios'];
const noHeader = { 'host header': 'it has no Host header, or one of its own making' };

for (const client of inlineClients) {
  describe(`the block for ${client}`, () => {
    const { text } = inlineBlock(client);
    const block = evaluate(text);
    const { protocol, create } = clients[client];
    const startServer = servers[protocol];
    const adapter: SuiteAdapter = {
      name: client,
      protocol,
      pools: true,
      cannot: withHeader.includes(client) ? onePinSet : { ...onePinSet, ...noHeader },
      startServer,
      // A CA in the options tempts the ordinary verification; a block takes none.
      createClient: (target, policy, { ca: _, maxVersion: __, ...tls }, hostHeader) =>
        create(block, target, policy, tls, hostHeader),
    };
    const expressible = cases.filter((suiteCase) => whyNotRun(adapter, suiteCase) === undefined);
    const count = withHeader.includes(client) ? 22 : 21;
    test(`${count} cases of the suite are run`, () => assert.equal(expressible.length, count));
    for (const suiteCase of cases) {
      const skip = whyNotRun(adapter, suiteCase) ?? false;
      const run = () => suiteCase.run({ ...adapter, onWrongServer: (bytes) => assert.equal(bytes, 0) });
      test(suiteCase.name, { skip }, run);
    }

    test('a server that offers no TLS gets no name and no password', async (t) => {
      const server = await startScriptedServer(plaintext[client]);
      t.after(() => server.close());
      const opened = create(block, server, { pins: certificateHex(await mint()), connectTimeoutMs: 5_000 }, {});
      t.after(() => opened.close());
      await assert.rejects(opened.exchange());
      const received = server.received().toString('latin1');
      for (const secret of [CANARY, 'login', loginTo(postgres).user, loginTo(mariadb).user])
        assert.ok(!received.includes(secret), secret);
    });

    test('a refusal says what was presented and what is pinned, in spellings that can be pasted', async (t) => {
      const [right, impostor] = [await mint(), await mint()];
      const server = await startServer({ certificate: impostor });
      t.after(() => server.close());
      const opened = create(block, server, { pins: await publicKeyPin(right) }, {});
      t.after(() => opened.close());
      const error = await opened.exchange().then(
        () => assert.fail('connected'),
        (refusal: unknown) => block.findCertpinError(refusal),
      );
      assert.equal(error?.code, 'ERR_PIN_MISMATCH');
      assert.match(
        error.message,
        /^[^\n]*; presented: [0-9A-F]{64} or sha256:[0-9A-F]{64}; pinned: sha256:[0-9A-F]{64}$/,
      );
      const [, presented = '', key = ''] = /presented: (\S+) or (\S+);/.exec(error.message) ?? [];
      assert.equal(presented, certificateHex(impostor));
      const next = create(block, server, { pins: key }, {});
      t.after(() => next.close());
      await next.exchange();
    });

    test('what a block cannot honour is refused when the configuration is made', async () => {
      const target = { host: '127.0.0.1', port: 1 };
      const pins = certificateHex(await mint());
      const refuse = (policy: object, tls: object, code: string): void => {
        assert.throws(() => create(block, target, policy as SuitePolicy, tls), { code }, JSON.stringify([policy, tls]));
      };
      const policies = {
        issuerPins: pins,
        caVerification: 'require',
        hostnameVerification: 'require',
        resumption: 'own',
        hosts: {},
        otherHosts: 'verify',
      };
      for (const [option, value] of Object.entries(policies))
        refuse({ pins, [option]: value }, {}, 'ERR_OPTION_INVALID');
      const options = {
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ca: 'x',
        session: 'x',
        maxVersion: 'x',
      };
      for (const [option, value] of Object.entries(options))
        refuse({ pins }, { [option]: value }, 'ERR_OPTION_INVALID');
      refuse({}, {}, 'ERR_OPTION_INVALID');
      refuse({ pins: '' }, {}, 'ERR_PIN_INVALID');
      refuse({ pins: (await mint()).certPem }, {}, 'ERR_PIN_INVALID');
      refuse({ pins: `3 0 1 ${pins}` }, {}, 'ERR_PIN_INVALID');
      refuse({ pins: Buffer.alloc(32) }, {}, 'ERR_PIN_INVALID');
      refuse({ pins: pins.slice(2) }, {}, 'ERR_PIN_INVALID');
      const base64 = Buffer.from(pins, 'hex').toString('base64');
      for (const spelled of [
        ...[base64, `pin-sha256="${base64}"`, `sha1 Fingerprint=${pins.slice(24)}`, `sha512:${pins}${pins}`],
        ...[`md5:${pins.slice(32)}`, `sha256/${base64.slice(1)}`, `sha256/${pins}`, `sha256:${base64}`],
        ...[`sha256/${base64.slice(0, 42)}B`, pins.replace(/..(?!$)/, '$&:'), `${pins},${pins.slice(1)}`],
      ])
        refuse({ pins: spelled }, {}, 'ERR_PIN_INVALID');
    });

    test('pins are read as they are pasted', async () => {
      const [right, other] = [await mint(), await mint()];
      const [hex, key] = [certificateHex(right), Buffer.from((await publicKeyPin(right)).slice(7), 'base64')];
      const spellings = [
        ...[
          hex,
          hex.toLowerCase(),
          hex.replace(/..(?!$)/g, '$&:'),
          `sha256 Fingerprint=${hex.replace(/..(?!$)/g, '$&:')}`,
        ],
        ...[`sha256/${key.toString('base64')}`, `sha256//${key.toString('base64')}`, `SHA256:${key.toString('hex')}`],
        `# the old one\n${certificateHex(other)}\n# the new one\n${hex}`,
        `${certificateHex(other)}, ${hex}`,
      ];
      const server = await startServer({ certificate: right });
      for (const pins of [...spellings, [certificateHex(other), hex]]) {
        const opened = create(block, server, { pins }, {});
        await opened.exchange();
        await opened.close();
      }
      await server.close();
    });

    // Without either line a wrong server is let through, and the tests above see it: they count what it receives.
    for (const line of [
      'return refusal === undefined || refuse(refusal);',
      'if (matchPin(leaf, pins) === undefined) return mismatch(leaf, pins);',
    ]) {
      test(`is found out without its line: ${line}`, async () => {
        const [right, impostor] = [await mint(), await mint()];
        assert.equal(text.split(line).length, 2);
        const weakened = text.replace(line, line.startsWith('return') ? 'return true;' : '');
        const server = await startServer({ certificate: impostor });
        const opened = create(evaluate(weakened), server, { pins: certificateHex(right) }, {});
        await opened.exchange().catch(() => undefined);
        await opened.close();
        await server.close();
        assert.ok(server.received() > 0, 'the impostor got nothing from a block without its check');
      });
    }
  });
}

test('the block for fetch takes no class that only looks like an Agent: it would connect by itself', () => {
  const block = evaluate(inlineBlock('fetch').text);
  class EventEmitter {}
  class Dispatcher extends EventEmitter {}
  class DispatcherBase extends Dispatcher {}
  class Agent extends DispatcherBase {
    dispatch(): boolean {
      return true;
    }
    async close(): Promise<void> {}
    async destroy(): Promise<void> {}
  }
  const options = { Agent, fetch } as never;
  assert.throws(() => block.pinnedFetch({ pins: 'AB'.repeat(32) }, options), {
    code: 'ERR_CLIENT_UNSUPPORTED',
    message: /does not ask its connector/,
  });
});

test('no block passes over a proxy that a configuration names', () => {
  const pins = 'AB'.repeat(32);
  const proxy = 'http://127.0.0.1:1';
  const [https, axios, fetching] = (['https', 'axios', 'fetch'] as const).map((name) =>
    evaluate(inlineBlock(name).text),
  );
  for (const make of [
    () => https?.pinnedAgent({ pins, proxy } as never),
    () => axios?.pinnedAxios({}, { pins }, { proxy } as never),
    () => axios?.pinnedAxios({ proxy } as never, { pins }),
    () => fetching?.pinnedFetch({ pins }, { proxy } as never),
  ])
    assert.throws(make, { code: 'ERR_OPTION_INVALID', message: /proxy/ });
});

describe('the block for axios sends nothing beside its agent', () => {
  const block = evaluate(inlineBlock('axios').text);
  for (const [name, option, startServer] of [
    ['through fetch', { adapter: 'fetch' }, startHttpsServer],
    ['through the first adapter of a list', { adapter: ['fetch', 'http'] }, startHttpsServer],
    ['over HTTP/2', { httpVersion: 2 }, startHttp2Server],
  ] as const) {
    for (const place of ['the defaults of axios', 'the instance', 'the request']) {
      test(`${name}, as ${place} says`, async (t) => {
        const axios = (require('axios') as typeof import('axios').default).create();
        const defaults = axios.defaults as unknown as Record<string, unknown>;
        t.mock.method(process, 'emitWarning', () => undefined);
        process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
        t.after(() => {
          delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
        });
        const server = await startServer({ certificate: await mint() });
        t.after(() => server.close());
        const url = `https://127.0.0.1:${server.port}/`;
        const config = block.pinnedAxios({}, { pins: certificateHex(await mint()) });
        if (place === 'the defaults of axios') Object.assign(defaults, option);
        const api = place === 'the defaults of axios' ? axios : axios.create(config);
        if (place === 'the instance') Object.assign(api.defaults, option);
        const own = {
          ...(place === 'the defaults of axios' ? config : {}),
          ...(place === 'the request' ? option : {}),
        };
        await assert.rejects(api.post(url, CANARY, own as object), { code: 'ERR_OPTION_INVALID' });
        assert.equal(server.received(), 0);
      });
    }
  }
});

test('blocks stand side by side in one script, each in a scope of its own', () => {
  const script = `(function (require) {
    const one = (() => { ${inlineBlock('pg').text} return certpin; })();
    const two = (() => { ${inlineBlock('https').text} return certpin; })();
    return [Object.keys(one), Object.keys(two), two.findCertpinError(thrown(() => one.pinnedPg({}, {}))).code];
    function thrown(call) { try { call(); } catch (error) { return error; } }
  })`;
  const result = (runInThisContext(script) as (load: NodeJS.Require) => unknown)(require);
  assert.deepEqual(JSON.parse(JSON.stringify(result)), [
    ['findCertpinError', 'pinnedPg'],
    ['findCertpinError', 'pinnedAgent'],
    'ERR_OPTION_INVALID',
  ]);
});

test('a block leaves nothing behind: no global, no require but of Node', () => {
  const before = Reflect.ownKeys(globalThis);
  for (const client of inlineClients) {
    const required: string[] = [];
    const load = ((name: string): unknown => {
      required.push(name);
      return require(name);
    }) as NodeJS.Require;
    const { text } = inlineBlock(client);
    (runInThisContext(`(function (require) { 'use strict';\n${text}\n})`) as (load: NodeJS.Require) => void)(load);
    assert.deepEqual(
      required.filter((name) => !/^(?:crypto|https?|net|stream|timers|tls|vm)$/.test(name)),
      [],
    );
  }
  assert.deepEqual(Reflect.ownKeys(globalThis), before);
});
