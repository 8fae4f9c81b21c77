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
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const PSS_HASH = 0xa0;
const RSASSA_PSS = '1.2.840.113549.1.1.10';
const SHA_1 = '1.3.14.3.2.26';

/** Where an element lies: `start` and `end` are those of its content. */
export interface Place {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** The element that begins at `offset`. X.690 §8.1: tag, length (short or long form), content. */
export function placeAt(bytes: Uint8Array, offset: number, limit: number): Place {
  const tag = byteAt(bytes, offset);
  let length = byteAt(bytes, offset + 1);
  let start = offset + 2;
  if (length >= 0x80) {
    const lengthBytes = length & 0x7f;
    // X.690 §10.1: DER has no indefinite length; four bytes already count 4 GiB.
    if (lengthBytes === 0 || lengthBytes > 4) throw new RangeError('DER length out of range');
    length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + byteAt(bytes, start + i);
    start += lengthBytes;
  }
  if (start + length > limit) throw new RangeError('DER element is longer than its container');
  return { tag, start, end: start + length };
}

/** The elements that lie side by side in `bytes`. */
function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { tag, start, end } = placeAt(bytes, offset, bytes.length);
    found.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(offset, end) });
    offset = end;
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

/** What a verdict on the leaf needs beside its hash. */
export interface CertificateEssentials {
  /** The SubjectPublicKeyInfo, DER, exactly as it stands in the certificate: what RFC 7469 §2.4 hashes. */
  readonly spki: Uint8Array;
  /** Milliseconds since 1970; undefined where the date is not written as RFC 5280 §4.1.2.5 demands. */
  readonly notBefore: number | undefined;
  readonly notAfter: number | undefined;
}

/** Walks to the dates and the key of a DER certificate, and looks at nothing else. Throws on anything that is not one. */
export function readEssentials(der: Uint8Array): CertificateEssentials {
  const certificate = inside(der, 0, der.length, SEQUENCE);
  const tbs = inside(der, certificate.start, certificate.end, SEQUENCE);
  let next = placeAt(der, tbs.start, tbs.end);
  if (next.tag === VERSION) next = placeAt(der, next.end, tbs.end);
  // serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  for (const _ of ['signature', 'issuer']) next = placeAt(der, next.end, tbs.end);
  const validity = inside(der, next.end, tbs.end, SEQUENCE);
  const subject = inside(der, validity.end, tbs.end, SEQUENCE);
  const key = inside(der, subject.end, tbs.end, SEQUENCE);
  const notBefore = placeAt(der, validity.start, validity.end);
  const notAfter = placeAt(der, notBefore.end, validity.end);
  return {
    spki: der.subarray(subject.end, key.end),
    notBefore: readTime(der, notBefore),
    notAfter: readTime(der, notAfter),
  };
}

function inside(bytes: Uint8Array, offset: number, limit: number, tag: number): Place {
  const place = placeAt(bytes, offset, limit);
  if (place.tag !== tag) throw new TypeError('not the DER structure of a certificate');
  return place;
}

/** `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`: RFC 5280 §4.1.2.5.1 and .2 leave no other form. */
function readTime(bytes: Uint8Array, { tag, start, end }: Place): number | undefined {
  const form = tag === UTC_TIME ? /^()(\d\d)(.*)$/ : tag === GENERALIZED_TIME ? /^(\d\d)(\d\d)(.*)$/ : undefined;
  const [, century, year, rest = ''] = form?.exec(String.fromCharCode(...bytes.subarray(start, end))) ?? [];
  const clock = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(rest)?.slice(1);
  if (year === undefined || clock === undefined) return undefined;
  const [month, day, hours, minutes, seconds] = clock;
  const text = `${century || (Number(year) < 50 ? '20' : '19')}${year}-${month}-${day}T${hours}:${minutes}:${seconds}.000Z`;
  const time = Date.parse(text);
  // The 31st of February is read as the 3rd of March.
  return !Number.isNaN(time) && new Date(time).toISOString() === text ? time : undefined;
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
