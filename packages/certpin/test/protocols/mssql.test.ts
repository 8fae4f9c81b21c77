import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Envelope } from '../../src/protocols/contract.ts';
import { createMssqlUpgrade } from '../../src/protocols/mssql.ts';
import { converse, hex, testLaws } from './conversation-laws.ts';

/** The answer of MS-TDS §4.2, with another ENCRYPTION. */
const answer = (encryption: string) =>
  hex(`0401002b00000100 00001a0006 0100200001 0200210001 0300220000 0400220001 ff 080001550000 ${encryption} 00 00`);

function isConsent(said: Buffer): boolean {
  const payload = said.subarray(8);
  let at = 0;
  let value: number | undefined;
  for (; payload[at] !== 0xff && at < payload.length; at += 5)
    if (payload[at] === 1) value = payload[payload.readUInt16BE(at + 1)];
  return said.readUInt16BE(0) === 0x0401 && said.readUInt16BE(2) === said.length && (value === 1 || value === 3);
}

describe('a server that encrypts', () => {
  testLaws({ create: createMssqlUpgrade, messages: [answer('01')], isConsent, limit: 4200 });
});

describe('a server that requires encryption', () => {
  testLaws({ create: createMssqlUpgrade, messages: [answer('03')], isConsent, limit: 4200 });
});

test('the request is the PRELOGIN of the specification’s sample with ENCRYPT_ON, and no thread', () => {
  assert.equal(
    Buffer.from(createMssqlUpgrade().opening ?? []).toString('hex'),
    hex(
      '1201002f00000100 00001a0006 0100200001 0200210001 0300220004 0400260001 ff 090000000000 01 00 00000000 00',
    ).toString('hex'),
  );
});

test('a refusal is told with its number', () => {
  const cases: [Buffer, RegExp][] = [
    [answer('02'), /ENCRYPTION 2: it does not support encryption/], // the sample itself
    [answer('00'), /ENCRYPTION 0: it would encrypt the login only/],
    [answer('81'), /ENCRYPTION 129\)/],
    [hex('0401001400000100 0000060006 ff 080001550000'), /lacks ENCRYPTION/],
  ];
  for (const [said, message] of cases) {
    const result = converse(createMssqlUpgrade, said);
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_REFUSED', said.length], said.toString('hex'));
    assert.match(result.message ?? '', message);
  }
});

test('what is no PRELOGIN is refused at the byte that shows it', () => {
  for (const [said, read] of [
    ['160303', 1], // TLS
    ['15030100020246', 1], // a TLS alert, of a server that begins with TLS
    ['1201', 1], // the request itself
    ['0400', 2], // more packets to come
    ['04010008', 4], // empty
    ['04010007', 4],
    ['04010000', 4],
    ['04011001', 4], // 4097 bytes
    ['0401ffff', 4],
    ['0401002b00000100 aa', 9], // an error message
    ['0401002b00000100 ff', 9],
    ['0401002b00000100 01', 9],
    ['0401000d00000100 00', 9], // no room for the table
    ['0401001200000100 00000b0000 01', 14], // nor for its second entry
    ['0401001600000100 0000000000 01000b0002', 18], // an ENCRYPTION of two bytes
    ['0401001600000100 0000000000 01000b0101', 18],
    ['0401001f00000100 0000000000 0100100001 0100100001', 23], // two of them
  ] as const) {
    const result = converse(createMssqlUpgrade, hex(said));
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_UNEXPECTED', read], said);
  }
});

test('a value is read from behind the table, and from within the packet', () => {
  const at = (offset: string) => hex(`0401001500000100 0000000000 01${offset}0001 ff 00 01`);
  assert.equal(converse(createMssqlUpgrade, at('000c')).outcome, 'tls');
  assert.equal(converse(createMssqlUpgrade, at('000b')).outcome, 'ERR_UPGRADE_REFUSED');
  for (const offset of ['0006', '0000', '000a', '000d', 'ffff'])
    assert.equal(converse(createMssqlUpgrade, at(offset)).outcome, 'ERR_UPGRADE_UNEXPECTED', offset);
});

