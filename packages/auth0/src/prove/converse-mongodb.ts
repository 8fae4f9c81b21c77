import type { Duplex } from 'node:stream';
import type { Evidence } from './evidence.ts';
import { readMessages } from './read-messages.ts';

// MongoDB's messages: length, request number, the number of the answered request, and a code, little-endian
// (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/).
const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

/** Whether a connection begins with a message of MongoDB. */
export function isMongodb(first: Buffer): boolean {
  if (first.length < HEADER) return false;
  const [length, answered, code] = [first.readInt32LE(0), first.readInt32LE(8), first.readInt32LE(12)];
  return length >= HEADER && length < 48_000_000 && answered === 0 && (code === OP_QUERY || code === OP_MSG);
}

type Value = boolean | number | string;

/** BSON of a document without nested documents (https://bsonspec.org/spec.html). */
function toBson(document: Readonly<Record<string, Value>>): Buffer {
  const fields = Object.entries(document).map(([name, value]) => {
    const [type, bytes] = encode(value);
    return Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), bytes]);
  });
  return withLength(Buffer.concat([...fields, Buffer.of(0)]));
}

function encode(value: Value): readonly [type: number, bytes: Buffer] {
  if (typeof value === 'boolean') return [0x08, Buffer.of(value ? 1 : 0)];
  if (typeof value === 'number') return [0x10, int32(value)];
  const text = Buffer.from(`${value}\0`);
  return [0x02, Buffer.concat([int32(text.length), text])];
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};

/** A length that counts itself. */
const withLength = (content: Buffer): Buffer => Buffer.concat([int32(4 + content.length), content]);

/** In the range of MongoDB 3.6 to 7.0. No `topologyVersion`, because with it drivers would wait for news. */
const hello = toBson({
  ...{ helloOk: true, isWritablePrimary: true, ismaster: true, minWireVersion: 0, maxWireVersion: 21 },
  ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
  ...{ logicalSessionTimeoutMinutes: 30, connectionId: 1, readOnly: false, ok: 1 },
});
const failed = toBson({ ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'no such user here' });

function answer(request: Buffer, document: Buffer): Buffer {
  const isQuery = request.readInt32LE(12) === OP_QUERY;
  // OP_REPLY: flags, cursor, start, and one document. OP_MSG: flags, and a section with the document.
  const body = isQuery ? [int32(8), Buffer.alloc(8), int32(0), int32(1), document] : [int32(0), Buffer.of(0), document];
  const head = [int32(1), request.subarray(4, 8), int32(isQuery ? OP_REPLY : OP_MSG)];
  return withLength(Buffer.concat([...head, ...body]));
}

/** The name of the first field of a command. */
function commandOf(message: Buffer): string {
  // OP_QUERY: flags, a collection's name, two numbers. OP_MSG: flags, and the kind of the first section.
  const at = message.readInt32LE(12) === OP_QUERY ? message.indexOf(0, HEADER + 4) + 9 : HEADER + 5;
  const end = message.indexOf(0, at + 5);
  return end === -1 ? '' : message.toString('latin1', at + 5, end);
}

/** Accepts every greeting and no login. A login of MongoDB names the user, and proves the password without saying it. */
export function converseMongodb(stream: Duplex, evidence: Evidence): void {
  readMessages(stream, evidence, (buffer) => {
    if (buffer.length < HEADER || buffer.length < buffer.readInt32LE(0)) return 0;
    const length = Math.max(HEADER, buffer.readInt32LE(0));
    const message = buffer.subarray(0, length);
    const command = commandOf(message);
    const isHello = /^(?:hello|ismaster)$/i.test(command);
    if (command.startsWith('sasl') || message.includes('speculativeAuthenticate')) evidence.see('user name');
    evidence.see(isHello ? 'greeting' : command.startsWith('sasl') ? 'login' : 'query');
    stream.write(answer(message, isHello ? hello : failed));
    return length;
  });
}
