import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { objectionTo } from '../../src/prove/looks.ts';
import { reasonsOf } from '../../src/prove/reasons-of-trials.ts';
import type { Trial } from '../../src/prove/report.ts';

describe('what belongs to one certificate, or one key', () => {
  for (const lookedAt of [
    ['fingerprint256'],
    ['fingerprint512', 'subject'],
    ['raw'],
    ['pubkey'],
    ['publicKey'],
    ['session'],
    ['digest', 'raw'],
    ['digest', 'raw', 'weak digest'],
    ['exponent', 'modulus'],
    ['fingerprint', 'fingerprint256'],
  ]) {
    it(lookedAt.join(', '), () => assert.equal(objectionTo(lookedAt), undefined));
  }
});

describe('what others can have too', () => {
  for (const [lookedAt, said] of [
    [[], /^it looked at nothing in it, /],
    [['serialNumber', 'issuer'], /^it looked only at issuer, serialNumber, /],
    [['modulus'], /only at modulus/], // an attacker chooses the exponent
    [['bits', 'valid_to', 'ca', 'infoAccess', 'subjectaltname'], /^it looked only at/],
    [['issuerCertificate'], /^it looked only at/],
    [['verify', 'checkIssued'], /^it looked only at/],
    [['fingerprint'], /SHA-1/],
    [['raw', 'weak digest'], /SHA-1, MD5/],
  ] as const) {
    it(lookedAt.join(', ') || 'nothing', () => assert.match(objectionTo(lookedAt) ?? '', said));
  }
});

describe('the impostor that the trust list of the script takes got nothing', () => {
  const reasons = (seen: Pick<Trial, 'lookedAt' | 'trusted'>): readonly string[] => {
    const arrival = { bytes: 0, kinds: [], handshakes: 1, connections: 1, undecided: 0, disagreement: null };
    const run = { status: 'error' as const, error: null, findings: [] };
    const trial = { ...arrival, threwBefore: false, elsewhere: [], run, passedOn: 0, ...seen };
    const trials: Trial[] = [{ ...trial, impostor: 'trusted-ca', moment: 'at-once' }];
    return reasonsOf({ host: 'h', port: 1, speech: 'http', tls: true, certificateSha256: 'AB', trials });
  };
  it('because of a fingerprint', () => assert.deepEqual(reasons({ lookedAt: ['fingerprint256'], trusted: true }), []));
  it('because the list holds the server alone', () => assert.deepEqual(reasons({ lookedAt: [], trusted: false }), []));
  it('because of something else', () => {
    for (const trusted of [true, false, null])
      assert.match(reasons({ lookedAt: ['serialNumber'], trusted }).join(), /but it looked only at serialNumber/);
  });
  it('and nobody knows why', () => {
    for (const trusted of [true, null])
      assert.match(reasons({ lookedAt: [], trusted }).join(), /but it looked at nothing in it/);
  });
});
