import { X509Certificate } from 'node:crypto';
import { Certificate } from 'certpin';
import { decodeText, leafFirst, leavesOf } from 'certpin/probe';
import { decodeWhole, findEncoded } from './encoded.ts';
import { FileError } from './file-error.ts';
import { type KeyPin, oldEncryptedKeyPin, privateKeyPin, publicKeyPin } from './key-pin.ts';
import type { Passwords } from './password.ts';
import { type PemBlock, readPem } from './pem.ts';
import { isKeystore, isPacked, refuseKeystore, refusePacked, refuseText } from './refuse.ts';

/** The content of a file: its certificates, the leaf first. If it has none, the pin of its key. */
export type FileContents =
  | {
      readonly certificates: readonly Certificate[];
      /** If the file does not show which certificate is the leaf: all candidates, at least two. */
      readonly leaves: readonly Certificate[];
      readonly key?: undefined;
    }
  | { readonly certificates?: undefined; readonly leaves?: undefined; readonly key: KeyPin };

/** The certificates of a file in its order. */
function toContents(certificates: readonly Certificate[]): FileContents {
  const leaves = leavesOf(certificates);
  return { certificates: leafFirst(certificates), leaves: leaves.length > 1 ? leaves : [] };
}

/**
 * Reads any file that may hold a certificate, a key or a signing request.
 *
 * @throws FileError, and nothing else, whatever the bytes
 */
export async function readContents(bytes: Buffer, label: string, passwords: Passwords): Promise<FileContents> {
  try {
    refuseKeystore(bytes);
    refusePacked(bytes);
    const contents = isDer(bytes) ? await readDer(bytes, label, passwords) : await readText(bytes, label, passwords);
    for (const certificate of contents.certificates ?? []) certificate.toJSON();
    return contents;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError('it is damaged or cut, or not a file that certpin reads', 'certpin help get', {
      cause: error,
    });
  }
}

/** Whether a file is not text. */
export function isBinary(bytes: Buffer): boolean {
  return isDer(bytes) || isKeystore(bytes) || isPacked(bytes);
}

/** DER begins with the tag of a SEQUENCE, which is also the digit 0, and a length. A short length must be that of the file. */
function isDer(bytes: Buffer): boolean {
  const length = bytes[1] ?? 0;
  return bytes[0] === 0x30 && (length >= 0x80 || length === bytes.length - 2);
}

async function readDer(bytes: Buffer, label: string, passwords: Passwords): Promise<FileContents> {
  const certificate = tryCertificate(bytes);
  if (certificate !== undefined) return toContents([certificate]);
  const { readContainer } = await import('./container.ts'); // On a server, `get server.crt` works without it.
  const found = await readContainer(bytes, label, passwords);
  if ('source' in found) return { key: found };
  return 'certificates' in found ? found : toContents(found);
}

function tryCertificate(der: Buffer): Certificate | undefined {
  try {
    return new Certificate(new X509Certificate(der).raw);
  } catch {
    return undefined;
  }
}

async function readText(bytes: Buffer, label: string, passwords: Passwords): Promise<FileContents> {
  const text = decodeText(bytes).replace(/\r\n?/g, '\n');
  const blocks = readPem(text);
  if (blocks.length > 0) return readBlocks(text, blocks, label, passwords);
  const whole = decodeWhole(text);
  if (whole?.[0] === 0x30) return readDer(whole, label, passwords);
  const { texts, ders } = findEncoded(text);
  const found = ders.map(tryCertificate).filter((certificate) => certificate !== undefined);
  const inner = texts.flatMap((one) => readPem(one.replace(/\r\n?/g, '\n')));
  const encoded = found.map(({ der }): PemBlock => ({ label: 'CERTIFICATE', text: '', der: Buffer.from(der) }));
  return readBlocks(text, [...encoded, ...inner], label, passwords);
}

async function readBlocks(
  text: string,
  blocks: readonly PemBlock[],
  label: string,
  passwords: Passwords,
): Promise<FileContents> {
  const certificates: Certificate[] = [];
  // One after the other: so the memory for a container is free again before the next one.
  for (const block of blocks) certificates.push(...(await readCertificates(block)));
  if (certificates.length > 0) return toContents(certificates);
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
      throw new FileError('what looks like a certificate in it cannot be read as one', undefined, { cause: error });
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
