import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Minted } from './mint.ts';
import { type CountingServer, credentials, observeServer } from './tls-server.ts';

/** A packet of the MySQL protocol. */
export function mysqlPacket(sequence: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
}

export interface MysqlGreetingOptions {
  /** Default: CLIENT_SSL is offered. */
  readonly tls?: boolean;
  /** Default `caching_sha2_password`. */
  readonly plugin?: string;
}

/** The greeting of a scripted server, MySQL 8's by its look. */
export function mysqlGreeting({ tls = true, plugin = 'caching_sha2_password' }: MysqlGreetingOptions = {}): Buffer {
  const capabilities = 0xdfff_f7ff | (tls ? 0x800 : 0);
  const upper = Buffer.alloc(2);
  upper.writeUInt16LE(capabilities >>> 16);
  const scramble = Buffer.from('abcdefghijklmnopqrst\0');
  return mysqlPacket(
    0,
    Buffer.concat([
      Buffer.from('\n8.4.0\0', 'latin1'),
      Buffer.from([9, 0, 0, 0]),
      ...[scramble.subarray(0, 8), Buffer.alloc(1), Buffer.from([capabilities & 0xff, (capabilities >>> 8) & 0xff])],
      Buffer.from([45, 2, 0]),
      ...[upper, Buffer.from([21]), Buffer.alloc(10), scramble.subarray(8), Buffer.from(`${plugin}\0`)],
    ]),
  );
}

/** An ERR packet, as a server sends it in place of a greeting: without an SQL state. */
export function mysqlError(code: number, message: string): Buffer {
  const number = Buffer.alloc(2);
  number.writeUInt16LE(code);
  return mysqlPacket(0, Buffer.concat([Buffer.of(0xff), number, Buffer.from(message)]));
}

/** OK: no rows, no insert id, autocommit, no warnings. */
export function mysqlOk(sequence: number): Buffer {
  return mysqlPacket(sequence, Buffer.from([0, 0, 0, 2, 0, 0, 0]));
}

/**
 * A MySQL server with TLS that has not seen the account before, so caching_sha2_password asks for the password itself, which is said
 * over an encrypted connection only. It answers every command with OK, and an unexpected sequence number or password with a hang-up.
 */
export function startSha2Server(certificate: Minted, password: string): Promise<CountingServer> {
  const tlsServer = createTlsServer(credentials(certificate), (socket: TLSSocket) => {
    const answers: [expected: (packet: Buffer) => boolean, answer: () => Buffer][] = [
      [(packet) => packet[3] === 2 && ((packet[5] ?? 0) & 8) !== 0, () => mysqlPacket(3, Buffer.from([1, 4]))],
      [(packet) => packet[3] === 4 && packet.toString('latin1', 4) === `${password}\0`, () => mysqlOk(5)],
    ];
    let read = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      while (read.length >= 4 && read.length >= 4 + read.readUIntLE(0, 3)) {
        const packet = read.subarray(0, 4 + read.readUIntLE(0, 3));
        read = read.subarray(packet.length);
        const [expected, answer] = answers.shift() ?? [(command) => command[3] === 0, () => mysqlOk(1)];
        if (!expected(packet)) return socket.destroy();
        // Byte by byte: whoever renumbers must find the packets.
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
