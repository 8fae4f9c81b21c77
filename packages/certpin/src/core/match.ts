import type { Certificate } from './certificate.ts';
import type { Pin, Sha256 } from './pin.ts';

/** The words of 32 bits in a SHA-256. */
const WORDS = 8;

/**
 * The first of `pins` that `certificate` matches. Digests are compared word by word without a branch and every pin is compared, so
 * that the time taken tells nothing about which pin was nearly met.
 */
export function matchPin(certificate: Certificate, pins: readonly Pin[]): Pin | undefined {
  const pinned = wordsOfPins(pins);
  let matched: Pin | undefined;
  for (let index = 0; index < pins.length; index++) {
    const pin = pins[index] as Pin;
    const presented = wordsOfCertificate(certificate, pin.kind);
    let difference = 0;
    for (let word = 0; word < WORDS; word++) {
      difference |= (pinned[index * WORDS + word] as number) ^ (presented[word] as number);
    }
    if (difference === 0) matched ??= pin;
  }
  return matched;
}

/** Of the sets that nobody can change: a policy is asked at every connection. */
const knownSets = new WeakMap<readonly Pin[], Int32Array>();

function wordsOfPins(pins: readonly Pin[]): Int32Array {
  const known = knownSets.get(pins);
  if (known !== undefined) return known;
  const words = wordsOf(pins.map(({ sha256 }) => sha256));
  if (Object.isFrozen(pins) && pins.every(Object.isFrozen)) knownSets.set(pins, words);
  return words;
}

const knownCertificates = new WeakMap<Certificate, { [kind in Pin['kind']]?: Int32Array }>();

function wordsOfCertificate(certificate: Certificate, kind: Pin['kind']): Int32Array {
  let known = knownCertificates.get(certificate);
  if (known === undefined) {
    known = {};
    knownCertificates.set(certificate, known);
  }
  known[kind] ??= wordsOf([kind === 'certificate' ? certificate.certificateSha256 : certificate.publicKeySha256]);
  return known[kind];
}

function wordsOf(digests: readonly Sha256[]): Int32Array {
  const words = new Int32Array(digests.length * WORDS);
  digests.forEach((digest, index) => {
    for (let word = 0; word < WORDS; word++) {
      words[index * WORDS + word] = Number.parseInt(digest.slice(word * 8, word * 8 + 8), 16);
    }
  });
  return words;
}
