import { X509Certificate } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Certificate } from '../core/certificate.ts';
import { decodeText } from '../core/text.ts';
import { CertpinError } from '../errors.ts';
import { leafFirst } from './leaf-first.ts';
import { findPem } from './pem.ts';

/** A certificate file has some kilobytes. A bundle of all public CAs has some hundred. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The certificates of a PEM or DER file, with the leaf first. Text and keys around the PEM blocks are ignored.
 *
 * @throws CertpinError `ERR_FILE_UNREADABLE`; Node's own error (`ENOENT`, …) if the file cannot be opened
 */
export async function readCertificates(path: string): Promise<Certificate[]> {
  const bytes = await readBounded(path);
  // 0x30 begins a DER certificate, and is also the digit 0. But the length of a certificate never fits into one byte.
  const isDer = bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80;
  const ders = isDer ? [bytes] : readPem(decodeText(bytes));
  if (ders.length === 0) {
    throw unreadable(
      bytes.includes('PRIVATE KEY-----')
        ? 'it holds a private key and no certificate'
        : 'there is no PEM or DER certificate in it',
    );
  }
  try {
    return leafFirst(ders.map((der) => new Certificate(new X509Certificate(der).raw)));
  } catch (error) {
    throw unreadable('what looks like a certificate in it cannot be read as one', error);
  }
}

function readPem(text: string): Buffer[] {
  return findPem(text)
    .filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label))
    .map(({ body }) => {
      if (body === undefined) throw unreadable('it holds no whole certificate: one has BEGIN without END');
      const content = body.replace(/\s+/g, '');
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(content))
        throw unreadable('the text between BEGIN CERTIFICATE and END in it is not base64');
      return Buffer.from(content, 'base64');
    });
}

/** No more than a certificate file can have: some files have no end. */
async function readBounded(path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of createReadStream(path)) {
    length += chunk.length;
    if (length > MAX_BYTES) throw unreadable(`a certificate file has at most ${MAX_BYTES} bytes, and it has more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreadable(reason: string, cause?: unknown): CertpinError<'ERR_FILE_UNREADABLE'> {
  return new CertpinError('ERR_FILE_UNREADABLE', `the file cannot be used: ${reason}`, { reason }, { cause });
}
