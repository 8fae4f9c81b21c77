import { createReadStream } from 'node:fs';
import { FileError } from './file-error.ts';

/** A certificate file is some kilobytes; a bundle of every public CA some hundred. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The bytes of a file, a named pipe, or standard input: no more of them than a certificate file can have.
 *
 * @throws FileError; Node's own error (`ENOENT`, `EISDIR`, …) where the file cannot be opened
 */
export async function readBounded(source: string | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of typeof source === 'string' ? createReadStream(source) : source) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new FileError('it has more than 16 MiB: no certificate file is so large');
    chunks.push(chunk);
  }
  if (length === 0) throw new FileError('it is empty');
  return Buffer.concat(chunks);
}
