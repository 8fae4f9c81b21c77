import { constants, createPublicKey, generateKeyPair, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';

let keys: Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> | undefined;

/** One key pair for all fakes of a process: making one is slow. */
export function keyPair(): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  keys ??= promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return keys;
}

export function signJwt(payload: object, key: KeyObject): string {
  const text = [{ alg: 'RS256', typ: 'JWT' }, payload].map((part) => encode(JSON.stringify(part))).join('.');
  return `${text}.${encode(sign('sha256', Buffer.from(text), key))}`;
}

/** The payload of a JWT that this key has signed; undefined of any other. */
export function readJwt(jwt: string, key: KeyObject): Record<string, unknown> | undefined {
  const [head = '', payload = '', signature = ''] = jwt.split('.');
  try {
    const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: unknown };
    const hash = { RS256: 'sha256', RS384: 'sha384', PS256: 'sha256' }[String(alg)];
    const publicKey = createPublicKey(key);
    const padded = alg === 'PS256' ? { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING } : publicKey;
    if (hash === undefined) return undefined;
    if (!verify(hash, Buffer.from(`${head}.${payload}`), padded, Buffer.from(signature, 'base64url'))) return undefined;
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function encode(bytes: string | Buffer): string {
  return Buffer.from(bytes).toString('base64url');
}
