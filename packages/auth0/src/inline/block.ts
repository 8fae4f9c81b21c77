import { readFileSync } from 'node:fs';
import { isDigestLine, readDigest, readFirstLine } from './header.ts';

/** The clients with an inline block. `fetch` is Node's built-in one. */
export const inlineClients = [
  'https',
  'axios',
  'fetch',
  'pg',
  'mysql2',
  'mysql',
  'mariadb',
  'tedious',
  'mongodb',
  'ldapts',
] as const;
export type InlineClient = (typeof inlineClients)[number];

/** certpin for one client, as text that stands inside a script. */
export interface InlineBlock {
  readonly client: InlineClient;
  /** Of the library that it was made from. */
  readonly version: string;
  /** 64 hex digits, as in its header. */
  readonly sha256: string;
  /**
   * The block with its header. Each line ends with `\n`. It is the declaration `const certpin = …;`, which can be in the body of a function
   * or at the top of a module. All its lines may be indented by the same white space.
   */
  readonly text: string;
}

/**
 * The inline block for a client: `certpin.pinnedPg(…)` and so on, and `certpin.findCertpinError(…)`.
 *
 * ```ts
 * import { inlineBlock } from '@certpin/auth0';
 * const script = `function login(email, password, callback) {\n${inlineBlock('pg').text}\n…}`;
 * ```
 *
 * @throws TypeError for a client that has none
 */
export function inlineBlock(client: InlineClient): InlineBlock {
  if (!inlineClients.includes(client)) throw new TypeError(`the clients are ${inlineClients.join(', ')}`);
  // The same path from the sources and from the build.
  const text = readFileSync(new URL(`../../dist/inline/${client}.js`, import.meta.url), 'utf8');
  const lines = text.split('\n');
  const { version } = readFirstLine(lines[0] ?? '') ?? {};
  const sha256 = readDigest(lines.find(isDigestLine) ?? '');
  if (version === undefined || sha256 === undefined) throw new TypeError(`dist/inline/${client}.js is not a block`);
  return { client, version, sha256, text };
}
