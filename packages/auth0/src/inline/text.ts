/** A text in the form for the digest: line ends and an indentation of the whole text make no difference. */

/** CRLF and CR become LF. A byte order mark is removed. */
export function normaliseLineEnds(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
}

/**
 * Removes the white space of the first line from every line. A line without it stays unchanged, and so makes another text. A line of only
 * white space counts as an empty one, because editors leave both.
 */
export function removeIndentation(lines: readonly string[]): string[] {
  const [indentation = ''] = /^[ \t]*/.exec(lines[0] ?? '') ?? [];
  return lines.map((line) => {
    if (line.trim() === '') return '';
    return line.startsWith(indentation) ? line.slice(indentation.length) : line;
  });
}
