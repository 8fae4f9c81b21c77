import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import {
  certificateHex,
  credentials,
  mint,
  startScriptedServer,
  startTap,
  startTlsServer,
  startUpgradeServer,
} from '@certpin/testkit';
import { startMariadb } from '@certpin/testkit/mariadb';
import { mysqlError, mysqlGreeting } from '@certpin/testkit/mysql-script';
import { startPostgres } from '@certpin/testkit/postgres';
import { inspect, type ProbeReport, probe } from '../../src/probe/index.ts';
import { transcripts } from '../protocols/transcripts.ts';

const certificate = await mint({ keyType: 'rsa' });

/** A server at a port that says nothing of its protocol. */
async function script(t: TestContext, onSocket: (socket: Socket) => void) {
  const server = await startScriptedServer(onSocket);
  t.after(server.close);
  return { ...server, target: `127.0.0.1:${server.port}` };
}

function found(report: ProbeReport, protocol: string): void {
  assert.ok(report.ok, JSON.stringify(report));
  assert.deepEqual([report.protocol, report.detected], [protocol, true]);
  assert.equal(report.certificate.sha256, certificateHex(certificate));
}

describe('the protocol is found out', () => {
  test('TLS, on the connection that was listened to', async (t) => {
    const server = await startTlsServer({ certificate });
    t.after(server.close);
    let connections = 0;
    server.server.on('connection', () => connections++);
    found(await probe(`localhost:${server.port}`), 'tls');
    assert.equal(connections, 1);
    assert.equal(server.received(), 0);
    assert.equal((await inspect(`localhost:${server.port}`)).detected, true);
    const told = await probe(`tls://localhost:${server.port}`);
    assert.ok(told.ok && !told.detected && told.host === 'localhost' && told.port === server.port);
    assert.equal(told.tlsVersion, 'TLSv1.3');
  });

  test('MariaDB, which greets: its greeting is answered, on one connection', async (t) => {
    const mariadb = await startMariadb({ certificate });
    t.after(mariadb.stop);
    const tap = await startTap(mariadb);
    t.after(tap.close);
    found(await probe(`localhost:${tap.port}`), 'mysql');
    assert.equal(tap.received().subarray(0, 4).toString('hex'), '20000001');
    assert.equal(tap.received()[36], 0x16, 'TLS from the 37th byte on');
  });

  for (const name of ['smtp', 'lmtp', 'pop3', 'imap', 'ftp', 'nntp', 'sieve'] as const) {
    test(`${name}, which greets: it is answered, on one connection`, async (t) => {
      const { server: turns, client } = transcripts[name];
      // RFC 2033 §4.2: an LMTP server says in its greeting what it is.
      const server = name === 'lmtp' ? ['220 mail.example.com LMTP server ready\r\n', ...turns.slice(1)] : turns;
      const genuine = await startUpgradeServer(certificate, { server, client, clientOpens: false });
      t.after(genuine.close);
      found(await probe(`127.0.0.1:${genuine.port}`), name);
      assert.equal(genuine.received(), 0);
    });
  }

  test('FTP, whose greeting could be of SMTP: that is asked first, on a connection of its own', async (t) => {
    const asked: string[] = [];
    const tls = createTlsServer(credentials(certificate));
    const server = await script(t, (socket) => {
      socket.write('220 ready\r\n');
      socket.once('data', (words: Buffer) => {
        asked.push(String(words));
        if (!String(words).startsWith('AUTH')) return void socket.end('500 what?\r\n');
        // Nothing may read in between: the next bytes are of TLS.
        socket.removeAllListeners('data').pause();
        socket.write('234 begin\r\n', () => tls.emit('connection', socket));
      });
    });
    found(await probe(server.target), 'ftp');
    assert.deepEqual(asked, ['EHLO certpin.invalid\r\n', 'AUTH TLS\r\n']);
  });

  test('PostgreSQL before 17, which is silent, and does not take TLS from the first byte', async (t) => {
    const postgres = await startPostgres({ certificate });
    t.after(postgres.stop);
    // The newer ones take it, so this one stands in front.
    const old = await script(t, (socket) => {
      socket.once('data', (first: Buffer) => {
        if (first[0] === 0x16) return void socket.destroy();
        const genuine = connect(postgres.port, 'localhost');
        genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
        socket.on('close', () => genuine.destroy());
        genuine.write(first);
        socket.pipe(genuine).pipe(socket);
      });
    });
    found(await probe(old.target), 'postgres');
    found(await probe(`localhost:${postgres.port}`), 'tls');
  });

  test('a port that says more is believed, and a protocol that is told even more', async (t) => {
    const server = await startTlsServer({ certificate });
    t.after(server.close);
    const target = `postgres://localhost:${server.port}`;
    assert.equal((await probe(target, { timeoutMs: 2000 })).ok, false);
    const forced = await probe(target, { protocol: 'tls' });
    assert.ok(forced.ok && forced.protocol === 'tls' && !forced.detected);
  });
});

