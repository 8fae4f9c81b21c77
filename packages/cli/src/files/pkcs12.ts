import { X509Certificate } from 'node:crypto';
import { Certificate } from 'certpin';
import { leafFirst, leavesOf } from 'certpin/probe';
import { children, encoded, isSequence, type Node, octets, oid, only, readAsn1, shapeOf } from './asn1.ts';
import { readEncryptedKey } from './encrypted-key.ts';
import { FileError, WrongPassword } from './file-error.ts';
import { type KeyPin, privateKeyPin } from './key-pin.ts';
import { checkMac, decrypt, type Password, Rounds } from './pbe.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const NESTED_BAG = '1.2.840.113549.1.12.10.1.6';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';

/** RFC 7292 §4: `PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, macData MacData OPTIONAL }`. */
export function isPkcs12(root: Node): boolean {
  if (!isSequence(root) || !/^02 30(?: 30)?$/.test(shapeOf(root))) return false;
  const [version, safe] = children(root);
  return version?.value === '\x03' && shapeOf(safe) === '06 a0' && isContentType(children(safe)[0]);
}

function isContentType(type: Node | undefined): boolean {
  return oid(type).startsWith('1.2.840.113549.1.7.');
}

interface Bag {
  readonly type: string;
  readonly value: Node;
  /** `localKeyID`, hex: the same on a key and on its certificate. */
  readonly keyId: string | undefined;
  /** The bytes in which its elements are. */
  readonly file: Buffer;
}

/**
 * The certificates of a PKCS#12 file, with the one of its key first. If there are several keys or none, also the certificates that may be
 * the leaf.
 */
export interface Keystore {
  readonly certificates: readonly Certificate[];
  readonly leaves: readonly Certificate[];
}

/**
 * The certificates of a PKCS#12 file, with the one of its key first. Without any certificate, the pin of its key. If there is a
 * certificate, the key is not decrypted.
 *
 * @throws WrongPassword, FileError
 */
export async function readPkcs12(root: Node, password: Password): Promise<Keystore | KeyPin> {
  const [, safe, macData] = children(root);
  const [type, wrapped] = children(safe);
  if (oid(type) !== DATA)
    throw new FileError('its integrity is protected with a public key, which certpin does not check');
  const content = octets(only(wrapped));
  const rounds = new Rounds();
  if (macData !== undefined) checkMac(macData, content, password, rounds);
  const bags: Bag[] = [];
  for (const part of children(readAsn1(content))) bags.push(...(await readSafe(part, password, rounds)));

  const certificates = bags.filter(({ type }) => type === CERTIFICATE_BAG).map(readCertificateBag);
  if (certificates.length > 0) return ordered(certificates, bags);
  const key = bags.find(isKey);
  if (key === undefined) throw new FileError('it is a PKCS#12 file without certificates and keys');
  return key.type === KEY_BAG
    ? privateKeyPin(encoded(key.value, key.file))
    : readEncryptedKey(key.value, password, rounds);
}

function isKey({ type }: Bag): boolean {
  return type === KEY_BAG || type === SHROUDED_KEY_BAG;
}

/** One `ContentInfo` of the `AuthenticatedSafe` (RFC 7292 §4.1). */
async function readSafe(info: Node, password: Password, rounds: Rounds): Promise<Bag[]> {
  const [type, wrapped] = children(info);
  const content = only(wrapped);
  if (oid(type) === DATA) return readBags(octets(content));
  if (oid(type) !== ENCRYPTED_DATA) throw new FileError('a part of it is encrypted for a key, not with a password');
  // RFC 5652 §8: EncryptedData { version, EncryptedContentInfo { type, algorithm, encryptedContent [0] IMPLICIT OCTET STRING } }
  const [, inner] = children(content);
  const [, algorithm, encrypted] = children(inner);
  if (algorithm === undefined || !/^06 30 [8a]0$/.test(shapeOf(inner))) throw new TypeError('no encrypted content');
  const decrypted = await decrypt(algorithm, octets(encrypted), password, rounds);
  try {
    return readBags(decrypted);
  } catch {
    throw new WrongPassword(); // One wrong password in 256 leaves bytes that look like padding.
  }
}

function readBags(file: Buffer): Bag[] {
  return toBags(readAsn1(file), file);
}

/** RFC 7292 §4.2: `SafeBag ::= SEQUENCE { bagId, bagValue [0], bagAttributes SET OPTIONAL }`. */
function toBags(contents: Node | undefined, file: Buffer): Bag[] {
  return children(contents).flatMap((bag) => {
    const [type, wrapped, attributes] = children(bag);
    if (!/^06 a0(?: 31)?$/.test(shapeOf(bag))) throw new TypeError('no bag');
    const value = only(wrapped);
    if (oid(type) === NESTED_BAG) return toBags(value, file);
    const id = (attributes === undefined ? [] : children(attributes))
      .map(children)
      .find(([name]) => oid(name) === LOCAL_KEY_ID)?.[1];
    return [{ type: oid(type), value, keyId: id && octets(children(id)[0]).toString('hex'), file }];
  });
}

interface BaggedCertificate {
  readonly certificate: Certificate;
  readonly keyId: string | undefined;
}

function readCertificateBag({ value, keyId }: Bag): BaggedCertificate {
  const [type, wrapped] = children(value);
  if (oid(type) !== X509_CERTIFICATE) throw new FileError('it holds a certificate that is not X.509');
  return { certificate: new Certificate(new X509Certificate(octets(only(wrapped))).raw), keyId };
}

/** RFC 7292 does not define the order of the bags, and OpenSSL and Windows write them in different orders. */
function ordered(certificates: readonly BaggedCertificate[], bags: readonly Bag[]): Keystore {
  const keyIds = new Set(bags.filter(isKey).map(({ keyId }) => keyId));
  const owns = ({ keyId }: BaggedCertificate): boolean => keyId !== undefined && keyIds.has(keyId);
  const leafs = certificates.filter(owns);
  const all = [...leafs, ...certificates.filter((bagged) => !owns(bagged))].map(({ certificate }) => certificate);
  const own = leafs.length === 0 ? leavesOf(all) : distinct(leafs.map(({ certificate }) => certificate));
  return { certificates: leafs.length === 0 ? leafFirst(all) : all, leaves: own.length > 1 ? own : [] };
}

function distinct(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.certificateSha256, certificate])).values()];
}
