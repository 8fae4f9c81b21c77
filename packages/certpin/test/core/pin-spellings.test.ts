// What tools print around a hash, and what configurations put around it. Each is read as one pin and no other, or it is refused with the
// meanings that it may have. What a pasted block reads, it reads the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import fc from 'fast-check';
import { parsePins } from '../../src/core/parse-pin.ts';
import type { Pin } from '../../src/leaf/pin.ts';
import { readPins } from '../../src/leaf/pin-text.ts';
import { openssl, pinRefusal } from './support.ts';

const minted = await mint({ subject: 'CN=db.example.com' });
const hex = certificateHex(minted);
const colons = minted.x509.fingerprint256;
const pairs = colons.replaceAll(':', ' ');
const sha1 = minted.x509.fingerprint;
const pin = await publicKeyPin(minted);
const base64 = pin.slice('sha256/'.length);
const keyHex = Buffer.from(base64, 'base64').toString('hex');
const pem = minted.certPem;

/** Of another hash. */
const begin = hex.startsWith('AB') ? 'CD' : 'AB';

const certificate = { kind: 'certificate', sha256: hex };
const key = { kind: 'public-key', sha256: keyHex.toUpperCase() };
const both = [certificate, key];
const groups = (digits: number): string => (hex.match(new RegExp(`.{${digits}}`, 'g')) ?? []).join(' ');

const read: readonly (readonly [name: string, text: string, pins: readonly object[]])[] = [
  ['the pairs of a keychain', pairs, [certificate]],
  [
    'pairs in lower case, with tabs and blanks at the end',
    `${pairs.toLowerCase().replaceAll(' ', '\t')} \t`,
    [certificate],
  ],
  ['pairs with the blanks of a web page', pairs.replaceAll(' ', '\u00A0'), [certificate]],
  ['pairs with hyphens (.NET)', colons.replaceAll(':', '-'), [certificate]],
  ['groups of four digits (nmap)', groups(4), [certificate]],
  ['groups of eight digits', groups(8), [certificate]],
  ['pairs as a program in C has them', (hex.match(/../g) ?? []).map((pair) => `0x${pair}`).join(', '), [certificate]],
  ['pairs as a text in C or Python has them', hex.replace(/../g, '\\x$&'), [certificate]],
  ['a record that a zone file has broken', `3 0 1 ( ${hex.slice(0, 32)} ${hex.slice(32)} )`, [certificate]],
  ['pairs in two lines', `${pairs.slice(0, 47)}\r\n${pairs.slice(48)}`, [certificate]],
  ['pairs with colons, broken behind one', `${colons.slice(0, 48)}\n  ${colons.slice(48)}`, [certificate]],
  [
    'a label and pairs in two lines (Chrome)',
    `SHA-256 Fingerprint\n${pairs.slice(0, 47)}\n${pairs.slice(48)}`,
    [certificate],
  ],
  [
    'two pins in pairs',
    `${pairs}\n${pairs.replace(/^../, begin)}`,
    [certificate, { kind: 'certificate', sha256: `${begin}${hex.slice(2)}` }],
  ],
  ['pairs beside another pin', `${pairs} ${pin}`, both],
  ['another pin beside pairs', `${pin} ${pairs}`, [key, certificate]],
  ['pairs and a comment', `${pairs} # until May`, [certificate]],
  ['keytool -v', `\t SHA256: ${colons}\r\n`, [certificate]],
  ['keytool -v with its heading', `Certificate fingerprints:\n\t SHA256: ${colons}`, [certificate]],
  ['keytool -list', `Certificate fingerprint (SHA-256): ${colons}`, [certificate]],
  ['Firefox', `SHA-256\t${colons}`, [certificate]],
  ['Firefox, in two lines', `SHA-256\n${colons}\n`, [certificate]],
  ['SHA256: without a blank, before pairs', `SHA256:${colons}`, [certificate]],
  ['sha256= before pairs', `sha256=${colons}`, [certificate]],
  ['openssl 3 and openssl 1', `sha256 Fingerprint=${colons}\nSHA256 Fingerprint=${colons}`, [certificate]],
  ['openssl with a colon for the sign of equality', `sha256 Fingerprint: ${colons}`, [certificate]],
  ['security find-certificate -Z', `SHA-256 hash: ${hex}`, [certificate]],
  ['certutil -dump', `Cert Hash(sha256): ${hex.toLowerCase()}`, [certificate]],
  [
    "Chrome's viewer, certificate and key",
    `SHA-256 Fingerprints\nCertificate\n${hex.toLowerCase()}\nPublic key\n${keyHex}`,
    both,
  ],
  [
    "certpin's own answer",
    `  certificate SHA-256  ${hex}\n  with colons          ${colons}\n  public-key pin       ${pin}\n`,
    both,
  ],
  ['certtool: the key', `Public Key ID:\n\tsha256:${keyHex}\nPublic Key PIN:\n\tpin-sha256:${base64}`, [key]],
  ['a header of HPKP', `Public-Key-Pins: pin-sha256="${base64}"; max-age=5184000; includeSubDomains`, [key]],
  ["curl's option", `--pinnedpubkey 'sha256//${base64};sha256//${base64}'`, [key]],
  ["curl's list", `sha256//${base64};sha256//${base64}`, [key]],
  [
    'a record of DNS',
    `_443._tcp.db.example.com. 3600 IN TLSA 3 1 1 ${keyHex}\n_443._tcp.db. IN TLSA 3 0 1 ${hex}`,
    [key, certificate],
  ],
  ['hex with its sign', `0x${hex}`, [certificate]],
  ['quotes of a docker env file', `"${hex}"\n`, [certificate]],
  ['single quotes', `'${pin}'`, [key]],
  ['backticks', `\`${hex}\``, [certificate]],
  ['typographic quotes', `“${hex}”`, [certificate]],
  ['quotes around a list', `"${hex},${pin}"`, both],
  ['quotes around pairs', `"${pairs}", "${pin}"`, both],
  ['a list of quoted pins', `"${hex}", '${pin}',`, both],
  ['a JSON array', JSON.stringify([hex, pin]), both],
  ['a JSON array in lines', JSON.stringify([colons, pin], null, 2), both],
  ['a JSON array with escaped slashes', JSON.stringify([hex, pin]).replaceAll('/', '\\/'), both],
  ['a JSON array with a certificate', JSON.stringify([pem, pin]), both],
  ['a list of JavaScript', `['${hex}', '${pin}']`, both],
  ['a list of JavaScript in lines', `[\n  '${hex}',\n  '${pin}',\n]`, both],
  ['a list of YAML', `- ${hex}\n- "${pin}"\n`, both],
  ['an assignment', `DB_PINS=${hex}`, [certificate]],
  ['an assignment with quotes', `export DB_PINS="${hex},${pin}"`, both],
  ['an assignment of PowerShell', `$env:DB_PINS = "${hex}"`, [certificate]],
  ['an assignment of cmd', `set DB_PINS=${hex}`, [certificate]],
  ['an assignment of YAML', `DB_PINS: "${hex} ${pin}"`, both],
  ['an assignment of a JSON array', `DB_PINS='${JSON.stringify([hex, pin])}'`, both],
  ['an assignment of lines', `DB_PINS="${hex}\n${pin}"`, both],
  ['an assignment of a certificate on one line', `DB_PINS="${pem.replaceAll('\n', '\\n')}"`, [certificate]],
  ['an assignment of a certificate in lines', `DB_PINS='${pem}'`, [certificate]],
  ['a property', `pins: ['${hex}']`, [certificate]],
  [
    'a trusted certificate of openssl',
    openssl(['x509', '-trustout', '-addtrust', 'serverAuth'], pem).toString(),
    [certificate],
  ],
  ['an encoding of PowerShell', `\uFEFF${hex}\r\n`, [certificate]],
];

