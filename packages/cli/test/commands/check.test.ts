import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import { startPeer, startPostgres, startServer, writeTemporary } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

const ESC = '\u001B';

test('the pin holds: exit 0', async (t) => {
  const server = await startServer(t);
  const names = {
    PORT: server.port,
    HEX: certificateHex(server.certificate),
    PIN: await publicKeyPin(server.certificate),
  };
  const said = await transcript('check 127.0.0.1:PORT --pin HEX', names);
  assert.match(said, /^pin matched for 127\.0\.0\.1:PORT: the presented certificate is HEX\n[^>]*\nexit 0$/);
  assert.match(await transcript('check 127.0.0.1:PORT --pin PIN', names), /^pin matched for .* is PIN\n[^>]*\nexit 0$/);
  assert.equal(server.received(), 0);
});

test('the pin does not hold: exit 1, and the explanation is the answer, so it is on stdout', async (t) => {
  const server = await startServer(t);
  const other = await mint();
  const names = { PORT: server.port, HEX: certificateHex(server.certificate), OTHER: certificateHex(other) };
  const said = await transcript('check 127.0.0.1:PORT --pin OTHER', names);
  assert.match(said, /^pin mismatch for 127\.0\.0\.1:PORT: the presented certificate is none of the pinned ones\n/);
  assert.match(said, /\n {4}certificate SHA-256: HEX\n/);
  assert.match(said, /\n {2}configured: OTHER \(certificate\)\n/);
  assert.match(said, /\nexit 1$/);
  assert.doesNotMatch(said, /2> /);
  assert.equal(server.received(), 0);
});

test('one of several pins is enough, wherever they stand', async (t) => {
  const server = await startServer(t);
  const file = writeTemporary(t, 'pins.txt', `# the next one\n${certificateHex(await mint())} # spare\n`);
  const names = {
    PORT: server.port,
    HEX: certificateHex(server.certificate),
    OTHER: certificateHex(await mint()),
    FILE: file,
  };
  for (const pins of ['--pin OTHER HEX', '--pin OTHER --pin HEX', '--pin OTHER,HEX', '--pin HEX --pins-file FILE']) {
    assert.match(await transcript(`check 127.0.0.1:PORT ${pins}`, names), /^pin matched .*exit 0$/s, pins);
  }
  assert.match(
    await transcript('check 127.0.0.1:PORT --pins-file FILE --pin OTHER', names),
    /^pin mismatch .*exit 1$/s,
  );
});

test('a pins file: comments, any spelling, a PEM or DER certificate', async (t) => {
  const server = await startServer(t);
  const { certificate } = server;
  const hex = certificateHex(certificate);
  const files = {
    'pins.txt': `# db.example.com\n\n${hex}  # current\r\n`,
    'openssl.txt': `sha256 Fingerprint=${certificate.x509.fingerprint256}\n`,
    'server.crt': certificate.certPem,
    'server.der': certificate.x509.raw,
    // the digit 0 is also the first byte of a DER certificate
    'zero.txt': `${'0'.repeat(64)}\n${hex}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    const file = writeTemporary(t, name, content);
    assert.equal(await transcript(`check 127.0.0.1:${server.port} -q --pins-file ${file}`), 'exit 0', name);
  }
});

test('the words of a pin that the shell took apart are put together', async (t) => {
  const server = await startServer(t);
  const colons = server.certificate.x509.fingerprint256;
  const target = `127.0.0.1:${server.port}`;
  for (const pin of [`sha256 Fingerprint=${colons}`, `3 0 1 ${certificateHex(server.certificate)}`]) {
    assert.equal(await transcript(`check ${target} -q --pin ${pin}`), 'exit 0', pin);
    assert.equal(
      (await certpin(['check', target, '-q', '--pin', `# comment\n${pin} # another`, 'AA'.repeat(32)])).code,
      0,
    );
  }
});

test('a pin of 62 digits is refused before anybody is connected to', async (t) => {
  const server = await startServer(t);
  const names = { PORT: server.port, SHORT: 'AA'.repeat(31) };
  const refusal = (
    where: string,
  ): string => `2> certpin: error: ${where}: pin 1 cannot be used: 62 hex digits; a SHA-256 has 64
2> certpin: hint: a pin is 64 hex digits (certificate), or sha256/ and 44 characters of base64 (public key)
2> certpin: hint: certpin get server.crt
exit 2`;
  assert.equal(await transcript('check 127.0.0.1:PORT --pin SHORT', names), refusal('--pin'));
  assert.equal(await transcript('check 127.0.0.1:PORT --issuer-pin SHORT', names), refusal('--issuer-pin'));
  const file = writeTemporary(t, 'pins.txt', `${'AA'.repeat(31)}\n`);
  assert.equal(await transcript('check 127.0.0.1:PORT --pins-file FILE', { ...names, FILE: file }), refusal('FILE'));
  assert.equal(server.connections(), 0);
});

