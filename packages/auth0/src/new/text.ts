/** Lines, moved to the right; empty ones stay empty. */
export function indent(text: string, spaces = 2): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(spaces));
}

/** Parts of a script with a blank line between them. Ends with a line break. */
export function joinParts(parts: readonly string[]): string {
  return `${parts
    .map((part) => part.replace(/^\n+|\s+$/g, ''))
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

/** `// …` lines, no wider than the lines of the scripts. Lines that begin with a space are not joined with others. */
export function comment(paragraphs: readonly string[], width = 96): string {
  return paragraphs
    .flatMap((paragraph) => paragraph.split('\n'))
    .flatMap((line) => wrap(line, width - 3))
    .map((line) => (line === '' ? '//' : `// ${line}`))
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const [lead = ''] = /^ */.exec(text) ?? [];
  const lines = [lead];
  for (const word of text.trim().split(' ')) {
    const line = lines[lines.length - 1] ?? '';
    if (line.trim() !== '' && line.length + 1 + word.length > width) lines.push(`${lead}${word}`);
    else lines[lines.length - 1] = line.trim() === '' ? `${lead}${word}` : `${line} ${word}`;
  }
  return lines;
}

/** A string as these scripts write it. */
export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
