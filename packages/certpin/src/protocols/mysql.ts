import { CertpinError } from '../errors.ts';
import type { MediatedUpgrade, UpgradeProtocol, UpgradeStep } from './contract.ts';
import { HEADER_BYTES, PacketReader } from './mysql-packets.ts';
import { injected, upgradeError } from './upgrade-errors.ts';

const name = 'mysql';

/** Capability flags (MySQL source, include/mysql_com.h). */
const CLIENT_PROTOCOL_41 = 0x200;
const CLIENT_SSL = 0x800;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x8_0000;

/** Size of a packet, with its header. A greeting has some hundred bytes: a version, a scramble, the name of a plugin. */
const MAX_GREETING_BYTES = 4_100;

/** Length of the text that an unverified server sends: its version, the plugin that it names, or why it turns the client away. */
const MAX_TEXT_BYTES = 255;

/** A login holds a user, a database, a token and attributes of the connection, of at most 64 KiB. */
const MAX_LOGIN_BYTES = 0x4_0000;

/** What SSLRequest is: capabilities 4, packet size 4, character set 1, filler 19, MariaDB's extended capabilities 4. */
const SSL_REQUEST_END: number = HEADER_BYTES + 32;
/** Its length, and its sequence number, which follows the greeting's. */
const SSL_REQUEST_HEADER: Uint8Array = Uint8Array.of(32, 0, 0, 1);
const FILLER_START: number = HEADER_BYTES + 9;

const PROTOCOL_VERSION = 10;
const OK = 0x00;
const ERR = 0xff;

/** MySQL's and MariaDB's upgrade, without a driver: the server greets, SSLRequest is the answer, and TLS begins. */
export function createMysqlUpgrade(): UpgradeProtocol {
  const greeting = createGreetingReader();
  return {
    name,
    receive: (bytes) => {
      const packet = greeting(bytes);
      if (packet === undefined) return { next: 'wait' };
      if (isErrorPacket(packet)) {
        // The text came in plaintext, so it may be anybody's and is not shown. The number is harmless.
        const number = packet.length >= HEADER_BYTES + 3 ? ` ${packet.readUInt16LE(5)}` : '';
        throw upgradeError(
          'ERR_UPGRADE_UNEXPECTED',
          name,
          `the server turned the client away with error${number} before TLS could begin`,
        );
      }
      const request = Buffer.alloc(SSL_REQUEST_END);
      const flags = CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH;
      request.set(SSL_REQUEST_HEADER);
      request.writeUInt32LE(flags, 4);
      request.writeUInt32LE(0x100_0000, 8);
      request[12] = 45; // utf8mb4_general_ci
      return { next: 'tls', bytes: request };
    },
  };
}

/**
 * The same upgrade, in the place of a driver that knows nothing of TLS.
 *
 * The server takes the capabilities from SSLRequest, and the driver's own must be the same. So the driver reads the greeting and answers
 * it. SSLRequest is made from the first 32 bytes of the answer, which name nobody. After the verdict, the answer follows, encrypted. The
 * wire has carried one packet more than the driver knows of. So until the login ends, the client's sequence numbers are one higher on the
 * wire, and the server's one lower in the driver.
 */
