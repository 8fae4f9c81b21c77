import { type InlineHeader, isDigestLine, isLastLine, lastLine, readDigest, readFirstLine } from './header.ts';
import { removeIndentation } from './text.ts';

/** A block as it stands in a script. */
export interface FoundBlock extends Pick<InlineHeader, 'client' | 'version'> {
  /** What the header says; undefined where it says none. */
  readonly sha256: string | undefined;
  /** Of the first line of the block in the script, from 1. */
  readonly line: number;
  /** Its lines without indentation, the last one included; up to the next block or the end where that is missing. */
  readonly lines: readonly string[];
  /** Whether its last line is there, and names the same client and version. */
  readonly complete: boolean;
  /** Whether there is a last line at all: else nobody can tell where the script goes on. */
  readonly ended: boolean;
}

/** Every block whose first line stands in `lines`. */
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
