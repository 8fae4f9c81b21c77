import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import { certpin, PASSWORD, transcript } from '../transcript.ts';
import { openWorkshop } from './openssl.ts';

const kinds = {
  'RSA 2048': 'genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem',
  'EC P-256': 'genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem',
  'EC P-384': 'genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem',
  'EC secp256k1': 'genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key.pem',
  Ed25519: 'genpkey -algorithm ed25519 -out key.pem',
  Ed448: 'genpkey -algorithm ed448 -out key.pem',
  'RSA-PSS 2048': 'genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out key.pem',
};

for (const [algorithm, command] of Object.entries(kinds)) {
  test(`${algorithm}: the pin of a key, of its request and of its public half, in every form, is openssl's`, async (t) => {
    const shop = openWorkshop(t);
    shop.openssl(command);
    const files: Record<string, string> = {
      'key.pem': 'private key',
      'key.der': 'private key',
      'encrypted.pem': 'private key',
      'encrypted.der': 'private key',
      'public.pem': 'public key',
      'public.der': 'public key',
      'request.csr': 'certificate signing request',
      'request.der': 'certificate signing request',
    };
    shop.openssl('pkey -in key.pem -outform DER -out key.der');
    shop.openssl(`pkcs8 -topk8 -in key.pem -passout pass:${PASSWORD} -out encrypted.pem`);
    shop.openssl(`pkcs8 -topk8 -in key.pem -passout pass:${PASSWORD} -outform DER -out encrypted.der`);
    for (const [name, options] of Object.entries({
      'scrypt.pem': '-scrypt',
      'pkcs12.pem': '-v1 PBE-SHA1-3DES',
      'rc2.pem': '-v1 PBE-SHA1-RC2-40 -provider legacy -provider default',
      'sha1.pem': '-v2 des3 -v2prf hmacWithSHA1',
    })) {
      shop.openssl(`pkcs8 -topk8 -in key.pem -passout pass:${PASSWORD} -out ${name} ${options}`);
      files[name] = 'private key';
    }
    shop.openssl('pkey -in key.pem -pubout -out public.pem');
    shop.openssl('pkey -in key.pem -pubout -outform DER -out public.der');
    shop.openssl('req -new -key key.pem -subj /CN=next -out request.csr');
    shop.openssl('req -in request.csr -outform DER -out request.der');
    if (/^(?:RSA|EC) /.test(algorithm)) {
      shop.openssl('pkey -in key.pem -traditional -out traditional.pem');
      shop.openssl(`pkey -in key.pem -traditional -aes256 -passout pass:${PASSWORD} -out old-encrypted.pem`);
      shop.openssl('pkey -in key.pem -traditional -outform DER -out traditional.der');
      for (const name of ['traditional.pem', 'old-encrypted.pem', 'traditional.der']) files[name] = 'private key';
    }
    const pin = shop.keyPin('key.pem');
    for (const [name, source] of Object.entries(files)) {
      const { stdout, stderr, code } = await certpin(['get', '--json', shop.path(name), '--password-env', 'P'], {
        env: { P: PASSWORD },
      });
      assert.deepEqual({ stderr, code }, { stderr: '', code: 0 }, `${name} ${stdout}`);
      const sha256 = Buffer.from(pin.slice('sha256/'.length), 'base64').toString('hex').toUpperCase();
      assert.deepEqual(JSON.parse(stdout), {
        target: shop.path(name),
        protocol: 'file',
        ok: true,
        certificate: null,
        chain: [],
        publicKey: { source, algorithm, sha256, pin },
      });
    }
  });
}