export function createMysqlMediation(show: (packet: Uint8Array | null) => unknown): MediatedUpgrade {
  const readGreeting = createGreetingReader();
  const [driver, server] = [new PacketReader(), new PacketReader()];
  const tooLong = () => unsupported('a packet of the login is too long');
  let proceed: (step: UpgradeStep) => void;

  const speaksEarly = (): never => {
    throw unsupported('it spoke before it was asked');
  };
  const answers = (bytes: Uint8Array): Uint8Array => {
    const [answer, ...more] = driver.read(bytes, MAX_LOGIN_BYTES, tooLong, 1);
    if (answer === undefined) return Buffer.alloc(0);
    mediation.fromDriver = speaksEarly;
    if (more.length > 0 || driver.rest.length > 0) return speaksEarly();
    proceed({ next: 'tls', bytes: takeSslRequest(answer) });
    return answer;
  };
  const logsIn = (bytes: Uint8Array): Buffer => Buffer.concat([...driver.read(bytes, MAX_LOGIN_BYTES, tooLong, 1)]);

  const mediation: MediatedUpgrade = {
    name,
    attach: (take) => {
      proceed = take;
    },
    receive: (bytes) => {
      const packet = readGreeting(bytes);
      if (packet === undefined) return { next: 'wait' };
      const isOver = isErrorPacket(packet);
      // Set before the driver reads the greeting, because it answers at once. A driver that was turned away has nobody to talk to.
      mediation.fromDriver = isOver ? () => Buffer.alloc(0) : answers;
      show(packet);
      if (isOver) show(null);
      return { next: 'wait', isOver };
    },
    fromDriver: speaksEarly,
    fromServer: (bytes) => {
      mediation.fromDriver = logsIn;
      const packets: Buffer[] = [];
      for (const packet of server.read(bytes, MAX_LOGIN_BYTES, tooLong, -1)) {
        packets.push(packet);
        // OK and ERR end the login. The data of a plugin never begins like them (sql_authentication.cc).
        if (![OK, ERR].includes(packet[HEADER_BYTES] as number)) continue;
        // Also before the driver reads it: the driver's next command begins a new count.
        mediation.fromDriver = mediation.fromServer = (passed) => passed;
        packets.push(server.rest);
        break;
      }
      return Buffer.concat(packets);
    },
  };
  return mediation;
}

/**
 * Reads the first packet of the server completely, whatever the pieces in which it comes. It came in plaintext, so it may be anybody's, and
 * a driver passes its text on to the application. So only a limited length of printable ASCII is accepted, and an error says where the text
 * comes from.
 *
 * @returns a function that gives the packet once, and undefined before. More bytes than the packet are an injection
 */
export function createGreetingReader(): (bytes: Uint8Array) => Buffer | undefined {
  const server = new PacketReader();
  let isRead = false;
  return (bytes) => {
    if (isRead && bytes.length > 0) throw injected(name, bytes.length);
    const [packet] = server.read(bytes, MAX_GREETING_BYTES, noGreeting);
    if (packet === undefined) return undefined;
    const isError = isErrorPacket(packet);
    if (!isError) checkGreeting(packet);
    if (server.rest.length > 0) throw injected(name, server.rest.length);
    isRead = true;
    return isError ? attributeError(packet) : packet;
  };
}

/** The same error, with a text that says that nobody knows who sent it. */
function attributeError(packet: Buffer): Buffer {
  const textStart = HEADER_BYTES + 3;
  if (packet.length <= textStart) return packet; // It has a number, or not even that.
  const text = packet.subarray(textStart, textStart + MAX_TEXT_BYTES);
  makePrintable(text);
  const words = Buffer.from(`an unverified server says, before TLS: ${text.toString('latin1')}`);
  const attributed = Buffer.concat([packet.subarray(0, textStart), words]);
  attributed.writeUIntLE(attributed.length - HEADER_BYTES, 0, 3);
  return attributed;
}

/** Replaces everything except printable ASCII by a question mark, so that no terminal, log or page takes it for a command. */
function makePrintable(text: Buffer): void {
  for (const [at, byte] of text.entries()) if (byte < 0x20 || byte > 0x7e) text[at] = 0x3f;
}

/** Whether unasked bytes begin a packet of MySQL: the first one, a greeting or an error, of a greeting's size. */
export function greetsAsMysql(bytes: Uint8Array): boolean {
  const greeting = Buffer.from(bytes);
  const first = greeting[HEADER_BYTES];
  const isKnown = first === PROTOCOL_VERSION || first === ERR;
  return isKnown && greeting[3] === 0 && HEADER_BYTES + greeting.readUIntLE(0, 3) <= MAX_GREETING_BYTES;
}

