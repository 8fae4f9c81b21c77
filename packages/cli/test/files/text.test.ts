import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import { transcript } from '../transcript.ts';
import { mintFiles, openWorkshop } from './openssl.ts';

test('standard input: PEM, DER, a key; once', async () => {
  const certificate = await mint();
  const names = { HEX: certificateHex(certificate), PIN: await publicKeyPin(certificate) };
  assert.equal(await transcript('get -q -', names, { stdin: certificate.certPem }), 'HEX\nexit 0');
  assert.equal(await transcript('get -q -', names, { stdin: certificate.x509.raw }), 'HEX\nexit 0');
  assert.equal(await transcript('get -q -', names, { stdin: certificate.keyPem }), 'PIN\nexit 0');
  assert.match(await transcript('check - --pin PIN', names, { stdin: certificate.certPem }), /exit 0$/);
  assert.equal(await transcript('get -', {}), '2> certpin: error: -: it is empty\nexit 2');
  assert.equal(
    await transcript('get -q - -', names, { stdin: certificate.certPem }),
    'HEX\n2> certpin: error: -: standard input can be read once only\nexit 2',
  );
});

test('line ends of Windows, a byte order mark, UTF-16, and text around', async (t) => {
  const shop = openWorkshop(t);
  const certificate = await mint();
  const text = certificate.certPem;
  const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
  const forms: Record<string, Buffer | string> = {
    crlf: text.replaceAll('\n', '\r\n'),
    cr: text.replaceAll('\n', '\r'),
    bom: `\uFEFF${text}`,
    'utf-16le': utf16,
    'utf-16be': Buffer.from(utf16).swap16(),
    'utf-16 without a mark': Buffer.from(text, 'utf16le'),
    'one line': text.replace(/(?<!-)\n(?!-)/g, ''),
    'text around': `subject: Käse\n0 s:CN=x\n${text}\nVerify return code: 18\n`,
    'X509 CERTIFICATE': text.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
  };
  for (const [name, content] of Object.entries(forms)) {
    const names = { FILE: shop.write('server.crt', content), HEX: certificateHex(certificate) };
    assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0', name);
  }
  shop.openssl('x509 -in server.crt -trustout -addtrust serverAuth -out trusted.pem');
  const names = { FILE: shop.path('trusted.pem'), HEX: certificateHex(certificate) };
  assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0');
});

test('a bundle: the leaf first where it can be told, the others in their order', async (t) => {
  const shop = openWorkshop(t);
  const leaf = await mintFiles(shop);
  const other = await mint({ subject: 'CN=other' });
  const [root, issuer, server] = ['root.pem', 'ca.pem', 'server.pem'].map((name) => shop.read(name).toString());
  const bundles: [string, string][] = [
    ['leaf last', `${root}${issuer}${server}`],
    ['leaf in the middle', `${root}${server}${issuer}`],
    ['leaf first', `${server}${issuer}${root}`],
    ['an unrelated CA before it', `${root}${server}`],
  ];
  for (const [name, content] of bundles) {
    const names = { FILE: shop.write('bundle.pem', content), HEX: certificateHex(leaf) };
    assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0', name);
  }
  const names = { FILE: shop.write('bundle.pem', `${server}${other.certPem}`), HEX: certificateHex(leaf) };
  const several = 'it holds 2 certificates that may be the leaf (CN=db.example.com; CN=other)';
  assert.equal(
    await transcript('get -q FILE', names),
    `HEX\n2> certpin: warning: FILE: ${several}: the first is taken; put the right one into a file of its own\nexit 0`,
    'two leafs stay as they are',
  );
});

test('a packed file is no list of pins: what it is, and what unpacks it', async (t) => {
  const shop = openWorkshop(t);
  const names = { FILE: shop.write('pins.txt.gz', gzipSync('A'.repeat(64))) };
  assert.equal(
    await transcript('check tls://127.0.0.1:1 --pins-file FILE', names),
    '2> certpin: error: FILE: it is compressed with gzip: unpack it, and give the file that was in it\n2> certpin: hint: gunzip --keep FILE\nexit 2',
  );
});

