/**
 * A reader for the few parts of a certificate that `node:crypto` does not show. It is only given bytes that OpenSSL has already
 * parsed as a certificate; anything that it does not understand is an exception, and an exception is a refusal.
 */

/** One DER element: its tag, its content, and the element whole. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const PSS_HASH = 0xa0;
const RSASSA_PSS = '1.2.840.113549.1.1.10';
const SHA_1 = '1.3.14.3.2.26';

/** The elements that lie side by side in `bytes`. X.690 §8.1: tag, length (short or long form), content. */
function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let start = 0; start < bytes.length; ) {
    const tag = byteAt(bytes, start);
    let length = byteAt(bytes, start + 1);
    let header = 2;
    if (length >= 0x80) {
      const lengthBytes = length & 0x7f;
      // X.690 §10.1: DER has no indefinite length; four bytes already count 4 GiB.
      if (lengthBytes === 0 || lengthBytes > 4) throw new RangeError('DER length out of range');
      length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + byteAt(bytes, start + 2 + i);
      header += lengthBytes;
    }
    const end = start + header + length;
    if (end > bytes.length) throw new RangeError('DER element is longer than its container');
    found.push({ tag, content: bytes.subarray(start + header, end), whole: bytes.subarray(start, end) });
    start = end;
  }
  return found;
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new RangeError('DER ends early');
  return byte;
}

function only(list: Element[], index: number, tag: number): Element {
  const element = list[index];
  if (element === undefined || element.tag !== tag) throw new TypeError('not the DER structure of a certificate');
  return element;
}

/** X.690 §8.19: the first byte holds two arcs, the others seven bits each. */
function objectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(Math.floor(value / 40), 2);
      arcs.push(first, value - first * 40);
    } else {
      arcs.push(value);
    }
    value = 0;
  }
  return arcs.join('.');
}

/** What `node:crypto` does not show of a certificate (RFC 5280 §4.1). */
export interface CertificateParts {
  /** The object identifier of the signature algorithm; for RSASSA-PSS, which leaves the hash open, that of the hash. */
  readonly signatureAlgorithm: string;
  readonly extensions: readonly { readonly id: string; readonly critical: boolean; readonly value: Uint8Array }[];
}

/**
 * The SubjectPublicKeyInfo of a DER certificate, exactly as it stands in there: what RFC 7469 §2.4 hashes. Throws on anything that is
 * not a certificate.
 */
export function readPublicKey(der: Uint8Array): Uint8Array {
  return only(fieldsOf(der), 5, SEQUENCE).whole;
}

/** What a path is validated by. Throws on anything that is not a DER certificate. */
export function readCertificateParts(der: Uint8Array): CertificateParts {
  const algorithm = elements(only(structureOf(der), 1, SEQUENCE).content);
  const extensions = fieldsOf(der)
    .slice(6)
    .find((element) => element.tag === EXTENSIONS);
  return {
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    extensions: extensions === undefined ? [] : readExtensions(extensions),
  };
}

/** RFC 5280 §4.1: tbsCertificate, signatureAlgorithm, signature. */
function structureOf(der: Uint8Array): Element[] {
  return elements(only(elements(der), 0, SEQUENCE).content);
}

/** RFC 5280 §4.1: serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, …; version 1 certificates have no version. */
function fieldsOf(der: Uint8Array): Element[] {
  const fields = elements(only(structureOf(der), 0, SEQUENCE).content);
  return fields[0]?.tag === VERSION ? fields.slice(1) : fields;
}

/** RFC 4055 §3.1: the parameters of RSASSA-PSS name the hash in [0]; where they do not, it is SHA-1. */
function readSignatureAlgorithm(algorithm: Element[]): string {
  const id = objectIdentifier(only(algorithm, 0, OBJECT_IDENTIFIER).content);
  if (id !== RSASSA_PSS) return id;
  const named = elements(only(algorithm, 1, SEQUENCE).content).find(({ tag }) => tag === PSS_HASH);
  if (named === undefined) return SHA_1;
  return objectIdentifier(
    only(elements(only(elements(named.content), 0, SEQUENCE).content), 0, OBJECT_IDENTIFIER).content,
  );
}

function readExtensions(wrapper: Element): CertificateParts['extensions'] {
  return elements(only(elements(wrapper.content), 0, SEQUENCE).content).map((extension) => {
    const fields = elements(extension.content);
    const id = objectIdentifier(only(fields, 0, OBJECT_IDENTIFIER).content);
    const critical = fields[1]?.tag === BOOLEAN && fields[1].content[0] !== 0;
    const value = fields[fields.length - 1];
    if (value === undefined) throw new TypeError('not the DER structure of a certificate');
    return { id, critical, value: value.content };
  });
}

/** The `pathLenConstraint` of a basicConstraints value (RFC 5280 §4.2.1.9); undefined where it sets none. */
export function readPathLength(basicConstraints: Uint8Array): number | undefined {
  const fields = elements(only(elements(basicConstraints), 0, SEQUENCE).content);
  const limit = fields.find((field) => field.tag === INTEGER);
  return limit?.content.reduce((value, byte) => value * 256 + byte, 0);
}
