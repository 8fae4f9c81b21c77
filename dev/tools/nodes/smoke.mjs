// What certpin promises, on the Node that runs this file, with the compiled library by its package name: once imported, once required.
// Plain JavaScript and nothing but Node, certpin and the driver that certpin hooks, so that no loader stands between them. Started by
// dev/tools/nodes.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer, request } from 'node:https';
import { createRequire } from 'node:module';
import { createServer as createTcpServer, connect as tcpConnect } from 'node:net';
import process from 'node:process';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect as connectPlain, createServer as createTlsServer, TLSSocket } from 'node:tls';
import * as esmCertpin from 'certpin';
import * as esmAxios from 'certpin/axios';
import * as esmDriverTls from 'certpin/driver-tls';
import * as esmForward from 'certpin/forward';
import * as esmHttp2 from 'certpin/http2';
import * as esmHttps from 'certpin/https';
import * as esmLdap from 'certpin/ldap';
import * as esmMariadb from 'certpin/mariadb';
import * as esmMongodb from 'certpin/mongodb';
import * as esmMssql from 'certpin/mssql';
import * as esmMysql from 'certpin/mysql';
import * as esmMysql2 from 'certpin/mysql2';
import * as esmPg from 'certpin/pg';
import * as esmPostgres from 'certpin/postgres';
import * as esmProbe from 'certpin/probe';
import * as esmRedis from 'certpin/redis';
import * as esmTls from 'certpin/tls';
import * as esmUndici from 'certpin/undici';
import mysql from 'mysql';

const require = createRequire(import.meta.url);
const host = '127.0.0.1';

/** Minted by dev/tools/nodes.ts: `certificate` (PEM, with its chain), `key`, `hex` and `publicKeyPin` of each. */
const minted = JSON.parse(readFileSync(process.env.CERTPIN_MINTED, 'utf8'));

const imported = {
  ...esmCertpin,
  ...esmTls,
  ...esmHttps,
  ...esmMongodb,
  ...esmMysql,
  ...esmPg,
  ...esmPostgres,
  ...esmMysql2,
  ...esmMariadb,
  ...esmMssql,
  ...esmProbe,
  ...esmRedis,
  ...esmAxios,
  ...esmForward,
  ...esmDriverTls,
  ...esmHttp2,
  ...esmUndici,
  ...esmLdap,
};
const required = {
  ...require('certpin'),
  ...require('certpin/tls'),
  ...require('certpin/https'),
  ...require('certpin/mongodb'),
  ...require('certpin/mysql'),
  ...require('certpin/pg'),
  ...require('certpin/postgres'),
  ...require('certpin/mysql2'),
  ...require('certpin/mariadb'),
  ...require('certpin/mssql'),
  ...require('certpin/probe'),
  ...require('certpin/redis'),
  ...require('certpin/axios'),
  ...require('certpin/forward'),
  ...require('certpin/driver-tls'),
  ...require('certpin/http2'),
  ...require('certpin/undici'),
  ...require('certpin/ldap'),
};

const rejections = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));

test('the imported and the required library are two copies with the same exports', () => {
  assert.notEqual(imported.connect, required.connect);
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
});

test('an error of either copy is an instance of the CertpinError of both', () => {
  for (const { parsePin } of [imported, required]) {
    const error = thrownBy(() => parsePin('no pin'));
    assert.ok(error instanceof imported.CertpinError);
    assert.ok(error instanceof required.CertpinError);
  }
});