test('what is not read says what it is, and what to do', async (t) => {
  const shop = openWorkshop(t);
  const { certPem, keyPem, x509 } = await mint();
  const jks = Buffer.concat([Buffer.from('feedfeed00000002', 'hex'), Buffer.alloc(40)]);
  const cut = 'it is cut: BEGIN CERTIFICATE has no END|copy the file again, from BEGIN to END';
  const damaged = 'it is damaged or cut, or not a file that certpin reads|certpin help get';
  const files: [string | Buffer, string][] = [
    ['', 'it is empty'],
    ['hello\n', 'there is no certificate, key or signing request in it'],
    [
      jks,
      'it is a Java keystore (JKS), which certpin does not read: convert it to PKCS#12|keytool -importkeystore -srckeystore FILE -destkeystore keystore.p12 -deststoretype PKCS12',
    ],
    [
      Buffer.from('cececece00000002', 'hex'),
      'it is a Java keystore (JCEKS), which certpin does not read: convert it to PKCS#12|keytool -importkeystore -srckeystore FILE -destkeystore keystore.p12 -deststoretype PKCS12',
    ],
    [gzipSync(certPem), 'it is compressed with gzip: unpack it, and give the file that was in it|gunzip --keep FILE'],
    [
      Buffer.from('504b03041400000008000000', 'hex'),
      'it is a ZIP archive: unpack it, and give the file that was in it|unzip FILE',
    ],
    [
      Buffer.from('fd377a585a000004', 'hex'),
      'it is compressed with xz: unpack it, and give the file that was in it|unxz --keep FILE',
    ],
    ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@host\n', 'it is an SSH key, not a key or certificate for TLS'],
    ['ecdsa-sha2-nistp256 AAAA me@host\n', 'it is an SSH key, not a key or certificate for TLS'],
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
      'it is an SSH key, not a key or certificate for TLS',
    ],
    [
      '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n',
      'it is a PGP file, not a key or certificate for TLS',
    ],
    [
      '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
      'there is no certificate, key or signing request in it, but X509 CRL',
    ],
    [keyPem.slice(0, 100), 'it is cut: BEGIN PRIVATE KEY has no END|copy the file again, from BEGIN to END'],
    [
      keyPem.replace(/(?<=KEY-----\n)..../, 'AAAA'),
      'what looks like a private key in it cannot be read as one, or is of a kind that Node.js does not know',
    ],
    [certPem.slice(0, 300), cut],
    [`${certPem.slice(0, 300)}\n${certPem}`, cut],
    [certPem.replace(/-----END.*/, ''), cut],
    ['-----BEGIN CERT', 'a PEM block in it is cut directly after its BEGIN line'],
    [certPem.replace(/\n.{5}/, '\n!!!!!'), 'it is damaged: the text between BEGIN CERTIFICATE and END is not base64'],
    [
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      'what looks like a certificate in it cannot be read as one',
    ],
    [
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      'what looks like a private key in it cannot be read as one, or is of a kind that Node.js does not know',
    ],
    [
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      'what looks like a public key in it cannot be read as one, or is of a kind that Node.js does not know',
    ],
    ['-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----', 'what looks like PKCS#7 in it cannot be read as PKCS#7'],
    [
      '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----',
      'what looks like a signing request in it cannot be read as one',
    ],
    [x509.raw.subarray(0, 200), damaged],
    [Buffer.from('3080', 'hex'), damaged],
    [Buffer.alloc(17 * 1024 * 1024, 'a'), 'it has more than 16 MiB: no certificate file is so large'],
    [
      Buffer.concat([Buffer.from('3084ffffffff', 'hex'), Buffer.alloc(3 * 1024 * 1024)]),
      'it has more than 2 MiB: no container of certificates is so large',
    ],
  ];
  for (const [content, expected] of files) {
    const names = { FILE: shop.write('file', content) };
    const [error, hint] = expected.split('|');
    const hinted = hint === undefined ? '' : `2> certpin: hint: ${hint}\n`;
    assert.equal(await transcript('get FILE', names), `2> certpin: error: FILE: ${error}\n${hinted}exit 2`);
  }
  mkdirSync(shop.path('directory.d'));
  assert.equal(
    await transcript('get FILE', { FILE: shop.path('directory.d') }),
    '2> certpin: error: FILE: it is a directory\nexit 2',
  );
  assert.equal(await transcript('get nowhere.p12'), '2> certpin: error: nowhere.p12: no such file\nexit 2');
});
