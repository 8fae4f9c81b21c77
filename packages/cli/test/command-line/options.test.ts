import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { startHttpProxy } from '@certpin/testkit/proxy';
import { startPostgres, writeTemporary } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

test('--protocol: a database on a port that says nothing, asked in its own protocol at once', async (t) => {
  const certificate = await mint();
  const { port, received } = await startPostgres(t, certificate);
  const { stdout, code } = await certpin(['get', '-q', '--protocol', 'postgres', `127.0.0.1:${port}`]);
  assert.deepEqual([stdout, code], [`${certificateHex(certificate)}\n`, 0]);
  assert.equal(received.length, 1);
  const said = await transcript('get --protocol postgress 127.0.0.1:1');
  assert.match(said, /--protocol <name>' argument 'postgress' is invalid|did you mean/);
  assert.match(said, /exit 2$/);
});

test('--proxy: through a proxy, which is told the server; no error shows its login', async (t) => {
  const [server, proxy] = [await startTlsServer({ certificate: await mint() }), await startHttpProxy()];
  t.after(server.close);
  t.after(proxy.stop);
  const target = `tls://127.0.0.1:${server.port}`;
  assert.equal((await certpin(['get', '-q', '--proxy', proxy.url, target])).code, 0);
  assert.match(proxy.log(), new RegExp(`CONNECT 127.0.0.1:${server.port}`));
  // The transcript looks for the password in everything that is printed.
  for (const url of ['ftp://someone:swordfish@proxy.example:1', 'http://someone:swordfish@127.0.0.1:1']) {
    const { stderr, code } = await certpin(['get', '--proxy', url, target]);
    assert.deepEqual([code, /swordfish|someone/.test(stderr)], [2, false]);
  }
});

test('-4 and -6: addresses of one kind only', async (t) => {
  const server = await startTlsServer({ certificate: await mint() });
  t.after(server.close);
  assert.equal((await certpin(['get', '-q', '-4', `tls://localhost:${server.port}`])).code, 0);
  assert.equal((await certpin(['get', '-q', '-6', `tls://localhost:${server.port}`])).code, 2);
  const both = await certpin(['get', '-4', '-6', 'tls://localhost:1']);
  assert.match(both.stderr, /cannot be used with/);
});

test('--cert and --key: a server that demands a certificate of the client', async (t) => {
  const ca = await mint({ ca: true, subject: 'CN=Client CA' });
  const own = await mint({ subject: 'CN=client', issuer: ca });
  const certificate = await mint();
  const demand = { requestCert: true, rejectUnauthorized: true, ca: ca.certPem, maxVersion: 'TLSv1.2' } as const;
  const server = await startTlsServer({ certificate, ...demand });
  t.after(server.close);
  const files = [
    '--cert',
    writeTemporary(t, 'own.crt', own.certPem),
    '--key',
    writeTemporary(t, 'own.key', own.keyPem),
  ];
  const target = `tls://127.0.0.1:${server.port}`;
  assert.equal((await certpin(['get', '-q', ...files, target])).stdout, `${certificateHex(certificate)}\n`);
  assert.equal((await certpin(['check', ...files, target, '--pin', certificateHex(certificate)])).code, 0);
  assert.equal((await certpin(['get', '-q', target])).code, 2);
  assert.match(await transcript('get --cert a.crt tls://127.0.0.1:1'), /--cert and --key go together/);
  assert.match(
    await transcript('get --cert /nowhere --key /nowhere tls://127.0.0.1:1'),
    /error: \/nowhere: no such file/,
  );
});

test('--tls-min and --tls-max: the versions that are spoken; an old server is read where that is asked for', async (t) => {
  const certificate = await mint({ keyType: 'rsa' });
  const server = await startTlsServer({ certificate });
  t.after(server.close);
  const { stdout } = await certpin(['get', '--json', '--tls-max', '1.2', `tls://127.0.0.1:${server.port}`]);
  assert.equal(JSON.parse(stdout).tlsVersion, 'TLSv1.2');
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const oldServer = await startTlsServer({ certificate, ...old });
  t.after(oldServer.close);
  const target = `tls://127.0.0.1:${oldServer.port}`;
  assert.equal((await certpin(['get', '-q', target])).code, 2);
  const read = await certpin(['get', '-q', '--tls-min', '1.0', target]);
  assert.equal(read.stdout, `${certificateHex(certificate)}\n`);
  assert.equal(oldServer.received(), 0);
});

test('options of the connection that cannot be used: said once, in the words of the command line, before anybody is asked', async (t) => {
  const { certPem, keyPem } = await mint();
  const encrypted = createPrivateKey(keyPem).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  const [own, key, other, notes] = [
    writeTemporary(t, 'own.crt', certPem),
    writeTemporary(t, 'own.key', String(encrypted)),
    writeTemporary(t, 'other.key', (await mint()).keyPem),
    writeTemporary(t, 'notes.txt', 'nothing'),
  ];
  const pair = '--cert takes a certificate and --key its private key, both PEM and not encrypted';
  const mistakes = {
    [`--cert ${own} --key ${key}`]: pair,
    [`--cert ${own} --key ${other}`]: pair,
    [`--cert ${notes} --key ${notes}`]: pair,
    '--tls-max 1.1': '--tls-max is older than --tls-min, whose default is 1.2',
    '--tls-min 1.3 --tls-max 1.2': '--tls-max is older than --tls-min, whose default is 1.2',
    '-4 --proxy http://proxy.example:1': '-4 and -6 have no effect behind a proxy, which looks up the name',
    '--proxy ftp://proxy.example': '--proxy: the URL of the proxy must begin with http://, https:// or socks5://',
    [`--servername postgres://me:${PASSWORD}@db`]: '--servername takes a host name',
  };
  for (const [options, message] of Object.entries(mistakes)) {
    const said = await transcript(`get 127.0.0.1:1 127.0.0.1:2 ${options}`);
    assert.equal(said, `2> certpin: error: ${message}\n2> certpin: hint: certpin help get\nexit 2`);
  }
});
