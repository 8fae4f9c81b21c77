import { FileError } from './file-error.ts';

/** Whether it is a Java keystore in one of the forms of Java's own. */
export function isKeystore(bytes: Buffer): boolean {
  return ['feedfeed', 'cececece'].includes(magicOf(bytes));
}

function magicOf(bytes: Buffer): string {
  return bytes.subarray(0, 4).toString('hex');
}

/** @throws FileError for the files that people take for a certificate's, and that certpin does not read */
export function refuseKeystore(bytes: Buffer): void {
  if (!isKeystore(bytes)) return;
  const magic = magicOf(bytes);
  throw new FileError(
    `it is a Java keystore (${magic === 'feedfeed' ? 'JKS' : 'JCEKS'}), which certpin does not read: convert it to PKCS#12`,
    'keytool -importkeystore -srckeystore FILE -destkeystore keystore.p12 -deststoretype PKCS12',
  );
}

/** @throws FileError always: the text has none of the PEM blocks that certpin reads */
export function refuseText(text: string, labels: readonly string[]): never {
  const start = text.trimStart();
  if (
    /^(?:ssh-|ecdsa-sha2-|sk-(?:ssh|ecdsa)-)/.test(start) ||
    labels.some((label) => /^(?:OPENSSH|SSH2) /.test(label))
  ) {
    throw new FileError('it is an SSH key, and no key or certificate of TLS');
  }
  if (labels.some((label) => label.startsWith('PGP '))) {
    throw new FileError('it is a PGP file, and no key or certificate of TLS');
  }
  if (labels.length === 0 && text.includes('-----BEGIN ')) {
    throw new FileError(
      'there is no certificate, key or signing request in it: a BEGIN line counts at the start of a line, and not behind a sign of comment',
    );
  }
  if (labels.length === 0) throw new FileError('there is no certificate, key or signing request in it');
  throw new FileError(
    `there is no certificate, key or signing request in it, but ${[...new Set(labels)].slice(0, 3).join(', ')}`,
  );
}
