import type { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { Evidence } from './evidence.ts';

// RFC 5246 §6.2.1, §7.4: a record is type, version and length; a handshake message is type and length.
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const CERTIFICATE = 11;

/**
 * The wire of a TLS 1.2 server with a key of its own, on which its certificate is replaced by the genuine one. OpenSSL refuses a key that
 * does not belong to its certificate. So the server is made with a pair that fits, and lies on the wire, where TLS 1.2 is still in
 * plaintext. The signature under the key exchange is then made with the server's own key.
 */
export function presentStolen(socket: Duplex, chain: readonly X509Certificate[], evidence: Evidence): Duplex {
  let pending = Buffer.alloc(0);
  let replaced = false;
  const counter = new RecordCounter(evidence);
  const wire = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      if (replaced) {
        socket.write(chunk, () => done());
        return;
      }
      pending = Buffer.concat([pending, chunk]);
      const flight = replaceCertificate(pending, chain);
      if (flight === undefined) return done();
      replaced = true;
      socket.write(flight, () => done());
    },
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    counter.hear(chunk);
    if (!wire.push(chunk)) socket.pause();
  });
  socket
    .on('end', () => wire.push(null))
    .on('error', () => wire.destroy())
    .on('close', () => wire.destroy());
  return wire;
}

/** @returns undefined while the message is not complete. Other records (an alert) are returned unchanged */
function replaceCertificate(flight: Buffer, chain: readonly X509Certificate[]): Buffer | undefined {
  const records: Buffer[] = [];
  for (let at = 0; at < flight.length; ) {
    if (flight[at] !== HANDSHAKE) return flight;
    const end = at + 5 + (at + 5 > flight.length ? 0 : flight.readUInt16BE(at + 3));
    if (end > flight.length) return undefined;
    records.push(flight.subarray(at + 5, end));
    at = end;
  }
  const messages = Buffer.concat(records);
  const version = flight.subarray(1, 3);
  for (let at = 0; at + 4 <= messages.length; ) {
    const end = at + 4 + messages.readUIntBE(at + 1, 3);
    if (end > messages.length) return undefined;
    if (messages[at] === CERTIFICATE) {
      return toRecords(
        version,
        Buffer.concat([messages.subarray(0, at), certificateMessage(chain), messages.subarray(end)]),
      );
    }
    at = end;
  }
  return undefined;
}

function certificateMessage(chain: readonly X509Certificate[]): Buffer {
  const list = Buffer.concat(chain.map(({ raw }) => Buffer.concat([length24(raw.length), raw])));
  const body = Buffer.concat([length24(list.length), list]);
  return Buffer.concat([Buffer.of(CERTIFICATE), length24(body.length), body]);
}

function length24(length: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(length, 0, 3);
  return bytes;
}

/** RFC 5246 §6.2.1: a record holds at most 2^14 bytes. */
function toRecords(version: Uint8Array, messages: Buffer): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < messages.length; at += 16_384) {
    const fragment = messages.subarray(at, at + 16_384);
    const header = Buffer.from([HANDSHAKE, ...version, fragment.length >> 8, fragment.length & 0xff]);
    records.push(header, fragment);
  }
  return Buffer.concat(records);
}

/** Counts application data on the wire. Nobody here has the key to read it, but the client should not have sent it. */
class RecordCounter {
  private readonly evidence: Evidence;
  private header = Buffer.alloc(0);
  private left = 0;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
  }

  hear(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const skipped = Math.min(this.left, chunk.length - at);
      this.left -= skipped;
      at += skipped;
      const rest = chunk.subarray(at, at + 5 - this.header.length);
      this.header = Buffer.concat([this.header, rest]);
      at += rest.length;
      if (this.header.length < 5) return;
      this.left = this.header.readUInt16BE(3);
      if (this.header[0] === APPLICATION_DATA) this.evidence.countSealed(this.left);
      this.header = Buffer.alloc(0);
    }
  }
}