test('the pin of a request is that of the certificate that is made from it', async (t) => {
  const shop = openWorkshop(t);
  shop.openssl('req -new -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=next -out next.csr');
  const names = { FILE: shop.path('next.csr'), PIN: shop.keyPin('key.pem'), OTHER: `sha256/${'A'.repeat(43)}=` };
  assert.equal(
    await transcript('get FILE', names),
    `FILE
  certificate signing request (RSA 2048), and no certificate
  public-key pin       PIN
  for the next certificate: every certificate that is made with this key has this pin
exit 0`,
  );
  assert.equal(await transcript('get -q FILE', names), 'PIN\nexit 0');
  assert.equal(
    await transcript('check FILE --pin PIN', names),
    `pin holds for FILE: a certificate with this key has a pinned public key
  certificate signing request (RSA 2048): PIN
exit 0`,
  );
  assert.equal(
    await transcript('check FILE --pin OTHER', names),
    `pin mismatch for FILE: the public key is none of the pinned ones
  certificate signing request (RSA 2048): PIN
  configured: OTHER (public-key)
exit 1`,
  );
  assert.equal(
    await transcript(`check FILE --pin ${'AA'.repeat(32)}`, names),
    `2> certpin: error: FILE: it holds a certificate signing request (RSA 2048) and no certificate: only a public-key pin (sha256/…) can be compared with it
2> certpin: hint: certpin get FILE
exit 2`,
  );
  assert.equal(
    await transcript('check FILE --pin PIN --require-hostname', names),
    '2> certpin: error: FILE: it holds a certificate signing request (RSA 2048), which names no host\nexit 2',
  );
  assert.equal(await transcript('check FILE -q --pin OTHER', names), 'exit 1');
  const { stdout, code } = await certpin(['check', names.FILE, '--json', '--pin', names.OTHER]);
  const { ok, code: reason, certificate, publicKey } = JSON.parse(stdout);
  assert.deepEqual(
    { code, ok, reason, certificate, pin: publicKey.pin },
    { code: 1, ok: false, reason: 'ERR_PIN_MISMATCH', certificate: null, pin: names.PIN },
  );
  shop.openssl('x509 -req -in next.csr -signkey key.pem -days 30 -out next.pem');
  assert.match(await transcript('check FILE --pin PIN', { ...names, FILE: shop.path('next.pem') }), /exit 0$/);
});

test('a key and a request: --format is refused with its reason, --csv has the public key alone', async (t) => {
  const shop = openWorkshop(t);
  shop.openssl('req -new -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=next -out next.csr');
  const sha256 = Buffer.from(shop.keyPin('key.pem').slice('sha256/'.length), 'base64').toString('hex').toUpperCase();
  const kinds = { 'key.pem': 'private key', 'next.csr': 'certificate signing request' };
  for (const [name, kind] of Object.entries(kinds)) {
    const names = { FILE: shop.path(name), SHA256: sha256 };
    for (const form of ['hex', 'spki', 'pg']) {
      assert.equal(
        await transcript(`get --format ${form} FILE`, names),
        `2> certpin: error: FILE: --format ${form} is for certificates, and this is a ${kind}: leave it out, or give -q
2> certpin: hint: certpin help get
exit 2`,
      );
    }
    const table = await transcript('get --csv FILE', names);
    assert.match(table, /^target,protocol,ok,position,certificate_sha256,public_key_sha256,.*\r\n/);
    assert.equal(table.slice(table.indexOf('\n') + 1), 'FILE,file,true,,,SHA256,,,,,,,,,\r\nexit 0');
  }
});

test('a request whose key was changed is refused', async (t) => {
  const shop = openWorkshop(t);
  shop.openssl('req -new -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=next -outform DER -out next.csr');
  const changed = shop.read('next.csr');
  const modulus = changed.indexOf(Buffer.from('0282010100', 'hex')); // INTEGER, 257 bytes, the first of them 0
  changed.writeUInt8(changed.readUInt8(modulus + 100) ^ 1, modulus + 100);
  shop.write('changed.csr', changed);
  assert.equal(
    await transcript('get FILE', { FILE: shop.path('changed.csr') }),
    '2> certpin: error: FILE: the signing request is damaged: its signature does not fit its key\nexit 2',
  );
});

