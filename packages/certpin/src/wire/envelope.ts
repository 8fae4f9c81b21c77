import type { Socket } from 'node:net';
import type { Envelope } from '../protocols/contract.ts';
import { LateStream, type Mediator } from './late-stream.ts';

/** TLS inside a protocol's own packets. TLS begins on this stream, which ends with the socket below. */
export class EnclosedStream extends LateStream {
  #isLeft = false;

  constructor(envelope: Envelope) {
    const mediator: Mediator = {
      fromDriver: (bytes) => (this.#isLeft ? bytes : envelope.wrap(bytes)),
      fromServer: (bytes) => this.#unwrap(envelope, bytes),
    };
    super({ mediator });
  }

  /** From here on, TLS is on the wire itself. Called in the tick in which the handshake ends. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Packet by packet: before the next one is read, TLS may be refused, or be on the wire itself. */
  #unwrap(envelope: Envelope, bytes: Uint8Array): Uint8Array {
    let left = bytes;
    while (left.length > 0 && !this.#isLeft && !this.destroyed) {
      const { content, rest } = envelope.unwrap(left);
      this.give(content);
      left = rest;
    }
    return left;
  }
}

/**
 * Puts an envelope between a socket and the TLS that will begin on it. Called in the tick in which the conversation ends. The envelope puts
 * written bytes into packets, and takes read bytes out of packets.
 */
export function enclose(raw: Socket, envelope: Envelope): EnclosedStream {
  const stream = new EnclosedStream(envelope);
  stream.adopt(raw);
  return stream;
}
