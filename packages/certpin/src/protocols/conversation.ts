import type { UpgradeProtocol, UpgradeStep } from './contract.ts';
import { injected, unexpected } from './upgrade-errors.ts';

/**
 * What a server says in a binary protocol, read from top to bottom. The generator yields how many bytes it wants next, or what to send. Its
 * end is the server's consent to TLS.
 *
 * Bytes that it asks for at once are kept in memory, so it asks for limited pieces. If it reads byte by byte, a wrong byte is refused at
 * once.
 */
export type Conversation = Generator<number | Uint8Array, void, Uint8Array>;

/** A part of a {@link Conversation} that only reads. */
export type Reading<Result> = Generator<number, Result, Uint8Array>;

const nothing = new Uint8Array(0);

/** The state machine of a conversation; its bytes may come in any pieces. */
export function createConversation(
  name: string,
  opening: Uint8Array | undefined,
  conversation: Conversation,
): UpgradeProtocol {
  let read: Uint8Array = nothing;
  let wanted = 0;
  // Kept, because a generator that has thrown looks like one that has ended. That would be a consent.
  let failure: unknown;
  let consented = false;

  const advance = (): UpgradeStep => {
    while (read.length >= wanted) {
      const piece = read.subarray(0, wanted);
      read = read.subarray(wanted);
      const { done, value } = conversation.next(piece);
      if (done) {
        if (read.length > 0) throw injected(name, read.length);
        consented = true;
        return { next: 'tls' };
      }
      if (typeof value !== 'number') {
        if (read.length > 0) throw unexpected(name, 'the server spoke on before it was answered');
        wanted = 0;
        return { next: 'send', bytes: value };
      }
      wanted = value;
    }
    return { next: 'wait' };
  };

  const receive = (bytes: Uint8Array): UpgradeStep => {
    if (failure !== undefined) throw failure;
    if (bytes.length === 0) return { next: 'wait' };
    try {
      if (consented) throw injected(name, bytes.length);
      const joined = new Uint8Array(read.length + bytes.length);
      joined.set(read);
      joined.set(bytes, read.length);
      read = joined;
      return advance();
    } catch (error) {
      read = nothing;
      failure = error;
      throw error;
    }
  };
  return { name, opening, receive };
}

export function* readByte(): Reading<number> {
  const [byte] = yield 1;
  return byte as number;
}

/** Reads bytes that have only one allowed value. */
export function* readLiteral(expected: readonly number[], refuse: () => never): Reading<void> {
  for (const byte of expected) if ((yield* readByte()) !== byte) refuse();
}
