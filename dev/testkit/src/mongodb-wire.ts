import type { Duplex } from 'node:stream';
import { type Document, deserialize, serialize } from 'bson';

/** What a client asks for. */
export interface MongodbRequest {
  readonly command: Document;
  /** Sends the answer in the form in which the client asked. A client that wants no answer gets none. */
  readonly answer: (document: Document) => void;
}

const [OP_REPLY, OP_QUERY, OP_MSG] = [1, 2004, 2013];
const HEADER_BYTES = 16;
const MAX_MESSAGE_BYTES = 48_000_000;
/** Flags of OP_MSG. */
const [CHECKSUM_PRESENT, MORE_TO_COME] = [1, 2];

/** Reads the messages of one connection: OP_MSG, and OP_QUERY, with which drivers say their first hello. Anything else ends it. */
export function serveMongodb(socket: Duplex, onRequest: (request: MongodbRequest) => void): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    try {
      while (pending.length >= 4) {
        const length = pending.readInt32LE(0);
        if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new Error('no message of MongoDB');
        if (pending.length < length) return;
        const message = pending.subarray(0, length);
        pending = pending.subarray(length);
        onRequest(readRequest(message, (bytes) => void socket.write(bytes)));
      }
    } catch {
      socket.destroy();
    }
  });
}

function readRequest(message: Buffer, send: (bytes: Buffer) => void): MongodbRequest {
  const [requestId, opCode] = [message.readInt32LE(4), message.readInt32LE(12)];
  if (opCode === OP_QUERY) {
    const end = message.indexOf(0, HEADER_BYTES + 4);
    const command = read(message.subarray(end + 9)); // behind the collection: how many to skip, and to return
    return { command, answer: (document) => send(replyMessage(requestId, document)) };
  }
  if (opCode !== OP_MSG) throw new Error('an unknown message');
  const flags = message.readUInt32LE(HEADER_BYTES);
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  const command = readSections(message.subarray(HEADER_BYTES + 4, end));
  const answer = (document: Document): void => {
    if ((flags & MORE_TO_COME) === 0) send(msgMessage(requestId, document));
  };
  return { command, answer };
}

/** The body, and the document sequences of the same message as its lists. */
function readSections(bytes: Buffer): Document {
  const command: Document = {};
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at];
    const size = bytes.readInt32LE(at + 1);
    const section = bytes.subarray(at + 1, at + 1 + size);
    if (kind === 0) Object.assign(command, read(section));
    else if (kind === 1) {
      const end = section.indexOf(0, 4);
      command[section.toString('utf8', 4, end)] = readAll(section.subarray(end + 1));
    } else throw new Error('an unknown section');
    at += 1 + size;
  }
  return command;
}

function readAll(bytes: Buffer): Document[] {
  const documents: Document[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readInt32LE(at);
    documents.push(read(bytes.subarray(at, at + size)));
    at += size;
  }
  return documents;
}

const read = (bytes: Buffer): Document => deserialize(bytes, { promoteBuffers: true });

function msgMessage(responseTo: number, document: Document): Buffer {
  return wireMessage(responseTo, OP_MSG, Buffer.concat([Buffer.alloc(5), serialize(document)]));
}

function replyMessage(responseTo: number, document: Document): Buffer {
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  return wireMessage(responseTo, OP_REPLY, Buffer.concat([head, serialize(document)]));
}

function wireMessage(responseTo: number, opCode: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  [HEADER_BYTES + body.length, 1, responseTo, opCode].forEach((value, index) => {
    header.writeInt32LE(value, index * 4);
  });
  return Buffer.concat([header, body]);
}
