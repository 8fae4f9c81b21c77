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
import { answerStartTls, type Slapd, startLdapRelay, startSlapd } from '@certpin/testkit/ldap';
import { type Mariadb, startMariadb, startMysqlRelay } from '@certpin/testkit/mariadb';
import { startMongodb } from '@certpin/testkit/mongodb';
import { mysqlGreeting } from '@certpin/testkit/mysql-script';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { encryption, startTdsServer } from '@certpin/testkit/tds';
import { isSupported } from '../../../certpin/src/drivers/seen.ts';
import { type InlineClient, inlineBlock, inlineClients } from '../../src/inline/index.ts';
import { blockClients, evaluate, MongoClient } from './block-clients.ts';

const require = createRequire(import.meta.url);

let postgres: Postgres;
let mariadb: Mariadb;
let slapd: Slapd;
before(async () => {
  [postgres, mariadb, slapd] = await Promise.all([
    startPostgres({ certificate: await mint() }),
    startMariadb({ certificate: await mint() }),
    startSlapd(await mint()),
  ]);
});
after(() => Promise.all([postgres.stop(), mariadb.stop(), slapd.stop()]));

const clients = blockClients((protocol) =>
  protocol === 'ldap' ? { ...slapd, database: slapd.base } : loginTo(protocol === 'postgres' ? postgres : mariadb),
);

/** Of the protocols of the blocks. */
const servers: Partial<Record<SuiteProtocol, SuiteAdapter['startServer']>> = {
  tls: startHttpsServer,
  http2: startHttp2Server,
  postgres: (options) => startPostgresRelay({ ...options, upstream: postgres }),
  mysql: (options) => startMysqlRelay({ ...options, upstream: mariadb }),
  ldap: (options) => startLdapRelay({ ...options, upstream: slapd }),
  tds: startTdsServer,
};

/** Who may log in at MongoDB: whom the client of the suite names. */
const startMongodbServer: SuiteAdapter['startServer'] = (options) => {
  const { user, password } = loginTo(postgres);
  return startMongodb({ ...options, login: { user, password } });
};

/**
 * A block has no pins on issuers, and resumes no sessions. What the suite does four times, or with a CA, the adapters have passed: a block is the same code, and
 * what is looked for here is a part that was left out.
 */
const allCases = [...conformanceCases, ...recordCases].filter(
  ({ name }) => !/(?:the|a) pinned CA|pin of the CA|four times|a CA|its CA|trusted CA|own sessions/.test(name),
);

/** tedious 11 names the host to its server, whatever it is; nothing is decided by it. */
const casesOf = (client: InlineClient): typeof allCases =>
  client === 'tedious' ? allCases.filter(({ name }) => !/never for an address/.test(name)) : allCases;

