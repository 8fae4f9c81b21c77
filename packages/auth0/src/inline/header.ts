import { createHash } from 'node:crypto';

/** What the header of a block says. */
export interface InlineHeader {
  readonly version: string;
  readonly client: string;
  readonly sha256: string;
}

const FIRST = /^\/\/ certpin (\S+) for (\S+), inline$/;
const DIGEST = /^\/\/ SHA-256 of this block without this line: ([0-9a-f]{64})$/;

/** The first line of a block. */
export function firstLine(client: string, version: string): string {
  return `// certpin ${version} for ${client}, inline`;
}

/** The line that says the digest; it alone is not part of what is hashed. */
export function digestLine(sha256: string): string {
  return `// SHA-256 of this block without this line: ${sha256}`;
}

/** The last line of a block. */
export function lastLine(client: string, version: string): string {
  return `// end of certpin ${version} for ${client}`;
}

/** @throws TypeError where the text does not begin as a block does, or names no digest */
export function readHeader(text: string): InlineHeader {
  const lines = text.split('\n');
  const [, version, client] = FIRST.exec(lines[0] ?? '') ?? [];
  const [, sha256] = lines.map((line) => DIGEST.exec(line)).find((match) => match !== null) ?? [];
  if (version === undefined || client === undefined || sha256 === undefined)
    throw new TypeError('this is no block of certpin');
  return { version, client, sha256 };
}

/** The digest of a block: over its text in UTF-8, without the line that says the digest. `text` has `\n` only and no indentation. */
export function digestOf(text: string): string {
  const hashed = text.split('\n').filter((line) => !DIGEST.test(line));
  return createHash('sha256').update(hashed.join('\n')).digest('hex');
}
