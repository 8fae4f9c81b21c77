import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Minted, mint } from '@certpin/testkit';
import { Certificate, printable } from '../../src/core/certificate.ts';
import { readParts } from '../../src/core/certificate-parts.ts';
import { parsePin } from '../../src/core/parse-pin.ts';
import { validityProblem } from '../../src/leaf/checks.ts';
import { isoDate } from '../../src/leaf/evidence.ts';
import { makeOpensslCertificates } from './openssl-certificates.ts';
import { inFolder, openssl, within } from './support.ts';

const DAY = 24 * 60 * 60 * 1000;
const certificateOf = ({ x509 }: { readonly x509: X509Certificate }) => new Certificate(x509.raw);
const daysUntil = (...date: readonly [number, number, number, number, number, number]) =>
  (Date.UTC(...date) - Date.now()) / DAY;

const ca = await mint({ ca: true, subject: 'CN=CA' });
const samples: Record<string, string> = {
  'EC P-256': (await mint()).certPem,
  RSA: (await mint({ keyType: 'rsa' })).certPem,
  Ed25519: (await mint({ keyType: 'ed25519' })).certPem,
  'a CA': ca.certPem,
  'issued by a CA': (await mint({ issuer: ca })).certPem,
  'valid beyond 2050': (await mint({ validToDays: daysUntil(2075, 0, 1, 0, 0, 0) })).certPem,
  'valid to the end of 9999': (await mint({ validToDays: daysUntil(9999, 11, 31, 23, 59, 59) })).certPem,
  ...makeOpensslCertificates(),
};

describe('a certificate of every kind', () => {
  for (const [name, pem] of Object.entries(samples)) {
    const x509 = new X509Certificate(pem);
    const certificate = new Certificate(x509.raw);

    it(`has the SHA-256 that openssl prints: ${name}`, () => {
      const printed = openssl(['x509', '-noout', '-fingerprint', '-sha256'], pem).toString();
      assert.equal(certificate.certificateSha256, printed.trim().split('=')[1]?.replaceAll(':', ''));
      assert.equal(parsePin(printed).sha256, certificate.certificateSha256);
    });

    it(`has the public-key SHA-256 that the pipe of openssl prints: ${name}`, () => {
      const publicKey = openssl(['x509', '-noout', '-pubkey'], pem);
      const spki = openssl(['pkey', '-pubin', '-outform', 'DER'], publicKey);
      const hash = openssl(['dgst', '-sha256', '-binary'], spki);
      assert.equal(certificate.publicKeySha256, hash.toString('hex').toUpperCase());
      assert.deepEqual(parsePin(publicKey.toString()), { kind: 'public-key', sha256: certificate.publicKeySha256 });
    });

    it(`is read by the strict reader as by OpenSSL: ${name}`, () => {
      if (name === 'explicitCurve') assert.throws(() => readParts(x509), /tag 48 in the place of 6/);
      else assert.equal(readParts(x509).selfIssued, name !== 'issued by a CA');
    });

    it(`is summed up in plain JSON: ${name}`, () => {
      const summary = certificate.toJSON();
      assert.deepEqual(JSON.parse(JSON.stringify(certificate)), summary);
      assert.equal(summary.sha256, certificate.certificateSha256);
      assert.equal(summary.publicKeySha256, certificate.publicKeySha256);
      assert.equal(summary.selfSigned, x509.verify(x509.publicKey));
      assert.match(summary.subject, /^CN=/);
      assert.ok(validityProblem(certificate, new Date(), 'refuse') === undefined);
    });
  }
});

