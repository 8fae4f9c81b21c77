import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mint } from '@certpin/testkit';
import { certpin, PASSWORD, transcript } from '../transcript.ts';
import { mintFiles, openWorkshop, type Workshop } from './openssl.ts';

/** The certificates that `certpin get --json` finds in a file, by subject; the first one's hash must be openssl's. */
async function subjects({ path, fingerprint }: Workshop, name: string, ...options: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await certpin(['get', '--json', path(name), ...options]);
  assert.deepEqual({ stderr, code }, { stderr: '', code: 0 }, stdout);
  const { certificate, chain } = JSON.parse(stdout);
  assert.equal(certificate.sha256, fingerprint('server.pem'));
  assert.deepEqual(chain[0], certificate);
  return chain.map(({ subject }: { subject: string }) => subject);
}

const ALL = ['CN=db.example.com', 'CN=Issuer', 'CN=Root'];

test('PKCS#7, PEM and DER: the leaf first, wherever it stands', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.openssl('crl2pkcs7 -nocrl -certfile server.pem -certfile cas.pem -out first.p7b');
  shop.openssl('crl2pkcs7 -nocrl -certfile cas.pem -certfile server.pem -outform DER -out last.p7c');
  shop.write('mail', 'a message');
  shop.openssl(
    'cms -sign -stream -nodetach -in mail -signer server.pem -inkey server.key -certfile cas.pem -outform DER -out indefinite.p7m',
  );
  assert.equal(shop.read('indefinite.p7m')[1], 0x80); // BER
  assert.equal((await subjects(shop, 'indefinite.p7m')).length, 3);
  shop.write('renamed.p7b', shop.read('first.p7b').toString().replaceAll('PKCS7', 'CMS'));
  assert.deepEqual((await subjects(shop, 'first.p7b')).sort(), [...ALL].sort());
  assert.equal((await subjects(shop, 'last.p7c')).length, 3);
  assert.equal((await subjects(shop, 'renamed.p7b')).length, 3);
});

const encryptions = {
  'AES-256, the default of OpenSSL 3': '',
  'RC2-40 and 3DES, the default before': '-legacy',
  'RC2-128': '-legacy -certpbe PBE-SHA1-RC2-128',
  '3DES with three keys': '-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1',
  '3DES with two keys': '-certpbe PBE-SHA1-2DES -keypbe PBE-SHA1-3DES',
  'AES-128, as Windows writes it': '-certpbe AES-128-CBC -keypbe AES-128-CBC -macalg sha1 -iter 2000',
  'AES-192, MAC with SHA-512': '-certpbe AES-192-CBC -macalg sha512',
  '3DES in PBES2': '-certpbe DES-EDE3-CBC -macalg sha384',
  'no encryption of the certificates': '-certpbe NONE',
  'no MAC': '-nomac -certpbe AES-256-CBC',
  'no MAC, RC2-40': '-legacy -nomac -certpbe PBE-SHA1-RC2-40',
  'a million rounds': '-iter 1000000 -nomaciter',
};

for (const [name, options] of Object.entries(encryptions)) {
  test(`PKCS#12, ${name}: the certificate of the key first`, async (t) => {
    const shop = openWorkshop(t);
    await mintFiles(shop, 'rsa');
    // openssl writes what the password of a connection string may be: the transcripts assert that it is never printed
    const words = `pkcs12 -export -in server.pem -inkey server.key -certfile cas.pem -passout pass:${PASSWORD} -out server.p12`;
    shop.openssl(options === '' ? words : `${words} ${options}`);
    const password = shop.write('password.txt', `${PASSWORD}\r\nsecond line\n`);
    assert.deepEqual(await subjects(shop, 'server.p12', '--password-file', password), ALL);

    const names = { FILE: shop.path('server.p12'), HEX: shop.fingerprint('server.pem') };
    assert.equal(
      await transcript('get -q FILE --password-env SECRET', names, { env: { SECRET: 'wrong' } }),
      '2> certpin: error: FILE: the password is wrong, or the file is damaged\nexit 2',
    );
  });
}

test('PKCS#12: no password is asked for where none is needed, and any characters serve', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  const make = 'pkcs12 -export -in server.pem -inkey server.key';
  shop.openssl(`${make} -passout pass: -out empty.p12`);
  shop.openssl(`${make} -legacy -passout pass: -out old-empty.p12`);
  shop.openssl(`${make} -keypbe NONE -certpbe NONE -nomac -passout pass: -out plain.p12`);
  for (const name of ['empty.p12', 'old-empty.p12', 'plain.p12']) await subjects(shop, name);
  for (const options of ['', ' -legacy']) {
    shop.openssl(`${make}${options} -passout pass:Käse-日本 -out letters.pfx`);
    const said = await certpin(['get', '-q', shop.path('letters.pfx'), '--password-env', 'P'], {
      env: { P: 'Käse-日本' },
    });
    assert.deepEqual(said, { stdout: `${shop.fingerprint('server.pem')}\n`, stderr: '', code: 0 });
  }
});

