import type { UpgradeProtocol } from './contract.ts';
import { beginsAs, createDialogue, type Turn } from './dialogue.ts';
import { refused } from './upgrade-errors.ts';

const name = 'irc';

/** A message (RFC 2812 §2.3.1, with IRCv3's tags). Numerics always have a sender (§2.4). These three words may come without one. */
const MESSAGE = /^(?:@[^ ]+ +)?(?::[^ ]+ +(?<sent>\d{3}|[A-Z]+)|(?<bare>NOTICE|PING|ERROR))(?<rest> .*)?$/i;

const refusals: Record<string, string> = {
  691: 'it cannot begin TLS',
  451: 'it demands a registration first',
};

/**
 * IRC's STARTTLS (IRCv3, "tls Extension"): the capability is `tls`, and the client may ask at once. Before the answer, the server may send
 * other messages, such as notices on looking up the client's address.
 */
export function createIrcUpgrade(): UpgradeProtocol {
  return createDialogue({ name, title: 'IRC', turns: [requestTls] });
}

const requestTls: Turn = {
  // Both at once: some servers do not answer CAP, and some answer no unknown command of a client that has not registered.
  say: 'CAP LS\r\nSTARTTLS',
  begins: (cut) => /^[@:](?! )/.test(cut) || beginsAs(cut, ['NOTICE ', 'PING ', 'ERROR ']),
  take: (line) => {
    const { sent, bare, rest = '' } = MESSAGE.exec(line)?.groups ?? {};
    const command = (sent ?? bare)?.toUpperCase();
    if (command === undefined) return 'foreign';
    const capabilities = command === 'CAP' && /^ +[^ ]+ +LS +:?(?!\*)(.*)$/i.exec(rest)?.[1]?.split(' ');
    if (capabilities && !capabilities.includes('tls'))
      throw refused(name, 'the IRC server offers no TLS (its capabilities lack tls)');
    if (command === 'ERROR' || command === '465')
      throw refused(name, `the IRC server turns the client away (it said ${command})`);
    const isUnknown = command === '421' && /^ +[^ ]+ +STARTTLS(?: |$)/i.test(rest);
    const refusal = isUnknown ? 'it does not know the command' : refusals[command];
    if (refusal !== undefined)
      throw refused(name, `the IRC server refuses TLS (it answered STARTTLS with ${command}: ${refusal})`);
    return command === '670' ? 'last' : 'more';
  },
};