test('a certificate beside its key: the certificate is the answer, and no password is asked for', async (t) => {
  const shop = openWorkshop(t);
  const certificate = await mint();
  shop.write('key.pem', certificate.keyPem);
  const encrypted = shop.openssl(`pkcs8 -topk8 -in key.pem -passout pass:${PASSWORD}`).toString();
  const text = `Bag Attributes\n    friendlyName: db\n${encrypted}subject=CN = db\n${certificate.certPem}that was it\n`;
  const names = { FILE: shop.write('both.pem', text), HEX: certificateHex(certificate) };
  assert.equal(await transcript('get -q FILE', names), 'HEX\nexit 0');
});

test('several keys in a file: one pin, where they are halves of one key', async (t) => {
  const shop = openWorkshop(t);
  const [first, second] = [await mint(), await mint()];
  shop.write('key.pem', first.keyPem);
  const pub = shop.openssl('pkey -in key.pem -pubout').toString();
  const names = { ONE: shop.write('one.pem', first.keyPem + pub), PIN: await publicKeyPin(first) };
  assert.equal(await transcript('get -q ONE', names), 'PIN\nexit 0');
  assert.equal(
    await transcript('get TWO', { TWO: shop.write('two.pem', first.keyPem + second.keyPem) }),
    '2> certpin: error: TWO: it holds 2 different keys: give each in a file of its own\nexit 2',
  );
});

test('an encrypted key: the password is asked for, and neither it nor the key is shown', async (t) => {
  const shop = openWorkshop(t);
  shop.openssl(`genpkey -algorithm ed25519 -aes256 -pass pass:${PASSWORD} -out key.pem`);
  shop.openssl(`pkey -in key.pem -passin pass:${PASSWORD} -out plain.pem`);
  const names = { FILE: shop.path('key.pem'), PIN: shop.keyPin('plain.pem') };
  assert.equal(await transcript('get -q FILE', names, { typed: PASSWORD }), 'PIN\n2> password of FILE: \nexit 0');
  assert.equal(
    await transcript('get -q FILE', names, { typed: 'wrong' }),
    '2> password of FILE: \n2> certpin: error: FILE: the password is wrong, or the file is damaged\nexit 2',
  );
});

test('a cipher that certpin does not know: openssl may', async (t) => {
  const shop = openWorkshop(t);
  shop.openssl('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem');
  shop.openssl('req -x509 -key key.pem -subj /CN=x -out cert.pem');
  const legacy = '-provider legacy -provider default';
  shop.openssl(`pkcs8 -topk8 -in key.pem -v1 PBE-MD5-DES -passout pass:x -out des.pem ${legacy}`);
  shop.openssl(`pkey -in key.pem -traditional -des -passout pass:x -out old.pem ${legacy}`);
  shop.openssl(
    `pkcs12 -export -in cert.pem -inkey key.pem -certpbe PBE-MD5-DES -passout pass:x -out des.p12 ${legacy}`,
  );
  const refusals = {
    'des.pem': 'it is encrypted with an algorithm that certpin does not know|pkey -pubout',
    'old.pem': 'the key is encrypted with a cipher that is out of use|pkey -pubout',
    'des.p12': 'it is encrypted with an algorithm that certpin does not know|pkcs12 -nokeys',
  };
  for (const [name, expected] of Object.entries(refusals)) {
    const [error, command] = expected.split('|');
    const hint = `openssl ${command} ${legacy} -in FILE`;
    assert.equal(
      await transcript('get FILE --password-env P', { FILE: shop.path(name) }, { env: { P: 'x' } }),
      `2> certpin: error: FILE: ${error}\n2> certpin: hint: ${hint} | certpin get -\nexit 2`,
    );
    shop.openssl(`${hint.slice('openssl '.length).replace('FILE', name)} -passin pass:x`); // the hint works
  }
});
