import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import { test } from 'node:test';
import { certificateHex, mint, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { probe } from 'certpin/probe';
import { startPeer, startPostgres, startServer, writeTemporary } from '../peers.ts';
import { certpin, PASSWORD, type TranscriptOptions, transcript } from '../transcript.ts';

const ESC = '\u001B';

/** `openssl x509 -fingerprint`, as the vendor's article runs it. */
function opensslFingerprint(file: string, ...options: string[]): string {
  const output = execFileSync('openssl', ['x509', '-in', file, ...options, '-noout', '-fingerprint', '-sha256'], {
    encoding: 'utf8',
  });
  return output.trim().replace(/^sha256 Fingerprint=/i, '');
}

test('a PEM file: everything about its certificate, with the fingerprint that openssl prints', async (t) => {
  const certificate = await mint({ subject: 'CN=db.example.com, O=Example' });
  const file = writeTemporary(t, 'server.crt', certificate.certPem);
  const colons = opensslFingerprint(file);
  const names = {
    FILE: file,
    COLONS: colons,
    HEX: colons.replaceAll(':', ''),
    PIN: await publicKeyPin(certificate),
    FROM: new Date(certificate.x509.validFrom).toISOString().slice(0, 10),
    UNTIL: new Date(certificate.x509.validTo).toISOString().slice(0, 10),
  };
  assert.equal(
    await transcript('get FILE', names),
    `FILE
  certificate SHA-256  HEX
  with colons          COLONS
  public-key pin       PIN
  subject              CN=db.example.com, O=Example
  issuer               CN=db.example.com, O=Example
  names                DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1
  valid                FROM to UNTIL (29 days left)
  self-signed          yes
exit 0`,
  );
});

test('a DER file: the fingerprint that openssl prints', async (t) => {
  const certificate = await mint();
  const file = writeTemporary(t, 'server.der', certificate.x509.raw);
  const names = { FILE: file, HEX: opensslFingerprint(file, '-inform', 'DER').replaceAll(':', '') };
  assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0');
});

test('a server: what it presents, with the advice to compare it; nothing is sent to it', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root, validToDays: 90.5 });
  const certificate = await mint({ subject: 'CN=db', names: ['db.example.com'], issuer, validToDays: 1.5 });
  const server = await startServer(t, certificate);
  const names = {
    PORT: server.port,
    HEX: certificateHex(certificate),
    CA: certificateHex(issuer),
    KEY: await publicKeyPin(issuer),
  };
  const said = await transcript('get 127.0.0.1:PORT', names);
  assert.match(said, /^127\.0\.0\.1:PORT\n {2}certificate SHA-256 {2}HEX\n/);
  assert.match(said, /\n {2}issuer {15}CN=Issuer\n {2}names {16}DNS:db\.example\.com\n/);
  assert.match(said, /\n {2}valid {16}\S+ to \S+ \(1 day left\)\n {2}self-signed {10}no\n/);
  assert.match(
    said,
    /\n {2}sent with it: CN=Issuer\n {4}certificate SHA-256 {2}CA\n {4}public-key pin {7}KEY\n .* \(90 days left\)\n/,
  );
  assert.match(
    said,
    /\n {2}as presented just now: compare with the server's own certificate file, or its operator, before you pin it\n/,
  );
  assert.equal(server.received(), 0);
});

test('validity that has ended or not begun is said in days', async (t) => {
  const expired = writeTemporary(t, 'expired.pem', (await mint({ validFromDays: -30, validToDays: -3.5 })).certPem);
  const early = writeTemporary(t, 'early.pem', (await mint({ validFromDays: 2.5 })).certPem);
  const today = writeTemporary(t, 'today.pem', (await mint({ validToDays: 0.5 })).certPem);
  assert.match(await transcript(`get ${expired}`), /\(expired 3 days ago\)\n/);
  assert.match(await transcript(`get ${early}`), /\(begins in 2 days\)\n/);
  assert.match(await transcript(`get ${today}`), /\(less than a day left\)\n/);
});

