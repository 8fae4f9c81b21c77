import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { FileError, WrongPassword } from './file-error.ts';

/** What a file without a certificate yields: the pin of the certificate that will be made with its key. */
export interface KeyPin {
  readonly source: 'private key' | 'public key' | 'certificate signing request';
  /** `RSA 2048`, `EC P-256`, `Ed25519`. */
  readonly algorithm: string;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 upper-case hex digits. */
  readonly sha256: string;
  /** The same, as `sha256/BASE64`. */
  readonly pin: string;
}

/** @throws FileError */
export function publicKeyPin(key: string | Buffer, source: KeyPin['source'] = 'public key'): KeyPin {
  return pinOf(readPublicKey(key), source);
}

/** @param spki the SubjectPublicKeyInfo as it stands in a signing request: a CA copies it into the certificate */
export function requestPin(spki: Buffer): KeyPin {
  return pinOf(readPublicKey(spki), 'certificate signing request', spki);
}

/**
 * Of a private key, only the public half is kept.
 *
 * @param key PEM text, or DER
 * @throws WrongPassword, FileError
 */
export function privateKeyPin(key: string | Buffer, passphrase?: string): KeyPin {
  for (const type of typeof key === 'string' ? [undefined] : (['pkcs8', 'sec1', 'pkcs1'] as const)) {
    try {
      const options = { passphrase, ...(type === undefined ? {} : { format: 'der' as const, type }) };
      return pinOf(createPublicKey(createPrivateKey({ key, ...options } as never)), 'private key');
    } catch (error) {
      if (/unsupported/i.test(String((error as Error).message)) && passphrase !== undefined) {
        throw new FileError(
          'the key is encrypted with an algorithm that is out of use',
          'openssl pkey -in key.pem -pubout | certpin get -',
        );
      }
    }
  }
  if (passphrase !== undefined) throw new WrongPassword();
  throw new FileError('what looks like a private key in it is none, or is of a kind that Node.js does not know');
}

function readPublicKey(key: string | Buffer): KeyObject {
  for (const type of typeof key === 'string' ? [undefined] : (['spki', 'pkcs1'] as const)) {
    try {
      return createPublicKey(type === undefined ? key : { key: key as Buffer, format: 'der', type });
    } catch {
      // the next one
    }
  }
  throw new FileError('what looks like a public key in it is none, or is of a kind that Node.js does not know');
}

function pinOf(
  key: KeyObject,
  source: KeyPin['source'],
  spki: Buffer = key.export({ type: 'spki', format: 'der' }),
): KeyPin {
  const digest = createHash('sha256').update(spki).digest();
  return {
    source,
    algorithm: algorithmOf(key),
    sha256: digest.toString('hex').toUpperCase(),
    pin: `sha256/${digest.toString('base64')}`,
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
