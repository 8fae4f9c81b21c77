import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import { readXmlTag } from '../../src/protocols/xml-tags.ts';
import { createXmppUpgrade } from '../../src/protocols/xmpp.ts';

// The conversation itself: text-protocols.test.ts.

const openingOf = (host: string) => Buffer.from(createXmppUpgrade('xmpp', host).opening ?? []).toString('latin1');
const domainOf = (host: string) => / to='([^']*)'/.exec(openingOf(host))?.[1];

test('the stream names the host, in the spelling of a URL', () => {
  assert.equal(domainOf('IM.example.com.'), 'im.example.com');
  assert.equal(domainOf('münchen.example'), 'xn--mnchen-3ya.example');
  assert.equal(domainOf('192.0.2.1'), '192.0.2.1');
  assert.equal(domainOf('fe80::1%eth0'), '[fe80::1]');
});

test('a host cannot end its attribute and begin another', () => {
  for (const host of [
    "a'b",
    'a"b',
    'a&b',
    'a<b',
    'a>b',
    "a' x='",
    'a b',
    'a\r\nb',
    'a/b',
    'a@b',
    '',
    'a\0',
    '$',
    'a`b',
  ]) {
    assert.throws(() => createXmppUpgrade('xmpp', host), { code: 'ERR_OPTION_INVALID' }, JSON.stringify(host));
  }
});

test('whatever the host, the opening is one stream header, or there is none', () => {
  const parts = fc.constantFrom("'", '"', '<', '>', '&', '/', ' ', '.', 'example', '[', ']', ':', '\r\n', 'ä');
  fc.assert(
    fc.property(fc.array(fc.oneof(parts, fc.string({ maxLength: 4, unit: 'binary' })), { maxLength: 8 }), (pieces) => {
      let opening: string;
      try {
        opening = openingOf(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof CertpinError, String(error));
        assert.equal(error.code, 'ERR_OPTION_INVALID');
        return;
      }
      assert.match(
        opening,
        /^<\?xml version='1\.0'\?><stream:stream( xmlns(:stream)?='[^']*'){2} to='[\w.:[\]-]+' version='1\.0'>$/,
      );
    }),
    { numRuns: 2000 },
  );
});

test('features without measure are given up, in one packet too', () => {
  const header = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
  const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  const greet = (count: number) =>
    createXmppUpgrade('xmpp', 'im.example.com').receive(
      Buffer.from(`${header}<stream:features>${starttls}${'<y/>'.repeat(count)}</stream:features>`),
    ).next;
  assert.equal(greet(4000), 'send');
  assert.throws(() => greet(4096), { code: 'ERR_UPGRADE_UNEXPECTED' });
});

test('a tag is read with its attributes, and nothing else is one', () => {
  const tag = readXmlTag(`<a:b c = 'x>"y' d="it's"  />rest`);
  assert.ok(typeof tag === 'object');
  assert.deepEqual(
    { ...tag, attributes: [...tag.attributes] },
    {
      kind: 'empty',
      name: 'a:b',
      attributes: [
        ['c', 'x>"y'],
        ['d', "it's"],
      ],
      length: 28,
    },
  );
  for (const cut of ['<', '</', '<a', '<a b', "<a b='>", "<a b='/>"]) assert.equal(readXmlTag(cut), 'cut', cut);
  for (const text of [
    '',
    'a',
    '<>',
    '< a>',
    '<!--x-->',
    '<?x?>',
    '<1>',
    '<a<',
    "<a b='<",
    '<a b>',
    '<a b=c>',
    "<a b='c'd='e'>",
    '</a/>',
    "</a b='c'>",
    "<a b='1' b='2'>",
  ])
    assert.equal(readXmlTag(text), 'foreign', text);
});