describe('the envelope', () => {
  const create = () => createMssqlUpgrade().envelope as Envelope;
  /** All that is in the packets, as far as it has come. */
  const unwrap = (envelope: Envelope, bytes: Uint8Array) => {
    const contents: Uint8Array[] = [];
    for (let left = bytes; left.length > 0; ) {
      const { content, rest } = envelope.unwrap(left);
      contents.push(content);
      left = rest;
    }
    return Buffer.concat(contents);
  };
  const packet = (content: Uint8Array, type = 0x12, status = 1) => {
    const header = Buffer.from([type, status, 0, 0, 0, 0, 1, 0]);
    header.writeUInt16BE(8 + content.length, 2);
    return Buffer.concat([header, content]);
  };

  test('what is sent stands in packets of PRELOGIN of at most 4096 bytes; the last one says so', () => {
    const short = Buffer.from(create().wrap(Buffer.from('hello')));
    assert.equal(short.toString('hex'), `1201000d00000100${Buffer.from('hello').toString('hex')}`);
    const long = Buffer.from(create().wrap(Buffer.alloc(2 * 4088 + 1, 7)));
    assert.equal(long.length, 2 * 4088 + 1 + 3 * 8);
    const headers = [0, 4096, 8192].map((at) => long.subarray(at, at + 8).toString('hex'));
    assert.deepEqual(headers, ['1200100000000100', '1200100000000200', '1201000900000300']);
    const exact = Buffer.from(create().wrap(Buffer.alloc(4088)));
    assert.equal(exact.subarray(0, 8).toString('hex'), '1201100000000100');
    assert.equal(exact.length, 4096);
    assert.equal(create().wrap(new Uint8Array(0)).length, 0);
  });

  test('what is read comes out of packets of any size, in any pieces, as far as it has come', () => {
    const contents = fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(4, 0x12), fc.nat(1)));
    fc.assert(
      fc.property(contents, fc.array(fc.nat(300)), (list, cuts) => {
        const wire = Buffer.concat(list.map(([content, type, status]) => packet(content, type, status)));
        const envelope = create();
        const read: Uint8Array[] = [];
        let at = 0;
        for (const end of [...cuts.sort((a, b) => a - b), wire.length]) {
          read.push(unwrap(envelope, wire.subarray(at, end)));
          at = Math.max(at, end);
        }
        assert.deepEqual(Buffer.concat(read), Buffer.concat(list.map(([content]) => content)));
      }),
    );
    const large = Buffer.alloc(32_767 - 8, 5);
    assert.deepEqual(unwrap(create(), packet(large)), large);
    // Nothing waits for the end of a packet.
    assert.equal(unwrap(create(), packet(large).subarray(0, 1000)).length, 992);
  });

  test('wrapped and unwrapped, the bytes are the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10_000, size: 'max' }), (bytes) => {
        assert.deepEqual(unwrap(create(), create().wrap(bytes)), Buffer.from(bytes));
      }),
      { numRuns: 50 },
    );
  });

  test('what stands behind a packet is looked at when its bytes have been taken', () => {
    const { content, rest } = create().unwrap(Buffer.concat([packet(Buffer.from('flight')), hex('1703')]));
    assert.deepEqual([Buffer.from(content).toString(), Buffer.from(rest).toString('hex')], ['flight', '1703']);
  });

  test('what is in no packet of TDS is refused at the byte that shows it', () => {
    for (const wire of ['16', '1702', '1202', '12010007', '12018000', '0401ffff', '1200000012']) {
      const bytes = hex(wire);
      const envelope = create();
      const read = bytes.findIndex((byte) => {
        try {
          envelope.unwrap(Uint8Array.of(byte));
          return false;
        } catch (error) {
          assert.equal((error as { code: string }).code, 'ERR_UPGRADE_UNEXPECTED');
          return true;
        }
      });
      assert.equal(read, { '1702': 0, '1200000012': 3 }[wire] ?? bytes.length - 1, wire);
    }
  });
});
