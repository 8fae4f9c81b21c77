import { createHash } from 'node:crypto';

/** What the header of a block says. */
export interface InlineHeader {
  readonly client: string;
  readonly version: string;
  readonly sha256: string;
}

const FIRST = /^\/\/ certpin (\S+) for (\S+), inline$/;
const LAST = /^\/\/ end of certpin \S+ for \S+$/;
const DIGEST = /^\/\/ SHA-256 of this block without this line: ([0-9a-f]{64})$/;

/** The first line of a block. */
export function firstLine(client: string, version: string): string {
  return `// certpin ${version} for ${client}, inline`;
}

/** The line with the digest. Only this line is not part of what is hashed. */
export function digestLine(sha256: string): string {
  return `// SHA-256 of this block without this line: ${sha256}`;
}

/** The last line of a block. */
export function lastLine(client: string, version: string): string {
  return `// end of certpin ${version} for ${client}`;
}

/** undefined: `line` is not the first one of a block. */
export function readFirstLine(line: string): Pick<InlineHeader, 'client' | 'version'> | undefined {
  const [, version, client] = FIRST.exec(line) ?? [];
  return version === undefined || client === undefined ? undefined : { client, version };
}

/** Whether `line` is the last one of a block, whatever client and version it names. */
export function isLastLine(line: string): boolean {
  return LAST.test(line);
}

/** undefined: `line` has no digest. */
export function readDigest(line: string): string | undefined {
  return DIGEST.exec(line)?.[1];
}

export function isDigestLine(line: string): boolean {
  return DIGEST.test(line);
}

/** The digest of a block: of its lines in UTF-8, each followed by `\n`, without the line with the digest. */
export function digestOf(lines: readonly string[]): string {
  const hashed = lines.filter((line) => !isDigestLine(line)).map((line) => `${line}\n`);
  return createHash('sha256').update(hashed.join('')).digest('hex');
}
