import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRdpUpgrade } from '../../src/protocols/rdp.ts';
import { converse, hex, testLaws } from './conversation-laws.ts';

/** A Connection Confirm as in MS-RDPBCGR §4.1.2, with another outcome. */
const confirm = (negotiation: string) => hex(`03000013 0e d0 0000 1234 00 ${negotiation}`);

const isConsent = (said: Buffer) => /^030000130ed0.{8}0002..0800(01|02|08)000000$/.test(said.toString('hex'));

test('the request asks for TLS with and without CredSSP, and has no cookie', () => {
  assert.equal(
    Buffer.from(createRdpUpgrade().opening ?? []).toString('hex'),
    '030000130ee00000000000' + '010008000b000000',
  );
});

for (const selected of ['01', '02', '08']) {
  describe(`a server that selects protocol ${selected}`, () => {
    const messages = [confirm(`02 1f 0800 ${selected}000000`)];
    testLaws({ create: createRdpUpgrade, messages, isConsent, limit: 20 });
  });
}

test('a refusal is told with its meaning', () => {
  const cases: [Buffer, RegExp][] = [
    [hex('0300000b 06 d0 0000 1234 00'), /does not negotiate/],
    [confirm('02 00 0800 00000000'), /selected standard RDP security/],
    [confirm('03 00 0800 01000000'), /failure 1: it demands TLS/],
    [confirm('03 00 0800 02000000'), /failure 2: .*standard RDP security only/],
    [confirm('03 00 0800 03000000'), /failure 3: it has no certificate/],
    [confirm('03 00 0800 04000000'), /failure 4: .*inconsistent/],
    [confirm('03 00 0800 05000000'), /failure 5: .*CredSSP/],
    [confirm('03 00 0800 06000000'), /failure 6: .*login by certificate/],
    [confirm('03 00 0800 ffffffff'), /failure 4294967295\)/],
  ];
  for (const [said, message] of cases) {
    const result = converse(createRdpUpgrade, said);
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_REFUSED', said.length], said.toString('hex'));
    assert.match(result.message ?? '', message);
  }
});

test('a protocol that was not requested is none', () => {
  for (const selected of ['03', '04', '0b', '10'])
    assert.equal(
      converse(createRdpUpgrade, confirm(`02 00 0800 ${selected}000000`)).outcome,
      'ERR_UPGRADE_UNEXPECTED',
      selected,
    );
  assert.equal(converse(createRdpUpgrade, confirm('02 00 0800 01000001')).outcome, 'ERR_UPGRADE_UNEXPECTED');
});

test('what is no RDP is refused at the byte that shows it', () => {
  for (const [said, read] of [
    ['160303', 1], // TLS
    ['02', 1], // another TPKT
    ['0301', 2],
    ['0300ff', 3], // 65 kilobytes
    ['0300000a', 4],
    ['0300000c', 4],
    ['03000014', 4],
    ['03000013 0d', 5],
    ['0300000b 0e', 5],
    ['03000013 0e e0', 6], // the request itself
    ['03000013 0e 80', 6], // a Disconnect Request
    ['03000013 0e d0 00000000 01', 11],
    ['03000013 0e d0 00000000 00 01', 12],
    ['03000013 0e d0 00000000 00 02 00 09', 14],
    ['03000013 0e d0 00000000 00 02 00 08 01', 15],
  ] as const) {
    const result = converse(createRdpUpgrade, hex(said));
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_UNEXPECTED', read], said);
  }
});
