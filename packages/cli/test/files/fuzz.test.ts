import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isLong } from '@certpin/testkit';
import fc from 'fast-check';
import { certpin, PASSWORD } from '../transcript.ts';
import { mintFiles, openWorkshop } from './openssl.ts';

// Files that were cut, garbled or made up: an answer, or one error with the code of an unreadable file. Nothing else is ever said.

const makers: Record<string, string> = {
  'server.der': 'x509 -in server.pem -outform DER -out server.der',
  'server.p7b': 'crl2pkcs7 -nocrl -certfile server.pem -certfile cas.pem -out server.p7b',
  'server.p7c': 'crl2pkcs7 -nocrl -certfile server.pem -certfile cas.pem -outform DER -out server.p7c',
  'server.p12': `pkcs12 -export -in server.pem -inkey server.key -passout pass:${PASSWORD} -out server.p12`,
  'old.p12': `pkcs12 -export -legacy -in server.pem -inkey server.key -passout pass:${PASSWORD} -out old.p12`,
  'bare.p12': 'pkcs12 -export -in server.pem -inkey server.key -nomac -passout pass: -out bare.p12',
  'request.csr': 'req -new -key server.key -subj /CN=x -out request.csr',
  'request.der': 'req -new -key server.key -subj /CN=x -outform DER -out request.der',
  'key.der': 'pkey -in server.key -outform DER -out key.der',
  'public.der': 'pkey -in server.key -pubout -outform DER -out public.der',
  'encrypted.pem': `pkcs8 -topk8 -in server.key -passout pass:${PASSWORD} -out encrypted.pem`,
  'encrypted.der': `pkcs8 -topk8 -in server.key -passout pass:${PASSWORD} -outform DER -out encrypted.der`,
};

async function ask(bytes: Uint8Array): Promise<void> {
  const said = await certpin(['get', '--json', '-', '--password-env', 'P'], { stdin: bytes, env: { P: PASSWORD } });
  const { ok, error } = JSON.parse(said.stdout);
  assert.deepEqual({ stderr: said.stderr, code: said.code }, { stderr: '', code: ok ? 0 : 2 });
  if (ok) return;
  assert.equal(error.code, 'ERR_FILE_UNREADABLE', said.stdout);
  assert.ok(error.message.length < 200, error.message);
}

/** The short form has a quarter of them. */
const runs = (count: number): number => (isLong ? count : count / 4);

describe('files that are not what they were', () => {
  const files = new Map<string, Buffer>();
  before(async () => {
    const shop = openWorkshop({ after });
    await mintFiles(shop);
    for (const [name, command] of Object.entries(makers)) {
      shop.openssl(command);
      files.set(name, shop.read(name));
    }
    files.set('server.pem', shop.read('server.pem'));
  });

  for (const name of [...Object.keys(makers), 'server.pem']) {
    const file = (): Buffer => files.get(name) ?? assert.fail(name);

    test(`${name}, cut`, () =>
      fc.assert(
        fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), (part) =>
          ask(file().subarray(0, Math.floor(part * file().length))),
        ),
        { numRuns: runs(40) },
      ));

    test(`${name}, garbled`, () => {
      const change = fc.tuple(fc.nat(), fc.nat(255));
      return fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
          const bytes = Buffer.from(file());
          for (const [position, value] of changes) bytes.writeUInt8(value, position % bytes.length);
          return ask(bytes);
        }),
        { numRuns: runs(60) },
      );
    });
  }

  test('anything that begins as DER does', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (tail) =>
        ask(Buffer.concat([Buffer.from([0x30, 0x80]), tail])),
      ),
      { numRuns: runs(300) },
    ));

  test('any PEM blocks', () => {
    const label = fc.constantFrom(
      'CERTIFICATE',
      'PKCS7',
      'CERTIFICATE REQUEST',
      'PRIVATE KEY',
      'ENCRYPTED PRIVATE KEY',
      'EC PRIVATE KEY',
      'PUBLIC KEY',
      'X509 CRL',
      '',
      'A\u0000B',
    );
    const block = fc.record({ label, end: label, body: fc.uint8Array({ maxLength: 100 }) });
    return fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 4 }), (blocks) =>
        ask(
          Buffer.from(
            blocks
              .map(
                ({ label, end, body }) =>
                  `-----BEGIN ${label}-----\n${Buffer.from(body).toString('base64')}\n-----END ${end}-----`,
              )
              .join('\n'),
          ),
        ),
      ),
      { numRuns: runs(300) },
    );
  });
});

describe('files that are made to be large', () => {
  const nested = (depth: number): Buffer =>
    Buffer.concat(Array.from({ length: depth }, () => Buffer.from([0x30, 0x80])));
  const large: Record<string, Buffer> = {
    'deep in itself': nested(1_000_000),
    'two bytes an element, as many as are read': Buffer.concat([
      Buffer.from('30831ffffb', 'hex'),
      Buffer.alloc(0x1ffffb - 1, Buffer.from([5, 0])),
      Buffer.alloc(1),
    ]),
    'beginnings without an end': Buffer.from('-----BEGIN CERTIFICATE-----\n'.repeat(500_000)),
    'blocks without content': Buffer.from('-----BEGIN X-----\n-----END X-----\n'.repeat(300_000)),
    'a block of nothing but header lines': Buffer.from(
      `-----BEGIN PRIVATE KEY-----\n${'A: b\n'.repeat(2_000_000)}-----END PRIVATE KEY-----\n`,
    ),
    'a block of nothing but spaces': Buffer.from(
      `-----BEGIN PRIVATE KEY-----\n${' '.repeat(10_000_000)}-----END PRIVATE KEY-----\n`,
    ),
  };
  for (const [name, bytes] of Object.entries(large)) {
    test(name, async () => {
      const before = process.memoryUsage().rss;
      await ask(bytes);
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < 768 * 1024 * 1024, `${grown} bytes`);
    });
  }
});
