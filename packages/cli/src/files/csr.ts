import { type KeyObject, verify } from 'node:crypto';
import { children, encoded, isDer, isSequence, type Node, octets, oid, shapeOf } from './asn1.ts';
import { FileError } from './file-error.ts';
import { type KeyPin, readPublicKey, requestPin } from './key-pin.ts';

/** RFC 2986 §4: `SEQUENCE { SEQUENCE { version, subject, subjectPKInfo, attributes [0] }, signatureAlgorithm, signature }`. */
export function isSigningRequest(root: Node): boolean {
  if (!isSequence(root) || shapeOf(root) !== '30 30 03') return false;
  const [info] = children(root);
  return /^02 30 30(?: a0)?$/.test(shapeOf(info)) && children(info)[0]?.value === '\0';
}

/**
 * The pin of the key in a certificate signing request, as OpenSSL reads the key. OpenSSL reads more than DER, and a CA copies the key
 * unchanged. So there is a pin only if the request is DER, and contains the key as OpenSSL writes it.
 *
 * @throws FileError
 */
export function readSigningRequest(root: Node, file: Buffer): KeyPin {
  if (!isDer(root, file)) throw new FileError('the signing request is not in DER', 'openssl req -in FILE -noout -text');
  const [info, algorithm, signature] = children(root);
  const spki = encoded(children(info)[2], file);
  const key = readPublicKey(spki);
  if (!key.export({ type: 'spki', format: 'der' }).equals(spki)) {
    throw new FileError(
      'the key in the signing request is not written as OpenSSL writes it, so its pin is not certain',
    );
  }
  const [unused, ...bytes] = octets(signature);
  const hash = hashes[oid(children(algorithm)[0])];
  // The applicant's own signature. If somebody has changed the key, no certificate will have the pin.
  const signed = hash === undefined || isSigned(encoded(info, file), key, hash, Buffer.from(bytes));
  if (unused !== 0 || !signed)
    throw new FileError('the signing request is damaged: its signature does not fit its key');
  return requestPin(key);
}

function isSigned(info: Buffer, key: KeyObject, hash: string, signature: Buffer): boolean {
  return verify(hash === '' ? null : hash, info, key, signature);
}

/** RFC 8017 §A.2, RFC 5758 §3.2, RFC 8410 §3. A signature by another algorithm is left to the CA. */
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
