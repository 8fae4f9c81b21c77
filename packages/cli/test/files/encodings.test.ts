// One reader of files and one of text: what `get` reads, every option reads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import { startServer } from '../peers.ts';
import { PASSWORD, transcript } from '../transcript.ts';
import { mintFiles, openWorkshop } from './openssl.ts';

const certificate = await mint({ subject: 'CN=db.example.com' });
const HEX = certificateHex(certificate);

const encodings: Record<string, (text: string) => Buffer> = {
  'UTF-8 with its mark': (text) => Buffer.from(`\uFEFF${text}`),
  'UTF-16 of PowerShell': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  'UTF-16, big end first': (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
  'UTF-16 without a mark': (text) => Buffer.from(text, 'utf16le'),
  'line ends of Windows': (text) => Buffer.from(text.replaceAll('\n', '\r\n')),
  'line ends of an old Macintosh': (text) => Buffer.from(text.replaceAll('\n', '\r')),
};

for (const [name, encode] of Object.entries(encodings)) {
  test(`every text file that an option names is read in ${name}`, async (t) => {
    const shop = openWorkshop(t);
    const server = await startServer(t, certificate);
    await mintFiles(shop);
    shop.openssl(`pkcs12 -export -in server.pem -inkey server.key -passout pass:${PASSWORD} -out server.p12`);
    const names = {
      FILE: shop.write('server.crt', certificate.certPem),
      P12: shop.path('server.p12'),
      PINS: shop.write('pins.txt', encode(`# as printed into >\n${HEX}\n`)),
      CERT: shop.write('cert.txt', encode(`# the certificate\n${certificate.certPem}`)),
      TARGETS: shop.write('targets.txt', encode(`# servers\n127.0.0.1:${server.port}\n\n`)),
      PASS: shop.write('password.txt', encode(`${PASSWORD}\nanother line\n`)),
      PORT: server.port,
      HEX,
      LEAF: shop.fingerprint('server.pem'),
    };
    assert.match(await transcript('check FILE --pins-file PINS', names), /^pin matched: [\s\S]*exit 0$/);
    assert.match(await transcript('check FILE --pins-file CERT', names), /^pin matched: [\s\S]*exit 0$/);
    assert.equal(await transcript('get -q CERT', names), 'HEX\nexit 0');
    assert.equal(await transcript('get -q --targets-file TARGETS', names), 'HEX\nexit 0');
    const stdin = encode(`127.0.0.1:${server.port}\n`);
    assert.equal(await transcript('get -q --targets-file -', names, { stdin }), 'HEX\nexit 0');
    assert.equal(await transcript('get -q P12 --password-file PASS', names), 'LEAF\nexit 0');
  });

  test(`settings of a script are read in ${name}`, async (t) => {
    const shop = openWorkshop(t);
    const script =
      'function login(email, password, callback) { callback(null, { user_id: configuration.ID, email }); }';
    const names = {
      LOGIN: shop.write('login.js', encode(`${script}\n`)),
      CONFIG: shop.write('config.json', encode('{ "ID": "käse|1" }\n')),
      PASS: shop.write('password.txt', encode('x\n')),
    };
    const said = await transcript(
      'auth0 run LOGIN --user me@example.com --password-file PASS --config-file CONFIG',
      names,
    );
    assert.match(said, /käse\|1/);
    assert.match(said, /exit 0$/);
  });
}

test('a pins file in UTF-16 is checked, and keeps its encoding when trust adds to it', async (t) => {
  const shop = openWorkshop(t);
  const file = shop.write('server.crt', certificate.certPem);
  shop.write('next.crt', (await mint()).certPem);
  const document = JSON.stringify({ version: 1, targets: [{ target: './server.crt', pins: [HEX], note: 'Käse' }] });
  const names = {
    FILE: file,
    NEXT: shop.path('next.crt'),
    PINS: shop.write('certpin.json', Buffer.from(`\uFEFF${document}\r\n`, 'utf16le')),
  };
  assert.match(await transcript('check --file PINS', names), /exit 0$/);
  assert.match(await transcript('trust NEXT --file PINS --yes', names), /exit 0$/);
  const text = new TextDecoder('utf-16le', { ignoreBOM: true }).decode(readFileSync(names.PINS));
  assert.match(text, /^\uFEFF\{.*Käse.*next\.crt.*\r\n$/s);
  assert.match(await transcript('check --file PINS', names), /exit 0$/);
});

/** Files of every kind for one certificate. */
async function containers(
  t: TestContext,
): Promise<{ shop: ReturnType<typeof openWorkshop>; names: Record<string, string> }> {
  const shop = openWorkshop(t);
  await mintFiles(shop, 'rsa');
  for (const command of [
    'crl2pkcs7 -nocrl -certfile server.pem -out server.p7b',
    'crl2pkcs7 -nocrl -certfile server.pem -outform DER -out server.p7c',
    `pkcs12 -export -in server.pem -inkey server.key -certfile cas.pem -passout pass:${PASSWORD} -out server.p12`,
    'pkcs12 -export -in server.pem -inkey server.key -passout pass: -out open.p12',
    'x509 -in server.pem -trustout -addtrust serverAuth -out trusted.pem',
    'x509 -in server.pem -outform DER -out server.cer',
    'req -new -key server.key -subj /CN=next -out next.csr',
    'req -new -key server.key -subj /CN=next -outform DER -out next.der',
    'rsa -in server.key -pubout -out public.pem',
    'x509 -in server.pem -text -subject -issuer -dates -serial -out text.pem',
    'pkcs12 -in open.p12 -nokeys -passin pass: -out bag.pem',
    'rsa -in server.key -RSAPublicKey_out -out public1.pem',
  ])
    shop.openssl(command);
  shop.write('password.txt', PASSWORD);
  const base64 = (name: string): string => shop.read(name).toString('base64');
  shop.write('pem.b64', `${base64('server.pem')}\n`);
  shop.write('lines.b64', base64('server.pem').replace(/.{76}/g, '$&\n'));
  shop.write('der.b64', base64('server.cer'));
  shop.write('p12.b64', base64('open.p12').replace(/.{64}/g, '$&\r\n'));
  shop.write('x5c.json', JSON.stringify({ keys: [{ kty: 'RSA', x5c: [base64('server.cer')] }] }));
  shop.write('x5c.txt', JSON.stringify([base64('server.cer')]));
  shop.write(
    'saml.xml',
    `<ds:X509Certificate>\n${base64('server.cer').replace(/.{64}/g, '$&\n')}</ds:X509Certificate>`,
  );
  shop.write(
    'secret.yaml',
    `apiVersion: v1\ndata:\n  ca.crt: ${base64('cas.pem')}\n  tls.crt: ${base64('server.pem')}\n  tls.key: ${base64('server.key')}\nkind: Secret\ntype: kubernetes.io/tls\n`,
  );
  shop.write(
    'folded.yaml',
    `kind: Secret\ndata:\n  tls.crt: >-\n    ${base64('server.pem').replace(/.{76}/g, '$&\n    ')}\n  tls.key: ${base64('server.key')}\n`,
  );
  const names = {
    HEX: shop.fingerprint('server.pem'),
    PIN: shop.keyPin('server.key'),
    PASS: shop.path('password.txt'),
  };
  return { shop, names };
}

const ofCertificate = [
  'server.pem',
  'server.cer',
  'server.p7b',
  'server.p7c',
  'server.p12',
  'open.p12',
  'trusted.pem',
  'text.pem',
  'bag.pem',
];
const encoded = [
  'pem.b64',
  'lines.b64',
  'der.b64',
  'p12.b64',
  'x5c.json',
  'x5c.txt',
  'saml.xml',
  'secret.yaml',
  'folded.yaml',
];
const ofKey = ['next.csr', 'next.der', 'public.pem', 'public1.pem'];

test('a container, a request and a key are the same to get, check, trust and --pins-file', async (t) => {
  const { shop, names } = await containers(t);
  for (const name of [...ofCertificate, ...encoded, ...ofKey]) {
    const all = { ...names, FILE: shop.path(name), SERVER: shop.path('server.pem') };
    const shown = ofKey.includes(name) ? 'PIN' : 'HEX';
    const password = name === 'server.p12' ? ' --password-file PASS' : '';
    assert.equal(await transcript(`get -q FILE${password}`, all), `${shown}\nexit 0`, name);
    assert.match(
      await transcript(`check FILE --pin ${shown}${password}`, all),
      /^pin (?:matched|holds)[\s\S]*exit 0$/,
      name,
    );
    const pinned = await transcript(`check SERVER --pins-file FILE${password}`, all);
    assert.match(pinned, /^pin matched: the certificate in the file is .*[\s\S]*exit 0$/, name);
    const trust = `trust db.example.com:5432 --from FILE${password} --yes --file ${shop.path(`${name}.json`)}`;
    assert.match(await transcript(trust, all), /added to .*\nexit 0$/, name);
  }
});

test('a pin that is mistyped is found beside a container', async (t) => {
  const { shop, names } = await containers(t);
  const mistyped = (names.HEX ?? '').slice(1);
  for (const name of ['server.p7b', 'next.csr', 'trusted.pem', 'text.pem', 'bag.pem']) {
    for (const content of [`${mistyped}\n${shop.read(name)}`, `${shop.read(name)}\n# and\n${mistyped}\n`]) {
      const all = { PINS: shop.write('pins.txt', content), SERVER: shop.path('server.pem') };
      const said = await transcript('check SERVER --pins-file PINS', all);
      assert.match(said, /error: PINS: pin \d cannot be used: 63 hex digits; a SHA-256 has 64\n/, name);
    }
  }
});

test('--pins-file says what a file is that it does not read, as get says it, and repeats nothing of it', async (t) => {
  const { shop, names } = await containers(t);
  shop.openssl('pkcs8 -topk8 -nocrypt -in server.key -outform DER -out key.der');
  shop.openssl(`rsa -in server.key -aes256 -passout pass:${PASSWORD} -out encrypted.pem`);
  shop.openssl('pkcs12 -export -nocerts -inkey server.key -passout pass: -out key.p12');
  shop.write('store.jks', Buffer.concat([Buffer.from('feedfeed00000002', 'hex'), Buffer.alloc(40)]));
  shop.write('empty.txt', '');
  shop.write('binary.bin', Buffer.from('00ff00ff8081fe', 'hex'));
  shop.write('cut.p12', shop.read('server.p12').subarray(0, 300));
  shop.write('tls.key.b64', shop.read('server.key').toString('base64'));
  shop.write('key.yaml', `kind: Secret\ndata:\n  tls.key: ${shop.read('server.key').toString('base64')}\n`);
  mkdirSync(shop.path('folder.d'));
  const key = /a private key,? ?(?:which|:)[\s\S]*pin its certificate or its public key/;
  const said: Record<string, RegExp> = {
    'server.key': key,
    'key.der': key,
    'key.p12': key,
    'key.yaml': key,
    'tls.key.b64': key,
    'encrypted.pem': key,
    'store.jks': /it is a Java keystore \(JKS\), which certpin does not read: convert it to PKCS#12\n.*hint: keytool/,
    'empty.txt': /no pin: the set is empty/,
    'binary.bin': /pin 1 cannot be used/,
    'cut.p12': /it is damaged or cut/,
    'folder.d': /: it is a directory\n/,
    'nowhere.txt': /: no such file\n/,
  };
  const secrets = [
    PASSWORD,
    ...shop
      .read('server.key')
      .toString()
      .split('\n')
      .filter((line) => line.length > 40 && !line.startsWith('-')),
  ];
  for (const [name, words] of Object.entries(said)) {
    const all = { ...names, FILE: shop.path(name), SERVER: shop.path('server.pem') };
    const answer = await transcript('check SERVER --pins-file FILE', all);
    assert.match(answer, /^2> certpin: error: FILE: [\s\S]*exit 2$/, name);
    assert.match(answer, words, name);
    for (const secret of secrets) assert.ok(!answer.includes(secret.slice(0, 40)), name);
  }
});

test('a PKCS#12 file is read, whatever its extension: keytool calls its own .jks', async (t) => {
  const { shop, names } = await containers(t);
  const all = { ...names, FILE: shop.write('store.jks', shop.read('server.p12')) };
  assert.equal(await transcript('get -q FILE --password-file PASS', all), 'HEX\nexit 0');
});

test('several leaves are named: get and check warn, trust does not choose', async (t) => {
  const shop = openWorkshop(t);
  const other = await mint({ subject: 'CN=other.example.com' });
  shop.write('db.pem', certificate.certPem);
  shop.write('db.key', certificate.keyPem);
  shop.write('other.pem', other.certPem);
  shop.write('other.key', other.keyPem);
  shop.write('two.pem', certificate.certPem + other.certPem);
  shop.openssl('crl2pkcs7 -nocrl -certfile two.pem -outform DER -out two.p7b');
  execFileSync(
    process.execPath,
    [
      '-e',
      TWO_KEYS,
      shop.path('two.p12'),
      ...['db', 'other'].flatMap((name) => [shop.path(`${name}.pem`), shop.path(`${name}.key`)]),
    ],
    { cwd: new URL('../..', import.meta.url) },
  );
  for (const file of ['two.pem', 'two.p7b', 'two.p12']) {
    const names = { FILE: shop.path(file), HEX, PINS: shop.path(`${file}.json`) };
    const several = 'it holds 2 certificates that may be the leaf (CN=db.example.com; CN=other.example.com)';
    const warning = `2> certpin: warning: FILE: ${several}: the first is taken; put the right one into a file of its own\n`;
    const shown = await transcript('get FILE', names);
    assert.match(shown, /^ {2}in the file too: CN=other\.example\.com$/m);
    assert.ok(shown.includes(warning), shown);
    assert.equal(await transcript('get -q FILE', names), `HEX\n${warning}exit 0`);
    assert.ok((await transcript('check FILE --pin HEX', names)).includes(warning));
    for (const how of ['--yes', '--yes --json', '--from FILE --yes']) {
      const target = how.startsWith('--from') ? 'db.example.com:5432' : 'FILE';
      const said = await transcript(`trust ${target} ${how} --file PINS`, names, { confirmed: true });
      assert.ok(said.includes(`${several}: put the right one into a file of its own`), said);
      assert.match(said, /exit 2$/);
    }
    const records = await transcript('get --format tlsa --chain FILE', names);
    assert.doesNotMatch(records, /^2 [01] 1/m, 'the other one is no CA');
  }
  const twice = { FILE: shop.write('twice.pem', certificate.certPem.repeat(2)), HEX };
  assert.equal(await transcript('get -q FILE', twice), 'HEX\nexit 0');
});

/** openssl puts one key into a file; node-forge, two. */
const TWO_KEYS = `
const forge = require('node-forge');
const { readFileSync, writeFileSync } = require('node:fs');
const { createPrivateKey } = require('node:crypto');
const { asn1, util } = forge;
const [target, ...files] = process.argv.slice(1);
const T = asn1.Type, U = asn1.Class.UNIVERSAL, C = asn1.Class.CONTEXT_SPECIFIC;
const seq = (...v) => asn1.create(U, T.SEQUENCE, true, v);
const oid = (o) => asn1.create(U, T.OID, false, asn1.oidToDer(o).getBytes());
const octets = (b) => asn1.create(U, T.OCTETSTRING, false, b);
const explicit = (v) => asn1.create(C, 0, true, [v]);
const der = (pem) => Buffer.from(pem.replace(/-----[^-]+-----|\\s/g, ''), 'base64').toString('latin1');
const id = (n) => asn1.create(U, T.SET, true, [seq(oid('1.2.840.113549.1.9.21'), asn1.create(U, T.SET, true, [octets(String.fromCharCode(n))]))]);
const bags = [];
for (let i = 0; i < files.length; i += 2) {
  const certificate = der(readFileSync(files[i], 'latin1'));
  const key = createPrivateKey(readFileSync(files[i + 1])).export({ type: 'pkcs8', format: 'der' }).toString('latin1');
  bags.push(seq(oid('1.2.840.113549.1.12.10.1.1'), explicit(asn1.fromDer(key)), id(i)));
  bags.push(seq(oid('1.2.840.113549.1.12.10.1.3'), explicit(seq(oid('1.2.840.113549.1.9.22.1'), explicit(octets(certificate)))), id(i)));
}
const data = (v) => seq(oid('1.2.840.113549.1.7.1'), explicit(octets(asn1.toDer(v).getBytes())));
const pfx = seq(asn1.create(U, T.INTEGER, false, '\\x03'), data(seq(data(seq(...bags)))));
writeFileSync(target, Buffer.from(asn1.toDer(pfx).getBytes(), 'latin1'));
`;

test('a file that is missing is told in one way: PATH: no such file', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.openssl(`pkcs12 -export -in server.pem -inkey server.key -passout pass:${PASSWORD} -out server.p12`);
  const names = {
    NONE: shop.path('none.txt'),
    FILE: shop.path('server.pem'),
    P12: shop.path('server.p12'),
    SCRIPT: shop.write('login.js', 'function login(e, p, c) { c(null); }'),
  };
  for (const command of [
    'get NONE',
    'get --targets-file NONE',
    'get P12 --password-file NONE',
    'get a.example --cert NONE --key FILE',
    'get a.example --cert FILE --key NONE',
    'check NONE --pin sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'check FILE --pins-file NONE',
    'check --file NONE',
    'trust db.example.com:5432 --from NONE --yes --file NONE.json',
    'auth0 run SCRIPT --config-file NONE',
    'auth0 run SCRIPT --secrets-file NONE',
    'auth0 run SCRIPT --event NONE',
    'auth0 run SCRIPT --user a --password-file NONE',
    'auth0 verify NONE',
    'auth0 block pg --insert NONE',
    'auth0 new --client pg --new-users --pins-file NONE',
  ]) {
    const said = await transcript(command, names);
    assert.match(said, /^2> certpin: error: (?:P12: |db\.example\.com:5432: )?NONE: no such file\n/, command);
    assert.match(said, /exit 2$/, command);
  }
  const typed = await transcript('get P12 --password-file hunter2', names);
  assert.equal(typed, '2> certpin: error: P12: --password-file: no such file\nexit 2', 'it may be the password');
});

test('a pin in pairs on the command line is put together again, beside another one', async (t) => {
  const shop = openWorkshop(t);
  const colons = certificate.x509.fingerprint256;
  const names = { FILE: shop.write('server.pem', certificate.certPem), HEX, KEY: await publicKeyPin(certificate) };
  for (const pins of [
    colons.replaceAll(':', ' '),
    `SHA256: ${colons}`,
    `sha256 Fingerprint=${colons}`,
    `SHA256:${colons}`,
    `Certificate fingerprint (SHA-256): ${colons}`,
    `3 0 1 ${HEX}`,
    `HEX ${colons.replaceAll(':', ' ')}`,
  ]) {
    assert.match(await transcript(`check FILE --pin ${pins}`, names), /^pin matched[\s\S]*exit 0$/, pins);
  }
});