for (const [system, certpin] of Object.entries({ import: imported, require: required })) {
  const {
    connect,
    formatPin,
    inspect,
    isSupported,
    parsePin,
    parsePins,
    pinnedAgent,
    pinnedFetch,
    pinnedForward,
    pinnedForwardPath,
    pinnedForwardSocks,
    pinnedIoredis,
    pinnedMariadb,
    pinnedMongodb,
    pinnedMongodbForward,
    pinnedMysql2,
    pinnedMysql,
    pinnedPg,
    pinnedLdapts,
    pinnedPostgres,
    pinnedTls,
    pinnedRedis,
    probe,
    verify,
  } = certpin;
  const scenario = (name, run) => test(`${system}: ${name}`, { timeout: 30_000 }, run);

  scenario('the driver of MongoDB is given its arguments', async () => {
    const [url, policy] = ['mongodb://db.example.com/app', { pins: minted.server.hex }];
    const pinned = await pinnedMongodbForward(url, policy);
    assert.match(pinned.args[0], /^mongodb:\/\/db\.example\.com\.name\.certpin\.invalid\/app\?proxyHost=127\.0\.0\.1&/);
    await pinned.close();
    try {
      assert.equal(pinnedMongodb(url, policy)[1].tls, true);
    } catch (error) {
      assert.equal(error.code, 'ERR_CLIENT_UNSUPPORTED');
    }
  });

  scenario('a pin reads back from every spelling', () => {
    const certificatePin = parsePin(minted.server.hex);
    assert.deepEqual(certificatePin, parsePin(minted.server.certificate));
    for (const spelling of ['hex', 'colon', 'openssl', 'tlsa']) {
      assert.deepEqual(parsePin(formatPin(certificatePin, spelling)), certificatePin);
    }
    const publicKeyPin = parsePin(minted.server.publicKeyPin);
    assert.equal(formatPin(publicKeyPin), minted.server.publicKeyPin);
    for (const spelling of ['okhttp', 'curl', 'hpkp', 'kubeadm', 'base64', 'base64url', 'tlsa']) {
      assert.deepEqual(parsePin(formatPin(publicKeyPin, spelling)), publicKeyPin);
    }
    assert.equal(parsePins(`${minted.server.hex}, ${minted.other.hex} # two pins`).length, 2);
  });

  scenario('a pin of another length is refused when it is read', () => {
    for (const text of [minted.server.hex.slice(2), `${minted.server.hex}AABB`, '', 'sha1/AAAA']) {
      assert.equal(thrownBy(() => parsePin(text)).code, 'ERR_PIN_INVALID');
    }
  });

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    scenario(`${version}: the pinned server is reached, by certificate, public key and backup pin`, async (t) => {
      const server = await startTls(t, minted.server, { minVersion: version, maxVersion: version });
      for (const pins of [minted.server.hex, minted.server.publicKeyPin, [minted.other.hex, minted.server.hex]]) {
        const socket = connect({ host, port: server.port, pins });
        t.after(() => socket.destroy());
        assert.equal(await echo(socket, 'hello'), 'hello');
        assert.equal(socket.authorized, true);
        assert.equal(socket.getProtocol(), version);
      }
    });

    scenario(`${version}: not one byte reaches another server`, async (t) => {
      const server = await startTls(t, minted.other, { minVersion: version, maxVersion: version });
      const error = await refusalOf(connect({ host, port: server.port, pins: minted.server.hex }));
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      await server.idle();
      assert.equal(server.received(), 0);
    });

    scenario(
      `${version}: a client's own connection is pinned, or refused when its configuration is made`,
      async (t) => {
        if (!isSupported())
          return assert.throws(() => pinnedTls({ pins: minted.server.hex }), { code: 'ERR_CLIENT_UNSUPPORTED' });
        const tls = pinnedTls({ pins: minted.server.hex });
        const server = await startTls(t, minted.server, { minVersion: version, maxVersion: version });
        const socket = connectPlain({ host, port: server.port, ...tls });
        t.after(() => socket.destroy());
        assert.equal(await echo(socket, 'hello'), 'hello');
        const impostor = await startTls(t, minted.other, { minVersion: version, maxVersion: version });
        const error = await refusalOf(connectPlain({ host, port: impostor.port, ...tls }));
        assert.ok(error instanceof certpin.CertpinError);
        assert.equal(error.code, 'ERR_PIN_MISMATCH');
        await impostor.idle();
        assert.equal(impostor.received(), 0);
      },
    );

    scenario(`${version}: a session of the pinned server does not resume at another one`, async (t) => {
      const server = await startHttps(t, minted.server, { minVersion: version, maxVersion: version });
      const agent = pinnedAgent({ pins: minted.server.hex });
      t.after(() => agent.destroy());
      assert.equal(await post(agent, server, 'one'), 'one');
      assert.equal(await post(agent, server, 'two'), 'two');
      await server.idle();
      const received = server.received();
      // Tickets stay valid under the new certificate, as behind a load balancer.
      server.present(minted.other);
      await assert.rejects(post(agent, server, 'three'), { code: 'ERR_PIN_MISMATCH' });
      await server.idle();
      assert.equal(server.received(), received);
      assert.ok(server.resumptions.every((resumed) => !resumed));
    });
  }

  scenario('the certificate can be asked for after the verdict, again and again', async (t) => {
    const server = await startTls(t, minted.server);
    const socket = connect({ host, port: server.port, pins: minted.server.hex });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    for (let times = 0; times < 2; times++) {
      assert.equal(socket.getPeerCertificate().fingerprint256.replaceAll(':', ''), minted.server.hex);
      assert.equal(socket.getPeerCertificate(true).fingerprint256.replaceAll(':', ''), minted.server.hex);
    }
    assert.equal(socket.getPeerX509Certificate().fingerprint256.replaceAll(':', ''), minted.server.hex);
  });

  scenario('an expired certificate is refused, and accepted where the policy says so', async (t) => {
    const server = await startTls(t, minted.expired);
    const options = { host, port: server.port, pins: minted.expired.hex };
    assert.equal((await refusalOf(connect(options))).code, 'ERR_CERTIFICATE_EXPIRED');
    await server.idle();
    assert.equal(server.received(), 0);
    const socket = connect({ ...options, expired: 'accept' });
    t.after(() => socket.destroy());
    assert.equal(await echo(socket, 'hello'), 'hello');
  });

  scenario('a pinned issuer vouches for its leaf, by name, and for no forgery', async (t) => {
    const server = await startTls(t, minted.leaf);
    for (const issuerPins of [minted.root.certificate, minted.intermediate.hex, minted.intermediate.publicKeyPin]) {
      const socket = connect({ host, port: server.port, issuerPins });
      assert.equal(await echo(socket, 'hello'), 'hello');
      socket.destroy();
    }
    const received = server.received();
    const elsewhere = { host, port: server.port, servername: 'other.example', issuerPins: minted.root.certificate };
    assert.equal((await refusalOf(connect(elsewhere))).code, 'ERR_HOSTNAME_MISMATCH');

    const impostor = await startTls(t, minted.forged);
    const error = await refusalOf(connect({ host, port: impostor.port, issuerPins: minted.intermediate.certificate }));
    assert.equal(error.code, 'ERR_CHAIN_INVALID');
    await Promise.all([server.idle(), impostor.idle()]);
    assert.equal(server.received(), received);
    assert.equal(impostor.received(), 0);
  });

  scenario('the server name is sent for a name and never for an address', async (t) => {
    const server = await startTls(t, minted.server);
    const lookup = (_name, options, callback) => {
      if (options.all) callback(null, [{ address: host, family: 4 }]);
      else callback(null, host, 4);
    };
    const pins = minted.server.hex;
    for (const target of [{ host }, { host, servername: 'db.example' }, { host: 'db.example.', lookup }]) {
      const socket = connect({ ...target, port: server.port, pins });
      t.after(() => socket.destroy());
      await echo(socket, 'hello');
    }
    assert.deepEqual(server.servernames, [false, 'db.example', 'db.example']);
  });

  for (const [kind, wrap] of Object.entries({ 'net.Socket': (socket) => socket, Duplex: duplexOver })) {
    scenario(`TLS runs over a given ${kind}, to the pinned server and no other`, async (t) => {
      const server = await startTls(t, minted.server);
      const impostor = await startTls(t, minted.other);
      const socket = connect({ socket: wrap(tcpConnect(server.port, host)), pins: minted.server.hex });
      t.after(() => socket.destroy());
      assert.equal(await echo(socket, 'hello'), 'hello');
      const error = await refusalOf(
        connect({ socket: wrap(tcpConnect(impostor.port, host)), pins: minted.server.hex }),
      );
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      await impostor.idle();
      assert.equal(impostor.received(), 0);
    });
  }

  scenario('the client shows its own certificate (mutual TLS)', async (t) => {
    const mutual = { requestCert: true, rejectUnauthorized: true, ca: minted.client.certificate };
    const server = await startTls(t, minted.server, mutual);
    const { certificate: cert, key } = minted.client;
    const socket = connect({ host, port: server.port, pins: minted.server.hex, cert, key });
    t.after(() => socket.destroy());
    assert.equal(await echo(socket, 'hello'), 'hello');
  });

  scenario('a signal ends the attempt, before it began and while it lasts', async (t) => {
    const silent = await startSilent(t);
    const options = { host, port: silent.port, pins: minted.server.hex };
    assert.equal((await refusalOf(connect({ ...options, signal: AbortSignal.abort() }))).name, 'AbortError');
    const controller = new AbortController();
    silent.server.once('connection', () => controller.abort());
    assert.equal((await refusalOf(connect({ ...options, signal: controller.signal }))).name, 'AbortError');
  });

  scenario('a silent server is given up after connectTimeoutMs', async (t) => {
    const silent = await startSilent(t);
    const socket = connect({ host, port: silent.port, pins: minted.server.hex, connectTimeoutMs: 50 });
    // certpin's clock keeps no process alive, and neither does a test of Node 18.
    const alive = setTimeout(() => undefined, 10_000);
    t.after(() => clearTimeout(alive));
    assert.equal((await refusalOf(socket)).code, 'ERR_CONNECT_TIMEOUT');
  });

  scenario('Node’s own errors come through', async (t) => {
    const server = await startSilent(t);
    await server.close();
    assert.equal((await refusalOf(connect({ host, port: server.port, pins: minted.server.hex }))).code, 'ECONNREFUSED');
  });

  scenario('the agent reaches the pinned server, keeps its connections, and makes as many as it may', async (t) => {
    const server = await startHttps(t, minted.server);
    const agent = pinnedAgent({ pins: minted.server.publicKeyPin, keepAlive: true, maxSockets: 4 });
    t.after(() => agent.destroy());
    assert.equal(await post(agent, server, 'first'), 'first');
    assert.equal(await post(agent, server, 'second'), 'second');
    assert.equal(server.handshakes(), 1);
    const bodies = ['0', '1', '2', '3', '4', '5', '6', '7'];
    assert.deepEqual(await Promise.all(bodies.map((body) => post(agent, server, body))), bodies);
    assert.equal(server.handshakes(), 4);
  });

  scenario('the agent sends no request to another server', async (t) => {
    const server = await startHttps(t, minted.other);
    const agent = pinnedAgent({ pins: minted.server.hex, keepAlive: true });
    t.after(() => agent.destroy());
    const error = await post(agent, server, 'user and password').catch((reason) => reason);
    assert.ok(error instanceof certpin.CertpinError);
    assert.equal(error.code, 'ERR_PIN_MISMATCH');
    assert.ok(error.message.includes(minted.other.hex));
    await server.idle();
    assert.equal(server.received(), 0);
  });

  scenario('the fetch of this Node reaches the pinned server, and tells another one nothing', async (t) => {
    const pinned = pinnedFetch({ pins: minted.server.hex });
    t.after(() => pinned.dispatcher.destroy());
    const [server, other] = [await startHttps(t, minted.server), await startHttps(t, minted.other)];
    const send = (port) => pinned(`https://${host}:${port}/`, { method: 'POST', body: 'user and password' });
    assert.equal(await (await send(server.port)).text(), 'user and password');
    assert.equal((await send(other.port).catch((reason) => reason)).cause.code, 'ERR_PIN_MISMATCH');
    await other.idle();
    assert.equal(other.received(), 0);
  });

  scenario('the PostgreSQL stream upgrades, reaches the pinned server, and tells another one nothing', async (t) => {
    for (const certificate of [minted.server, minted.other]) {
      const server = await startPostgres(t, certificate);
      const stream = pinnedPg({ host }, { pins: minted.server.hex }).stream();
      t.after(() => stream.destroy());
      stream.setNoDelay(true);
      stream.connect(server.port, host);
      stream.write('user');
      if (certificate === minted.server) {
        assert.equal(String((await once(stream, 'data'))[0]), 'user');
        continue;
      }
      const [error] = await once(stream, 'error');
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      await server.idle();
      assert.equal(server.received(), 0);
    }
  });

  scenario(
    'the socket for postgres.js upgrades, reaches the pinned server, and tells another one nothing',
    async (t) => {
      for (const certificate of [minted.server, minted.other]) {
        const server = await startPostgres(t, certificate);
        const stream = pinnedPostgres({ host, port: server.port }, { pins: minted.server.hex }).socket();
        t.after(() => stream.destroy());
        // The stream hands on whole messages: ReadyForQuery.
        const message = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
        stream.write(message);
        if (certificate === minted.server) {
          assert.deepEqual((await once(stream, 'data'))[0], message);
          continue;
        }
        const [error] = await once(stream, 'error');
        assert.equal(error.code, 'ERR_PIN_MISMATCH');
        await server.idle();
        assert.equal(server.received(), 0);
      }
    },
  );

  for (const scheme of ['ldaps', 'ldap']) {
    scenario(
      `the stream for ldapts, ${scheme}, reaches the pinned server, and tells another one nothing`,
      async (t) => {
        for (const certificate of [minted.server, minted.other]) {
          const server = await (scheme === 'ldap' ? startLdap : startTls)(t, certificate);
          const options = pinnedLdapts({ url: `${scheme}://${host}:${server.port}` }, { pins: minted.server.hex });
          const stream = options.createSecureConnection(server.port, host, options.tlsOptions);
          t.after(() => stream.destroy());
          stream.write('bind');
          if (certificate === minted.server) {
            await once(stream, 'secureConnect');
            assert.equal(String((await once(stream, 'data'))[0]), 'bind');
            continue;
          }
          const [error] = await once(stream, 'error');
          assert.equal(error.code, 'ERR_PIN_MISMATCH');
          await server.idle();
          assert.equal(server.received(), 0);
        }
      },
    );
  }
  scenario('the connector for ioredis reaches the pinned server, and tells another one nothing', async (t) => {
    const { Connector } = pinnedIoredis({ host }, { pins: minted.server.hex });
    for (const certificate of [minted.server, minted.other]) {
      const server = await startTls(t, certificate);
      const socket = await new Connector({ host, port: server.port }).connect();
      t.after(() => socket.destroy());
      if (certificate === minted.server) {
        assert.equal(await echo(socket, 'AUTH'), 'AUTH');
        continue;
      }
      assert.equal((await refusalOf(socket)).code, 'ERR_PIN_MISMATCH');
      await server.idle();
      assert.equal(server.received(), 0);
    }
  });

  scenario('the socket of node-redis is pinned where this Node announces it, and refused elsewhere', async (t) => {
    const [major, minor] = process.versions.node.split('.').map(Number);
    const isAnnounced = (major === 22 && minor >= 17) || (major === 24 && minor >= 2) || major > 24;
    const pin = (port) => pinnedRedis({ socket: { host, port } }, { pins: minted.server.hex }).socket;
    const [server, other] = [await startTls(t, minted.server), await startTls(t, minted.other)];
    if (!isAnnounced) return assert.equal(thrownBy(() => pin(server.port)).code, 'ERR_CLIENT_UNSUPPORTED');
    const socket = connectPlain(pin(server.port));
    t.after(() => socket.destroy());
    assert.equal(await echo(socket, 'AUTH'), 'AUTH');
    assert.equal((await refusalOf(connectPlain(pin(other.port)))).code, 'ERR_PIN_MISMATCH');
    await other.idle();
    assert.equal(other.received(), 0);
  });

  const mysqlStreams = {
    mysql2: (port) => pinnedMysql2({ host }, { pins: minted.server.hex }).stream({ config: { host, port } }),
    mariadb: (port) => pinnedMariadb({ host }, { pins: minted.server.hex }).stream.call({ host, port }),
  };
  for (const [driver, open] of Object.entries(mysqlStreams)) {
    scenario(
      `the stream for ${driver} upgrades, reaches the pinned server, and tells another one nothing`,
      async (t) => {
        for (const certificate of [minted.server, minted.other]) {
          const server = await startMysql(t, certificate);
          const stream = open(server.port);
          t.after(() => stream.destroy());
          await once(stream, 'data');
          stream.write(mysqlPacket(1, `\x01\x82${'\0'.repeat(30)}user\0`));
          if (certificate === minted.server) {
            await once(stream, 'data');
            assert.ok(server.received() > 0);
            continue;
          }
          const [error] = await once(stream, 'error');
          assert.equal(error.code, 'ERR_PIN_MISMATCH');
          await server.idle();
          assert.equal(server.received(), 0);
        }
      },
    );
  }
  scenario(
    'the driver mysql reaches the pinned server, alone and in a pool, and tells another one nothing',
    async (t) => {
      for (const certificate of [minted.server, minted.other]) {
        const server = await startMysql(t, certificate);
        const config = pinnedMysql(mysql, { host, port: server.port, user: 'user' }, { pins: minted.server.hex });
        const pool = mysql.createPool(config);
        const connection = mysql.createConnection(config);
        for (const connect of [(done) => connection.connect(done), (done) => pool.getConnection(done)]) {
          const error = await new Promise((resolve) => connect(resolve));
          assert.equal(error?.code, certificate === minted.server ? undefined : 'ERR_PIN_MISMATCH');
        }
        // It would report the server's end, and nobody listens.
        connection.destroy();
        if (certificate === minted.server) {
          assert.ok(server.received() > 0);
        } else {
          await server.idle();
          assert.equal(server.received(), 0);
        }
      }
    },
  );

  scenario('an end leads to the pinned server, tells another one nothing, and the client why', async (t) => {
    for (const certificate of [minted.server, minted.other]) {
      const server = await startTls(t, certificate);
      const address = { host, port: server.port };
      const policy = { pins: minted.server.hex };
      const loopback = await pinnedForward(address, policy);
      const unix = await pinnedForwardPath(address, policy);
      const socks = await pinnedForwardSocks(policy);
      const ends = { loopback, unix, socks };
      for (const end of Object.values(ends)) t.after(() => end.close());
      const callers = { loopback: tcpConnect(loopback), unix: tcpConnect(unix), socks: callSocks(socks, server.port) };
      for (const [name, socket] of Object.entries(callers)) {
        t.after(() => socket.destroy());
        socket.write('user and password');
        if (certificate === minted.server) {
          // An end that speaks SOCKS has answered before.
          for (let text = ''; !text.endsWith('password'); ) text += (await once(socket, 'data'))[0];
          continue;
        }
        const error = await new Promise((resolve) => {
          socket.once('error', resolve).resume();
          socket.once('close', () => resolve());
        });
        if (name !== 'unix') assert.equal(error.code, 'ERR_PIN_MISMATCH');
        assert.equal(ends[name].lastError.code, 'ERR_PIN_MISMATCH');
      }
      if (certificate === minted.server) continue;
      await server.idle();
      assert.equal(server.received(), 0);
    }
  });

  scenario('the probe reports the certificate, and verify answers for it', async (t) => {
    const server = await startTls(t, minted.leaf);
    const target = `tls://${host}:${server.port}`;
    const report = await probe(target);
    assert.equal(report.ok, true);
    assert.equal(report.certificate.sha256, minted.leaf.hex);
    assert.equal(report.chain[1].sha256, minted.intermediate.hex);
    assert.equal(verify(await inspect(target), { pins: minted.leaf.hex }).ok, true);
    assert.equal(verify(await inspect(target), { pins: minted.other.hex }).code, 'ERR_PIN_MISMATCH');
  });
}