const TWO = /that may be of a certificate or of a public key; write the digits alone .* sha256:HEX/;

const refused: readonly (readonly [name: string, text: string, found: RegExp])[] = [
  ['openssl dgst', `SHA2-256(stdin)= ${hex.toLowerCase()}`, TWO],
  ['openssl dgst of openssl 1', `SHA256(stdin)= ${hex}`, TWO],
  ['openssl dgst of a file', `SHA2-256(my server.der)= ${hex}`, TWO],
  ['openssl dgst without a name', `(stdin)= ${hex}`, TWO],
  ['shasum of BSD', `SHA256 (server.der) = ${hex}`, TWO],
  ['sha256sum', `${hex.toLowerCase()}  -`, TWO],
  ['sha256sum of a file', `${hex.toLowerCase()}  server.der`, TWO],
  ['Get-FileHash', `SHA256          ${hex}       C:\\certs\\server.cer`, TWO],
  ['a label of the algorithm before 64 digits', `SHA256: ${hex}`, TWO],
  ['sha256/ before 64 digits', `sha256/${hex}`, TWO],
  ['sha256// before 64 digits', `sha256//${hex}`, TWO],
  ['sha256/ before pairs', `sha256/${colons}`, TWO],
  ['pin-sha256 of 64 digits', `pin-sha256="${hex}"`, TWO],
  ["a certificate's label before a key's pin", `Certificate: ${pin}`, TWO],
  ['certtool: the certificate', `Fingerprint:\n\tsha256:${hex}`, TWO],
  ['a variable for a key with bare digits', `PUBLIC_KEY_PINS=${hex}`, TWO],
  ['a label of the algorithm before base64', `SHA-256: ${base64}`, TWO],
  ['20 pairs with colons', sha1, /length of SHA-1/],
  ['20 pairs with blanks', sha1.replaceAll(':', ' '), /length of SHA-1/],
  ['20 pairs with blanks, in lower case', sha1.replaceAll(':', ' ').toLowerCase(), /length of SHA-1/],
  ['20 pairs with hyphens', sha1.replaceAll(':', '-'), /length of SHA-1/],
  ['20 pairs of Windows', `Thumbprint ${sha1.replaceAll(':', ' ')}`, /length of SHA-1/],
  ['20 pairs in quotes', `"${sha1}"`, /length of SHA-1/],
  ['20 pairs behind an assignment', `DB_PINS=${sha1}`, /length of SHA-1/],
  ['20 pairs behind SHA256:', `SHA256: ${sha1}`, /length of SHA-1/],
  ['20 pairs and then 32', `${sha1.replaceAll(':', ' ')}\n${pairs}`, /length of SHA-1/],
  ['keytool -v with SHA-1', `\t SHA1: ${sha1}\n\t SHA256: ${colons}`, /a SHA-1 fingerprint/],
  ['keytool -list with SHA-1', `Certificate fingerprint (SHA1): ${sha1}`, /a SHA-1 fingerprint/],
  ['Firefox with SHA-1', `SHA-1 Fingerprint\t${sha1}`, /a SHA-1 fingerprint/],
  ['security -Z with SHA-1', `SHA-1 hash: ${sha1.replaceAll(':', '')}`, /a SHA-1 fingerprint/],
  ['16 pairs', pairs.slice(0, 47), /length of MD5/],
  ['31 pairs', pairs.slice(3), /^62 hex digits; a SHA-256 has 64$/],
  ['33 pairs', `${pairs} AA`, /^66 hex digits/],
  ['ssh-keygen', `SHA256:${base64.slice(0, 43)}`, /an SSH key, as ssh-keygen/],
  ['ssh-keygen -l', `256 SHA256:${base64.slice(0, 43)} root@db (ED25519)`, /an SSH key, as ssh-keygen/],
  ['a label that is not known', `Issuer SHA-256: ${colons}`, /^a word where a pin is expected$/],
  ['a label of hex digits', `CA certificate ${hex}`, /^a word where a pin is expected$/],
  ['a label alone', 'Certificate fingerprint (SHA-256):', /^a label without a pin$/],
  ['a quote without its pair', `"${hex}`, /, with " among them$/],
  ['a bracket without its pair', `[${hex}`, /, with \[ among them$/],
  ['a JSON object', JSON.stringify({ pins: [hex] }), /, with \{ among them$/],
  [
    'a JSON array with a pin that was cut',
    JSON.stringify([hex, pin.slice(0, -4)]),
    /^30 bytes of base64|bytes of base64/,
  ],
  ['another algorithm behind a name that fits', `pin-blake3="${base64}"`, /unknown kind of fingerprint/],
  ['base64 of a PEM block', Buffer.from(pem).toString('base64'), /^base64 of a PEM block: decode it \(`base64 -d`\)$/],
  [
    'base64 of a PEM block, in lines',
    Buffer.from(pem).toString('base64').replace(/.{76}/g, '$&\n'),
    /^base64 of a PEM block/,
  ],
  ['an x5c value', minted.x509.raw.toString('base64'), /^base64 of a certificate or another file in DER/],
  ['a list of x5c', JSON.stringify([minted.x509.raw.toString('base64')]), /^base64 of a certificate/],
];

describe('a spelling of a pin', () => {
  for (const [name, text, pins] of read) {
    it(`is read: ${name}`, () => {
      assert.deepEqual(parsePins(text), pins);
      assert.deepEqual(parsePins(text.replaceAll('\n', '\r\n')), pins, 'with CRLF');
      assert.deepEqual(parsePins(Buffer.from(`\uFEFF${text}`, 'utf16le')), pins, 'in UTF-16');
    });
  }

  for (const [name, text, found] of refused) {
    it(`is refused for what it is: ${name}`, () => assert.match(pinRefusal(text).details.found, found));
  }

  it('is never read by a block as another pin than the package reads', () => {
    for (const [name, text] of [...read, ...refused]) assertSame(text, name);
  });

  it('is never read by a block as another pin, whatever is put together', () => {
    const pieces = fc.constantFrom(
      ...[...read, ...refused].flatMap(([, text]) => text.split(/(?<=[\s=:"'])/)).filter((piece) => piece.length < 200),
      ...[hex, colons, pairs, pin, `sha256:${keyHex}`, '\n', ' ', ',', '"', '[', ']', ': ', '=', '# ', '0x', '- '],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => assertSame(parts.join(''), 'pieces')),
      { numRuns: 5000 },
    );
  });

  it('that was cut is not passed over as the name of a variable, nor as a label', () => {
    for (const cut of [base64.slice(0, 40), base64.slice(4), hex.slice(2), colons.slice(3)]) {
      for (const text of [
        `${cut}=${hex}`,
        `${cut}= ${hex}`,
        `${cut} = ${hex}`,
        `${cut}: ${hex}`,
        `${cut} ${hex}`,
        `${hex}\n${cut}`,
      ])
        pinRefusal(text);
    }
  });
});

function assertSame(text: string, name: string): void {
  let block: readonly Pin[];
  try {
    block = readPins(text);
  } catch {
    return; // it knows fewer spellings
  }
  const distinct = new Map(block.map((one) => [`${one.kind} ${one.sha256}`, one]));
  assert.deepEqual([...distinct.values()], parsePins(text), name);
}
