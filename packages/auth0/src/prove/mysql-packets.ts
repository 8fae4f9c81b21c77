// What a MySQL server says, as packets. The testkit uses them for its scripted servers too.

/** A packet of the MySQL protocol. */
export function mysqlPacket(sequence: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, payload]);
}

/** OK: no rows, no insert id, autocommit, no warnings. */
export function mysqlOk(sequence: number): Buffer {
  return mysqlPacket(sequence, Buffer.from([0, 0, 0, 2, 0, 0, 0]));
}

/** @param text with `#` and an SQL state before the message, except in place of a greeting */
export function mysqlError(sequence: number, code: number, text: string): Buffer {
  const number = Buffer.alloc(2);
  number.writeUInt16LE(code);
  return mysqlPacket(sequence, Buffer.concat([Buffer.of(0xff), number, Buffer.from(text)]));
}

/** SSLRequest: the first 32 bytes of a login, in a packet of their own. */
export const SSL_REQUEST_BYTES = 36;

export interface MysqlGreetingOptions {
  /** Default: CLIENT_SSL is offered. */
  readonly tls?: boolean;
  /** Default `caching_sha2_password`. */
  readonly plugin?: string;
}

/** The greeting of MySQL 8. */
export function mysqlGreeting({ tls = true, plugin = 'caching_sha2_password' }: MysqlGreetingOptions = {}): Buffer {
  const capabilities = 0xdfff_f7df | (tls ? 0x800 : 0); // Everything except CLIENT_COMPRESS
  const upper = Buffer.alloc(2);
  upper.writeUInt16LE(capabilities >>> 16);
  const challenge = Buffer.from('abcdefghijklmnopqrst\0');
  return mysqlPacket(
    0,
    Buffer.concat([
      Buffer.from('\n8.4.0\0', 'latin1'),
      Buffer.from([9, 0, 0, 0]),
      ...[challenge.subarray(0, 8), Buffer.alloc(1), Buffer.from([capabilities & 0xff, (capabilities >>> 8) & 0xff])],
      Buffer.from([45, 2, 0]),
      ...[upper, Buffer.from([21]), Buffer.alloc(10), challenge.subarray(8), Buffer.from(`${plugin}\0`)],
    ]),
  );
}
