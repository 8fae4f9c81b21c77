import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import { createPostgresUpgrade } from '../../src/protocols/postgres.ts';

const receive = (bytes: Uint8Array) => createPostgresUpgrade().receive(bytes);

test('the opening is an SSLRequest, and names nobody', () => {
  assert.equal(Buffer.from(createPostgresUpgrade().opening ?? []).toString('hex'), '0000000804d2162f');
});

test('S alone begins TLS; nothing at all is waited for', () => {
  assert.deepEqual(receive(Buffer.from('S')), { next: 'tls' });
  assert.deepEqual(receive(Buffer.alloc(0)), { next: 'wait' });
});

test('every other answer is a refusal with its own code', () => {
  const answers: [string, string][] = [
    ['N', 'ERR_UPGRADE_REFUSED'],
    ['NN', 'ERR_UPGRADE_REFUSED'],
    ['E\0\0\0\x05', 'ERR_UPGRADE_UNEXPECTED'],
    ['s', 'ERR_UPGRADE_UNEXPECTED'],
    ['\0', 'ERR_UPGRADE_UNEXPECTED'],
    ['SS', 'ERR_UPGRADE_INJECTED'],
    ['S\x16\x03\x03', 'ERR_UPGRADE_INJECTED'],
  ];
  for (const [answer, code] of answers)
    assert.throws(() => receive(Buffer.from(answer)), { code }, JSON.stringify(answer));
});

test('whatever the server says, TLS begins after the one byte S only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      try {
        assert.deepEqual(receive(bytes), { next: 'tls' });
        assert.deepEqual([...bytes], [0x53]);
      } catch (error) {
        assert.ok(error instanceof CertpinError);
        assert.match(error.code, /^ERR_UPGRADE_/);
      }
    }),
  );
});
