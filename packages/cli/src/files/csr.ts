import { createPublicKey, verify } from 'node:crypto';
import { children, encoded, isSequence, isTagged, type Node, octets, oid } from './asn1.ts';
import { FileError } from './file-error.ts';
import { type KeyPin, requestPin } from './key-pin.ts';

/** RFC 2986 §4: `SEQUENCE { SEQUENCE { version, subject, subjectPKInfo, attributes [0] }, signatureAlgorithm, signature }`. */
export function isSigningRequest(root: Node): boolean {
  const [info, algorithm, signature] = isSequence(root) ? children(root) : [];
  if (!isSequence(info) || !isSequence(algorithm) || signature === undefined) return false;
  const [version, subject, key, attributes] = children(info);
  return (
    version?.value === '\0' &&
    isSequence(subject) &&
    isSequence(key) &&
    (attributes === undefined || isTagged(attributes, 0))
  );
}

/** The pin of the key in a certificate signing request. */
export function readSigningRequest(root: Node, file: Buffer): KeyPin {
  const [info, algorithm, signature] = children(root);
  const spki = encoded(children(info)[2], file);
  const pin = requestPin(spki);
  const hash = hashes[oid(children(algorithm)[0])];
  // The applicant's own signature. A request with a changed key would give a pin that no certificate will have.
  const signed = hash === undefined || isSigned(encoded(info, file), spki, hash, octets(signature).subarray(1));
  if (!signed) throw new FileError('the signing request is damaged: its signature does not fit its key');
  return pin;
}

function isSigned(info: Buffer, spki: Buffer, hash: string, signature: Buffer): boolean {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verify(hash === '' ? null : hash, info, key, signature);
}

/** RFC 8017 §A.2, RFC 5758 §3.2, RFC 8410 §3. Another algorithm's signature is left to the CA. */
const hashes: Record<string, string> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': '',
  '1.3.101.113': '',
};
