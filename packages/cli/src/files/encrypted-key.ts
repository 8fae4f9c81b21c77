import { children, isSequence, type Node, octets, oid } from './asn1.ts';
import { WrongPassword } from './file-error.ts';
import { type KeyPin, privateKeyPin } from './key-pin.ts';
import { decrypt, type Password, type Rounds } from './pbe.ts';

const OCTET_STRING = 4;

/** RFC 5958 §3: `EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING }`. A public key has a BIT STRING there. */
export function isEncryptedKey(root: Node): boolean {
  const [algorithm, data] = isSequence(root) ? children(root) : [];
  return isSequence(algorithm) && oid(children(algorithm)[0]) !== '' && Number(data?.type) === OCTET_STRING;
}

/** @throws WrongPassword, FileError */
export async function readEncryptedKey(root: Node, password: Password, rounds: Rounds): Promise<KeyPin> {
  const [algorithm, encrypted] = children(root);
  if (algorithm === undefined) throw new TypeError('the algorithm is missing');
  const key = await decrypt(algorithm, octets(encrypted), password, rounds);
  try {
    return privateKeyPin(key);
  } catch {
    throw new WrongPassword(); // One wrong password in 256 leaves bytes that look like padding.
  } finally {
    key.fill(0);
  }
}
