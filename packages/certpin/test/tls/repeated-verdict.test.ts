import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';
import { certificateHex, mint, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { Certificate } from '../../src/core/certificate.ts';
import { livePins } from '../../src/core/live-pins.ts';
import { parsePins } from '../../src/core/parse-pin.ts';
import { createPolicy, type GivenPolicyOptions as PolicyOptions } from '../../src/core/policy.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { verify } from '../../src/core/verify.ts';
import { VERDICT_CHANNEL } from '../../src/tls/index.ts';
import { type KnownVerdict, knownVerdict, stillHolds } from '../../src/tls/speed/repeated-verdict.ts';
import { guard } from '../guard.ts';
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

describe('what is known of a server', () => {
  it('is of the version of TLS in which it was proven', async () => {
    const certificate = await mint({ keyType: 'rsa' });
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const old = await startTlsServer({ certificate, ciphers, minVersion: 'TLSv1.1' });
    try {
      const policy = createPolicy({ pins: certificateHex(certificate) });
      const open = (more: object) =>
        guard({ options: { host: '127.0.0.1', port: old.port, servername: 'localhost', ...more }, policy });
      const first = open({});
      await once(first, 'secureConnect');
      first.destroy();
      const secureContext = createSecureContext({ ciphers, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
      await assert.rejects(once(open({ secureContext }), 'secureConnect'), { code: 'ERR_TLS_VERSION' });
    } finally {
      await old.close();
    }
  });

  it('holds by the issuers that are pinned now', () => {
    const [pins, issuerPins] = [parsePins('ab'.repeat(32)), parsePins('cd'.repeat(32))];
    const known = { pins, issuerPins, validFromMs: 0, validToMs: 10 } as never as KnownVerdict;
    const holds = (policy: object): boolean => stillHolds(known, policy as never, 5);
    assert.equal(holds({ pins, issuerPins }), true);
    assert.equal(holds({ pins, issuerPins: parsePins('cd'.repeat(32)) }), false);
    assert.equal(holds({ pins: parsePins('ab'.repeat(32)), issuerPins }), false);
  });
});
