import { CertpinError } from '../core/errors.ts';
import type { MediatedUpgrade, UpgradeProtocol, UpgradeSides, UpgradeStep } from './contract.ts';
import { HEADER_BYTES, MysqlPackets } from './mysql-packets.ts';

const name = 'mysql';

// Capability flags (MySQL source, include/mysql_com.h).
const CLIENT_PROTOCOL_41 = 0x200;
const CLIENT_SSL = 0x800;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x8_0000;

/** A greeting is of some hundred bytes: a version, a scramble, the name of a plugin. */
const MAX_GREETING_BYTES = 4_096;

/** What SSLRequest is: capabilities 4, packet size 4, character set 1, filler 19, MariaDB's extended capabilities 4. */
const SSL_REQUEST_BYTES = 32;
const FILLER_START = 9;
const FILLER_END = 28;

/** A response holds a user, a database, a token and attributes of the connection, of at most 64 KiB. */
const MAX_RESPONSE_BYTES = 0x4_0000;

const PROTOCOL_VERSION = 10;
const OK = 0x00;
const ERR = 0xff;

const nothing = new Uint8Array(0);

/** MySQL's and MariaDB's upgrade, without a driver: the server greets, SSLRequest is the answer, and TLS begins. */
export function createMysqlUpgrade(): UpgradeProtocol {
  const greeting = createGreetingReader();
  return {
    name,
    opening: undefined,
    receive: (bytes) => {
      const packet = greeting(bytes);
      if (packet === undefined) return { next: 'wait' };
      if (isErrorPacket(packet)) {
        // Its text came in plaintext, so it is anybody's and is not shown; the number is harmless.
        const number = packet.length >= HEADER_BYTES + 3 ? ` ${(packet[5] ?? 0) | ((packet[6] ?? 0) << 8)}` : '';
        throw unexpected(`the server turned the client away with error${number} before TLS could begin`);
      }
      const request = new Uint8Array(SSL_REQUEST_BYTES);
      const view = new DataView(request.buffer);
      view.setUint32(0, CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH, true);
      view.setUint32(4, 0x100_0000, true);
      request[8] = 45; // utf8mb4_general_ci
      return { next: 'tls', bytes: toPacket(1, request) };
    },
  };
}

/**
 * The same upgrade in the place of a driver that was told of no TLS.
 *
 * The server takes the capabilities from SSLRequest, and the driver's own must agree with them. So the driver reads the greeting and
 * answers it; the answer is kept, and SSLRequest is made of its first 32 bytes, which name nobody. After the verdict the answer
 * follows, encrypted. The wire has carried one packet more than the driver knows of, so until the login has ended the client's
 * sequence numbers are one higher on the wire, and the server's one lower in the driver.
 */
export function createMysqlMediation(): MediatedUpgrade {
  const greeting = createGreetingReader();
  const fromDriver = new MysqlPackets(1);
  const fromServer = new MysqlPackets(-1);
  let phase: 'greeting' | 'response' | 'kept' | 'login' | 'transparent' | 'ended' = 'greeting';
  let sides: UpgradeSides | undefined;
  let kept: Uint8Array = nothing;

  /** Collects the driver's answer to the greeting; once it is whole, asks for TLS. */
  const keep = (bytes: Uint8Array): void => {
    kept = concat(kept, bytes);
    if (kept.length < HEADER_BYTES) return;
    const length = payloadLength(kept);
    if (length > MAX_RESPONSE_BYTES) throw unsupported('its answer to the greeting is too long');
    if (kept.length < HEADER_BYTES + length) return;
    if (kept.length > HEADER_BYTES + length) throw unsupported('it spoke on before the server had answered');
    const request = toPacket(kept[3] ?? 0, readCapabilities(kept.subarray(HEADER_BYTES)));
    phase = 'kept';
    sides?.proceed({ next: 'tls', bytes: request });
  };

  return {
    name,
    opening: undefined,
    attach: (given) => {
      sides = given;
    },
    receive: (bytes): UpgradeStep => {
      const packet = greeting(bytes);
      if (packet === undefined) return { next: 'wait' };
      const isError = isErrorPacket(packet);
      // Before the driver reads it: it answers at once.
      phase = isError ? 'ended' : 'response';
      sides?.show(packet, isError);
      return { next: 'wait' };
    },
    fromDriver: (bytes) => {
      if (phase === 'transparent') return bytes;
      if (phase === 'login') return fromDriver.renumber(bytes);
      // A driver that was turned away has nobody to talk to.
      if (phase === 'ended') return nothing;
      if (phase !== 'response') throw unsupported('it spoke before it was asked');
      keep(bytes);
      return nothing;
    },
    release: () => {
      const response = Uint8Array.from(kept);
      kept = nothing;
      response[5] = (response[5] ?? 0) | (CLIENT_SSL >>> 8);
      phase = 'login';
      return fromDriver.renumber(response);
    },
    fromServer: (bytes) => {
      if (phase === 'transparent') return bytes;
      // OK and ERR end the login; whatever else a plugin sends begins with another byte (sql_authentication.cc escapes these).
      const renumbered = fromServer.renumber(bytes, (first) => first === OK || first === ERR);
      // Before the driver reads it, for it answers at once, with a command that begins a count of its own.
      if (fromServer.ended) phase = 'transparent';
      return renumbered;
    },
  };
}

