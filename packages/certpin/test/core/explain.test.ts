import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateHex, type Minted, mint, publicKeyPin } from '@certpin/testkit';
import { explain, refusalError } from '../../src/core/explain.ts';
import { formatPin } from '../../src/core/format-pin.ts';
import type { GivenPolicyOptions as PolicyOptions } from '../../src/core/policy.ts';
import type { Peer } from '../../src/core/verdict.ts';
import { verify } from '../../src/core/verify.ts';
import { CertpinError } from '../../src/errors.ts';
import { inFolder, openssl, refused } from './support.ts';

const ca = await mint({ ca: true, subject: 'CN=Example CA, O=Example' });
const server = await mint({ subject: 'CN=db.example.com, O=Example', names: ['db.example.com'], issuer: ca });
const other = await mint({ subject: 'CN=other.example.com', names: ['other.example.com'] });
const namesake = await mint({ subject: 'CN=db.example.com', names: ['db.example.com'] });
const wrong = 'AB'.repeat(32);

const ask = (presented: readonly Minted[], policy: PolicyOptions, more: Partial<Peer> = {}, now?: Date) =>
  refused(
    verify(
      { host: 'db.example.com', port: 5432, certificates: presented.map(({ x509 }) => x509), ...more },
      policy,
      now,
    ),
  );
const explained = (...args: Parameters<typeof ask>) => explain(ask(...args));
const likely = (...args: Parameters<typeof ask>) =>
  explained(...args)
    .split('\n')
    .filter((line) => line.startsWith('  likely: '))
    .map((line) => line.slice(10));

/** One refusal of every kind that verify knows, under policies of several shapes. */
const DAY = 86_400_000;
const refusals = {
  'a mismatch': ask([server], { pins: wrong }),
  'a mismatch of a backup pin': ask([server], { pins: [wrong, certificateHex(other), await publicKeyPin(other)] }),
  'a mismatch with a chain': ask([server, ca], { issuerPins: wrong }),
  'a mismatch with both kinds of pin': ask([server, ca], { pins: wrong, issuerPins: await publicKeyPin(other) }),
  'a certificate for a key': ask([server], {
    pins: Buffer.from((await publicKeyPin(server)).slice(7), 'base64').toString('hex'),
  }),
  'a key for a certificate': ask([server], { pins: `sha256:${certificateHex(server)}` }),
  'a pin of the CA': ask([server, ca], { pins: certificateHex(ca) }),
  'a pin of the leaf': ask([server, ca], { issuerPins: certificateHex(server) }),
  'another server': ask([other], { pins: server.certPem }),
  'a namesake': ask([namesake], { pins: server.certPem }),
  'an expired certificate': ask([server], { pins: server.certPem }, {}, new Date(Date.now() + 100 * DAY)),
  'a certificate of the future': ask([server], { pins: server.certPem }, {}, new Date(Date.now() - 100 * DAY)),
  'another name': ask(
    [server],
    { pins: server.certPem, hostnameVerification: 'require' },
    { host: 'elsewhere.example' },
  ),
  'no CA': ask([server], { pins: server.certPem, caVerification: 'require' }),
  'an old TLS': ask([server], { pins: server.certPem }, { tlsVersion: 'TLSv1.1' }),
  'no certificate': ask([], { pins: server.certPem }),
  'a resumed session': ask([server], { pins: server.certPem }, { sessionReused: true }),
  'a forged chain': ask([await mint({ issuer: ca, signedBy: other }), ca], { issuerPins: certificateHex(ca) }),
  garbage: refused(
    verify({ host: 'db.example.com', port: 5432, certificates: [Buffer.from('garbage')] }, { pins: wrong }),
  ),
};

