/** A PEM block in a text. */
export interface PemText {
  readonly label: string;
  /** The block with its first and last line. */
  readonly text: string;
  /** The text between the two lines. undefined: the block has no end, or the end of another one. */
  readonly body: string | undefined;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';
const LABEL = /^[\w #.-]{1,60}$/;

/**
 * The PEM blocks of a text. Everything around them is ignored (RFC 7468 §2, §5.2). As in OpenSSL, a boundary is a line of its own, with
 * only white space around it. So a block in a comment does not count, and neither does a sentence that names a boundary.
 */
export function findPem(given: string): PemText[] {
  const text = given.replace(/\r\n?/g, '\n');
  const blocks: PemText[] = [];
  let open: { readonly label: string; readonly start: number; readonly body: number } | undefined;
  const close = (end: number, body: string | undefined): void => {
    if (open !== undefined) blocks.push({ label: open.label, text: text.slice(open.start, end).trimEnd(), body });
    open = undefined;
  };
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start) + 1 || text.length;
    const line = text.slice(start, end).trim();
    const label = labelIn(line, BEGIN);
    if (label !== undefined) {
      close(start, undefined);
      open = { label, start, body: end };
    } else if (open !== undefined && line.startsWith(END)) {
      close(end, labelIn(line, END) === open.label ? text.slice(open.body, start) : undefined);
    }
    start = end;
  }
  close(text.length, undefined);
  return blocks;
}

/** A line that is a boundary and nothing else. */
function labelIn(line: string, boundary: string): string | undefined {
  if (!line.startsWith(boundary) || !line.endsWith(DASHES)) return undefined;
  const label = line.slice(boundary.length, -DASHES.length);
  return LABEL.test(label) && !label.includes(DASHES) ? label : undefined;
}
