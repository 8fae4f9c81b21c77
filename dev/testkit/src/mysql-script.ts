import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import {
  mysqlError as errorPacket,
  mysqlGreeting,
  mysqlOk,
  mysqlPacket,
} from '../../../packages/auth0/src/prove/mysql-packets.ts';
import type { Minted } from './mint.ts';
import { type CountingServer, credentials, observeServer } from './tls-server.ts';

export { mysqlGreeting, mysqlOk, mysqlPacket };

/** An ERR packet, as a server sends it in place of a greeting: without an SQL state. */
export function mysqlError(code: number, message: string): Buffer {
  return errorPacket(0, code, message);
}

/** OK, with the news that a session variable has a value (SERVER_SESSION_STATE_CHANGED, SESSION_TRACK_SYSTEM_VARIABLES). */
function mysqlOkWithVariable(sequence: number, name: string, value: string): Buffer {
  const counted = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(bytes.length), bytes]);
  const variable = Buffer.concat([counted(Buffer.from(name)), counted(Buffer.from(value))]);
  const changes = counted(Buffer.concat([Buffer.of(0), counted(variable)]));
  return mysqlPacket(sequence, Buffer.concat([Buffer.from([0, 0, 0, 2, 0x40, 0, 0, 0]), changes]));
}

/** The greeting of a real server, with another version in it. */
export function announceVersion(greeting: Buffer, version: string): Buffer {
  const end = greeting.indexOf(0, 5);
  return mysqlPacket(0, Buffer.concat([greeting.subarray(4, 5), Buffer.from(version), greeting.subarray(end)]));
}

/** What a scripted server expects from the driver, and what it says to it. */
type Turn = readonly [expected: (packet: Buffer) => boolean, answer: () => Buffer];

/** The driver's answer to the greeting, with CLIENT_SSL. */
const isLogin = (packet: Buffer): boolean => packet[3] === 2 && ((packet[5] ?? 0) & 8) !== 0;

/** The password itself, which is sent only over an encrypted connection. */
const isPassword =
  (sequence: number, password: string) =>
  (packet: Buffer): boolean =>
    packet[3] === sequence && packet.toString('latin1', 4) === `${password}\0`;

/** caching_sha2_password: the account was not seen before, so the server asks for the password itself. */
const fullAuthentication = Buffer.from([1, 4]);

/** A MySQL server with TLS whose caching_sha2_password asks for the password itself, by {@link fullAuthentication}. */
export function startSha2Server(certificate: Minted, password: string): Promise<CountingServer> {
  return startMysqlScript(certificate, [
    [isLogin, () => mysqlPacket(3, fullAuthentication)],
    [isPassword(4, password), () => mysqlOk(5)],
  ]);
}

/** A MySQL server with TLS that switches to a plugin which asks for the password itself. */
export function startSwitchingServer(
  certificate: Minted,
  plugin: 'caching_sha2_password' | 'sha256_password' | 'mysql_clear_password',
  password: string,
): Promise<CountingServer> {
  const request = Buffer.from(`\xfe${plugin}\0abcdefghijklmnopqrst\0`, 'latin1');
  const switched: Turn = [isLogin, () => mysqlPacket(3, request)];
  if (plugin !== 'caching_sha2_password')
    return startMysqlScript(certificate, [switched, [isPassword(4, password), () => mysqlOk(5)]]);
  return startMysqlScript(certificate, [
    switched,
    [(packet) => packet[3] === 4 && packet.length === 4 + 32, () => mysqlPacket(5, fullAuthentication)],
    [isPassword(6, password), () => mysqlOk(7)],
  ]);
}

/** A MySQL server with TLS that accepts every login and redirects it to another address. */
export function startRedirectingServer(certificate: Minted, url: string): Promise<CountingServer> {
  return startMysqlScript(certificate, [[isLogin, () => mysqlOkWithVariable(3, 'redirect_url', url)]]);
}

/**
 * A MySQL server with TLS that plays `turns`, and then answers every command with OK. After an unexpected sequence number or password, it
 * hangs up.
 */
function startMysqlScript(certificate: Minted, turns: readonly Turn[]): Promise<CountingServer> {
  const tlsServer = createTlsServer(credentials(certificate), (socket: TLSSocket) => {
    const left = [...turns];
    let read = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      while (read.length >= 4 && read.length >= 4 + read.readUIntLE(0, 3)) {
        const packet = read.subarray(0, 4 + read.readUIntLE(0, 3));
        read = read.subarray(packet.length);
        const [expected, answer] = left.shift() ?? [(command: Buffer) => command[3] === 0, () => mysqlOk(1)];
        if (!expected(packet)) return socket.destroy();
        // Byte by byte: the code that renumbers must find the packets.
        for (const byte of answer()) socket.write(Buffer.of(byte));
      }
    });
  });
  const front = createServer((socket: Socket) => {
    socket.write(mysqlGreeting());
    socket.once('readable', () => {
      if (socket.read(36) !== null) tlsServer.emit('connection', socket);
    });
  });
  return observeServer(tlsServer, front);
}

const HEADER_BYTES = 4;

const greeting = mysqlGreeting();

/** Servers that lie before TLS: what they do, and the code, or its beginning, with which a pinned client answers. */
export const lyingMysqlServers: readonly (readonly [name: string, script: (socket: Socket) => void, code: string])[] = [
  ['it offers no TLS', (socket) => void socket.write(mysqlGreeting({ tls: false })), 'ERR_UPGRADE_REFUSED'],
  [
    'bytes follow its greeting',
    (socket) => void socket.write(Buffer.concat([greeting, mysqlOk(2)])),
    'ERR_UPGRADE_INJECTED',
  ],
  ['it speaks HTTP', (socket) => void socket.write('HTTP/1.1 400\r\n\r\n'), 'ERR_UPGRADE_UNEXPECTED'],
  ['it greets without end', (socket) => void socket.write(Buffer.from('ffffff000a', 'hex')), 'ERR_UPGRADE_UNEXPECTED'],
  ['it hangs up', (socket) => void socket.end(), 'ERR_CONNECTION_CLOSED'],
  ['it hangs up in its greeting', (socket) => void socket.end(greeting.subarray(0, 20)), 'ERR_CONNECTION_CLOSED'],
  ['it says nothing', () => undefined, 'ERR_CONNECT_TIMEOUT'],
  ['it greets and says nothing more', (socket) => void socket.write(greeting), 'ERR_CONNECT_TIMEOUT'],
  [
    'it answers the SSLRequest with OK',
    (socket) => {
      socket.write(greeting);
      socket.once('data', () => socket.write(mysqlOk(2)));
    },
    'ERR_SSL_',
  ],
  [
    'it asks for the password in plaintext',
    (socket) => {
      socket.write(greeting);
      socket.once('data', () => socket.write(mysqlPacket(2, Buffer.from('\xfemysql_clear_password\0', 'latin1'))));
    },
    'ERR_SSL_',
  ],
];

/** The greeting, once for each of its bytes, with that byte inverted. */
export function* hostileMysqlGreetings(): Generator<Buffer> {
  for (let at = HEADER_BYTES; at < greeting.length; at++) {
    const hostile = Buffer.from(greeting);
    hostile[at] = (hostile[at] ?? 0) ^ 0xff;
    yield hostile;
  }
}
