import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import { certificateHex, mint, startScriptedServer, startTap, startTlsServer } from '@certpin/testkit';
import { startMariadb } from '@certpin/testkit/mariadb';
import { mysqlError, mysqlGreeting } from '@certpin/testkit/mysql-script';
import { startPostgres } from '@certpin/testkit/postgres';
import { verify } from '../../src/index.ts';
import { inspect, type ProbeReport, type ProbeSuccess, probe } from '../../src/probe/index.ts';

const ca = await mint({ ca: true, subject: 'CN=Example CA' });
const certificate = await mint({ issuer: await mint({ ca: true, subject: 'CN=Issuing CA', issuer: ca }) });
const folder = mkdtempSync(join(tmpdir(), 'certpin-probe-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function found(report: ProbeReport): ProbeSuccess {
  assert.ok(report.ok, JSON.stringify(report));
  return report;
}

function failure(report: ProbeReport): string {
  assert.ok(!report.ok);
  return report.error.code;
}

describe('a live server', () => {
  test('TLS: the report has the leaf, and the chain as it was presented', async (t) => {
    const server = await startTlsServer({ certificate });
    t.after(server.close);
    const target = `localhost:${server.port}`;
    const report = found(await probe(target));
    assert.equal(report.target, target);
    assert.equal(report.protocol, 'tls');
    assert.equal(report.certificate.sha256, certificateHex(certificate));
    assert.deepEqual(
      report.chain.map(({ subject, selfSigned }) => [subject, selfSigned]),
      [
        ['CN=localhost', false],
        ['CN=Issuing CA', false],
      ],
    );
    await once(server.server, 'secureConnection'); // the handshake ends at the server a moment later
    assert.deepEqual(server.servernames, ['localhost']);
    assert.equal(server.received(), 0);
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`TLS: everything that was presented is in the chain, in its order, whatever belongs together: ${maxVersion}`, async (t) => {
      const root = await mint({ ca: true, subject: 'CN=Root' });
      const intermediate = await mint({ ca: true, subject: 'CN=Intermediate', issuer: root });
      const leaf = await mint({ issuer: intermediate });
      const stranger = await mint({ subject: 'CN=Stranger' });
      const presented = [leaf, stranger, root, intermediate, leaf];
      const options = { key: leaf.keyPem, cert: presented.map(({ certPem }) => certPem).join(''), maxVersion };
      const server = createServer(options, (socket) => socket.on('error', () => undefined).resume());
      t.after(() => server.close());
      await once(server.listen(0), 'listening');
      const report = found(await probe(`localhost:${(server.address() as AddressInfo).port}`));
      assert.equal(report.tlsVersion, maxVersion);
      assert.deepEqual(
        report.chain.map(({ sha256 }) => sha256),
        presented.map(certificateHex),
      );
      assert.deepEqual(report.chain[0], report.certificate);
    });
  }

  test('PostgreSQL, with the credentials of a connection string left at home', async (t) => {
    const own = await mint({ keyType: 'rsa' });
    const postgres = await startPostgres({ certificate: own });
    t.after(postgres.stop);
    const report = found(await probe(`postgres://somebody:hunter2@localhost:${postgres.port}/app`));
    assert.equal(report.protocol, 'postgres');
    assert.equal(report.certificate.sha256, certificateHex(own));
    assert.equal(report.certificate.selfSigned, true);
    assert.ok(!JSON.stringify(report).includes('hunter2'));
  });

  test('MariaDB, with the credentials of a connection string left at home', async (t) => {
    const own = await mint({ keyType: 'rsa' });
    const mariadb = await startMariadb({ certificate: own });
    t.after(mariadb.stop);
    const tap = await startTap(mariadb);
    t.after(tap.close);
    const report = found(await probe(`mariadb://somebody:hunter2@127.0.0.1:${tap.port}/app`));
    assert.equal(report.protocol, 'mysql');
    assert.equal(report.certificate.sha256, certificateHex(own));
    assert.ok(!JSON.stringify(report).includes('hunter2'));
    assert.equal(tap.received().subarray(0, 4).toString('hex'), '20000001');
    assert.equal(tap.received()[36], 0x16, 'TLS from the 37th byte on');
  });

  test('another server name can be asked for', async (t) => {
    const server = await startTlsServer({ certificate });
    t.after(server.close);
    await probe(`127.0.0.1:${server.port}`, { servername: 'other.example' });
    await once(server.server, 'secureConnection');
    assert.deepEqual(server.servernames, ['other.example']);
  });

  test('what is inspected can be verified', async (t) => {
    const server = await startTlsServer({ certificate });
    t.after(server.close);
    const peer = await inspect(`localhost:${server.port}`);
    assert.equal(verify(peer, { pins: certificateHex(certificate) }).ok, true);
    assert.equal(verify(peer, { issuerPins: ca.certPem }).ok, true);
    const wrong = verify(peer, { pins: certificateHex(ca) });
    assert.ok(!wrong.ok && wrong.code === 'ERR_PIN_MISMATCH');
  });
});

describe('a server that gives no certificate is a report with one clear error', () => {
  const cases: [string, Parameters<typeof startScriptedServer>[0], (port: number) => string, RegExp][] = [
    [
      'it refuses TLS',
      (socket) => void socket.write('N'),
      (port) => `postgres://127.0.0.1:${port}`,
      /^ERR_UPGRADE_REFUSED$/,
    ],
    [
      'it injects',
      (socket) => void socket.write('Sx'),
      (port) => `postgres://127.0.0.1:${port}`,
      /^ERR_UPGRADE_INJECTED$/,
    ],
    ['it says nothing', () => undefined, (port) => `postgres://127.0.0.1:${port}`, /^ERR_CONNECT_TIMEOUT$/],
    [
      'MySQL offers no TLS',
      (socket) => void socket.write(mysqlGreeting({ tls: false })),
      (port) => `mysql://127.0.0.1:${port}`,
      /^ERR_UPGRADE_REFUSED$/,
    ],
    [
      'MySQL injects',
      (socket) => void socket.write(Buffer.concat([mysqlGreeting(), Buffer.of(0)])),
      (port) => `mysql://127.0.0.1:${port}`,
      /^ERR_UPGRADE_INJECTED$/,
    ],
    [
      'MySQL turns the client away',
      (socket) => void socket.write(mysqlError(1040, 'Too many connections')),
      (port) => `mysql://127.0.0.1:${port}`,
      /^ERR_UPGRADE_UNEXPECTED$/,
    ],
    ['MySQL says nothing', () => undefined, (port) => `mysql://127.0.0.1:${port}`, /^ERR_CONNECT_TIMEOUT$/],
    ['it says nothing to a ClientHello', () => undefined, (port) => `tls://127.0.0.1:${port}`, /^ERR_CONNECT_TIMEOUT$/],
    [
      'it hangs up',
      (socket) => void socket.destroy(),
      (port) => `postgres://127.0.0.1:${port}`,
      /^(ERR_CONNECTION_CLOSED|ECONNRESET)$/,
    ],
    [
      'it hangs up on a ClientHello',
      (socket) => void socket.once('data', () => socket.end()),
      (port) => `tls://127.0.0.1:${port}`,
      /^ECONNRESET$/,
    ],
    [
      'it speaks HTTP',
      (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400\r\n\r\n')),
      (port) => `tls://127.0.0.1:${port}`,
      /^(ERR_SSL_|EPROTO)/,
    ],
  ];
  for (const [name, script, target, code] of cases) {
    test(name, async (t: TestContext) => {
      const server = await startScriptedServer(script);
      t.after(server.close);
      // Whoever answers has time for it.
      const timeoutMs = code.source.includes('TIMEOUT') ? 150 : 10_000;
      assert.match(failure(await probe(target(server.port), { timeoutMs })), code);
    });
  }

  test('nobody listens', async () => {
    assert.equal(failure(await probe('127.0.0.1:1')), 'ECONNREFUSED');
  });
});

describe('a file', () => {
  test('PEM, with text and a key around it', async () => {
    const path = file('server.pem', `issued to: localhost\n${certificate.keyPem}${certificate.chainPem}`);
    const report = found(await probe(path));
    assert.deepEqual([report.target, report.protocol], [path, 'file']);
    assert.equal(report.certificate.sha256, certificateHex(certificate));
    assert.equal(report.chain.length, 2);
  });

  test('DER', async () => {
    const report = found(await probe(file('server.der', certificate.x509.raw)));
    assert.equal(report.certificate.sha256, certificateHex(certificate));
  });

  test('text that begins with the digit 0 is not DER', async () => {
    const report = found(await probe(file('zero.pem', `0\n${certificate.certPem}`)));
    assert.equal(report.certificate.sha256, certificateHex(certificate));
  });

  const unusable: [string, string | Uint8Array, RegExp][] = [
    ['empty', '', /no PEM or DER certificate/],
    ['a key alone', certificate.keyPem, /a private key and no certificate/],
    ['a cut PEM block', certificate.certPem.slice(0, 200), /no whole certificate: one has BEGIN without END/],
    [
      'a PEM block with rubbish',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      /cannot be read as one/,
    ],
    ['cut DER', certificate.x509.raw.subarray(0, 100), /cannot be read as one/],
  ];
  for (const [name, content, message] of unusable) {
    test(`that is ${name} is refused`, async () => {
      const report = await probe(file('unusable.pem', content));
      assert.ok(!report.ok);
      assert.equal(report.error.code, 'ERR_FILE_UNREADABLE');
      assert.match(report.error.message, message);
    });
  }

  test('that has no end is not read to it', async () => {
    const report = await probe('/dev/zero');
    assert.equal(failure(report), 'ERR_FILE_UNREADABLE');
  });

  test('that is not there gives Node’s own error', async () => {
    assert.equal(failure(await probe(join(folder, 'nowhere.pem'))), 'ENOENT');
    await assert.rejects(inspect(join(folder, 'nowhere.pem')), { code: 'ENOENT' });
  });
});