test('no promise was left to reject unhandled', () => {
  assert.deepEqual(rejections, []);
});

/** What a client would do that does not wait: it writes its secrets at once. The error that ends the connection. */
function refusalOf(socket) {
  return new Promise((resolve, reject) => {
    socket.write('user and password');
    socket.once('secureConnect', () => reject(new assert.AssertionError({ message: 'the connection was made' })));
    socket.once('error', (error) => socket.once('close', () => resolve(error)));
  });
}

async function echo(socket, text) {
  socket.write(text);
  const [chunk] = await once(socket, 'data');
  return String(chunk);
}

/** All that a client of SOCKS5 says before its own first word, at once. */
function callSocks({ proxyHost, proxyPort, proxyUsername, proxyPassword }, port) {
  const text = (value) => [value.length, ...Buffer.from(value)];
  const login = [1, ...text(proxyUsername), ...text(proxyPassword)];
  const socket = tcpConnect(proxyPort, proxyHost);
  socket.write(Buffer.from([5, 1, 2, ...login, 5, 1, 0, 3, ...text(host), port >> 8, port & 255]));
  return socket;
}

function post(agent, server, body) {
  return new Promise((resolve, reject) => {
    const call = request({ host, port: server.port, method: 'POST', agent }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () => resolve(answer));
    });
    call.on('error', reject).end(body);
  });
}

