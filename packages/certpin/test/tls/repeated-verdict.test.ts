import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { certificateHex, type Minted, mint, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { Certificate } from '../../src/core/certificate.ts';
import { livePins } from '../../src/core/live-pins.ts';
import { createPolicy, type PolicyOptions } from '../../src/core/policy.ts';
import { type Verdict, verify } from '../../src/core/verify.ts';
import { guard } from '../../src/tls/guard.ts';
import { VERDICT_CHANNEL } from '../../src/tls/index.ts';
import { knownVerdict } from '../../src/tls/repeated-verdict.ts';
import { findCertificate, readLeaf, withoutCertificate } from '../../src/tls/session-certificate.ts';
import { atTime } from './clock.ts';

const right = await mint();
const server = await startTlsServer({ certificate: right });
after(() => server.close());

/** Connects under a policy that is made once: what came of it, and the verdict that was published. */
async function attempt(policy: ReturnType<typeof createPolicy>, host = 'localhost'): Promise<Verdict | string> {
  let published: Verdict | undefined;
  const listen = (message: unknown): void => {
    published = message as Verdict;
  };
  channel(VERDICT_CHANNEL).subscribe(listen);
  const options = { host: '127.0.0.1', port: server.port, servername: host };
  const socket = guard({ options, policy, connectTimeoutMs: 5_000 });
  socket.write('canary');
  try {
    await once(socket, 'secureConnect');
    return published as Verdict;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    socket.destroy();
    channel(VERDICT_CHANNEL).unsubscribe(listen);
  }
}

async function policyOf(
  options: PolicyOptions = { pins: certificateHex(right) },
): Promise<ReturnType<typeof createPolicy>> {
  const policy = createPolicy(options);
  server.present(right);
  const first = await attempt(policy);
  assert.ok(typeof first === 'object' && first.ok, 'the right server connects');
  return policy;
}

describe('a verdict that was given before', () => {
  it('is given again to the same certificate', async () => {
    for (const pins of [certificateHex(right), await publicKeyPin(right)]) {
      const policy = await policyOf({ pins });
      const [second, third] = [await attempt(policy), await attempt(policy)];
      assert.ok(typeof second === 'object' && second.ok);
      assert.equal(second, third, 'the very same');
    }
  });

  it('is not given to another certificate', async () => {
    const policy = await policyOf();
    for (const other of [await mint(), await mint({ keys: right.keys }), await mint({ keyType: 'rsa' })]) {
      server.present(other);
      assert.equal(await attempt(policy), 'ERR_PIN_MISMATCH');
      assert.equal(server.received(), 0);
    }
  });

  it('is not given under another name, which a policy may require', async () => {
    const policy = await policyOf({ pins: certificateHex(right), hostnameVerification: 'require' });
    assert.equal(await attempt(policy, 'other.example'), 'ERR_HOSTNAME_MISMATCH');
    const again = await attempt(policy);
    assert.ok(typeof again === 'object' && again.ok);
  });

  it('ends with the validity of the certificate', async () => {
    const policy = await policyOf();
    await atTime(Date.parse(right.x509.validTo) + 1, async () => {
      assert.equal(await attempt(policy), 'ERR_CERTIFICATE_EXPIRED');
    });
  });

  it('ends with the pin set', async () => {
    const pins = livePins(certificateHex(right));
    const policy = await policyOf({ pins });
    pins.set(certificateHex(await mint()));
    assert.equal(await attempt(policy), 'ERR_PIN_MISMATCH');
  });

  it('is not given where the ordinary verification counts too', async () => {
    const policy = createPolicy({ pins: certificateHex(right), caVerification: 'require' });
    const options = { host: '127.0.0.1', port: server.port, servername: 'localhost' };
    const trusting = guard({ options: { ...options, ca: right.certPem }, policy, connectTimeoutMs: 5_000 });
    await once(trusting, 'secureConnect');
    trusting.destroy();
    assert.equal(await attempt(policy), 'ERR_CA_UNTRUSTED');
  });

  it('was no refusal: these are not kept', async () => {
    const peer = { host: 'localhost', certificates: [new Certificate(right.x509.raw)], tlsVersion: 'TLSv1.3' };
    const policy = createPolicy({ pins: certificateHex(right) });
    assert.ok(knownVerdict(verify(peer, policy), peer, policy));
    const other = createPolicy({ pins: certificateHex(await mint()) });
    assert.equal(knownVerdict(verify(peer, other), peer, other), undefined);
  });
});

describe('the certificate in a session', () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is the one that Node shows, over ${maxVersion}`, async () => {
      const ca = await mint({ ca: true, subject: 'CN=CA' });
      const kinds: Minted[] = [
        right,
        await mint({ keyType: 'rsa' }),
        await mint({ keyType: 'ed25519' }),
        await mint({ issuer: await mint({ ca: true, subject: 'CN=Intermediate', issuer: ca }) }),
        await mint({ rawExtensions: [{ id: '1.2.3.4', critical: false, value: new Uint8Array(70_000 / 2) }] }),
      ];
      for (const certificate of kinds) {
        server.present(certificate);
        const options = { host: '127.0.0.1', port: server.port, maxVersion };
        const socket = guard({
          options,
          policy: createPolicy({ pins: certificateHex(certificate) }),
          connectTimeoutMs: 5_000,
        });
        await once(socket, 'secureConnect');
        const leaf = readLeaf(socket);
        assert.ok(leaf !== undefined, 'the session is written as expected, and nobody else has to be asked');
        assert.ok(socket.getPeerCertificate().raw.equals(leaf.der));
        const [fast, slow] = [leaf, new Certificate(certificate.x509.raw)];
        assert.deepEqual(fast.toJSON(), slow.toJSON());
        assert.ok(leaf.der.buffer.byteLength === leaf.der.byteLength, 'no secret lies beside it in memory');
        socket.destroy();
      }
    });
  }

  it('is looked for in its place only, and in nothing that is cut', () => {
    const element = (tag: number, ...content: number[]): number[] => [tag, content.length, ...content];
    const version = element(0x02, 1);
    const ticket = element(0xaa, ...element(0x04, ...element(0xa3, 0x30, 0)));
    const session = (...elements: number[][]): Uint8Array => Uint8Array.from(element(0x30, ...elements.flat()));
    assert.deepEqual(findCertificate(session(version, element(0xa3, 0x30, 0), ticket)), {
      tag: 0xa3,
      start: 7,
      end: 9,
    });
    assert.equal(findCertificate(session(version, ticket)), undefined);
    assert.equal(findCertificate(Uint8Array.of()), undefined);
    const whole = session(version, element(0xa3, 0x30, 0), ticket);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(findCertificate(whole.subarray(0, length)), undefined);
    }
  });

  it('is taken out of one that is kept, and nothing else is', () => {
    const element = (tag: number, ...content: number[]): number[] => [tag, content.length, ...content];
    const [version, ticket] = [element(0x02, 1), element(0xaa, ...element(0x04, 1, 2, 3))];
    const session = (...elements: number[][]): Buffer => Buffer.from(element(0x30, ...elements.flat()));
    const kept = withoutCertificate(session(version, element(0xa3, 0x30, 0), ticket));
    assert.deepEqual([...kept], [0x30, 0x82, 0, version.length + ticket.length, ...version, ...ticket]);
    const envelope = Buffer.concat([Buffer.from('\0nodejs:tls:session:1\0', 'latin1'), Buffer.of(0, 1, 0x61)]);
    const enclosed = withoutCertificate(Buffer.concat([envelope, session(version, element(0xa3, 0x30, 0), ticket)]));
    assert.deepEqual([...enclosed], [...envelope, ...kept]);
    // Behind the certificate more than two bytes of length can tell, which no session has.
    const long = Buffer.concat([Buffer.of(0xa3, 2, 0x30, 0), Buffer.of(0x04, 0x83, 1, 0, 0), Buffer.alloc(0x1_0000)]);
    const tooLong = Buffer.concat([Buffer.of(0x30, 0x83, 1, 0, long.length - 0x1_0000), long]);
    assert.notEqual(findCertificate(tooLong), undefined);
    for (const other of [tooLong, session(version, ticket), Buffer.alloc(0), Buffer.from('no session')]) {
      assert.equal(withoutCertificate(other), other, 'what is not understood stays as it is');
    }
  });
});
