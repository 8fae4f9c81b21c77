import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BOOLEAN,
  checkWhole,
  type Element,
  Fields,
  GENERALIZED_TIME,
  INTEGER,
  inside,
  listOf,
  readBytes,
  readNamedBits,
  readObjectIdentifier,
  readTime,
  readTrue,
  readUnsigned,
  UTC_TIME,
} from '../../src/core/der.ts';
import { der, within } from './support.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const element = (hex: string): Element => new Fields(bytes(hex)).takeAny();

describe('an element', () => {
  it('is taken by its tag, once, and nothing is left over', () => {
    assert.deepEqual([...new Fields(bytes('0201 05')).take(INTEGER).content], [5]);
    assert.throws(() => new Fields(bytes('0201 05')).take(BOOLEAN), TypeError);
    assert.throws(() => new Fields(bytes('')).take(INTEGER), TypeError);
    assert.equal(new Fields(bytes('0201 05')).takeIf(BOOLEAN), undefined);
    assert.throws(() => inside(bytes('0201 05 0500'), (fields) => fields.take(INTEGER)), /left over/);
    assert.throws(() => listOf(bytes(''), (fields) => fields.take(INTEGER)), TypeError);
  });

  it('has a tag of one byte', () => {
    for (const hex of ['1f02 01 05', '3f10 00', 'bf83 01 00', 'ff1f 00'])
      assert.throws(() => element(hex), /several bytes/);
  });

  it('has a length that is definite and minimal (X.690 §10.1)', () => {
    const long = (header: string, length: number) => Buffer.concat([bytes(header), Buffer.alloc(length)]);
    for (const header of ['048105', '04820005', '0481 7f', '0482 00ff', '0483 00ffff']) {
      const length = Number.parseInt(header.replace(/^04 ?8./, '').trim(), 16);
      assert.throws(() => new Fields(long(header, length)).takeAny(), /minimal/, header);
    }
    assert.throws(() => element('3080 0000'), /indefinite/);
    assert.throws(() => element('0484 00000001 00'), /too long/);
    assert.throws(() => element('0402 05'), /longer than its container/);
    for (const hex of ['04', '0481', '048201']) assert.throws(() => element(hex), /ends early/);
    for (const [header, length] of [
      ['047f', 0x7f],
      ['048180', 0x80],
      ['0481ff', 0xff],
      ['04820100', 0x100],
      ['0482ffff', 0xffff],
      ['0483010000', 0x1_0000],
    ] as const) {
      assert.equal(new Fields(long(header, length)).takeAny().content.length, length);
    }
  });
});

describe('a value', () => {
  const refuses = (read: (element: Element) => unknown, ...hexes: string[]): void => {
    for (const hex of hexes) assert.throws(() => read(element(hex)), TypeError, hex);
  };

  it('is a number that is minimal and not negative', () => {
    for (const [hex, value] of [
      ['020100', 0n],
      ['02017f', 127n],
      ['02020080', 128n],
      ['0202012c', 300n],
    ] as const) {
      assert.equal(readUnsigned(element(hex)), value);
    }
    refuses(readUnsigned, '0200', '020180', '0202ffff', '02020001', '0202007f', '0203000080');
  });

  it('is true, and a false that is a default is not written (X.690 §11.1, §11.5)', () => {
    assert.equal(readTrue(element('0101ff')), true);
    refuses(readTrue, '010100', '010101', '01017f', '0102ffff', '0100');
  });

  it('is whole bytes, or named bits without zeros at the end (X.690 §11.2)', () => {
    assert.deepEqual([...readBytes(element('030300 0102'))], [1, 2]);
    refuses(readBytes, '0300', '030201 02', '030207 80');
    const bits = readNamedBits(element('03020186'));
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 99].map(bits), [
      true,
      false,
      false,
      false,
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
    assert.equal(readNamedBits(element('0303070080'))(8), true);
    refuses(readNamedBits, '0300', '030100', '03020000', '03020080', '03020681', '03020880', '0303070100');
  });

  it('is an object identifier, of arcs that are minimal', () => {
    assert.equal(readObjectIdentifier(element('0603551d13')), '2.5.29.19');
    assert.equal(readObjectIdentifier(element('06038837 01')), '2.999.1');
    assert.equal(readObjectIdentifier(element('06092a864886f70d01010b')), '1.2.840.113549.1.1.11');
    // X.667: a UUID below 2.25.
    assert.equal(
      readObjectIdentifier(element('0614 69 83ffffffffffffffffffffffffffffffffff7f')),
      `2.25.${2n ** 128n - 1n}`,
    );
    refuses(readObjectIdentifier, '0600', '060180', '0603551d80', '0603558001', `0641${'01'.repeat(65)}`);
  });

  it('is a date, in the two forms of RFC 5280 §4.1.2.5 and no other', () => {
    const time = (text: string, tag = UTC_TIME): number => readTime(new Fields(der(tag, Buffer.from(text))).takeAny());
    assert.equal(time('240229235959Z'), Date.UTC(2024, 1, 29, 23, 59, 59));
    assert.equal(time('490101000000Z'), Date.UTC(2049, 0, 1));
    assert.equal(time('500101000000Z'), Date.UTC(1950, 0, 1));
    assert.equal(time('99991231235959Z', GENERALIZED_TIME), Date.UTC(9999, 11, 31, 23, 59, 59));
    for (const text of [
      ...['230229000000Z', '241301000000Z', '240100000000Z', '240101240000Z', '240101006000Z', '240101000060Z'],
      ...['2401010000+1Z', '240101000000+', ' 40101000000Z', '24010100000\nZ', '2401010000Z', '240101000000+0000', ''],
    ]) {
      assert.throws(() => time(text), TypeError, text);
      assert.throws(() => time(`20${text}`, GENERALIZED_TIME), TypeError, text);
    }
    for (const text of ['20240101000000.5Z', '240101000000Z'])
      assert.throws(() => time(text, GENERALIZED_TIME), TypeError);
  });
});

describe('what nobody interprets', () => {
  it('is DER too', () => {
    checkWhole(bytes('3106 020105 0201ff'));
    for (const hex of [
      ...['1f0200', '3080 0000', '24040402 0000', '1000', '1100', '0000', '0501 00', '010101', '0200', '0202ffff'],
      ...['3102 0200', '3106 0201ff 020105', '0600', 'a004 02020001', '0402 00'],
    ]) {
      assert.throws(() => checkWhole(bytes(hex)), TypeError, hex);
    }
  });

  it('ends on any bytes, and on big hostile ones at once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (any) => {
        try {
          checkWhole(any);
        } catch (error) {
          assert.ok(error instanceof TypeError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
    const nested = Array.from({ length: 5000 }).reduce<Buffer>(
      (inner) => der(0x30, inner).subarray(0, 60_000),
      Buffer.alloc(0),
    );
    for (const hostile of [nested, Buffer.alloc(400_000), Buffer.alloc(400_000, 0x30), Buffer.alloc(400_000, 5)])
      within(1000, () => assert.throws(() => checkWhole(hostile), TypeError));
    // What is well-formed and long ends too.
    within(1000, () => checkWhole(Buffer.concat(Array.from({ length: 100_000 }, () => Buffer.of(5, 0)))));
  });
});
