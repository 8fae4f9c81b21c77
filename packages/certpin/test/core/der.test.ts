import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { mint } from '@certpin/testkit';
import fc from 'fast-check';
import { Certificate } from '../../src/core/certificate.ts';
import { readCertificateParts, readEssentials, readPathLength } from '../../src/core/der.ts';
import { verify } from '../../src/core/verify.ts';
import { makeOpensslCertificates } from './openssl-certificates.ts';
import { der, inIndefiniteLength, within } from './support.ts';

const minted = await mint();
const ca = await mint({ ca: true, pathLength: 2, subject: 'CN=CA' });
const made = makeOpensslCertificates();
const partsOf = (pem: string) => readCertificateParts(new X509Certificate(pem).raw);
const ids = (pem: string) => partsOf(pem).extensions.map(({ id, critical }) => `${id}${critical ? ' critical' : ''}`);

describe('readEssentials', () => {
  it('reads the key and the dates that OpenSSL reads, of every kind of certificate', async () => {
    const dates = [-20_000, -9_000, 0, 9_999, 40_000, 2_900_000];
    const dated = await Promise.all(dates.map((validToDays) => mint({ validFromDays: -25_000, validToDays })));
    for (const { raw } of [...Object.values(made), ...dated.map(({ certPem }) => certPem)].map(
      (pem) => new X509Certificate(pem),
    )) {
      const x509 = new X509Certificate(raw);
      const { spki, notBefore, notAfter } = readEssentials(raw);
      assert.ok(x509.publicKey.export({ type: 'spki', format: 'der' }).equals(spki));
      assert.equal(notBefore, Date.parse(x509.validFrom));
      assert.equal(notAfter, Date.parse(x509.validTo));
    }
  });

  it('reads no date that is written in another way than RFC 5280 allows', () => {
    const { raw } = minted.x509;
    const at = raw.indexOf('Z', raw.indexOf(Buffer.of(0x17, 13)));
    const dateOf = (text: string): number | undefined => {
      const changed = Buffer.from(raw);
      changed.write(text, at - 12);
      return readEssentials(changed).notBefore;
    };
    assert.equal(dateOf('240229235959Z'), Date.UTC(2024, 1, 29, 23, 59, 59));
    assert.equal(dateOf('490101000000Z'), Date.UTC(2049, 0, 1));
    assert.equal(dateOf('500101000000Z'), Date.UTC(1950, 0, 1));
    for (const text of [
      '230229000000Z',
      '241301000000Z',
      '240100000000Z',
      '240101240000Z',
      '240101006000Z',
      '240101000060Z',
    ])
      assert.equal(dateOf(text), undefined, text);
    for (const text of ['2401010000+1Z', '240101000000+', ' 40101000000Z', '24010100000\nZ'])
      assert.equal(dateOf(text), undefined);
  });

  it('agrees with OpenSSL, or reads nothing, whatever byte is changed', () => {
    const { raw } = minted.x509;
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), (index, byte) => {
        const changed = Buffer.from(raw);
        changed[index] = byte;
        let x509: X509Certificate;
        try {
          x509 = new X509Certificate(changed);
          assert.ok(x509.publicKey);
        } catch {
          return;
        }
        let essentials: ReturnType<typeof readEssentials>;
        try {
          essentials = readEssentials(x509.raw);
        } catch {
          return;
        }
        if (essentials.notBefore !== undefined) assert.equal(essentials.notBefore, Date.parse(x509.validFrom));
        if (essentials.notAfter !== undefined) assert.equal(essentials.notAfter, Date.parse(x509.validTo));
        const key = createPublicKey({ key: Buffer.from(essentials.spki), type: 'spki', format: 'der' });
        assert.ok(key.equals(x509.publicKey));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('readCertificateParts', () => {
  it('finds the extensions, in their order, and whether they are critical', () => {
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
  });

  it('finds none in a certificate of version 1', () => assert.deepEqual(ids(made.version1), []));

  it('reads the signature algorithm, and of RSASSA-PSS the hash', async () => {
    const algorithm = (pem: string) => partsOf(pem).signatureAlgorithm;
    assert.equal(algorithm(minted.certPem), '1.2.840.10045.4.3.2'); // ecdsa-with-SHA256
    assert.equal(algorithm((await mint({ keyType: 'ed25519' })).certPem), '1.3.101.112');
    assert.equal(algorithm((await mint({ keyType: 'rsa' })).certPem), '1.2.840.113549.1.1.11');
    assert.equal(algorithm((await mint({ signatureHash: 'SHA-1' })).certPem), '1.2.840.10045.4.1');
    assert.equal(algorithm(made.md5), '1.2.840.113549.1.1.4');
    assert.equal(algorithm(made.rsaPssSignature), '2.16.840.1.101.3.4.2.2'); // SHA-384
    assert.equal(algorithm(made.rsaPssSha1), '1.3.14.3.2.26'); // the default, which is not written
  });

  it('refuses a body of indefinite length, which OpenSSL takes', () => {
    const odd = inIndefiniteLength(minted.x509, createPrivateKey(minted.keyPem));
    assert.ok(odd.verify(odd.publicKey), 'OpenSSL takes it');
    assert.throws(() => readCertificateParts(odd.raw), RangeError);
  });

  it('throws on every certificate that was cut', () => {
    for (let length = 0; length < minted.x509.raw.length; length++) {
      assert.throws(() => readCertificateParts(minted.x509.raw.subarray(0, length)), Error);
    }
  });

  it('throws on lengths that lie', () => {
    const lies: readonly (readonly number[])[] = [
      [0x30],
      [0x30, 0x80],
      [0x30, 0x81],
      [0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
      [0x30, 0x85, 0, 0, 0, 0, 1, 0],
      [0x30, 0xff],
      [0x30, 0x02, 0x30],
      [0x31, 0x00],
      [0x30, 0x00],
    ];
    for (const bytes of lies) assert.throws(() => readCertificateParts(Uint8Array.from(bytes)), Error, bytes.join());
  });

  it('ends on any bytes, by a result or by an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        try {
          readCertificateParts(bytes);
        } catch (error) {
          assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('ends on big hostile bytes at once', () => {
    const nested = Array.from({ length: 5000 }).reduce<Buffer>(
      (inner) => der(0x30, inner).subarray(0, 60_000),
      Buffer.alloc(0),
    );
    const hostile = [
      nested,
      Buffer.alloc(400_000),
      Buffer.alloc(400_000, 0x30),
      der(0x30, der(0x30, Buffer.alloc(60_000))),
    ];
    for (const bytes of hostile) within(1000, () => assert.throws(() => readCertificateParts(bytes), Error));
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

  it('never hang the reader', () => {
    fc.assert(
      fc.property(anyMutated, (bytes) => {
        try {
          readCertificateParts(bytes);
        } catch (error) {
          assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });

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

describe('readPathLength', () => {
  const CA_TRUE = Buffer.of(0x01, 0x01, 0xff);
  const integer = (...bytes: readonly number[]) => der(0x02, Uint8Array.from(bytes));

  it('reads what RFC 5280 §4.2.1.9 puts there', () => {
    assert.equal(readPathLength(der(0x30)), undefined);
    assert.equal(readPathLength(der(0x30, CA_TRUE)), undefined);
    assert.equal(readPathLength(der(0x30, CA_TRUE, integer(0))), 0);
    assert.equal(readPathLength(der(0x30, CA_TRUE, integer(127))), 127);
    assert.equal(readPathLength(der(0x30, CA_TRUE, integer(0, 128))), 128);
    assert.equal(readPathLength(der(0x30, CA_TRUE, integer(1, 44))), 300);
  });

  it('reads what was minted', () => {
    const value = readCertificateParts(ca.x509.raw).extensions.find(({ id }) => id === '2.5.29.19')?.value;
    assert.equal(readPathLength(value as Uint8Array), 2);
  });

  it('throws on anything else', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.of(0x02, 0x01, 0x00), Buffer.of(0x30, 0x05, 0x01)]) {
      assert.throws(() => readPathLength(bytes), Error);
    }
  });
});
