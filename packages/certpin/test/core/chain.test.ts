import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { certificateHex, type Minted, type MintOptions, mint, publicKeyPin } from '@certpin/testkit';
import { Certificate } from '../../src/core/certificate.ts';
import { verifyChain } from '../../src/core/chain.ts';
import { explain } from '../../src/core/explain.ts';
import { parsePins } from '../../src/core/parse-pin.ts';
import type { GivenPolicyOptions as PolicyOptions } from '../../src/core/policy.ts';
import { verify } from '../../src/core/verify.ts';
import { changed, der, inFolder, openssl, outcome, refused, within, withKey } from './support.ts';

const HOST = 'db.example.com';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_PURPOSE = '2.5.29.37.0';

const mintCa = (subject: string, more: MintOptions = {}) => mint({ ca: true, subject, ...more });
const mintLeaf = (more: MintOptions = {}) => mint({ subject: `CN=${HOST}`, names: [HOST], ...more });

/** The genuine house: a root, an intermediate, and a leaf below each. */
const root = await mintCa('CN=Genuine Root, O=Example');
const intermediate = await mintCa('CN=Genuine Intermediate, O=Example', { issuer: root });
const leafOfRoot = await mintLeaf({ issuer: root });
const leaf = await mintLeaf({ issuer: intermediate });

/** CAs out of their time. */
const expiredRoot = await mintCa('CN=Expired Root', { validFromDays: -20, validToDays: -10 });
const expiredIntermediate = await mintCa('CN=Expired Intermediate', {
  issuer: root,
  validFromDays: -20,
  validToDays: -10,
});
const futureIntermediate = await mintCa('CN=Future Intermediate', { issuer: root, validFromDays: 10, validToDays: 20 });

const judge = (presented: readonly (Minted | X509Certificate)[], policy: PolicyOptions, now?: Date) =>
  verify(
    {
      host: HOST,
      port: 5432,
      certificates: presented.map((one) => ('x509' in one ? one.x509 : one)),
      tlsVersion: 'TLSv1.3',
    },
    policy,
    now,
  );

/** What Node's getPeerCertificate() goes by when it links issuers: the name, and not the signature. */
const looksIssued = (child: Minted, issuer: Minted) => child.x509.checkIssued(issuer.x509);

/** A pin on an issuer in its four forms: hash of certificate, hash of key, PEM, X509Certificate. */
const pinForms = async (ca: Minted) => [certificateHex(ca), await publicKeyPin(ca), ca.certPem, ca.x509];

/** Asserts that `presented` is refused under every form of a pin on `ca`, and gives back the reason. */
async function refusedUnder(
  ca: Minted,
  presented: readonly (Minted | X509Certificate)[],
  code = 'ERR_CHAIN_INVALID',
  now?: Date,
): Promise<string> {
  let reason = '';
  for (const issuerPins of await pinForms(ca)) {
    const verdict = refused(judge(presented, { issuerPins }, now));
    assert.equal(verdict.code, code, `${verdict.code}: ${verdict.reason}`);
    explain(verdict);
    reason = verdict.reason;
  }
  return reason;
}

async function acceptedUnder(ca: Minted, presented: readonly Minted[]): Promise<void> {
  for (const issuerPins of await pinForms(ca)) {
    const verdict = judge(presented, { issuerPins });
    assert.ok(verdict.ok, verdict.ok ? '' : verdict.reason);
    assert.equal(verdict.matched, 'issuer');
    assert.equal(verdict.certificate.certificateSha256, certificateHex(ca));
  }
}

