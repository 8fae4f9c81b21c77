import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';
import { certificateHex, mint } from '@certpin/testkit';
import { createPolicy } from '../../src/core/policy.ts';
import { shareTls } from '../../src/tls/contexts.ts';

const [client, other] = [await mint(), await mint()];
const pins = certificateHex(client);
const policy = createPolicy({ pins });

describe('a secure context is shared', () => {
  it('by connections of one configuration with the same options, and by no others', () => {
    const owner = {};
    const { certPem: cert, keyPem: key } = client;
    const different = [
      {},
      { minVersion: 'TLSv1.3' as const },
      { cert, key },
      { cert, key: [key] },
      { cert: other.certPem, key: other.keyPem },
      { ca: client.certPem },
      { ca: [client.certPem, other.certPem] },
      { ca: Buffer.from(client.certPem) },
      { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    ];
    const made = different.map((options) => shareTls(owner, policy, { ...options }, undefined));
    assert.equal(new Set(made).size, different.length);
    different.forEach((options, index) => {
      assert.equal(shareTls(owner, policy, { ...options }, undefined), made[index]);
    });
    assert.notEqual(
      shareTls(owner, policy, {}, () => undefined),
      made[0],
      'through a proxy',
    );
    assert.notEqual(shareTls({}, policy, {}, undefined), made[0], 'another configuration');
  });

  it('until an option changes in place: a key that is renewed is used at once', () => {
    const owner = {};
    const key = Buffer.from(client.keyPem);
    const ca = [client.certPem];
    const before = shareTls(owner, policy, { ca }, undefined);
    ca.push(other.certPem);
    assert.notEqual(shareTls(owner, policy, { ca }, undefined), before);
    const withKey = shareTls(owner, policy, { key }, undefined);
    key.set(Buffer.from(other.keyPem.slice(0, key.length)));
    assert.notEqual(shareTls(owner, policy, { key }, undefined), withKey);
  });

  it('where it is the given one', () => {
    const secureContext = createSecureContext();
    assert.equal(shareTls({}, policy, { secureContext }, undefined)?.secureContext, secureContext);
  });

  it('not where the CAs that Node trusts count, which may change', () => {
    const strict = createPolicy({ pins, caVerification: 'require' });
    assert.equal(shareTls({}, strict, {}, undefined), undefined);
    const owner = {};
    const withCa = shareTls(owner, strict, { ca: client.certPem }, undefined);
    assert.ok(withCa !== undefined);
    assert.notEqual(shareTls(owner, policy, { ca: client.certPem }, undefined), withCa);
  });

  it('by sixteen sets of options at most', () => {
    const owner = {};
    const first = shareTls(owner, policy, { ca: 'CA 0' }, undefined);
    for (let index = 1; index <= 15; index++) shareTls(owner, policy, { ca: `CA ${index}` }, undefined);
    assert.equal(shareTls(owner, policy, { ca: 'CA 0' }, undefined), first);
    shareTls(owner, policy, { ca: 'CA 16' }, undefined);
    assert.notEqual(shareTls(owner, policy, { ca: 'CA 0' }, undefined), first);
  });
});
