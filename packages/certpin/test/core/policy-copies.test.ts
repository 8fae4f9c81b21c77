// The accident this prevents: a policy that was copied is another policy, and nobody notices.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { createServerPolicies, policyFor } from '../../src/core/host-policies.ts';
import { livePins } from '../../src/core/live-pins.ts';
import { createPolicy, type GivenPolicyOptions } from '../../src/core/policy.ts';
import type { Policy } from '../../src/core/policy-type.ts';
import { verify } from '../../src/core/verify.ts';
import { readPolicy, splitOptions } from '../../src/tls/options.ts';
import { createTunnel } from '../../src/tls/proxy.ts';
import { outcome } from './support.ts';

const [before, after] = [await mint(), await mint()];
const [beforePin, afterPin] = [certificateHex(before), certificateHex(after)];
const at = (policy: unknown): string => outcome(verify({ host: 'a', certificates: [before.x509] }, policy as Policy));

/** Ways in which a policy is copied, to where it counts. */
const copies: Record<string, (policy: Policy) => unknown> = {
  'createPolicy({ ...policy })': (policy) => createPolicy({ ...policy }),
  'a copy of a copy': (policy) => createPolicy({ ...createPolicy({ ...policy }) }),
  'Object.assign({}, policy)': (policy) => createPolicy(Object.assign({}, policy)),
  '{ ...policy, connectTimeoutMs }': (policy) => readPolicy({ ...policy, connectTimeoutMs: 5 }).policies,
  'options of a client beside it': (policy) => splitOptions({ ...policy, keepAlive: true }, [], 'x').guarded.policies,
  'hosts: { a: { ...policy } }': (policy) => policyFor(createServerPolicies({ hosts: { a: { ...policy } } }), 'a'),
  'hosts: { a: policy }': (policy) => policyFor(createServerPolicies({ hosts: { a: policy } }), 'a'),
  '{ ...policy, expired }': (policy) => createPolicy({ ...policy, expired: 'accept' }),
};

for (const [name, copy] of Object.entries(copies)) {
  it(`${name} follows live pins`, () => {
    for (const option of ['pins', 'issuerPins'] as const) {
      const pins = livePins([beforePin, afterPin]);
      const other = option === 'issuerPins' ? { pins: beforePin } : {};
      const policy = createPolicy({ [option]: pins, ...other } as GivenPolicyOptions);
      const copied = copy(policy) as Policy;
      assert.equal(copied[option].length, 2);
      pins.set(afterPin);
      assert.deepEqual(copied[option], policy[option]);
      assert.equal(copied[option].length, 1);
      assert.equal(typeof copied.onChange, 'function');
      if (option === 'pins') assert.equal(at(copied), 'ERR_PIN_MISMATCH');
    }
  });
}

it('a copy that was made before a change follows too', () => {
  const pins = livePins(beforePin);
  const copy = { ...createPolicy({ pins }) };
  pins.set(afterPin);
  assert.equal(at(copy), 'ERR_PIN_MISMATCH');
});

it('a copy keeps the certificates among the pins, and every switch', () => {
  const switches = { expired: 'accept', hostnameVerification: 'ignore', caVerification: 'require' } as const;
  const copy = createPolicy({ ...createPolicy({ issuerPins: before.certPem, ...switches, resumption: 'own' }) });
  assert.equal(copy.knownCertificates.length, 1);
  assert.deepEqual([copy.pins, copy.expired, copy.resumption], [[], 'accept', 'own']);
  assert.deepEqual([copy.hostnameVerification, copy.caVerification], ['ignore', 'require']);
});

it('what a copy overrides is read as an option', () => {
  const copy = createPolicy({ ...createPolicy({ pins: livePins(beforePin) }), pins: ` ${afterPin} ` });
  assert.equal(copy.pins[0]?.sha256, afterPin);
  const live = livePins(beforePin);
  const relived = createPolicy({ ...copy, pins: live });
  live.set(afterPin);
  assert.equal(at(relived), 'ERR_PIN_MISMATCH');
});

it('a spread policy is taken as that of a proxy', () => {
  assert.equal(typeof createTunnel({ url: 'https://proxy.example', ...createPolicy({ pins: beforePin }) }), 'function');
});

describe('is refused, and says why:', () => {
  const live = createPolicy({ pins: livePins(beforePin) });
  const plain = createPolicy({ pins: beforePin });
  const cases: [string, () => unknown, RegExp][] = [
    ['an unknown key of a copy', () => ({ ...plain, rejectUnauthorizd: 1 }), /demands `rejectUnauthorizd`/],
    ['a demand of a newer version', () => ({ ...plain, transparency: 'require' }), /demands `transparency`/],
    ['an unknown value of a copy', () => ({ ...plain, expired: 'refuze' }), /must be one of 'refuse', 'accept'/],
    ['a copy without its pins', () => ({ ...plain, pins: undefined }), /a policy needs pins/],
    [
      'a deep copy of live pins',
      () => ({ ...live, pins: live.pins.map((pin) => ({ ...pin })) }),
      /the live set itself/,
    ],
    ['a policy that has become JSON', () => JSON.parse(JSON.stringify(live)), /unknown policy option/],
    ['a structured clone', () => structuredClone({ ...plain }), /unknown policy option/],
    ['an object that inherits from a policy', () => Object.create(live), /a policy needs pins/],
    [
      'what claims to be a policy',
      () => {
        const forged: Record<symbol | string, unknown> = { pins: [], expired: 'accept' };
        forged[Symbol.for('certpin.policy')] = forged;
        return forged;
      },
      /cannot be read/,
    ],
  ];
  for (const [what, make, message] of cases) {
    it(what, () => {
      assert.throws(() => createPolicy(make() as GivenPolicyOptions), { code: 'ERR_OPTION_INVALID', message });
      assert.throws(() => readPolicy(make() as GivenPolicyOptions), { code: 'ERR_OPTION_INVALID', message });
    });
  }

  it('a policy of another version that demands more', () => {
    const newer = { ...plain, transparency: 'require' };
    Object.defineProperty(newer, Symbol.for('certpin.policy'), { value: newer });
    assert.throws(() => createPolicy(newer), /another version of certpin demands `transparency`/);
  });
});

it('across the two builds a policy is the same, and a copy of it live', async () => {
  const esm = (await import('../../dist/esm/index.js' as string)) as typeof import('../../src/index.ts');
  const cjs = createRequire(import.meta.url)('../../dist/cjs/index.js') as typeof import('../../src/index.ts');
  for (const [one, other] of [
    [esm, cjs],
    [cjs, esm],
  ] as const) {
    const pins = one.livePins([beforePin, afterPin]);
    const policy = one.createPolicy({ pins });
    assert.equal(other.createPolicy(policy), policy);
    const copy = other.createPolicy({ ...policy, expired: 'accept' });
    pins.set(afterPin);
    assert.equal(copy.pins.length, 1);
  }
});
