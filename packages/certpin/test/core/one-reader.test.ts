// What decides is what OpenSSL reads, whose handshake it was: certificates that a reader of our own could take for others.
import assert from 'node:assert/strict';
import { createPublicKey, type X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateHex, type Minted, mint, mintWithHiddenKey, publicKeyPin } from '@certpin/testkit';
import { Certificate } from '../../src/core/certificate.ts';
import { explain } from '../../src/core/explain.ts';
import { parsePin } from '../../src/core/parse-pin.ts';
import { verify } from '../../src/core/verify.ts';
import { readDate } from '../../src/leaf/evidence.ts';
import { makeOpensslCertificates } from './openssl-certificates.ts';
import { changed, der, openssl, outcome, refused } from './support.ts';

const victim = await mint();
const judge = (
  certificates: readonly (Uint8Array | X509Certificate)[],
  policy: Parameters<typeof verify>[1],
  now?: Date,
) => verify({ certificates, host: 'localhost', port: 443, tlsVersion: 'TLSv1.3' }, policy, now);
const exported = ({ publicKey }: X509Certificate): Buffer => publicKey.export({ type: 'spki', format: 'der' });

describe('a key that is hidden in the serial number', () => {
  it('is not the key of the certificate', async () => {
    const { x509 } = await mintWithHiddenKey(victim);
    assert.ok(x509.raw.includes(exported(victim.x509)), 'it stands there');
    for (const form of [x509, x509.raw]) {
      assert.equal(outcome(judge([form], { pins: await publicKeyPin(victim) })), 'ERR_PIN_MISMATCH');
      assert.equal(outcome(judge([form], { pins: await publicKeyPin({ ...victim, x509 }) })), 'leaf');
    }
    assert.equal(new Certificate(x509.raw).publicKeySha256, parsePin(await publicKeyPin({ ...victim, x509 })).sha256);
  });

  it('brings no dates with it', async () => {
    const { x509 } = await mintWithHiddenKey(victim, { validToDays: 3 });
    // The dates in the serial number are made longer; the signature does not count here.
    const raw = Buffer.from(x509.raw);
    const at = raw.indexOf('Z', raw.indexOf('Z') + 1) - 12;
    raw.write('491231235959Z', at);
    const later = new Date(Date.now() + 4 * 86_400_000);
    assert.equal(
      outcome(judge([raw], { pins: openssl(['dgst', '-sha256', '-r'], raw).toString().slice(0, 64) }, later)),
      'ERR_CERTIFICATE_EXPIRED',
    );
    assert.equal(new Certificate(raw).validTo.getTime(), Date.parse(x509.validTo));
  });

  it('makes no issuer of somebody else, and no leaf that a pinned issuer vouches for', async () => {
    const ca = await mint({ ca: true, subject: 'CN=CA' });
    const impostor = await mintWithHiddenKey(ca, { ca: true, subject: 'CN=CA' });
    const leaf = await mint({ issuer: impostor });
    assert.equal(
      outcome(judge([leaf.x509, impostor.x509], { issuerPins: await publicKeyPin(ca) })),
      'ERR_PIN_MISMATCH',
    );
    // A CA that signs such a thing is led astray: what is written in a doubtful way is refused.
    const odd = await mintWithHiddenKey(victim, { issuer: ca });
    const verdict = refused(judge([odd.x509, ca.x509], { issuerPins: certificateHex(ca) }));
    assert.equal(verdict.code, 'ERR_CHAIN_INVALID');
    assert.match(verdict.reason, /'CN=localhost' cannot be read without doubt/);
  });
});

