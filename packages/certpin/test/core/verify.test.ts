import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateHex, mint, publicKeyPin } from '@certpin/testkit';
import { Certificate } from '../../src/core/certificate.ts';
import { explain, refusalError } from '../../src/core/explain.ts';
import { createPolicy, type GivenPolicyOptions as PolicyOptions } from '../../src/core/policy.ts';
import type { Peer } from '../../src/core/verdict.ts';
import { verify } from '../../src/core/verify.ts';
import { inFolder, inIndefiniteLength, openssl, outcome, refused } from './support.ts';

const DAY = 24 * 60 * 60 * 1000;
const wrongPins = 'AB'.repeat(32);

const server = await mint({ subject: 'CN=db.example.com', names: ['db.example.com'] });
const next = await mint({ subject: 'CN=db.example.com', names: ['db.example.com'] });
const impostor = await mint({ subject: 'CN=db.example.com', names: ['db.example.com'] });
const expired = await mint({ validFromDays: -20, validToDays: -10 });
const future = await mint({ validFromDays: 10, validToDays: 20 });

const peer = (more: Partial<Peer> = {}): Peer => ({
  host: 'db.example.com',
  port: 5432,
  certificates: [server.x509],
  tlsVersion: 'TLSv1.3',
  sessionReused: false,
  authorized: false,
  authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  ...more,
});

describe('a pin on the leaf', () => {
  it('matches a self-signed certificate by its own hash, which is the whole trust', () => {
    const verdict = verify(peer(), { pins: certificateHex(server) });
    assert.ok(verdict.ok);
    assert.equal(verdict.matched, 'leaf');
    assert.deepEqual(verdict.pin, { kind: 'certificate', sha256: certificateHex(server) });
    assert.equal(verdict.certificate.certificateSha256, certificateHex(server));
    assert.equal(verdict.host, 'db.example.com');
    assert.equal(verdict.port, 5432);
  });

  it('matches by the hash of the public key', async () => {
    const verdict = verify(peer(), { pins: await publicKeyPin(server) });
    assert.ok(verdict.ok);
    assert.equal(verdict.pin.kind, 'public-key');
  });

  it('survives a renewal with the same key where it is on the key, and only there', async () => {
    const renewed = peer({ certificates: [(await mint({ keys: server.keys })).x509] });
    assert.equal(outcome(verify(renewed, { pins: await publicKeyPin(server) })), 'leaf');
    assert.equal(outcome(verify(renewed, { pins: certificateHex(server) })), 'ERR_PIN_MISMATCH');
  });

  it('matches by a backup pin, at any place of the set', async () => {
    const pins = [certificateHex(next), await publicKeyPin(next), certificateHex(server)];
    for (const order of [pins, [...pins].reverse()]) {
      const before = verify(peer(), { pins: order });
      const after = verify(peer({ certificates: [next.x509] }), { pins: order });
      assert.ok(before.ok && after.ok);
      assert.equal(before.pin.sha256, certificateHex(server));
      assert.equal(after.certificate.certificateSha256, certificateHex(next));
    }
  });

  it('is the first of several that match', async () => {
    const verdict = verify(peer(), { pins: [await publicKeyPin(server), certificateHex(server)] });
    assert.ok(verdict.ok);
    assert.equal(verdict.pin.kind, 'public-key');
  });

  it('refuses another certificate, whatever name it bears', () => {
    const verdict = refused(verify(peer({ certificates: [impostor.x509] }), { pins: certificateHex(server) }));
    assert.equal(verdict.code, 'ERR_PIN_MISMATCH');
    assert.equal(verdict.presented[0]?.certificateSha256, certificateHex(impostor));
  });

  it('refuses another certificate that Node trusts', () => {
    const trusted = peer({ certificates: [impostor.x509], authorized: true });
    assert.equal(outcome(verify(trusted, { pins: certificateHex(server) })), 'ERR_PIN_MISMATCH');
  });

  it('counts for the leaf alone, not for certificates beside it', async () => {
    for (const pins of [certificateHex(server), await publicKeyPin(server), server.certPem]) {
      const stolen = peer({ certificates: [impostor.x509, server.x509] });
      assert.equal(outcome(verify(stolen, { pins })), 'ERR_PIN_MISMATCH');
    }
  });

  it('is never the other hash: a hash of the key does not pin a certificate, nor the reverse', async () => {
    const keyHash = Buffer.from((await publicKeyPin(server)).slice(7), 'base64').toString('hex');
    assert.equal(outcome(verify(peer(), { pins: keyHash })), 'ERR_PIN_MISMATCH');
    assert.equal(outcome(verify(peer(), { pins: `sha256:${certificateHex(server)}` })), 'ERR_PIN_MISMATCH');
  });

  it('takes certificates as DER, as X509Certificate, or as Certificate', () => {
    for (const form of [
      server.x509,
      server.x509.raw,
      new Uint8Array(server.x509.raw),
      new Certificate(server.x509.raw),
    ]) {
      assert.equal(outcome(verify(peer({ certificates: [form] }), { pins: certificateHex(server) })), 'leaf');
    }
  });
});

