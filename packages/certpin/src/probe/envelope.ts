import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Envelope } from '../protocols/contract.ts';
import { LateStream, type Mediator } from '../wire/late-stream.ts';

/**
 * The stream on which TLS is to begin, called in the tick in which the conversation has ended: the socket itself, or where the protocol
 * has an envelope, a stream that puts what it is given into packets and takes what it reads out of them. The two end together.
 */
export function enclose(raw: Socket, envelope: Envelope | undefined): Duplex {
  if (envelope === undefined) return raw;
  const mediator: Mediator = {
    fromDriver: (bytes) => envelope.wrap(bytes),
    fromServer: (bytes) => envelope.unwrap(bytes),
  };
  const stream = new LateStream({ mediator });
  stream.adopt(raw);
  return stream;
}
