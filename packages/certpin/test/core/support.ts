import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PinInput, parsePins } from '../../src/core/parse-pin.ts';
import type { Refused, Verdict } from '../../src/core/verdict.ts';
import { CertpinError } from '../../src/errors.ts';

/** Runs the openssl command, whose answers are the yardstick for our own. */
export function openssl(args: readonly string[], input?: string | Uint8Array): Buffer {
  return execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** Runs `use` with a folder of its own, and removes the folder. */
export function inFolder<Result>(use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-test-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The refusal of a pin that must not be read. */
export function pinRefusal(source: unknown): CertpinError<'ERR_PIN_INVALID'> {
  try {
    parsePins(source as PinInput);
  } catch (error) {
    assert.ok(error instanceof CertpinError, `not a CertpinError: ${error}`);
    assert.equal(error.code, 'ERR_PIN_INVALID');
    return error as CertpinError<'ERR_PIN_INVALID'>;
  }
  return assert.fail('it was read as a pin');
}

/** The verdict, which must be a refusal. */
export function refused(verdict: Verdict): Refused {
  if (verdict.ok) return assert.fail(`accepted, by the ${verdict.matched}`);
  return verdict;
}

/** What a verdict came to, in one word. */
export function outcome(verdict: Verdict): string {
  return verdict.ok ? verdict.matched : verdict.code;
}

/**
 * Runs `work`; fails where it keeps the processor busy for longer than `limitMs`. Quadratic work on big inputs takes many times that. What
 * else the machine does meanwhile is not counted.
 */
export function within<Result>(limitMs: number, work: () => Result): Result {
  const start = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  assert.ok(took < limitMs, `took ${took.toFixed(0)} ms, allowed are ${limitMs} ms`);
  return result;
}

/** One DER element. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content]);
}

/**
 * The same certificate, signed anew, with a body in BER of indefinite length. OpenSSL takes it, in a handshake too, and
 * DER does not know it: an attacker can present one.
 */
export function inIndefiniteLength(certificate: X509Certificate, signingKey: KeyObject): X509Certificate {
  const { raw } = certificate;
  // RFC 5280 §4.1: Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
  const [body, algorithm] = children(children(raw)[0] as Uint8Array, true);
  const [tbsContent] = children(body as Uint8Array);
  const tbs = Buffer.concat([Buffer.of(0x30, 0x80), tbsContent as Uint8Array, Buffer.of(0, 0)]);
  const signature = der(0x03, Buffer.of(0), sign('sha256', tbs, signingKey));
  return new X509Certificate(der(0x30, tbs, algorithm as Uint8Array, signature));
}

/**
 * The certificate with one element of another form, and the lengths around it mended. Its signature is the old one.
 *
 * @param change of the certificate in hex digits
 */
export function changed(raw: Uint8Array, change: (hex: string) => string): Buffer {
  const before = Buffer.from(raw).toString('hex');
  const after = change(before);
  const added = (after.length - before.length) / 2;
  if (after === before) throw new Error('nothing was changed');
  let start = 0;
  while (before[start] === after[start]) start++;
  return mended(Buffer.from(after, 'hex'), Buffer.from(raw), Math.floor(start / 2), added);
}

/** Every element of `old` that begins before `place` and ends behind it becomes longer by `added`. */
function mended(bytes: Buffer, old: Buffer, place: number, added: number): Buffer {
  for (let offset = 0; offset < place; ) {
    const first = old[offset + 1] as number;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthBytes === 0 ? first : old.readUIntBE(offset + 2, lengthBytes);
    const start = offset + 2 + lengthBytes;
    if (place >= start + length) {
      offset = start + length;
      continue;
    }
    if (lengthBytes === 0) bytes[offset + 1] = length + added;
    else bytes.writeUIntBE(length + added, offset + 2, lengthBytes);
    offset = start;
  }
  return bytes;
}

/** The same certificate with another key, of any length. Its signature is the old one. */
export function withKey(certificate: X509Certificate, spki: Uint8Array): Buffer {
  const [body, ...signature] = children(children(certificate.raw)[0] as Uint8Array, true);
  const own = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const fields = children(children(body as Uint8Array)[0] as Uint8Array, true);
  return der(0x30, der(0x30, ...fields.map((field) => (own.equals(field) ? spki : field))), ...signature);
}

/** The contents of the elements in `bytes`, or the elements whole. */
function children(bytes: Uint8Array, whole = false): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const first = bytes[start + 1] as number;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const header = 2 + lengthBytes;
    const length =
      lengthBytes === 0 ? first : Buffer.from(bytes.buffer, bytes.byteOffset + start + 2).readUIntBE(0, lengthBytes);
    found.push(bytes.subarray(whole ? start : start + header, start + header + length));
    start += header + length;
  }
  return found;
}
