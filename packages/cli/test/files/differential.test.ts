// A second reader of the same bytes is a second opinion: what certpin prints of a signing request or a container is what openssl prints of
// it, or nothing. The files are changed where readers of ASN.1 differ: high tag numbers, lengths, what stands beside and inside.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, sign, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { longOnly } from '@certpin/testkit';
import { type FileContents, readContents } from '../../src/files/contents.ts';
import { FileError } from '../../src/files/file-error.ts';
import { Passwords } from '../../src/files/password.ts';
import type { Io } from '../../src/io.ts';
import { mintFiles, openWorkshop, type Workshop } from './openssl.ts';

/** An element of ASN.1, and how it is written. */
interface Element {
  readonly tag: number;
  /** The elements in it, behind `prefix`; or else its bytes. */
  readonly content: readonly Element[] | Buffer;
  /** Of a BIT STRING that holds elements: the count of unused bits. */
  readonly prefix?: Buffer;
  readonly style?: keyof typeof styles;
}

type Write = (tag: number, content: Buffer) => Buffer;

function shortest(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff]);
}

const highTag = (tag: number, ...middle: number[]): Buffer => Buffer.from([(tag & 0xe0) | 0x1f, ...middle, tag & 0x1f]);

const styles = {
  'a high tag number': (tag, content) => Buffer.concat([highTag(tag), shortest(content.length), content]),
  'a high tag number with a leading zero': (tag, content) =>
    Buffer.concat([highTag(tag, 0x80), shortest(content.length), content]),
  'a length of four bytes': (tag, content) => {
    const length = Buffer.from([0x84, 0, 0, 0, 0]);
    length.writeUInt32BE(content.length, 1);
    return Buffer.concat([Buffer.from([tag]), length, content]);
  },
  'a length of nine bytes': (tag, content) =>
    Buffer.concat([Buffer.from([tag, 0x89, 1, 0, 0, 0, 0, 0, 0, content.length >> 8, content.length & 0xff]), content]),
  'an indefinite length': (tag, content) => Buffer.concat([Buffer.from([tag, 0x80]), content, Buffer.from([0, 0])]),
} satisfies Record<string, Write>;

function write({ tag, content, prefix = Buffer.alloc(0), style }: Element): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.concat([prefix, ...content.map(write)]);
  if (style !== undefined) return styles[style](tag, bytes);
  return Buffer.concat([Buffer.from([tag]), shortest(bytes.length), bytes]);
}

/** Of DER alone: it comes from openssl. */
function readAll(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    if (start + length > bytes.length || (tag & 0x1f) === 0x1f || tag === 0) throw new RangeError('no DER');
    elements.push(nest(tag, bytes.subarray(start, start + length)));
    at = start + length;
  }
  return elements;
}

/** Strings of octets and of bits are looked into, too. */
function nest(tag: number, content: Buffer): Element {
  if ((tag & 0x20) !== 0) return { tag, content: readAll(content) };
  const prefix = tag === 3 ? content.subarray(0, 1) : Buffer.alloc(0);
  const inner = content.subarray(prefix.length);
  if ((tag !== 3 && tag !== 4) || (inner[0] !== 0x30 && inner[0] !== 0x04)) return { tag, content };
  try {
    return { tag, content: readAll(inner), prefix };
  } catch {
    return { tag, content };
  }
}

type Path = readonly number[];

function pathsOf({ content }: Element): Path[] {
  if (Buffer.isBuffer(content)) return [[]];
  return [[], ...content.flatMap((inner, index) => pathsOf(inner).map((path) => [index, ...path]))];
}

/** The element with what `change` makes of the one at the path. */
function changed(element: Element, [index, ...rest]: Path, change: (element: Element) => Element[]): Element[] {
  if (index === undefined) return change(element);
  const { content } = element;
  if (Buffer.isBuffer(content)) throw new TypeError('no element is in it');
  return [
    { ...element, content: content.flatMap((inner, at) => (at === index ? changed(inner, rest, change) : [inner])) },
  ];
}

/** Ways to change one element. `hidden`: what a reader is to find that reads otherwise than OpenSSL. */
function changes(hidden: readonly Element[]): Record<string, (element: Element) => Element[]> {
  const inside = Buffer.concat(hidden.map(write));
  return {
    ...Object.fromEntries(
      Object.keys(styles).map((style) => [style, (one: Element) => [{ ...one, style: style as keyof typeof styles }]]),
    ),
    'the hidden before it': (one) => [...hidden, one],
    'the hidden behind it': (one) => [one, ...hidden],
    'the hidden in its place': () => [...hidden],
    'taken away': () => [],
    twice: (one) => [one, one],
    // OpenSSL: an INTEGER, or whatever stood there, of all the bytes; a reader of one-byte tags: two bytes, and then the hidden.
    'with a high tag number, the hidden in it': ({ tag, content }) => [
      {
        tag,
        content: Buffer.concat([Buffer.isBuffer(content) ? content : write({ tag, content }), inside]),
        style: 'a high tag number',
      },
    ],
    // BMPString: one byte, and a reader of pairs takes a byte of what follows.
    'a string of half a character before it': (one) => [{ tag: 0x1e, content: Buffer.from([0x41]) }, one],
    'in a sequence with half a character': (one) => [
      { tag: 0x30, content: [{ tag: 0x1e, content: Buffer.from([0x41]) }, one] },
    ],
    'the end of an indefinite length behind it': (one) => [one, { tag: 0, content: Buffer.alloc(0) }],
    'an integer with a zero before it': (one) =>
      Buffer.isBuffer(one.content) ? [{ ...one, content: Buffer.concat([Buffer.alloc(1), one.content]) }] : [one],
  };
}

