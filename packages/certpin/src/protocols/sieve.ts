import type { UpgradeProtocol } from './contract.ts';
import { beginsAs, createDialogue, LITERAL, type Turn } from './dialogue.ts';
import { refused } from './upgrade-errors.ts';

const name = 'sieve';

/** ManageSieve's STARTTLS (RFC 5804 §2.2): the server greets with what it offers, one capability a line, and OK. */
export function createSieveUpgrade(): UpgradeProtocol {
  return createDialogue({ name, title: 'ManageSieve', turns: [readGreeting(), requestTls] });
}

function readGreeting(): Turn {
  let isOffered = false;
  return {
    begins: (cut) => beginsAs(cut, ['"', 'OK', 'NO', 'BYE']),
    take: (line) => {
      // A literal is a text whose bytes are counted. It could contain lines that the server did not write.
      if (LITERAL.test(line)) return 'foreign';
      if (line.startsWith('"')) {
        isOffered ||= /^"STARTTLS" *$/i.test(line);
        return /^"[^"\\]+"(?: "(?:[^"\\]|\\.)*")? *$/.test(line) ? 'more' : 'foreign';
      }
      const status = readStatus(line);
      if (status === undefined) return 'foreign';
      if (status !== 'OK')
        throw refused(name, `the ManageSieve server turns the client away (it greeted with ${status})`);
      if (!isOffered) throw refused(name, 'the ManageSieve server offers no TLS (its capabilities lack STARTTLS)');
      return 'last';
    },
  };
}

const requestTls: Turn = {
  say: 'STARTTLS',
  begins: (cut) => beginsAs(cut, ['OK', 'NO', 'BYE']),
  take: (line) => {
    const status = LITERAL.test(line) ? undefined : readStatus(line);
    if (status === undefined) return 'foreign';
    if (status === 'OK') return 'last';
    throw refused(name, `the ManageSieve server refuses TLS (it answered STARTTLS with ${status})`);
  },
};

function readStatus(line: string): string | undefined {
  return /^(OK|NO|BYE)(?: |$)/i.exec(line)?.[1]?.toUpperCase();
}
