import { Certificate } from 'certpin';
import { children, encoded, isSequence, isTagged, type Node, oid } from './asn1.ts';
import { FileError } from './file-error.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** RFC 2315 §7, RFC 5652 §3: `ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] … }`. */
export function isPkcs7(root: Node): boolean {
  return isSequence(root) && oid(children(root)[0]).startsWith('1.2.840.113549.1.7.');
}

/** The certificates of a PKCS#7 bundle (`.p7b`, `.p7c`), or of any signed message: in its order. */
export function readPkcs7(root: Node, file: Buffer): Certificate[] {
  const [type, content] = children(root);
  if (oid(type) !== SIGNED_DATA)
    throw new FileError('it is a PKCS#7 message without certificates: encrypted, or data alone');
  // RFC 5652 §5.1: certificates [0] IMPLICIT CertificateSet, before crls [1]; §10.2.2: what is tagged in it is of other kinds.
  const set = children(children(content)[0]).find((part) => isTagged(part, 0));
  const found = set === undefined ? [] : children(set).filter(isSequence);
  if (found.length === 0) throw new FileError('it is a PKCS#7 message without certificates');
  return found.map((node) => new Certificate(encoded(node, file)));
}
