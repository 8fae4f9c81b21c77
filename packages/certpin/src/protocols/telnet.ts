import type { UpgradeProtocol, UpgradeStep } from './contract.ts';
import { injected, refused, unexpected } from './upgrade-errors.ts';

const name = 'telnet';

// RFC 854, and draft-altman-telnet-starttls-02 for the option.
const [IAC, DONT, DO, WONT, WILL, SB, SE, NOP] = [255, 254, 253, 252, 251, 250, 240, 241] as const;
const START_TLS = 46;
const FOLLOWS = 1;

/** Longest negotiation, in bytes: a server has some forty options, at three bytes each. */
const MAX_NEGOTIATION_BYTES = 1_024;

const OFFER = Uint8Array.of(IAC, WILL, START_TLS);
const TLS_FOLLOWS = Uint8Array.of(IAC, SB, START_TLS, FOLLOWS, IAC, SE);

/**
 * Telnet's START_TLS option: the client offers it, the server asks for it, and each says that TLS follows. TLS begins after what the server
 * said. Other options get no answer: after the handshake, all options are negotiated again.
 */
export function createTelnetUpgrade(): UpgradeProtocol {
  let cut = Buffer.alloc(0);
  let taken = 0;
  let isAgreed = false;
  let ended = false;

  // @returns whether it is the consent
  const take = (command: Uint8Array): boolean => {
    const [, verb, option] = command;
    if (option !== START_TLS) return false;
    if (verb === DONT || verb === WONT)
      throw refused(name, 'the Telnet server offers no TLS (it declined the option START_TLS)');
    if (verb === WILL)
      throw unexpected(name, 'the server wants to be the client of START_TLS, which Telnet does not know');
    if (verb === DO) {
      isAgreed = true;
      return false;
    }
    if (isAgreed && Buffer.compare(command, TLS_FOLLOWS) === 0) return true;
    throw unexpected(name, 'the server answered START_TLS with something that Telnet does not say');
  };

  const receive = (bytes: Uint8Array): UpgradeStep => {
    if (bytes.length === 0) return { next: 'wait' };
    if (ended) throw injected(name, bytes.length);
    const wasAgreed = isAgreed;
    cut = Buffer.concat([cut, bytes]);
    for (let length = commandLength(cut); length !== undefined; length = commandLength(cut)) {
      const isConsent = take(cut.subarray(0, length));
      cut = cut.subarray(length);
      taken += length;
      if (!isConsent) continue;
      if (cut.length > 0) throw injected(name, cut.length);
      ended = true;
      return wasAgreed ? { next: 'tls' } : { next: 'tls', bytes: TLS_FOLLOWS };
    }
    if (taken + cut.length > MAX_NEGOTIATION_BYTES)
      throw unexpected(name, `the Telnet server negotiates for more than ${MAX_NEGOTIATION_BYTES} bytes without TLS`);
    return isAgreed && !wasAgreed ? { next: 'send', bytes: TLS_FOLLOWS } : { next: 'wait' };
  };
  return { name, opening: OFFER, receive };
}

/**
 * The length of the command that stands first. undefined: it is not complete.
 *
 * @throws CertpinError `ERR_UPGRADE_UNEXPECTED` for anything except a command: text must come after TLS
 */
function commandLength(bytes: Uint8Array): number | undefined {
  const [first, verb] = bytes;
  if (first === undefined) return undefined;
  if (first !== IAC) throw unexpected(name, 'the server sent text in place of the option START_TLS');
  if (verb === undefined) return undefined;
  if (verb >= WILL && verb <= DONT) return bytes.length < 3 ? undefined : 3;
  if (verb >= NOP && verb < SB) return 2;
  if (verb !== SB) throw unexpected(name, 'the server sent something that Telnet does not negotiate with');
  return subnegotiationLength(bytes);
}

/** RFC 855: it ends with IAC SE, and IAC IAC inside it means the byte itself. */
function subnegotiationLength(bytes: Uint8Array): number | undefined {
  for (let at = 2; at + 1 < bytes.length; at++) {
    if (bytes[at] !== IAC) continue;
    if (bytes[at + 1] === SE) return at + 2;
    if (bytes[at + 1] !== IAC) throw unexpected(name, 'the server sent something that Telnet does not negotiate with');
    at++;
  }
  return undefined;
}