describe('a genuine chain', () => {
  it('leads from the leaf to the pinned root', () => acceptedUnder(root, [leafOfRoot, root]));
  it('leads through an intermediate', () => acceptedUnder(root, [leaf, intermediate, root]));
  it('leads to a pinned intermediate', () => acceptedUnder(intermediate, [leaf, intermediate]));
  it('leads to a pinned intermediate whose root is sent too', () =>
    acceptedUnder(intermediate, [leaf, intermediate, root]));

  it('may come in any order behind the leaf', async () => {
    const unrelated = await mintCa('CN=Unrelated');
    for (const others of [
      [root, intermediate, unrelated],
      [unrelated, root, intermediate],
      [intermediate, unrelated, root],
      [unrelated, intermediate, root, intermediate, root],
    ]) {
      await acceptedUnder(root, [leaf, ...others]);
    }
  });

  it('may lack the root, where that was given as a certificate', () => {
    for (const issuerPins of [root.certPem, root.x509, root.x509.raw]) {
      assert.equal(outcome(judge([leafOfRoot], { issuerPins })), 'issuer');
      assert.equal(outcome(judge([leaf, intermediate], { issuerPins })), 'issuer');
    }
  });

  it('may lack the intermediate, where that was given as a certificate too', () => {
    assert.equal(outcome(judge([leaf], { issuerPins: [root.certPem, intermediate.certPem] })), 'issuer');
  });

  it('must not lack the root, where only its hash was given', async () => {
    for (const issuerPins of [certificateHex(root), await publicKeyPin(root)]) {
      assert.equal(outcome(judge([leafOfRoot], { issuerPins })), 'ERR_PIN_MISMATCH');
      assert.equal(outcome(judge([leaf, intermediate], { issuerPins })), 'ERR_PIN_MISMATCH');
    }
  });

  it('must not lack the intermediate', () => {
    assert.notEqual(outcome(judge([leaf, root], { issuerPins: root.certPem })), 'issuer');
  });

  it('is found for any of several pins', async () => {
    const next = await mintCa('CN=Next Root');
    const issuerPins = [certificateHex(next), certificateHex(root)];
    assert.equal(outcome(judge([leafOfRoot, root], { issuerPins })), 'issuer');
    assert.equal(outcome(judge([await mintLeaf({ issuer: next }), next], { issuerPins })), 'issuer');
  });

  it('stands beside pins on the leaf, which are looked at first', () => {
    const policy = { pins: certificateHex(leafOfRoot), issuerPins: certificateHex(root) };
    assert.equal(outcome(judge([leafOfRoot, root], policy)), 'leaf');
    assert.equal(outcome(judge([leaf, intermediate, root], policy)), 'issuer');
  });

  it('may be signed with RSA and Ed25519', async () => {
    for (const keyType of ['rsa', 'ed25519'] as const) {
      const ca = await mintCa('CN=CA', { keyType });
      await acceptedUnder(ca, [await mintLeaf({ issuer: ca, keyType }), ca]);
    }
  });

  it('may pass through a root that was renewed with the same key', async () => {
    const renewed = await mintCa('CN=Genuine Root, O=Example', { keys: root.keys });
    assert.equal(outcome(judge([leafOfRoot, renewed], { issuerPins: await publicKeyPin(root) })), 'issuer');
    assert.equal(outcome(judge([leafOfRoot, renewed, root], { issuerPins: certificateHex(root) })), 'issuer');
    assert.notEqual(outcome(judge([leafOfRoot, renewed], { issuerPins: certificateHex(root) })), 'issuer');
  });

  it('may be cross-signed', async () => {
    const crossed = await mintCa('CN=Genuine Intermediate, O=Example', {
      issuer: await mintCa('CN=Old Root'),
      keys: intermediate.keys,
    });
    await acceptedUnder(root, [leaf, crossed, intermediate, root]);
  });
});

