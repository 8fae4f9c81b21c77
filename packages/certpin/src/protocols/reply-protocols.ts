import type { UpgradeProtocol } from './contract.ts';
import { beginsAs, createDialogue, type Turn } from './dialogue.ts';
import { refused, unexpected } from './upgrade-errors.ts';

// Protocols in which every answer begins with a status: three digits in SMTP, LMTP, FTP and NNTP, a word in POP3.

/**
 * The client's name, which SMTP demands. RFC 5321 §4.1.4 asks a client without a name for its address. That is often a private one, and
 * everybody on the way reads it. Senders of spam say 127.0.0.1. A name under `invalid` is well-formed and belongs to nobody (RFC 6761
 * §6.4).
 */
const CLIENT_NAME = 'certpin.invalid';

interface ReplyProtocol {
  /** As in messages. */
  readonly title: string;
  readonly grammar: Grammar;
  /** The first one is the greeting, the last one the request for TLS. */
  readonly turns: readonly [Exchange, ...Exchange[]];
}

interface Exchange {
  readonly say?: string;
  /** The statuses after which the conversation goes on. */
  readonly wanted: readonly string[];
  /** The line that the answer must contain (without its status), or TLS is not offered. */
  readonly offer?: string;
}

interface Grammar {
  /** A line, or the part of it that has come. */
  readonly begins: (cut: string) => boolean;
  /** The status of a whole line, and `-` if more lines follow. */
  readonly line: RegExp;
  /** RFC 959 §4.2: the lines between the first and the last one may contain anything. */
  readonly freeLines?: boolean;
}

const digits: Grammar = {
  begins: (cut) => /^(?:[1-5](?:\d(?:\d(?:[ -].*)?)?)?)?$/s.test(cut),
  line: /^([1-5]\d\d)(?:(-)| |$)/,
};

const word: Grammar = {
  begins: (cut) => beginsAs(cut, ['+OK', '-ERR']),
  line: /^(\+OK|-ERR)(?: |$)/i,
};

const mail = (title: string, hello: string): ReplyProtocol => ({
  title,
  grammar: digits,
  turns: [
    { wanted: ['220'] },
    { say: `${hello} ${CLIENT_NAME}`, wanted: ['250'], offer: 'STARTTLS' },
    { say: 'STARTTLS', wanted: ['220'] },
  ],
});

type ReplyName = 'smtp' | 'lmtp' | 'pop3' | 'ftp' | 'nntp';

const protocols: Readonly<Record<ReplyName, ReplyProtocol>> = {
  /** RFC 3207. */
  smtp: mail('SMTP', 'EHLO'),
  /** RFC 2033: SMTP with another hello. */
  lmtp: mail('LMTP', 'LHLO'),
  /** RFC 2595 §4. */
  pop3: { title: 'POP3', grammar: word, turns: [{ wanted: ['+OK'] }, { say: 'STLS', wanted: ['+OK'] }] },
  /** RFC 4217 §4. 334, the other consent in RFC 2228, is for mechanisms that need more messages. */
  ftp: {
    title: 'FTP',
    grammar: { ...digits, freeLines: true },
    turns: [{ wanted: ['220'] }, { say: 'AUTH TLS', wanted: ['234'] }],
  },
  /** RFC 4642 §2.2. For TLS it does not matter whether posting is allowed (200) or not (201). */
  nntp: {
    title: 'NNTP',
    grammar: { begins: (cut) => digits.begins(cut) && cut[3] !== '-', line: /^([1-5]\d\d)(?: |$)/ },
    turns: [{ wanted: ['200', '201'] }, { say: 'STARTTLS', wanted: ['382'] }],
  },
};

/** The meaning of a refusal of TLS, if it is known. */
const meanings: Record<string, string> = {
  421: 'it is about to close the connection',
  454: 'TLS is not available for now',
  500: 'it does not know the command',
  501: 'it does not accept the command in this form',
  502: 'it does not offer the command',
  503: 'it does not accept the command at this point',
  504: 'it has no TLS',
  530: 'it demands a login first',
  534: 'its policy has no TLS',
  580: 'it cannot begin TLS',
};

/** The upgrade of one of the protocols in the table. */
export function createReplyUpgrade(name: ReplyName): UpgradeProtocol {
  const { title, grammar, turns } = protocols[name];
  const [greeting, ...others] = turns;
  const take = (exchange: Exchange): Turn => readReply(name, title, grammar, exchange, exchange === turns.at(-1));
  return createDialogue({ name, title, turns: [take(greeting), ...others.map(take)] });
}

function readReply(name: string, title: string, grammar: Grammar, exchange: Exchange, isRequest: boolean): Turn {
  const { say, wanted, offer } = exchange;
  const command = say?.replace(` ${CLIENT_NAME}`, '');
  const saying = command === undefined ? 'greeted' : `answered ${command}`;
  let first: string | undefined;
  let isOffered = offer === undefined;

  // Checks the status that belongs to the whole answer.
  const checkStatus = (status: string): void => {
    if (wanted.includes(status)) return;
    if (!/^[45-]/.test(status))
      throw unexpected(name, `the server ${saying} with ${status}, where ${title} says ${wanted.join(' or ')}`);
    const meaning = meanings[status];
    const refusal = isRequest ? 'refuses TLS' : 'turns the client away';
    const why = meaning === undefined || command === undefined ? '' : `: ${meaning}`;
    throw refused(name, `the ${title} server ${refusal} (it ${saying} with ${status}${why})`);
  };

  return {
    say,
    begins: (cut) => (first !== undefined && grammar.freeLines) || grammar.begins(cut),
    take: (line) => {
      const [, status, more] = grammar.line.exec(line) ?? [];
      if (first === undefined) {
        if (status === undefined) return 'foreign';
        checkStatus(status.toUpperCase());
        first = status;
      } else if (status !== first) return grammar.freeLines ? 'more' : 'foreign';
      isOffered ||=
        line
          .slice(first.length + 1)
          .trimEnd()
          .toUpperCase() === offer;
      if (more !== undefined) return 'more';
      if (isOffered) return 'last';
      throw refused(name, `the ${title} server offers no TLS (its answer to ${command} lacks ${offer})`);
    },
  };
}
