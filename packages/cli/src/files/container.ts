import type { Certificate } from 'certpin';
import { readAsn1 } from './asn1.ts';
import { isSigningRequest, readSigningRequest } from './csr.ts';
import { isEncryptedKey, readEncryptedKey } from './encrypted-key.ts';
import { FileError, UnsupportedAlgorithm } from './file-error.ts';
import { type KeyPin, privateKeyPin, publicKeyPin } from './key-pin.ts';
import type { Passwords } from './password.ts';
import { Rounds } from './pbe.ts';
import { isPkcs7, readPkcs7 } from './pkcs7.ts';
import { isPkcs12, type Keystore, readPkcs12 } from './pkcs12.ts';

/** Reads DER that is not a certificate. An exception comes from a reader whose input is not what it seems to be. */
export async function readContainer(
  bytes: Buffer,
  label: string,
  passwords: Passwords,
): Promise<Certificate[] | Keystore | KeyPin> {
  const root = readAsn1(bytes);
  if (isPkcs7(root)) return readPkcs7(root, bytes);
  if (isPkcs12(root))
    return passwords.open(label, (password) => readPkcs12(root, password)).catch(openssl('pkcs12 -nokeys'));
  if (isSigningRequest(root)) return readSigningRequest(root, bytes);
  if (isEncryptedKey(root)) return readKey(bytes, label, passwords);
  try {
    return privateKeyPin(bytes); // First: when Node.js looks for a public key, it accepts a private one.
  } catch {
    return publicKeyPin(bytes);
  }
}

export function readPkcs7Bundle(der: Buffer): Certificate[] {
  const root = readAsn1(der);
  if (!isPkcs7(root)) throw new FileError('what looks like PKCS#7 in it cannot be read as PKCS#7');
  return readPkcs7(root, der);
}

export function readRequest(der: Buffer): KeyPin {
  const root = readAsn1(der);
  if (!isSigningRequest(root)) throw new FileError('what looks like a signing request in it cannot be read as one');
  return readSigningRequest(root, der);
}

/** The pin of an encrypted key. */
export async function readKey(der: Buffer, label: string, passwords: Passwords): Promise<KeyPin> {
  const root = readAsn1(der);
  if (!isEncryptedKey(root)) throw new FileError('what looks like an encrypted key in it cannot be read as one');
  return passwords
    .open(label, (password) => readEncryptedKey(root, password, new Rounds()))
    .catch(openssl('pkey -pubout'));
}

/** OpenSSL may know an algorithm that certpin does not know. */
function openssl(command: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof UnsupportedAlgorithm)) throw error;
    const options = '-provider legacy -provider default -in FILE';
    throw new FileError(error.message, `openssl ${command} ${options} | certpin get -`);
  };
}
