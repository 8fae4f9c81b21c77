import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { FileError } from './file-error.ts';

/**
 * A certificate file has some kilobytes, a bundle of all public CAs some hundred, and a pins file with ten thousand targets two megabytes.
 */
const MAX_BYTES = 16 * 1024 * 1024;

/** What is read, as the error names it. */
export type FileKind = 'certificate file' | 'pins file' | 'list of targets' | 'password file' | 'file of settings';

/**
 * The bytes of a file, a named pipe, or standard input, but no more than such a file can have. A device or a pipe may have no end.
 *
 * @param signal stops waiting for somebody who writes into the pipe
 * @throws FileError; Node's own error (`ENOENT`, `EISDIR`, …) if the file cannot be opened
 */
export async function readBounded(
  source: string | AsyncIterable<Uint8Array>,
  kind: FileKind,
  signal?: AbortSignal,
): Promise<Buffer> {
  const chunks = new Chunks(kind);
  for await (const chunk of typeof source === 'string' ? await openFile(source, signal) : source) chunks.add(chunk);
  return chunks.whole();
}

/** The same for a file or a named pipe, synchronously. */
export function readBoundedSync(path: string, kind: FileKind): Buffer {
  const chunks = new Chunks(kind);
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const length = readSync(descriptor, buffer);
      if (length === 0) return chunks.whole();
      chunks.add(Buffer.from(buffer.subarray(0, length)));
    }
  } finally {
    closeSync(descriptor);
  }
}

class Chunks {
  readonly #kind: FileKind;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(kind: FileKind) {
    this.#kind = kind;
  }

  add(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#length > MAX_BYTES) throw new FileError(`it has more than 16 MiB: no ${this.#kind} is so large`);
    this.#chunks.push(chunk);
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/**
 * Node reads a file in a thread of its own. This thread would wait for ever for the writer of a named pipe, and the process could not end.
 */
async function openFile(path: string, signal: AbortSignal | undefined): Promise<Readable> {
  if (!(await stat(path)).isFIFO()) return createReadStream(path);
  const pipe = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true });
  return signal === undefined ? pipe : addAbortSignal(signal, pipe);
}
