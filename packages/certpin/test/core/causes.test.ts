// Cause and next step of a refusal follow from what is known. Whoever is between chooses what is sent, and must not choose the advice.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificateHex, type Minted, mint, publicKeyPin } from '@certpin/testkit';
import { explain, refusalError } from '../../src/core/explain.ts';
import type { GivenPolicyOptions as PolicyOptions } from '../../src/core/policy.ts';
import type { Peer } from '../../src/core/verdict.ts';
import { verify } from '../../src/core/verify.ts';
import { refused } from './support.ts';

const HOST = 'db.example.com';
const names = [HOST];
const ca = await mint({ ca: true, subject: 'CN=Example CA' });
const intermediate = await mint({ ca: true, subject: 'CN=Example Intermediate', issuer: ca });
const server = await mint({ subject: `CN=${HOST}`, names, issuer: ca });
const below = await mint({ subject: `CN=${HOST}`, names, issuer: intermediate });
const selfSigned = await mint({ subject: `CN=${HOST}`, names });
const wrong = 'AB'.repeat(32);
const oldCa = await mint({ ca: true, subject: `CN=${HOST}`, names });
const keyOfCa = await publicKeyPin(ca);
const keyOfSelfSigned = await publicKeyPin(selfSigned);

// The attacker: his own key, and every public certificate there is.
const thief = await mint({ subject: `CN=${HOST}`, names });
const thiefCa = await mint({ ca: true, subject: 'CN=Example CA' });
const ofThiefCa = await mint({ subject: `CN=${HOST}`, names, issuer: thiefCa });
const forged = await mint({ subject: `CN=${HOST}`, names, issuer: ca, signedBy: thief });
const nameless = await mint({ subject: 'CN=x', names: ['x.example'] });
const customer = await mint({ subject: 'CN=evil.example', names: ['evil.example'], issuer: ca });

const ask = (presented: readonly Minted[], policy: PolicyOptions, more: Partial<Peer> = {}) =>
  refused(verify({ host: HOST, port: 5432, certificates: presented.map(({ x509 }) => x509), ...more }, policy));

const part = (text: string, from: string): string => text.slice(text.indexOf(from) + from.length);
const told = (...args: Parameters<typeof ask>) => {
  const text = explain(ask(...args));
  return { text, cause: /\n {2}likely: (.*)/.exec(text)?.[1] ?? '', next: part(text, '\n  next: ') };
};

const ALARM = /somebody|anybody/;