test('PostgreSQL: upgrades with SSLRequest, sends nothing else, never shows the password', async (t) => {
  const certificate = await mint();
  const server = await startPostgres(t, certificate);
  const names = { PORT: server.port, HEX: certificateHex(certificate) };
  const target = `postgres://me:${PASSWORD}@127.0.0.1:PORT/app?sslmode=require`;
  assert.equal(await transcript(`get -q ${target}`, names), 'HEX\nexit 0');
  assert.match(
    await transcript(`get ${target}`, names),
    /^postgres:\/\/127\.0\.0\.1:PORT\n {2}certificate SHA-256 {2}HEX\n/,
  );
  assert.match(
    await transcript(`get --json ${target}`, names),
    /^\{"target":"postgres:\/\/127\.0\.0\.1:PORT","protocol":"postgres"/,
  );
  assert.equal(Buffer.concat(server.received).toString('hex'), '0000000804d2162f'.repeat(3));
  assert.deepEqual(server.decrypted, []);
});

test('a PostgreSQL server that refuses TLS', async (t) => {
  const { port } = await startPeer(t, (socket) => socket.write('N'));
  assert.equal(
    await transcript('get postgres://127.0.0.1:PORT', { PORT: port }),
    `2> certpin: error: postgres://127.0.0.1:PORT: the PostgreSQL server refuses TLS (its answer to SSLRequest is N)
exit 2`,
  );
});

test('plaintext bytes behind the consent to TLS', async (t) => {
  const { port } = await startPeer(t, (socket) => socket.write('SEinjected'));
  assert.equal(
    await transcript('get postgres://127.0.0.1:PORT', { PORT: port }),
    `2> certpin: error: postgres://127.0.0.1:PORT: 9 plaintext bytes followed the server's consent to TLS: somebody injected them
exit 2`,
  );
});

test('an error message instead of an answer is not repeated', async (t) => {
  const { port } = await startPeer(t, (socket) => socket.write('Eanything the network likes'));
  assert.equal(
    await transcript('get postgres://127.0.0.1:PORT', { PORT: port }),
    `2> certpin: error: postgres://127.0.0.1:PORT: the server answered SSLRequest with an error message
exit 2`,
  );
});

test('a server that closes the connection, before and after its consent', async (t) => {
  const before = await startPeer(t, (socket) => socket.end());
  const after = await startPeer(t, (socket) => socket.end('S'));
  for (const { port } of [before, after]) {
    const said = await transcript('get postgres://127.0.0.1:PORT', { PORT: port });
    assert.match(said, /^2> certpin: error: postgres:\/\/127\.0\.0\.1:PORT: .*\nexit 2$/);
  }
});

test('a server that stalls, before and after its consent', async (t) => {
  const before = await startPeer(t, () => undefined);
  const after = await startPeer(t, (socket) => socket.write('S'));
  for (const { port } of [before, after]) {
    assert.equal(
      await transcript('get postgres://127.0.0.1:PORT --timeout 0.3', { PORT: port }),
      `2> certpin: error: postgres://127.0.0.1:PORT: no TLS connection within 300 ms
2> certpin: hint: certpin get postgres://127.0.0.1:PORT --timeout 30
exit 2`,
    );
  }
});

test('a failed handshake is told in the words of the library, and what helps', async (t) => {
  const { port } = await startPeer(t, (socket) => socket.end('no TLS, and no HTTP\r\n'));
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const server = await startTlsServer({ certificate: await mint(), ...old });
  t.after(server.close);
  const named = 'a PostgreSQL server is named with postgres://, MySQL and MariaDB with mysql://';
  const cases = [
    [`tls://127.0.0.1:${port}`, named],
    [`127.0.0.1:${port}`, `certpin get 127.0.0.1:${port} --protocol NAME`],
    [`127.0.0.1:${server.port}`, `certpin get 127.0.0.1:${server.port} --tls-min 1.0`],
  ] as const;
  for (const [target, hint] of cases) {
    const report = await probe(target);
    assert.equal(
      await transcript(`get ${target}`),
      `2> certpin: error: ${target}: ${report.ok ? '' : report.error.message}\n2> certpin: hint: ${hint}\nexit 2`,
    );
  }
  assert.match(await transcript(`get tls://127.0.0.1:PORT`, { PORT: port }), /: the server does not begin with TLS \(/);
});

test('plain HTTP at the port is said as such, and no hint leads elsewhere', async (t) => {
  const { port } = await startPeer(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  for (const target of ['127.0.0.1:PORT', 'https://127.0.0.1:PORT', 'postgres://127.0.0.1:PORT']) {
    const said = await transcript(`get ${target}`, { PORT: port });
    assert.match(said, /^2> certpin: error: \S+: the server answers HTTP: this port speaks plain HTTP, and not TLS/);
    assert.doesNotMatch(said, /hint/);
  }
});

test('why a handshake failed is told in text as in JSON, with the options of the command that help', async (t) => {
  const alerts = {
    40: '--tls-min 1.0',
    112: '--servername NAME',
    116: '--cert client.crt --key client.key',
  };
  for (const [alert, options] of Object.entries(alerts)) {
    const { port } = await startPeer(t, (socket) => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, Number(alert))));
    const target = `tls://127.0.0.1:${port}`;
    const { error } = JSON.parse((await certpin(['get', '--json', target])).stdout);
    const { stderr } = await certpin(['get', target]);
    assert.ok(stderr.startsWith(`certpin: error: ${target}: ${error.message}\n`), stderr);
    assert.ok(stderr.includes(`certpin: hint: certpin get ${target} ${options}\n`), stderr);
  }
});

test('the address and the port that were called are named where the target does not say them', async () => {
  const lookup: LookupFunction = (_host, _options, done) => {
    const all = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    process.nextTick(() => done(null, all));
  };
  const both = await certpin(['get', 'tls://several.test:1'], { lookup });
  assert.equal(
    both.stderr,
    'certpin: error: tls://several.test:1: connection refused: nothing listens there (127.0.0.1:1, 127.0.0.2:1)\n',
  );
  const { error } = JSON.parse((await certpin(['get', '--json', 'tls://several.test:1'], { lookup })).stdout);
  assert.equal(error.message, 'connect ECONNREFUSED 127.0.0.1:1, connect ECONNREFUSED 127.0.0.2:1');
  const bare = await certpin(['get', 'several.test'], { lookup });
  assert.match(bare.stderr, /^certpin: error: several\.test: .* \(127\.0\.0\.1:443, 127\.0\.0\.2:443\)\n/);
  assert.equal(
    (await certpin(['get', '127.0.0.1:1'])).stderr.split('\n')[0],
    'certpin: error: 127.0.0.1:1: connection refused: nothing listens there',
  );
});

test('connection strings of drivers are read, and the one hint that helps is given for others', async () => {
  for (const [text, asked] of [
    [`me:${PASSWORD}@tcp(127.0.0.1:1)/app`, 'mysql://127.0.0.1:1'],
    [`sqlserver://127.0.0.1:1;database=app;password=${PASSWORD}`, 'sqlserver://127.0.0.1:1'],
    [`rediss://:${PASSWORD}@127.0.0.1:1`, 'rediss://127.0.0.1:1'],
  ] as const) {
    assert.match((await certpin(['get', text])).stderr, new RegExp(`^certpin: error: ${asked}: connection refused`));
  }
  const kafka = await certpin(['get', 'kafka://127.0.0.1:9093']);
  assert.match(
    kafka.stderr,
    /certpin does not know kafka:\/\/ \(a server that begins with TLS is named with tls:\/\/host:port\)\n/,
  );
  const several = await certpin(['get', `postgres://me:${PASSWORD}@a:1,b:1/app`]);
  assert.match(several.stderr, /names several hosts, and each may have a certificate of its own: name one/);
});

test('a server that is silent, where its protocol begins with its greeting, and in TLS too', async (t) => {
  const { port } = await startPeer(t, () => undefined);
  for (const scheme of ['mysql', 'smtp', 'imap']) {
    assert.equal(
      await transcript(`get ${scheme}://127.0.0.1:PORT --timeout 0.3`, { PORT: port }),
      `2> certpin: error: ${scheme}://127.0.0.1:PORT: no TLS connection within 300 ms
2> certpin: hint: certpin get ${scheme}://127.0.0.1:PORT --timeout 30
exit 2`,
    );
  }
});

test('a server of SSH is asked in no other protocol', async (t) => {
  const banner = 'SSH-2.0-OpenSSH_9.2\r\n';
  const greeting = createServer((socket) => void socket.on('error', () => undefined).write(banner)).listen(0);
  t.after(() => greeting.close());
  await once(greeting, 'listening');
  assert.equal(
    await transcript('get 127.0.0.1:PORT', { PORT: (greeting.address() as AddressInfo).port }),
    `2> certpin: error: 127.0.0.1:PORT: the server speaks SSH, which has no certificate; ssh-keyscan shows its key
exit 2`,
  );
  const { port } = await startPeer(t, (socket) => socket.write(banner));
  assert.match(
    await transcript('get postgres://127.0.0.1:PORT', { PORT: port }),
    /^2> certpin: error: postgres:.*: the server speaks SSH, and not PostgreSQL\nexit 2$/,
  );
});

test('several targets: the answers stand in the order of the arguments, one failure does not stop the others', async (t) => {
  const first = await startServer(t);
  const second = await startServer(t);
  const slow = await startPeer(t, () => undefined);
  const names = {
    PORT1: first.port,
    PORT2: second.port,
    SLOW: slow.port,
    HEX1: certificateHex(first.certificate),
    HEX2: certificateHex(second.certificate),
  };
  const targets = `127.0.0.1:SLOW 127.0.0.1:PORT1 nowhere.pem postgres://me:${PASSWORD}/x@127.0.0.1/db 127.0.0.1:PORT2 --timeout 2`;
  assert.equal(
    await transcript(`get -q ${targets}`, names),
    `HEX1
HEX2
2> certpin: error: 127.0.0.1:SLOW: no TLS connection within 2000 ms
2> certpin: hint: certpin get 127.0.0.1:SLOW --timeout 30
2> certpin: error: nowhere.pem: no such file
2> certpin: error: target 4: the target cannot be used: the URL cannot be read: a password in a URL needs percent-encoding: @ is %40, / is %2F, # is %23, ? is %3F
2> certpin: hint: certpin help get
exit 2`,
  );
  const { stdout, stderr, code } = await certpin(
    ['get', '--json', `127.0.0.1:${slow.port}`, `127.0.0.1:${first.port}`, 'nowhere.pem', '--timeout', '2'],
    { terminal: false },
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ target, ok }) => [target, ok]),
    [
      [`127.0.0.1:${slow.port}`, false],
      [`127.0.0.1:${first.port}`, true],
      ['nowhere.pem', false],
    ],
  );
  assert.deepEqual(
    lines.map(({ error }) => error?.code),
    ['ERR_CONNECT_TIMEOUT', undefined, 'ENOENT'],
  );
  assert.deepEqual({ stderr, code }, { stderr: '', code: 2 });
});

