import { readFileSync } from 'node:fs';
import { readHeader } from './header.ts';

/** The clients that have an inline block. `fetch` is the one that is part of Node. */
export type InlineClient = 'https' | 'axios' | 'fetch' | 'pg' | 'mysql2' | 'mysql' | 'mariadb';

/** certpin for one client, as text that stands inside a script. */
export interface InlineBlock {
  readonly client: InlineClient;
  /** Of the library that it was made from. */
  readonly version: string;
  /** 64 hex digits, as its header says them. */
  readonly sha256: string;
  /**
   * The block with its header, `\n` between the lines and at the end: the declaration `const certpin = …;`, which can stand in the
   * body of a function or at the top of a module. Each line may be indented by the same white space.
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
 */
export function inlineBlock(client: InlineClient): InlineBlock {
  // The same place from the sources and from the build.
  const text = readFileSync(new URL(`../../dist/inline/${client}.js`, import.meta.url), 'utf8');
  const { version, sha256 } = readHeader(text);
  return { client, version, sha256, text };
}
