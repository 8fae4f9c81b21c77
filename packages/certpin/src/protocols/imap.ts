import type { UpgradeProtocol } from './contract.ts';
import { beginsAs, createDialogue, LITERAL, type Turn } from './dialogue.ts';
import { refused } from './upgrade-errors.ts';

const name = 'imap';

/** IMAP's STARTTLS (RFC 9051 §6.2.1, RFC 3501 §6.2.1), after the server has said that it has it. */
export function createImapUpgrade(): UpgradeProtocol {
  return createDialogue({ name, title: 'IMAP', turns: [greeting, askCapabilities(), requestTls] });
}

const greeting: Turn = {
  begins: (cut) => beginsAs(cut, ['* OK', '* PREAUTH', '* BYE']),
  take: (line) => {
    checkBye(line);
    // RFC 9051 §11.1: TLS begins only before the login. An attacker who strips TLS greets like this.
    if (/^\* PREAUTH(?: |$)/i.test(line))
      throw refused(name, 'the IMAP server offers no TLS (its greeting says that the client is logged in)');
    return /^\* OK(?: |$)/i.test(line) ? 'last' : 'foreign';
  },
};

function askCapabilities(): Turn {
  let isOffered = false;
  const answer = readTagged('c1', 'CAPABILITY');
  return {
    ...answer,
    take: (line) => {
      isOffered ||= /^\* CAPABILITY(?: .*)? STARTTLS(?: |$)/i.test(line);
      const meaning = answer.take(line);
      if (meaning === 'last' && !isOffered)
        throw refused(name, 'the IMAP server offers no TLS (its capabilities lack STARTTLS)');
      return meaning;
    },
  };
}

const requestTls = readTagged('c2', 'STARTTLS');

/** The answer to a command: first untagged data, then the command's own line. */
function readTagged(tag: string, command: string): Turn {
  const own = `${tag.toUpperCase()} `;
  return {
    say: `${tag} ${command}`,
    begins: (cut) => beginsAs(cut, ['* ', own]),
    take: (line) => {
      checkBye(line);
      if (LITERAL.test(line)) return 'foreign';
      if (line.startsWith('* ')) return 'more';
      const status = /^(OK|NO|BAD)(?: |$)/i.exec(line.slice(own.length))?.[1]?.toUpperCase();
      if (status === undefined) return 'foreign';
      if (status === 'OK') return 'last';
      throw refused(name, `the IMAP server refuses TLS (it answered ${command} with ${status})`);
    },
  };
}

function checkBye(line: string): void {
  if (/^\* BYE(?: |$)/i.test(line)) throw refused(name, 'the IMAP server turns the client away (it said BYE)');
}
