import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { readSigningKey, type SigningKey, sign } from '../../src/notices/signature.ts';
import { SECRET } from './support.ts';

const keyOf = (text: string): SigningKey => readSigningKey(text) as SigningKey;

describe('the signature, verified by the package standardwebhooks', () => {
  const content = { id: randomUUID(), at: new Date(), body: JSON.stringify({ text: 'grün \u2028 </script>' }) };

  it('is taken', () => {
    const headers = sign(content, [keyOf(SECRET)]);
    assert.deepEqual(new Webhook(SECRET).verify(content.body, { ...headers }), JSON.parse(content.body));
  });

  it('is of two keys while the receiver changes from one to the next: both take it', () => {
    const next = `whsec_${randomBytes(24).toString('base64')}`;
    const headers = sign(content, [keyOf(SECRET), keyOf(next)]);
    for (const secret of [SECRET, next]) new Webhook(secret).verify(content.body, { ...headers });
  });

  it('is refused for another body, another id, another time, another key', () => {
    const headers = { ...sign(content, [keyOf(SECRET)]) };
    const webhook = new Webhook(SECRET);
    const other = new Webhook(`whsec_${randomBytes(32).toString('base64')}`);
    assert.throws(() => webhook.verify(`${content.body} `, headers));
    assert.throws(() => webhook.verify(content.body, { ...headers, 'webhook-id': randomUUID() }));
    assert.throws(() =>
      webhook.verify(content.body, { ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 1) }),
    );
    assert.throws(() => other.verify(content.body, headers));
  });
});

describe('readSigningKey', () => {
  for (const [what, text] of [
    ['no prefix', randomBytes(32).toString('base64')],
    ['too short', `whsec_${randomBytes(23).toString('base64')}`],
    ['too long', `whsec_${randomBytes(65).toString('base64')}`],
    ['no base64', `whsec_${'*'.repeat(44)}`],
    ['base64 that is cut', `whsec_${randomBytes(32).toString('base64').slice(0, 41)}`],
    ['a line end', `${SECRET}\n`],
    ['nothing', ''],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(readSigningKey(text), undefined));
  }

  it('takes 24 to 64 bytes, with and without padding', () => {
    for (const size of [24, 32, 64]) {
      const text = `whsec_${randomBytes(size).toString('base64')}`;
      assert.equal(readSigningKey(text)?.bytes.length, size);
      assert.equal(readSigningKey(text.replaceAll('=', ''))?.bytes.length, size);
    }
  });
});
