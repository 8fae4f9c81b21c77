// The reader of pins that a pasted block has, beside that of the package: what it reads, the package reads the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import fc from 'fast-check';
import { parsePins } from '../../src/core/parse-pin.ts';
import type { CertpinError } from '../../src/errors.ts';
import type { Pin } from '../../src/leaf/pin.ts';
import { readPins } from '../../src/leaf/pin-text.ts';

const minted = await mint();
const hex = certificateHex(minted);
const colons = minted.x509.fingerprint256;
const base64 = (await publicKeyPin(minted)).slice('sha256/'.length);
const base64url = base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const keyHex = Buffer.from(base64, 'base64').toString('hex');

const taken: readonly (readonly [text: string, kind: Pin['kind']])[] = [
  ...[hex, hex.toLowerCase(), colons, `sha256 Fingerprint=${colons}`, `SHA-256 fingerprint = ${hex}`].map(
    (text) => [text, 'certificate'] as const,
  ),
  ...[`sha256/${base64}`, `sha256//${base64}`, `sha256/${base64url}`, `sha256:${keyHex}`, `SHA256=${keyHex}`].map(
    (text) => [text, 'public-key'] as const,
  ),
];
const refused = [
  ...[
    '',
    ' \n',
    '# a comment',
    'rubbish',
    hex.slice(1),
    `${hex}0`,
    `${hex.slice(0, 63)}g`,
    hex.replace(/..(?!$)/, '$&:'),
  ],
  ...[`sha1 Fingerprint=${colons}`, `sha512:${hex}`, `sha256/${base64.slice(1)}`, `sha256/${base64.slice(0, 42)}B`],
  ...[`sha256/${hex}`, `sha256:${base64}`, `x${hex}`, `sha256/${base64}x`, minted.certPem, `${hex},rubbish`],
];

describe('the pins of a block', () => {
  for (const [text, kind] of taken) {
    it(`are read as the package reads them: ${text.slice(0, 24)}…`, () => {
      assert.deepEqual(readPins(text), parsePins(text));
      assert.equal(readPins(text)[0]?.kind, kind);
    });
  }

  for (const text of refused) {
    it(`are refused, and not repeated: ${JSON.stringify(text.slice(0, 24))}`, () => {
      assert.throws(
        () => readPins(text),
        ({ code, message }: CertpinError) => code === 'ERR_PIN_INVALID' && !message.includes('rubbish'),
      );
    });
  }

  it('are text, or a list of texts', () => {
    assert.equal(readPins([hex, `sha256:${keyHex}`]).length, 2);
    for (const other of [undefined, null, 5, {}, [], [hex, 5], Buffer.from(hex), minted.x509])
      assert.throws(() => readPins(other), { code: 'ERR_PIN_INVALID' });
  });

  it('that are commented out are none, and invisible characters count for nothing', () => {
    const text = `# ${colons}\n\uFEFF${hex} # the next one: sha256:${keyHex}\n;;`;
    assert.deepEqual(readPins(text), parsePins(hex));
  });

  it('are never read otherwise than by the package, whatever stands there', () => {
    const pieces = fc.constantFrom(
      ...taken.map(([text]) => text),
      '#',
      ' ',
      '\n',
      ',',
      ';',
      ':',
      '/',
      '=',
      'sha256',
      '3 0 1 ',
    );
    const piece = fc.oneof(
      pieces,
      fc.string({ maxLength: 6 }),
      fc.string({ unit: fc.constantFrom(...'0aF:/+='), maxLength: 70 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        let read: readonly Pin[];
        try {
          read = readPins(text);
        } catch {
          return; // it knows fewer spellings
        }
        const distinct = new Map(read.map((pin) => [`${pin.kind} ${pin.sha256}`, pin]));
        assert.deepEqual([...distinct.values()], parsePins(text));
      }),
      { numRuns: 3000 },
    );
  });
});
