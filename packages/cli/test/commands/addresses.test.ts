import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { certificateHex, type Minted, mint, startAddresses, startTlsServer } from '@certpin/testkit';
import { writeTemporary } from '../peers.ts';
import { certpin, transcript } from '../transcript.ts';

/** A name with one address for each certificate; undefined: nothing listens there. */
async function startName(t: TestContext, certificates: readonly (Minted | undefined)[]) {
  const stage = await startAddresses(certificates);
  t.after(stage.close);
  const target = `tls://${stage.name}:${stage.port}`;
  const received = (): number => stage.servers.reduce((sum, server) => sum + (server?.received() ?? 0), 0);
  return { ...stage, target, received };
}

const named = (): Promise<Minted> => mint({ names: ['several.example'], validToDays: 300 });

test('get: the address that was asked is named, in text and JSON, and several are mentioned', async (t) => {
  const certificate = await named();
  const { target, lookup } = await startName(t, [certificate, certificate]);
  const said = await transcript('get TARGET', { TARGET: target }, { lookup });
  assert.match(said, /\n {2}address {14}127\.0\.0\.1, one of 2 addresses of this name; --all-addresses asks each\n/);
  const { stdout } = await certpin(['get', '--json', target], { lookup });
  const { address, otherAddresses } = JSON.parse(stdout);
  assert.deepEqual({ address, otherAddresses }, { address: '127.0.0.1', otherAddresses: ['127.0.0.2'] });
  const csv = await certpin(['get', '--csv', target], { lookup });
  assert.match(csv.stdout, /,address\r\n.*,127\.0\.0\.1\r\n$/);
});

test('get --all-addresses: each is asked under the name, and different certificates stand apart', async (t) => {
  const [first, second] = [await named(), await named()];
  const { target, lookup, servers, name, received } = await startName(t, [first, second, first]);
  const names = { TARGET: target, FIRST: certificateHex(first), SECOND: certificateHex(second) };
  const said = await transcript('get --all-addresses TARGET', names, { lookup });
  assert.match(said, /^TARGET at 127\.0\.0\.1, 127\.0\.0\.3\n {2}certificate SHA-256 {2}FIRST\n/);
  assert.match(said, /\nTARGET at 127\.0\.0\.2\n {2}certificate SHA-256 {2}SECOND\n/);
  assert.match(said, /\n2> certpin: warning: TARGET: its addresses present 2 different certificates\nexit 0$/);
  // A handshake ends at the server a moment later.
  while (servers.some((server) => server?.handshakes() === 0)) await setTimeout(5);
  for (const server of servers) assert.deepEqual(server?.servernames, [name]);
  assert.equal(received(), 0);

  const { stdout, code } = await certpin(['get', '--all-addresses', '--json', target], { lookup });
  assert.equal(stdout.trim().split('\n').length, 1);
  const report = JSON.parse(stdout);
  assert.deepEqual([report.target, report.host, report.ok, report.certificate, code], [target, name, true, null, 0]);
  assert.deepEqual(
    report.addresses.map((one: { address: string; ok: boolean; certificate: { sha256: string } }) => [
      one.address,
      one.ok,
      one.certificate.sha256,
    ]),
    [
      ['127.0.0.1', true, names.FIRST],
      ['127.0.0.2', true, names.SECOND],
      ['127.0.0.3', true, names.FIRST],
    ],
  );
  assert.match(await transcript('get -q --all-addresses TARGET', names, { lookup }), /^FIRST\nSECOND\n/);
  const csv = await certpin(['get', '--csv', '--all-addresses', target], { lookup });
  assert.equal(csv.stdout.trim().split('\r\n').length, 4);
});

