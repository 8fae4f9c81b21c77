import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import type { UpgradeStep } from '../../src/protocols/contract.ts';
import { upgradeProtocols } from '../../src/protocols/registry.ts';
import { type TextProtocol, transcripts } from './transcripts.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const text = (given: Uint8Array | undefined) => Buffer.from(given ?? []).toString('latin1');
const create = (name: TextProtocol) => upgradeProtocols[name].create('im.example.com');

/** Feeds the server's words, piece by piece, and gives what the client said, and the last step. */
function converse(name: TextProtocol, pieces: readonly string[]): { said: string[]; last: UpgradeStep['next'] } {
  const protocol = create(name);
  const said = protocol.opening === undefined ? [] : [text(protocol.opening)];
  let last: UpgradeStep['next'] = 'wait';
  for (const piece of pieces) {
    const step = protocol.receive(bytes(piece));
    last = step.next;
    if (step.next !== 'wait' && step.bytes !== undefined) said.push(text(step.bytes));
  }
  return { said, last };
}

/** What goes wrong when the server says `words`, after the first `turns` of its right words. */
function failure(name: TextProtocol, turns: number, ...words: string[]): CertpinError {
  const before = transcripts[name].server.slice(0, turns);
  try {
    const { last } = converse(name, [...before, ...words]);
    assert.fail(`no error, but ${last}: ${JSON.stringify(words)}`);
  } catch (error) {
    assert.ok(error instanceof CertpinError, String(error));
    return error;
  }
}

/** How many bytes of `again`, again and again, are taken behind `first`. */
function limitOf(name: TextProtocol, first: string, again: string): number {
  if (name === 'telnet') return 1024;
  if (name.startsWith('xmpp')) return /<[^>]*$/.test(first) ? 4096 : 16_384;
  return again.includes('\n') ? Math.min(16_384, 200 * again.length) : 4096;
}

