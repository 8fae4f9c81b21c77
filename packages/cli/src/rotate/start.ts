import type { KeyObject } from 'node:crypto';
import { type Entry, type FilePins, finish, listsPin, matchesPin, type Rotation } from '@certpin/pins-file';
import { type Certificate, formatPin, type Pin } from 'certpin';
import { judgeAnswer } from '../pins-file/judge-answer.ts';
import type { AddressAnswer } from '../scan/answer.ts';
import { isPinOfKey, type Next } from './next-certificate.ts';
import { judgePresented } from './present.ts';
import { pinsOfFile } from './real-world.ts';

/** Why a rotation is not begun. */
export interface NotBegun {
  readonly exit: 1 | 2;
  readonly reason: string;
  readonly hint?: string | undefined;
}

interface Given {
  readonly entry: Entry;
  readonly next: Next;
  readonly answers: readonly AddressAnswer[];
  readonly settleSeconds: number;
  /** The pin of the key that has leaked. */
  readonly leaked: Pin | undefined;
  /** The name of the target in commands. */
  readonly name: string;
  readonly now: Date;
}

/** Works out the rotation from the file of the next certificate, and from what every address presents now. Nothing is written. */
export function begin(given: Given): Rotation | NotBegun {
  const { entry, next, leaked, now } = given;
  const file = pinsOfFile(entry);
  const refused = leaked === undefined ? refuseStart(given, file) : refuseLeaked(given, file, leaked);
  if (refused !== undefined) return refused;
  const leaves = leavesOf(given.answers);
  const old = leaked === undefined ? presentedPins(entry, next, leaves) : leakedPins(entry, leaked, leaves);
  const ends = leaves
    .filter((leaf) => !matchesPin(leaf, next.parsed))
    .map(({ validTo }) => validTo.getTime())
    .filter((end) => !Number.isNaN(end));
  const protocol = given.answers.find(({ answer }) => answer.found !== undefined)?.answer.found?.protocol;
  const started: Rotation = {
    ...{ target: entry.label, key: entry.key, id: entry.id, startedAt: now.toISOString() },
    protocol: protocol ?? entry.protocol ?? entry.target.protocol ?? 'tls',
    settleSeconds: given.settleSeconds,
    next: {
      ...{ pin: next.pin, source: next.source, file: next.file, key: next.key },
      ...{ validFrom: next.validFrom, validTo: next.validTo },
    },
    ...{ wasPinned: file.pins.includes(next.pin), old, leaked: leaked !== undefined, file, done: [] },
    oldEnds: ends.length === 0 ? undefined : new Date(Math.min(...ends)).toISOString(),
  };
  const because = `the pin is that of ${next.file}${next.key === undefined ? '; its private key was not compared' : '; its private key belongs to it'}`;
  return finish(started, { step: 'prepared', evidence: 'shown', because }, file, now);
}

/** Without a leak, every address must present a pinned certificate: something that nobody has pinned is not rotated. */
function refuseStart({ entry, next, answers, name, now }: Given, file: FilePins): NotBegun | undefined {
  const after = { ...file, pins: [...file.pins, next.pin] };
  const presented = judgePresented(entry, answers, { next: next.pin, after, now });
  const wrong = presented.find(({ reached, fits }) => reached && !fits);
  if (wrong !== undefined) {
    const answer = answers.find(({ address }) => address === wrong.address)?.answer;
    const { status, reason } = answer === undefined ? { status: '', reason: '' } : judgeAnswer(entry, answer, now);
    return {
      exit: 1,
      reason: `${wrong.address} is ${status}: ${reason}; a rotation begins where every address presents a pinned certificate`,
      hint: `certpin check --file FILE ${name} --all-addresses`,
    };
  }
  const unreached = presented.find(({ reached }) => !reached);
  if (unreached !== undefined || presented.length === 0) {
    const where = unreached === undefined ? '' : `${unreached.address}: ${unreached.reason}; `;
    return { exit: 2, reason: `${where}which pin is the old one, only the servers tell: every address has to answer` };
  }
  if (presented.every((one) => one.next)) {
    return {
      exit: 1,
      reason: 'every address presents the next certificate already: there is nothing to rotate',
      hint: `certpin trust ${name} --file FILE --from ${next.file} --replace`,
    };
  }
  const isByIssuer = answers.some(({ answer }) => {
    const { verdict } = judgeAnswer(entry, answer, now);
    return verdict?.ok === true && verdict.matched === 'issuer';
  });
  if (!isByIssuer) return undefined;
  return {
    exit: 1,
    reason: 'the certificates of this target are pinned by their issuer: a new one of the same CA needs no other pin',
    hint: `certpin trust ${name} --file FILE --from next-ca.pem --issuer --add`,
  };
}

function refuseLeaked({ entry, next, answers, name }: Given, file: FilePins, leaked: Pin): NotBegun | undefined {
  const spelled = formatPin(leaked);
  if (entry.policy.issuerPins.some((pin) => formatPin(pin) === spelled)) {
    return {
      exit: 1,
      reason: `${spelled} is the pin of an issuer: whatever it has signed is in question, and not one certificate`,
      hint: `certpin trust --revoke ${spelled} --file FILE ${name}`,
    };
  }
  if (!listsPin(entry.policy, leaked) && !file.revoked.includes(spelled)) {
    return { exit: 1, reason: `${spelled} is not a pin of this target; it has ${file.pins.join(', ')}` };
  }
  const keys = leavesOf(answers).filter((leaf) => matchesPin(leaf, leaked));
  const known = entry.policy.knownCertificates.filter((leaf) => matchesPin(leaf, leaked));
  const hasLeakedKey =
    isPinOfKey(leaked, next) || [...keys, ...known].some((certificate) => hasKey(certificate, next.publicKey));
  if (!hasLeakedKey && spelled !== next.pin) return undefined;
  return { exit: 1, reason: `${next.file} has the key that has leaked: make a new key, and a certificate of it` };
}

/** OpenSSL compares the keys: two certificates can hold one key in different bytes. */
function hasKey({ x509 }: Certificate, key: KeyObject): boolean {
  try {
    return x509.publicKey.equals(key);
  } catch {
    return false; // OpenSSL does not know this kind of key, so the next certificate does not have it.
  }
}

function leavesOf(answers: readonly AddressAnswer[]): readonly Certificate[] {
  return answers.flatMap(({ answer }) => answer.certificates.slice(0, 1));
}

/** What leaves at the end: the pins of what is presented now. Pins that nobody presents are backups, and stay. */
function presentedPins({ policy }: Entry, next: Next, leaves: readonly Certificate[]): string[] {
  const { certificate, publicKeySha256 } = next;
  const hashes = { certificateSha256: certificate?.certificateSha256, publicKeySha256 };
  const old = policy.pins.filter((pin) => leaves.some((leaf) => matchesPin(leaf, pin)) && !matchesPin(hashes, pin));
  return [...new Set(old.map((pin) => formatPin(pin)))];
}

/** Every pin under which the thief's certificate would still be accepted, also other pins of a certificate whose key has leaked. */
function leakedPins({ policy }: Entry, leaked: Pin, leaves: readonly Certificate[]): string[] {
  const stolen = [...leaves, ...policy.knownCertificates].filter((leaf) => matchesPin(leaf, leaked));
  const spelled = formatPin(leaked);
  const gone = policy.pins.filter((pin) => formatPin(pin) === spelled || stolen.some((leaf) => matchesPin(leaf, pin)));
  return [...new Set([spelled, ...gone.map((pin) => formatPin(pin))])];
}