test('get --all-addresses: one that does not answer is told, the others are shown, exit 2', async (t) => {
  const certificate = await named();
  const { target, lookup } = await startName(t, [certificate, undefined]);
  const names = { TARGET: target, HEX: certificateHex(certificate) };
  const said = await transcript('get --all-addresses TARGET', names, { lookup });
  assert.match(said, /^TARGET at 127\.0\.0\.1\n/);
  assert.match(said, /\n2> certpin: error: TARGET at 127\.0\.0\.2: connection refused: nothing listens there\nexit 2$/);
  const { stdout } = await certpin(['get', '--all-addresses', '--json', target], { lookup });
  const { ok, error, certificate: shared, addresses } = JSON.parse(stdout);
  assert.deepEqual([ok, error.code, shared], [false, 'ECONNREFUSED', null]);
  assert.deepEqual([addresses[0].ok, addresses[1].ok, addresses[1].error.code], [true, false, 'ECONNREFUSED']);
  // Where all present the same one, it is the server's.
  const same = await startName(t, [certificate, certificate]);
  const one = await certpin(['get', '--all-addresses', '--json', same.target], same);
  assert.equal(JSON.parse(one.stdout).certificate.sha256, names.HEX);
});

test('check: the address is named beside the answer', async (t) => {
  const certificate = await named();
  const { target, lookup } = await startName(t, [certificate, undefined]);
  const names = { TARGET: target, HEX: certificateHex(certificate), OTHER: 'AB'.repeat(32) };
  for (const pin of ['HEX', 'OTHER']) {
    const said = await transcript(`check TARGET --pin ${pin}`, names, { lookup });
    assert.match(said, /\n {2}address: 127\.0\.0\.1, one of 2 addresses of this name; --all-addresses asks each\n/);
  }
  const { stdout } = await certpin(['check', target, '--pin', names.OTHER, '--json'], { lookup });
  const { address, otherAddresses, explanation } = JSON.parse(stdout);
  assert.deepEqual({ address, otherAddresses }, { address: '127.0.0.1', otherAddresses: ['127.0.0.2'] });
  assert.match(explanation, /\n {2}address: 127\.0\.0\.1, one of 2/);
});

test('check --all-addresses: all must hold; a mismatch is 1, else an address that does not answer 2', async (t) => {
  const [pinned, other] = [await named(), await named()];
  const pin = certificateHex(pinned);
  const cases: [readonly (Minted | undefined)[], number][] = [
    [[pinned, pinned], 0],
    [[pinned, other], 1],
    [[undefined, other, pinned], 1],
    [[pinned, undefined], 2],
  ];
  for (const [certificates, code] of cases) {
    const { target, lookup, received } = await startName(t, certificates);
    const argv = ['check', target, '--all-addresses', '--pin', pin];
    assert.equal((await certpin(argv, { lookup })).code, code);
    const { stdout } = await certpin([...argv, '--json', '--require-hostname'], { lookup });
    const report = JSON.parse(stdout);
    assert.equal(report.ok, code === 0);
    assert.equal(report.addresses.length, certificates.length);
    if (code === 1) {
      assert.deepEqual([report.code, report.certificate.sha256], ['ERR_PIN_MISMATCH', certificateHex(other)]);
    }
    if (code === 2) assert.equal(report.error.code, 'ECONNREFUSED');
    assert.equal(received(), 0);
  }
  const { target, lookup } = await startName(t, [pinned, other, undefined]);
  const said = await transcript('check TARGET --all-addresses --pin PIN', { TARGET: target, PIN: pin }, { lookup });
  assert.match(said, /^pin matched for .*\n(?:.*\n)*? {2}address: 127\.0\.0\.1\npin mismatch for /);
  assert.match(said, /\n {2}address: 127\.0\.0\.2\n/);
  assert.match(said, /2> certpin: error: TARGET at 127\.0\.0\.3: connection refused/);
});

test('check --file --all-addresses: the worst address decides, and different pinned certificates are mixed', async (t) => {
  const [pinned, next, other] = [await named(), await named(), await named()];
  const pins = [certificateHex(pinned), certificateHex(next)];
  const cases: [readonly (Minted | undefined)[], string, number][] = [
    [[pinned, pinned], 'holds', 0],
    [[pinned, next], 'mixed', 0],
    [[pinned, other, undefined], 'drift', 1],
    [[pinned, undefined], 'unreachable', 2],
  ];
  for (const [certificates, status, expected] of cases) {
    const { target, lookup } = await startName(t, certificates);
    const file = writeTemporary(t, 'certpin.json', JSON.stringify({ version: 1, targets: [{ target, pins }] }));
    const { stdout, code } = await certpin(['check', '--file', file, '--all-addresses', '--json'], { lookup });
    const lines = stdout.trim().split('\n');
    const report = JSON.parse(lines[0] ?? '');
    assert.deepEqual([lines.length, report.status, code], [1, status, expected]);
    assert.deepEqual(
      report.addresses.map(({ address }: { address: string }) => address),
      certificates.map((_, index) => `127.0.0.${index + 1}`),
    );
    if (status !== 'drift') continue;
    const names = { TARGET: target, FILE: file };
    const said = await transcript('check --file FILE --all-addresses', names, { lookup });
    assert.match(said, /^drift +TARGET +at 127\.0\.0\.2: the presented certificate is none of the pinned ones\n/);
    const alone = await transcript('check --file FILE', names, { lookup });
    assert.match(alone, /^holds /);
  }
});

