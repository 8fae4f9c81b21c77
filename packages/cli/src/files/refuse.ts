import { FileError } from './file-error.ts';

/** Whether it is a Java keystore in one of Java's own formats. */
export function isKeystore(bytes: Buffer): boolean {
  return ['feedfeed', 'cececece'].includes(magicOf(bytes));
}

function magicOf(bytes: Buffer): string {
  return bytes.subarray(0, 4).toString('hex');
}

/** How an archive or a compressed file begins, and what unpacks it. */
const PACKED: readonly (readonly [magic: string, name: string, command: string])[] = [
  ['1f8b', 'compressed with gzip', 'gunzip --keep FILE'],
  ['504b0304', 'a ZIP archive', 'unzip FILE'],
  ['425a68', 'compressed with bzip2', 'bunzip2 --keep FILE'],
  ['fd377a585a00', 'compressed with xz', 'unxz --keep FILE'],
  ['28b52ffd', 'compressed with zstd', 'unzstd FILE'],
  ['377abcaf271c', 'a 7-Zip archive', '7z x FILE'],
];

function packingOf(bytes: Buffer): (typeof PACKED)[number] | undefined {
  const start = bytes.subarray(0, 6).toString('hex');
  return PACKED.find(([magic]) => start.startsWith(magic));
}

export function isPacked(bytes: Buffer): boolean {
  return packingOf(bytes) !== undefined;
}

/** @throws FileError for a file that must be unpacked first */
export function refusePacked(bytes: Buffer): void {
  const [, name, command] = packingOf(bytes) ?? [];
  if (name !== undefined) throw new FileError(`it is ${name}: unpack it, and give the file that was in it`, command);
}

/** @throws FileError for files that people take for a certificate's file, and that certpin does not read */
export function refuseKeystore(bytes: Buffer): void {
  if (!isKeystore(bytes)) return;
  const magic = magicOf(bytes);
  throw new FileError(
    `it is a Java keystore (${magic === 'feedfeed' ? 'JKS' : 'JCEKS'}), which certpin does not read: convert it to PKCS#12`,
    'keytool -importkeystore -srckeystore FILE -destkeystore keystore.p12 -deststoretype PKCS12',
  );
}

/** @throws FileError always: the text has no PEM block that certpin reads */
export function refuseText(text: string, labels: readonly string[]): never {
  const start = text.trimStart();
  if (
    /^(?:ssh-|ecdsa-sha2-|sk-(?:ssh|ecdsa)-)/.test(start) ||
    labels.some((label) => /^(?:OPENSSH|SSH2) /.test(label))
  ) {
    throw new FileError('it is an SSH key, not a key or certificate for TLS');
  }
  if (labels.some((label) => label.startsWith('PGP '))) {
    throw new FileError('it is a PGP file, not a key or certificate for TLS');
  }
  if (labels.length === 0 && text.includes('-----BEGIN ')) {
    throw new FileError(
      'there is no certificate, key or signing request in it: a BEGIN line counts only at the start of a line, and not in a comment',
    );
  }
  if (labels.length === 0) throw new FileError('there is no certificate, key or signing request in it');
  throw new FileError(
    `there is no certificate, key or signing request in it, but ${[...new Set(labels)].slice(0, 3).join(', ')}`,
  );
}
