import type { UpgradeProtocol } from './contract.ts';
import { type Conversation, createConversation, readByte, readLiteral } from './conversation.ts';
import { refused, unexpected } from './upgrade-errors.ts';

const name = 'rdp';

// Protocols of the negotiation (MS-RDPBCGR §2.2.1.1.1). The last two are TLS with CredSSP, a login, inside.
const PROTOCOL_RDP = 0;
const PROTOCOL_SSL = 1;
const PROTOCOL_HYBRID = 2;
const PROTOCOL_HYBRID_EX = 8;

const REQUESTED = PROTOCOL_SSL | PROTOCOL_HYBRID | PROTOCOL_HYBRID_EX;

const NEGOTIATION_RESPONSE = 2;
const NEGOTIATION_FAILURE = 3;

/** X.224 Connection Request with RDP_NEG_REQ, in a TPKT (MS-RDPBCGR §2.2.1.1). No cookie: it would name the user. */
const REQUEST = Uint8Array.from([
  ...[3, 0, 0, 19], // TPKT: version, reserved, length
  ...[14, 0xe0, 0, 0, 0, 0, 0], // X.224: length, Connection Request, references, class
  ...[1, 0, 8, 0, REQUESTED, 0, 0, 0], // RDP_NEG_REQ: type, flags, length, protocols
]);

/** A Connection Confirm without negotiation data, and with it. */
const LENGTHS = [11, 19];

/** RDP_NEG_FAILURE (MS-RDPBCGR §2.2.1.2.2). */
const meanings: Record<number, string> = {
  1: 'it demands TLS, and did not see the request for it',
  2: 'its configuration allows standard RDP security only',
  3: 'it has no certificate',
  4: 'it finds the request inconsistent',
  5: 'it demands CredSSP, and did not see the request for it',
  6: 'it demands TLS with a login by certificate',
};

/** RDP's negotiation (MS-RDPBCGR §2.2.1): one Connection Request, one Connection Confirm. */
export function createRdpUpgrade(): UpgradeProtocol {
  return createConversation(name, REQUEST, readConfirm());
}

function* readConfirm(): Conversation {
  yield* readLiteral([3, 0, 0], notRdp);
  const length = yield* readByte();
  if (!LENGTHS.includes(length)) notRdp();
  yield* readLiteral([length - 5, 0xd0], notRdp);
  yield 4; // The references of a connection that has no other connections.
  yield* readLiteral([0], notRdp);
  if (length === LENGTHS[0])
    throw refused(name, 'the RDP server offers no TLS (it does not negotiate: standard RDP security)');
  const type = yield* readByte();
  if (type !== NEGOTIATION_RESPONSE && type !== NEGOTIATION_FAILURE) notRdp();
  yield 1; // flags
  yield* readLiteral([8, 0], notRdp);
  const bytes = yield 4;
  const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (type === NEGOTIATION_FAILURE) {
    const meaning = meanings[value];
    const code = `failure ${value}${meaning === undefined ? '' : `: ${meaning}`}`;
    throw refused(name, `the RDP server refuses TLS (its answer to the negotiation is ${code})`);
  }
  if (value === PROTOCOL_RDP) throw refused(name, 'the RDP server refuses TLS (it selected standard RDP security)');
  if (![PROTOCOL_SSL, PROTOCOL_HYBRID, PROTOCOL_HYBRID_EX].includes(value))
    throw unexpected(name, 'the RDP server selected a protocol that was not requested');
}

function notRdp(): never {
  throw unexpected(name, 'the server answered the negotiation with something that RDP does not say');
}