/**
 * Reads the first packet of the server, whole, whatever the pieces it comes in.
 *
 * @returns a function that gives the packet once, and undefined before; more bytes than the packet are an injection
 */
export function createGreetingReader(): (bytes: Uint8Array) => Uint8Array | undefined {
  let read: Uint8Array = nothing;
  let complete = false;
  return (bytes) => {
    if (bytes.length === 0) return undefined;
    if (complete) throw injected(bytes.length);
    read = concat(read, bytes.subarray(0, HEADER_BYTES + MAX_GREETING_BYTES + 1));
    if (read.length < HEADER_BYTES) return undefined;
    const length = payloadLength(read);
    if (length === 0 || length > MAX_GREETING_BYTES) throw unexpected('the server did not greet as MySQL does');
    const first = read[HEADER_BYTES];
    if (first !== undefined && first !== PROTOCOL_VERSION && first !== ERR)
      throw unexpected('the server did not greet as MySQL does');
    const end = HEADER_BYTES + length;
    if (read.length < end) return undefined;
    if (first === PROTOCOL_VERSION) checkGreeting(read.subarray(0, end));
    if (read.length > end) throw injected(read.length - end);
    complete = true;
    const packet = read;
    read = nothing;
    return packet;
  };
}

/** Whether a server that speaks unasked begins a packet of MySQL's: the first one, a greeting or an error, of a greeting's size. */
export function greetsAsMysql(greeting: Uint8Array): boolean {
  const first = greeting[HEADER_BYTES];
  return (
    (first === PROTOCOL_VERSION || first === ERR) && greeting[3] === 0 && payloadLength(greeting) <= MAX_GREETING_BYTES
  );
}

/** Whether a server that was to greet says why it will not. */
export function isErrorPacket(packet: Uint8Array): boolean {
  return packet[HEADER_BYTES] === ERR;
}

/** Whether these bytes are SSLRequest, to the last: after the character set there is nothing, so there is no name. */
export function isSslRequest(bytes: Uint8Array): boolean {
  const payload = bytes.subarray(HEADER_BYTES);
  return (
    payload.length === SSL_REQUEST_BYTES &&
    payloadLength(bytes) === SSL_REQUEST_BYTES &&
    ((payload[1] ?? 0) & (CLIENT_SSL >>> 8)) !== 0 &&
    payload.subarray(FILLER_START).every((byte) => byte === 0)
  );
}

/**
 * Protocol::HandshakeV10, to the end of what every version since MySQL 4.1 sends. A driver is to parse it, unverified: it gets no
 * greeting that ends where a field begins.
 */
function checkGreeting(packet: Uint8Array): void {
  const versionEnd = packet.indexOf(0, HEADER_BYTES + 1);
  // connection 4, scramble 8, filler 1; capabilities 2, character set 1, status 2, capabilities 2, length 1, filler 10; scramble 13
  const capabilities = versionEnd + 1 + 13;
  if (versionEnd < 0 || packet[3] !== 0 || packet.length < capabilities + 18 + 12)
    throw unexpected('the server did not greet as MySQL does');
  const flags = (packet[capabilities] ?? 0) | ((packet[capabilities + 1] ?? 0) << 8);
  if ((flags & CLIENT_PROTOCOL_41) === 0) throw unexpected('the server speaks a MySQL protocol from before 4.1');
  if ((flags & CLIENT_SSL) !== 0) return;
  const message = 'the MySQL server offers no TLS (its greeting lacks CLIENT_SSL)';
  throw new CertpinError('ERR_UPGRADE_REFUSED', message, { protocol: name });
}

/** SSLRequest from the driver's answer: what comes before the user name, once it is sure that it does. */
function readCapabilities(response: Uint8Array): Uint8Array {
  const flags = new DataView(response.buffer, response.byteOffset, response.byteLength);
  // Before 4.1 the user name began at the sixth byte; since then 19 zeros stand here.
  const isCurrent = response.length > SSL_REQUEST_BYTES && (flags.getUint16(0, true) & CLIENT_PROTOCOL_41) !== 0;
  if (!isCurrent || response.subarray(FILLER_START, FILLER_END).some((byte) => byte !== 0))
    throw unsupported('its answer to the greeting is not of protocol 4.1');
  const request = response.slice(0, SSL_REQUEST_BYTES);
  request[1] = (request[1] ?? 0) | (CLIENT_SSL >>> 8);
  return request;
}

function payloadLength(packet: Uint8Array): number {
  return (packet[0] ?? 0) | ((packet[1] ?? 0) << 8) | ((packet[2] ?? 0) << 16);
}

function toPacket(sequence: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  return concat(Uint8Array.of(length & 0xff, (length >>> 8) & 0xff, length >>> 16, sequence), payload);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

function unexpected(message: string): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return new CertpinError('ERR_UPGRADE_UNEXPECTED', message, { protocol: name });
}

function injected(count: number): CertpinError<'ERR_UPGRADE_INJECTED'> {
  const message = `plaintext bytes followed the server's greeting (${count} at least): somebody injected them`;
  return new CertpinError('ERR_UPGRADE_INJECTED', message, { protocol: name });
}

function unsupported(what: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', `the MySQL driver cannot be pinned: ${what}`, { client: name });
}
