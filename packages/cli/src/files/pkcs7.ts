import { X509Certificate } from 'node:crypto';
import { Certificate } from 'certpin';
import { children, encoded, isSequence, type Node, oid, only, shapeOf } from './asn1.ts';
import { FileError } from './file-error.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** RFC 2315 §7, RFC 5652 §3: `ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] … }`. */
export function isPkcs7(root: Node): boolean {
  return (
    isSequence(root) && /^06(?: a0)?$/.test(shapeOf(root)) && oid(children(root)[0]).startsWith('1.2.840.113549.1.7.')
  );
}

/** The certificates of a PKCS#7 bundle (`.p7b`, `.p7c`), or of any signed message, in its order. */
export function readPkcs7(root: Node, file: Buffer): Certificate[] {
  const [type, content] = children(root);
  if (oid(type) !== SIGNED_DATA)
    throw new FileError('it is a PKCS#7 message without certificates: encrypted, or data alone');
  // RFC 5652 §5.1: version, digestAlgorithms, encapContentInfo, certificates [0] IMPLICIT CertificateSet, crls [1], signerInfos. §10.2.2:
  // tagged elements of the set are of other kinds.
  const data = only(content);
  const [, , , set] = children(data);
  const found = /^02 31 30 a0(?: a1)? 31$/.test(shapeOf(data)) ? children(set).filter(isSequence) : [];
  if (found.length === 0) throw new FileError('it is a PKCS#7 message without certificates');
  return found.map((node) => new Certificate(new X509Certificate(encoded(node, file)).raw));
}
