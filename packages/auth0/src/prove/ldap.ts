// LDAP's messages are BER (RFC 4511 §5.1): a sequence with a number and an operation.
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const EXTENDED_REQUEST = 0x77;
const EXTENDED_RESPONSE = 0x78;
const UNBIND_REQUEST = 0x42;

/** The name of the request for TLS (RFC 4511 §4.14.1). */
const START_TLS = '1.3.6.1.4.1.1466.20037';

/** What a server says of a request (RFC 4511 §4.1.9). */
export const LDAP_RESULT = { success: 0, unavailable: 52 } as const;

/** One message of a client. */
export interface LdapMessage {
  /** Its bytes, from the first to the last. */
  readonly bytes: Buffer;
  /** Its number, as it stands in it. */
  readonly id: Buffer;
  /** The tag of its operation. */
  readonly operation: number;
  /** The content of the operation. */
  readonly content: Buffer;
}

/** The element of BER at the beginning. undefined: it is not complete yet, or longer than anybody writes. */
function readElement(bytes: Buffer): { readonly content: Buffer; readonly length: number } | undefined {
  const [, first = 0] = bytes;
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (bytes.length < 2 + count || count > 4) return undefined;
  const size = count === 0 ? first : bytes.readUIntBE(2, count);
  const length = 2 + count + size;
  return bytes.length < length ? undefined : { content: bytes.subarray(2 + count, length), length };
}

/** The message at the beginning. undefined: it is not complete yet, or not a message. */
export function readLdapMessage(buffer: Buffer): LdapMessage | undefined {
  if (buffer[0] !== SEQUENCE) return undefined;
  const message = readElement(buffer);
  if (message?.content[0] !== INTEGER) return undefined;
  const id = readElement(message.content);
  if (id === undefined) return undefined;
  const rest = message.content.subarray(id.length);
  const content = readElement(rest)?.content;
  if (content === undefined) return undefined;
  return { bytes: buffer.subarray(0, message.length), id: id.content, operation: rest[0] ?? 0, content };
}

/** Whether a connection begins with LDAP: a sequence that begins with a number and a client's operation (RFC 4511 §4.2 to §4.14). */
export function isLdap(first: Buffer): boolean {
  if (first[0] !== SEQUENCE) return false;
  const lengthBytes = (first[1] ?? 0) < 0x80 ? 1 : 1 + ((first[1] ?? 0) & 0x7f);
  const [tag, size = 0] = first.subarray(1 + lengthBytes);
  const operation = first[1 + lengthBytes + 2 + size] ?? 0;
  return tag === INTEGER && size >= 1 && size <= 4 && (operation & 0xc0) === 0x40;
}

export function asksForStartTls({ operation, content }: LdapMessage): boolean {
  return operation === EXTENDED_REQUEST && content.includes(START_TLS);
}

/**
 * Whether these are exactly the end of a conversation: seven bytes that are the same for every client. A client sends them also after it
 * was refused TLS.
 */
export function isUnbind({ bytes, operation }: LdapMessage): boolean {
  return operation === UNBIND_REQUEST && bytes.length === 7;
}

/** An answer (RFC 4511 §4.1.9): a result, and no more. */
export function ldapAnswer({ id }: LdapMessage, operation: number, result: number): Buffer {
  const content = Buffer.from([INTEGER, id.length, ...id, operation, 7, 0x0a, 1, result, 0x04, 0, 0x04, 0]);
  return Buffer.concat([Buffer.of(SEQUENCE, content.length), content]);
}

export function answerStartTls(message: LdapMessage, result: number): Buffer {
  return ldapAnswer(message, EXTENDED_RESPONSE, result);
}