for (const name of Object.keys(transcripts) as TextProtocol[]) {
  const { server, client, variants = [], refusals, unexpected, endless, padding } = transcripts[name];

  describe(`the upgrade of ${name}`, () => {
    it('is the one of its RFC', () => {
      assert.deepEqual(converse(name, server), { said: client, last: 'tls' });
      for (const variant of variants) assert.deepEqual(converse(name, variant), { said: client, last: 'tls' });
    });

    it('is the same wherever the bytes are cut', () => {
      for (const turns of [server, ...variants]) {
        assert.deepEqual(converse(name, [...turns.join('')]), { said: client, last: 'tls' });
        for (const [index, turn] of turns.entries()) {
          for (let at = 0; at <= turn.length; at++) {
            // The last piece is the turn's own end: behind it, the step is the same as for the whole turn.
            const pieces = [...turns.slice(0, index), turn.slice(0, at), turn.slice(at), ...turns.slice(index + 1)];
            assert.deepEqual(converse(name, pieces.filter(Boolean)), { said: client, last: 'tls' });
          }
        }
      }
    });

    it('begins TLS behind the last byte of the consent, and not before', () => {
      const whole = server.join('');
      for (let at = 0; at < whole.length; at++) assert.notEqual(converse(name, [...whole.slice(0, at)]).last, 'tls');
    });

    it('takes every byte behind the consent for an injection, however it comes', () => {
      const consent = server.at(-1) ?? '';
      for (const more of ['\x16\x03\x03', '\r\n', ' ', consent]) {
        assert.equal(failure(name, server.length - 1, consent + more).code, 'ERR_UPGRADE_INJECTED');
        assert.equal(
          failure(name, server.length - 1, consent.slice(0, -1), consent.slice(-1) + more).code,
          'ERR_UPGRADE_INJECTED',
        );
        assert.equal(failure(name, server.length, more).code, 'ERR_UPGRADE_INJECTED');
      }
    });

    // Telnet's client has said all it has to say, so its server may be brief.
    if (server.length > 1 && name !== 'telnet') {
      it('ends where the server answers before it is asked', () => {
        const { code } = failure(name, 0, server.join(''));
        assert.equal(code, 'ERR_UPGRADE_UNEXPECTED');
      });
    }

    it('ends with the meaning of a refusal, and without its words', () => {
      for (const [turns, words, meaning] of refusals) {
        for (const pieces of [[words], [...words]]) {
          const { code, message, details } = failure(name, turns, ...pieces);
          assert.equal(code, 'ERR_UPGRADE_REFUSED', words);
          assert.match(message, meaning);
          assert.doesNotMatch(message, /evil|[^\x20-\x7e]/i);
          assert.deepEqual(details, { protocol: name });
        }
      }
    });

    it('ends as soon as something shows that is not of the protocol', () => {
      for (const [turns, words] of unexpected) {
        const { code, message } = failure(name, turns, ...words);
        assert.equal(code, 'ERR_UPGRADE_UNEXPECTED', words);
        assert.doesNotMatch(message, /evil|[^\x20-\x7e]/i);
        // At its last byte, and not one later.
        if (words.length > 1)
          assert.notEqual(converse(name, [...server.slice(0, turns), ...words.slice(0, -1)]).last, 'tls');
      }
    });

    it('ends at other protocols before the end of their first line', () => {
      // White space may stand before the stream of XML.
      const blank = name.startsWith('xmpp') ? [] : ['\r\n', '\n', ' '];
      for (const words of [
        '\x15\x03\x01\x00\x02\x02',
        'HTTP/1.1 400 Bad Request\r\n',
        'J\0\0\0\x0a8.0.36\0',
        '\0',
        ...blank,
      ]) {
        assert.equal(failure(name, 0, ...words).code, 'ERR_UPGRADE_UNEXPECTED', JSON.stringify(words));
      }
    });

    it('gives up lines and answers without end, within their limits', () => {
      for (const [turns, first, again] of endless) {
        const protocol = create(name);
        for (const words of server.slice(0, turns)) protocol.receive(bytes(words));
        protocol.receive(bytes(first));
        let sent = 0;
        assert.throws(
          () => {
            for (; sent < 100_000; sent += again.length) protocol.receive(bytes(again));
          },
          { code: 'ERR_UPGRADE_UNEXPECTED' },
          JSON.stringify(again),
        );
        assert.ok(sent <= limitOf(name, first, again) + again.length, `${sent} bytes of ${JSON.stringify(again)}`);
      }
    });

    it('says nothing but its own fixed words, whatever the server says', () => {
      const pieces = fc.array(
        fc.oneof(
          fc.constantFrom(...server, ...server.flatMap((turn) => turn.split(/(?<=\r\n|>)/)), padding),
          fc.constantFrom(...server.flatMap((turn) => [turn.slice(0, 5), turn.slice(5)]), '\r', '\n', '\0', '-', ' '),
          fc.uint8Array({ maxLength: 6 }).map(text),
        ),
        { maxLength: 14 },
      );
      fc.assert(
        fc.property(pieces, fc.boolean(), (words, isWhole) => {
          const protocol = create(name);
          const said = [text(protocol.opening)].filter(Boolean);
          let heard = '';
          try {
            for (const piece of isWhole ? words : [...words.join('')]) {
              const step = protocol.receive(bytes(piece));
              heard += piece;
              if (step.next !== 'wait' && step.bytes !== undefined) said.push(text(step.bytes));
              assert.deepEqual(said, client.slice(0, said.length));
              if (step.next !== 'tls') continue;
              // TLS begins behind a whole consent, after everything was asked.
              assert.deepEqual(said, client);
              assert.ok(transcripts[name].consent.test(heard), JSON.stringify(heard));
              break;
            }
          } catch (error) {
            assert.ok(error instanceof CertpinError, String(error));
            assert.match(error.code, /^ERR_UPGRADE_/);
          }
        }),
        { numRuns: 1000 },
      );
    });
  });
}
