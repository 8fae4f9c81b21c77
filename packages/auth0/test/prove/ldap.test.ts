import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { converseLdap } from '../../src/prove/converse-ldap.ts';
import { type Arrival, Evidence } from '../../src/prove/evidence.ts';
import { asksForStartTls, isLdap, readLdapMessage } from '../../src/prove/ldap.ts';
import { OpeningWatch } from '../../src/prove/opening.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const OID = Buffer.from('1.3.6.1.4.1.1466.20037').toString('hex');
const START_TLS = hex(`301d 020101 7718 8016${OID}`);
/** With lengths of four bytes, as Microsoft writes them. */
const LONG_START_TLS = hex(`308400000025 020101 77840000001c 808400000016${OID}`);
const UNBIND = hex('3005 020102 4200');
/** cn=me, with the password hunter22. */
const bind = hex('3019 020101 6014 020103 0405636e3d6d65 8008 68756e7465723232');

/** What a conversation comes to, when these pieces arrive one by one. */
async function hear(...pieces: readonly Buffer[]): Promise<Arrival & { readonly answered: string }> {
  const evidence = new Evidence([{ label: 'the password', value: 'hunter22' }]);
  const answers: Buffer[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      answers.push(chunk);
      done();
    },
  });
  converseLdap(stream, evidence);
  for (const piece of pieces) stream.push(piece);
  stream.push(null);
  await once(stream, 'end');
  return { ...evidence.sum(), answered: Buffer.concat(answers).toString('hex') };
}

const bytesOf = (buffer: Buffer): Buffer[] => [...buffer].map((byte) => Buffer.of(byte));

describe('how a connection to a directory begins', () => {
  for (const [name, first, opening] of [
    ['StartTLS', START_TLS, { speech: 'ldap', tls: true }],
    ['StartTLS with long lengths', LONG_START_TLS, { speech: 'ldap', tls: true }],
    ['a bind', bind, { speech: 'ldap', tls: false }],
    ['half a bind', bind.subarray(0, 12), { speech: 'ldap', tls: false }],
    ['another extended request', hex('300f 020101 770a 8008312e332e362e31'), { speech: 'ldap', tls: false }],
    ['a number that is none', hex('300f 040101 770a 8008312e332e362e31'), { speech: 'http', tls: false }],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), { speech: 'http', tls: false }],
  ] as const)
    it(name, () => {
      const watch = new OpeningWatch();
      watch.hearClient(first);
      assert.deepEqual(watch.read(), opening);
    });

  it('with TLS at once: the port says what is spoken above it', () => {
    const opening = (port: number): unknown => {
      const watch = new OpeningWatch(port);
      watch.hearClient(hex('1603010200010001fc'));
      return watch.read();
    };
    assert.deepEqual(opening(636), { speech: 'ldap', tls: true, atOnce: true });
    assert.deepEqual(opening(3269), { speech: 'ldap', tls: true, atOnce: true });
    assert.deepEqual(opening(8443), { speech: 'http', tls: true, atOnce: true });
  });
});

describe('a message', () => {
  it('is read when it is whole, and asks for TLS or does not', () => {
    for (const request of [START_TLS, LONG_START_TLS]) {
      for (let length = 0; length < request.length; length++)
        assert.equal(readLdapMessage(request.subarray(0, length)), undefined);
      const message = readLdapMessage(Buffer.concat([request, UNBIND]));
      assert.ok(message !== undefined && asksForStartTls(message));
      assert.deepEqual(message.bytes, request);
    }
    const other = readLdapMessage(bind);
    assert.ok(other !== undefined && !asksForStartTls(other) && isLdap(bind));
  });

  it('that is broken ends nothing', () => {
    for (const broken of [
      '3080',
      '30ff',
      `30ff${'00'.repeat(200)}`,
      '3003 020101',
      '3002 0201',
      '3005 02ff010142',
      '308500000000050201010142',
    ])
      assert.doesNotThrow(() => readLdapMessage(hex(broken)), broken);
  });
});

describe('what an impostor of a directory hears', () => {
  it('a bind: the name and the password, whole or byte by byte', async () => {
    for (const pieces of [[bind], bytesOf(bind)]) {
      const { bytes, kinds, answered } = await hear(...pieces);
      assert.deepEqual([bytes, kinds], [bind.length, ['password', 'the password', 'user name']]);
      assert.equal(answered, '300c02010161070a010004000400');
    }
  });

  it('the end of a conversation that was none is nothing', async () => {
    for (const pieces of [[UNBIND], bytesOf(UNBIND)]) assert.equal((await hear(...pieces)).bytes, 0);
  });

  it('the end of one that was something counts, and so does what only begins like an end', async () => {
    assert.equal((await hear(bind, UNBIND)).bytes, bind.length + UNBIND.length);
    assert.equal((await hear(UNBIND.subarray(0, 5))).bytes, 5);
    assert.equal((await hear(hex('3006 02020102 4200'))).bytes, 8);
    assert.equal((await hear(hex('3007 020102 42020101'))).bytes, 9);
    assert.equal((await hear(Buffer.from('hunter22'))).bytes, 8);
  });
});
