import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createVncUpgrade, greetsAsVnc } from '../../src/protocols/vnc.ts';
import { converse, hex, testLaws } from './conversation-laws.ts';

const VERSION = Buffer.from('RFB 003.008\n');

/** Versions, one security type and VeNCrypt 0.2 with these subtypes, to the choice of one of them. */
function offer(...subtypes: number[]): Buffer {
  const list = Buffer.alloc(4 * subtypes.length);
  subtypes.forEach((subtype, index) => {
    list.writeUInt32BE(subtype, 4 * index);
  });
  return Buffer.concat([VERSION, hex('0113 0002 00'), Buffer.of(subtypes.length), list]);
}

function isConsent(said: Buffer): boolean {
  const types = said.subarray(13, 13 + (said[12] ?? 0));
  const [major = 0, minor = 0, status, count = 0, ...rest] = said.subarray(13 + types.length);
  const subtypes = Array.from({ length: count }, (_, index) => rest.slice(4 * index, 4 * index + 4).join('.'));
  return (
    /^RFB \d{3}\.\d{3}\n$/.test(said.toString('latin1', 0, 12)) &&
    types.includes(19) &&
    (major > 0 || minor > 1) &&
    status === 0 &&
    subtypes.some((subtype) => /^0\.0\.1\.[4-7]$/.test(subtype)) &&
    rest.slice(4 * count).join() === '1'
  );
}

describe('a server with several types', () => {
  testLaws({
    create: createVncUpgrade,
    messages: [VERSION, hex('03 02 13 12'), hex('0002'), hex('00 03 00000102 00000104 00000105'), hex('01')],
    isConsent,
    limit: 1300,
  });
});

test('the server speaks first; the answers are a version, VeNCrypt, its version, and an X509 subtype', () => {
  assert.equal(createVncUpgrade().opening, undefined);
  const { outcome, sent } = converse(createVncUpgrade, [...offer(258, 261, 260), 1]);
  assert.equal(outcome, 'tls');
  assert.deepEqual(sent, [VERSION.toString('hex'), '13', '0002', '00000105']);
});

test('a greeting is known by its first four bytes', () => {
  for (let length = 0; length <= VERSION.length; length++)
    assert.equal(greetsAsVnc(VERSION.subarray(0, length)), length >= 4);
  for (const other of ['SSH-2.0', 'rfb 003.008\n', '220 RFB ']) assert.equal(greetsAsVnc(Buffer.from(other)), false);
});

test('versions are answered in kind', () => {
  for (const [version, answer] of [
    ['003.007', 'RFB 003.007\n'],
    ['003.008', 'RFB 003.008\n'],
    ['003.889', 'RFB 003.008\n'],
    ['004.001', 'RFB 003.008\n'],
    ['005.000', 'RFB 003.008\n'],
  ] as const) {
    const { sent } = converse(createVncUpgrade, Buffer.from(`RFB ${version}\n`));
    assert.equal(Buffer.from(sent[0] ?? '', 'hex').toString(), answer);
  }
  for (const version of ['003.003', '003.005', '000.000'])
    assert.equal(converse(createVncUpgrade, Buffer.from(`RFB ${version}\n`)).outcome, 'ERR_UPGRADE_REFUSED');
});

test('every X509 subtype will do, and 0.3 is answered with 0.2', () => {
  for (const subtype of [260, 261, 262, 263])
    assert.equal(converse(createVncUpgrade, [...offer(subtype), 1]).outcome, 'tls');
  const newer = converse(createVncUpgrade, [...VERSION, ...hex('0113 0003')]);
  assert.deepEqual(newer.sent.slice(1), ['13', '0002']);
});

test('without TLS, and without a certificate in it, the reason is told', () => {
  const cases: [Buffer, RegExp][] = [
    [Buffer.concat([VERSION, hex('020102')]), /offers no TLS/],
    [Buffer.concat([VERSION, hex('020212')]), /anonymous TLS only \(security type 18\)/],
    [Buffer.concat([VERSION, hex('0113 0001')]), /VeNCrypt before 0\.2/],
    [Buffer.concat([VERSION, hex('0113 0000')]), /VeNCrypt before 0\.2/],
    [Buffer.concat([VERSION, hex('0113 0002 01')]), /does not take VeNCrypt 0\.2/],
    [offer(), /without an X509 subtype/],
    [offer(256), /without an X509 subtype/],
    [offer(256, 257, 258, 259), /anonymous TLS only \(VeNCrypt/],
    [offer(264), /anonymous TLS only \(VeNCrypt/],
    [Buffer.concat([offer(260), Buffer.of(0)]), /refuses TLS/],
  ];
  for (const [said, message] of cases) {
    const result = converse(createVncUpgrade, said);
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_REFUSED', said.length], said.toString('hex'));
    assert.match(result.message ?? '', message);
  }
});

test('a subtype that looks like X509 in one half is none', () => {
  assert.equal(converse(createVncUpgrade, offer(0x1_0104)).outcome, 'ERR_UPGRADE_REFUSED');
  assert.equal(converse(createVncUpgrade, offer(0x0104_0000)).outcome, 'ERR_UPGRADE_REFUSED');
});

test('a server that turns the client away is not quoted', () => {
  const { outcome, message = '' } = converse(createVncUpgrade, [
    ...VERSION,
    ...hex('00 00000004'),
    ...Buffer.from('Evil'),
  ]);
  assert.equal(outcome, 'ERR_UPGRADE_UNEXPECTED');
  assert.match(message, /turned the client away/);
  assert.doesNotMatch(message, /Evil/);
});

test('what is no VNC is refused at the byte that shows it', () => {
  for (const [said, read] of [
    ['SSH-2.0-x\r\n', 1],
    ['RFC 003.008\n', 3],
    ['RFB 3.8\n', 6],
    ['RFB 003,008\n', 8],
    ['RFB 003.0a8\n', 10],
    ['RFB 003.008\r\n', 12],
    ['rfb 003.008\n', 1],
  ] as const) {
    const result = converse(createVncUpgrade, Buffer.from(said));
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_UNEXPECTED', read], said);
  }
  assert.equal(converse(createVncUpgrade, [...offer(260), 2]).outcome, 'ERR_UPGRADE_UNEXPECTED');
});
