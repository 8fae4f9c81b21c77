import { type InlineHeader, isDigestLine, isLastLine, lastLine, readDigest, readFirstLine } from './header.ts';
import { removeIndentation } from './text.ts';

/** A block as it stands in a script. */
export interface FoundBlock extends Pick<InlineHeader, 'client' | 'version'> {
  /** The content of the header. undefined: it has none. */
  readonly sha256: string | undefined;
  /** The line of the script on which the block begins, from 1. */
  readonly line: number;
  /** Its lines without indentation, with the last one. If the last one is missing, up to the next block or the end. */
  readonly lines: readonly string[];
  /** Whether its last line is there, and names the same client and version. */
  readonly complete: boolean;
  /** Whether there is a last line at all. Without it, the end of the block is not known. */
  readonly ended: boolean;
}

/** Every block whose first line is in `lines`. */
export function findBlocks(lines: readonly string[]): FoundBlock[] {
  const starts = lines.flatMap((line, index) => (readFirstLine(line.trimStart()) === undefined ? [] : [index]));
  return starts.map((start, index) => {
    const { client, version } = readFirstLine((lines[start] ?? '').trimStart()) as Pick<
      InlineHeader,
      'client' | 'version'
    >;
    const most = removeIndentation(lines.slice(start, starts[index + 1]));
    const exact = most.indexOf(lastLine(client, version));
    const end = exact === -1 ? most.findIndex(isLastLine) : exact;
    const own = end === -1 ? most : most.slice(0, end + 1);
    const sha256 = readDigest(own.find(isDigestLine) ?? '');
    return { client, version, sha256, line: start + 1, lines: own, complete: exact !== -1, ended: end !== -1 };
  });
}
