import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { DAY, days, type Entry, findRevoked, type NextCertificate, plainWords } from '@certpin/pins-file';
import { type Certificate, formatPin, type Pin, parsePin, verify } from 'certpin';
import { OWN_FILE, severalLeaves } from '../answers/leaves.ts';
import { showPath } from '../command-line/target.ts';
import { failureOf } from '../failure.ts';
import type { FileContents } from '../files/contents.ts';
import { FileError } from '../files/file-error.ts';
import type { FileReader } from '../files/file-reader.ts';
import { publicKeyPin } from '../forms/public-key-pin.ts';
import { quote } from '../io.ts';

/** The next certificate, with what its file says. */
export interface Next extends NextCertificate {
  readonly parsed: Pin;
  readonly certificate: Certificate | undefined;
  readonly publicKey: KeyObject;
  /**
   * SHA-256 of the SubjectPublicKeyInfo, 64 upper-case hex digits. One key can be written in several ways. So this distinguishes pins, not
   * keys.
   */
  readonly publicKeySha256: string;
}

/** The next certificate cannot be used. */
export class UnusableNext extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

interface Asked {
  readonly next: string;
  readonly key: string | undefined;
  readonly publicKey: boolean;
  readonly anyName: boolean;
}

/**
 * Reads the next certificate from its file, and never from a server, because anybody may answer there.
 *
 * @throws UnusableNext; FileError
 */
export async function readNext(entry: Entry, asked: Asked, files: FileReader, now: Date): Promise<Next> {
  const contents = await read(asked.next, '--next', files);
  const several = severalLeaves(contents.leaves);
  if (several !== undefined) throw new FileError(`${asked.next}: ${several}: ${OWN_FILE}`);
  const [certificate] = contents.certificates ?? [];
  if (certificate !== undefined) checkValidity(certificate, now);
  const next = certificate === undefined ? ofKey(contents, asked) : ofCertificate(certificate, asked);
  if (asked.key !== undefined) await compareKey(next, asked.key, files);
  if (certificate !== undefined) {
    checkName(entry, certificate, asked);
    if (findRevoked(entry, [certificate]) !== undefined) throw revoked(asked.next);
  }
  if (entry.revoked.some(({ pin }) => pin.kind === next.parsed.kind && pin.sha256 === next.parsed.sha256)) {
    throw revoked(asked.next);
  }
  return { ...next, key: asked.key };
}

function revoked(file: string): UnusableNext {
  return new UnusableNext(
    `${file}: its pin is revoked in the pins file and never counts again; make a new certificate`,
  );
}

async function read(path: string, option: string, files: FileReader): Promise<FileContents> {
  try {
    return await files.read({ protocol: 'file', label: path, path: path === '-' ? path : resolve(path) });
  } catch (error) {
    const failure = failureOf(error);
    throw new FileError(
      `${showPath(path, option)}: ${plainWords(failure)}`,
      failure.code === 'ENOENT' && option === '--next'
        ? 'the next certificate is read from a file, and never from a server: --next next.crt'
        : failure.hint?.replaceAll('FILE', () => quote(path)),
    );
  }
}

function ofCertificate(certificate: Certificate, { next, publicKey }: Asked): Next {
  const parsed = publicKey ? publicKeyPin(certificate) : parsePin(certificate.certificateSha256);
  return {
    ...{ pin: formatPin(parsed), parsed, source: 'certificate', file: next, certificate },
    ...{ validFrom: certificate.validFrom.toISOString(), validTo: certificate.validTo.toISOString() },
    ...readKeyOf(certificate, next),
  };
}

function readKeyOf({ x509 }: Certificate, file: string): Pick<Next, 'publicKey' | 'publicKeySha256'> {
  try {
    const { publicKey } = x509;
    return { publicKey, publicKeySha256: hashOf(publicKey) };
  } catch {
    throw new UnusableNext(`${file}: its key is of a kind that Node.js does not know`);
  }
}

function hashOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .toUpperCase();
}

/**
 * Whether the pin is of this key: as it is written, or as such a key is usually written. OpenSSL keeps the form that it has read, such as a
 * compressed point.
 */
export function isPinOfKey({ kind, sha256 }: Pin, { publicKey, publicKeySha256 }: Next): boolean {
  if (kind !== 'public-key') return false;
  if (sha256 === publicKeySha256) return true;
  try {
    return sha256 === hashOf(createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' }));
  } catch {
    return false; // This kind of key has no JWK.
  }
}

function ofKey({ key }: FileContents, { next }: Asked): Next {
  if (key === undefined) throw new FileError(`${next}: there is no certificate in it`);
  return {
    ...{ pin: key.pin, parsed: parsePin(key.pin), source: key.source, file: next, certificate: undefined },
    ...{ publicKey: key.publicKey, publicKeySha256: key.sha256 },
  };
}

/** A server refuses a certificate with another key, or keeps the old one and reports that only in its log. */
async function compareKey(next: Next, path: string, files: FileReader): Promise<void> {
  const { key } = await read(path, '--key', files);
  if (key?.source !== 'private key') throw new FileError(`${showPath(path, '--key')}: there is no private key in it`);
  if (key.publicKey.equals(next.publicKey)) return;
  throw new UnusableNext(
    `${path}: it is not the key of ${next.file}: the server would not load the two together`,
    `certpin get ${quote(path)} ${quote(next.file)}`,
  );
}

function checkValidity(certificate: Certificate, now: Date): void {
  const left = certificate.validTo.getTime() - now.getTime();
  if (Number.isNaN(left) || Number.isNaN(certificate.validFrom.getTime())) {
    throw new UnusableNext('the time for which the next certificate is valid cannot be read');
  }
  if (left > 0) return;
  const day = certificate.validTo.toISOString().slice(0, 10);
  throw new UnusableNext(
    `the next certificate has expired on ${day}, ${days(Math.max(-left, DAY))} ago`,
    'ask whoever made it for a new one',
  );
}

/** A certificate can have thousands of names. This many characters show whose it is. */
const MOST_OF_NAMES = 200;

function checkName({ policy, servername, target, label }: Entry, certificate: Certificate, { anyName }: Asked): void {
  const host = servername ?? ('host' in target ? target.host : undefined);
  const rule = { pins: certificate.certificateSha256, expired: 'accept', hostnameVerification: 'require' } as const;
  // Before its validity begins, it is treated as valid: whether it names the server does not depend on the day.
  const during = new Date(certificate.validFrom.getTime() + 1000);
  const verdict = verify({ certificates: [certificate], host }, rule, during);
  if (verdict.ok) return;
  const isDemanded = policy.hostnameVerification === 'require';
  if (anyName && !isDemanded) return;
  const names = (certificate.x509.subjectAltName ?? '').slice(0, MOST_OF_NAMES);
  throw new UnusableNext(
    `the next certificate does not name ${label}${names === '' ? `: ${verdict.reason}` : `; it names ${names}`}`,
    isDemanded
      ? undefined
      : 'is it for another server? If it is for this one, add --any-name: a pin does not check the name',
  );
}
