import type { Certificate } from 'certpin';
import { leafFirst } from 'certpin/probe';
import { children, isSequence, type Node, oid, readAsn1 } from './asn1.ts';
import { isSigningRequest, readSigningRequest } from './csr.ts';
import { FileError } from './file-error.ts';
import { type KeyPin, privateKeyPin, publicKeyPin } from './key-pin.ts';
import type { Passwords } from './password.ts';
import { isPkcs7, readPkcs7 } from './pkcs7.ts';
import { isPkcs12, readPkcs12 } from './pkcs12.ts';

/** Whatever is in DER and is not a certificate. Exceptions are those of a reader whose bytes are not what they seem. */
export async function readContainer(
  bytes: Buffer,
  label: string,
  passwords: Passwords,
): Promise<Certificate[] | KeyPin> {
  const root = readAsn1(bytes);
  if (isPkcs7(root)) return leafFirst(readPkcs7(root, bytes));
  if (isPkcs12(root)) return passwords.open(label, (password) => readPkcs12(root, password));
  if (isSigningRequest(root)) return readSigningRequest(root, bytes);
  if (isEncryptedKey(root)) return passwords.open(label, (password) => privateKeyPin(bytes, password ?? ''));
  try {
    return publicKeyPin(bytes);
  } catch {
    return privateKeyPin(bytes);
  }
}

export function readPkcs7Bundle(der: Buffer): Certificate[] {
  const root = readAsn1(der);
  if (!isPkcs7(root)) throw new FileError('what looks like PKCS#7 in it is none');
  return readPkcs7(root, der);
}

export function readRequest(der: Buffer): KeyPin {
  const root = readAsn1(der);
  if (!isSigningRequest(root)) throw new FileError('what looks like a signing request in it is none');
  return readSigningRequest(root, der);
}

const OCTET_STRING = 4;

/** RFC 5958 §3: `EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING }`; a public key has a BIT STRING there. */
function isEncryptedKey(root: Node): boolean {
  const [algorithm, data] = isSequence(root) ? children(root) : [];
  return isSequence(algorithm) && oid(children(algorithm)[0]) !== '' && Number(data?.type) === OCTET_STRING;
}
