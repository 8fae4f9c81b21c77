import type { Duplex } from 'node:stream';
import type { Evidence } from './evidence.ts';
import { isUnbind, LDAP_RESULT, type LdapMessage, ldapAnswer, readLdapMessage } from './ldap.ts';

// What a client asks for, and the answer to it (RFC 4511 §4.2 to §4.12).
const BIND = 0x60;
const SEARCH = 0x63;
const answers: Readonly<Record<number, number>> = {
  [BIND]: 0x61,
  [SEARCH]: 0x65,
  102: 0x67, // modify
  104: 0x69, // add
  74: 0x6b, // delete
  108: 0x6d, // modify DN
  110: 0x6f, // compare
  119: 0x78, // extended
};

/** In the content of a bind, the plain password follows a version and a name (RFC 4511 §4.2). */
const SIMPLE = 0x80;

/**
 * Accepts every login, and finds nothing. The end of a conversation without a request does not count: a script that refused the server
 * sends it too.
 */
export function converseLdap(stream: Duplex, evidence: Evidence): void {
  let buffer = Buffer.alloc(0);
  let counted = 0;
  let isFirst = true;
  const count = (bytes: number): void => {
    if (bytes > counted) evidence.count(buffer.subarray(counted, bytes));
    counted = Math.max(counted, bytes);
  };
  stream.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (let message = readLdapMessage(buffer); message !== undefined; message = readLdapMessage(buffer)) {
      const isEnd = isFirst && isUnbind(message);
      if (!isEnd) count(message.bytes.length);
      if (isEnd) stream.end();
      else hear(message, stream, evidence);
      buffer = buffer.subarray(message.bytes.length);
      counted = 0;
      isFirst = false;
    }
    // Incomplete bytes count when they come, unless they may become the end of a conversation.
    if (!isFirst || !mayBeUnbind(buffer)) count(buffer.length);
  });
  stream.on('end', () => count(buffer.length));
}

function mayBeUnbind(buffer: Buffer): boolean {
  const [sequence, length, integer, size] = buffer;
  const begins = [sequence === 0x30, length === 5, integer === 0x02, size === 1];
  return buffer.length < 7 && begins.slice(0, buffer.length).every(Boolean);
}

function hear(message: LdapMessage, stream: Duplex, evidence: Evidence): void {
  const { operation, content } = message;
  if (operation === BIND) {
    evidence.see('user name');
    evidence.see(hasPassword(content) ? 'password' : 'login');
  } else evidence.see(operation === SEARCH ? 'query' : 'data');
  const answer = answers[operation];
  if (answer !== undefined) stream.write(ldapAnswer(message, answer, LDAP_RESULT.success));
}

/** After the version (three bytes) and the name. */
function hasPassword(bind: Buffer): boolean {
  const [, size = 0] = bind.subarray(3);
  const lengthBytes = size < 0x80 ? 0 : size & 0x7f;
  const name = lengthBytes === 0 ? size : lengthBytes > 4 ? 0 : bind.readUIntBE(5, lengthBytes);
  return bind[5 + lengthBytes + name] === SIMPLE;
}