test('a blank line stands between two certificates', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  const said = await transcript('get FILE FILE', { FILE: file });
  assert.equal(said.split('\n\n').length, 2);
  assert.match(said, /yes\n\nFILE\n/);
});

test('--json prints the very value of probe()', async (t) => {
  const { port } = await startServer(t);
  const target = `127.0.0.1:${port}`;
  const { stdout, stderr, code } = await certpin(['get', '--json', target]);
  assert.deepEqual(JSON.parse(stdout), await probe(target));
  assert.deepEqual({ lines: stdout.split('\n').length, stderr, code }, { lines: 2, stderr: '', code: 0 });
  assert.deepEqual(Object.keys(JSON.parse(stdout)), [
    ...['target', 'protocol', 'detected', 'host', 'port'],
    ...['address', 'otherAddresses', 'tlsVersion'],
    ...['ok', 'certificate', 'chain'],
  ]);
});

test('--servername is sent to the server', async (t) => {
  const server = await startServer(t);
  await certpin(['get', `127.0.0.1:${server.port}`, '--servername', 'db.example.com']);
  assert.deepEqual(server.asked, ['db.example.com']);
});

test('a file without a certificate', async (t) => {
  const text = writeTemporary(t, 'notes.pem', 'nothing here\n');
  assert.equal(
    await transcript('get TEXT', { TEXT: text }),
    '2> certpin: error: TEXT: there is no certificate, key or signing request in it\nexit 2',
  );
});