describe('a forged chain', () => {
  it("is refused: the leaf names the genuine CA and ships the CA's public certificate", async () => {
    const forged = await mintLeaf({ issuer: root, signedBy: await mintCa('CN=Attacker') });
    assert.ok(looksIssued(forged, root), 'by name, it is a child of the genuine CA');
    assert.match(await refusedUnder(root, [forged, root]), /has not signed it: a forgery/);
  });

  it('is refused: the same behind a genuine intermediate', async () => {
    const forged = await mintLeaf({ issuer: intermediate, signedBy: await mintCa('CN=Attacker') });
    assert.ok(
      looksIssued(forged, intermediate) && looksIssued(intermediate, root),
      'by name, the whole chain is genuine',
    );
    await refusedUnder(root, [forged, intermediate, root]);
    await refusedUnder(intermediate, [forged, intermediate, root]);
  });

  it('is refused: an intermediate that names the genuine root', async () => {
    const rogue = await mintCa('CN=Rogue Intermediate', { issuer: root, signedBy: await mintCa('CN=Attacker') });
    const forged = await mintLeaf({ issuer: rogue });
    assert.ok(looksIssued(forged, rogue) && looksIssued(rogue, root));
    assert.match(await refusedUnder(root, [forged, rogue, root]), /has not signed it/);
  });

  it("is refused: the attacker's CA has the genuine name, and both are shipped", async () => {
    const attacker = await mintCa('CN=Genuine Root, O=Example');
    const forged = await mintLeaf({ issuer: attacker });
    assert.ok(looksIssued(forged, attacker) && looksIssued(forged, root), 'by name, either is the issuer');
    assert.ok(looksIssued(attacker, root), 'and the genuine root is the issuer of the other');
    for (const others of [
      [attacker, root],
      [root, attacker],
    ]) {
      await refusedUnder(root, [forged, ...others]);
    }
  });

  it("is refused: the attacker's CA has the genuine name, and is shipped alone", async () => {
    const attacker = await mintCa('CN=Genuine Root, O=Example');
    const forged = await mintLeaf({ issuer: attacker });
    for (const issuerPins of await pinForms(root)) assert.ok(!judge([forged, attacker], { issuerPins }).ok);
  });

  it('is refused: a self-signed leaf of the genuine name', async () => {
    const forged = await mintLeaf({ subject: 'CN=Genuine Root, O=Example', ca: true });
    assert.ok(looksIssued(forged, root));
    await refusedUnder(root, [forged, root]);
  });

  it('is refused: an unrelated pinned certificate beside a chain of its own', async () => {
    const attacker = await mintCa('CN=Attacker');
    const forged = await mintLeaf({ issuer: attacker });
    assert.match(
      await refusedUnder(root, [forged, attacker, root]),
      /no certificate links the leaf to the pinned issuer/,
    );
    assert.match(await refusedUnder(intermediate, [forged, attacker, intermediate, root]), /no certificate links/);
    await refusedUnder(root, [await mintLeaf(), root]);
  });

  it('is refused: the genuine leaf, pinned nowhere, beside the one of the attacker', async () => {
    const attacker = await mintCa('CN=Attacker');
    await refusedUnder(root, [await mintLeaf({ issuer: attacker }), attacker, leafOfRoot, root]);
  });

  it('is refused: the pinned CA certificate presented alone, as the leaf', async () => {
    const lone = await mintCa('CN=Lone CA', { names: [HOST] });
    for (const issuerPins of await pinForms(lone)) {
      for (const presented of [[lone], [lone, lone]]) {
        const verdict = refused(judge(presented, { issuerPins }));
        assert.equal(verdict.code, 'ERR_PIN_MISMATCH');
        assert.match(explain(verdict), /the pin is the leaf's, not a CA's; a leaf is pinned with `pins`/);
      }
    }
  });

  it('is refused: a certificate with the public key of the pinned CA, as the leaf', async () => {
    const forged = await mintLeaf({ keys: root.keys, signedBy: await mintCa('CN=Attacker') });
    assert.ok(!judge([forged, root], { issuerPins: await publicKeyPin(root) }).ok);
  });

  it('is refused: signed by a leaf of the same CA, which is no CA', async () => {
    const customer = await mint({ subject: 'CN=Customer', names: ['customer.example'], issuer: root });
    const forged = await mintLeaf({ issuer: customer });
    assert.ok(
      forged.x509.verify(customer.x509.publicKey) && customer.x509.verify(root.x509.publicKey),
      'every signature is good',
    );
    assert.match(await refusedUnder(root, [forged, customer, root]), /'CN=Customer' is not a CA/);
  });

  it('is refused: pinned is a leaf, and it signs', async () => {
    const forged = await mintLeaf({ issuer: leafOfRoot });
    assert.ok(forged.x509.verify(leafOfRoot.x509.publicKey));
    assert.match(await refusedUnder(leafOfRoot, [forged, leafOfRoot, root]), /is not a CA/);
  });

  it('is refused: a CA of version 1, of which nobody knows whether it is one', async () => {
    inFolder((folder) => {
      const path = (name: string) => join(folder, name);
      openssl([
        'req',
        '-new',
        '-nodes',
        '-newkey',
        'rsa:2048',
        '-keyout',
        path('ca.key'),
        '-out',
        path('ca.csr'),
        '-subj',
        '/CN=Version 1',
      ]);
      openssl([
        'x509',
        '-req',
        '-in',
        path('ca.csr'),
        '-signkey',
        path('ca.key'),
        '-days',
        '9',
        '-out',
        path('ca.crt'),
      ]);
      openssl([
        'req',
        '-new',
        '-nodes',
        '-newkey',
        'rsa:2048',
        '-keyout',
        path('key'),
        '-out',
        path('csr'),
        '-subj',
        `/CN=${HOST}`,
      ]);
      openssl([
        'x509',
        '-req',
        '-in',
        path('csr'),
        '-CA',
        path('ca.crt'),
        '-CAkey',
        path('ca.key'),
        '-CAcreateserial',
        '-days',
        '9',
        '-out',
        path('crt'),
      ]);
      const ca = new X509Certificate(readFileSync(path('ca.crt')));
      const child = new X509Certificate(readFileSync(path('crt')));
      assert.ok(child.checkIssued(ca) && child.verify(ca.publicKey));
      assert.match(refused(judge([child, ca], { issuerPins: ca })).reason, /is not a CA/);
    });
  });

  it('is refused: a CA whose key usage does not let it sign certificates', async () => {
    // keyUsage: digitalSignature alone (RFC 5280 §4.2.1.3)
    const keyUsage = { id: '2.5.29.15', critical: true, value: Buffer.of(0x03, 0x02, 0x07, 0x80) };
    const signer = await mintCa('CN=No Signer', { issuer: root, rawExtensions: [keyUsage] });
    const forged = await mintLeaf({ issuer: signer });
    assert.ok(forged.x509.verify(signer.x509.publicKey));
    await refusedUnder(root, [forged, signer, root]);
  });
});

