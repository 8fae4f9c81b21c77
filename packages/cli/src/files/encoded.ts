import { decodeText } from 'certpin/probe';

/** Long enough for a key on a curve. No word and no hash is as long. */
const SHORTEST = 100;

/** Base64, in lines or not. */
const RUN = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}(?:(?:\\n|[ \t]*\n[ \t]*)[A-Za-z0-9+/]+(?=[\s=\\"',\]<]|$))*={0,2}/g;

/** The content of a file that is base64 on the outside. */
export interface Encoded {
  /** Texts with PEM blocks in them. */
  readonly texts: readonly string[];
  /** What may be DER. */
  readonly ders: readonly Buffer[];
}

/**
 * Finds what a configuration keeps in base64. Examples are the values of a Kubernetes secret, the certificates of an `x5c` or of SAML's
 * metadata, and a file that went through `base64` as a whole.
 */
export function findEncoded(text: string): Encoded {
  const texts: string[] = [];
  const ders: Buffer[] = [];
  for (const [run] of text.replaceAll('\\/', '/').matchAll(RUN)) {
    const base64 = run.replace(/\\n|\s/g, '');
    if (base64.length < SHORTEST) continue;
    const bytes = Buffer.from(base64, 'base64');
    if (isOneElement(bytes)) ders.push(bytes);
    else {
      const decoded = decodeText(bytes);
      if (decoded.includes('-----BEGIN ')) texts.push(decoded);
    }
  }
  return { texts, ders };
}

/** The bytes, if the whole text is the base64 of one file. A list of hashes is base64 too, so the length of the element is compared. */
export function decodeWhole(text: string): Buffer | undefined {
  const base64 = text.replace(/\s+/g, '');
  if (base64.length < SHORTEST || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.includes('-----BEGIN ') || isOneElement(bytes) ? bytes : undefined;
}

/** X.690 §8.1.3: a SEQUENCE, and its length. */
function isOneElement(bytes: Buffer): boolean {
  const count = (bytes[1] ?? 0) - 0x80;
  return bytes[0] === 0x30 && count >= 1 && count <= 4 && bytes.readUIntBE(2, count) + 2 + count === bytes.length;
}
