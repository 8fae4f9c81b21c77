/** An element for a writer that may use any form of BER, and forms that are not allowed. */
export interface Node {
  tag: number;
  /** The elements inside, or the bytes. */
  content: Node[] | Buffer;
  /** More bytes before the number of the tag: `1f 02` is an INTEGER too. -1: one byte, as usual. */
  tagBytes?: number;
  /** How many bytes the length has; 0: the shortest form; -1: indefinite. */
  lengthBytes?: number;
  /** What is added to the length that is written. */
  lie?: number;
  /** Behind the content, within the length. */
  trailing?: Buffer;
}

export const node = (tag: number, content: Node[] | Buffer): Node => ({ tag, content });
export const sequence = (...content: Node[]): Node => node(0x30, content);
export const oid = (hex: string): Node => node(0x06, Buffer.from(hex, 'hex'));
export const integer = (...bytes: number[]): Node => node(0x02, Buffer.from(bytes));
export const text = (value: string): Node => node(0x0c, Buffer.from(value));
export const octets = (content: Buffer): Node => node(0x04, content);
/** An element that was read, in the form in which it was written. */
export const raw = (bytes: Buffer): Node => parse(bytes).node;

export function encode(element: Node): Buffer {
  const { content, lengthBytes = 0, lie = 0, trailing } = element;
  const inner = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encode));
  const whole = trailing === undefined ? inner : Buffer.concat([inner, trailing]);
  if (lengthBytes === -1) return Buffer.concat([encodeTag(element), Buffer.of(0x80), whole, Buffer.of(0, 0)]);
  return Buffer.concat([encodeTag(element), encodeLength(Math.max(0, whole.length + lie), lengthBytes), whole]);
}

function encodeTag({ tag, tagBytes = -1 }: Node): Buffer {
  if (tagBytes === -1) return Buffer.of(tag);
  return Buffer.concat([Buffer.of(tag | 0x1f), Buffer.alloc(tagBytes, 0x80), Buffer.of(tag & 0x1f)]);
}

function encodeLength(length: number, lengthBytes: number): Buffer {
  if (length < 0x80 && lengthBytes === 0) return Buffer.of(length);
  const shortest = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 3;
  const count = Math.max(shortest, lengthBytes);
  const bytes = Buffer.alloc(count);
  bytes.writeUIntBE(length, Math.max(0, count - 6), Math.min(6, count));
  return Buffer.concat([Buffer.of(0x80 | count), bytes]);
}

/** Of bytes that were written in DER. */
function parse(bytes: Buffer, offset = 0): { node: Node; end: number } {
  const tag = bytes[offset] as number;
  const first = bytes[offset + 1] as number;
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length = count === 0 ? first : bytes.readUIntBE(offset + 2, count);
  const start = offset + 2 + count;
  const end = start + length;
  if ((tag & 0x20) === 0) return { node: node(tag, Buffer.from(bytes.subarray(start, end))), end };
  const content: Node[] = [];
  for (let next = start; next < end; ) {
    const child = parse(bytes, next);
    content.push(child.node);
    next = child.end;
  }
  return { node: node(tag, content), end };
}

export function copy(element: Node): Node {
  const { content } = element;
  return { ...element, content: Buffer.isBuffer(content) ? Buffer.from(content) : content.map(copy) };
}

/** The element and everything in it. */
export function* walk(element: Node): Generator<Node> {
  yield element;
  if (!Buffer.isBuffer(element.content)) for (const child of element.content) yield* walk(child);
}