test('--all-addresses: refused with a proxy, a file and a unix socket', async (t) => {
  const server = await startTlsServer({ certificate: await mint() });
  t.after(server.close);
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  const pin = 'AB'.repeat(32);
  for (const command of ['get TARGET', 'check TARGET --pin PIN', 'trust TARGET --yes']) {
    for (const [target, more, reason] of [
      [`127.0.0.1:${server.port}`, ' --proxy http://127.0.0.1:1', /--all-addresses has no effect behind a proxy/],
      [file, '', /a file has no addresses to ask/],
      ['unix:/run/x.sock', '', /a unix socket has no addresses to ask/],
    ] as const) {
      const names = { TARGET: target, PIN: pin };
      const said = await transcript(`${command} --all-addresses${more} --timeout 5`, names);
      assert.match(said, reason, command);
      assert.match(said, /exit 2$/);
    }
  }
  assert.equal(server.handshakes(), 0);
  const known = await certpin(['get', '-q', '--all-addresses', 'tls://nowhere.example:1'], {
    lookup: (name, _, done) => done(Object.assign(new Error(name), { code: 'ENOTFOUND' }), ''),
  });
  assert.match(known.stderr, /no such host/);
  assert.equal(known.code, 2);
});

test('a kind of certificate that the server does not have is named as the cause', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const server = await startTlsServer({ certificate: await mint({ keyType: 'rsa' }), maxVersion });
    t.after(server.close);
    const target = `tls://127.0.0.1:${server.port}`;
    for (const command of [['get'], ['check', '--pin', 'A'.repeat(64)]]) {
      const { stderr, code } = await certpin([
        ...command.slice(0, 1),
        target,
        ...command.slice(1),
        '--sigalgs',
        'ecdsa',
      ]);
      assert.match(stderr, /no signature algorithm in common: .* ask without sigalgs \(ERR_SSL_\w+\)\n/, maxVersion);
      assert.match(stderr, new RegExp(`hint: certpin get ${target}\n$`));
      assert.doesNotMatch(stderr, /server name|too old|--tls-min|--servername/);
      assert.equal(code, 2);
    }
  }
});

test('two certificates at one port: --sigalgs asks for each, by kind or by OpenSSL’s names', async (t) => {
  const [ecdsa, rsa] = [await mint(), await mint({ keyType: 'rsa' })];
  const both = { cert: [ecdsa.certPem, rsa.certPem], key: [ecdsa.keyPem, rsa.keyPem] };
  const server = await startTlsServer({ certificate: ecdsa, ...both });
  t.after(server.close);
  const target = `tls://127.0.0.1:${server.port}`;
  for (const [list, certificate] of [
    ['ecdsa', ecdsa],
    ['RSA', rsa],
    ['rsa_pss_rsae_sha256', rsa],
    ['ed25519,ecdsa', ecdsa],
  ] as const) {
    const { stdout } = await certpin(['get', '-q', target, '--sigalgs', list]);
    assert.equal(stdout.trim(), certificateHex(certificate), list);
  }
  const checked = await certpin(['check', target, '--pin', certificateHex(rsa), '--sigalgs', 'rsa']);
  assert.equal(checked.code, 0);
  const wrong = await certpin(['get', target, '--sigalgs', 'correct-horse']);
  assert.match(wrong.stderr, /--sigalgs takes rsa, ecdsa, ed25519, or names of OpenSSL/);
  assert.equal(wrong.code, 2);
});
