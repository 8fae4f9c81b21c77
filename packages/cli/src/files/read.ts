import { constants, createReadStream, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { FileError } from './file-error.ts';

/** A certificate file is some kilobytes; a bundle of every public CA some hundred. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The bytes of a file, a named pipe, or standard input: no more of them than a certificate file can have.
 *
 * @param signal gives up waiting for somebody who writes into the pipe
 * @throws FileError; Node's own error (`ENOENT`, `EISDIR`, …) where the file cannot be opened
 */
export async function readBounded(
  source: string | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of typeof source === 'string' ? await openFile(source, signal) : source) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new FileError('it has more than 16 MiB: no certificate file is so large');
    chunks.push(chunk);
  }
  if (length === 0) throw new FileError('it is empty');
  return Buffer.concat(chunks);
}

/** Node reads a file in a thread of its own, which would wait for the writer of a named pipe for ever, and the end of the process with it. */
async function openFile(path: string, signal: AbortSignal | undefined): Promise<Readable> {
  if (!(await stat(path)).isFIFO()) return createReadStream(path);
  const pipe = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true });
  return signal === undefined ? pipe : addAbortSignal(signal, pipe);
}