describe('what is found is no TLS: one clear error', () => {
  const refused: [string, (socket: Socket) => void, code: string, message: RegExp][] = [
    ['SSH', (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'), 'ERR_TLS_NOT_FOUND', /speaks SSH/],
    [
      'SSH, one byte after the other',
      (socket) => {
        const bytes = [...'SSH-2.0-x\r\n'];
        const next = () => void (bytes.length > 0 && socket.write(bytes.shift() as string, () => setImmediate(next)));
        next();
      },
      'ERR_TLS_NOT_FOUND',
      /speaks SSH/,
    ],
    [
      'an unknown greeting',
      (socket) => void socket.write('evil words\r\n'),
      'ERR_TLS_NOT_FOUND',
      /greets in no protocol/,
    ],
    [
      'MySQL without TLS',
      (socket) => void socket.write(mysqlGreeting({ tls: false })),
      'ERR_UPGRADE_REFUSED',
      /no TLS/,
    ],
    ['MySQL with an error', (socket) => void socket.write(mysqlError(1040, 'evil')), 'ERR_UPGRADE_UNEXPECTED', /1040/],
    [
      'MySQL with an injection',
      (socket) => void socket.write(Buffer.concat([mysqlGreeting(), Buffer.of(0)])),
      'ERR_UPGRADE_INJECTED',
      /injected/,
    ],
    [
      'HTTP',
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 evil\r\n\r\n')),
      'ERR_TLS_NOT_FOUND',
      /^the server answers HTTP: this port speaks plain HTTP, and not TLS$/,
    ],
    [
      'one that hangs up on everything',
      (socket) => void socket.once('data', () => socket.destroy()),
      'ERR_TLS_NOT_FOUND',
      /closed the connection/,
    ],
    [
      'one that hangs up at once',
      (socket) => void socket.destroy(),
      '(ERR_CONNECTION_CLOSED|ECONNRESET)',
      /clos|RESET/,
    ],
    [
      'PostgreSQL without TLS',
      (socket) =>
        void socket.once('data', (bytes: Buffer) => (bytes.length === 8 ? socket.write('N') : socket.destroy())),
      'ERR_UPGRADE_REFUSED',
      /refuses TLS/,
    ],
    ['silence', () => undefined, 'ERR_CONNECT_TIMEOUT', /within 600 ms/],
    [
      'a flood',
      (socket) => {
        const more = (): void => void (socket.destroyed || socket.write('x'.repeat(65_536), more));
        more();
      },
      'ERR_TLS_NOT_FOUND',
      /greets in no protocol/,
    ],
    [
      'a greeting that does not end',
      (socket) => void socket.write(mysqlGreeting().subarray(0, 20)),
      'ERR_CONNECT_TIMEOUT',
      /within 600 ms/,
    ],
  ];
  for (const [what, onSocket, code, message] of refused) {
    test(what, async (t) => {
      const server = await script(t, onSocket);
      const report = await probe(server.target, { timeoutMs: code === 'ERR_CONNECT_TIMEOUT' ? 600 : 5_000 });
      assert.ok(!report.ok);
      assert.match(report.error.code, new RegExp(`^${code}$`), JSON.stringify(report));
      assert.match(report.error.message, message);
      assert.ok(!JSON.stringify(report).includes('evil'));
    });
  }

  test('an alert of a TLS server is its answer: nothing else is tried', async (t) => {
    const server = await startTlsServer({ certificate, minVersion: 'TLSv1.3' });
    t.after(server.close);
    let connections = 0;
    server.server.on('connection', () => connections++);
    const report = await probe(`localhost:${server.port}`, { tls: { maxVersion: 'TLSv1.2' } });
    assert.ok(!report.ok && /share no TLS version/.test(report.error.message), JSON.stringify(report));
    assert.equal(connections, 1);
  });

  test('nobody listens', async () => {
    const report = await probe('127.0.0.1:1');
    assert.ok(!report.ok && report.error.code === 'ECONNREFUSED');
  });

  for (const port of [22, 80]) {
    test(`port ${port} is not even called`, async () => {
      const report = await probe(`127.0.0.1:${port}`);
      assert.ok(!report.ok && report.error.code === 'ERR_TLS_NOT_FOUND');
      const told = await probe(`127.0.0.1:${port}`, { protocol: 'tls', timeoutMs: 1000 });
      assert.ok(!told.ok && told.error.code !== 'ERR_TLS_NOT_FOUND');
    });
  }

  test('the attempt can be given up', async (t) => {
    const controller = new AbortController();
    const server = await script(t, () => controller.abort());
    const report = await probe(server.target, { signal: controller.signal, timeoutMs: 0 });
    assert.ok(!report.ok && report.error.code === 'ABORT_ERR', JSON.stringify(report));
  });
});
