import type { UpgradeProtocol, UpgradeStep } from './contract.ts';
import { injected, unexpected } from './upgrade-errors.ts';

/** Longest line of a server, in bytes without its end. RFC 5321 §4.5.3.1.5 allows an eighth of it; IMAP lists are longer. */
const MAX_LINE_BYTES = 4_096;

/** Longest answer, in bytes: as much as Node takes for the head of an HTTP response. */
const MAX_ANSWER_BYTES = 16_384;

/** Most lines of one answer. FTP servers greet with whole pages. */
const MAX_ANSWER_LINES = 200;

/** One question and its answer, in a protocol of lines. It keeps the state of its answer, so it serves one connection. */
export interface Turn {
  /** What the client says, without the end of the line. undefined: the server greets. */
  readonly say?: string | undefined;
  /** Whether a line of this answer may begin like this. Called with every piece of an unfinished line. */
  readonly begins: (cut: string) => boolean;
  /**
   * Takes a whole line, without its end.
   *
   * @returns whether more lines of the answer follow; `foreign`: the line is not of the protocol
   * @throws CertpinError `ERR_UPGRADE_REFUSED`, `ERR_UPGRADE_UNEXPECTED` for another answer than the wanted one
   */
  readonly take: (line: string) => LineMeaning;
}

type LineMeaning = 'more' | 'last' | 'foreign';

export interface Dialogue {
  /** As in errors. */
  readonly name: string;
  /** As in messages: `SMTP`. */
  readonly title: string;
  /** The last answer is the consent to TLS. */
  readonly turns: readonly [Turn, ...Turn[]];
}

/**
 * A conversation in lines. Each question gets its answer, and TLS begins after the last line of the last answer. Only the unfinished line
 * is kept.
 */
export function createDialogue({ name, title, turns }: Dialogue): UpgradeProtocol {
  const queue = [...turns];
  let cut = '';
  let answerBytes = 0;
  let answerLines = 0;

  // Looks at a line as soon as a piece of it has come.
  const check = (turn: Turn, line: string): void => {
    if (/[\0\r\n]/.test(line) || !turn.begins(line)) throw foreign(turn);
    if (line.length > MAX_LINE_BYTES) throw tooLong(`a line of more than ${MAX_LINE_BYTES} bytes`);
    if (answerBytes + line.length > MAX_ANSWER_BYTES) throw tooLong(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
  };
  const foreign = ({ say }: Turn) =>
    unexpected(
      name,
      say === turns[0].say
        ? `the server did not greet as ${title} does`
        : `the server answered ${say} with something that ${title} does not say`,
    );
  const tooLong = (what: string) => unexpected(name, `the ${title} server sent ${what}`);

  // After the last line of an answer.
  const advance = (): UpgradeStep => {
    queue.shift();
    answerBytes = 0;
    answerLines = 0;
    const [next] = queue;
    if (next === undefined) {
      // A TLS server never speaks first.
      if (cut !== '') throw injected(name, cut.length);
      return { next: 'tls' };
    }
    // The server cannot know the question yet, so these bytes are not its answer.
    if (cut !== '') throw unexpected(name, `the ${title} server spoke on before it was asked`);
    return { next: 'send', bytes: toLine(next.say ?? '') };
  };

  const receive = (bytes: Uint8Array): UpgradeStep => {
    if (bytes.length === 0) return { next: 'wait' };
    const [turn] = queue;
    if (turn === undefined) throw injected(name, bytes.length);
    cut += Buffer.from(bytes).toString('latin1');
    for (let end = cut.indexOf('\n'); end !== -1; end = cut.indexOf('\n')) {
      // RFC 5321 §2.3.8: only CR LF ends a line. A reader that accepts a bare LF sees other lines than the server wrote.
      if (cut[end - 1] !== '\r') throw foreign(turn);
      const line = cut.slice(0, end - 1);
      cut = cut.slice(end + 1);
      check(turn, line);
      answerBytes += line.length + 2;
      if (++answerLines > MAX_ANSWER_LINES) throw tooLong(`an answer of more than ${MAX_ANSWER_LINES} lines`);
      const meaning = turn.take(line);
      if (meaning === 'foreign') throw foreign(turn);
      if (meaning === 'last') return advance();
    }
    check(turn, cut.replace(/\r$/, ''));
    return { next: 'wait' };
  };
  const { say } = turns[0];
  return { name, opening: say === undefined ? undefined : toLine(say), receive };
}

/** Whether `cut`, shorter or longer, begins like one of these upper-case words. Its letters may be lower-case. */
export function beginsAs(cut: string, words: readonly string[]): boolean {
  return words.some((word) => word.startsWith(cut.slice(0, word.length).toUpperCase()));
}

function toLine(text: string): Uint8Array {
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** In IMAP and ManageSieve, a counted text begins after such a line end. It is refused, because it could contain lines. */
export const LITERAL: RegExp = /\{\d+\+?\} *$/;
