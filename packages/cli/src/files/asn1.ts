import forge from 'node-forge';
import { FileError } from './file-error.ts';

// Everything that a container consists of, read by node-forge's reader. An unexpected shape is an exception here, and becomes one FileError
// in inspect-file.ts. This module is loaded only for a container.

export type Node = forge.asn1.Asn1;

/** node-forge makes an object for each element: two bytes of input become some two hundred. */
const MAX_BYTES = 2 * 1024 * 1024;

export function readAsn1(bytes: Buffer): Node {
  if (bytes.length > MAX_BYTES) throw new FileError('it has more than 2 MiB: no container of certificates is so large');
  // Bit strings are not parsed: their bytes may look like more ASN.1. The type declarations do not know the options.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false } as unknown as boolean;
  const root = forge.asn1.fromDer(bytes.toString('latin1'), options);
  refuseOtherTags(root);
  return root;
}

/**
 * node-forge reads every tag as one byte. After `1F`, OpenSSL reads a number (X.690 §8.1.2.4), and would find other elements in the same
 * bytes. To OpenSSL, tag 0 is only the end of an indefinite length.
 */
function refuseOtherTags({ tagClass, type, value }: Node): void {
  const number = Number(type);
  if (number === 0x1f || (number === 0 && tagClass === forge.asn1.Class.UNIVERSAL))
    throw new FileError('it has a tag that no container of certificates has');
  if (typeof value !== 'string') for (const inner of value) refuseOtherTags(inner);
}

/** The elements of a constructed one. */
export function children(node: Node | undefined): Node[] {
  if (node === undefined || typeof node.value === 'string') throw new TypeError('a constructed element is missing');
  return node.value;
}

/** The content of a primitive one; X.690 §8.7.3: an OCTET STRING in BER may come in pieces. */
export function octets(node: Node | undefined): Buffer {
  if (node === undefined) throw new TypeError('an element is missing');
  return typeof node.value === 'string' ? Buffer.from(node.value, 'latin1') : Buffer.concat(node.value.map(octets));
}

export function oid(node: Node | undefined): string {
  if (node?.type !== forge.asn1.Type.OID || node.tagClass !== forge.asn1.Class.UNIVERSAL) return '';
  return forge.asn1.derToOid(octets(node).toString('latin1'));
}

export function integer(node: Node | undefined): number {
  const bytes = octets(node);
  if (bytes.length === 0 || bytes.length > 5) throw new RangeError('an integer out of range');
  return bytes.readIntBE(0, bytes.length);
}

export function isSequence(node: Node | undefined): boolean {
  return node?.tagClass === forge.asn1.Class.UNIVERSAL && node.type === forge.asn1.Type.SEQUENCE && node.constructed;
}

/** The tags of the elements in it, in hex: `02 30 a0` are an INTEGER, a SEQUENCE and a `[0]`. Empty for a primitive element. */
export function shapeOf(node: Node | undefined): string {
  if (node === undefined || typeof node.value === 'string') return '';
  const tags = node.value.map(({ tagClass, type, constructed }) => tagClass | Number(type) | (constructed ? 0x20 : 0));
  return Buffer.from(tags)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
}

/** The one element in an explicit tag (X.690 §8.14). */
export function only(node: Node | undefined): Node {
  const [inner, ...others] = children(node);
  if (inner === undefined || others.length > 0) throw new TypeError('an explicit tag holds one element');
  return inner;
}

/**
 * The element as it is in the file. node-forge keeps no positions. So the element is written again, and must be found in the file. A hash
 * of other bytes would be the pin of a certificate that nobody has.
 */
export function encoded(node: Node | undefined, file: Buffer): Buffer {
  if (node === undefined) throw new TypeError('an element is missing');
  const der = toDer(node);
  if (!file.includes(der)) throw new TypeError('an element is not in DER');
  return der;
}

/** Whether a file is DER from its first to its last byte (X.690 §10.1). Then every reader finds the same elements in it. */
export function isDer(root: Node, file: Buffer): boolean {
  return toDer(root).equals(file);
}

function toDer(node: Node): Buffer {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
}