function thrownBy(run) {
  try {
    run();
  } catch (error) {
    return error;
  }
  assert.fail('nothing was thrown');
}

function startTls(t, certificate, options = {}) {
  const server = createTlsServer({ cert: certificate.certificate, key: certificate.key, ...options }, (socket) =>
    socket.pipe(socket),
  );
  return listen(t, server);
}

function startHttps(t, certificate, options = {}) {
  const server = createHttpsServer(
    { cert: certificate.certificate, key: certificate.key, ...options },
    (incoming, response) => {
      incoming.pipe(response);
    },
  );
  return listen(t, server);
}

/** Accepts connections and never says a word. */
function startSilent(t) {
  return listen(t, createTcpServer());
}

/** A PostgreSQL server up to the end of the handshake, and an echo from there on. */
function startPostgres(t, { certificate: cert, key }) {
  const server = createTcpServer((raw) => {
    raw.once('data', () => {
      raw.write('S');
      const socket = new TLSSocket(raw, { isServer: true, cert, key });
      socket.on('secure', () => server.emit('secureConnection', socket));
      socket.on('error', () => undefined).pipe(socket);
    });
  });
  return listen(t, server);
}

/** An LDAP server that consents to StartTLS, and an echo from there on. */
function startLdap(t, { certificate: cert, key }) {
  const server = createTcpServer((raw) => {
    raw.once('data', () => {
      raw.write(Buffer.from([0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0]));
      const socket = new TLSSocket(raw, { isServer: true, cert, key });
      socket.on('secure', () => server.emit('secureConnection', socket));
      socket.on('error', () => undefined).pipe(socket);
    });
  });
  return listen(t, server);
}

