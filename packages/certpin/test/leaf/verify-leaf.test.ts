// What a pasted block decides, beside what the package decides: under a policy of pins alone they never differ, in code or in reason.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateHex, mint, mintWithHiddenKey, publicKeyPin } from '@certpin/testkit';
import { verify } from '../../src/core/verify.ts';
import { tried } from '../../src/leaf/checks.ts';
import { type CertificateEvidence, readEvidence } from '../../src/leaf/evidence.ts';
import { createLeafPolicy } from '../../src/leaf/policy.ts';
import { verifyLeaf } from '../../src/leaf/verify-leaf.ts';

const [server, other] = [await mint(), await mint()];
const expired = await mint({ validFromDays: -20, validToDays: -10 });
const future = await mint({ validFromDays: 10, validToDays: 20 });
const hidden = await mintWithHiddenKey(server);
const rsa = await mint({ keyType: 'rsa' });

const presented: Record<string, X509Certificate | undefined> = {
  'the pinned one': server.x509,
  'another one': other.x509,
  'an expired one': expired.x509,
  'one of tomorrow': future.x509,
  'one that hides the pinned key': new X509Certificate(hidden.certPem),
  'one of RSA': rsa.x509,
  none: undefined,
};

const pinSets: Record<string, string[]> = {
  certificate: [certificateHex(server)],
  'public key': [await publicKeyPin(server)],
  'both, and others': [await publicKeyPin(other), certificateHex(expired), certificateHex(server)],
  'expired and future': [certificateHex(expired), certificateHex(future), await publicKeyPin(expired)],
  nobody: ['AB'.repeat(32)],
};

const facts = [
  { tlsVersion: 'TLSv1.3', sessionReused: false },
  { tlsVersion: 'TLSv1.2', sessionReused: false },
  { tlsVersion: 'TLSv1.1', sessionReused: false },
  { tlsVersion: null, sessionReused: false },
  { tlsVersion: undefined, sessionReused: undefined },
  { tlsVersion: 'TLSv1.3', sessionReused: true },
];

const moments = [
  new Date(),
  new Date(server.x509.validFrom),
  new Date(server.x509.validTo),
  new Date(0),
  new Date(Number.NaN),
];

describe('the verdict of a block', () => {
  for (const [whose, leaf] of Object.entries(presented)) {
    it(`is that of the package: ${whose}`, () => {
      let [matched, refused] = [0, 0];
      for (const pins of Object.values(pinSets)) {
        for (const expiry of ['refuse', 'accept'] as const) {
          for (const fact of facts) {
            for (const now of moments) {
              const evidence = leaf && readEvidence(leaf);
              const problem = verifyLeaf(evidence, fact, createLeafPolicy({ pins, expired: expiry }), now);
              const peer = { certificates: leaf === undefined ? [] : [leaf], ...fact };
              const verdict = verify(peer, { pins, expired: expiry }, now);
              const expected = verdict.ok ? undefined : { code: verdict.code, reason: verdict.reason };
              assert.deepEqual(problem, expected);
              if (problem === undefined) matched++;
              else refused++;
            }
          }
        }
      }
      assert.ok(refused > 0);
      assert.equal(matched > 0, !['one that hides the pinned key', 'one of RSA', 'none'].includes(whose));
    });
  }

  it('is a refusal where a check throws, whatever it throws', () => {
    const broken = new Proxy({} as CertificateEvidence, {
      get: () => {
        throw new RangeError('out of bytes');
      },
    });
    const policy = createLeafPolicy({ pins: certificateHex(server) });
    const problem = tried(
      () => verifyLeaf(broken, { tlsVersion: 'TLSv1.3', sessionReused: false }, policy, new Date()),
      (unreadable) => unreadable,
    );
    assert.equal(problem?.code, 'ERR_PIN_UNCHECKABLE');
    assert.match(problem?.reason ?? '', /out of bytes/);
  });
});
