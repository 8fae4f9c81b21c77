// The accident this prevents: a host that looks canonical is taken as it stands, and the URL standard spells it otherwise. Then a policy is
// looked up under one name, and the connection goes to another.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalHost, urlHost } from '../../src/host.ts';

/** What canonicalHost said before it knew any host by sight. No host here is an IPv4 address in the clothes of IPv6. */
const same = (host: string): void => assert.equal(canonicalHost(host), urlHost(host), JSON.stringify(host));

describe('a host that is canonical at first sight', () => {
  it('is what the URL standard makes of it', () => {
    const hosts = [
      ...[
        'localhost',
        'db.example.com',
        'a',
        'a.b',
        'a-b.c-d',
        '1a.b2',
        '1.a',
        '10.0.0.a',
        '0x1.a',
        'a1',
        'xn.a',
        'xn-a',
      ],
      ...['127.0.0.1', '0.0.0.0', '255.255.255.255', '10.0.0.5', '100.20.3.99', '249.250.199.200'],
      ...[
        '',
        '.',
        'a.',
        '.a',
        'a..b',
        '-a',
        'a-',
        'a.-b',
        'a-.b',
        'a--b',
        'xn--a',
        'xn--mnchen-3ya',
        'xn--mnchen-3ya.de',
      ],
      ...[
        'A',
        'a.B',
        'a_b',
        'a b',
        'a\n',
        '\na',
        'a\0',
        'a/b',
        'a:1',
        'a@b',
        'a%62',
        'ä',
        'a\u00ad',
        '\u212a',
        'ａ',
        'a。b',
      ],
      ...[
        '1',
        '1.2',
        '1.2.3',
        '1.2.3.4.',
        '1.2.3.4.5',
        '01.2.3.4',
        '1.2.3.04',
        '256.1.1.1',
        '1.2.3.256',
        '0x7f.1',
        '0x7f.0.0.1',
      ],
      ...['a.0x', 'a.0x1', 'a.0xg', 'a.1', 'a.b.09', '4294967295', '4294967296', '00.0.0.0', '1.2.3.4\n', ' 1.2.3.4'],
      ...['::1', '[::1]', 'fd00::5', 'FD00::0005', '1.2.3.4:5', 'a'.repeat(63), 'a'.repeat(64), `${'a.'.repeat(126)}a`],
    ];
    hosts.forEach(same);
  });

  it('is what the URL standard makes of it: drawn by lot', () => {
    const of = (characters: string, maxLength: number) =>
      fc.string({ unit: fc.constantFrom(...characters), maxLength });
    const drawn = fc.oneof(
      of('ab0x19.-', 9),
      of('abcxyzn019.-', 70),
      of('0123456789.', 16),
      of('axnA.-_0é\u00ad\n%', 8),
      fc
        .array(fc.oneof(fc.nat(300).map(String), of('0x1fg', 4)), { minLength: 1, maxLength: 5 })
        .map((parts) => parts.join('.')),
      fc.array(of('xn-a0', 6), { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
      fc.domain(),
      fc.ipV4(),
      fc.ipV4Extended(),
    );
    fc.assert(fc.property(drawn, same), { numRuns: 30_000 });
  });
});
