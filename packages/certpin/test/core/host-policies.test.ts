import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createServerPolicies, type HostOptions, policyFor } from '../../src/core/host-policies.ts';
import { createPolicy } from '../../src/core/policy.ts';
import { CertpinError } from '../../src/errors.ts';

const pin = (digit: string): string => digit.repeat(64).toUpperCase();

/** The pin that counts for `host`, or what counts in its place. */
function pinFor(options: HostOptions, host: string | undefined): string {
  try {
    const policy = policyFor(createServerPolicies(options), host);
    return policy === 'verify' ? policy : (policy.pins[0]?.sha256 ?? 'none');
  } catch (error) {
    return (error as CertpinError).code;
  }
}

const hosts = {
  'api.example.com': { pins: pin('a') },
  '*.example.com': { pins: pin('b') },
  '**.example.com': { pins: pin('c') },
  '**.deep.example.com': { pins: pin('d') },
  '10.0.0.5': { pins: pin('e') },
  'fd00::5': { pins: pin('f') },
  'münchen.example': { pins: pin('1') },
};

describe('the policy of a host', () => {
  const expected: [host: string | undefined, found: string][] = [
    ['api.example.com', pin('a')],
    ['API.Example.COM', pin('a')],
    ['api.example.com.', pin('a')],
    ['www.example.com', pin('b')],
    ['a.b.example.com', pin('c')],
    ['deep.example.com', pin('b')],
    ['a.deep.example.com', pin('d')],
    ['a.b.deep.example.com', pin('d')],
    ['10.0.0.5', pin('e')],
    ['010.0.0.5', 'ERR_HOST_UNPINNED'], // octal: 8.0.0.5
    ['fd00::5', pin('f')],
    ['[fd00::5]', pin('f')],
    ['FD00:0:0::0005', pin('f')],
    ['fd00::5%eth0', pin('f')],
    ['münchen.example', pin('1')],
    ['xn--mnchen-3ya.example', pin('1')],
    ['example.com', 'ERR_HOST_UNPINNED'],
    ['example.com.attacker.example', 'ERR_HOST_UNPINNED'],
    ['notexample.com', 'ERR_HOST_UNPINNED'],
    ['.example.com', 'ERR_HOST_UNPINNED'],
    ['a..example.com', 'ERR_HOST_UNPINNED'],
    ['api.example.com..', 'ERR_HOST_UNPINNED'],
    ['api.example.com\0', 'ERR_HOST_UNPINNED'],
    ['attacker.example#.example.com', 'ERR_HOST_UNPINNED'],
    ['attacker.example/.example.com', 'ERR_HOST_UNPINNED'],
    ['attacker.example@api.example.com', 'ERR_HOST_UNPINNED'],
    ['ap%69.example.com', 'ERR_HOST_UNPINNED'],
    ['api.example.com:8443', 'ERR_HOST_UNPINNED'],
    ['10.0.0.6', 'ERR_HOST_UNPINNED'],
    ['__proto__', 'ERR_HOST_UNPINNED'],
    ['', 'ERR_HOST_UNPINNED'],
    [undefined, 'ERR_HOST_UNPINNED'],
  ];
  for (const [host, found] of expected) {
    it(`of ${JSON.stringify(host)} is ${found}`, () => assert.equal(pinFor({ hosts }, host), found));
  }

  it('is the ordinary verification where the user says so, for hosts that are not named only', () => {
    const options = { hosts, otherHosts: 'verify' } as const;
    assert.equal(pinFor(options, 'other.example'), 'verify');
    assert.equal(pinFor(options, 'api.example.com'), pin('a'));
    assert.equal(pinFor({ hosts, otherHosts: 'refuse' }, 'other.example'), 'ERR_HOST_UNPINNED');
  });

  it('is never that of a name which does not end in the suffix of a pattern', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), fc.constantFrom('*.', '**.'), (labels, wildcard) => {
        const host = [...labels, 'host'].join('.');
        for (let from = 0; from < labels.length + 1; from++) {
          const suffix = [...labels, 'host'].slice(from).join('.');
          const found = pinFor({ hosts: { [wildcard + suffix]: { pins: pin('a') } } }, host);
          const matches = wildcard === '*.' ? from === 1 : from >= 1;
          assert.equal(found, matches ? pin('a') : 'ERR_HOST_UNPINNED', `${wildcard}${suffix} for ${host}`);
        }
        const astray = pinFor({ hosts: { [`${wildcard}other`]: { pins: pin('a') } } }, host);
        assert.equal(astray, 'ERR_HOST_UNPINNED');
      }),
    );
  });

  it('names the host in the error, without what could forge a line of a log', () => {
    assert.throws(
      () => policyFor(createServerPolicies({ hosts }), 'a\nb.example'),
      (error: CertpinError) => error.code === 'ERR_HOST_UNPINNED' && !/[\n\r]/.test(error.message),
    );
  });
});

describe('policies by host', () => {
  it('are one policy where no host is named', () => {
    const policy = createPolicy({ pins: pin('a') });
    assert.equal(createServerPolicies(policy), policy);
    assert.equal(policyFor(policy, undefined), policy);
    assert.equal(policyFor(policy, 'any.example'), policy);
  });

  const broken: [what: string, options: unknown, message: RegExp][] = [
    ['pins beside hosts', { hosts, pins: pin('a') }, /`pins` does not go together with `hosts`/],
    ['a switch beside hosts', { hosts, expired: 'accept' }, /`expired` does not go together with `hosts`/],
    [
      'otherHosts without hosts',
      { otherHosts: 'verify', pins: pin('a') },
      /`otherHosts` has a meaning only together with `hosts`/,
    ],
    [
      'an unknown word for otherHosts',
      { hosts, otherHosts: 'accept' },
      /`otherHosts` must be one of 'refuse', 'verify'/,
    ],
    ['an unknown option beside hosts', { hosts, pinz: 1 }, /unknown policy option `pinz`/],
    ['no host at all', { hosts: {} }, /`hosts` is empty/],
    ['a list of hosts', { hosts: ['api.example.com'] }, /`hosts` must be an object/],
    ['null', { hosts: null }, /`hosts` must be an object/],
    ['a host without pins', { hosts: { 'a.example': {} } }, /a policy needs pins/],
    [
      'one host in two spellings',
      { hosts: { 'a.example': hosts['10.0.0.5'], 'A.EXAMPLE.': hosts['10.0.0.5'] } },
      /twice/,
    ],
    ...[
      ...['', '*', '**', '*.', '**.', 'a.*.example', '*a.example', 'a.example:443', 'https://a.example', 'a.example/x'],
      ...['*.10.0.0.5', '**.[fd00::5]', 'a b', 'a@b', 'a%62', '***.example', '*.*.example', '.example', '1.2.3.4.5'],
    ].map((entry): [string, unknown, RegExp] => [
      `the entry ${JSON.stringify(entry)}`,
      { hosts: { [entry]: { pins: pin('a') } } },
      /is not a host name, IP address or pattern/,
    ]),
  ];
  for (const [what, options, message] of broken) {
    it(`are refused with ${what}`, () => {
      assert.throws(
        () => createServerPolicies(options as HostOptions),
        (error) => error instanceof CertpinError && error.code === 'ERR_OPTION_INVALID' && message.test(error.message),
      );
    });
  }

  it('are refused with a pin that cannot be read', () => {
    assert.throws(() => createServerPolicies({ hosts: { 'a.example': { pins: 'abc' } } }), { code: 'ERR_PIN_INVALID' });
  });
});