describe('the path length', () => {
  it('allows as many intermediates as it says (RFC 5280 §4.2.1.9)', async () => {
    const narrow = await mintCa('CN=Narrow', { pathLength: 0 });
    await acceptedUnder(narrow, [await mintLeaf({ issuer: narrow }), narrow]);
    const wide = await mintCa('CN=Wide', { pathLength: 1 });
    const below = await mintCa('CN=Below', { issuer: wide, pathLength: 0 });
    await acceptedUnder(wide, [await mintLeaf({ issuer: below }), below, wide]);
  });

  it('refuses one intermediate more', async () => {
    const narrow = await mintCa('CN=Narrow', { pathLength: 0 });
    const excess = await mintCa('CN=Excess', { issuer: narrow });
    const child = await mintLeaf({ issuer: excess });
    assert.ok(looksIssued(child, excess) && looksIssued(excess, narrow));
    assert.match(await refusedUnder(narrow, [child, excess, narrow]), /allows a path of 0 intermediates; there are 1/);
  });

  it('holds for an intermediate as for the root', async () => {
    const narrow = await mintCa('CN=Narrow', { issuer: root, pathLength: 0 });
    const excess = await mintCa('CN=Excess', { issuer: narrow });
    await refusedUnder(root, [await mintLeaf({ issuer: excess }), excess, narrow, root]);
  });

  it('does not count an intermediate that a CA has issued to itself', async () => {
    const narrow = await mintCa('CN=Narrow', { pathLength: 0 });
    const rolled = await mintCa('CN=Narrow', { issuer: narrow, pathLength: 0 });
    await acceptedUnder(narrow, [await mintLeaf({ issuer: rolled }), rolled, narrow]);
  });
});

describe('the validity of an issuer', () => {
  it('is demanded of an intermediate', async () => {
    const presented = [await mintLeaf({ issuer: expiredIntermediate }), expiredIntermediate, root];
    assert.match(await refusedUnder(root, presented), /'CN=Expired Intermediate' is expired/);
    for (const issuerPins of await pinForms(root))
      assert.equal(outcome(judge(presented, { issuerPins, expired: 'accept' })), 'issuer');
  });

  it('is demanded of the pinned root', async () => {
    const presented = [await mintLeaf({ issuer: expiredRoot }), expiredRoot];
    assert.match(await refusedUnder(expiredRoot, presented), /'CN=Expired Root' is expired/);
    for (const issuerPins of await pinForms(expiredRoot))
      assert.equal(outcome(judge(presented, { issuerPins, expired: 'accept' })), 'issuer');
  });

  it("is demanded before it begins, with expired: 'accept' too", async () => {
    const presented = [await mintLeaf({ issuer: futureIntermediate }), futureIntermediate, root];
    assert.match(await refusedUnder(root, presented), /'CN=Future Intermediate' is not yet valid/);
    const accepting = judge(presented, { issuerPins: root.certPem, expired: 'accept' });
    assert.equal(outcome(accepting), 'ERR_CHAIN_INVALID');
  });

  it('goes by the given time', async () => {
    const presented = [await mintLeaf({ issuer: futureIntermediate }), futureIntermediate, root];
    assert.equal(
      outcome(judge(presented, { issuerPins: root.certPem }, new Date(Date.now() + 15 * 86_400_000))),
      'issuer',
    );
  });

  it('is found in a certificate that was renewed with the same key', async () => {
    const renewed = await mintCa('CN=Expired Intermediate', { issuer: root, keys: expiredIntermediate.keys });
    await acceptedUnder(root, [await mintLeaf({ issuer: expiredIntermediate }), expiredIntermediate, renewed, root]);
  });

  it('of the leaf is judged as ever', async () => {
    const old = await mintLeaf({ issuer: root, validFromDays: -20, validToDays: -10 });
    assert.equal(outcome(judge([old, root], { issuerPins: root.certPem })), 'ERR_CERTIFICATE_EXPIRED');
    assert.equal(outcome(judge([old, root], { issuerPins: root.certPem, expired: 'accept' })), 'issuer');
    const early = await mintLeaf({ issuer: root, validFromDays: 10, validToDays: 20 });
    assert.equal(
      outcome(judge([early, root], { issuerPins: root.certPem, expired: 'accept' })),
      'ERR_CERTIFICATE_NOT_YET_VALID',
    );
  });
});

describe('the purpose of a certificate', () => {
  it("must not be a client's", async () => {
    const client = await mintLeaf({ issuer: root, purposes: [CLIENT_AUTH] });
    assert.ok(
      looksIssued(client, root) && client.x509.verify(root.x509.publicKey),
      'it is a genuine certificate of the CA',
    );
    assert.match(await refusedUnder(root, [client, root]), /is not meant for TLS servers/);
  });

  it("may be a server's among others, or any", async () => {
    for (const purposes of [[SERVER_AUTH], [CLIENT_AUTH, SERVER_AUTH], [ANY_PURPOSE]]) {
      await acceptedUnder(root, [await mintLeaf({ issuer: root, purposes }), root]);
    }
  });

  it('limits an intermediate and what is below it', async () => {
    const forClients = await mintCa('CN=Client CA', { issuer: root, purposes: [CLIENT_AUTH] });
    const child = await mintLeaf({ issuer: forClients, purposes: [SERVER_AUTH] });
    assert.match(await refusedUnder(root, [child, forClients, root]), /'CN=Client CA' is not meant for TLS servers/);
    await refusedUnder(forClients, [child, forClients]);
  });
});