/** A MySQL server that lets everybody in. */
function startMysql(t, { certificate: cert, key }) {
  const packet = (sequence, ...payload) => {
    const bytes = Buffer.concat(payload.map((part) => Buffer.from(part)));
    return Buffer.concat([Buffer.from([bytes.length, 0, 0, sequence]), bytes]);
  };
  const capabilities = [0xff, 0xff, 45, 2, 0, 0xff, 0xdf, 21];
  const scramble = ['abcdefgh', [0], capabilities, Buffer.alloc(10), 'ijklmnopqrst\0', 'mysql_native_password\0'];
  const server = createTcpServer((raw) => {
    raw.write(packet(0, '\n8.0.0\0', [1, 0, 0, 0], ...scramble));
    raw.once('readable', () => {
      raw.read(36);
      const socket = new TLSSocket(raw, { isServer: true, cert, key });
      socket.on('secure', () => server.emit('secureConnection', socket));
      socket.on('error', () => undefined).once('data', () => socket.write(packet(3, [0, 0, 0, 2, 0, 0, 0])));
    });
  });
  return listen(t, server);
}

function mysqlPacket(sequence, payload) {
  return Buffer.concat([Buffer.from([payload.length, 0, 0, sequence]), Buffer.from(payload, 'latin1')]);
}

