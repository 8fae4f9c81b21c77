/**
 * A strict reader of DER (X.690 §10 and §11), for what `node:crypto` does not show. Every value has one encoding here. Any other one
 * throws, and an exception is a refusal. Tags have one byte. The caller says which tag it expects, and must read a container to its end.
 */

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
const NULL = 0x05;
export const OBJECT_IDENTIFIER = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;

/** The tag of a constructed element that the structure numbers: `[3] EXPLICIT`. */
export function numbered(number: number): number {
  return 0xa0 | number;
}

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** The elements of a container, one after the other. */
export class Fields {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isUsedUp(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The next element. Throws if there is none, or if it has another tag. */
  take(tag: number): Element {
    const element = readElement(this.#bytes, this.#offset);
    if (element.tag !== tag) throw malformed(`tag ${element.tag} in the place of ${tag}`);
    this.#offset += element.whole.length;
    return element;
  }

  takeIf(tag: number): Element | undefined {
    return this.#bytes[this.#offset] === tag ? this.take(tag) : undefined;
  }

  /** The next element, whatever it is. */
  takeAny(): Element {
    return this.take(this.#bytes[this.#offset] as number);
  }
}

/** Reads the elements in `content`. Throws if something is left over. */
export function inside<Result>(content: Uint8Array, read: (fields: Fields) => Result): Result {
  const fields = new Fields(content);
  const result = read(fields);
  if (!fields.isUsedUp) throw malformed('something is left over');
  return result;
}

/** One or more elements of the same kind (`SIZE (1..MAX)`). */
export function listOf<Item>(content: Uint8Array, read: (fields: Fields) => Item): Item[] {
  return inside(content, (fields) => {
    const items = [read(fields)];
    while (!fields.isUsedUp) items.push(read(fields));
    return items;
  });
}

/** X.690 §8.1, §10.1. A certificate has less than 16 MB. */
function readElement(bytes: Uint8Array, offset: number): Element {
  const tag = byteAt(bytes, offset);
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag of several bytes');
  const first = byteAt(bytes, offset + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 3) throw malformed('an indefinite length, or one that is too long');
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + byteAt(bytes, offset + 2 + i);
  if (lengthBytes > 0 && length < Math.max(0x80, 256 ** (lengthBytes - 1)))
    throw malformed('a length that is not minimal');
  const start = offset + 2 + lengthBytes;
  if (start + length > bytes.length) throw malformed('an element that is longer than its container');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(offset, start + length) };
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw malformed('it ends early');
  return byte;
}

/** X.690 §8.3.2: the first nine bits are not all the same. RFC 5280 §4.1.2.2: a certificate has no negative number. */
export function readUnsigned({ content }: Element): bigint {
  const [first, second = 0] = content;
  if (first === undefined || first >= 0x80) throw malformed('a number that is negative or empty');
  if (first === 0 && content.length > 1 && second < 0x80) throw malformed('a number that is not minimal');
  return BigInt(`0x${Buffer.from(content).toString('hex')}`);
}

/** X.690 §11.1. §11.5: the default is not written. It is false wherever a certificate has a boolean. */
export function readTrue({ content }: Element): true {
  if (content.length !== 1 || content[0] !== 0xff) throw malformed('a boolean that is not a written true');
  return true;
}

/** X.690 §8.6, §11.2: whole bytes. */
export function readBytes({ content }: Element): Uint8Array {
  if (content[0] !== 0) throw malformed('a bit string that does not hold whole bytes');
  return content.subarray(1);
}

/** X.690 §11.2.2: named bits end with one that is set. Bit 0 is the highest of the first byte. */
export function readNamedBits({ content }: Element): (bit: number) => boolean {
  const [unused = 8, ...bytes] = content;
  const last = bytes[bytes.length - 1] ?? 0;
  if (unused > 7 || last === 0 || (last & -last) !== 1 << unused) throw malformed('named bits that are not minimal');
  return (bit) => (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0;
}

/** X.690 §8.19: the first byte holds two arcs, the others seven bits each. A UUID is an arc of 128 bits. */
export function readObjectIdentifier({ content }: Element): string {
  const arcs: bigint[] = [];
  let value = 0n;
  let isOpen = false;
  if (content.length > 64) throw malformed('an object identifier that is too long');
  for (const byte of content) {
    if (!isOpen && byte === 0x80) throw malformed('an object identifier that is not minimal');
    value = value * 128n + BigInt(byte & 0x7f);
    isOpen = byte >= 0x80;
    if (isOpen) continue;
    if (arcs.length === 0) {
      const first = value < 80n ? value / 40n : 2n;
      arcs.push(first, value - first * 40n);
    } else {
      arcs.push(value);
    }
    value = 0n;
  }
  if (isOpen || arcs.length === 0) throw malformed('an object identifier that is cut');
  return arcs.join('.');
}

/**
 * `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`: RFC 5280 §4.1.2.5.1 and .2 leave no other form.
 *
 * @returns milliseconds since 1970
 */
export function readTime({ tag, content }: Element): number {
  const form = tag === UTC_TIME ? /^()(\d\d)(.*)$/ : /^(\d\d)(\d\d)(.*)$/;
  const [, century, year, rest = ''] = form.exec(Buffer.from(content).toString('latin1')) ?? [];
  const clock = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(rest)?.slice(1);
  const [month, day, hours, minutes, seconds] = clock ?? [];
  const text = `${century || (Number(year) < 50 ? '20' : '19')}${year}-${month}-${day}T${hours}:${minutes}:${seconds}.000Z`;
  const time = Date.parse(text);
  // JavaScript reads the 31st of February as the 3rd of March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) throw malformed('a date that does not exist');
  return time;
}

/** Also an element that nobody interprets must be written in DER. */
export function checkWhole(bytes: Uint8Array, depth = 0): void {
  if (depth > 16) throw malformed('elements too deep in one another');
  const fields = new Fields(bytes);
  while (!fields.isUsedUp) checkElement(fields.takeAny(), depth);
}

function checkElement(element: Element, depth: number): void {
  const { tag, content } = element;
  const isUniversal = tag < 0x40;
  if (isUniversal && tag !== SEQUENCE && tag !== SET && (tag & 0x20) !== 0) throw malformed('a string in pieces');
  if (tag === 0 || tag === 0x10 || tag === 0x11) throw malformed('an invalid tag');
  if ((tag & 0x20) !== 0) checkWhole(content, depth + 1);
  if (tag === BOOLEAN && (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)))
    throw malformed('a boolean that is neither 00 nor FF');
  if (tag === INTEGER) checkInteger(content);
  if (tag === NULL && content.length > 0) throw malformed('a NULL with a content');
  if (tag === OBJECT_IDENTIFIER) readObjectIdentifier(element);
  if (tag === SET) checkOrder(content);
}

function checkInteger(content: Uint8Array): void {
  const [first, second] = content;
  const isPadded = second !== undefined && (second < 0x80 ? first === 0 : first === 0xff);
  if (first === undefined || isPadded) throw malformed('a number that is not minimal');
}

/** X.690 §11.6: the members of a set stand in ascending order. */
function checkOrder(content: Uint8Array): void {
  const fields = new Fields(content);
  let before: Uint8Array = new Uint8Array(0);
  while (!fields.isUsedUp) {
    const { whole } = fields.takeAny();
    if (Buffer.compare(before, whole) > 0) throw malformed('a set that is not in order');
    before = whole;
  }
}

export function malformed(what: string): TypeError {
  return new TypeError(what);
}
