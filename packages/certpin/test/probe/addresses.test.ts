import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { certificateHex, mint, startAddresses, startTlsServer } from '@certpin/testkit';
import { verify } from '../../src/index.ts';
import { addressesOf, inspect, parseTarget, probe } from '../../src/probe/index.ts';

test('a name with several addresses: which one has answered, and which were not asked', async (t) => {
  const certificate = await mint({ names: ['several.example'] });
  const { name, port, addresses, lookup, close } = await startAddresses([certificate, certificate, undefined]);
  t.after(close);
  const target = `tls://${name}:${port}`;
  const report = await probe(target, { lookup });
  assert.ok(report.ok, JSON.stringify(report));
  assert.equal(report.address, '127.0.0.1');
  assert.deepEqual(report.otherAddresses, ['127.0.0.2', '127.0.0.3']);
  assert.equal(report.host, name);
  assert.deepEqual(await addressesOf(parseTarget(target), { lookup }), addresses);
  assert.deepEqual(await addressesOf(parseTarget('tls://127.0.0.1:1')), ['127.0.0.1']);
  await assert.rejects(addressesOf(parseTarget(target), { lookup, family: 6 }), { code: 'ENOTFOUND' });
});

test('`address` chooses one of them, and the name stays: in SNI, for the policy, and in the answer', async (t) => {
  const [first, second] = [await mint({ names: ['several.example'] }), await mint({ names: ['several.example'] })];
  const { name, port, servers, lookup, close } = await startAddresses([first, second]);
  t.after(close);
  const target = `tls://${name}:${port}`;
  for (const [address, certificate] of [['127.0.0.1', first] as const, ['127.0.0.2', second] as const]) {
    const found = await inspect(target, { address, lookup });
    assert.deepEqual([found.address, found.host, found.port], [address, name, port]);
    const policy = { pins: certificateHex(certificate), hostnameVerification: 'require' } as const;
    assert.equal(verify(found, policy).ok, true);
  }
  // An address is not looked up.
  const never: LookupFunction = () => assert.fail('it was looked up');
  await inspect(target, { address: '127.0.0.2', lookup: never });
  assert.deepEqual(servers[1]?.servernames.slice(0, 1), [name]);
  assert.equal((servers[0]?.received() ?? 0) + (servers[1]?.received() ?? 0), 0);
});

test('an address goes with no proxy, no file and no socket, and a name with too many is refused', async (t) => {
  const server = await startTlsServer({ certificate: await mint() });
  t.after(server.close);
  const target = `tls://localhost:${server.port}`;
  const options = [
    { address: 'several.example' },
    { address: '127.0.0.1', proxy: 'http://127.0.0.1:1' },
    { lookup: 'dns' as unknown as LookupFunction },
  ];
  for (const option of options) await assert.rejects(inspect(target, option), { code: 'ERR_OPTION_INVALID' });
  const socket = { protocol: 'tls', label: 'unix:/x', socketPath: '/x' } as const;
  await assert.rejects(inspect(socket, { address: '127.0.0.1' }), { code: 'ERR_OPTION_INVALID' });
  for (const one of [socket, parseTarget('./server.crt')]) {
    await assert.rejects(addressesOf(one), { code: 'ERR_TARGET_INVALID', message: /has no addresses to ask/ });
  }
  const many: LookupFunction = (_, __, done) =>
    done(
      null,
      Array.from({ length: 65 }, (_, index) => ({ address: `10.0.0.${index}`, family: 4 })),
    );
  await assert.rejects(addressesOf(parseTarget('a.example'), { lookup: many }), { message: /more than 64 addresses/ });
  assert.equal(server.handshakes(), 0);
});

test('a kind of certificate that the server does not have is named as the cause', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const server = await startTlsServer({ certificate: await mint({ keyType: 'rsa' }), maxVersion });
    t.after(server.close);
    const report = await probe(`tls://127.0.0.1:${server.port}`, { tls: { sigalgs: 'ecdsa_secp256r1_sha256' } });
    assert.ok(!report.ok);
    assert.match(report.error.message, /^no signature algorithm in common: .* ask without sigalgs \(ERR_SSL_\w+\)$/);
  }
});

test('two certificates at one port: the kinds of signatures that are offered choose between them', async (t) => {
  const [ecdsa, rsa] = [await mint(), await mint({ keyType: 'rsa' })];
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const server = await startTlsServer({
      certificate: ecdsa,
      ...{ cert: [ecdsa.certPem, rsa.certPem], key: [ecdsa.keyPem, rsa.keyPem], maxVersion },
    });
    t.after(server.close);
    const kinds = { ecdsa_secp256r1_sha256: ecdsa, 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256': rsa };
    for (const [sigalgs, certificate] of Object.entries(kinds)) {
      const report = await probe(`tls://127.0.0.1:${server.port}`, { tls: { sigalgs } });
      assert.ok(report.ok, JSON.stringify(report));
      assert.equal(report.certificate.sha256, certificateHex(certificate), `${maxVersion} ${sigalgs}`);
    }
  }
});
