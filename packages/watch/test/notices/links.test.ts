// The accident this prevents: a certificate names a page of its maker, and a colleague clicks it in a message that comes from certpin.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkifyIt } from 'linkify-it';
import { toAlerts } from '../../src/notices/alerts.ts';
import { cleanForPeople } from '../../src/notices/clean.ts';
import { toMailText } from '../../src/notices/mail-text.ts';
import { toSlack } from '../../src/notices/slack.ts';
import { toTeams } from '../../src/notices/teams.ts';
import { message, START, transition } from './support.ts';

/** The package finds what a program makes clickable: with any scheme, without one, and addresses of machines and of mail. */
const linkify = new LinkifyIt({ fuzzyIP: true, fuzzyLink: true, fuzzyEmail: true });
linkify.tlds(['example', 'xn--p1ai'], true);
for (const scheme of ['tel:', 'sms:', 'javascript:', 'file:', 'slack:', 'msteams:']) {
  linkify.add(scheme, { validate: (text, at) => /^\S+/.exec(text.slice(at))?.[0].length ?? 0 });
}

const LINKS = [
  'https://evil.example/login',
  'HTTP://evil.example',
  '//evil.example/login',
  'www.evil.example',
  'evil.example',
  'evil.example/path?query=1#here',
  'https://evil.example:8443',
  'xn--e1afmkfd.xn--p1ai',
  'пример.example',
  'admin@evil.example',
  'mailto:admin@evil.example',
  'tel:+15551234',
  'sms:5551234',
  'javascript:alert(1)',
  'file:///etc/passwd',
  'slack:channel',
  'msteams:/l/chat',
  '203.0.113.5/login',
  '"evil.example"',
  '(evil.example)',
  'CN=evil.example,O=Our Bank',
];

describe('a text of a certificate in a message for people', () => {
  for (const link of LINKS) {
    it(`makes no link: ${link}`, () => {
      const reason = `the certificate names ${link} as its maker`;
      assert.ok(linkify.test(reason), 'the package does find it where it stands as it is');
      const one = message([transition({ label: 'db', key: 'db', reason })]);
      const [alert] = toAlerts(one, { form: 'whole', source: 'urn:x', now: START });
      const texts = [
        ...textsOf(JSON.parse(toSlack(one, 'whole'))),
        ...textsOf(JSON.parse(toTeams(one, 'whole'))).filter((text) => !text.startsWith('http://adaptivecards.io/')),
        ...Object.values(toMailText(one, 'whole')),
        ...Object.values(alert?.annotations ?? {}),
      ];
      assert.ok(texts.filter((text) => text.includes('as its maker')).length >= 4);
      for (const text of texts) assert.deepEqual(linkify.match(text)?.map(({ url }) => url) ?? [], [], text);
    });
  }

  it('keeps what is no link as it is', () => {
    for (const text of [
      'connect ECONNREFUSED 192.0.2.25:587',
      'connect ECONNREFUSED 2001:db8::25:587',
      'at [2001:db8::1]:443, and at 10:30',
      'the validity of the certificate ended 2026-11-30T03:11:59.000Z',
      'it ends in 9 days, on 2027-03-24. 1.5 s',
    ])
      assert.equal(cleanForPeople(text), text);
    // To Node, what stands behind the percent sign belongs to the address.
    assert.equal(cleanForPeople('fe80::1%evil.example'), 'fe80[:][:]1%evil[.]example');
    assert.equal(cleanForPeople('names evil.example:443, x@y'), 'names evil[.]example[:]443, x[@]y');
  });
});

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
