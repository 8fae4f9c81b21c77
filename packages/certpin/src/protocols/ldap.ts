import type { UpgradeProtocol } from './contract.ts';
import { type Conversation, createConversation, type Reading, readByte } from './conversation.ts';
import { refused, unexpected } from './upgrade-errors.ts';

const name = 'ldap';

// BER tags (RFC 4511 appendix B).
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const ENUMERATED = 0x0a;
const SEQUENCE = 0x30;
const EXTENDED_RESPONSE = 0x78;
const RESPONSE_NAME = 0x8a;

const MESSAGE_ID = 1;
const START_TLS = Buffer.from('1.3.6.1.4.1.1466.20037', 'latin1');

/**
 * The message with ExtendedRequest (RFC 4511 §4.14.1): a sequence, its number, the request, the request's name. No bind comes before it.
 */
const REQUEST = Buffer.concat([Uint8Array.of(SEQUENCE, 29, INTEGER, 1, MESSAGE_ID, 0x77, 24, 0x80, 22), START_TLS]);

/** An answer has some dozen bytes, and a sentence for people. */
const MAX_RESPONSE_BYTES = 4_096;

/** Result codes for StartTLS (RFC 4511 §4.14.2 and appendix A) with a meaning for it. */
const meanings: Record<number, string> = {
  1: 'it does not accept the request at this point',
  2: 'it does not know StartTLS',
  10: 'it refers to another server',
  50: 'it does not allow StartTLS',
  51: 'it is busy',
  52: 'its TLS is not available',
  53: 'it is unwilling',
};

/** LDAP's StartTLS (RFC 4511 §4.14): one extended request, one extended response. */
export function createLdapUpgrade(): UpgradeProtocol {
  return createConversation(name, REQUEST, readResponse());
}

function* readResponse(): Conversation {
  const message = yield* enter({ room: MAX_RESPONSE_BYTES }, SEQUENCE);
  const id = yield* readNumber(message, INTEGER);
  // RFC 4511 §4.4: a server that disconnects on its own says so in a message with the number 0.
  if (id === 0) throw unexpected(name, 'the LDAP server turned the client away before TLS could begin');
  if (id !== MESSAGE_ID) throw notLdap();
  const response = yield* enter(message, EXTENDED_RESPONSE);
  const code = yield* readNumber(response, ENUMERATED);
  if (code !== 0) {
    const result = `result code ${code}${code in meanings ? `: ${meanings[code]}` : ''}`;
    throw refused(name, `the LDAP server refuses TLS (its answer to StartTLS is ${result})`);
  }
  yield* readContent(response, OCTET_STRING); // matchedDN
  yield* readContent(response, OCTET_STRING); // diagnosticMessage
  // RFC 4511 §4: unknown components are skipped. If there is a name, it must be the request's (§4.14.2).
  while (response.room > 0) {
    const tag = yield* readTag(response);
    const content = yield (yield* enterContent(response)).room;
    if (tag === RESPONSE_NAME && !START_TLS.equals(content)) throw notLdap();
  }
  while (message.room > 0) {
    yield* readTag(message);
    yield (yield* enterContent(message)).room;
  }
}

/** How many bytes of an element are still to be read. 0 is its end. */
interface Box {
  room: number;
}

/** Begins to read an element that may only have this tag. */
function* enter(box: Box, tag: number): Reading<Box> {
  if ((yield* readTag(box)) !== tag) throw notLdap();
  return yield* enterContent(box);
}

/** Begins to read the content of an element, and subtracts all of it from the rest of the outer one. */
function* enterContent(box: Box): Reading<Box> {
  let length = yield* readWithin(box);
  if (length >= 0x80) {
    const count = length & 0x7f;
    // RFC 4511 §5.1: no indefinite length. Four bytes are what Active Directory writes before every content.
    if (count === 0 || count > 4) throw notLdap();
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (yield* readWithin(box));
  }
  if (length > box.room) throw notLdap();
  box.room -= length;
  return { room: length };
}

function* readTag(box: Box): Reading<number> {
  const tag = yield* readWithin(box);
  // LDAP has no tag of more than one byte.
  if ((tag & 0x1f) === 0x1f) throw notLdap();
  return tag;
}

function* readWithin(box: Box): Reading<number> {
  if (box.room === 0) throw notLdap();
  box.room -= 1;
  return yield* readByte();
}

function* readContent(box: Box, tag: number): Reading<Uint8Array> {
  return yield (yield* enter(box, tag)).room;
}

/** A number of at most one byte: no message id here is higher, and no result code of RFC 4511 is. */
function* readNumber(box: Box, tag: number): Reading<number> {
  const { room } = yield* enter(box, tag);
  if (room !== 1) throw notLdap();
  return yield* readByte();
}

function notLdap(): ReturnType<typeof unexpected> {
  return unexpected(name, 'the server answered StartTLS with something that LDAP does not say');
}
