import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { type Minted, type MintOptions, mint } from './mint.ts';

/**
 * A certificate with its own key, whose serial number hides the key of `victim`. The number is an INTEGER with a tag of two bytes, `1f 02`,
 * which OpenSSL accepts. A reader that takes `02` for the length continues in the middle of the number. There it finds dates and a key, as
 * in a certificate.
 */
export async function mintWithHiddenKey(victim: Minted, options: MintOptions = {}): Promise<Minted> {
  const minted = await mint(options);
  const [body, algorithm] = childrenOf(minted.x509.raw);
  const [version, , ...fields] = childrenOf(body as Buffer);
  const empty = element(0x30);
  const dates = fields[2] as Buffer;
  const key = victim.x509.publicKey.export({ type: 'spki', format: 'der' });
  const forged = Buffer.concat([empty, empty, dates, empty, key]);
  if (forged.length < 0x80 || forged.length > 0xff)
    throw new RangeError('the trick needs a length of two bytes: an EC key');
  const serial = Buffer.concat([Buffer.of(0x1f, 0x02, 0x81, forged.length), forged]);
  const written = element(0x30, version as Buffer, serial, ...fields);
  const signature = sign('sha256', written, createPrivateKey((options.issuer ?? minted).keyPem));
  const raw = element(0x30, written, algorithm as Buffer, element(0x03, Buffer.of(0), signature));
  const certPem = `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
  const x509 = new X509Certificate(raw);
  return { ...minted, certPem, chainPem: minted.chainPem.replace(minted.certPem, certPem), x509 };
}

function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...header), content]);
}

/** The elements inside of one, each whole. */
function childrenOf(bytes: Buffer): Buffer[] {
  const { start, end } = placeOf(bytes, 0);
  const children: Buffer[] = [];
  for (let offset = start; offset < end; ) {
    const next = placeOf(bytes, offset).end;
    children.push(bytes.subarray(offset, next));
    offset = next;
  }
  return children;
}

function placeOf(bytes: Buffer, offset: number): { readonly start: number; readonly end: number } {
  const first = bytes[offset + 1] as number;
  const count = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + count;
  return { start, end: start + (count === 0 ? first : bytes.readUIntBE(offset + 2, count)) };
}
