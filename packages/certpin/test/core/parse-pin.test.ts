import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import fc from 'fast-check';
import {
  type CertificateSpelling,
  formatPin,
  type PinSpelling,
  type PublicKeySpelling,
} from '../../src/core/format-pin.ts';
import { type PinSource, parsePin, parsePinSources, parsePins } from '../../src/core/parse-pin.ts';
import { CertpinError } from '../../src/errors.ts';
import { asSha256, type Pin, pinOf } from '../../src/leaf/pin.ts';
import { openssl, pinRefusal, within } from './support.ts';

const minted = await mint({ subject: 'CN=db.example.com' });
const other = await mint({ subject: 'CN=other.example.com' });

// What the spellings are made of, none of it computed by certpin.
const hex = certificateHex(minted);
const colons = minted.x509.fingerprint256;
const pin = await publicKeyPin(minted);
const base64 = pin.slice('sha256/'.length);
const keyHex = Buffer.from(base64, 'base64').toString('hex');
const base64url = base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const pem = minted.certPem;
const keyPem = minted.x509.publicKey.export({ type: 'spki', format: 'pem' }) as string;
const opensslOutput = openssl(['x509', '-noout', '-fingerprint', '-sha256'], pem).toString();
const opensslOutputWithPem = openssl(['x509', '-fingerprint', '-sha256'], pem).toString();

const certificatePin: Pin = { kind: 'certificate', sha256: asSha256(hex) };
const keyPin: Pin = { kind: 'public-key', sha256: asSha256(keyHex.toUpperCase()) };

const alternating = [...hex].map((digit, index) => (index % 2 === 0 ? digit.toLowerCase() : digit)).join('');

