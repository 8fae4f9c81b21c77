import { Duplex } from 'node:stream';

// SQL Server's packets (MS-TDS §2.2.3): type, status, length, and four bytes that do not matter here.
export const TDS_HEADER = 8;
export const TDS_PRELOGIN = 0x12;
const ANSWER = 0x04;
const LAST = 0x01;

/** The ENCRYPTION of a PRELOGIN (MS-TDS §2.2.6.5). */
export const TDS_ENCRYPTION = { on: 1, notSupported: 2, required: 3 } as const;
const VERSION_OPTION = 0;
const ENCRYPTION_OPTION = 1;
const TERMINATOR = 0xff;

/** Whether a client asks for TLS in its PRELOGIN. */
export function asksForTls(prelogin: Buffer): boolean {
  const payload = prelogin.subarray(TDS_HEADER);
  for (let at = 0; at + 5 <= payload.length && payload[at] !== TERMINATOR; at += 5) {
    if (payload[at] !== ENCRYPTION_OPTION) continue;
    const value = payload[payload.readUInt16BE(at + 1)];
    return value === TDS_ENCRYPTION.on || value === TDS_ENCRYPTION.required;
  }
  return false;
}

/** An answer: its content in one packet. */
export function tdsAnswer(content: Uint8Array): Buffer {
  return tdsPacket(ANSWER, content);
}

function tdsPacket(type: number, content: Uint8Array): Buffer {
  const header = Buffer.from([type, LAST, 0, 0, 0, 0, 1, 0]);
  header.writeUInt16BE(TDS_HEADER + content.length, 2);
  return Buffer.concat([header, content]);
}

/** The answer to a PRELOGIN: a version, and ENCRYPTION. */
export function tdsPrelogin(encryption: number): Buffer {
  const options = [VERSION_OPTION, 0, 11, 0, 6, ENCRYPTION_OPTION, 0, 17, 0, 1, TERMINATOR];
  return tdsAnswer(Buffer.from([...options, 16, 0, 0x10, 0, 0, 0, encryption]));
}

const MAX_CONTENT = 4096 - TDS_HEADER;

/**
 * The wire of a server whose TLS handshake is inside packets of the type PRELOGIN. When the client's next bytes are not in such a packet,
 * the handshake is over. From there on, TLS is on the wire itself, in both directions.
 */
export function encloseTds(socket: Duplex): Duplex {
  let isOver = false;
  let received = Buffer.alloc(0);
  const wire = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      const packets: Buffer[] = [];
      for (let at = 0; at < chunk.length; at += MAX_CONTENT)
        packets.push(tdsPacket(TDS_PRELOGIN, chunk.subarray(at, at + MAX_CONTENT)));
      socket.write(isOver ? chunk : Buffer.concat(packets), () => done());
    },
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  const take = (): void => {
    while (!isOver && received.length >= TDS_HEADER) {
      isOver = received[0] !== TDS_PRELOGIN;
      const length = Math.max(TDS_HEADER, received.readUInt16BE(2));
      if (isOver || received.length < length) break;
      wire.push(received.subarray(TDS_HEADER, length));
      received = received.subarray(length);
    }
    // An alert in plaintext is shorter than a header.
    if (!isOver && (received.length === 0 || received[0] === TDS_PRELOGIN)) return;
    isOver = true;
    wire.push(received);
    received = Buffer.alloc(0);
  };
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    take();
  });
  socket
    .on('end', () => wire.push(null))
    .on('error', () => wire.destroy())
    .on('close', () => wire.destroy());
  return wire;
}
