import type { X509Certificate } from 'node:crypto';
import { readDate } from '../leaf/evidence.ts';
import type { Certificate } from './certificate.ts';
import {
  BIT_STRING,
  BOOLEAN,
  checkWhole,
  type Element,
  type Fields,
  GENERALIZED_TIME,
  INTEGER,
  inside,
  listOf,
  malformed,
  numbered,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  readBytes,
  readNamedBits,
  readObjectIdentifier,
  readTime,
  readTrue,
  readUnsigned,
  SEQUENCE,
  SET,
  UTC_TIME,
} from './der.ts';

/** The parts of a certificate that `node:crypto` does not show, and that the check of a chain needs (RFC 5280 §4). */
export interface CertificateParts {
  /** The object identifier of the signature algorithm. RSASSA-PSS leaves the hash open: then it is the identifier of the hash. */
  readonly signatureAlgorithm: string;
  readonly extensions: readonly Extension[];
  /** Subject and issuer are the same bytes. */
  readonly selfIssued: boolean;
  /** How many intermediates may follow below it (RFC 5280 §4.2.1.9). undefined: any number. */
  readonly pathLength: number | undefined;
  /** What the key may be used for, by the number of the bit (RFC 5280 §4.2.1.3); undefined: anything. */
  readonly keyUsage: ((bit: number) => boolean) | undefined;
  /** The same as Netscape's own extension, which old CAs of companies still use. */
  readonly netscapeType: ((bit: number) => boolean) | undefined;
}

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** RFC 5280 §4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5 } as const;

export const NETSCAPE_SERVER = 1;

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE_ID = '2.5.29.15';
const NETSCAPE_TYPE = '2.16.840.1.113730.1.1';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** Only identifiers. OpenSSL reads the values of subjectAltName and certificatePolicies when they are needed. */
const WELL_KNOWN = new Set(['2.5.29.17', '2.5.29.32']);
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const RSASSA_PSS = '1.2.840.113549.1.1.10';
const SHA_1 = '1.3.14.3.2.26';

/** The parts, by certificate: the same bytes are read once. */
const known = new WeakMap<Certificate, CertificateParts>();

/**
 * Throws if a certificate is written in any other way than DER and RFC 5280 allow. Throws too if OpenSSL shows something else. OpenSSL made
 * the handshake, or verified the signature, with what OpenSSL reads. What is read here must be the same certificate.
 */
export function partsOf(certificate: Certificate): CertificateParts {
  let parts = known.get(certificate);
  if (parts === undefined) {
    parts = readParts(certificate.x509);
    known.set(certificate, parts);
  }
  return parts;
}

/** As {@link partsOf}. */
export function readParts(x509: X509Certificate): CertificateParts {
  const read = inside(x509.raw, (outer) =>
    inside(outer.take(SEQUENCE).content, (fields) => {
      const body = fields.take(SEQUENCE);
      const algorithm = fields.take(SEQUENCE);
      readBytes(fields.take(BIT_STRING));
      return readBody(body, algorithm);
    }),
  );
  const { isCa, pathLength, keyUsage, purposes } = read;
  const maySign = keyUsage?.(KEY_USAGE.keyCertSign) ?? true;
  const agrees =
    read.serialNumber === BigInt(`0x${x509.serialNumber}`) &&
    read.notBefore === readDate(x509.validFrom).getTime() &&
    read.notAfter === readDate(x509.validTo).getTime() &&
    Buffer.compare(read.publicKey, x509.publicKey.export({ type: 'spki', format: 'der' })) === 0 &&
    (!read.selfIssued || x509.subject === x509.issuer) &&
    (isCa && maySign) === x509.ca &&
    // Node calls the extended key usage `keyUsage`.
    purposes?.join() === (x509.keyUsage as readonly string[] | undefined)?.join();
  if (!agrees) throw malformed('OpenSSL reads something else in it');
  const { signatureAlgorithm, extensions, selfIssued, netscapeType } = read;
  return { signatureAlgorithm, extensions, selfIssued, pathLength, keyUsage, netscapeType };
}

/** RFC 5280 §4.1.2: the certificate without its signature. */
function readBody({ content }: Element, signature: Element) {
  return inside(content, (fields) => {
    const version = readVersion(fields);
    const serialNumber = readUnsigned(fields.take(INTEGER));
    // RFC 5280 §4.1.1.2: the algorithm must be the same in both places, because only this one is signed.
    const algorithm = fields.take(SEQUENCE);
    if (Buffer.compare(algorithm.whole, signature.whole) !== 0) throw malformed('two signature algorithms');
    const issuer = readName(fields);
    const [notBefore, notAfter] = inside(fields.take(SEQUENCE).content, (dates) => [readEnd(dates), readEnd(dates)]);
    const subject = readName(fields);
    const publicKey = readKey(fields);
    const wrapper = fields.takeIf(numbered(3));
    if (wrapper !== undefined && version !== 3) throw malformed('extensions in a certificate that has none');
    const extensions = wrapper === undefined ? [] : readExtensions(wrapper);
    return {
      ...{ serialNumber, notBefore, notAfter, publicKey: publicKey.whole, extensions },
      ...{ selfIssued: Buffer.compare(issuer.whole, subject.whole) === 0 },
      ...{ signatureAlgorithm: readSignatureAlgorithm(algorithm) },
      ...readConstraints(findValue(extensions, BASIC_CONSTRAINTS)),
      keyUsage: readUsage(findValue(extensions, KEY_USAGE_ID)),
      netscapeType: readUsage(findValue(extensions, NETSCAPE_TYPE)),
      purposes: readPurposes(findValue(extensions, EXTENDED_KEY_USAGE)),
    };
  });
}

