import type { Duplex } from 'node:stream';
import type { Evidence } from './evidence.ts';

/** Passes what has arrived to `read`, which returns the length of a message in bytes. 0: it is not complete yet. */
export function readMessages(stream: Duplex, evidence: Evidence, read: (buffer: Buffer) => number): void {
  let buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    evidence.count(chunk);
    buffer = Buffer.concat([buffer, chunk]);
    for (let length = read(buffer); length > 0; length = read(buffer)) buffer = buffer.subarray(length);
  });
}
