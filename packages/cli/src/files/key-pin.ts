import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { FileError, WrongPassword } from './file-error.ts';

/** The result for a file without a certificate: the pin of the certificate that will be made with its key. */
export interface KeyPin {
  readonly source: 'private key' | 'public key' | 'certificate signing request';
  /** `RSA 2048`, `EC P-256`, `Ed25519`. */
  readonly algorithm: string;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 upper-case hex digits. */
  readonly sha256: string;
  /** The same, as `sha256/BASE64`. */
  readonly pin: string;
  readonly publicKey: KeyObject;
}

/** @throws FileError */
export function publicKeyPin(der: Buffer): KeyPin {
  return pinOf(readPublicKey(der), 'public key');
}

export function requestPin(key: KeyObject): KeyPin {
  return pinOf(key, 'certificate signing request');
}

/** @throws FileError */
export function readPublicKey(der: Buffer): KeyObject {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      return createPublicKey({ key: der, format: 'der', type });
    } catch {
      // Try the next format.
    }
  }
  throw new FileError(
    'what looks like a public key in it cannot be read as one, or is of a kind that Node.js does not know',
  );
}

/**
 * Of a private key, only the public half is kept.
 *
 * @throws FileError
 */
export function privateKeyPin(der: Buffer): KeyPin {
  for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const) {
    try {
      return pinOf(createPublicKey(createPrivateKey({ key: der, format: 'der', type })), 'private key');
    } catch {
      // Try the next format.
    }
  }
  throw new FileError(
    'what looks like a private key in it cannot be read as one, or is of a kind that Node.js does not know',
  );
}

/**
 * A key in OpenSSL's older encryption, with header lines in the PEM block (RFC 1421 §4.6.1.1).
 *
 * @throws WrongPassword, FileError
 */
export function oldEncryptedKeyPin(pem: string, passphrase: string): KeyPin {
  try {
    return pinOf(createPublicKey(createPrivateKey({ key: pem, passphrase })), 'private key');
  } catch (error) {
    if (!/digital envelope routines::unsupported/.test((error as Error).message)) throw new WrongPassword();
    throw new FileError(
      'the key is encrypted with a cipher that is out of use',
      'openssl pkey -pubout -provider legacy -provider default -in FILE | certpin get -',
    );
  }
}

/** The hash is made from OpenSSL's own form of the key, whatever is in the file. */
function pinOf(key: KeyObject, source: KeyPin['source']): KeyPin {
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
  return {
    source,
    algorithm: algorithmOf(key),
    sha256: digest.toString('hex').toUpperCase(),
    pin: `sha256/${digest.toString('base64')}`,
    publicKey: key,
  };
}

const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): string {
  const type = String(asymmetricKeyType);
  const curve = details?.namedCurve;
  if (type === 'ec') return `EC ${curve === undefined ? '(explicit curve)' : (curves[curve] ?? curve)}`;
  const name = type.startsWith('ed') ? `E${type.slice(1)}` : type.toUpperCase();
  return details?.modulusLength === undefined ? name : `${name} ${details.modulusLength}`;
}