describe('the validity of a certificate', () => {
  const validTo = (name: string) => new Certificate(new X509Certificate(samples[name] as string).raw).toJSON().validTo;

  it('is read beyond 2050, where the encoding changes (RFC 5280 §4.1.2.5)', () => {
    assert.match(validTo('valid beyond 2050'), /^(?:2074-12-31T23:59:59|2075-01-01T00:00:00)\.000Z$/);
    assert.match(validTo('valid to the end of 9999'), /^9999-12-31T23:59:5[89]\.000Z$/);
  });

  it('holds at both its ends, to the second', async () => {
    const certificate = certificateOf(await mint());
    const { validFrom, validTo: end } = certificate;
    const at = (date: Date, milliseconds: number) =>
      validityProblem(certificate, new Date(date.getTime() + milliseconds), 'refuse')?.code;
    assert.equal(at(validFrom, -1), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(at(validFrom, 0), undefined);
    assert.equal(at(end, 0), undefined);
    assert.equal(at(end, 1), 'ERR_CERTIFICATE_EXPIRED');
  });

  it('does not hold where a date cannot be read', () => {
    const unreadable = { validFrom: new Date(Number.NaN), validTo: new Date(Number.NaN) } as Certificate;
    assert.equal(validityProblem(unreadable, new Date(), 'accept')?.code, 'ERR_CERTIFICATE_NOT_YET_VALID');
    const endless = { validFrom: new Date(0), validTo: new Date(Number.NaN) } as Certificate;
    assert.equal(validityProblem(endless, new Date(), 'refuse')?.code, 'ERR_CERTIFICATE_EXPIRED');
    assert.equal(isoDate(unreadable.validTo), 'unreadable');
  });

  it('does not hold at a time that is none', async () => {
    assert.equal(
      validityProblem(certificateOf(await mint()), new Date(Number.NaN), 'accept')?.code,
      'ERR_CERTIFICATE_NOT_YET_VALID',
    );
  });
});

describe('isIssuedBy', () => {
  it('is the name and the signature together', async () => {
    const leaf = certificateOf(await mint({ issuer: ca }));
    assert.ok(leaf.isIssuedBy(certificateOf(ca)));
    assert.ok(certificateOf(ca).isIssuedBy(certificateOf(ca)));

    const namesake = certificateOf(await mint({ ca: true, subject: 'CN=CA' }));
    assert.ok(leaf.x509.checkIssued(namesake.x509), 'by name alone, Node takes the namesake for the issuer');
    assert.ok(!leaf.isIssuedBy(namesake));

    const renamed = certificateOf(await mint({ ca: true, subject: 'CN=Renamed CA', keys: ca.keys }));
    assert.ok(leaf.x509.verify(renamed.x509.publicKey), 'the key alone fits');
    assert.ok(!leaf.isIssuedBy(renamed));
  });

  it('is not upset by a key of another kind', async () => {
    const leaf = certificateOf(await mint({ issuer: ca }));
    for (const keyType of ['rsa', 'ed25519'] as const) {
      assert.ok(!leaf.isIssuedBy(certificateOf(await mint({ ca: true, subject: 'CN=CA', keyType }))));
    }
  });
});

describe('selfSigned', () => {
  it("is true for a server's certificate that may not sign others", () => {
    const pem = inFolder((folder) => {
      const args = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=a', '-days', '9'];
      const usage = ['-addext', 'keyUsage=critical,digitalSignature', '-addext', 'basicConstraints=critical,CA:FALSE'];
      return openssl(['req', '-x509', '-keyout', `${folder}/key`, ...args, ...usage]).toString();
    });
    assert.equal(new Certificate(new X509Certificate(pem).raw).selfSigned, true);
  });

  it('is false where only the names say so', async () => {
    const forged = await mint({ subject: 'CN=CA', signedBy: await mint() });
    assert.equal(forged.x509.subject, forged.x509.issuer);
    assert.equal(certificateOf(forged).selfSigned, false);
  });

  it('is false for what a CA has issued', async () =>
    assert.equal(certificateOf(await mint({ issuer: ca })).selfSigned, false));
});

describe('bytes that are not a certificate', () => {
  it('have a hash and nothing else', () => {
    const garbage = new Certificate(Buffer.from('garbage'));
    assert.match(garbage.certificateSha256, /^[0-9A-F]{64}$/);
    const reads = ['x509', 'publicKeySha256', 'validFrom', 'validTo', 'selfSigned'] as const;
    for (const read of reads) assert.throws(() => garbage[read], Error, read);
    assert.throws(() => garbage.toJSON(), Error);
  });
});

describe("names, which may be an attacker's", () => {
  /** Everything that moves a cursor, breaks a line, or turns text around. */
  const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
  const withSubject = (name: string): Minted['x509'] =>
    inFolder((folder) => {
      const args = [
        '-x509',
        '-newkey',
        'ed25519',
        '-nodes',
        '-keyout',
        `${folder}/key`,
        '-days',
        '9',
        '-utf8',
        '-subj',
        name,
      ];
      return new X509Certificate(openssl(['req', ...args]));
    });

  for (const [name, text] of [
    ['line breaks', 'evil\n  configured: AAAA\r\n  next: trust'],
    ['escape sequences', '\u001b[2J\u001b[31mred\u0007\b\b'],
    ['bidirectional overrides', 'evil\u202Emoc.elpmaxe\u2066\u2069'],
    ['invisible characters', 'exam\u200Bple\u00ADdb\uFEFF'],
    ['line separators of Unicode', 'a\u2028b\u2029c'],
    ['C1 control characters', 'a\u0085b\u009B31m'],
  ] as const) {
    it(`are shown on one line, printable: ${name}`, () => {
      const x509 = withSubject(`/O=Example/CN=${text}`);
      assert.ok(x509.raw.includes(Buffer.from(text)), 'the certificate holds the characters themselves');
      const { subject, issuer } = new Certificate(x509.raw).toJSON();
      assert.doesNotMatch(subject, unprintable);
      assert.doesNotMatch(issuer, unprintable);
      assert.match(subject, /^O=Example, CN=/);
    });
  }

  it('do not pass for another attribute', () => {
    const { subject } = new Certificate(withSubject('/CN=evil, O=Bank').raw).toJSON();
    assert.equal(subject, 'CN=evil\\, O=Bank');
  });

  it('may be missing', () => {
    const { subject, issuer } = new Certificate(withSubject('/').raw).toJSON();
    assert.deepEqual([subject, issuer], ['', '']);
  });

  it('keep letters of every script', () => {
    const { subject } = new Certificate(withSubject('/CN=Bücher 図書 книги').raw).toJSON();
    assert.equal(subject, 'CN=Bücher 図書 книги');
  });

  it('stay apart among the alternative names, whatever quotes and commas they hold', async () => {
    const names = [
      'plain.example',
      'evil", DNS:bank.example, "',
      'a,b',
      'quote"',
      'back\\slash',
      '\\"',
      'new\nline',
      '\u001b[31m',
      '192.0.2.1',
    ];
    const { x509 } = await mint({ names });
    const { subjectAltNames } = new Certificate(x509.raw).toJSON();
    assert.equal(subjectAltNames.length, names.length, subjectAltNames.join(' | '));
    assert.equal(subjectAltNames[0], 'DNS:plain.example');
    assert.equal(subjectAltNames.at(-1), 'IP Address:192.0.2.1');
    assert.ok(!subjectAltNames.includes('DNS:bank.example'));
    for (const name of subjectAltNames) assert.doesNotMatch(name, unprintable);
  });

  it('are read in no time, however many and however odd', async () => {
    const quotes = '"\\'.repeat(8000);
    const { x509 } = await mint({
      names: [quotes, ...Array.from({ length: 3000 }, (_, index) => `${index}".example`)],
    });
    const { subjectAltNames } = within(1000, () => new Certificate(x509.raw).toJSON());
    assert.equal(subjectAltNames.length, 3001);
  });

  it('are made printable by replacement, so that nothing closes up', () => {
    assert.equal(printable('a\u0000b\nc\u202Ed'), 'a\uFFFDb\uFFFDc\uFFFDd');
    assert.equal(printable('plain text, Ünïcode'), 'plain text, Ünïcode');
  });
});
