// The accident this prevents: a policy that was kept for its text counts where another one was given.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { mint } from '@certpin/testkit';
import { livePins } from '../../src/core/live-pins.ts';
import { createPolicy } from '../../src/core/policy.ts';
import { readPolicy } from '../../src/tls/options.ts';
import { samePolicies } from '../../src/tls/speed/same-policy.ts';

const pin = (digit: string): string => digit.repeat(64).toUpperCase();
const certificate = await mint();

describe('options that are nothing but text', () => {
  it('give the policy that was made from the same text', () => {
    const options = { pins: pin('a'), expired: 'accept', hostnameVerification: 'require' } as const;
    assert.equal(samePolicies({ ...options }), samePolicies({ ...options }));
    assert.equal(readPolicy({ ...options, connectTimeoutMs: 5 }).policies, samePolicies(options));
    assert.deepEqual(samePolicies(options), createPolicy(options));
    assert.ok(Object.isFrozen(samePolicies(options)));
  });

  it('give another one wherever any of the text differs', () => {
    const all = [
      ...[
        { pins: pin('a') },
        { pins: pin('b') },
        { pins: `${pin('a')},${pin('b')}` },
        { pins: `${pin('a')} ${pin('b')}` },
      ],
      ...[{ issuerPins: pin('a') }, { pins: pin('a'), issuerPins: pin('b') }, { pins: pin('b'), issuerPins: pin('a') }],
      ...[
        { pins: pin('a'), expired: 'refuse' },
        { pins: pin('a'), expired: 'accept' },
      ],
      ...[
        { pins: pin('a'), hostnameVerification: 'require' },
        { pins: pin('a'), hostnameVerification: 'ignore' },
      ],
      ...[
        { pins: pin('a'), caVerification: 'require' },
        { pins: pin('a'), resumption: 'refuse' },
      ],
    ] as const;
    const made = all.map((options) => samePolicies(options));
    assert.equal(new Set(made).size, all.length);
    for (const [index, options] of all.entries()) assert.deepEqual(made[index], createPolicy(options));
  });

  it('are told apart by the text, whatever somebody has made of JSON and of lists', (t) => {
    Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'list', configurable: true });
    Object.defineProperty(String.prototype, 'toJSON', { value: () => 'text', configurable: true });
    t.after(() => {
      delete (Array.prototype as { toJSON?: unknown }).toJSON;
      delete (String.prototype as { toJSON?: unknown }).toJSON;
    });
    assert.notEqual(samePolicies({ pins: pin('a') }), samePolicies({ pins: pin('c') }));
    assert.notEqual(samePolicies({ pins: pin('a') }), samePolicies({ issuerPins: pin('a') }));
  });
});

describe('options that are more than text', () => {
  const readsAnew = (options: object): void => assert.notEqual(samePolicies(options), samePolicies(options));

  it('are read anew: bytes, lists and pins that change', () => {
    const live = livePins(pin('a'));
    readsAnew({ pins: live });
    readsAnew({ pins: [pin('a')] });
    readsAnew({ pins: certificate.x509 });
    readsAnew({ pins: new Uint8Array(certificate.x509.raw) });
    readsAnew({ pins: pin('a'), issuerPins: [pin('b')] });
    readsAnew({ hosts: { 'a.example': { pins: pin('a') } } });
    const list = [pin('a')];
    const before = samePolicies({ pins: list });
    list[0] = pin('b');
    assert.notDeepEqual(samePolicies({ pins: list }), before);
  });

  it('are read anew where sessions are kept: they belong to the client that was made', () => {
    readsAnew({ pins: pin('a'), resumption: 'own' });
  });

  it('are the policy itself, where it is one, and stay refused', () => {
    const policy = createPolicy({ pins: pin('a') });
    assert.equal(samePolicies(policy), policy);
    assert.notEqual(samePolicies({ ...policy }), policy);
    samePolicies({ pins: pin('a') });
    const refused = [
      ...[
        { pins: pin('a'), expird: 'accept' },
        { pins: pin('a'), otherHosts: 'verify' },
        { pins: '' },
        {},
        null,
        'text',
        5,
      ],
      ...[
        { pins: pin('a'), expired: '' },
        { pins: pin('a'), expired: 'undefined' },
        { pins: pin('a'), resumption: null },
      ],
      ...[
        { pins: pin('a'), hosts: { 'a.example': { pins: pin('a') } } },
        { pins: pin('a'), [Symbol.for('x')]: 1, a: 1 },
      ],
    ];
    for (const options of refused) {
      for (const _ of [1, 2])
        assert.throws(() => samePolicies(options as never), { name: 'CertpinError' }, JSON.stringify(options));
    }
  });

  it('have what is their own only', (t: TestContext) => {
    Object.defineProperty(Object.prototype, 'pins', { value: pin('e'), configurable: true });
    t.after(() => delete (Object.prototype as { pins?: unknown }).pins);
    assert.throws(() => samePolicies({}), { code: 'ERR_OPTION_INVALID' });
  });

  it('are asked once: what was looked at is what is read', () => {
    let asked = 0;
    const options = {
      get pins() {
        asked += 1;
        return asked === 1 ? pin('9') : pin('8');
      },
    };
    const policy = samePolicies(options) as ReturnType<typeof createPolicy>;
    assert.deepEqual([asked, policy.pins[0]?.sha256], [1, pin('9')]);
    assert.equal(samePolicies({ pins: pin('9') }), policy);
  });
});

describe('what is kept', () => {
  it('is sixteen policies at most, and no long text', () => {
    const text = (index: number): string => index.toString(16).padStart(64, '0');
    const first = samePolicies({ pins: text(0) });
    for (let index = 1; index <= 15; index++) samePolicies({ pins: text(index) });
    assert.equal(samePolicies({ pins: text(0) }), first);
    samePolicies({ pins: text(16) });
    assert.notEqual(samePolicies({ pins: text(0) }), first);
    const long = `${pin('a')} #${'x'.repeat(5_000)}`;
    assert.notEqual(samePolicies({ pins: long }), samePolicies({ pins: long }));
  });
});