describe('no evidence', () => {
  const policies: PolicyOptions[] = [
    { pins: certificateHex(server) },
    { pins: wrongPins },
    { pins: `sha256:${wrongPins}` },
    { issuerPins: server.certPem },
    { issuerPins: `sha256:${wrongPins}` },
    { pins: server.certPem, expired: 'accept', hostnameVerification: 'ignore', caVerification: 'ignore' },
  ];
  const uncheckable = (certificates: Peer['certificates'], more: Partial<Peer> = {}) => {
    for (const policy of policies) {
      const verdict = refused(verify(peer({ certificates, ...more }), policy));
      assert.equal(verdict.code, 'ERR_PIN_UNCHECKABLE', JSON.stringify(policy));
      assert.ok(explain(verdict).startsWith('pin cannot be checked for db.example.com:5432: '));
      assert.equal(refusalError(verdict).code, 'ERR_PIN_UNCHECKABLE');
      JSON.stringify(verdict);
    }
  };

  it('refuses a server that presents no certificate', () => uncheckable([]));

  it('refuses a resumed session, even where a pinned certificate is shown with it', () => {
    uncheckable([server.x509], { sessionReused: true });
    uncheckable([], { sessionReused: true });
  });

  it('refuses bytes that are no certificate, without an exception', () => {
    for (const garbage of ['', 'garbage', '\u0000', '0'.repeat(1000), server.certPem.slice(0, 100)])
      uncheckable([Buffer.from(garbage)]);
    uncheckable([server.x509.raw.subarray(0, 200)]);
    uncheckable([Buffer.concat([Buffer.of(0x30, 0x82, 0x01, 0x00), Buffer.alloc(256, 7)])]);
  });

  it('takes a certificate that OpenSSL reads and DER does not know for what OpenSSL reads in it', () => {
    const odd = inIndefiniteLength(server.x509, createPrivateKey(server.keyPem));
    const hex = odd.fingerprint256;
    for (const form of [odd, odd.raw]) {
      const judge = (policy: PolicyOptions) => verify(peer({ certificates: [form] }), policy);
      assert.equal(outcome(judge({ pins: hex })), 'leaf');
      for (const policy of policies) {
        const verdict = refused(judge(policy));
        assert.match(verdict.code, /^ERR_(?:PIN_MISMATCH|CHAIN_INVALID)$/);
        assert.match(explain(verdict), new RegExp(hex.replaceAll(':', '')));
        assert.match(JSON.stringify(verdict), /"subject":"CN=/);
      }
    }
  });

  it('refuses a list of certificates that is none', () => {
    uncheckable(null as never);
    uncheckable([null as never]);
    uncheckable([{} as never]);
    uncheckable(['' as never]);
  });

  it('refuses garbage behind a leaf that is not pinned', () => {
    for (const policy of policies) {
      const verdict = refused(verify(peer({ certificates: [impostor.x509, Buffer.from('garbage')] }), policy));
      assert.match(verdict.code, /^ERR_PIN_(?:UNCHECKABLE|MISMATCH)$/);
      explain(verdict);
    }
  });
});

describe('the version of TLS', () => {
  const outcomeWith = (tlsVersion: string | null | undefined) =>
    outcome(verify(peer({ tlsVersion }), { pins: server.certPem }));

  it('must be 1.2 or 1.3', () => {
    assert.equal(outcomeWith('TLSv1.2'), 'leaf');
    assert.equal(outcomeWith('TLSv1.3'), 'leaf');
  });

  it('is refused where it is older, unknown or not established', () => {
    for (const version of ['TLSv1.1', 'TLSv1', 'SSLv3', 'unknown', '', 'tlsv1.3', 'TLSv1.30', null]) {
      assert.equal(outcomeWith(version), 'ERR_TLS_VERSION', String(version));
    }
  });

  it('is not checked where nobody tells it, as with a file', () => assert.equal(outcomeWith(undefined), 'leaf'));
});

describe('expired', () => {
  const outcomeOf = (x509: X509Certificate, policy: Omit<PolicyOptions, 'pins'>, now?: Date) =>
    outcome(verify({ host: 'localhost', certificates: [x509] }, { pins: x509, ...policy }, now));

  it('refuses a pinned certificate after its validity, by default', () => {
    assert.equal(outcomeOf(expired.x509, {}), 'ERR_CERTIFICATE_EXPIRED');
    assert.equal(outcomeOf(expired.x509, { expired: 'refuse' }), 'ERR_CERTIFICATE_EXPIRED');
  });

  it("accepts it with 'accept'", () => assert.equal(outcomeOf(expired.x509, { expired: 'accept' }), 'leaf'));

  it('refuses a certificate before its validity, always', () => {
    assert.equal(outcomeOf(future.x509, {}), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(outcomeOf(future.x509, { expired: 'accept' }), 'ERR_CERTIFICATE_NOT_YET_VALID');
  });

  it('goes by the time that it is given', () => {
    const at = (days: number) => new Date(Date.now() + days * DAY);
    assert.equal(outcomeOf(expired.x509, {}, at(-15)), 'leaf');
    assert.equal(outcomeOf(future.x509, {}, at(15)), 'leaf');
    assert.equal(outcomeOf(server.x509, {}, at(-2)), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(outcomeOf(server.x509, { expired: 'accept' }, at(-2)), 'ERR_CERTIFICATE_NOT_YET_VALID');
    assert.equal(outcomeOf(server.x509, {}, at(31)), 'ERR_CERTIFICATE_EXPIRED');
    assert.equal(outcomeOf(server.x509, { expired: 'accept' }, at(31)), 'leaf');
    assert.equal(outcomeOf(server.x509, {}, new Date(Number.NaN)), 'ERR_CERTIFICATE_NOT_YET_VALID');
  });

  it('says when the validity began or ended', () => {
    const verdict = refused(verify({ certificates: [expired.x509] }, { pins: expired.x509 }));
    assert.ok(verdict.reason.includes(new Date(expired.x509.validTo).toISOString()));
  });

  it('does not tell an impostor that its certificate has expired: the pin comes first', () => {
    assert.equal(outcome(verify({ certificates: [expired.x509] }, { pins: wrongPins })), 'ERR_PIN_MISMATCH');
  });
});

describe('hostnameVerification', () => {
  const names = ['db.example.com', '*.wild.example', '192.0.2.7', '2001:db8::7'];
  const required = async (host: string | undefined, subject = 'CN=common.example', alternativeNames = names) => {
    const { x509 } = await mint({ subject, names: alternativeNames });
    return outcome(verify({ host, certificates: [x509] }, { pins: x509, hostnameVerification: 'require' }));
  };

  it("is ignored for a pinned leaf, by default and with 'ignore'", () => {
    for (const policy of [{}, { hostnameVerification: 'ignore' as const }]) {
      assert.equal(outcome(verify(peer({ host: 'elsewhere.example' }), { pins: server.x509, ...policy })), 'leaf');
      assert.equal(outcome(verify(peer({ host: undefined }), { pins: server.x509, ...policy })), 'leaf');
    }
  });

  for (const host of [
    ...['db.example.com', 'DB.Example.COM', 'db.example.com.', 'a.wild.example'],
    ...['192.0.2.7', '2001:db8::7', '[2001:db8::7]', '2001:0db8:0:0:0:0:0:7', '2001:db8::7%eth0'],
  ]) {
    it(`accepts ${host}, which is named`, async () => assert.equal(await required(host), 'leaf'));
  }

  for (const host of [
    ...[
      'example.com',
      'xdb.example.com',
      'db.example.com.evil.example',
      'db.example',
      'wild.example',
      'a.b.wild.example',
    ],
    ...[
      '.example.com',
      '.wild.example',
      'db.example.com..',
      'db.example.com\u0000.evil.example',
      'db.example.com\u0000',
    ],
    ...['192.0.2.8', '192.0.2', '3221225991', '0xC0000207', '2001:db8::8', '::ffff:192.0.2.7', '[db.example.com]'],
    ...['', '.', ' ', 'common.example', undefined],
  ]) {
    it(`refuses ${JSON.stringify(host)}, which is not named`, async () => {
      assert.equal(await required(host), 'ERR_HOSTNAME_MISMATCH');
    });
  }

  it('does not take an address in a DNS name for an address', async () => {
    const { x509 } = await mint({ names: ['placeholder.example'], subject: 'CN=192.0.2.9' });
    const verdict = verify(
      { host: '192.0.2.9', certificates: [x509] },
      { pins: x509, hostnameVerification: 'require' },
    );
    assert.equal(outcome(verdict), 'ERR_HOSTNAME_MISMATCH');
  });

  it('does not take a part of a label for a wildcard', async () => {
    assert.equal(await required('db1.example.com', 'CN=x', ['db*.example.com']), 'ERR_HOSTNAME_MISMATCH');
    assert.equal(await required('a.example.com', 'CN=x', ['*']), 'ERR_HOSTNAME_MISMATCH');
    assert.equal(await required('db.example.com', 'CN=x', ['db.*.com']), 'ERR_HOSTNAME_MISMATCH');
  });

  it('takes the common name where the certificate has no alternative DNS name, and only there', async () => {
    const withoutNames = inFolder((folder) => {
      const args = ['-x509', '-newkey', 'ed25519', '-nodes', '-keyout', `${folder}/key`, '-days', '9'];
      return new X509Certificate(openssl(['req', ...args, '-subj', '/CN=common.example']));
    });
    const policy: PolicyOptions = { pins: withoutNames, hostnameVerification: 'require' };
    assert.equal(outcome(verify({ host: 'common.example', certificates: [withoutNames] }, policy)), 'leaf');
    assert.equal(
      outcome(verify({ host: 'other.example', certificates: [withoutNames] }, policy)),
      'ERR_HOSTNAME_MISMATCH',
    );
    assert.equal(await required('common.example'), 'ERR_HOSTNAME_MISMATCH');
    assert.equal(
      await required('common.example', 'CN=common.example', ['192.0.2.7']),
      'leaf',
      'as in Node, an address is no name',
    );
  });

  it('is explained for every host, be it none', () => {
    for (const host of ['127.1', '1.2.3', '3221225991', '.', '::1::', 'a\u0000b', '[', '%', '\u001b[2J', '']) {
      const text = explain(verify(peer({ host }), { pins: wrongPins }));
      assert.match(text, /^pin mismatch for/);
      assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
    }
  });

  it('is decided after the pin', () => {
    const policy: PolicyOptions = { pins: wrongPins, hostnameVerification: 'require' };
    assert.equal(outcome(verify(peer({ host: 'elsewhere.example' }), policy)), 'ERR_PIN_MISMATCH');
  });
});

describe('caVerification', () => {
  const outcomeWith = (authorized: boolean | undefined, policy: Omit<PolicyOptions, 'pins'> = {}) =>
    outcome(verify(peer({ authorized }), { pins: server.x509, ...policy }));

  it('is ignored by default: the pin alone is the trust', () => {
    for (const authorized of [true, false, undefined]) {
      assert.equal(outcomeWith(authorized), 'leaf');
      assert.equal(outcomeWith(authorized, { caVerification: 'ignore' }), 'leaf');
    }
  });

  it("demands Node's own verification with 'require', and takes no answer for a refusal", () => {
    assert.equal(outcomeWith(true, { caVerification: 'require' }), 'leaf');
    assert.equal(outcomeWith(false, { caVerification: 'require' }), 'ERR_CA_UNTRUSTED');
    assert.equal(outcomeWith(undefined, { caVerification: 'require' }), 'ERR_CA_UNTRUSTED');
    assert.equal(outcomeWith('true' as never, { caVerification: 'require' }), 'ERR_CA_UNTRUSTED');
  });

  it('never stands in for the pin', () => {
    const verdict = verify(peer({ authorized: true }), { pins: wrongPins, caVerification: 'require' });
    assert.equal(outcome(verdict), 'ERR_PIN_MISMATCH');
  });

  it("shows Node's code", () => {
    const verdict = refused(verify(peer(), { pins: server.x509, caVerification: 'require' }));
    assert.match(verdict.reason, /DEPTH_ZERO_SELF_SIGNED_CERT/);
  });
});

describe('the switches together', () => {
  // Every combination of facts and switches, against a table written down independently of the order of the checks.
  const flags = [true, false];
  for (const matches of flags) {
    for (const isExpired of flags) {
      for (const named of flags) {
        for (const authorized of flags) {
          it(`are independent: ${JSON.stringify({ matches, isExpired, named, authorized })}`, () => {
            const x509 = isExpired ? expired.x509 : server.x509;
            const host = named ? (isExpired ? 'localhost' : 'db.example.com') : 'elsewhere.example';
            for (const expiredSwitch of ['refuse', 'accept'] as const) {
              for (const hostnameVerification of ['require', 'ignore'] as const) {
                for (const caVerification of ['require', 'ignore'] as const) {
                  const policy = {
                    pins: matches ? x509 : wrongPins,
                    expired: expiredSwitch,
                    hostnameVerification,
                    caVerification,
                  };
                  const problems = new Set<string>();
                  if (!matches) problems.add('ERR_PIN_MISMATCH');
                  if (matches && isExpired && expiredSwitch === 'refuse') problems.add('ERR_CERTIFICATE_EXPIRED');
                  if (matches && !named && hostnameVerification === 'require') problems.add('ERR_HOSTNAME_MISMATCH');
                  if (matches && !authorized && caVerification === 'require') problems.add('ERR_CA_UNTRUSTED');
                  const actual = outcome(verify({ host, certificates: [x509], authorized }, policy));
                  if (problems.size === 0) assert.equal(actual, 'leaf');
                  else assert.ok(problems.has(actual), `${actual}, not one of ${[...problems]}`);
                }
              }
            }
          });
        }
      }
    }
  }
});

describe('verify', () => {
  const deepFreeze = <Value>(value: Value): Value => {
    if (
      typeof value === 'object' &&
      value !== null &&
      !ArrayBuffer.isView(value) &&
      !(value instanceof X509Certificate)
    ) {
      Object.freeze(value);
      for (const inner of Object.values(value)) deepFreeze(inner);
    }
    return value;
  };

  it('is pure: the same question has the same answer, and neither peer nor policy is changed', () => {
    const now = new Date();
    for (const pins of [server.certPem, wrongPins]) {
      const options = deepFreeze({
        pins: [pins],
        issuerPins: [next.certPem],
        hostnameVerification: 'require' as const,
      });
      const asked = deepFreeze(peer({ certificates: [server.x509, next.x509.raw] }));
      const before = JSON.stringify(asked);
      const first = verify(asked, options, now);
      const second = verify(asked, createPolicy(options), now);
      assert.deepEqual(JSON.parse(JSON.stringify(first)), JSON.parse(JSON.stringify(second)));
      assert.equal(JSON.stringify(asked), before);
      assert.equal(now.getTime(), new Date(now).getTime());
    }
  });

  it('takes a policy that was made once, and gives it back in the verdict', () => {
    const policy = createPolicy({ pins: server.x509 });
    assert.ok(Object.isFrozen(policy));
    assert.equal(verify(peer(), policy).policy, policy);
  });

  it('throws for a policy that is none, and for nothing else', () => {
    assert.throws(() => verify(peer(), {} as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => verify(peer(), { pins: 'x' }), { code: 'ERR_PIN_INVALID' });
    assert.throws(() => verify(peer(), { pins: wrongPins, exspired: 'accept' } as PolicyOptions), {
      code: 'ERR_OPTION_INVALID',
    });
  });

  it('gives a verdict that is plain JSON and holds nothing but host, port, certificates and pins', () => {
    const asked = {
      ...peer({ certificates: [server.x509] }),
      password: 'hunter2',
      request: 'GET /secret',
      socket: { key: server.keyPem },
    };
    for (const policy of [{ pins: server.certPem }, { pins: wrongPins }, { issuerPins: server.certPem }]) {
      const verdict = verify(asked, policy);
      const json = JSON.stringify(verdict);
      assert.doesNotMatch(json, /hunter2|secret|PRIVATE|BEGIN/);
      const keys = Object.keys(JSON.parse(json) as object);
      for (const key of keys) {
        assert.ok(
          ['ok', 'code', 'reason', 'pin', 'matched', 'certificate', 'host', 'port', 'presented', 'policy'].includes(
            key,
          ),
          key,
        );
      }
    }
  });

  it('has a verdict for a peer that knows next to nothing of itself', () => {
    assert.equal(outcome(verify({ certificates: [server.x509] }, { pins: server.x509 })), 'leaf');
    assert.equal(outcome(verify({ certificates: [server.x509] }, { pins: wrongPins })), 'ERR_PIN_MISMATCH');
  });
});
