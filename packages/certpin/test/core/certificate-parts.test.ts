import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { mint } from '@certpin/testkit';
import fc from 'fast-check';
import { Certificate } from '../../src/core/certificate.ts';
import { KEY_USAGE, partsOf, readParts } from '../../src/core/certificate-parts.ts';
import { verify } from '../../src/core/verify.ts';
import { makeOpensslCertificates } from './openssl-certificates.ts';
import { der, inIndefiniteLength } from './support.ts';

const minted = await mint();
const ca = await mint({ ca: true, pathLength: 2, subject: 'CN=CA' });
const made = makeOpensslCertificates();
const read = (pem: string) => readParts(new X509Certificate(pem));
const ids = (pem: string) => read(pem).extensions.map(({ id, critical }) => `${id}${critical ? ' critical' : ''}`);

describe('what Node does not show of a certificate', () => {
  it('is its extensions, in their order, and whether they are critical', () => {
    assert.deepEqual(ids(made.manyExtensions).sort(), [
      '1.2.3.4.5.6.7.8.9',
      '1.3.6.1.5.5.7.1.1',
      '2.16.840.1.113730.1.13',
      '2.5.29.14',
      '2.5.29.15 critical',
      '2.5.29.17',
      '2.5.29.19 critical',
      '2.5.29.31',
      '2.5.29.32',
      '2.5.29.35',
      '2.5.29.37',
      '2.999.1',
    ]);
    assert.deepEqual(ids(minted.certPem), ['2.5.29.19 critical', '2.5.29.17']);
    assert.deepEqual(ids(made.version1), []);
  });

  it('is the signature algorithm, and of RSASSA-PSS the hash', async () => {
    const algorithm = (pem: string) => read(pem).signatureAlgorithm;
    assert.equal(algorithm(minted.certPem), '1.2.840.10045.4.3.2'); // ecdsa-with-SHA256
    assert.equal(algorithm((await mint({ keyType: 'ed25519' })).certPem), '1.3.101.112');
    assert.equal(algorithm((await mint({ keyType: 'rsa' })).certPem), '1.2.840.113549.1.1.11');
    assert.equal(algorithm((await mint({ signatureHash: 'SHA-1' })).certPem), '1.2.840.10045.4.1');
    assert.equal(algorithm(made.md5), '1.2.840.113549.1.1.4');
    assert.equal(algorithm(made.rsaPssSignature), '2.16.840.1.101.3.4.2.2'); // SHA-384
    assert.equal(algorithm(made.rsaPssSha1), '1.3.14.3.2.26'); // the default, which is not written
  });

  it('is the path length, the key usage, and whether it has issued itself', async () => {
    assert.equal(read(ca.certPem).pathLength, 2);
    assert.equal(read(minted.certPem).pathLength, undefined);
    assert.equal(read((await mint({ ca: true, pathLength: 300, subject: 'CN=x' })).certPem).pathLength, 300);
    const { keyUsage } = read(made.manyExtensions);
    assert.equal(keyUsage?.(KEY_USAGE.digitalSignature), true);
    assert.equal(keyUsage?.(KEY_USAGE.keyCertSign), false);
    assert.equal(read(minted.certPem).keyUsage, undefined);
    assert.deepEqual(
      [ca, await mint({ issuer: ca })].map(({ certPem }) => read(certPem).selfIssued),
      [true, false],
    );
  });

  it('is read once from each certificate', () => {
    const certificate = new Certificate(minted.x509);
    assert.equal(partsOf(certificate), partsOf(certificate));
  });
});

describe('a certificate that OpenSSL takes, and that is not written as DER and RFC 5280 say', () => {
  it('is refused: a body of indefinite length', () => {
    const odd = inIndefiniteLength(minted.x509, createPrivateKey(minted.keyPem));
    assert.ok(odd.verify(odd.publicKey), 'OpenSSL takes it');
    assert.throws(() => readParts(odd), /indefinite/);
  });

  const value = Buffer.of(0x05, 0x00);
  for (const [what, extension, problem] of [
    ['the same extension twice', { id: '2.5.29.19', critical: true, value: der(0x30) }, /an extension twice/],
    ['key usage without a bit', { id: '2.5.29.15', critical: true, value: Buffer.of(3, 1, 0) }, /named bits/],
    ['key usage with zeros behind', { id: '2.5.29.15', critical: true, value: Buffer.of(3, 2, 0, 0x80) }, /named bits/],
    ['extended key usage without a purpose', { id: '2.5.29.37', critical: false, value: der(0x30) }, /it ends early/],
    [
      'something behind the purposes',
      { id: '2.5.29.37', critical: false, value: Buffer.concat([der(0x30, Buffer.of(6, 1, 0x2a)), value]) },
      /left over/,
    ],
    [
      'policies in a length that is not minimal',
      { id: '2.5.29.32', critical: false, value: Buffer.of(0x30, 0x81, 0x00) },
      /minimal/,
    ],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const { x509 } = await mint({ rawExtensions: [extension] });
      assert.throws(() => readParts(x509), problem);
    });
  }

  it('is refused: a path length where there is no CA', async () => {
    const { x509 } = await mint({ ca: false, pathLength: 1 });
    assert.throws(() => readParts(x509), /left over/);
  });
});

describe('mutated certificates', () => {
  const mutation = fc.record({ at: fc.nat(), to: fc.nat(255) });
  const mutated = (bytes: Uint8Array) =>
    fc
      .tuple(fc.array(mutation, { minLength: 1, maxLength: 6 }), fc.option(fc.nat(bytes.length)), fc.option(mutation))
      .map(([mutations, cut, inserted]) => {
        const copy = Buffer.from(bytes);
        for (const { at, to } of mutations) copy[at % copy.length] = to;
        const whole =
          inserted === null
            ? copy
            : Buffer.concat([copy.subarray(0, inserted.at % copy.length), Buffer.of(inserted.to), copy]);
        return cut === null ? whole : whole.subarray(0, cut);
      });
  const sources = [
    minted.x509.raw,
    ca.x509.raw,
    new X509Certificate(made.manyExtensions).raw,
    new X509Certificate(made.rsaPssKey).raw,
  ];
  const anyMutated = fc.constantFrom(...sources).chain(mutated);

  it('are a verdict, never an exception, and never a match', () => {
    const genuine = ca.certPem;
    const policies = [
      { pins: genuine },
      { pins: 'ab'.repeat(32) },
      { pins: `sha256:${'ab'.repeat(32)}` },
      { issuerPins: genuine },
      { issuerPins: `sha256:${'ab'.repeat(32)}`, hostnameVerification: 'ignore' as const },
    ];
    fc.assert(
      fc.property(anyMutated, fc.constantFrom(...policies), fc.boolean(), (bytes, policy, asLeaf) => {
        if (sources.some((source) => source.equals(bytes))) return;
        const certificates = asLeaf ? [bytes, ca.x509] : [minted.x509, bytes];
        const verdict = verify({ host: 'localhost', certificates }, policy);
        assert.equal(verdict.ok, false);
        JSON.stringify(verdict);
      }),
      { numRuns: 1500 },
    );
  });

  it('keep their key apart from their hash', () => {
    fc.assert(
      fc.property(mutated(minted.x509.raw), (bytes) => {
        const certificate = new Certificate(bytes);
        if (Buffer.from(bytes).equals(minted.x509.raw)) return;
        assert.notEqual(certificate.certificateSha256, new Certificate(minted.x509.raw).certificateSha256);
      }),
    );
  });
});
