import { X509Certificate } from 'node:crypto';
import { Certificate } from 'certpin';
import { leafFirst } from 'certpin/probe';
import { FileError } from './file-error.ts';
import { type KeyPin, oldEncryptedKeyPin, privateKeyPin, publicKeyPin } from './key-pin.ts';
import type { Passwords } from './password.ts';
import { decodeText, type PemBlock, readPem } from './pem.ts';
import { refuseKeystore, refuseText } from './refuse.ts';

/** What is in a file: its certificates, the leaf first; or, where it has none, the pin of its key. */
export type FileContents =
  | { readonly certificates: readonly Certificate[]; readonly key?: undefined }
  | { readonly certificates?: undefined; readonly key: KeyPin };

/**
 * Reads whatever a certificate, a key or a signing request is kept in.
 *
 * @throws FileError, and nothing else, whatever the bytes
 */
export async function readContents(bytes: Buffer, label: string, passwords: Passwords): Promise<FileContents> {
  try {
    refuseKeystore(bytes);
    const contents = isDer(bytes) ? await readDer(bytes, label, passwords) : await readText(bytes, label, passwords);
    for (const certificate of contents.certificates ?? []) certificate.toJSON();
    return contents;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError('it is damaged or cut, or is none of the files that certpin reads', 'certpin help get', {
      cause: error,
    });
  }
}

/** A DER element has the tag of a SEQUENCE, which is the digit 0 too, and a length: a short one is that of the file. */
function isDer(bytes: Buffer): boolean {
  const length = bytes[1] ?? 0;
  return bytes[0] === 0x30 && (length >= 0x80 || length === bytes.length - 2);
}

async function readDer(bytes: Buffer, label: string, passwords: Passwords): Promise<FileContents> {
  const certificate = tryCertificate(bytes);
  if (certificate !== undefined) return { certificates: [certificate] };
  const { readContainer } = await import('./container.ts'); // on a server, `get server.crt` does without it
  const found = await readContainer(bytes, label, passwords);
  return Array.isArray(found) ? { certificates: found } : { key: found as KeyPin };
}

function tryCertificate(der: Buffer): Certificate | undefined {
  try {
    return new Certificate(new X509Certificate(der).raw);
  } catch {
    return undefined;
  }
}

async function readText(bytes: Buffer, label: string, passwords: Passwords): Promise<FileContents> {
  const text = decodeText(bytes);
  const blocks = readPem(text);
  const certificates: Certificate[] = [];
  // One after the other: what a container takes in memory is free again before the next.
  for (const block of blocks) certificates.push(...(await readCertificates(block)));
  if (certificates.length > 0) return { certificates: leafFirst(certificates) };
  const pins = new Map<string, KeyPin>();
  for (const block of blocks) {
    const pin = await readKey(block);
    if (pin !== undefined && !pins.has(pin.sha256)) pins.set(pin.sha256, pin);
  }
  if (pins.size > 1) throw new FileError(`it holds ${pins.size} different keys: give each in a file of its own`);
  const [pin] = pins.values();
  if (pin !== undefined) return { key: pin };
  const encrypted = blocks.filter(isEncryptedKey);
  const [first] = encrypted;
  if (encrypted.length > 1)
    throw new FileError(`it holds ${encrypted.length} encrypted keys: give each in a file of its own`);
  if (first !== undefined && !isPkcs8(first)) {
    return { key: await passwords.open(label, (password) => oldEncryptedKeyPin(first.text, password ?? '')) };
  }
  if (first !== undefined) return { key: await (await import('./container.ts')).readKey(first.der, label, passwords) };
  return refuseText(
    text,
    blocks.map((block) => block.label),
  );
}

async function readCertificates({ label, der }: PemBlock): Promise<Certificate[]> {
  if (/^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label)) {
    try {
      return [new Certificate(new X509Certificate(der).raw)];
    } catch (error) {
      throw new FileError('what looks like a certificate in it is none', undefined, { cause: error });
    }
  }
  if (label !== 'PKCS7' && label !== 'CMS' && label !== 'PKCS #7 SIGNED DATA') return [];
  const { readPkcs7Bundle } = await import('./container.ts');
  return readPkcs7Bundle(der);
}

async function readKey(block: PemBlock): Promise<KeyPin | undefined> {
  const { label, der } = block;
  if (/^(?:NEW )?CERTIFICATE REQUEST$/.test(label)) return (await import('./container.ts')).readRequest(der);
  if (/^(?:RSA )?PUBLIC KEY$/.test(label)) return publicKeyPin(der);
  if (/^(?:RSA |EC )?PRIVATE KEY$/.test(label) && !isEncryptedKey(block)) return privateKeyPin(der);
  return undefined;
}

function isPkcs8({ label }: PemBlock): boolean {
  return label === 'ENCRYPTED PRIVATE KEY'; // RFC 7468 §11
}

/** PKCS#8, or the older way of OpenSSL: header lines in the block (RFC 1421 §4.6.1.1). */
function isEncryptedKey(block: PemBlock): boolean {
  return isPkcs8(block) || (/PRIVATE KEY$/.test(block.label) && /^Proc-Type: *4, *ENCRYPTED/m.test(block.text));
}
