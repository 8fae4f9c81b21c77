import type { Envelope, UpgradeProtocol } from './contract.ts';
import { type Conversation, createConversation, type Reading, readByte, readLiteral } from './conversation.ts';
import { refused, unexpected } from './upgrade-errors.ts';

const name = 'mssql';

// Packet types and status (MS-TDS §2.2.3.1).
export const PRELOGIN = 0x12;
export const TABULAR_RESULT = 0x04;
const END_OF_MESSAGE = 0x01;

const nothing = new Uint8Array(0);

const HEADER_BYTES = 8;
/** The packet size that both sides accept before they agree on another one (MS-TDS §2.2.3.1.3). */
const DEFAULT_PACKET_BYTES = 4_096;
const MAX_PACKET_BYTES = 32_767;

// Options of PRELOGIN (MS-TDS §2.2.6.5).
const VERSION = 0;
const ENCRYPTION = 1;
const TERMINATOR = 0xff;
const ENTRY_BYTES = 4;

export const ENCRYPT_ON = 1;
export const ENCRYPT_NOT_SUPPORTED = 2;
const ENCRYPT_REQUIRED = 3;

const meanings: Record<number, string> = {
  0: 'it would encrypt the login only',
  2: 'it does not support encryption',
};

/** As the example of MS-TDS §4.1, with ENCRYPT_ON: a version, no instance, no thread, no MARS. It names nobody. */
const REQUEST = Buffer.from(
  [
    ...['1201002f00000100', '00001a0006', '0100200001', '0200210001', '0300220004', '0400260001', 'ff'],
    ...['090000000000', '01', '00', '00000000', '00'],
  ].join(''),
  'hex',
);

/** TDS 7: PRELOGIN is answered with PRELOGIN, and the TLS handshake is sent in packets of TDS (MS-TDS §2.2.6.5). */
export function createMssqlUpgrade(): UpgradeProtocol {
  return { ...createConversation(name, REQUEST, readAnswer()), envelope: createEnvelope() };
}

function* readAnswer(): Conversation {
  demandTls(yield* readPrelogin(TABULAR_RESULT));
}

/** The ENCRYPTION of a PRELOGIN, and its place in the packet. */
export interface Encryption {
  readonly at: number;
  readonly value: number;
}

/**
 * Reads a PRELOGIN to its end.
 *
 * @param type the packet type, of a request or of an answer
 * @returns undefined if it contains no ENCRYPTION
 */
export function* readPrelogin(type: number): Reading<Encryption | undefined> {
  yield* readLiteral([type, END_OF_MESSAGE], notTds);
  const payload = (yield* readByte()) * 256 + (yield* readByte()) - HEADER_BYTES;
  if (payload < 1 || payload > DEFAULT_PACKET_BYTES - HEADER_BYTES) notTds();
  yield 4; // Process, packet number, window: nothing depends on them.

  // A table of token, offset and length. The values follow it. An error message would begin with another token.
  let offset: number | undefined;
  let read = 1;
  yield* readLiteral([VERSION], notTds);
  for (let token = VERSION; token !== TERMINATOR; ) {
    if (read + ENTRY_BYTES >= payload) notTds();
    const entry = yield ENTRY_BYTES;
    if (token === ENCRYPTION) {
      if (offset !== undefined || entry[2] !== 0 || entry[3] !== 1) notTds();
      offset = ((entry[0] ?? 0) << 8) | (entry[1] ?? 0);
    }
    token = yield* readByte();
    read += ENTRY_BYTES + 1;
  }
  const values = yield payload - read;
  if (offset === undefined) return undefined;
  const value = values[offset - read];
  return value === undefined ? notTds() : { at: HEADER_BYTES + offset, value };
}

/** @throws CertpinError `ERR_UPGRADE_REFUSED` if the server does not consent to TLS for everything that follows */
export function demandTls(encryption: Encryption | undefined): Encryption {
  if (encryption === undefined) throw refused(name, 'the SQL Server offers no TLS (its PRELOGIN lacks ENCRYPTION)');
  const { value } = encryption;
  if (value === ENCRYPT_ON || value === ENCRYPT_REQUIRED) return encryption;
  const meaning = meanings[value];
  const what = `ENCRYPTION ${value}${meaning === undefined ? '' : `: ${meaning}`}`;
  throw refused(name, `the SQL Server refuses TLS (its answer to PRELOGIN is ${what})`);
}

/** TLS in packets of the type PRELOGIN (MS-TDS §2.2.6.5). Only an incomplete header is kept. */
export function createEnvelope(): Envelope {
  const header: number[] = [];
  let left = 0;

  const unwrap: Envelope['unwrap'] = (bytes) => {
    for (let at = 0; at < bytes.length; at++) {
      if (left > 0) {
        const content = bytes.subarray(at, at + left);
        left -= content.length;
        return { content, rest: bytes.subarray(at + content.length) };
      }
      header.push(bytes[at] as number);
      checkHeader(header);
      if (header.length < HEADER_BYTES) continue;
      left = packetLength(header) - HEADER_BYTES;
      header.length = 0;
    }
    return { content: nothing, rest: nothing };
  };
  return { wrap, unwrap };
}

function wrap(bytes: Uint8Array): Uint8Array {
  const packets: Uint8Array[] = [];
  const step = DEFAULT_PACKET_BYTES - HEADER_BYTES;
  for (let at = 0; at < bytes.length; at += step) {
    const content = bytes.subarray(at, at + step);
    const status = at + step < bytes.length ? 0 : END_OF_MESSAGE;
    const length = HEADER_BYTES + content.length;
    packets.push(Uint8Array.of(PRELOGIN, status, length >>> 8, length & 0xff, 0, 0, at / step + 1, 0), content);
  }
  return Buffer.concat(packets);
}

/** Checks as much of a packet's header as has come. */
function checkHeader(header: readonly number[]): void {
  const [type, status = 0] = header;
  // Some servers send TLS in packets of the type of their answers.
  const isPacket = (type === PRELOGIN || type === TABULAR_RESULT) && status <= END_OF_MESSAGE;
  const length = header.length < 4 ? HEADER_BYTES : packetLength(header);
  const hasLength = length >= HEADER_BYTES && length <= MAX_PACKET_BYTES;
  if (!isPacket || !hasLength) throw unexpected(name, 'the server sent something else than TLS in packets of TDS');
}

function packetLength(header: readonly number[]): number {
  return (header[2] ?? 0) * 256 + (header[3] ?? 0);
}

function notTds(): never {
  throw unexpected(name, 'the server answered PRELOGIN with something that TDS does not say');
}
