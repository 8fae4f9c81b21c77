import { X509Certificate } from 'node:crypto';
import { decodeText, findPem } from 'certpin/probe';
import { type FileContents, isBinary, readContents } from './contents.ts';
import { decodeWhole, findEncoded } from './encoded.ts';
import { FileError } from './file-error.ts';
import type { Passwords } from './password.ts';

/** What the library reads among pins. Everything else is read here, and given to the library in these forms. */
const KNOWN = /^(?:(?:X509 |TRUSTED )?CERTIFICATE|PUBLIC KEY|(?:[\w ]+ )?PRIVATE KEY)$/;

/**
 * The pins in a file, as text for the library: pins in any spelling with comments, certificates, public keys and signing requests, or a
 * container of them. Other text stays, so that a mistyped pin is found.
 *
 * @throws FileError
 */
export async function readPinText(bytes: Buffer, label: string, passwords: Passwords): Promise<string> {
  if (isBinary(bytes)) return pinsOf(await readContents(bytes, label, passwords));
  const text = decodeText(bytes).replace(/\r\n?/g, '\n');
  const blocks = findPem(text);
  if (blocks.length === 0 && isEncoded(text)) return pinsOf(await readContents(bytes, label, passwords));
  let changed = blocks.length > 0 ? text.replace(OPENSSL_TEXT, '') : text;
  for (const block of blocks) {
    if (KNOWN.test(block.label) || block.body === undefined) continue;
    const pins = pinsOf(await readContents(Buffer.from(block.text), label, passwords));
    changed = changed.replace(block.text, () => pins);
  }
  return changed;
}

/** What `openssl x509 -text`, `openssl pkcs12` and `openssl x509 -subject -issuer -dates -serial` print before a block. */
const OPENSSL_TEXT =
  /^Certificate:\n {4}Data:\n(?: {4,}.*\n)+|^Bag Attributes.*\n(?: {4}[\w.][\w .]*: .*\n)*|^(?:Key Attributes|(?:subject|issuer|notBefore|notAfter|serial) ?=).*\n/gm;

/** Only base64 of a file, or a configuration with some of it: not a list of pins. */
function isEncoded(text: string): boolean {
  if (decodeWhole(text) !== undefined) return true;
  if (!/^\s*[{[<]|^(?:apiVersion|kind|data):/m.test(text)) return false;
  const { texts, ders } = findEncoded(text);
  return texts.length + ders.length > 0;
}

function pinsOf({ certificates, key }: FileContents): string {
  if (certificates !== undefined) return certificates.map(({ der }) => new X509Certificate(der).toString()).join('\n');
  if (key.source === 'private key')
    throw new FileError(
      'it holds a private key, which only the server should have: pin its certificate or its public key',
    );
  return key.pin;
}
