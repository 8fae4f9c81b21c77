import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLdapUpgrade } from '../../src/protocols/ldap.ts';
import { converse, hex, testLaws } from './conversation-laws.ts';

const OID = Buffer.from('1.3.6.1.4.1.1466.20037').toString('hex');

/** OpenLDAP's consent, and Active Directory's: with every length in four bytes, and the name of the answer. */
const SHORT = hex('300c 020101 7807 0a0100 0400 0400');
const LONG = hex(`308400000028 020101 78840000001f 0a0100 0400 0400 8a16${OID}`);

/** The first element, and what follows it; reads no element that is cut. */
function element(bytes: Buffer, tag: number) {
  const [first, length = 0] = bytes;
  const extra = length < 0x80 ? 0 : length & 0x7f;
  const start = 2 + extra;
  const end = start + (extra === 0 ? length : bytes.readUIntBE(2, extra));
  assert.ok(first === tag && end <= bytes.length);
  return { content: bytes.subarray(start, end), rest: bytes.subarray(end) };
}

function isConsent(said: Buffer): boolean {
  const message = element(said, 0x30);
  const id = element(message.content, 0x02);
  const response = element(id.rest, 0x78);
  const code = element(response.content, 0x0a);
  element(element(code.rest, 0x04).rest, 0x04);
  return message.rest.length === 0 && id.content.equals(hex('01')) && code.content.equals(hex('00'));
}

const outcomeOf = (text: string) => converse(createLdapUpgrade, hex(text));

test('the request is the extended operation StartTLS, without a bind', () => {
  assert.equal(
    Buffer.from(createLdapUpgrade().opening ?? []).toString('hex'),
    `301d0201017718 8016${OID}`.replace(' ', ''),
  );
});

describe('a short answer', () => {
  testLaws({ create: createLdapUpgrade, messages: [SHORT], isConsent, limit: 5000 });
});

describe('a long answer', () => {
  testLaws({ create: createLdapUpgrade, messages: [LONG], isConsent, limit: 5000 });
});

test('what a newer server adds is passed over', () => {
  for (const answer of [
    '3010 020101 780b 0a0100 0400 0400 8b0200ff', // a value
    '3012 020101 7807 0a0100 0400 0400 a0043002 0400', // controls
    '3012 020101 780d 0a0100 0403646e3d 0403616263', // texts
  ])
    assert.equal(outcomeOf(answer).outcome, 'tls', answer);
});

test('a refusal is told with its number, and without the words of the server', () => {
  for (const [code, meaning] of [
    ['01', /result code 1: /],
    ['02', /does not know StartTLS/],
    ['34', /result code 52: its TLS is not available/],
    ['35', /unwilling/],
    ['50', /result code 80\)/],
    ['7f', /127/],
  ] as const) {
    const { outcome, message = '' } = outcomeOf(`3010 020101 780b 0a01${code} 0400 04044576696c`);
    assert.equal(outcome, 'ERR_UPGRADE_REFUSED');
    assert.match(message, meaning);
    assert.doesNotMatch(message, /Evil/);
  }
});

test('a server that disconnects, and an answer to another question, are no consent', () => {
  const notice = outcomeOf(`3024 020100 781f 0a0134 0400 0400 8a16${OID}`);
  assert.deepEqual([notice.outcome, notice.read], ['ERR_UPGRADE_UNEXPECTED', 5]);
  assert.match(notice.message ?? '', /turned the client away/);
  assert.equal(outcomeOf('300c 020102 7807 0a0100 0400 0400').outcome, 'ERR_UPGRADE_UNEXPECTED');
  const other = Buffer.from('1.3.6.1.4.1.1466.20036').toString('hex');
  assert.equal(outcomeOf(`3024 020101 781f 0a0100 0400 0400 8a16${other}`).outcome, 'ERR_UPGRADE_UNEXPECTED');
});

test('what is no LDAP is refused at the byte that shows it', () => {
  for (const [answer, read] of [
    ['160303', 1], // TLS
    ['485454502f', 1], // HTTP
    ['3080', 2], // indefinite length
    ['3085', 2], // a length of five bytes
    ['3084ffffffff', 6], // four gigabytes
    ['30821001', 4], // 4097 bytes
    ['3000', 2], // empty
    ['300c 0400', 3], // no number
    ['300c 0202', 4], // a long number
    ['300c 020101 61', 6], // a bind response
    ['300c 020101 7808', 7], // longer than the message
    ['300c 020101 7807 0a02', 9],
    ['300c 020101 7807 0a0100 3000', 11],
    ['300c 020101 7807 0a0100 0403', 12], // longer than the response
    ['300c 020101 7807 0a0100 0400 0401', 14],
    ['3010 020101 780b 0a0100 0400 0400 1f', 15], // a tag of two bytes
    ['300e 020101 7809 0a0100 0400 0400 8b7f', 16],
    ['3007 020101 7802 0a01', 9], // ends in the middle
  ] as const) {
    const result = outcomeOf(answer);
    assert.deepEqual([result.outcome, result.read], ['ERR_UPGRADE_UNEXPECTED', read], answer);
  }
});