test('an empty set of pins is refused, whatever stands beside it', async (t) => {
  const empty = writeTemporary(t, 'pins.txt', '# nothing yet\n');
  const hex = 'AA'.repeat(32);
  for (const pins of [
    ['--pin', ''],
    ['--pins-file', empty],
    ['--pin', hex, '--pins-file', empty],
    ['--pin', hex, '--issuer-pin', ''],
  ]) {
    const { stderr, code } = await certpin(['check', '127.0.0.1:1', ...pins]);
    assert.match(stderr, /pin 1 cannot be used: no pin: the set is empty\n/);
    assert.equal(code, 2);
  }
});

test('a pins file that is not there', async () => {
  const said = await transcript('check 127.0.0.1:1 --pins-file nowhere.txt');
  assert.equal(said, '2> certpin: error: nowhere.txt: no such file\nexit 2');
});

test('an expired certificate: refused, with the command that accepts it', async (t) => {
  const server = await startServer(t, await mint({ validFromDays: -30, validToDays: -2 }));
  const names = { PORT: server.port, HEX: certificateHex(server.certificate), OTHER: certificateHex(await mint()) };
  const said = await transcript('check 127.0.0.1:PORT --pin OTHER HEX', names);
  assert.match(said, /^pinned certificate is expired for 127\.0\.0\.1:PORT: /);
  assert.match(said, /\n2> certpin: hint: certpin check 127\.0\.0\.1:PORT --pin HEX --accept-expired\nexit 1$/);
  assert.match(await transcript('check 127.0.0.1:PORT --pin HEX --accept-expired', names), /^pin matched .*exit 0$/s);
});

test('an issuer: its pin is not the leaf’s, and is asked for with --issuer-pin', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const server = await startServer(t, await mint({ issuer }));
  const names = { PORT: server.port, CA: certificateHex(issuer), KEY: await publicKeyPin(issuer) };
  assert.match(
    await transcript('check 127.0.0.1:PORT --pin CA', names),
    /^pin mismatch .*\n2> certpin: hint: certpin check 127\.0\.0\.1:PORT --issuer-pin CA\nexit 1$/s,
  );
  assert.match(
    await transcript('check 127.0.0.1:PORT --issuer-pin CA', names),
    /^pin matched for 127\.0\.0\.1:PORT: an issuer of the presented certificate is CA\n.*exit 0$/s,
  );
  assert.match(await transcript('check 127.0.0.1:PORT --issuer-pin KEY', names), /^pin matched .*exit 0$/s);
});

test('an issuer that the server does not send is given as its certificate', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const server = await startServer(t, await mint({ issuer: root }));
  const target = `127.0.0.1:${server.port}`;
  assert.equal((await certpin(['check', target, '--issuer-pin', root.certPem])).code, 0);
  assert.equal((await certpin(['check', target, '--issuer-pin', certificateHex(root)])).code, 1);
});

test('a forged certificate that names the pinned issuer', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const impostor = await startServer(t, await mint({ issuer, signedBy: await mint({ ca: true }) }));
  const names = { PORT: impostor.port, CA: certificateHex(issuer) };
  const said = await transcript('check 127.0.0.1:PORT --issuer-pin CA', names);
  assert.match(said, /^chain to the pinned issuer is invalid for 127\.0\.0\.1:PORT: .*exit 1$/s);
});

test('the name: ignored for a pinned leaf, unless it is required', async (t) => {
  const server = await startServer(t, await mint({ names: ['db.example.com'] }));
  const names = { PORT: server.port, HEX: certificateHex(server.certificate) };
  assert.match(await transcript('check 127.0.0.1:PORT --pin HEX', names), /exit 0$/);
  const refused = await transcript('check 127.0.0.1:PORT --pin HEX --require-hostname', names);
  assert.match(refused, /^pinned certificate is for another name for 127\.0\.0\.1:PORT: .*exit 1$/s);
  const named = await transcript(
    'check 127.0.0.1:PORT --pin HEX --require-hostname --servername db.example.com',
    names,
  );
  assert.match(named, /^pin matched .*exit 0$/s);
  assert.deepEqual(server.asked, ['db.example.com']);
});

test('a file, PEM and DER: does its certificate have the pin', async (t) => {
  const certificate = await mint();
  const names = {
    PEM: writeTemporary(t, 'server.crt', certificate.certPem),
    DER: writeTemporary(t, 'server.der', certificate.x509.raw),
    HEX: certificateHex(certificate),
    OTHER: certificateHex(await mint()),
  };
  for (const file of ['PEM', 'DER']) {
    assert.match(
      await transcript(`check ${file} --pin HEX`, names),
      /^pin matched: the certificate in the file is HEX\n {2}in the file: .*exit 0$/s,
    );
    assert.match(await transcript(`check ${file} --pin OTHER`, names), /^pin mismatch: .*exit 1$/s);
  }
});