async function inspect(bytes: Buffer): Promise<FileContents | undefined> {
  const io = { env: {}, askSecret: async () => undefined } as unknown as Io;
  try {
    return await readContents(bytes, 'file', new Passwords({}, io));
  } catch (error) {
    assert.ok(error instanceof FileError, String(error));
    return undefined;
  }
}

/** What openssl prints; undefined where it refuses. */
function openssl(shop: Workshop, command: string): string | undefined {
  try {
    return shop.openssl(command).toString();
  } catch {
    return undefined;
  }
}

describe('a signing request: the pin that certpin prints is that of `openssl req -pubkey`', () => {
  for (const kind of ['EC -pkeyopt ec_paramgen_curve:P-256', 'RSA -pkeyopt rsa_keygen_bits:2048']) {
    test(kind.split(' ')[0] ?? '', kind.startsWith('EC') ? {} : longOnly, async (t) => {
      const shop = openWorkshop(t);
      shop.openssl(`genpkey -algorithm ${kind} -out key.pem`);
      shop.openssl(`genpkey -algorithm ${kind} -out victim.pem`);
      shop.openssl(
        'req -new -key key.pem -subj /O=attacker/CN=x -addext subjectAltName=DNS:x -outform DER -out request.der',
      );
      const [request] = readAll(shop.read('request.der')) as [Element];
      const victim = readAll(createPublicKey(shop.read('victim.pem')).export({ type: 'spki', format: 'der' }));
      const [info, algorithm] = request.content as [Element, Element];
      const asIs = pinOf(shop, request);
      assert.equal((await inspect(write(request)))?.key?.pin, asIs);

      let accepted = 0;
      const seen = async (what: string, mutant: Element): Promise<void> => {
        const pin = (await inspect(write(mutant)))?.key?.pin;
        if (pin === undefined) return;
        accepted++;
        // openssl looks into names and attributes, too; where it refuses those, the key is still the one that stood there.
        assert.equal(pin, pinOf(shop, mutant) ?? asIs, what);
      };
      const hidden = [{ tag: 0x30, content: [] }, ...victim];
      for (const [name, change] of Object.entries(changes(hidden))) {
        for (const path of pathsOf(request)) {
          const [mutant] = changed(request, path, change);
          if (mutant === undefined) continue;
          await seen(`${name}, ${path.join('.')}`, mutant);
          // The same with a signature over what was changed: whoever makes a request can sign it.
          if (path[0] !== 0) continue;
          const [signed] = changed(info, path.slice(1), change);
          if (signed !== undefined) await seen(`${name}, ${path.join('.')}, signed`, resigned(signed, algorithm));
        }
      }
      assert.ok(accepted > 0, 'what changes nothing is read');

      function resigned(signed: Element, algorithm: Element): Element {
        const signature = sign('sha256', write(signed), shop.read('key.pem'));
        const bits = { tag: 3, content: Buffer.concat([Buffer.alloc(1), signature]) };
        return { tag: 0x30, content: [signed, algorithm, bits] };
      }
    });
  }

  /** `sha256/BASE64` of the key that openssl reads; undefined where it reads none. */
  function pinOf(shop: Workshop, request: Element): string | undefined {
    shop.write('mutant.der', write(request));
    const pem = openssl(shop, 'req -inform DER -in mutant.der -noout -pubkey');
    if (pem === undefined) return undefined;
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
  }
});

describe('a container: the certificates that certpin prints are those of openssl', () => {
  const kinds = {
    'PKCS#7': [
      'crl2pkcs7 -nocrl -certfile server.pem -outform DER -out file',
      'pkcs7 -inform DER -in mutant -print_certs',
    ],
    'PKCS#12': [
      'pkcs12 -export -in server.pem -inkey server.key -keypbe NONE -certpbe NONE -nomac -passout pass: -out file',
      'pkcs12 -in mutant -nokeys -passin pass:',
    ],
  } as const;
  for (const [kind, [make, print]] of Object.entries(kinds)) {
    test(kind, async (t) => {
      const shop = openWorkshop(t);
      await mintFiles(shop);
      shop.openssl(make);
      const [file] = readAll(shop.read('file')) as [Element];
      const victim = readAll(new X509Certificate(shop.read('root.pem')).raw);
      const printed = (mutant: Element): string[] => {
        shop.write('mutant', write(mutant));
        const pems = openssl(shop, print)?.match(/-----BEGIN CERTIFICATE[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
        return pems.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(':', ''));
      };
      const read = async (mutant: Element): Promise<string[]> =>
        ((await inspect(write(mutant)))?.certificates ?? []).map((certificate) => certificate.toJSON().sha256);
      const genuine = printed(file);
      assert.deepEqual(await read(file), genuine);

      // In front of the genuine ones stands what a reader goes on with that takes a high tag number for a short element.
      const data = { tag: 0x30, content: readAll(Buffer.from('06092a864886f70d010701', 'hex')) };
      const hidden = [{ tag: 0x31, content: [] }, data, { tag: 0xa0, content: victim }];
      let accepted = 0;
      for (const [name, change] of Object.entries(changes(hidden))) {
        // What stands in a certificate is for OpenSSL to read, on both sides.
        for (const path of pathsOf(file).filter(({ length }) => length < 9)) {
          const [mutant] = changed(file, path, change);
          const found = mutant === undefined ? [] : await read(mutant);
          if (mutant === undefined || found.length === 0) continue;
          accepted++;
          // openssl refuses some lengths that are no more than clumsy: then what is found is what was there before the change.
          const expected = printed(mutant);
          assert.deepEqual(found, expected.length > 0 ? expected : genuine, `${name}, ${path.join('.')}`);
        }
      }
      assert.ok(accepted > 0, 'what changes nothing is read');
    });
  }
});