/** Says what certpin must never let happen: no TLS is offered, in the words of the protocol. */
const plaintext: Record<InlineClient, (socket: Socket) => void> = {
  https: (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  axios: (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  fetch: (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  pg: (socket) => socket.on('data', () => socket.write('N')),
  mysql2: (socket) => socket.write(mysqlGreeting({ tls: false })),
  mysql: (socket) => socket.write(mysqlGreeting({ tls: false })),
  mariadb: (socket) => socket.write(mysqlGreeting({ tls: false })),
  // PRELOGIN with the one option ENCRYPTION.
  tedious: (socket) =>
    socket.on('data', () => {
      const prelogin = Buffer.from([4, 1, 0, 15, 0, 0, 1, 0, 1, 0, 6, 0, 1, 0xff, encryption.notSupported]);
      socket.write(prelogin);
    }),
  mongodb: (socket) => socket.on('data', () => socket.end('MongoDB')),
  // protocolError: it does not know the request.
  ldapts: (socket) => socket.on('data', () => socket.write(answerStartTls(1, 2))),
};

/** What no block can express; what stands here is refused by one (`hosts`), or is no text (a live pin set). */
const onePinSet = {
  hosts: 'a block has one pin set, for whatever server it calls',
  'live pins': 'a block takes its pins as text',
};
/** Whose requests can carry a strange `Host` header: Node's `fetch` sends that of the URL. */
const withHeader: readonly InlineClient[] = ['https', 'axios'];
const noHeader = { 'host header': 'it has no Host header, or one of its own making' };

/** tedious 11 gives Node the host as the server name, and Node 26 takes no address for one. The platform has Node 22 and 18. */
const namesAddresses = Number(process.versions.node.split('.')[0]) >= 26;
const NO_TEDIOUS_11 = 'tedious 11 names an address as the server name, which Node 26 refuses';

const noTls13 = { 'TLS 1.3': 'in packets of TDS there is TLS 1.2' };

/** How many cases a client can express. */
const counts: Readonly<Partial<Record<InlineClient, number>>> = { https: 22, axios: 22, tedious: 18 };

/** Without either line a wrong server is let through. */
const matchLine = 'if (matchPin(leaf, pins) === undefined) return mismatch(leaf, pins);';
const checks = (client: InlineClient): readonly (readonly [line: string, without: string])[] => [
  client === 'tedious'
    ? ['if (socket === undefined || isRefused(args[0], socket)) return false;', '']
    : ['return refusal === undefined || refuse(refusal);', 'return true;'],
  [matchLine, ''],
];

/** Why the client itself, or its block, does not run on this Node. */
function whyNotHere(client: InlineClient): string | false {
  if (client === 'mongodb' && !isSupported()) return `Node ${process.version} does not announce TLS sockets`;
  return client === 'tedious' && namesAddresses ? NO_TEDIOUS_11 : false;
}

for (const client of inlineClients) {
  describe(`the block for ${client}`, { skip: whyNotHere(client) }, () => {
    const { text } = inlineBlock(client);
    const block = evaluate(text);
    const { protocol, keepsConfiguration, create } = clients[client];
    const startServer = client === 'mongodb' ? startMongodbServer : (servers[protocol] as SuiteAdapter['startServer']);
    const adapter: SuiteAdapter = {
      name: client,
      protocol,
      pools: true,
      ...(keepsConfiguration === undefined ? {} : { keepsConfiguration }),
      cannot: {
        ...onePinSet,
        ...(withHeader.includes(client) ? {} : noHeader),
        ...(client === 'tedious' ? noTls13 : {}),
      },
      startServer,
      // A CA in the options tempts the ordinary verification; a block takes none.
      createClient: (target, policy, { ca: _, maxVersion: __, ...tls }, hostHeader) =>
        create(block, target, policy, tls, hostHeader),
    };
    const cases = casesOf(client);
    const expressible = cases.filter((suiteCase) => whyNotRun(adapter, suiteCase) === undefined);
    const count = counts[client] ?? 21;
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
      for (const secret of [CANARY, 'login', loginTo(postgres).user, loginTo(mariadb).user, slapd.password])
        assert.ok(!received.includes(secret), secret);
    });

    test('a server that says nothing is given up in time, with the reason', async (t) => {
      const server = await startScriptedServer(() => undefined);
      t.after(() => server.close());
      const opened = create(block, server, { pins: certificateHex(await mint()), connectTimeoutMs: 200 }, {});
      t.after(() => opened.close());
      const started = Date.now();
      const error = await opened.exchange().then(
        () => assert.fail('connected'),
        (refusal: unknown) => block.findCertpinError(refusal),
      );
      assert.equal(error?.code, 'ERR_CONNECT_TIMEOUT');
      assert.ok(Date.now() - started < 3_000);
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

    // The tests above see it: they count what a wrong server receives.
    for (const [line, without] of checks(client)) {
      test(`is found out without its line: ${line}`, async () => {
        const [right, impostor] = [await mint(), await mint()];
        assert.equal(text.split(line).length, 2);
        const weakened = text.replace(line, without);
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

test('the block for mongodb: connect() of a script fails with the reason', {
  skip: whyNotHere('mongodb'),
}, async (t) => {
  const [right, impostor] = [await mint(), await mint()];
  const server = await startMongodbServer({ certificate: impostor });
  t.after(() => server.close());
  const block = evaluate(inlineBlock('mongodb').text);
  const { user: username, password } = loginTo(postgres);
  const config = block.pinnedMongodb(
    `mongodb://${server.host}:${server.port}/`,
    { pins: certificateHex(right) },
    { auth: { username, password }, authSource: 'admin', serverSelectionTimeoutMS: 2_000 },
  );
  const client = new MongoClient(...config);
  t.after(() => client.close());
  const refusal = await client.connect().then(
    () => assert.fail('connected'),
    (error: unknown) => block.findCertpinError(error),
  );
  assert.equal(refusal?.code, 'ERR_PIN_MISMATCH');
  assert.match(
    refusal.message,
    new RegExp(`presented: ${certificateHex(impostor)} .*pinned: ${certificateHex(right)}`),
  );
  assert.equal(server.received(), 0);
});

const seen = isSupported() && `Node ${process.version} announces TLS sockets`;
test('the block for mongodb says at once that this Node does not announce TLS sockets', { skip: seen }, async (t) => {
  const server = await startScriptedServer(() => undefined);
  t.after(() => server.close());
  const pins = certificateHex(await mint());
  assert.throws(() => clients.mongodb.create(evaluate(inlineBlock('mongodb').text), server, { pins }, {}), {
    code: 'ERR_CLIENT_UNSUPPORTED',
    message: /this Node \(v[\d.]+\) does not announce TLS sockets.*use Node 22\.17, 24\.2 or newer/,
  });
  assert.equal(server.received().length, 0);
});

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
      required.filter((name) => !/^(?:crypto|diagnostics_channel|https?|net|stream|timers|tls|vm)$/.test(name)),
      [],
    );
  }
  assert.deepEqual(Reflect.ownKeys(globalThis), before);
});