test('a connection string that cannot be read is never repeated', async () => {
  const unreadable = [
    `postgres://me:${PASSWORD}/1@127.0.0.1:1/db`,
    `postgres://${PASSWORD}:1/x@127.0.0.1:1/db`,
    `postgres://me:1#${PASSWORD}@127.0.0.1:1/db`,
    `postgres://me:1?${PASSWORD}@127.0.0.1:1/db`,
    `me:${PASSWORD}@127.0.0.1/db`,
    `jdbc:postgresql://127.0.0.1/db?user=me&password=${PASSWORD}`,
    `/host=127.0.0.1;password=${PASSWORD}`,
    `mysql://me:${PASSWORD}@127.0.0.1:1/db`,
    `https://me:${PASSWORD}@127.0.0.1:1/x?token=${PASSWORD}`,
    `postgres://me:${PASSWORD}@127.0.0.1:1/db?password=${PASSWORD}#${PASSWORD}`,
  ];
  for (const flags of [[], ['-q'], ['--json']]) {
    for (const terminal of [false, true]) {
      const { stdout, stderr, code } = await certpin(['get', ...unreadable, ...flags], { terminal });
      assert.equal(code, 2);
      assert.equal((stdout + stderr).includes(PASSWORD), false);
    }
  }
});

test('colours and progress: on a terminal only, and not under NO_COLOR', async (t) => {
  // Read at once, however busy the machine is: the progress is about the second target alone.
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  const slow = await startPeer(t, () => undefined);
  const targets = [file, `127.0.0.1:${slow.port}`, '--timeout', '2'];

  const get = (options: TranscriptOptions) => certpin(['get', ...targets], options);
  const [colourful, plain, dumb, piped] = await Promise.all([
    get({ terminal: true }),
    get({ terminal: true, env: { NO_COLOR: '1' } }),
    get({ terminal: true, env: { TERM: 'dumb' } }),
    get({}),
  ]);
  const progress = `probing 127.0.0.1:${slow.port} ...\r${ESC}[2K`;
  assert.ok(colourful.stdout.startsWith(`${ESC}[1m${file}${ESC}[22m\n`));
  assert.ok(colourful.stderr.startsWith(`${progress}certpin: ${ESC}[31merror:${ESC}[39m `));
  assert.ok(plain.stderr.startsWith(`${progress}certpin: error: `));
  assert.equal((plain.stdout + dumb.stdout + dumb.stderr + piped.stdout + piped.stderr).includes(ESC), false);
  assert.match(piped.stderr, /^certpin: error: /);
});