describe('an extension', () => {
  const unknown = { id: '1.2.3.4.5', critical: true, value: Buffer.of(0x05, 0x00) };

  it('that is critical and unknown is a refusal (RFC 5280 §4.2), wherever it stands', async () => {
    const odd = await mintLeaf({ issuer: root, rawExtensions: [unknown] });
    assert.match(await refusedUnder(root, [odd, root]), /critical extension that is not understood \(1\.2\.3\.4\.5\)/);
    const oddCa = await mintCa('CN=Odd', { issuer: root, rawExtensions: [unknown] });
    const child = await mintLeaf({ issuer: oddCa });
    await refusedUnder(root, [child, oddCa, root]);
    await refusedUnder(oddCa, [child, oddCa]);
  });

  it('that is unknown and not critical is none', async () => {
    await acceptedUnder(root, [
      await mintLeaf({ issuer: root, rawExtensions: [{ ...unknown, critical: false }] }),
      root,
    ]);
  });

  it('that sets name constraints is a refusal, critical or not', async () => {
    // permittedSubtrees: dNSName example.com (RFC 5280 §4.2.1.10)
    const value = der(0x30, der(0xa0, der(0x30, der(0x82, Buffer.from('example.com')))));
    for (const critical of [true, false]) {
      const constrained = await mintCa('CN=Constrained', {
        issuer: root,
        rawExtensions: [{ id: '2.5.29.30', critical, value }],
      });
      const child = await mintLeaf({ issuer: constrained });
      assert.match(
        await refusedUnder(root, [child, constrained, root]),
        /name constraints, which cannot be checked here/,
      );
      await refusedUnder(constrained, [child, constrained]);
    }
  });

  it('that everybody uses is understood', async () => {
    const keyCertSign = { id: '2.5.29.15', critical: true, value: Buffer.of(0x03, 0x02, 0x02, 0x04) };
    const anyPolicy = {
      id: '2.5.29.32',
      critical: true,
      value: der(0x30, der(0x30, der(0x06, Buffer.of(0x55, 0x1d, 0x20, 0x00)))),
    };
    const ca = await mintCa('CN=Usual', { issuer: root, rawExtensions: [keyCertSign, anyPolicy] });
    const digitalSignature = { id: '2.5.29.15', critical: true, value: Buffer.of(0x03, 0x02, 0x07, 0x80) };
    await acceptedUnder(root, [
      await mintLeaf({ issuer: ca, rawExtensions: [digitalSignature], purposes: [SERVER_AUTH] }),
      ca,
      root,
    ]);
  });
});

describe('a broken signature algorithm', () => {
  it('is refused: ECDSA with SHA-1 on the leaf', async () => {
    const weak = await mintLeaf({ issuer: root, signatureHash: 'SHA-1' });
    assert.ok(weak.x509.verify(root.x509.publicKey), 'the signature is good');
    assert.match(await refusedUnder(root, [weak, root]), /is signed with SHA-1 or MD5/);
  });

  it('is refused: SHA-1 on an intermediate', async () => {
    const weak = await mintCa('CN=Weak', { issuer: root, signatureHash: 'SHA-1' });
    assert.match(
      await refusedUnder(root, [await mintLeaf({ issuer: weak }), weak, root]),
      /'CN=Weak' is signed with SHA-1 or MD5/,
    );
  });

  for (const [name, ...options] of [
    ['RSA with MD5', '-md5'],
    ['RSA with SHA-1', '-sha1'],
    ['RSASSA-PSS with SHA-1', '-sha1', '-sigopt', 'rsa_padding_mode:pss'],
    ['RSA with SHA-256', '-sha256'],
    ['RSASSA-PSS with SHA-256', '-sha256', '-sigopt', 'rsa_padding_mode:pss'],
  ] as const) {
    const broken = !name.endsWith('SHA-256');
    it(`${broken ? 'is refused' : 'is none'}: ${name}`, async () => {
      const ca = await mintCa('CN=RSA', { keyType: 'rsa' });
      const child = inFolder((folder) => {
        const path = (file: string) => join(folder, file);
        writeFileSync(path('ca.crt'), ca.certPem);
        writeFileSync(path('ca.key'), ca.keyPem);
        writeFileSync(path('extensions'), `subjectAltName=DNS:${HOST}`);
        openssl([
          'req',
          '-new',
          '-nodes',
          '-newkey',
          'ed25519',
          '-keyout',
          path('key'),
          '-out',
          path('csr'),
          '-subj',
          `/CN=${HOST}`,
        ]);
        const files = [
          '-CA',
          path('ca.crt'),
          '-CAkey',
          path('ca.key'),
          '-CAcreateserial',
          '-extfile',
          path('extensions'),
        ];
        return new X509Certificate(openssl(['x509', '-req', '-in', path('csr'), ...files, '-days', '9', ...options]));
      });
      assert.ok(child.verify(ca.x509.publicKey), 'the signature is good');
      const verdict = judge([child, ca], { issuerPins: certificateHex(ca) });
      assert.equal(outcome(verdict), broken ? 'ERR_CHAIN_INVALID' : 'issuer');
      if (!verdict.ok) assert.match(verdict.reason, /is signed with SHA-1 or MD5/);
    });
  }
});

