import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export interface TdsPackets {
  /** Bytes of content in each packet, in turn. The last number is repeated. */
  readonly contents: readonly number[];
  /** Bytes in each piece on the wire. Default: all at once. */
  readonly pieces?: number;
  /** Default 0x12. */
  readonly type?: number;
  /** Whether TLS is on the wire itself after the handshake. In TLS 1.2, ChangeCipherSpec is in the last flight. */
  readonly leaves?: boolean;
  /** Plaintext bytes after the last flight in packets. */
  readonly behind?: Buffer | undefined;
}

/**
 * The server's side of a connection with TLS in packets of TDS, written without the library's own reader and writer. What TLS writes in one
 * tick is joined before it is cut into packets. So one packet contains several records, or a part of one.
 */
export function asTdsServer(
  socket: Socket,
  { contents, pieces = 0x10000, type = 0x12, leaves = false, behind }: TdsPackets,
): Duplex {
  let isLeft = false;
  let isAppended = false;
  let received = Buffer.alloc(0);
  let waiting = Buffer.alloc(0);
  let packets = 0;

  const flush = (callback: () => void): void => {
    const wire: Buffer[] = [];
    if (isLeft) {
      wire.push(waiting);
      waiting = Buffer.alloc(0);
    }
    isLeft = isLeft || (leaves && recordsOf(waiting).some(({ type }) => type === CHANGE_CIPHER_SPEC));
    while (waiting.length > 0) {
      const size = contents[Math.min(packets++, contents.length - 1)] ?? 0;
      const content = waiting.subarray(0, size);
      waiting = waiting.subarray(size);
      const header = Buffer.from([type, waiting.length === 0 ? 1 : 0, 0, 0, 0, 51, packets & 0xff, 0]);
      header.writeUInt16BE(8 + content.length, 2);
      wire.push(header, content);
    }
    if (isLeft && behind !== undefined && !isAppended) wire.push(behind);
    isAppended = isLeft;
    const bytes = Buffer.concat(wire);
    const sendPiece = (at: number): void => {
      if (at >= bytes.length) callback();
      else socket.write(bytes.subarray(at, at + pieces), () => setImmediate(sendPiece, at + pieces));
    };
    sendPiece(0);
  };
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, callback) => {
      waiting = Buffer.concat([waiting, chunk]);
      setImmediate(() => flush(callback));
    },
    writev: (chunks, callback) => {
      waiting = Buffer.concat([waiting, ...chunks.map(({ chunk }) => chunk as Buffer)]);
      setImmediate(() => flush(callback));
    },
    destroy: (error, callback) => {
      socket.destroy();
      callback(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (isLeft) return void duplex.push(chunk);
    received = Buffer.concat([received, chunk]);
    for (let length = 8; received.length >= 8; received = received.subarray(length)) {
      length = received.readUInt16BE(2);
      const isPrelogin = received[0] === 0x12 && (received[1] ?? 2) <= 1 && length > 8 && length <= 4096;
      if (!isPrelogin) duplex.destroy(new Error('the client sent no packet of PRELOGIN'));
      if (!isPrelogin || received.length < length) return;
      duplex.push(received.subarray(8, length));
    }
  });
  socket.on('end', () => duplex.push(null)).on('close', () => duplex.destroy());
  return duplex;
}

const CHANGE_CIPHER_SPEC = 0x14;

/** The records of TLS in bytes that begin with one (RFC 8446 §5.1). */
export function recordsOf(bytes: Buffer): { readonly type: number; readonly length: number }[] {
  const records: { type: number; length: number }[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
    records.push({ type: bytes[at] as number, length: bytes.readUInt16BE(at + 3) });
  return records;
}
