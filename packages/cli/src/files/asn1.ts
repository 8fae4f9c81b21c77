import forge from 'node-forge';
import { FileError } from './file-error.ts';

// Everything that a container is made of, over node-forge's reader. What does not have the expected shape is an exception here, and
// becomes one FileError in inspect-file.ts. This module is loaded only when a container is met.

export type Node = forge.asn1.Asn1;

/** node-forge makes an object of each element: two bytes of input become some two hundred. */
const MAX_BYTES = 2 * 1024 * 1024;

export function readAsn1(bytes: Buffer): Node {
  if (bytes.length > MAX_BYTES) throw new FileError('it has more than 2 MiB: no container of certificates is so large');
  // Bit strings are left alone: their bytes may look like more ASN.1. The type declarations do not know the options.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false } as unknown as boolean;
  return forge.asn1.fromDer(bytes.toString('latin1'), options);
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

/** Whether it is `[number]` (X.690 §8.14). */
export function isTagged(node: Node | undefined, number: number): boolean {
  return node?.tagClass === forge.asn1.Class.CONTEXT_SPECIFIC && Number(node.type) === number;
}

/**
 * The element as it stands in the file. node-forge keeps no positions, so it is written again, and must be found: a hash of other
 * bytes than the file's would be the pin of a certificate that nobody has.
 */
export function encoded(node: Node | undefined, file: Buffer): Buffer {
  if (node === undefined) throw new TypeError('an element is missing');
  const der = Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
  if (!file.includes(der)) throw new TypeError('an element is not in DER');
  return der;
}
