import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { objectionTo } from '../../src/prove/looks.ts';
import { reasonsOf } from '../../src/prove/reasons-of-trials.ts';
import type { Trial } from '../../src/prove/report.ts';

const failedRun: Trial['run'] = {
  status: 'error',
  error: null,
  certpinCode: null,
  causeCode: null,
  refusedBy: null,
  printed: [],
  findings: [],
};

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
    const trial = { ...arrival, threwBefore: false, elsewhere: [], run: failedRun, passedOn: 0, ...seen };
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

describe('an impostor that had no chance', () => {
  const trialOf = (seen: Partial<Trial>): Trial => ({
    ...{ impostor: 'trusted-ca', moment: 'at-once', passedOn: 0, bytes: 0, kinds: [], handshakes: 1, connections: 1 },
    ...{ undecided: 0, disagreement: null, threwBefore: false, elsewhere: [], lookedAt: ['fingerprint256'] },
    ...{
      trusted: true,
      run: failedRun,
      ...seen,
    },
  });
  const reasons = (...trials: Trial[]): readonly string[] =>
    reasonsOf({ host: 'h', port: 1, speech: 'http', tls: true, certificateSha256: 'AB', trials });
  const givenUp = /^h:1: the script gave the impostor \((.*)\) up before a TLS handshake was complete/;

  it('with which no handshake was complete, at whatever moment', () => {
    for (const impostor of ['another-key', 'trusted-namesake', 'expired'] as const)
      assert.equal(givenUp.exec(reasons(trialOf({ impostor, trusted: null })).join())?.[1], impostor);
    for (const moment of ['again', 'after-reset', 'warm'] as const)
      assert.equal(givenUp.exec(reasons(trialOf({ moment, trusted: null })).join())?.[1], `trusted-ca, ${moment}`);
  });
  it('but those that have none to complete', () => {
    for (const impostor of ['stolen-certificate', 'plaintext'] as const)
      assert.deepEqual(reasons(trialOf({ impostor, trusted: null, lookedAt: [] })), []);
    assert.deepEqual(reasons(trialOf({ moment: 'after-reset', trusted: null, connections: 0 })), []);
  });
  it('which OpenSSL refused, where the trust list takes its CA', () => {
    for (const impostor of [
      ...(['trusted-namesake', 'trusted-chain', 'asked-name', 'common-name', 'expiring', 'renewed'] as const),
    ]) {
      const refused = trialOf({ impostor, trusted: false, lookedAt: [] });
      assert.match(reasons(trialOf({}), refused).join(), new RegExp(`^h:1: OpenSSL refused .*\\(${impostor}\\)`));
      assert.deepEqual(reasons(trialOf({ trusted: false, lookedAt: [] }), refused), []);
      // Another connection has another list.
      assert.deepEqual(
        reasons(trialOf({}), trialOf({ trusted: false, passedOn: 1, lookedAt: [] }), { ...refused, passedOn: 1 }),
        [],
      );
    }
    assert.deepEqual(reasons(trialOf({}), trialOf({ impostor: 'expired', trusted: false, lookedAt: [] })), []);
  });
});