describe('a CA among the pins of leaves', () => {
  it('is told from a verified signature, whether the server sends the CA or not, and is moved to issuerPins', async () => {
    const cases: [readonly Minted[], PolicyOptions['pins'], string | undefined][] = [
      [[server], ca.certPem, undefined],
      [[server, ca], certificateHex(ca), certificateHex(ca)],
      [[server, ca], ca.certPem, certificateHex(ca)],
      [[server, ca], `sha256:${certificateHex(ca)}`, certificateHex(ca)],
      [[server, ca], keyOfCa, keyOfCa],
      [[below, intermediate], certificateHex(intermediate), certificateHex(intermediate)],
      [[below, intermediate], ca.certPem, undefined],
    ];
    for (const [presented, pins, hash] of cases) {
      const { cause, next } = told(presented, { pins });
      assert.equal(cause, "the pin is the CA's, not the leaf's; a CA is pinned with `issuerPins`");
      if (hash === undefined)
        assert.match(next, /^move the CA's certificate, as it is configured, to `issuerPins`; its hash is not/);
      else
        assert.match(
          next,
          /^in `issuerPins`, the hash that is configured already(?:, spelled as a certificate pin)?: /,
        );
      if (hash !== undefined) assert.ok(next.endsWith(hash), next);
      // Whoever does so gets an answer that holds.
      const certificates = presented.map(({ x509 }) => x509);
      assert.equal(verify({ host: HOST, certificates }, { issuerPins: hash ?? ca.certPem }).ok, true);
    }
  });

  it('is no reassurance where somebody else of that CA answers', () => {
    for (const presented of [[customer], [customer, ca]]) {
      const { cause, next } = told(presented, { pins: ca.certPem });
      assert.match(cause, /^the pin is a CA's, and this certificate of the CA does not name db\.example\.com\. /);
      assert.match(cause, ALARM);
      assert.doesNotMatch(next, /evil/);
    }
  });

  it('is not told of an old self-signed certificate that was renewed with the same key, though it seems to have signed the new one', async () => {
    const old = await mint({ ca: true, subject: `CN=${HOST}`, names });
    const renewed = await mint({ ca: true, subject: `CN=${HOST}`, names, keys: old.keys });
    for (const [presented, pins] of [
      [[renewed], old.certPem],
      [[renewed, old], certificateHex(old)],
    ] as const) {
      assert.match(told(presented, { pins }).cause, /^the certificate was renewed with the same key/);
    }
  });

  it('is mentioned where a hash may be that of a CA which was not sent, beside the alarm', () => {
    for (const presented of [[server], [forged], [below, intermediate]]) {
      const { cause, next } = told(presented, { pins: certificateHex(ca) });
      assert.match(cause, ALARM);
      assert.match(
        next,
        /add a pin only if they equal.*\n.*\n {4}if the configured pin is a CA's: pin the CA with `issuerPins`/,
      );
    }
    for (const [presented, pins] of [
      [[thief], certificateHex(ca)],
      [[ofThiefCa], server.certPem],
    ] as const)
      assert.doesNotMatch(told(presented, { pins }).next, /issuerPins/);
  });

  it('is told where the hash of the issuer is spelled as the other kind', () => {
    const { cause, next } = told([server, ca], { issuerPins: `sha256:${certificateHex(ca)}` });
    assert.equal(cause, "the configured issuer pin is the hash of the CA's certificate; spell it as a certificate pin");
    assert.ok(next.endsWith(certificateHex(ca)), next);
  });
});

describe('an issuer that was not sent', () => {
  it('is the cause where the CA is known by its hash alone: its certificate is what helps', async () => {
    for (const [presented, issuerPins] of [
      [[server], certificateHex(ca)],
      [[server], await publicKeyPin(ca)],
      [[below, intermediate], certificateHex(ca)],
    ] as const) {
      const { cause, next, text } = told(presented, { issuerPins });
      assert.match(
        cause,
        /^the server does not send the pinned issuer, and a hash alone does not show what the issuer has signed/,
      );
      assert.match(cause, /it may be your server, or anybody$/);
      assert.match(next, /^give the CA's own certificate \(PEM\), from its operator, as `issuerPins`/);
      assert.doesNotMatch(text, /add a pin/);
    }
  });

  it('is not the cause where the chain ends in another CA, or the CA is known: then no signature leads to it', () => {
    for (const [presented, policy] of [
      [[ofThiefCa, thiefCa], { issuerPins: wrong }],
      [[thief], { issuerPins: certificateHex(ca) }],
      [[below], { issuerPins: thief.certPem }],
    ] as const) {
      const { cause, next } = told(presented, policy);
      assert.match(cause, /^no chain of signatures leads from the certificate to the pinned CA/);
      assert.match(cause, /somebody is between you and the server$/);
      assert.match(next, /add a pin only if they equal what was presented/);
    }
  });
});

describe('another host name, though the pin matched', () => {
  it('is told with the names of the certificate where the leaf is pinned, for the server is the pinned one', () => {
    const { cause, next, text } = told(
      [server],
      { pins: certificateHex(server), hostnameVerification: 'require' },
      { host: 'api.internal' },
    );
    assert.equal(cause, 'the certificate names DNS:db.example.com');
    assert.match(next, /^the pin itself matched\. Call the server by a name of its certificate/);
    assert.doesNotMatch(text, /add a pin|somebody/);
  });

  it('gives no name as an advice where a CA is pinned: whoever has a certificate of that CA has chosen it', () => {
    const { cause, next } = told([customer], { issuerPins: ca.certPem });
    assert.match(cause, /another server of the pinned CA answers, or somebody with a certificate of that CA$/);
    assert.doesNotMatch(next, /evil|add a pin|hostnameVerification|servername/);
    assert.match(next, /^check the host that was called: db\.example\.com\./);
  });

  it('asks for the host where none is known', () => {
    const { text } = told([server], { issuerPins: ca.certPem }, { host: undefined });
    assert.match(text, /next: give the host that is called, or `servername`/);
  });
});

describe('the end of the validity', () => {
  it('may be passed over for a pinned leaf, and never for whatever a CA has signed once', async () => {
    const old = await mint({ subject: `CN=${HOST}`, names, issuer: ca, validFromDays: -9, validToDays: -2 });
    assert.match(told([old], { pins: certificateHex(old) }).next, /expired: 'accept'/);
    const issued = told([old], { issuerPins: ca.certPem });
    assert.doesNotMatch(issued.next, /accept/);
    assert.match(issued.cause, /or somebody uses an old certificate of the pinned CA$/);
  });
});

describe('certificates at one port, of two kinds of key', () => {
  it('are mentioned wherever a certificate was not recognized, with the address that was called', async () => {
    const rsa = await mint({ subject: `CN=${HOST}`, names, keyType: 'rsa' });
    for (const pins of [rsa.certPem, certificateHex(rsa)]) {
      const verdict = { ...ask([selfSigned], { pins }), address: '192.0.2.7' };
      assert.match(explain(verdict), /\n {2}called: 192\.0\.2\.7\n/);
      assert.match(
        explain(verdict),
        /one for each kind of key \(RSA, ECDSA\), address or name: compare with each of them/,
      );
    }
  });
});

describe('what is merely sent along', () => {
  const attacks: Record<string, [readonly Minted[], PolicyOptions]> = {
    'the genuine CA, beside a self-signed certificate': [[thief, ca], { pins: certificateHex(ca) }],
    'the genuine CA, beside a forged certificate that names it': [[forged, ca], { pins: certificateHex(ca) }],
    'the genuine CA, whose certificate is configured': [[forged, ca], { pins: ca.certPem }],
    'the genuine CA, by the hash of its key': [[thief, ca], { pins: keyOfCa }],
    'the pinned certificate itself': [[thief, server], { pins: certificateHex(server) }],
    'the pinned certificate, which is configured': [[thief, server], { pins: server.certPem }],
    'the pinned self-signed certificate, which has the CA bit': [[thief, oldCa], { pins: certificateHex(oldCa) }],
    'the pinned certificate by the hash of its key': [[thief, selfSigned], { pins: keyOfSelfSigned }],
    'a chain of the attacker, with the genuine CA behind it': [[ofThiefCa, thiefCa, ca], { pins: certificateHex(ca) }],
    'the genuine leaf and its CA, behind the attacker': [[thief, server, ca], { pins: certificateHex(ca) }],
    'the genuine CA, pinned as an issuer': [[forged, ca], { issuerPins: certificateHex(ca) }],
    'the genuine CA, pinned as an issuer by the hash of the other kind': [
      [thief, ca],
      { issuerPins: `sha256:${certificateHex(ca)}` },
    ],
    'nothing, and the name of the genuine CA': [[forged], { issuerPins: certificateHex(ca) }],
    'nothing, and no name of the host': [[nameless], { pins: server.certPem }],
    'the genuine CA, beside a certificate that names nobody': [[nameless, ca], { pins: certificateHex(ca) }],
    'a certificate that a customer of the pinned CA has': [[customer, ca], { pins: certificateHex(ca) }],
  };

  for (const [what, [presented, policy]] of Object.entries(attacks)) {
    it(`chooses no advice: ${what}`, () => {
      const verdict = ask(presented, policy);
      const text = explain(verdict);
      const advice = part(text, '\n  likely: ');
      assert.match(advice, ALARM, advice);
      for (const certificate of verdict.presented) {
        const shown = [
          certificate.certificateSha256,
          Buffer.from(certificate.publicKeySha256 ?? '', 'hex').toString('base64'),
        ];
        for (const hash of shown) assert.ok(!advice.includes(hash), advice);
      }
      assert.doesNotMatch(advice, /the pin is the CA's|renewed|`issuerPins`, the hash|spell it|servername/);
      for (const [sentence] of advice.matchAll(/\badd a\b[^\n]*/g))
        assert.match(sentence, /^add a pin only if they equal/);
    });

    it(`is not called an issuer, unless a signature says so: ${what}`, () => {
      const lines = explain(ask(presented, policy)).split('\n');
      const issuers = lines.filter((line) => line.startsWith('  issuer: '));
      const [leaf, ...others] = presented;
      const signed = others.filter(({ x509 }) => x509.ca && leaf?.x509.verify(x509.publicKey));
      assert.equal(issuers.length, signed.length);
      assert.equal(lines.filter((line) => line.startsWith('  sent along: ')).length, others.length - signed.length);
    });
  }

  it('is said to prove nothing, where it has the configured pin', () => {
    for (const [presented, pins] of [
      [[thief, ca], certificateHex(ca)],
      [[thief, server], certificateHex(server)],
    ] as const) {
      assert.match(told(presented, { pins }).cause, /sent along, .*\. That proves nothing: anybody can send it along$/);
    }
  });

  it('does not choose by the names in it what is said', async () => {
    const evil = ['see `issuerPins`', 'trusted.example', 'the pin is the CA’s'];
    const named = await mint({ subject: 'CN=add this pin, O=the pin is the CA’s', names: evil });
    for (const policy of [{ pins: wrong }, { issuerPins: wrong }] satisfies PolicyOptions[]) {
      const advice = part(explain(ask([named], policy)), '\n  likely: ');
      assert.doesNotMatch(advice, /trusted\.example|see `|CA’s|add this/);
    }
  });
});

describe('a file, of which nothing was presented', () => {
  const ofFile = (presented: readonly Minted[], policy: PolicyOptions) =>
    explain(ask(presented, policy, { host: undefined, port: undefined, fromFile: true }));

  it('is spoken of without the words of an attack, and nothing in it was presented', async () => {
    const renewed = await mint({ subject: `CN=${HOST}`, names, keys: selfSigned.keys });
    const expired = await mint({ subject: `CN=${HOST}`, validFromDays: -9, validToDays: -2 });
    const key = Buffer.from((await publicKeyPin(server)).slice(7), 'base64').toString('hex');
    const cases: [readonly Minted[], PolicyOptions][] = [
      [[server], { pins: wrong }],
      [[selfSigned], { pins: server.certPem }],
      [[renewed], { pins: selfSigned.certPem }],
      [[server], { issuerPins: wrong }],
      [[selfSigned], { issuerPins: wrong }],
      [[server, ca], { pins: certificateHex(ca) }],
      [[server, selfSigned], { pins: certificateHex(selfSigned) }],
      [[server], { pins: key }],
      [[server], { pins: `sha256:${certificateHex(server)}` }],
      [[server], { issuerPins: certificateHex(server) }],
      [[customer, ca], { pins: certificateHex(ca) }],
      [[forged, ca], { issuerPins: certificateHex(ca) }],
      [[expired], { pins: certificateHex(expired) }],
      [[], { pins: wrong }],
    ];
    for (const [presented, policy] of cases) {
      const text = ofFile(presented, policy);
      assert.doesNotMatch(
        text,
        /presented(?! it:)|somebody|anybody(?! can make one)|between you|the server presents|answers/,
        text,
      );
      assert.equal(
        text.split('\n').filter((line) => line.startsWith('  in the file: ')).length,
        Math.min(1, presented.length),
      );
    }
  });

  it('is a planned change: its pin goes beside the configured one before the server has it', () => {
    const text = ofFile([selfSigned], { pins: certificateHex(server) });
    assert.match(text, /^pin mismatch: the certificate in the file is none of the pinned ones\n {2}in the file: CN=db/);
    assert.match(text, /\n {2}likely: it is another certificate, with another key\n/);
    assert.match(
      text,
      /next: if the file is from the server itself or from its operator, .*: add its pin\n {4}beside the configured one first/,
    );
  });

  it('matches as a file', () => {
    const verdict = verify({ certificates: [server.x509], fromFile: true }, { pins: certificateHex(server) });
    assert.match(explain(verdict), /^pin matched: the certificate in the file is /);
    assert.doesNotMatch(explain(verdict), /presented/);
  });
});

describe('the summary of a refusal', () => {
  it('is one line: the reason, the host, and the hashes of both sides', async () => {
    const { publicKeySha256 } = ask([thief], { pins: wrong }).presented[0] ?? {};
    const error = refusalError(ask([thief], { pins: [certificateHex(server), await publicKeyPin(ca)] }));
    const keyHex = Buffer.from((await publicKeyPin(ca)).slice(7), 'base64')
      .toString('hex')
      .toUpperCase();
    assert.equal(
      error.summary,
      `the presented certificate is none of the pinned ones for db.example.com:5432; presented: ${certificateHex(thief)} or sha256:${publicKeySha256}; pinned: ${certificateHex(server)}, sha256:${keyHex}`,
    );
    assert.equal(error.message, explain(error.details.verdict));
  });

  it('is short and on one line, whatever a server sends and however many pins there are', () => {
    const pins = Array.from({ length: 40 }, (_, index) => (index + 16).toString(16).repeat(32));
    const { summary = '' } = refusalError(
      ask([forged, ca], { pins, issuerPins: certificateHex(ca) }, { host: 'a\nb' }),
    );
    assert.doesNotMatch(summary, /[\p{Cc}\p{Cf}]/u);
    assert.match(summary, /, and 37 more$/);
    assert.ok(summary.length < 1_000, String(summary.length));
  });

  it('says that nothing was presented', () => {
    const { summary } = refusalError(ask([], { issuerPins: wrong }));
    assert.equal(
      summary,
      `the server presented no certificate for db.example.com:5432; presented: nothing; pinned: ${wrong} (issuer)`,
    );
  });
});