/** Whether a server that should greet sends an error with the reason instead. */
export function isErrorPacket(packet: Uint8Array): boolean {
  return packet[HEADER_BYTES] === ERR;
}

/** Whether these bytes are exactly SSLRequest. After the character set there is nothing, so there is no name. */
export function isSslRequest(bytes: Buffer): boolean {
  return (
    bytes.length === SSL_REQUEST_END &&
    bytes.readUIntLE(0, 3) === SSL_REQUEST_HEADER[0] &&
    (bytes.readUInt16LE(HEADER_BYTES) & CLIENT_SSL) !== 0 &&
    bytes.subarray(FILLER_START).every((byte) => byte === 0)
  );
}

/**
 * Protocol::HandshakeV10, to the end of what every version since MySQL 4.1 sends. A driver will parse it before the server is verified. So
 * the driver gets only a greeting whose fields are complete, and whose text is printable.
 *
 * After the version: connection 4, scramble 8, filler 1; capabilities 2, character set 1, status 2, capabilities 2, length 1, filler 10;
 * scramble 13. Without the two capabilities, these fields are in other places. Every server since 4.1 has both. The length is that of the
 * whole scramble, whose first 8 bytes come earlier. Its end has 13 bytes or more.
 */
function checkGreeting(packet: Buffer): void {
  const versionStart = HEADER_BYTES + 1;
  const versionEnd = packet.indexOf(0, versionStart);
  const isWhole = versionEnd >= 0 && packet.length >= versionEnd + 44;
  const isGreeting = isWhole && packet[3] === 0 && packet[HEADER_BYTES] === PROTOCOL_VERSION;
  const flags = isGreeting ? packet.readUInt16LE(versionEnd + 14) : 0;
  if ((flags & CLIENT_PROTOCOL_41) === 0 || (flags & CLIENT_SECURE_CONNECTION) === 0) throw noGreeting();
  if ((flags & CLIENT_SSL) === 0)
    throw upgradeError('ERR_UPGRADE_REFUSED', name, 'the MySQL server offers no TLS (its greeting lacks CLIENT_SSL)');
  const pluginStart = versionEnd + 32 + Math.max(13, (packet[versionEnd + 21] as number) - 8);
  const pluginEnd = packet.indexOf(0, pluginStart);
  const version = packet.subarray(versionStart, versionEnd);
  const plugin = packet.subarray(pluginStart, pluginEnd < 0 ? packet.length : pluginEnd);
  if (version.length > MAX_TEXT_BYTES || plugin.length > MAX_TEXT_BYTES) throw noGreeting();
  makePrintable(version);
  makePrintable(plugin);
}

/**
 * Sets CLIENT_SSL in the driver's answer, and returns the part before its user name. First it makes sure that the answer has the layout
 * since 4.1, with 19 zeros before the name. Before 4.1, the name began at the sixth byte.
 */
function takeSslRequest(response: Buffer): Buffer {
  const flags = response.length > SSL_REQUEST_END ? response.readUInt16LE(HEADER_BYTES) : 0;
  const filler = response.subarray(FILLER_START, FILLER_START + 19);
  if ((flags & CLIENT_PROTOCOL_41) === 0 || filler.some(Boolean))
    throw unsupported('its answer to the greeting is not of protocol 4.1');
  response.writeUInt16LE(flags | CLIENT_SSL, HEADER_BYTES);
  return Buffer.concat([SSL_REQUEST_HEADER, response.subarray(HEADER_BYTES, SSL_REQUEST_END)]);
}

function noGreeting(): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return upgradeError('ERR_UPGRADE_UNEXPECTED', name, 'the server did not greet as MySQL does');
}

export function unsupported(what: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', `the MySQL driver cannot be pinned: ${what}`, { client: name });
}