test('once nobody reads any more, no further server is asked', async (t) => {
  const server = await startServer(t);
  const said = await certpin(['get', `127.0.0.1:${server.port}`], { closed: true });
  assert.deepEqual(said, { stdout: '', stderr: '', code: 0 });
  assert.equal(server.connections(), 0);
});

test('an argument cannot give the terminal orders', async () => {
  const { stderr } = await certpin(['get', 'a\u001B]0;title\u0007.pem']);
  assert.equal(stderr, 'certpin: error: a\uFFFD]0;title\uFFFD.pem: no such file\n');
});

test('a line of a list that cannot be read is told by file and line, in text, JSON and a table', async (t) => {
  const list = writeTemporary(t, 'hosts.txt', `# hosts\nnowhere.pem\npostgres://me:${PASSWORD}/x@db\n`);
  for (const flag of ['-q', '--json', '--csv']) {
    const { stdout, stderr, code } = await certpin(['get', flag, '--targets-file', list]);
    assert.match(stdout + stderr, /hosts\.txt, line 3: the target cannot be used: /, flag);
    assert.doesNotMatch(stdout + stderr, /target \d|correct-horse/, flag);
    assert.equal(code, 2);
  }
  const { stderr } = await certpin(['get', '-q', '--targets-file', '-'], {
    stdin: Buffer.from('\ufeff\r\na:0', 'utf16le'),
  });
  assert.match(stderr, /error: standard input, line 2: /);
});
