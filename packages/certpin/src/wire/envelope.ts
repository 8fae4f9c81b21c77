import type { Socket } from 'node:net';
import type { Envelope } from '../protocols/contract.ts';
import { LateStream, type Mediator } from './late-stream.ts';

/** TLS that stands in a protocol's own packets. TLS begins on it, and it ends with the socket below. */
export class EnclosedStream extends LateStream {
  #isLeft = false;

  constructor(envelope: Envelope) {
    const mediator: Mediator = {
      fromDriver: (bytes) => (this.#isLeft ? bytes : envelope.wrap(bytes)),
      fromServer: (bytes) => this.#unwrap(envelope, bytes),
    };
    super({ mediator });
  }

  /** From here on TLS stands on the wire itself. Called in the tick in which the handshake ends. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Packet by packet: TLS may be refused, or stand on the wire, before the next one is looked at. */
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
 * Lays an envelope between a socket and the TLS that is to begin on it. Called in the tick in which the conversation has ended: what is
 * given to the stream is put into packets, and what it gives was taken out of them.
 */
export function enclose(raw: Socket, envelope: Envelope): EnclosedStream {
  const stream = new EnclosedStream(envelope);
  stream.adopt(raw);
  return stream;
}
