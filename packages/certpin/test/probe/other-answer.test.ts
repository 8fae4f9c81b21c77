// Plain HTTP at a port: said at once, whatever the server was taken for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { mint, startScriptedServer } from '@certpin/testkit';
import { probe } from '../../src/probe/index.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** An HTTP server as many are: it reads up to the end of a line, and then answers, if with an error. */
const readsLines = (socket: Socket): void => {
  let read = '';
  socket.on('data', (bytes: Buffer) => {
    read += bytes.toString('latin1');
    if (read.includes('\n')) socket.end(`HTTP/1.0 501 evil\r\n\r\n`);
  });
};

const HTTP = /^the server answers HTTP: this port speaks plain HTTP, and not TLS(?: \(ERR_SSL_\w+\))?$/;

describe('plain HTTP at the port', () => {
  const codes = {
    '': 'ERR_TLS_NOT_FOUND',
    'https://': 'ERR_SSL_WRONG_VERSION_NUMBER',
    'tls://': 'ERR_SSL_WRONG_VERSION_NUMBER',
    'postgres://': 'ERR_UPGRADE_UNEXPECTED',
    'mysql://': 'ERR_UPGRADE_UNEXPECTED',
    'smtp://': 'ERR_UPGRADE_UNEXPECTED',
    'ldap://': 'ERR_UPGRADE_UNEXPECTED',
    'mssql://': 'ERR_UPGRADE_UNEXPECTED',
  };
  for (const [scheme, code] of Object.entries(codes)) {
    test(`is said within seconds, by Node's server and by one that waits for a line: ${scheme || 'no scheme'}`, async (t) => {
      const node = await listen(
        t,
        createHttpServer((_, response) => response.end('evil')),
      );
      const lines = await startScriptedServer(readsLines);
      t.after(lines.close);
      for (const port of [node, lines.port]) {
        const started = performance.now();
        const report = await probe(`${scheme}localhost:${port}`);
        assert.ok(!report.ok);
        assert.match(report.error.message, HTTP);
        assert.equal(report.error.code, code);
        assert.ok(performance.now() - started < 3_000, `${performance.now() - started} ms`);
        assert.doesNotMatch(JSON.stringify(report), /evil/);
      }
    });
  }

  test('is asked for with a request that does nothing and names nobody', async (t) => {
    const said: string[] = [];
    const lines = await startScriptedServer((socket) => {
      const index = said.push('') - 1;
      socket.on('data', (bytes: Buffer) => {
        said[index] += bytes.toString('latin1');
      });
      readsLines(socket);
    });
    t.after(lines.close);
    await probe(`postgres://someone:secret@localhost:${lines.port}/db`);
    // The third is in TLS, which tells the name of the server alone.
    const [plain, inTls] = [0, 1].map((kind) => said.filter((text) => Number(text.startsWith('\x16\x03')) === kind));
    assert.deepEqual(plain, ['\0\0\0\b\x04\xd2\x16/', 'OPTIONS * HTTP/1.0\r\n\r\n']);
    assert.equal(inTls?.length, 1);
    assert.doesNotMatch(said.join(''), /someone|secret/);
  });

  test('is not said of a TLS server that answers plain HTTP with an error, however long its handshake takes', async (t) => {
    const certificate = await mint();
    const https = createHttpsServer({ cert: certificate.certPem, key: certificate.keyPem });
    const behind = await listen(t, https);
    const { connect } = await import('node:net');
    const slow = await startScriptedServer((socket) => {
      socket.once('data', async (first: Buffer) => {
        if (first.toString('latin1').startsWith('OPTIONS')) return socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
        await sleep(1_500);
        const genuine = connect(behind, '127.0.0.1').on('error', () => socket.destroy());
        socket.on('close', () => genuine.destroy());
        genuine.write(first);
        socket.pipe(genuine).pipe(socket);
      });
    });
    t.after(slow.close);
    for (const target of [`tls://localhost:${slow.port}`, `localhost:${slow.port}`]) {
      const report = await probe(target);
      assert.ok(report.ok, JSON.stringify(report));
    }
  });

  test('is not asked for where the server speaks its protocol, and the other connections end with the first', async (t) => {
    let connections = 0;
    let open = 0;
    const silent = await startScriptedServer((socket) => {
      connections++;
      open++;
      socket.on('close', () => open--);
    });
    t.after(silent.close);
    const report = await probe(`postgres://localhost:${silent.port}`, { timeoutMs: 3_000 });
    assert.ok(!report.ok);
    assert.equal(report.error.code, 'ERR_CONNECT_TIMEOUT');
    assert.equal(connections, 3); // in its protocol, in HTTP, in TLS
    await sleep(50);
    assert.equal(open, 0);

    connections = 0;
    const refusing = await startScriptedServer((socket) => {
      connections++;
      socket.once('data', () => socket.write('N'));
    });
    t.after(refusing.close);
    assert.ok(!(await probe(`postgres://localhost:${refusing.port}`)).ok);
    assert.equal(connections, 1);
  });
});

describe('a server that begins with TLS, asked in a protocol that begins otherwise', () => {
  test('is named so, with the scheme under which it is asked', async (t) => {
    const { certPem: cert, keyPem: key } = await mint();
    const port = await listen(t, createTlsServer({ cert, key }));
    for (const scheme of ['postgres', 'mysql', 'smtp', 'ldap']) {
      const report = await probe(`${scheme}://localhost:${port}`);
      assert.ok(!report.ok);
      assert.equal(report.error.code, 'ERR_UPGRADE_UNEXPECTED');
      assert.match(report.error.message, /^the server begins with TLS at this port, .*: ask it with the protocol tls$/);
    }
  });

  test('and is SQL Server in strict mode, which hears the name of its protocol', async (t) => {
    const { certPem: cert, keyPem: key } = await mint();
    const offered: (readonly string[])[] = [];
    const ALPNCallback = ({ protocols }: { protocols: string[] }): string | undefined => {
      offered.push(protocols);
      return protocols.find((name) => name === 'tds/8.0');
    };
    const port = await listen(t, createTlsServer({ cert, key, ALPNCallback }));
    const asked = await probe(`sqlserver://localhost:${port}`);
    assert.ok(!asked.ok);
    assert.equal(
      asked.error.message,
      'the server begins with TLS at this port, without plaintext before it: ask it as mssql-strict:// (TDS 8.0)',
    );
    assert.deepEqual(offered, [['tds/8.0']]);
    const strict = await probe(`mssql-strict://localhost:${port}`);
    assert.ok(strict.ok, JSON.stringify(strict));
  });
});
