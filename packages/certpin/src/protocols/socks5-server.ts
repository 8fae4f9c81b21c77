import { createHash, timingSafeEqual } from 'node:crypto';
import { canonicalHost } from '../host.ts';

const VERSION = 5;
/** Of the login (RFC 1929 §2). */
const LOGIN_VERSION = 1;
const LOGIN = 2;
const NOTHING_ACCEPTABLE = 0xff;
const CONNECT = 1;

/** Replies of RFC 1928 §6. */
export const socksReplies = {
  done: 0,
  failed: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  expired: 6,
  commandUnknown: 7,
  addressUnknown: 8,
} as const;

export type SocksReply = (typeof socksReplies)[keyof typeof socksReplies];

/** What to do after bytes of a caller. */
export type SocksStep =
  /** More bytes must come. */
  | { readonly next: 'wait'; readonly bytes?: Uint8Array }
  /** The caller gets these last bytes. */
  | { readonly next: 'close'; readonly bytes: Uint8Array }
  /** The caller has shown the secret, and names a server. `rest` came already, and is for that server. */
  | { readonly next: 'open'; readonly host: string; readonly port: number; readonly rest: Uint8Array };

/** The login of an end. User name and password are both secret. */
export interface SocksLogin {
  readonly user: string;
  readonly password: string;
}

/**
 * The server's side of SOCKS version 5 (RFC 1928), for CONNECT alone and only for callers that know the login (RFC 1929). A caller without
 * the login learns only that it is refused.
 *
 * @returns a function that takes the bytes of a caller as they come. It is not called again after `close` or `open`
 */
export function createSocks5Server({ user, password }: SocksLogin): (bytes: Uint8Array) => readonly SocksStep[] {
  const secret = digest(Buffer.from(user), Buffer.from(password));
  let take = greeting;
  let read: Buffer = Buffer.alloc(0);

  /** @returns undefined: the message is not complete */
  function greeting(): SocksStep | undefined {
    const count = read[1];
    if (read[0] !== VERSION) return unknownVersion;
    if (count === undefined || read.length < 2 + count) return undefined;
    const methods = consume(2 + count).subarray(2);
    if (!methods.includes(LOGIN)) return { next: 'close', bytes: Buffer.of(VERSION, NOTHING_ACCEPTABLE) };
    take = login;
    return { next: 'wait', bytes: Buffer.of(VERSION, LOGIN) };
  }

  function login(): SocksStep | undefined {
    const failed: SocksStep = { next: 'close', bytes: Buffer.of(LOGIN_VERSION, 1) };
    if (read[0] !== LOGIN_VERSION) return failed;
    const passwordAt = 2 + (read[1] ?? 0);
    const length = passwordAt + 1 + (read[passwordAt] ?? 0);
    if (read[1] === undefined || read[passwordAt] === undefined || read.length < length) return undefined;
    const message = consume(length);
    const given = digest(message.subarray(2, passwordAt), message.subarray(passwordAt + 1));
    // In constant time, whatever the lengths. Otherwise the time of the answer would reveal the secret, byte by byte.
    if (!timingSafeEqual(given, secret)) return failed;
    take = request;
    return { next: 'wait', bytes: Buffer.of(LOGIN_VERSION, 0) };
  }

  function request(): SocksStep | undefined {
    const [version, command, , type] = read;
    if (version !== VERSION) return unknownVersion;
    if (type === undefined) return undefined;
    if (command !== CONNECT) return { next: 'close', bytes: socksReply(socksReplies.commandUnknown) };
    const start = type === 3 ? 5 : 4;
    const length = { 1: 4, 3: read[4] ?? 255, 4: 16 }[type];
    if (length === undefined) return { next: 'close', bytes: socksReply(socksReplies.addressUnknown) };
    if (read.length < start + length + 2) return undefined;
    const message = consume(start + length + 2);
    const host = hostOf(type, message.subarray(start, start + length));
    const port = message.readUInt16BE(start + length);
    if (host === undefined || port === 0) return { next: 'close', bytes: socksReply(socksReplies.addressUnknown) };
    return { next: 'open', host, port, rest: read };
  }

  function consume(length: number): Buffer {
    const message = read.subarray(0, length);
    read = read.subarray(length);
    return message;
  }

  return (bytes) => {
    read = Buffer.concat([read, bytes]);
    const steps: SocksStep[] = [];
    // A caller may send several messages at once.
    while (read.length > 0 && steps.at(-1)?.next !== 'close') {
      const step = take();
      if (step === undefined) break;
      steps.push(step);
      if (step.next === 'open') break;
    }
    return steps;
  };
}

/** A caller that speaks something else would not understand an answer. */
const unknownVersion: SocksStep = { next: 'close', bytes: Buffer.alloc(0) };

/** RFC 1928 §6. The bound address of the proxy is not revealed. */
export function socksReply(reply: SocksReply): Uint8Array {
  return Buffer.of(VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0);
}

/** Hashes of fixed length, and of both texts: so the comparison reveals nothing about either. */
function digest(user: Uint8Array, password: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(user.length)).update(user).update(password).digest();
}

/** In the one spelling in which hosts are compared. Text that is not a host is not called. */
function hostOf(type: number, address: Buffer): string | undefined {
  if (type === 1) return address.join('.');
  const groups = (address.toString('hex').match(/.{4}/g) ?? []).join(':');
  return canonicalHost(type === 4 ? `[${groups}]` : address.toString())?.replace(/^\[(.*)\]$/, '$1');
}