test('PKCS#12 whose certificate stands behind an unrelated one: localKeyID tells the leaf', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.write('other.pem', (await mint({ subject: 'CN=other' })).certPem + shop.read('server.pem').toString());
  shop.openssl('pkcs12 -export -in other.pem -inkey server.key -passout pass: -out server.p12');
  assert.deepEqual(await subjects(shop, 'server.p12'), ['CN=db.example.com', 'CN=other']);
});

test('PKCS#12 with certificates alone, and with a key alone', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.write('all.pem', shop.read('cas.pem').toString() + shop.read('server.pem'));
  shop.openssl('pkcs12 -export -nokeys -in all.pem -passout pass:x -out store.p12');
  assert.equal((await subjects(shop, 'store.p12', '--password-file', shop.write('x', 'x'))).length, 3);
  for (const options of ['', ' -legacy', ' -keypbe NONE']) {
    shop.openssl(`pkcs12 -export -nocerts -inkey server.key -passout pass:x -out key.p12${options}`);
    const names = { FILE: shop.path('key.p12'), PIN: shop.keyPin('server.key') };
    assert.equal(await transcript('get -q FILE --password-env P', names, { env: { P: 'x' } }), 'PIN\nexit 0', options);
  }
});

test('a password is asked for where somebody is there, once for each file and never twice at a time', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.openssl(`pkcs12 -export -in server.pem -inkey server.key -passout pass:${PASSWORD} -out server.p12`);
  const names = { FILE: shop.path('server.p12'), HEX: shop.fingerprint('server.pem') };
  assert.equal(
    await transcript('get -q FILE FILE', names, { typed: PASSWORD }),
    'HEX\nHEX\n2> password of FILE: \n2> password of FILE: \nexit 0',
  );
  assert.equal(
    await transcript('get FILE', names, { typed: 'wrong' }),
    '2> password of FILE: \n2> certpin: error: FILE: the password is wrong, or the file is damaged\nexit 2',
  );
  assert.equal(
    await transcript('get FILE', names),
    `2> certpin: error: FILE: it is encrypted, and no password was given
2> certpin: hint: certpin get FILE --password-file password.txt
exit 2`,
  );
  assert.equal(
    await transcript('check FILE --pin HEX -q', names, { typed: PASSWORD }),
    '2> password of FILE: \nexit 0',
  );
});

test('where a password comes from: mistakes', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.openssl(`pkcs12 -export -in server.pem -inkey server.key -passout pass:${PASSWORD} -out server.p12`);
  const names = { FILE: shop.path('server.p12'), NOWHERE: shop.path('nowhere') };
  assert.equal(
    await transcript('get FILE --password-env UNSET', names),
    '2> certpin: error: FILE: the environment variable that --password-env names is not set\nexit 2',
  );
  assert.equal(
    await transcript('get FILE --password-file NOWHERE', names),
    '2> certpin: error: FILE: NOWHERE: no such file\nexit 2',
  );
  assert.equal(
    await transcript('get FILE --password-file a --password-env B', names),
    `2> certpin: error: option '--password-file <file>' cannot be used with option '--password-env <name>'
2> certpin: hint: certpin help get
exit 2`,
  );
});

test('a file that asks for endless rounds of key derivation is refused before the first', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  for (const options of ['', ' -legacy', ' -nomac -certpbe AES-256-CBC', ' -nomac -certpbe PBE-SHA1-3DES']) {
    shop.openssl(
      `pkcs12 -export -in server.pem -inkey server.key -iter 70000 -passout pass:x -out server.p12${options}`,
    );
    // 02 03 01 11 70: INTEGER 70 000, made 8 388 607 without any other change
    const hex = shop.read('server.p12').toString('hex').replaceAll('0203011170', '02037fffff');
    shop.write('endless.p12', Buffer.from(hex, 'hex'));
    assert.equal(
      await transcript('get FILE', { FILE: shop.path('endless.p12') }),
      '2> certpin: error: FILE: it asks for more than 4000000 rounds of key derivation\nexit 2',
      options,
    );
  }
});

test('a certificate that is not in DER inside PKCS#7 is refused: other bytes than its own would be hashed', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  const der = shop.openssl('x509 -in server.pem -outform DER');
  shop.openssl('crl2pkcs7 -nocrl -certfile server.pem -outform DER -out server.p7c');
  // The length of the certificate, and with it that of all that is around it, in one byte more than DER allows (X.690 §10.1).
  const file = shop.read('server.p7c');
  const start = file.indexOf(der);
  const longer = Buffer.concat([file.subarray(0, start + 1), Buffer.from([0x83, 0]), file.subarray(start + 2)]);
  for (let at = 0; at < start; at++) {
    const encloses = (longer[at] === 0x30 || longer[at] === 0xa0) && longer[at + 1] === 0x82;
    if (encloses) longer.writeUInt16BE(longer.readUInt16BE(at + 2) + 1, at + 2);
  }
  shop.write('longer.p7c', longer);
  shop.openssl('pkcs7 -inform DER -in longer.p7c -print_certs'); // which OpenSSL reads
  assert.equal(
    await transcript('get FILE', { FILE: shop.path('longer.p7c') }),
    `2> certpin: error: FILE: it is damaged or cut, or not a file that certpin reads
2> certpin: hint: certpin help get
exit 2`,
  );
});