/** `[0] EXPLICIT INTEGER DEFAULT v1`: version 1 is not written. Version 2 only added unique identifiers, which nobody uses. */
function readVersion(fields: Fields): 1 | 3 {
  const wrapper = fields.takeIf(numbered(0));
  if (wrapper === undefined) return 1;
  const version = inside(wrapper.content, (version) => readUnsigned(version.take(INTEGER)));
  if (version !== 2n) throw malformed('an unknown version');
  return 3;
}

/** RFC 5280 §4.1.2.4. A name may be empty. */
function readName(fields: Fields): Element {
  const name = fields.take(SEQUENCE);
  checkWhole(name.content);
  if (name.content.length === 0) return name;
  listOf(name.content, (parts) =>
    listOf(parts.take(SET).content, (attributes) =>
      inside(attributes.take(SEQUENCE).content, (attribute) => {
        attribute.take(OBJECT_IDENTIFIER);
        attribute.takeAny();
      }),
    ),
  );
  return name;
}

/** RFC 5480 §2.1.1: a curve has a name. A key that describes its curve may describe a forged one (CVE-2020-0601). */
function readKey(body: Fields): Element {
  const key = body.take(SEQUENCE);
  checkWhole(key.content);
  inside(key.content, (fields) => {
    inside(fields.take(SEQUENCE).content, (algorithm) => {
      const id = readObjectIdentifier(algorithm.take(OBJECT_IDENTIFIER));
      if (id === EC_PUBLIC_KEY) algorithm.take(OBJECT_IDENTIFIER);
      else if (!algorithm.isUsedUp) algorithm.takeAny();
    });
    readBytes(fields.take(BIT_STRING));
  });
  return key;
}

function readEnd(dates: Fields): number {
  return readTime(dates.takeIf(UTC_TIME) ?? dates.take(GENERALIZED_TIME));
}

/** RFC 4055 §3.1: the parameters of RSASSA-PSS name the hash in [0]. Without them, the hash is SHA-1. */
function readSignatureAlgorithm({ content }: Element): string {
  checkWhole(content);
  return inside(content, (fields) => {
    const id = readObjectIdentifier(fields.take(OBJECT_IDENTIFIER));
    if (id === RSASSA_PSS) return readPssHash(fields.take(SEQUENCE));
    if (!fields.isUsedUp) fields.takeAny();
    return id;
  });
}

/** Hash, mask generation, length of the salt. [3] is a trailer other than the usual one, which nobody uses. */
function readPssHash({ content }: Element): string {
  return inside(content, (parameters) => {
    const hash = parameters.takeIf(numbered(0));
    for (const number of [1, 2]) parameters.takeIf(numbered(number));
    if (hash === undefined) return SHA_1;
    return inside(hash.content, (wrapped) =>
      inside(wrapped.take(SEQUENCE).content, (algorithm) => {
        const id = readObjectIdentifier(algorithm.take(OBJECT_IDENTIFIER));
        if (!algorithm.isUsedUp) algorithm.takeAny();
        return id;
      }),
    );
  });
}

/** RFC 5280 §4.2: no extension stands there twice. */
function readExtensions(wrapper: Element): Extension[] {
  const extensions = inside(wrapper.content, (outer) =>
    listOf(outer.take(SEQUENCE).content, (list) =>
      inside(list.take(SEQUENCE).content, (fields) => {
        const id = readObjectIdentifier(fields.take(OBJECT_IDENTIFIER));
        const flag = fields.takeIf(BOOLEAN);
        const critical = flag !== undefined && readTrue(flag);
        const value = fields.take(OCTET_STRING).content;
        if (WELL_KNOWN.has(id)) checkWhole(value);
        return { id, critical, value };
      }),
    ),
  );
  if (new Set(extensions.map(({ id }) => id)).size < extensions.length) throw malformed('an extension twice');
  return extensions;
}

/** RFC 5280 §4.2.1.9: only a CA has a path. */
function readConstraints(value: Uint8Array | undefined): { isCa: boolean; pathLength: number | undefined } {
  if (value === undefined) return { isCa: false, pathLength: undefined };
  return inside(value, (outer) =>
    inside(outer.take(SEQUENCE).content, (fields) => {
      const flag = fields.takeIf(BOOLEAN);
      const isCa = flag !== undefined && readTrue(flag);
      const limit = isCa ? fields.takeIf(INTEGER) : undefined;
      return { isCa, pathLength: limit && Number(readUnsigned(limit)) };
    }),
  );
}

function readUsage(value: Uint8Array | undefined): CertificateParts['keyUsage'] {
  return value && inside(value, (fields) => readNamedBits(fields.take(BIT_STRING)));
}

function readPurposes(value: Uint8Array | undefined): string[] | undefined {
  return (
    value &&
    inside(value, (outer) =>
      listOf(outer.take(SEQUENCE).content, (list) => readObjectIdentifier(list.take(OBJECT_IDENTIFIER))),
    )
  );
}

function findValue(extensions: readonly Extension[], wanted: string): Uint8Array | undefined {
  return extensions.find(({ id }) => id === wanted)?.value;
}