/** Listens on a free port, counts what it receives after the handshake, and is closed with the test. */
async function listen(t, server) {
  const open = new Set();
  const servernames = [];
  const resumptions = [];
  let received = 0;
  server.on('connection', (socket) => {
    open.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        open.delete(socket);
        if (open.size === 0) server.emit('idle');
      });
  });
  server.on('secureConnection', (socket) => {
    servernames.push(socket.servername);
    resumptions.push(socket.isSessionReused());
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        received += chunk.length;
      });
  });
  server.on('tlsClientError', () => undefined);
  const close = async () => {
    for (const socket of open) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.after(close);
  server.listen(0, host);
  await once(server, 'listening');
  return {
    server,
    close,
    port: server.address().port,
    servernames,
    resumptions,
    handshakes: () => servernames.length,
    received: () => received,
    present: ({ certificate: cert, key }) => server.setSecureContext({ cert, key }),
    /** Waits until every connection is closed: only then is a count of bytes final. */
    idle: async () => {
      if (open.size > 0) await once(server, 'idle');
    },
  };
}

/** A stream that is not a net.Socket, like the tunnels of ssh2 and of proxies. */
function duplexOver(socket) {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk, encoding, callback) => socket.write(chunk, encoding, callback),
    final: (callback) => socket.end(callback),
    destroy: (error, callback) => {
      socket.destroy();
      callback(error);
    },
  });
  socket.on('data', (chunk) => {
    if (!duplex.push(chunk)) socket.pause();
  });
  socket.on('end', () => duplex.push(null));
  socket.on('error', (error) => duplex.destroy(error));
  socket.on('close', () => duplex.destroy());
  return duplex;
}