test('a file has no host name: an issuer vouches for many, so the name is asked for', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const certificate = await mint({ issuer, names: ['db.example.com'] });
  const names = { FILE: writeTemporary(t, 'chain.pem', certificate.chainPem), CA: certificateHex(issuer) };
  assert.equal(
    await transcript('check FILE --issuer-pin CA', names),
    `2> certpin: error: a file has no host name to compare: give --servername
2> certpin: hint: certpin help check
exit 2`,
  );
  assert.match(await transcript('check FILE --issuer-pin CA --servername db.example.com', names), /exit 0$/);
  assert.match(await transcript('check FILE --issuer-pin CA --servername www.example.com', names), /exit 1$/);
});

test('PostgreSQL: the password is neither sent nor shown', async (t) => {
  const certificate = await mint();
  const server = await startPostgres(t, certificate);
  const names = { PORT: server.port, HEX: certificateHex(certificate), OTHER: certificateHex(await mint()) };
  const target = `postgres://me:${PASSWORD}@127.0.0.1:PORT/app`;
  assert.match(await transcript(`check ${target} --pin HEX`, names), /^pin matched for 127\.0\.0\.1:PORT: .*exit 0$/s);
  assert.match(await transcript(`check ${target} --pin OTHER`, names), /^pin mismatch .*exit 1$/s);
  assert.match(
    await transcript(`check ${target} --pin HEX --json`, names),
    /^\{"target":"postgres:\/\/127\.0\.0\.1:PORT"/,
  );
  assert.equal(Buffer.concat(server.received).toString('hex'), '0000000804d2162f'.repeat(3));
  assert.deepEqual(server.decrypted, []);
});

test('no answer is exit 2, and never a mismatch: refusal, injection, silence, nobody there', async (t) => {
  const refuses = await startPeer(t, (socket) => socket.write('N'));
  const injects = await startPeer(t, (socket) => socket.write('S?'));
  const closes = await startPeer(t, (socket) => socket.destroy());
  const stalls = await startPeer(t, () => undefined);
  for (const { port } of [refuses, injects, closes, stalls]) {
    const target = `postgres://me:${PASSWORD}@127.0.0.1:PORT`;
    const said = await transcript(`check ${target} --pin ${'AA'.repeat(32)} --timeout 0.3`, { PORT: port });
    assert.match(said, /^2> certpin: error: postgres:\/\/127\.0\.0\.1:PORT: .*exit 2$/s);
  }
  assert.equal(
    await transcript(`check 127.0.0.1:1 --pin ${'AA'.repeat(32)}`),
    '2> certpin: error: 127.0.0.1:1: connection refused: nothing listens there\nexit 2',
  );
});

test('a connection string that cannot be read is never repeated', async () => {
  for (const target of [`postgres://me:${PASSWORD}/1@h/db`, `me:${PASSWORD}@h/db`, `/x;password=${PASSWORD}`]) {
    const { stdout, stderr, code } = await certpin(['check', target, '--pin', 'AA'.repeat(32)]);
    assert.match(stderr, /^certpin: error: the target cannot be used: .*\ncertpin: hint: certpin help check\n$/);
    assert.deepEqual({ stdout, code }, { stdout: '', code: 2 });
    const json = await certpin(['check', target, '--pin', 'AA'.repeat(32), '--json']);
    assert.equal(JSON.parse(json.stdout).target, '(unreadable)');
  }
});

test('--json: one object, the same keys every time', async (t) => {
  const server = await startServer(t);
  const target = `127.0.0.1:${server.port}`;
  const hex = certificateHex(server.certificate);
  const other = certificateHex(await mint());

  const { explanation, certificate, chain, ...yes } = JSON.parse(
    (await certpin(['check', target, '--pin', hex, '--json'])).stdout,
  );
  const where = { address: '127.0.0.1', otherAddresses: [] };
  const pins = { pins: [hex], issuerPins: [] };
  assert.deepEqual(yes, { target, protocol: 'tls', ok: true, matched: 'leaf', pin: hex, ...where, ...pins });
  assert.match(explanation, /^pin matched for /);
  assert.equal(certificate.sha256, hex);
  assert.deepEqual(chain, [certificate]);

  const no = await certpin(['check', target, '--pin', other, '--issuer-pin', other, '--json']);
  const { explanation: why, certificate: presented, chain: _, ...rest } = JSON.parse(no.stdout);
  assert.deepEqual(rest, {
    ...where,
    target,
    protocol: 'tls',
    ok: false,
    code: 'ERR_PIN_MISMATCH',
    reason: 'neither the presented certificate nor an issuer of it is a pinned one',
    pins: [other],
    issuerPins: [other],
  });
  assert.match(why, /^pin mismatch for /);
  assert.equal(presented.sha256, hex);
  assert.deepEqual([no.code, no.stderr, no.stdout.split('\n').length], [1, '', 2]);

  const unasked = await certpin(['check', '127.0.0.1:1', '--pin', other, '--json']);
  const { error, ...outcome } = JSON.parse(unasked.stdout);
  assert.deepEqual(outcome, { target: '127.0.0.1:1', protocol: null, ok: false });
  assert.equal(error.code, 'ECONNREFUSED');
  assert.deepEqual([unasked.code, unasked.stderr], [2, '']);

  const unreadable = await certpin(['check', target, '--pin', 'AA', '--json']);
  assert.equal(JSON.parse(unreadable.stdout).error.code, 'ERR_PIN_INVALID');
  assert.deepEqual([unreadable.code, unreadable.stderr], [2, '']);
});

test('-q: the exit code is the answer; what kept the question from being asked is still said', async (t) => {
  const server = await startServer(t);
  const names = { PORT: server.port, HEX: certificateHex(server.certificate), OTHER: certificateHex(await mint()) };
  assert.equal(await transcript('check -q 127.0.0.1:PORT --pin HEX', names, { terminal: true }), 'exit 0');
  assert.equal(await transcript('check -q 127.0.0.1:PORT --pin OTHER', names, { terminal: true }), 'exit 1');
  assert.match(await transcript('check -q 127.0.0.1:1 --pin HEX', names), /^2> certpin: error: .*\nexit 2$/);
});

test('on a terminal the answer has a colour, and not under NO_COLOR', async (t) => {
  const server = await startServer(t);
  // Named, so that it is not listened to, while the progress would be shown.
  const argv = ['check', `tls://127.0.0.1:${server.port}`, '--pin'];
  const yes = await certpin([...argv, certificateHex(server.certificate)], { terminal: true });
  assert.ok(yes.stdout.startsWith(`${ESC}[32mpin matched`));
  const no = await certpin([...argv, 'AA'.repeat(32)], { terminal: true });
  assert.ok(no.stdout.startsWith(`${ESC}[31mpin mismatch`));
  const plain = await certpin([...argv, 'AA'.repeat(32)], { terminal: true, env: { NO_COLOR: '1' } });
  assert.equal((plain.stdout + plain.stderr).includes(ESC), false);
});

test('a file is spoken of as a file: nothing was presented, and nobody is between', async (t) => {
  const next = await mint();
  const names = { FILE: writeTemporary(t, 'next.crt', next.certPem), OTHER: certificateHex(await mint()) };
  const said = await transcript('check FILE --pin OTHER', names);
  assert.match(said, /^pin mismatch: the certificate in the file is none of the pinned ones\n/);
  assert.match(said, /add its pin\n {4}beside the configured one first/);
  assert.doesNotMatch(said, /presented|somebody/);
});

test('what is merely sent along makes no hint: neither the genuine CA nor the pinned certificate', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const genuine = await mint({ issuer: root });
  const thief = await mint();
  for (const along of [root, genuine]) {
    const chained = { ...thief, chainPem: `${thief.certPem}\n${along.certPem}` };
    const server = await startServer(t, chained);
    const said = await transcript(`check 127.0.0.1:PORT --pin ${certificateHex(along)}`, { PORT: server.port });
    assert.match(said, /\n {2}sent along: /);
    assert.match(said, /likely: a certificate with the configured pin was sent along, .*anybody can send it along\n/);
    assert.doesNotMatch(said, /issuer-pin|2> /);
  }
});

test('an empty pin: whether the variable is set is asked, and its value is not', async () => {
  for (const option of ['--pin', '--issuer-pin']) {
    const { stderr, code } = await certpin(['check', '127.0.0.1:1', option, '']);
    assert.match(
      stderr,
      /^certpin: error: .*no pin: the set is empty\ncertpin: hint: is the variable set\? .*test -n "\$DB_PINS"[^\n]*\n$/,
    );
    assert.equal(code, 2);
  }
});

test('a file where a pin is expected: it is said where it goes', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  for (const value of ['server.crt', file]) {
    const { stderr } = await certpin(['check', '127.0.0.1:1', '--pin', value]);
    assert.match(stderr, /^certpin: error: --pin: pin 1 cannot be used: .*; a file is given with --pins-file\n/);
  }
  const issuer = await certpin(['check', '127.0.0.1:1', '--issuer-pin', 'ca.pem']);
  assert.match(issuer.stderr, /; a file is given as --issuer-pin "\$\(cat ca\.pem\)"\n/);
});
