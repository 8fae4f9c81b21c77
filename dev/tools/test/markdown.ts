/** A fenced block, with what stands before its fence, its info string and its text. */
export const FENCED: RegExp = /^([ \t>]*)(`{3,}|~{3,})([^\n]*)\n([\s\S]*?)(?:^[ \t>]*\2[`~]*[ \t]*$|$(?![\s\S]))/gm;

export interface CodeBlock {
  readonly language: string;
  /**
   * The second word after the fence: the name of a file, which the test of the guides writes and runs. Empty: it is not a complete program.
   */
  readonly name: string;
  readonly code: string;
  /** The line of the page on which the code begins, from 1. */
  readonly line: number;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(FENCED)].map(({ index = 0, 3: info = '', 4: code = '' }) => ({
    language: info.trim().split(/[\s{]/)[0] ?? '',
    name: info.trim().split(/\s+/)[1] ?? '',
    code,
    line: markdown.slice(0, index).split('\n').length + 1,
  }));
}