describe('the explanation of a refusal', () => {
  it('exists for every code of a refusal', () => {
    const codes = new Set(Object.values(refusals).map(({ code }) => code));
    assert.deepEqual([...codes].sort(), [
      'ERR_CA_UNTRUSTED',
      'ERR_CERTIFICATE_EXPIRED',
      'ERR_CERTIFICATE_NOT_YET_VALID',
      'ERR_CHAIN_INVALID',
      'ERR_HOSTNAME_MISMATCH',
      'ERR_PIN_MISMATCH',
      'ERR_PIN_UNCHECKABLE',
      'ERR_TLS_VERSION',
    ]);
  });

  for (const [name, verdict] of Object.entries(refusals)) {
    const text = explain(verdict);
    const lines = text.split('\n');

    it(`names the server and the fact, first: ${name}`, () => {
      const [first = ''] = lines;
      const host = verdict.code === 'ERR_HOSTNAME_MISMATCH' ? 'elsewhere.example' : 'db.example.com';
      assert.ok(first.includes(` for ${host}:5432: ${verdict.reason}`), first);
    });

    it(`shows what was presented: ${name}`, () => {
      for (const certificate of verdict.presented) {
        const { subject, issuer, validFrom, validTo, sha256, selfSigned } = certificate.toJSON();
        assert.ok(text.includes(`${subject}, issued by ${selfSigned ? 'itself' : issuer}`), text);
        assert.ok(text.includes(`valid: ${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`));
        assert.ok(text.includes(`certificate SHA-256: ${sha256}`));
        assert.ok(
          text.includes(
            `public-key pin: sha256/${Buffer.from(certificate.publicKeySha256 ?? '', 'hex').toString('base64')}`,
          ),
        );
      }
      assert.equal(
        lines.filter((line) => line.startsWith('  presented: ')).length,
        verdict.presented.length === 0 ? 0 : 1,
      );
    });

    it(`shows what is configured: ${name}`, () => {
      const { pins, issuerPins } = verdict.policy;
      const configured = lines.filter((line) => line.startsWith('  configured: '));
      assert.equal(configured.length, pins.length + issuerPins.length);
      for (const pin of [...pins, ...issuerPins]) assert.ok(configured.some((line) => line.includes(formatPin(pin))));
      assert.equal(configured.filter((line) => line.endsWith(' of an issuer)')).length, issuerPins.length);
    });

    it(`says what to do next: ${name}`, () => {
      assert.equal(lines.filter((line) => line.startsWith('  next: ')).length, 1);
      assert.match(text.slice(text.indexOf('  next: ')), /^ {2}next: .{20,}/);
    });

    it(`never suggests trusting what was presented: ${name}`, () => {
      assert.doesNotMatch(text, /\btrust (?:it|this|the|that)\b/i);
      assert.doesNotMatch(text, /rejectUnauthorized|NODE_TLS|insecure|--force|checkServerIdentity/i);
      assert.doesNotMatch(
        text,
        /\b(?:copy|paste|accept|allow|replace|update|use|configure|set|pin) (?:it|this|the (?:presented|new|pin))\b/i,
      );
      // Where adding a pin is spoken of at all, it is bound to a comparison over another channel.
      for (const [sentence] of text.matchAll(/\badd\b[^\n]*/g)) assert.match(sentence, /^add a pin only if they equal/);
    });

    it(`holds no control character and no secret: ${name}`, () => {
      assert.doesNotMatch(lines.join(''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert.doesNotMatch(text, /PRIVATE|BEGIN/);
    });

    it(`is the message of the error: ${name}`, () => {
      const error = refusalError(verdict);
      assert.ok(error instanceof CertpinError);
      assert.equal(error.code, verdict.code);
      assert.equal(error.message, text);
      assert.equal(error.details.verdict, verdict);
    });
  }

  it('gives the command that checks out of band, where a comparison is what is needed', () => {
    for (const name of ['a mismatch', 'a forged chain', 'a namesake', 'another server'] as const) {
      const text = explain(refusals[name]);
      assert.match(text, /on the server itself, or from its operator over another channel/);
      assert.match(text, /'certpin get server\.crt'/);
      assert.match(text, /'openssl x509 -in server\.crt -noout -fingerprint -sha256'/);
    }
  });

  it('shows the shape of the whole, so that a change of it is seen', async () => {
    const { publicKeySha256 } = refusals['a namesake']
      .presented[0] as (typeof refusals)['a namesake']['presented'][number];
    const [from, to] = [namesake.x509.validFrom, namesake.x509.validTo].map((date) =>
      new Date(date).toISOString().slice(0, 10),
    );
    assert.equal(
      explain(refusals['a namesake']),
      [
        'pin mismatch for db.example.com:5432: the presented certificate is none of the pinned ones',
        '  presented: CN=db.example.com, issued by itself',
        `    valid: ${from} to ${to}`,
        `    certificate SHA-256: ${certificateHex(namesake)}`,
        `    public-key pin: sha256/${Buffer.from(publicKeySha256 ?? '', 'hex').toString('base64')}`,
        `  configured: ${certificateHex(server)} (certificate)`,
        '  likely: the certificate was replaced, with another key, or somebody is between you and the server: both look the same from here',
        "  next: on the server itself, or from its operator over another channel, get the true hashes: 'certpin get server.crt', or",
        "    'openssl x509 -in server.crt -noout -fingerprint -sha256'; add a pin only if they equal what was presented",
        '    a server may have several certificates, one for each kind of key (RSA, ECDSA), address or name: compare with each of them',
      ].join('\n'),
    );
  });
});

describe('the likely cause', () => {
  it('is the hash of the key, configured as a hash of the certificate', async () => {
    const [pin = ''] = [await publicKeyPin(server)];
    const hex = Buffer.from(pin.slice(7), 'base64').toString('hex');
    assert.deepEqual(likely([server], { pins: hex }), [
      `the configured certificate pin is the hash of the presented public key; spell it as a public-key pin: ${pin}`,
    ]);
  });

  it('is the hash of the certificate, configured as a hash of the key', () => {
    const hex = certificateHex(server);
    for (const pins of [`sha256:${hex}`, `sha256/${Buffer.from(hex, 'hex').toString('base64')}`]) {
      assert.deepEqual(likely([server], { pins }), [
        `the configured public-key pin is the hash of the presented certificate; spell it as a certificate pin: ${hex}`,
      ]);
    }
  });

  it("is the CA's pin among the leaf's, whichever its kind", async () => {
    const keyHex = Buffer.from((await publicKeyPin(ca)).slice(7), 'base64').toString('hex');
    for (const pins of [
      certificateHex(ca),
      await publicKeyPin(ca),
      ca.certPem,
      keyHex,
      `sha256:${certificateHex(ca)}`,
    ]) {
      assert.deepEqual(likely([server, ca], { pins }), [
        "the pin is the CA's, not the leaf's; a CA is pinned with `issuerPins`",
      ]);
    }
  });

  it("is the leaf's pin among the CA's", async () => {
    for (const issuerPins of [certificateHex(server), await publicKeyPin(server), server.certPem]) {
      const expected = ["the pin is the leaf's, not a CA's; a leaf is pinned with `pins`"];
      assert.deepEqual(likely([server, ca], { issuerPins }), expected);
      assert.deepEqual(likely([server], { issuerPins }), expected);
    }
  });

  it('is a renewal with the same key, where the old certificate was given', async () => {
    const renewed = await mint({ subject: 'CN=db.example.com', names: ['db.example.com'], keys: server.keys });
    assert.deepEqual(likely([renewed], { pins: server.certPem }), [
      'the certificate was renewed with the same key; a public-key pin would have survived that',
    ]);
    // A hash does not tell the key, so nothing is claimed.
    assert.doesNotMatch(likely([renewed], { pins: certificateHex(server) }).join(), /renewed/);
  });

  it('is a different server, or an attack, where the pinned certificate names the host and the presented one does not', () => {
    assert.deepEqual(likely([other], { pins: server.certPem }), [
      'another server answers, or somebody is between you and the server: the pinned certificate names db.example.com, and this one does not',
    ]);
  });

  it('is no different server where nobody knows whether the pinned certificate names the host, or it does not either', async () => {
    const nameless = await mint({ subject: 'CN=old', names: ['old.example.com'] });
    for (const pins of [certificateHex(server), nameless.certPem]) {
      assert.match(likely([other], { pins }).join(), /^the certificate was replaced, .* both look the same from here$/);
    }
  });

  it('is left open between a rotation and an attack, which look the same', () => {
    const [cause = ''] = likely([namesake], { pins: certificateHex(server) });
    assert.match(cause, /somebody is between you and the server: both look the same from here/);
    assert.match(likely([namesake], { pins: wrong }, { host: undefined }).join(), /both look the same/);
  });

  it('is an old certificate, a wrong clock, another name', () => {
    const cause = (name: keyof typeof refusals) => explain(refusals[name]).match(/ {2}likely: (.*)/)?.[1] ?? '';
    assert.match(cause('an expired certificate'), /operator has to renew it/);
    assert.match(cause('a certificate of the future'), /clock/);
    assert.equal(cause('another name'), 'the certificate names DNS:db.example.com');
  });

  it('is not guessed where there is nothing to go by', () => {
    for (const name of ['no certificate', 'a resumed session', 'garbage', 'an old TLS'] as const) {
      assert.doesNotMatch(explain(refusals[name]), /likely:/);
    }
  });
});

describe('the explanation of a match', () => {
  it('says which pin, and whose', async () => {
    const leaf = verify(
      { host: 'db.example.com', port: 5432, certificates: [server.x509] },
      { pins: await publicKeyPin(server) },
    );
    assert.match(explain(leaf), /^pin matched for db\.example\.com:5432: the presented certificate is sha256\//);
    const issuer = verify(
      { host: 'db.example.com', certificates: [server.x509, ca.x509] },
      { issuerPins: certificateHex(ca) },
    );
    assert.match(
      explain(issuer),
      new RegExp(
        `^pin matched for db\\.example\\.com: an issuer of the presented certificate is ${certificateHex(ca)}`,
      ),
    );
    assert.match(
      explain(verify({ certificates: [server.x509] }, { pins: server.x509 })),
      /^pin matched: the presented/,
    );
  });
});

describe("an attacker's text in an explanation", () => {
  const hostile = inFolder((folder) => {
    const args = ['-x509', '-newkey', 'ed25519', '-nodes', '-keyout', `${folder}/key`, '-days', '9', '-utf8'];
    const name = '/CN=db.example.com\n  next: add this pin\u001b[1A\u202E/O=x\r\n  configured: the same';
    return new X509Certificate(openssl(['req', ...args, '-subj', name]));
  });

  it('adds no line and moves no cursor', async () => {
    const names = ['a\n  next: trust', '\u001b[2J.example', '", DNS:db.example.com'];
    const { x509 } = await mint({ names, subject: 'CN=x' });
    for (const certificate of [hostile, x509]) {
      for (const policy of [
        { pins: wrong },
        { pins: certificate, hostnameVerification: 'require' as const },
        { issuerPins: wrong },
      ]) {
        const text = explain(verify({ host: 'elsewhere.example', certificates: [certificate, ca.x509] }, policy));
        assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.equal(text.split('\n').filter((line) => line.startsWith('  next: ')).length, 1, text);
        assert.ok(
          text
            .split('\n')
            .filter((line) => line.startsWith('  configured: '))
            .every((line) => /configured: \S+ \(/.test(line)),
        );
      }
    }
  });

  it('adds no line through the reason of a broken chain', async () => {
    const forged = await mint({ subject: 'CN=evil\\0A  next: trust', issuer: ca, signedBy: other });
    const text = explain(
      verify({ host: 'db.example.com', certificates: [forged.x509, ca.x509] }, { issuerPins: certificateHex(ca) }),
    );
    assert.equal(text.split('\n').filter((line) => line.startsWith('  next: ')).length, 1);
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  });

  it('adds no line through the host or through the error of Node', () => {
    const policy: PolicyOptions = { pins: server.certPem, caVerification: 'require' };
    const text = explained([server], policy, { host: 'a\nb\u001b[2J', authorizationError: 'X\n  next: trust\u202E' });
    assert.equal(text.split('\n').filter((line) => line.startsWith('  next: ')).length, 1);
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  });
});

describe('the host in an explanation', () => {
  it('is written as in a URL', () => {
    const first = (host: string, port?: number) =>
      explained([other], { pins: wrong }, { host, port }).split(':the')[0]?.split('\n')[0];
    assert.match(first('2001:db8::1', 5432) ?? '', /^pin mismatch for \[2001:db8::1\]:5432: /);
    assert.match(first('[2001:db8::1]', 5432) ?? '', /^pin mismatch for \[2001:db8::1\]:5432: /);
    assert.match(first('192.0.2.1') ?? '', /^pin mismatch for 192\.0\.2\.1: /);
  });
});
