/** A text as the digest knows it: the same whatever the line ends and however far the whole of it is indented. */

/** CRLF and CR become LF; a byte order mark goes. */
export function normaliseLineEnds(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
}

/**
 * Takes the white space before the first line from every line. A line without it stays as it is, and is thereby another text; a line
 * of white space alone counts as an empty one: editors leave both.
 */
export function removeIndentation(lines: readonly string[]): string[] {
  const [indentation = ''] = /^[ \t]*/.exec(lines[0] ?? '') ?? [];
  return lines.map((line) => {
    if (line.trim() === '') return '';
    return line.startsWith(indentation) ? line.slice(indentation.length) : line;
  });
}
