import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import type { UpgradeProtocol } from '../../src/protocols/contract.ts';

export interface Conversing {
  readonly create: () => UpgradeProtocol;
  /** What a server that consents says, message by message; between two of them the client speaks. */
  readonly messages: readonly Uint8Array[];
  /** Whether all that a server has said is a consent; written without a look at the machine. */
  readonly isConsent: (said: Buffer) => boolean;
  /** No conversation is longer, in bytes. */
  readonly limit: number;
}

/** A conversation byte by byte, to its end: what came of it, what the client sent, and after how many bytes it was over. */
export function converse(create: () => UpgradeProtocol, bytes: Iterable<number>) {
  const protocol = create();
  const sent: string[] = [];
  let read = 0;
  for (const byte of bytes) {
    read++;
    try {
      const step = protocol.receive(Uint8Array.of(byte));
      if (step.next === 'send') sent.push(Buffer.from(step.bytes).toString('hex'));
      if (step.next === 'tls') return { outcome: 'tls', sent, read };
    } catch (error) {
      assert.ok(error instanceof CertpinError, String(error));
      assert.match(error.code, /^ERR_UPGRADE_(REFUSED|UNEXPECTED|INJECTED)$/);
      assert.equal((error.details as { protocol: string }).protocol, protocol.name);
      return { outcome: error.code, sent, read, message: error.message };
    }
  }
  return { outcome: 'wait', sent, read };
}

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** What holds of every conversation in binary. */
export function testLaws({ create, messages, isConsent, limit }: Conversing): void {
  const all = Buffer.concat(messages);
  const last = messages.length - 1;
  const answered = (protocol: UpgradeProtocol) => {
    for (const message of messages.slice(0, last)) assert.equal(protocol.receive(message).next, 'send');
    return protocol;
  };

  test('TLS begins after the last byte, whatever the pieces', () => {
    assert.deepEqual(answered(create()).receive(messages[last] as Uint8Array), { next: 'tls' });
    for (let number = 0; number <= last; number++) {
      const message = messages[number] as Uint8Array;
      for (let at = 0; at <= message.length; at++) {
        const protocol = create();
        for (const before of messages.slice(0, number)) protocol.receive(before);
        if (at < message.length) assert.equal(protocol.receive(message.subarray(0, at)).next, 'wait');
        else continue;
        assert.equal(protocol.receive(message.subarray(at)).next, number === last ? 'tls' : 'send', `at ${at}`);
      }
    }
    const { outcome, sent, read } = converse(create, all);
    assert.deepEqual([outcome, sent.length, read], ['tls', last, all.length]);
    assert.ok(isConsent(all));
  });

  test('nothing is no step', () => {
    const protocol = create();
    assert.deepEqual(protocol.receive(new Uint8Array(0)), { next: 'wait' });
    assert.equal(answered(protocol).receive(messages[last] as Uint8Array).next, 'tls');
    assert.deepEqual(protocol.receive(new Uint8Array(0)), { next: 'wait' });
  });

  test('bytes behind the consent are an injection, in its piece and after it', () => {
    for (const more of ['\0', '\x16\x03\x03', 'x'.repeat(100_000)]) {
      const together = Buffer.concat([messages[last] as Uint8Array, Buffer.from(more)]);
      assert.throws(() => answered(create()).receive(together), { code: 'ERR_UPGRADE_INJECTED' });
      const protocol = answered(create());
      protocol.receive(messages[last] as Uint8Array);
      assert.throws(() => protocol.receive(Buffer.from(more)), { code: 'ERR_UPGRADE_INJECTED' });
    }
  });

  if (last > 0) {
    test('a server that speaks on before it was answered is none', () => {
      for (let number = 0; number < last; number++) {
        const protocol = create();
        for (const before of messages.slice(0, number)) protocol.receive(before);
        const together = Buffer.concat(messages.slice(number, number + 2));
        assert.throws(() => protocol.receive(together), { code: 'ERR_UPGRADE_UNEXPECTED' });
      }
    });
  }

  test('a failure is the end: no further byte makes a consent of it', () => {
    const protocol = create();
    assert.throws(() => protocol.receive(Buffer.from('\x15\x03\x03\0\x02')), { code: 'ERR_UPGRADE_UNEXPECTED' });
    for (const message of [...messages, Buffer.from('x')])
      assert.throws(() => protocol.receive(message), { code: 'ERR_UPGRADE_UNEXPECTED' });
  });

  test('a flood is over soon, wherever it begins', () => {
    for (let at = 0; at <= all.length; at++) {
      for (const byte of [0, 1, 0x30, 0x7f, 0x84, 0xff]) {
        const flood = Buffer.concat([all.subarray(0, at), Buffer.alloc(limit, byte)]);
        const { outcome, read } = converse(create, flood);
        assert.ok(outcome !== 'wait' && read <= limit, `${byte} from ${at}: ${outcome} after ${read}`);
        if (outcome === 'tls') assert.ok(isConsent(flood.subarray(0, read)));
      }
    }
  });

  test('whatever a server says, TLS begins after a whole consent only', () => {
    const change = fc.record({
      at: fc.nat(all.length),
      removed: fc.nat(3),
      added: fc.uint8Array({ maxLength: 4 }),
    });
    const near = fc.array(change, { maxLength: 3 }).map((changes) => {
      const bytes = [...all];
      for (const { at, removed, added } of changes) bytes.splice(at, removed, ...added);
      return Uint8Array.from(bytes);
    });
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: near }, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        const { outcome, read } = converse(create, bytes);
        const said = Buffer.from(bytes.subarray(0, read));
        if (outcome === 'tls') assert.ok(isConsent(said), said.toString('hex'));
      }),
      { numRuns: 3000 },
    );
  });
}
