import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Evidence } from '../../src/prove/evidence.ts';

const now = (): number => Number(process.hrtime.bigint());

describe('an exception that nobody caught', () => {
  it('was thrown before the bytes, though it is heard of after them', () => {
    const evidence = new Evidence([]);
    const thrownAt = now();
    evidence.count(Buffer.from('hunter2'));
    evidence.seeException(thrownAt);
    assert.equal(evidence.sum().threwBefore, true);
  });

  it('was thrown after the first of them', () => {
    const evidence = new Evidence([]);
    evidence.countSealed(7);
    const thrownAt = now();
    evidence.countSealed(7);
    evidence.seeException(thrownAt);
    assert.equal(evidence.sum().threwBefore, false);
  });

  it('where nothing arrived', () => {
    const evidence = new Evidence([]);
    evidence.countSealed(0);
    evidence.seeException(now());
    assert.equal(evidence.sum().threwBefore, true);
  });
});