describe('the host name under an issuer pin', () => {
  it('is required by default: a CA vouches for more than one server', async () => {
    const elsewhere = await mintLeaf({ issuer: root, names: ['elsewhere.example'], subject: 'CN=elsewhere.example' });
    await refusedUnder(root, [elsewhere, root], 'ERR_HOSTNAME_MISMATCH');
    await acceptedUnder(root, [leafOfRoot, root]);
  });

  it('is refused where the host is not known', () => {
    const verdict = verify({ certificates: [leafOfRoot.x509, root.x509] }, { issuerPins: certificateHex(root) });
    assert.equal(outcome(verdict), 'ERR_HOSTNAME_MISMATCH');
  });

  it("is ignored where the policy says so, with 'ignore'", async () => {
    const elsewhere = await mintLeaf({ issuer: root, names: ['elsewhere.example'], subject: 'CN=elsewhere.example' });
    const policy = { issuerPins: certificateHex(root), hostnameVerification: 'ignore' } as const;
    assert.equal(outcome(judge([elsewhere, root], policy)), 'issuer');
  });

  it('is ignored for a leaf that is pinned itself beside the issuer', async () => {
    const elsewhere = await mintLeaf({ issuer: root, names: ['elsewhere.example'] });
    const policy = { pins: certificateHex(elsewhere), issuerPins: certificateHex(root) };
    assert.equal(outcome(judge([elsewhere, root], policy)), 'leaf');
  });
});

describe('a chain that is made to keep us busy', () => {
  it('is judged in no time: 200 namesakes of the CA', async () => {
    const namesakes = await Promise.all(Array.from({ length: 200 }, () => mintCa('CN=Genuine Root, O=Example')));
    const forged = await mintLeaf({ issuer: root, signedBy: await mintCa('CN=Attacker') });
    for (const others of [
      [...namesakes, root],
      [root, ...namesakes],
    ]) {
      const verdict = within(1000, () => judge([forged, ...others], { issuerPins: certificateHex(root) }));
      assert.equal(outcome(verdict), 'ERR_CHAIN_INVALID');
      within(2000, () => explain(verdict));
    }
    assert.equal(
      outcome(within(1000, () => judge([leafOfRoot, root, ...namesakes], { issuerPins: certificateHex(root) }))),
      'issuer',
    );
  });

  it('is judged in no time: 200 CAs of one name and one key, each the issuer of each', async () => {
    const { keys } = await mintCa('CN=Mesh');
    const mesh = await Promise.all(Array.from({ length: 200 }, () => mintCa('CN=Mesh', { keys })));
    const forged = await mintLeaf({ issuer: mesh[0] as Minted });
    const verdict = within(1000, () => judge([forged, ...mesh, root], { issuerPins: certificateHex(root) }));
    assert.equal(outcome(verdict), 'ERR_CHAIN_INVALID');
    assert.match(refused(verdict).reason, /the chain is too long/);
  });

  it('is judged in no time: the same certificate 5000 times', async () => {
    const forged = await mintLeaf({ issuer: root, signedBy: await mintCa('CN=Attacker') });
    const repeated = new Certificate(root.x509.raw);
    const certificates = [forged.x509, ...Array.from({ length: 5000 }, () => repeated)];
    const verdict = within(1000, () =>
      verifyChain(new Certificate(forged.x509.raw), certificates.slice(1) as Certificate[], parsePins(root.certPem), {
        now: new Date(),
        expired: 'refuse',
      }),
    );
    assert.equal(verdict.ok, false);
  });

  it('is judged in no time: CAs that have signed each other in a circle', async () => {
    const first = await mintCa('CN=First');
    const second = await mintCa('CN=Second');
    const firstBySecond = await mintCa('CN=First', { issuer: second, keys: first.keys });
    const secondByFirst = await mintCa('CN=Second', { issuer: first, keys: second.keys });
    const forged = await mintLeaf({ issuer: first });
    const circle = [firstBySecond, secondByFirst, first, second];
    assert.equal(
      outcome(within(1000, () => judge([forged, ...circle, root], { issuerPins: certificateHex(root) }))),
      'ERR_CHAIN_INVALID',
    );
    // And where one of them is pinned, the way around is found.
    assert.equal(outcome(judge([forged, ...circle], { issuerPins: certificateHex(second) })), 'issuer');
  });

  it('ends at eight issuers', async () => {
    const issuers = [await mintCa('CN=Level 1')];
    while (issuers.length < 9)
      issuers.push(await mintCa(`CN=Level ${issuers.length + 1}`, { issuer: issuers.at(-1) as Minted }));
    const pinned = certificateHex(issuers[0] as Minted);
    const below = async (depth: number) => [
      await mintLeaf({ issuer: issuers[depth - 1] as Minted }),
      ...issuers.slice(0, depth),
    ];
    assert.equal(outcome(judge(await below(8), { issuerPins: pinned })), 'issuer');
    assert.equal(outcome(judge(await below(9), { issuerPins: pinned })), 'ERR_CHAIN_INVALID');
  });
});

