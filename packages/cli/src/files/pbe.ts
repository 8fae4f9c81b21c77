import { createDecipheriv, createHmac, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { children, integer, isSequence, type Node, octets, oid } from './asn1.ts';
import { FileError, UnsupportedAlgorithm, WrongPassword } from './file-error.ts';

/**
 * OpenSSL uses 2 048 rounds, Java 10 000, and careful people a million. This is the limit for all rounds of a file together, so that no
 * file keeps certpin busy.
 */
const MAX_ROUNDS = 4_000_000;

/** Counts the rounds that a file asks for. */
export class Rounds {
  #left = MAX_ROUNDS;

  take(count: number): number {
    if (count < 1) throw new RangeError('fewer than one round');
    this.#left -= count;
    if (this.#left >= 0) return count;
    throw new FileError(`it asks for more than ${MAX_ROUNDS} rounds of key derivation`);
  }
}

/** undefined: no password at all. PKCS#12 distinguishes this from an empty one. */
export type Password = string | undefined;

/** RFC 7292 §B.2. `id` 1: a key, 2: an initialization vector, 3: the key of the MAC. */
function derivePkcs12(
  password: Password,
  salt: Buffer,
  id: 1 | 2 | 3,
  rounds: number,
  length: number,
  hash: string,
): Buffer {
  const md = forge.md[hash as 'sha1'];
  const saltBytes = forge.util.createBuffer(salt.toString('latin1'));
  // node-forge accepts `null`, but its type declarations do not.
  const secret = (password ?? null) as string;
  const bytes = forge.pkcs12.generateKey(secret, saltBytes, id as never, rounds, length, md.create());
  return Buffer.from(bytes.getBytes(), 'latin1');
}

const digests: Record<string, { readonly name: string; readonly length: number }> = {
  '1.3.14.3.2.26': { name: 'sha1', length: 20 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', length: 32 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', length: 48 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', length: 64 },
};

/**
 * RFC 7292 §4: `MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }`.
 *
 * @throws WrongPassword, UnsupportedAlgorithm
 */
export function checkMac(macData: Node, content: Buffer, password: Password, rounds: Rounds): void {
  const [mac, salt, iterations] = children(macData);
  const [algorithm, value] = children(mac);
  const digest = digests[oid(children(algorithm)[0])];
  if (digest === undefined)
    throw new UnsupportedAlgorithm('its integrity is protected with an algorithm that certpin does not know');
  const count = rounds.take(iterations === undefined ? 1 : integer(iterations));
  const key = derivePkcs12(password, octets(salt), 3, count, digest.length, digest.name);
  const expected = createHmac(digest.name, key).update(content).digest();
  const actual = octets(value);
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) throw new WrongPassword();
}

/** RFC 7292 §C: `pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }`. `bits`: the length of the key. */
const pkcs12Ciphers: Record<string, { readonly cipher: 'des' | 'rc2'; readonly bits: number }> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des', bits: 192 },
  '1.2.840.113549.1.12.1.4': { cipher: 'des', bits: 128 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', bits: 128 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', bits: 40 },
};

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';

/**
 * Decrypts what is encrypted with a password (RFC 7292 §C, RFC 8018 §6.2).
 *
 * @throws WrongPassword, UnsupportedAlgorithm; FileError for endless rounds
 */
export async function decrypt(algorithm: Node, encrypted: Buffer, password: Password, rounds: Rounds): Promise<Buffer> {
  const [id, parameters] = children(algorithm);
  const old = pkcs12Ciphers[oid(id)];
  if (old !== undefined) {
    const [salt, iterations] = children(parameters);
    const count = rounds.take(integer(iterations));
    const key = derivePkcs12(password, octets(salt), 1, count, old.bits / 8, 'sha1');
    const iv = derivePkcs12(password, octets(salt), 2, rounds.take(count), 8, 'sha1');
    return old.cipher === 'rc2'
      ? decryptRc2(key, old.bits, iv, encrypted)
      : decipher('des-ede3-cbc', threeKeys(key), iv, encrypted);
  }
  if (oid(id) === PBES2) return decryptPbes2(parameters, encrypted, password, rounds);
  throw new UnsupportedAlgorithm('it is encrypted with an algorithm that certpin does not know');
}

const ciphers: Record<string, { readonly name: string; readonly length: number }> = {
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', length: 24 },
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', length: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', length: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', length: 32 },
};

/** RFC 8018 §B.1.2. */
const pseudorandom: Record<string, string> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

async function decryptPbes2(
  parameters: Node | undefined,
  encrypted: Buffer,
  password: Password,
  rounds: Rounds,
): Promise<Buffer> {
  const [derivation, scheme] = children(parameters);
  const [function_, derivationParameters] = children(derivation);
  const [cipherId, iv] = children(scheme);
  const cipher = ciphers[oid(cipherId)];
  if (cipher === undefined) throw new UnsupportedAlgorithm('it is encrypted with a cipher that certpin does not know');
  const derive = oid(function_) === PBKDF2 ? derivePbkdf2 : oid(function_) === SCRYPT ? deriveScrypt : undefined;
  if (derive === undefined) throw new UnsupportedAlgorithm('its key is derived in a way that certpin does not know');
  const key = await derive(children(derivationParameters), password ?? '', cipher.length, rounds);
  return decipher(cipher.name, key, octets(iv), encrypted);
}

/** RFC 8018 §A.2: `SEQUENCE { salt, iterationCount, keyLength OPTIONAL, prf DEFAULT hmacWithSHA1 }`. */
function derivePbkdf2(parameters: Node[], password: string, length: number, rounds: Rounds): Promise<Buffer> {
  const [salt, iterations, ...others] = parameters;
  const prf = others.find(isSequence);
  const hash = prf === undefined ? 'sha1' : pseudorandom[oid(children(prf)[0])];
  if (hash === undefined) throw new UnsupportedAlgorithm('its key is derived in a way that certpin does not know');
  return promisify(pbkdf2)(password, octets(salt), rounds.take(integer(iterations)), length, hash);
}

/** RFC 7914 §7: `SEQUENCE { salt, costParameter, blockSize, parallelizationParameter, keyLength OPTIONAL }`. */
function deriveScrypt(parameters: Node[], password: string, length: number, rounds: Rounds): Promise<Buffer> {
  const [salt, ...numbers] = parameters;
  const [N = 0, r = 0, p = 0] = numbers.slice(0, 3).map(integer);
  rounds.take(N * r * p);
  return new Promise((resolve, reject) => {
    // 128 MiB: eight times what OpenSSL uses.
    const done = (error: Error | null, key: Buffer): void => (error ? reject(error) : resolve(key));
    scrypt(password, octets(salt), length, { N, r, p, maxmem: 128 * 1024 * 1024 }, done);
  });
}

/** Two keys of DES: the first serves again as the third. */
function threeKeys(key: Buffer): Buffer {
  return key.length === 24 ? key : Buffer.concat([key, key.subarray(0, 8)]);
}

function decipher(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  const cipher = createDecipheriv(name, key, iv);
  try {
    return Buffer.concat([cipher.update(encrypted), cipher.final()]);
  } catch {
    throw new WrongPassword(); // The padding
  }
}

/** RFC 2268. OpenSSL 3 has RC2 in a provider that Node.js does not load. */
function decryptRc2(key: Buffer, bits: number, iv: Buffer, encrypted: Buffer): Buffer {
  const cipher = forge.rc2.createDecryptionCipher(key.toString('latin1'), bits);
  cipher.start(iv.toString('latin1'));
  cipher.update(forge.util.createBuffer(encrypted.toString('latin1')));
  if (!cipher.finish()) throw new WrongPassword();
  return Buffer.from(cipher.output.getBytes(), 'latin1');
}