describe('a key that the certificate holds in other bytes than OpenSSL writes', () => {
  // RFC 3279 §2.3.1 demands the parameters of an RSA key, NULL. OpenSSL reads a key without them, and writes it with them.
  const withoutParameters = ({ x509 }: Minted): Buffer =>
    changed(x509.raw, (hex) => hex.replace(/300d06092a864886f70d0101010500(?=03)/, '300b06092a864886f70d010101'));

  it('is on no public-key pin, and the refusal says so', async () => {
    const right = await mint({ keyType: 'rsa' });
    const odd = withoutParameters(right);
    assert.ok(createPublicKey(right.certPem).equals(new Certificate(odd).x509.publicKey), 'the same key');
    assert.equal(new Certificate(odd).publicKeySha256, null);
    const keyPin = await publicKeyPin(right);
    for (const pins of [keyPin, [keyPin, certificateHex(right)]]) {
      const verdict = refused(judge([odd], { pins }));
      assert.equal(verdict.code, 'ERR_PIN_UNCHECKABLE');
      assert.match(verdict.reason, /holds its key in other bytes than OpenSSL writes/);
      assert.match(explain(verdict), /public-key pin: none/);
    }
    assert.equal(outcome(judge([odd], { pins: certificateHex(victim) })), 'ERR_PIN_MISMATCH');
  });

  it('is no reason to refuse a certificate pin, nor to show the certificate', async () => {
    const odd = withoutParameters(await mint({ keyType: 'rsa' }));
    const certificate = new Certificate(odd);
    assert.equal(outcome(judge([odd], { pins: certificate.certificateSha256 })), 'leaf');
    const { publicKeySha256, subject } = certificate.toJSON();
    assert.deepEqual([publicKeySha256, subject], [null, 'CN=localhost']);
  });

  it('is not that of a compressed point, nor of a curve in full', () => {
    const { compressedPoint, explicitCurve } = makeOpensslCertificates();
    for (const pem of [compressedPoint, explicitCurve]) {
      const { publicKeySha256 } = new Certificate(new Certificate(Buffer.from(pem)).x509);
      assert.match(String(publicKeySha256), /^[0-9A-F]{64}$/);
    }
  });
});

describe('a date', () => {
  it('is read in the form that OpenSSL writes, and in no other', () => {
    const iso = (text: string): string =>
      Number.isNaN(readDate(text).getTime()) ? 'none' : readDate(text).toISOString();
    assert.equal(iso('Nov 28 04:31:17 2026 GMT'), '2026-11-28T04:31:17.000Z');
    assert.equal(iso('Jan  1 00:00:00 9999 GMT'), '9999-01-01T00:00:00.000Z');
    // V8 takes the year 49 for 2049.
    for (const text of [
      'Jan  1 00:00:00 49 GMT',
      'Jan  1 00:00:00 0 GMT',
      'Bad time value',
      '2026',
      '',
      'Jan  1 00:00:00 2026',
    ])
      assert.equal(iso(text), 'none', text);
  });

  it('of the year 49 is not one of 2049', async () => {
    const { x509 } = await mint();
    const old = changed(x509.raw, (hex) =>
      hex.replace(/170d(?:..){12}5a(?!170d)/, `180f${Buffer.from('00490101000000Z').toString('hex')}`),
    );
    assert.match(new Certificate(old).x509.validTo, / 49 GMT$/);
    const { sha256 } = new Certificate(old).toJSON();
    assert.equal(outcome(judge([old], { pins: sha256 })), 'ERR_CERTIFICATE_EXPIRED');
  });
});

describe('a verdict as JSON', () => {
  it('is made of whatever was presented, without an exception, and has an end', async () => {
    const unreadableNames = await mint({
      names: [],
      rawExtensions: [{ id: '2.5.29.17', critical: false, value: der(0x30, Buffer.of(0x35, 0)) }],
    });
    assert.equal(unreadableNames.x509.subjectAltName ?? null, null);
    const many = Array.from({ length: 300 }, () => victim.x509);
    for (const certificates of [[unreadableNames.x509], many, [victim.x509, unreadableNames.x509]]) {
      for (const pins of [certificateHex(victim), certificateHex(unreadableNames), 'ab'.repeat(32)]) {
        const verdict = judge(certificates, { pins });
        const { presented, policy } = JSON.parse(JSON.stringify(verdict));
        assert.ok(presented.length >= 1 && presented.length <= 10);
        assert.deepEqual(Object.keys(policy), ['pins', 'issuerPins', 'expired', 'caVerification', 'resumption']);
        explain(verdict);
      }
    }
    const { presented } = JSON.parse(JSON.stringify(judge([Buffer.from('garbage')], { pins: 'ab'.repeat(32) })));
    assert.deepEqual(presented, []);
  });
});