describe('a leaf that is pinned as an issuer', () => {
  it('is refused, with the explanation', async () => {
    for (const target of [leafOfRoot, await mintLeaf()]) {
      for (const issuerPins of await pinForms(target)) {
        const verdict = refused(judge([target, root], { issuerPins }));
        assert.equal(verdict.code, 'ERR_PIN_MISMATCH');
        assert.match(explain(verdict), /the pin is the leaf's, not a CA's; a leaf is pinned with `pins`/);
      }
    }
  });
});

describe('a key of the chain', () => {
  /** A chain of one CA, whose key is made by openssl. */
  const chainOf = (
    caKey: readonly string[],
    leafKey: readonly string[] = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ) =>
    inFolder((folder) => {
      const path = (name: string) => join(folder, name);
      const key = (name: string) => ['-keyout', path(name), '-nodes'];
      const days = ['-days', '9'];
      const ca = ['-addext', 'basicConstraints=critical,CA:TRUE'];
      openssl([
        'req',
        '-x509',
        '-newkey',
        ...caKey,
        ...key('ca.key'),
        '-subj',
        '/CN=CA',
        '-out',
        path('ca.crt'),
        ...days,
        ...ca,
      ]);
      openssl(['req', '-new', '-newkey', ...leafKey, ...key('key'), '-subj', `/CN=${HOST}`, '-out', path('csr')]);
      writeFileSync(path('extensions'), `subjectAltName=DNS:${HOST}`);
      const signer = [
        '-CA',
        path('ca.crt'),
        '-CAkey',
        path('ca.key'),
        '-CAcreateserial',
        '-extfile',
        path('extensions'),
      ];
      openssl(['x509', '-req', '-in', path('csr'), ...signer, '-out', path('crt'), ...days]);
      return [path('crt'), path('ca.crt')].map((file) => new X509Certificate(readFileSync(file)));
    });

  for (const [what, keys, problem] of [
    ['a CA with RSA of 1024 bits', [['rsa:1024']], /'CN=CA' has a key of 1024 bits, which is too weak/],
    ['a leaf with RSA of 1024 bits', [['rsa:2048'], ['rsa:1024']], /'CN=db.example.com' has a key of 1024 bits/],
    [
      'a CA on a curve of 192 bits',
      [['ec', '-pkeyopt', 'ec_paramgen_curve:P-192']],
      /'CN=CA' has a key on a curve that is weak/,
    ],
    [
      'a CA that describes its curve',
      [['ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit']],
      /'CN=CA' cannot be read without doubt/,
    ],
  ] as const) {
    it(`is refused: ${what}`, () => {
      const [child, ca] = chainOf(...(keys as unknown as [string[], string[]?])) as [X509Certificate, X509Certificate];
      assert.ok(child.verify(ca.publicKey), 'the signature is good');
      const verdict = refused(judge([child, ca], { issuerPins: ca }));
      assert.equal(verdict.code, 'ERR_CHAIN_INVALID');
      assert.match(verdict.reason, problem);
    });
  }

  it('is taken: RSA of 2048 and 4096 bits, P-384, RSASSA-PSS', () => {
    for (const key of [
      ['rsa:2048'],
      ['rsa:4096'],
      ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
      ['rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
    ]) {
      const [child, ca] = chainOf(key) as [X509Certificate, X509Certificate];
      assert.equal(outcome(judge([child, ca], { issuerPins: ca })), 'issuer', key.join(' '));
    }
  });
});

describe('what a certificate may be used for', () => {
  const keyUsage = (...value: number[]) => ({ id: '2.5.29.15', critical: true, value: Buffer.of(3, 2, ...value) });
  const netscape = (...value: number[]) => ({
    id: '2.16.840.1.113730.1.1',
    critical: false,
    value: Buffer.of(3, 2, ...value),
  });

  it('is TLS: a leaf that may do nothing in a handshake is refused', async () => {
    for (const extension of [keyUsage(1, 6), keyUsage(1, 2), netscape(7, 0x80)]) {
      const child = await mintLeaf({ issuer: root, rawExtensions: [extension] });
      assert.match(await refusedUnder(root, [child, root]), /is not meant for TLS servers \(key usage\)/);
    }
    for (const extension of [keyUsage(7, 0x80), keyUsage(5, 0x20), keyUsage(3, 8), netscape(6, 0x40)])
      await acceptedUnder(root, [await mintLeaf({ issuer: root, rawExtensions: [extension] }), root]);
  });

  it('has no limits that cannot be evaluated here: proxies, addresses, networks', async () => {
    for (const id of ['1.3.6.1.5.5.7.1.14', '1.3.6.1.5.5.7.1.7', '1.3.6.1.5.5.7.1.8']) {
      const value = der(0x30);
      const child = await mintLeaf({ issuer: root, rawExtensions: [{ id, critical: false, value }] });
      assert.match(await refusedUnder(root, [child, root]), /which cannot be checked here/);
    }
  });
});

describe('the work that a server can cause', () => {
  /** Nobody has the other half of such a key, and nobody needs it to be asked for a verification. */
  const rsa = (bits: number, exponent: Buffer) => {
    const modulus = Buffer.alloc(bits / 8, 0xc5);
    const unsigned = (bytes: Buffer) => der(0x02, Buffer.of(0), bytes);
    const algorithm = Buffer.from('300d06092a864886f70d0101010500', 'hex');
    return der(0x30, algorithm, der(0x03, Buffer.of(0), der(0x30, unsigned(modulus), unsigned(exponent))));
  };
  const ordinary = Buffer.of(1, 0, 1);

  it('is small: each of its certificates has a key that is made to keep us busy', () => {
    for (const [bits, exponent] of [
      [16_384, ordinary],
      [16_384, Buffer.alloc(8, 0xff)],
      [3_072, Buffer.alloc(383, 0xc5)],
      [2_048, Buffer.alloc(20_000, 0xff)],
      [200_000, ordinary],
    ] as const) {
      const costly = withKey(root.x509, rsa(bits, exponent));
      const names = Array.from({ length: 60 }, (_, index) => changedSerial(costly, index));
      const policy = { issuerPins: [certificateHex(root), new Certificate(names[0] as Buffer).certificateSha256] };
      const verdict = within(500, () => verify({ certificates: [leafOfRoot.x509, ...names], host: HOST }, policy));
      assert.equal(outcome(verdict), 'ERR_CHAIN_INVALID');
      within(500, () => explain(verdict));
      within(500, () => JSON.stringify(verdict));
    }
  });

  it('has an end: what stands behind 256 certificates, or 256 kB, vouches for nobody', () => {
    const policy = { issuerPins: certificateHex(root) };
    const others = (count: number) => Array.from({ length: count }, () => intermediate.x509);
    assert.equal(outcome(judge([leafOfRoot, ...others(254), root], policy)), 'issuer');
    assert.equal(outcome(judge([leafOfRoot, ...others(255), root], policy)), 'ERR_PIN_MISMATCH');
    const large = withKey(root.x509, rsa(200_000, ordinary));
    const asked = (count: number) => [
      leafOfRoot.x509.raw,
      ...Array.from({ length: count }, () => large),
      root.x509.raw,
    ];
    const presented = (count: number) => verify({ certificates: asked(count), host: HOST }, policy);
    assert.equal(outcome(presented(10)), 'issuer');
    assert.equal(outcome(presented(11)), 'ERR_PIN_MISMATCH');
  });

  it('is not read aloud: names of 45 kB', async () => {
    const long = 'x'.repeat(45_000);
    const names = Array.from({ length: 100 }, (_, index) => `${index}.${'y'.repeat(300)}.example`);
    const odd = await mint({ subject: `CN=${long}`, names, issuer: await mintCa(`CN=CA ${long}`), signedBy: root });
    for (const policy of [
      { pins: 'ab'.repeat(32) },
      { pins: certificateHex(odd), hostnameVerification: 'require' } as const,
    ]) {
      const text = explain(refused(judge([odd, await mintCa(`CN=CA ${long}`)], policy)));
      assert.ok(text.length < 5_000, `${text.length} characters`);
      assert.match(text, /x{150}…/);
    }
    const chain = refused(
      judge([odd, await mintCa(`CN=CA ${long}`)], { issuerPins: (await mintCa(`CN=CA ${long}`)).certPem }),
    );
    assert.ok(explain(chain).length < 5_000);
  });
});

/** The same certificate with another number, which makes it another one; its signature is the old one. */
function changedSerial(raw: Buffer, index: number): Buffer {
  return changed(raw, (hex) => hex.replace(/(a003020102)0202..../, `$10202${(0x2000 + index).toString(16)}`));
}