const vectors: readonly (readonly [name: string, source: PinSource, expected: Pin])[] = [
  ['bare hex in upper case', hex, certificatePin],
  ['bare hex in lower case', hex.toLowerCase(), certificatePin],
  ['bare hex in mixed case', alternating, certificatePin],
  ['hex with colons', colons, certificatePin],
  ['hex with colons in lower case', colons.toLowerCase(), certificatePin],
  ['the output of openssl, pasted whole', opensslOutput, certificatePin],
  ['the output of openssl with the certificate behind it', opensslOutputWithPem, certificatePin],
  ['the output of openssl 3', `sha256 Fingerprint=${colons}`, certificatePin],
  ['the output of openssl 1', `SHA256 Fingerprint=${colons}`, certificatePin],
  ['openssl output with a hyphen and spaces', `SHA-256 fingerprint = ${colons}`, certificatePin],
  ['openssl output around bare hex', `sha256 Fingerprint=${hex}`, certificatePin],
  ['TLSA 3 0 1', `3 0 1 ${hex}`, certificatePin],
  ['TLSA 3 0 1 in lower case, with tabs', `3\t0\t1\t${hex.toLowerCase()}`, certificatePin],
  ['TLSA 3 1 1', `3 1 1 ${keyHex}`, keyPin],
  ['TLSA as dig prints it, broken after 56 digits', `3 1 1 ${keyHex.slice(0, 56)} ${keyHex.slice(56)}`, keyPin],
  ['sha256/BASE64 (OkHttp)', pin, keyPin],
  ['SHA256/BASE64', pin.replace('sha', 'SHA'), keyPin],
  ['sha256//BASE64 (curl)', `sha256//${base64}`, keyPin],
  ['sha256/ with base64url', `sha256/${base64url}`, keyPin],
  ['pin-sha256="BASE64" (RFC 7469)', `pin-sha256="${base64}"`, keyPin],
  ['pin-sha256=BASE64 without quotes', `pin-sha256=${base64}`, keyPin],
  ['PIN-SHA256="BASE64"', `PIN-SHA256="${base64}"`, keyPin],
  ['pin-sha256:BASE64 (gnutls-cli)', `pin-sha256:${base64}`, keyPin],
  ['sha256:HEX (kubeadm)', `sha256:${keyHex}`, keyPin],
  ['SHA256:HEX in upper case', `SHA256:${keyHex.toUpperCase()}`, keyPin],
  ['bare base64', base64, keyPin],
  ['bare base64 without padding', base64.replace('=', ''), keyPin],
  ['base64url', base64url, keyPin],
  ['a PEM certificate', pem, certificatePin],
  ['a PEM certificate without its last newline', pem.trim(), certificatePin],
  ['a PEM certificate with CRLF', pem.replaceAll('\n', '\r\n'), certificatePin],
  ['a PEM certificate with literal \\n', pem.replaceAll('\n', '\\n'), certificatePin],
  ['a PEM certificate with literal \\r\\n', pem.replaceAll('\n', '\\r\\n'), certificatePin],
  ['a PEM certificate with spaces for newlines', pem.replaceAll('\n', ' '), certificatePin],
  ['a PEM certificate of the old label', pem.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE'), certificatePin],
  ['a PEM certificate between empty lines', `\n\n  ${pem}\n\n`, certificatePin],
  ['a PEM public key', keyPem, keyPin],
  ['a PEM public key with literal \\n', keyPem.replaceAll('\n', '\\n'), keyPin],
  ['the DER bytes of a certificate', minted.x509.raw, certificatePin],
  ['the DER bytes in a plain Uint8Array', new Uint8Array(minted.x509.raw), certificatePin],
  ['the PEM bytes of a certificate', Buffer.from(pem), certificatePin],
  ['the PEM bytes of a public key', Buffer.from(keyPem), keyPin],
  ['the bytes of a hash in text', Buffer.from(`${colons}\n`), certificatePin],
  ['an X509Certificate', minted.x509, certificatePin],
  ['an X509Certificate parsed again', new X509Certificate(pem), certificatePin],
  ['a certificate pin that was parsed before', parsePin(hex), certificatePin],
  ['a public-key pin that was parsed before', parsePin(pin), keyPin],
  ['a certificate pin that went through JSON', JSON.parse(JSON.stringify(parsePin(hex))) as Pin, certificatePin],
  ['a public-key pin that went through JSON', JSON.parse(JSON.stringify(parsePin(pin))) as Pin, keyPin],
  ['a pin object of lower case', { kind: 'certificate', sha256: hex.toLowerCase() } as Pin, certificatePin],
  ['a hash behind a byte order mark', `\uFEFF${hex}`, certificatePin],
  ["a hash behind the invisible mark of Windows' certificate viewer", `\u200E${hex.toLowerCase()}`, certificatePin],
  ['a hash with invisible marks inside', `${hex.slice(0, 10)}\u200B${hex.slice(10)}\u2060`, certificatePin],
  ['a hash with whitespace around it', ` \t${hex}\r\n`, certificatePin],
];

describe('parsePin', () => {
  for (const [name, source, expected] of vectors) {
    it(`reads ${name}`, () => assert.deepEqual(parsePin(source), expected));
  }

  it('reads bytes of text that begin with the digit 0 as text, not as DER', () => {
    const zeros = '00'.repeat(32);
    assert.equal(parsePin(Buffer.from(zeros)).sha256, zeros);
    assert.equal(parsePin(Buffer.from('0A'.repeat(32))).sha256, '0A'.repeat(32));
  });

  it('reads a hash whose base64 begins with slashes, as one in 64 does', () => {
    for (const begin of ['FC', 'FFC', 'FFFFC', 'FFFFFF']) {
      const slashes: Pin = { kind: 'public-key', sha256: asSha256(begin.padEnd(64, '5')) };
      const text = Buffer.from(slashes.sha256, 'hex').toString('base64');
      assert.equal(text[0], '/');
      for (const spelt of [text, `sha256/${text}`, `sha256//${text}`, `pin-sha256="${text}"`, `pin-sha256:${text}`]) {
        assert.deepEqual(parsePin(spelt), slashes, spelt);
        assert.deepEqual(parsePin(spelt.replace(/=("?)$/, '$1')), slashes, `${spelt} without padding`);
      }
    }
  });

  it('gives frozen pins', () => {
    assert.ok(Object.isFrozen(parsePin(hex)));
    assert.ok(Object.isFrozen(parsePins([hex, pin])));
  });

  it('takes a pin that is repeated for one', () => assert.deepEqual(parsePin(`${hex}\n${colons}`), certificatePin));

  it('refuses two different pins', () => {
    assert.throws(() => parsePin(`${hex} ${pin}`), { code: 'ERR_PIN_INVALID', message: /2 pins where exactly one/ });
  });

  it('hands out the certificates among the sources, which complete a chain', () => {
    const { pins, certificates } = parsePinSources([pem, pin, other.x509.raw, keyPem]);
    assert.equal(pins.length, 3);
    assert.deepEqual(
      certificates.map(({ certificateSha256 }) => certificateSha256),
      [hex, certificateHex(other)],
    );
  });
});

describe('parsePins', () => {
  const both = [certificatePin, keyPin];
  const lists: readonly (readonly [name: string, source: PinSource | readonly PinSource[]])[] = [
    ['an array', [hex, pin]],
    ['an array of different kinds of source', [minted.x509, parsePin(pin)]],
    ['an array of bytes', [minted.x509.raw, Buffer.from(keyPem)]],
    ['an array whose strings hold lists', [`${hex},${pin}`, `# nothing but a comment`]],
    ['commas', `${hex},${pin}`],
    ['commas and spaces', `${hex}, ${pin}`],
    ['a comma at the end', `${hex},${pin},`],
    ['semicolons', `${hex};${pin};`],
    ['newlines', `${hex}\n${pin}\n`],
    ['CRLF', `${hex}\r\n${pin}\r\n`],
    ['CR', `${hex}\r${pin}`],
    ['one space', `${hex} ${pin}`],
    ['tabs and many spaces', `\t${hex} \t   ${pin}  `],
    ['no-break spaces', `\u00A0${hex}\u00A0${pin}`],
    ['every separator at once', `;,\n ${hex} ;,; \r\n\t${pin},,`],
    ['comments on their own lines', `# current\n${hex}\n# next\n${pin}`],
    ['comments behind pins', `${hex} # current, until spring\n${pin}\t# next; 'quoted'`],
    ['comments behind commas', `${hex},# current\n${pin}`],
    ['comments without a space', `#current\n${hex}\n#${'00'.repeat(32)}\n${pin}`],
    ['comments and CRLF', `# current\r\n${hex} # a\r\n${pin} # b\r\n`],
    ['repeated pins', `${hex} ${colons} ${pin} ${pem} ${keyPem} ${base64}`],
    ['PEM blocks', `${pem}${keyPem}`],
    ['PEM blocks with literal \\n', `${pem}${keyPem}`.replaceAll('\n', '\\n')],
    ['a PEM block and a hash', `${pem}\n${pin}`],
    ['a hash and a PEM block on one line', `${hex} ${keyPem.replaceAll('\n', '\\n')}`],
    ['openssl output and a PEM block', `${opensslOutput}${keyPem}`],
    ['TLSA records with spaces', `3 0 1 ${hex}, 3 1 1 ${keyHex}`],
    ['TLSA records beside bare hex', `${hex} 3 1 1 ${keyHex} ${hex}`],
    ['a TLSA record as dig prints it, before another pin', `3 0 1 ${hex.slice(0, 56)} ${hex.slice(56)} ${pin}`],
    ['openssl output, one line for each', `sha256 Fingerprint=${colons}\nsha256//${base64}`],
    ['a header of RFC 7469', `sha256 Fingerprint=${colons}; pin-sha256="${base64}"`],
    ['a byte order mark and CRLF', `\uFEFF${hex}\r\n\u200E${pin}`],
  ];
  for (const [name, source] of lists) {
    it(`reads a list with ${name}`, () => assert.deepEqual(parsePins(source), both));
  }

  it('reads a file with every kind of line', () => {
    const file = `\uFEFF# pins of db.example.com\r\n${opensslOutput}\n${pin} # the key\n\n${other.certPem}# end`;
    assert.deepEqual(parsePins(file), [...both, { kind: 'certificate', sha256: certificateHex(other) }]);
  });

  it('does not read a pin that was commented out, be it a PEM block', () => {
    const block = pem.trim().split('\n');
    assert.deepEqual(parsePins(`${pin}\n${block.map((line) => `# ${line}`).join('\n')}\n`), [keyPin]);
    assert.deepEqual(parsePins(`${pin}\n${block.map((line) => `#${line}`).join('\r\n')}\n`), [keyPin]);
    assert.deepEqual(parsePins(`${pin} # ${pem.replaceAll('\n', '\\n')}`), [keyPin]);
    assert.deepEqual(parsePins(`# ${hex}\n${pin}`), [keyPin]);
    // Half a comment is no comment and no certificate.
    pinRefusal(`# ${pem}`);
    pinRefusal(pem.replace('\nMII', '\n# MII'));
  });

  it('keeps the same hash as two pins where one is of a certificate and one of a key', () => {
    assert.deepEqual(
      parsePins([hex, `sha256:${hex}`]).map(({ kind }) => kind),
      ['certificate', 'public-key'],
    );
  });
});

describe('a pin that cannot be read', () => {
  const digits = (length: number) => 'a1'.repeat(length).slice(0, length);
  const ofBytes = (length: number) => Buffer.alloc(length, 0xa1).toString('base64');
  const bits = `${base64.slice(0, 42)}${base64[42] === 'B' ? 'F' : 'B'}=`;
  const pkcs1 = '-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----';

  const refusals: readonly (readonly [name: string, source: unknown, found: RegExp])[] = [
    ["62 digits, as in the vendor's sample", digits(62), /^62 hex digits; a SHA-256 has 64$/],
    ['a variable of a shell that stayed', '$DB_PINS', /^the name of a variable/],
    ['a variable of a shell in braces', '$'.concat('{DB_PINS:-}'), /^the name of a variable/],
    ['a variable of Windows', '%DB_PINS%', /^the name of a variable/],
    ['a variable of PowerShell', '$env:DB_PINS', /^the name of a variable/],
    ['a field of a template', '{{ DB_PINS }}', /^the name of a variable/],
    ['a variable of a program, in quotes', '"process.env.DB_PINS"', /^the name of a variable/],
    ['a variable behind its name', 'DB_PINS=$PINS', /^the name of a variable/],
    ['the attribute integrity', `sha256-${base64}`, /^the hash of a file.*sha256\/BASE64$/],
    ['openssl dgst -c', `SHA2-256(stdin)= ${colons.toLowerCase()}`, /^the output of a tool that hashes files/],
    ['pairs of a program that were cut', '0xAA, 0xBB, 0xCC, 0xDD', /^8 hex digits/],
    ["80 digits, as in the vendor's sample", digits(80), /^80 hex digits; a SHA-256 has 64$/],
    ['63 digits', hex.slice(1), /^63 hex digits/],
    [
      'a SHA-256 in two lines',
      `${hex.slice(0, 32)}\n${hex.slice(32)}`,
      /^the first part .* broken over 2 lines: .* one line$/,
    ],
    ['the same with colons', `${colons.slice(0, 59)}\n${colons.slice(60)}`, /^the first part .* broken over 2 lines/],
    ['the same behind a comment', `# x\n${hex.slice(0, 40)}\r\n  ${hex.slice(40)}`, /^the first part .* over 2 lines/],
    ['a SHA-256 in three lines', `${hex.slice(0, 32)}\n${hex.slice(32, 56)}\n${hex.slice(56)}`, /over 3 lines/],
    ['an MD5 before a pin', `${digits(32)}\n${hex}`, /^32 hex digits.*length of MD5/],
    ['two of MD5 and more', `${digits(32)}\n${digits(34)}`, /^32 hex digits.*length of MD5/],
    ['MD5 by its length', digits(32), /^32 hex digits.*length of MD5/],
    ['SHA-1 by its length', digits(40), /^40 hex digits.*length of SHA-1/],
    ['SHA-1 with colons', other.x509.fingerprint, /length of SHA-1/],
    ['SHA-224 by its length', digits(56), /^56 hex digits.*length of SHA-224/],
    ['SHA-384 by its length', digits(96), /^96 hex digits.*length of SHA-384/],
    ['SHA-512 by its length', digits(128), /^128 hex digits.*length of SHA-512/],
    ['base64 of 20 bytes', ofBytes(20), /^20 bytes of base64.*length of SHA-1/],
    ['base64 of 31 bytes', ofBytes(31), /^31 bytes of base64; a SHA-256 has 32/],
    ['base64 of 64 bytes', ofBytes(64), /^64 bytes of base64.*length of SHA-512/],
    ['base64 with stray bits in its last character', bits, /stray bits/],
    ['sha256/ with stray bits', `sha256/${bits}`, /stray bits/],
    ['sha1/BASE64', `sha1/${ofBytes(20)}`, /a SHA-1 fingerprint; only SHA-256/],
    ['md5:HEX', `md5:${digits(32)}`, /an MD5 fingerprint; only SHA-256/],
    ['sha512//BASE64', `sha512//${ofBytes(64)}`, /a SHA-512 fingerprint/],
    ['sha-384:HEX', `sha-384:${digits(96)}`, /a SHA-384 fingerprint/],
    ['pin-sha1="BASE64"', `pin-sha1="${ofBytes(20)}"`, /a SHA-1 fingerprint/],
    ['pin-blake3="BASE64"', `pin-blake3="${base64}"`, /unknown kind of fingerprint/],
    [
      'the output of openssl for SHA-1',
      openssl(['x509', '-noout', '-fingerprint', '-sha1'], pem).toString(),
      /a SHA-1 finger/,
    ],
    [
      'the output of openssl for MD5',
      openssl(['x509', '-noout', '-fingerprint', '-md5'], pem).toString(),
      /an MD5 finger/,
    ],
    ['openssl output with an unknown hash', `rot13 Fingerprint=${colons}`, /unknown kind of fingerprint/],
    ['openssl output that was cut', `sha256 Fingerprint=${colons.slice(0, -6)}`, /^60 hex digits/],
    ['sha256:HEX that was cut', `sha256:${keyHex.slice(2)}`, /^62 hex digits/],
    ['sha256: before base64', `sha256:${base64}`, /something other than hex digits/],
    ['sha256/ before hex', `sha256/${keyHex}`, /^hex digits where base64 is expected: .*certificate.*public key/],
    ['a prefix with nothing behind it', 'sha256:', /^a label without a pin$/],
    ['colons in the wrong places', `${hex.slice(0, 3)}:${hex.slice(3)}`, /colons that do not stand/],
    ['a colon in front', `:${hex}`, /colons that do not stand/],
    ['a colon doubled', colons.replace(':', '::'), /colons that do not stand/],
    ['a colon missing', colons.replace(':', ''), /colons that do not stand/],
    ['TLSA of usage 2', `2 0 1 ${hex}`, /TLSA record of usage 2.*usage 3/],
    ['TLSA of usage 1', `1 1 1 ${keyHex}`, /TLSA record of usage 1/],
    ['TLSA of usage 0', `0 0 1 ${hex}`, /TLSA record of usage 0/],
    ['TLSA of matching type 0', `3 1 0 ${keyHex}`, /matching type 0; SHA-256 is matching type 1/],
    ['TLSA of matching type 2', `3 1 2 ${digits(128)}`, /matching type 2/],
    ['TLSA of selector 2', `3 2 1 ${keyHex}`, /selector 2/],
    ['TLSA with a hash of the wrong length', `3 1 1 ${digits(40)}`, /^40 hex digits/],
    ['a private key', minted.keyPem, /a private key.*server alone/],
    ['a private key with literal \\n', minted.keyPem.replaceAll('\n', '\\n'), /a private key/],
    ['an old private key', pkcs1, /a private key/],
    ['an encrypted private key', pkcs1.replaceAll('RSA', 'ENCRYPTED'), /a private key/],
    [
      'a signing request',
      pkcs1.replaceAll('RSA PRIVATE KEY', 'CERTIFICATE REQUEST'),
      /PEM block other than CERTIFICATE/,
    ],
    ['a PEM certificate that was cut in the middle', pem.slice(0, 300), /PEM block that was cut/],
    [
      'a PEM certificate whose content was cut',
      `${pem.slice(0, 128)}\n-----END CERTIFICATE-----`,
      /certificate that cannot be read/,
    ],
    ['a PEM certificate with foreign characters', pem.replace('MII', 'M*II'), /content is not base64/],
    ['an empty PEM block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', /content is not base64/],
    [
      'a PEM public key whose content was cut',
      keyPem.replace(/.{20}\n-----END/, '\n-----END'),
      /public key that cannot be read/,
    ],
    [
      'garbage that looks like DER',
      Buffer.concat([Buffer.of(0x30, 0x82), Buffer.alloc(200, 7)]),
      /certificate that cannot be read/,
    ],
    ['a DER certificate that was cut', minted.x509.raw.subarray(0, 100), /certificate that cannot be read/],
    ['garbage bytes', Buffer.alloc(200, 0xff), /neither hex digits nor base64/],
    ['32 raw bytes', Buffer.alloc(32, 0xa1), /32 raw bytes, which do not say whether/],
    [
      '32 raw bytes that begin as DER does',
      Buffer.concat([Buffer.of(0x30, 0x82), Buffer.alloc(30, 1)]),
      /32 raw bytes/,
    ],
    ['no bytes', new Uint8Array(0), /set is empty/],
    ['an empty string', '', /set is empty/],
    ['only whitespace', ' \r\n\t', /set is empty/],
    ['only separators', ',;,', /set is empty/],
    ['only comments', '# a\n  # b', /set is empty/],
    ['an empty array', [], /set is empty/],
    ['an array of empty strings', ['', ' '], /set is empty/],
    ['null', null, /null/],
    ['undefined', undefined, /undefined/],
    ['a number', 42, /number/],
    ['a function', () => hex, /function/],
    ['an object', {}, /an object that is not a pin/],
    ['an array within an array', [[hex]], /an object that is not a pin/],
    ['a pin object of an unknown kind', { kind: 'fingerprint', sha256: hex }, /an object that is not a pin/],
    ['a pin object without a hash', { kind: 'certificate' }, /an object that is not a pin/],
    ['a pin object with a SHA-1', { kind: 'certificate', sha256: digits(40) }, /length of SHA-1/],
    [
      'a pin object with something else in it',
      { kind: 'certificate', sha256: 'x'.repeat(64) },
      /other than hex digits/,
    ],
    ['an ArrayBuffer, which is not bytes yet', new ArrayBuffer(32), /an object that is not a pin/],
    ['words', 'my pin', /^a word where a pin is expected$/],
    ['a URL', 'https://db.example.com/', /neither hex digits nor base64/],
  ];
  for (const [name, source, found] of refusals) {
    it(`is refused with the reason: ${name}`, () => {
      const error = pinRefusal(source);
      assert.match(error.details.found, found);
      assert.ok(error.message.includes(error.details.found));
    });
  }

  it('is named by its position in the list', () => {
    const position = (source: unknown) => pinRefusal(source).details.position;
    assert.equal(position('bad!'), 1);
    assert.equal(position([hex, 'bad!']), 2);
    assert.equal(position(`${hex},${pin}\n# bad!\n${pem}bad! ${hex}`), 4);
    assert.equal(position([`${hex} ${pin}`, minted.x509, null]), 4);
    assert.equal(position([pem, minted.keyPem]), 2);
    assert.equal(position(`3 1 1 ${keyHex} sha256 Fingerprint=${colons} 3 1 1 abc`), 3);
    assert.match(pinRefusal([hex, 'bad!']).message, /^pin 2 cannot be used: /);
  });

  it('is not repeated in the error, whatever it was pasted into', () => {
    const alphabets = [
      '0123456789',
      '0123456789abcdef',
      'ABCDEFGHIJKLMNOPQRSTUVWXYZ ',
      'abcXYZ019+/=_-',
      '!"§$%&()=?*: #',
    ];
    const secrets = fc
      .constantFrom(...alphabets)
      .chain((alphabet) => fc.string({ unit: fc.constantFrom(...alphabet), minLength: 9, maxLength: 200 }));
    const fields = fc.constantFrom<((secret: string) => unknown)[]>(
      (secret) => secret,
      (secret) => [hex, secret],
      (secret) => `sha256/${secret}`,
      (secret) => `sha256:${secret}`,
      (secret) => `sha${secret}/x`,
      (secret) => `md5${secret}:x`,
      (secret) => `pin-${secret}="x"`,
      (secret) => `pin-sha256="${secret}"`,
      (secret) => `${secret} Fingerprint=${secret}`,
      (secret) => `3 1 1 ${secret}`,
      (secret) => `${secret.slice(0, 3)} 1 1 ${secret}`,
      (secret) => `-----BEGIN ${secret}-----\n${secret}\n-----END ${secret}-----`,
      (secret) => `-----BEGIN CERTIFICATE-----\n${secret}\n-----END CERTIFICATE-----`,
      (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
      (secret) => `-----BEGIN PUBLIC KEY-----\n${secret}`,
      (secret) => `postgres://app:${secret}@db.example.com/app`,
      (secret) => Buffer.from(secret),
      (secret) => Buffer.concat([Buffer.of(0x30, 0x82), Buffer.from(secret)]),
      (secret) => ({ kind: secret, sha256: secret }),
      (secret) => ({ kind: 'certificate', sha256: secret }),
    );
    fc.assert(
      fc.property(secrets, fields, (secret, field) => {
        let error: CertpinError;
        try {
          parsePins(field(secret) as PinSource);
          return; // a comment, or by chance a pin
        } catch (thrown) {
          error = thrown as CertpinError;
        }
        const shown = `${error.message} ${JSON.stringify(error.details)} ${String(error.cause)}`;
        for (let start = 0; start + 9 <= secret.length; start++) {
          const part = secret.slice(start, start + 9);
          if (part.trim() !== '') assert.ok(!shown.includes(part), `'${part}' in: ${shown}`);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is a CertpinError for every string there is', () => {
    const pieces = fc.constantFrom(
      ...[
        'sha256',
        ' Fingerprint=',
        '3 1 1 ',
        '-----BEGIN ',
        'CERTIFICATE-----',
        '-----END ',
        'pin-',
        '=',
        ':',
        '/',
        '#',
        '\\n',
      ],
      ...[' ', '\n', ',', '"', hex, base64, pem, keyPem],
    );
    const strings = fc.oneof(
      fc.string({ maxLength: 100 }),
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.string({ unit: 'grapheme', maxLength: 100 }),
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(strings, (text) => {
        try {
          for (const { kind, sha256 } of parsePins(text)) {
            assert.match(kind, /^(?:certificate|public-key)$/);
            assert.match(sha256, /^[0-9A-F]{64}$/);
          }
        } catch (error) {
          assert.ok(error instanceof CertpinError, String(error));
          assert.equal(error.code, 'ERR_PIN_INVALID');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is a CertpinError for all bytes there are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, likeDer) => {
        const source = likeDer ? Buffer.concat([Buffer.of(0x30, 0x82), bytes]) : bytes;
        try {
          parsePins(source);
        } catch (error) {
          assert.ok(error instanceof CertpinError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('hostile text', () => {
  const many = (text: string, length = 600_000) => text.repeat(Math.ceil(length / text.length));
  const texts: readonly (readonly [name: string, text: string])[] = [
    ['spaces', many(' ')],
    ['spaces behind a digit', `3${many(' ')}x`],
    ['spaces between digits', many(`3${' '.repeat(5000)}`)],
    ['spaces behind fingerprint', `sha256 Fingerprint${many(' ')}x`],
    ['fingerprint and spaces', many(`sha256${' '.repeat(5000)}fingerprint${' '.repeat(5000)}`)],
    ['newlines', many('\n')],
    ['TLSA beginnings', many('3 1 1 ')],
    ['TLSA records without a hash', many('3 1 1 x ')],
    ['digits', many('1')],
    ['digits and spaces', many('1 ')],
    ['hex digits behind a TLSA beginning', `3 1 1 ${many('a')}x`],
    ['PEM openings', many('-----BEGIN A-----')],
    [
      'PEM openings of different labels',
      Array.from({ length: 30_000 }, (_, index) => `-----BEGIN A${index}-----`).join(''),
    ],
    ['PEM openings of certificates', many('-----BEGIN CERTIFICATE-----\n')],
    ['PEM ends', many('-----END A-----')],
    ['a PEM opening and dashes', `-----BEGIN A-----${many('-')}`],
    ['a PEM opening and four dashes at a time', `-----BEGIN A-----${many('---- ')}`],
    ['a PEM label without an end', `-----BEGIN ${many('A')}`],
    ['PEM labels of spaces', many(`-----BEGIN ${' '.repeat(5000)}`)],
    ['one huge PEM block', `-----BEGIN CERTIFICATE-----\n${many('AAAA', 8_000_000)}\n-----END CERTIFICATE-----`],
    [
      'one huge PEM block of literal \\n',
      `-----BEGIN CERTIFICATE-----${many('\\n')}-----END CERTIFICATE-----${many('\\n')}x`,
    ],
    ['algorithm names', many('sha256 ')],
    ['algorithm names and words', many('sha256 fingerprint ')],
    ['words with hyphens', many('a-')],
    ['pin- and hyphens', `pin-${many('a-')}`],
    ['pin- and quotes', `pin-sha256=${many('"')}`],
    ['colons', many(':')],
    ['slashes', `sha256${many('/')}`],
    ['slashes and equals signs', `sha256//${many('=')}x`],
    ['hash signs', many('#')],
    ['comments', many(' # \n')],
    ['base64', many('A')],
    ['equals signs', many('A=')],
    ['commas', many(',')],
    ['invisible characters', many('\u200B')],
  ];
  for (const [name, text] of texts) {
    it(`is refused at once: ${name}`, () => {
      within(1000, () => pinRefusal(text));
    });
  }

  it('does not slow a long list down', () => {
    const list = Array.from({ length: 5000 }, (_, index) => index.toString(16).padStart(64, '0'));
    assert.equal(within(1000, () => parsePins(list.join('\n'))).length, 5000);
  });
});

describe('formatPin', () => {
  const certificateSpellings: readonly CertificateSpelling[] = ['hex', 'colon', 'openssl', 'tlsa'];
  const keySpellings: readonly PublicKeySpelling[] = [
    'okhttp',
    'curl',
    'hpkp',
    'kubeadm',
    'base64',
    'base64url',
    'tlsa',
  ];
  const spellings: readonly (readonly [Pin['kind'], PinSpelling | undefined])[] = [
    ...[...certificateSpellings, undefined].map((spelling) => ['certificate', spelling] as const),
    ...[...keySpellings, undefined].map((spelling) => ['public-key', spelling] as const),
  ];
  const hashes = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => asSha256(Buffer.from(bytes).toString('hex').toUpperCase()));
  const separators = fc.constantFrom(
    ',',
    ';',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ', ',
    ' ; ',
    '\n\n',
    ' # comment, 1\n',
    '\r\n# comment\r\n',
  );

  it('prints what the tools of the field print', () => {
    assert.equal(`${formatPin(certificatePin, 'openssl')}\n`, opensslOutput);
    assert.equal(formatPin(certificatePin, 'colon'), colons);
    assert.equal(formatPin(certificatePin), hex);
    assert.equal(formatPin(certificatePin, 'tlsa'), `3 0 1 ${hex}`);
    assert.equal(formatPin(keyPin), pin);
    assert.equal(formatPin(keyPin, 'curl'), `sha256//${base64}`);
    assert.equal(formatPin(keyPin, 'hpkp'), `pin-sha256="${base64}"`);
    assert.equal(formatPin(keyPin, 'kubeadm'), `sha256:${keyHex}`);
    assert.equal(formatPin(keyPin, 'base64'), base64);
    assert.equal(formatPin(keyPin, 'base64url'), base64url);
    assert.equal(formatPin(keyPin, 'tlsa'), `3 1 1 ${keyHex.toUpperCase()}`);
  });

  it('prints every pin in every spelling so that it reads back as the same pin', () => {
    fc.assert(
      fc.property(hashes, fc.constantFrom(...spellings), (hash, [kind, spelling]) => {
        const made = pinOf(kind, hash);
        assert.deepEqual(parsePin(formatPin(made, spelling)), made);
      }),
      { numRuns: 2000 },
    );
  });

  it('prints pins that read back from any list, whatever separates them', () => {
    const entry = fc.tuple(hashes, fc.constantFrom(...spellings), separators);
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), (entries) => {
        const made = entries.map(([hash, [kind]]) => pinOf(kind, hash));
        const text = entries
          .map(([hash, [kind, spelling], separator]) => formatPin(pinOf(kind, hash), spelling) + separator)
          .join('');
        const unique = [...new Map(made.map((one) => [JSON.stringify(one), one])).values()];
        assert.deepEqual(parsePins(text), unique);
      }),
      { numRuns: 500 },
    );
  });

  it('reads back in every letter case of the hex digits', () => {
    const spelt = fc.constantFrom<[Pin['kind'], PinSpelling][]>(
      ['certificate', 'hex'],
      ['certificate', 'colon'],
      ['public-key', 'kubeadm'],
    );
    fc.assert(
      fc.property(hashes, spelt, fc.infiniteStream(fc.boolean()), (hash, [kind, spelling], cases) => {
        const made = pinOf(kind, hash);
        const text = [...formatPin(made, spelling)].map((letter) =>
          cases.next().value ? letter.toUpperCase() : letter.toLowerCase(),
        );
        assert.deepEqual(parsePin(text.join('')), made);
      }),
    );
  });

  it('refuses a spelling that would read back as the other kind', () => {
    for (const spelling of keySpellings.filter((one) => one !== 'tlsa')) {
      assert.throws(() => formatPin(certificatePin, spelling), {
        name: 'TypeError',
        message: /a certificate pin has no spelling/,
      });
    }
    for (const spelling of certificateSpellings.filter((one) => one !== 'tlsa')) {
      assert.throws(() => formatPin(keyPin, spelling), {
        name: 'TypeError',
        message: /a public-key pin has no spelling/,
      });
    }
  });

  it('refuses a spelling that it does not know', () => {
    for (const spelling of ['', 'HEX', 'sha256', 'constructor', '__proto__']) {
      assert.throws(() => formatPin(certificatePin, spelling as PinSpelling), TypeError);
    }
  });
});

describe('asSha256', () => {
  it('brands 64 upper-case hex digits and nothing else', () => {
    assert.equal(asSha256(hex), hex);
    for (const wrong of ['', hex.toLowerCase(), hex.slice(1), `${hex}\n`, colons])
      assert.throws(() => asSha256(wrong), RangeError);
  });
});
