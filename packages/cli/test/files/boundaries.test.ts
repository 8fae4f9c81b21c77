// Where a PEM block begins and ends is for OpenSSL to say, which every server and client reads its files with: a second opinion on each file.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import fc from 'fast-check';
import { readContents } from '../../src/files/contents.ts';
import { FileError } from '../../src/files/file-error.ts';
import { Passwords } from '../../src/files/password.ts';
import type { Io } from '../../src/io.ts';
import { transcript } from '../transcript.ts';
import { openWorkshop, type Workshop } from './openssl.ts';

const certificate = await mint({ subject: 'CN=db.example.com' });
const old = await mint({ subject: 'CN=old.example.com' });
const pem = certificate.certPem;
const [BEGIN, END] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];

const commented = (text: string, sign: string): string => text.replace(/^(?=.)/gm, sign);

const hexOf = (text: string): string => new X509Certificate(text).fingerprint256.replaceAll(':', '');

/** What openssl finds in a file: nothing where it refuses it. */
function opensslReads(shop: Workshop, content: string): string[] {
  shop.write('file.pem', content);
  try {
    shop.openssl('crl2pkcs7 -nocrl -certfile file.pem -out file.p7b');
    const found = shop.openssl('pkcs7 -in file.p7b -print_certs').toString();
    const blocks = found.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    return blocks.map(hexOf);
  } catch {
    return [];
  }
}

/** undefined: refused. */
async function certpinReads(content: string): Promise<string[] | undefined> {
  const io = { env: {}, askSecret: async () => undefined } as unknown as Io;
  try {
    const { certificates = [] } = await readContents(Buffer.from(content), 'file', new Passwords({}, io));
    return certificates.map(({ certificateSha256 }) => certificateSha256 as string);
  } catch (error) {
    assert.ok(error instanceof FileError, String(error));
    return undefined;
  }
}

const files: Record<string, string> = {
  'a comment that names both boundaries': `# Paste everything from ${BEGIN} to ${END}\n${pem}`,
  'a sentence that names both boundaries': `Paste everything from ${BEGIN} to ${END}.\n${pem}`,
  'a comment that names a boundary, behind the block': `${pem}# old one removed: ${BEGIN}\n`,
  'a line of text that ends with a boundary': `subject: CN=x ${BEGIN}\n${pem}`,
  'a block that is commented out': `${commented(old.certPem, '# ')}${pem}`,
  'a block that is commented out, behind the other one': `${pem}${commented(old.certPem, '#')}`,
  'a block that is commented out with slashes': `${commented(old.certPem, '// ')}${pem}`,
  'a block that is quoted in a mail': `${commented(old.certPem, '> ')}${pem}`,
  'a boundary with text behind it': `${BEGIN} is how it begins\n${pem}`,
  'blanks behind the boundaries': pem.replaceAll('-----\n', '----- \t\n'),
  'line ends of Windows': `# ${BEGIN}\r\n${pem.replaceAll('\n', '\r\n')}`,
  'a key before it': `${certificate.keyPem}${pem}`,
  'the output of openssl x509 -text': `Certificate:\n    Data:\n        Version: 3 (0x2)\n${pem}`,
  'Bag Attributes of openssl pkcs12': `Bag Attributes\n    friendlyName: db\nsubject=CN = db\n${pem}`,
};

for (const [name, content] of Object.entries(files)) {
  test(`a file is read as openssl reads it: ${name}`, async (t) => {
    const shop = openWorkshop(t);
    assert.deepEqual(opensslReads(shop, content), [certificateHex(certificate)], 'openssl');
    const names = { FILE: shop.write('server.pem', content), HEX: certificateHex(certificate) };
    assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0');
  });
}

test('whatever lines a file has, certpin finds the certificates that openssl finds, or refuses the file', async (t) => {
  const shop = openWorkshop(t);
  const lines = fc.constantFrom(
    ...[pem, old.certPem, `# ${BEGIN}`, `# ${END}`, `text ${BEGIN}`, `${END} text`, `${BEGIN} text`],
    ...[
      commented(old.certPem, '# '),
      commented(pem, '; '),
      '-----',
      '-----BEGIN -----',
      'text',
      '',
      certificate.keyPem,
    ],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { maxLength: 5 }), async (parts) => {
      const content = `${parts.map((part) => part.trimEnd()).join('\n')}\n`;
      const found = await certpinReads(content);
      if (found === undefined) return;
      const expected = opensslReads(shop, content);
      // openssl gives up a file for a boundary without a name; certpin passes over that line.
      const plain = parts.filter((part) => part === pem || part === old.certPem).map(hexOf);
      assert.deepEqual(found.sort(), (expected.length > 0 ? expected : plain).sort(), content);
    }),
    { numRuns: 120 },
  );
});

const OUTSIDE =
  'there is no certificate, key or signing request in it: a BEGIN line counts only at the start of a line, and not in a comment';

test('a block that is commented out is none, and the message says so', async (t) => {
  const shop = openWorkshop(t);
  for (const sign of ['# ', '#', '// ', ';', '-- ', '<!-- ']) {
    const names = { FILE: shop.write('server.pem', commented(pem, sign)) };
    assert.equal(await transcript('get FILE', names), `2> certpin: error: FILE: ${OUTSIDE}\nexit 2`, sign);
  }
});

test('what openssl does not read, a configuration has its blocks in: indented, quoted, on one line', async (t) => {
  const shop = openWorkshop(t);
  const oneLine = pem.replaceAll('\n', '\\n');
  const forms: Record<string, string> = {
    'YAML, indented': `stringData:\n  tls.crt: |\n${commented(pem, '    ')}`,
    'indented with tabs': commented(pem, '\t'),
    'an env file, in quotes': `DB_USER=me\nDB_CA="${pem.trim()}"\nDB_PORT=5432\n`,
    'an env file, on one line': `DB_CA="${oneLine}"\n`,
    'an env file, on one line without quotes': `DB_CA=${oneLine}\n`,
    JSON: JSON.stringify({ private_key_id: 'x', cert: pem }, null, 2),
    'JSON of PHP': JSON.stringify({ cert: pem }).replaceAll('/', '\\/'),
    'spaces for line ends': pem.replaceAll('\n', ' '),
    XML: `<config>\n  <cert>${pem.trim()}</cert>\n</config>`,
  };
  for (const [name, content] of Object.entries(forms)) {
    const names = { FILE: shop.write('config', content), HEX: certificateHex(certificate) };
    assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0', name);
  }
});
