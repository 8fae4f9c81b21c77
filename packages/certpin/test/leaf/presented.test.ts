// The leaf of a handshake is taken from OpenSSL once; whoever asks the socket afterwards gets what Node would have shown.
import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { certificateHex, type Minted, mint, mintWithHiddenKey, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { createPolicy, type GivenPolicyOptions } from '../../src/core/policy.ts';
import { takeLeaf } from '../../src/leaf/presented.ts';
import { guard } from '../guard.ts';

const right = await mint();
const ca = await mint({ ca: true, subject: 'CN=CA' });
const intermediate = await mint({ ca: true, subject: 'CN=Intermediate', issuer: ca });
const below = await mint({ issuer: intermediate });
const server = await startTlsServer({ certificate: right });
after(() => server.close());

async function open(policy: GivenPolicyOptions, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const options = { host: '127.0.0.1', port: server.port, servername: 'localhost', ...more };
  const socket = guard({ options, policy: createPolicy(policy), connectTimeoutMs: 10_000 });
  socket.write('canary');
  await once(socket, 'secureConnect');
  return socket;
}

/** The certificates by their links, and whether the last one is linked to itself. */
function chainOf(leaf: DetailedPeerCertificate): readonly [chain: string[], endsInItself: boolean] {
  const chain: string[] = [];
  let next = leaf;
  for (;;) {
    chain.push(next.fingerprint256);
    if (next.issuerCertificate === undefined || next.issuerCertificate === next) break;
    next = next.issuerCertificate;
  }
  return [chain, next.issuerCertificate === next];
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`what the socket shows over ${maxVersion}`, () => {
    const kinds: Record<string, Minted> = {
      'self-signed': right,
      'issued, with its intermediate': below,
      'issued, with everything up to the root': { ...below, chainPem: below.chainPem + ca.certPem },
      large: undefined as never,
    };
    for (const name of Object.keys(kinds)) {
      it(`is what Node shows, as often as somebody asks: ${name}`, async () => {
        const large = { id: '1.2.3.4', critical: false, value: new Uint8Array(35_000) };
        const presented = kinds[name] ?? (await mint({ rawExtensions: [large] }));
        server.present(presented);
        const plain = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false, maxVersion });
        await once(plain, 'secureConnect');
        const shown = plain.getPeerCertificate(true);
        plain.destroy();
        for (const pins of [certificateHex(presented), await publicKeyPin(presented)]) {
          const socket = await open({ pins }, { maxVersion });
          for (let times = 0; times < 2; times++) {
            assert.ok(socket.getPeerX509Certificate()?.raw.equals(presented.x509.raw));
            assert.ok(socket.getPeerCertificate().raw.equals(presented.x509.raw));
            assert.deepEqual(socket.getPeerCertificate().subject, shown.subject);
            assert.ok(!('issuerCertificate' in socket.getPeerCertificate()));
            assert.deepEqual(chainOf(socket.getPeerCertificate(true)), chainOf(shown));
          }
          socket.destroy();
        }
      });
    }

    it('is that of its own connection, where the verdict is given again', async () => {
      server.present(right);
      const policy = createPolicy({ pins: certificateHex(right) });
      const sockets: TLSSocket[] = [];
      for (let times = 0; times < 3; times++) sockets.push(await open(policy, { maxVersion }));
      for (const socket of sockets) assert.ok(socket.getPeerCertificate().raw.equals(right.x509.raw));
      assert.equal(new Set(sockets.map((socket) => socket.getPeerX509Certificate())).size, 3);
      for (const socket of sockets) socket.destroy();
    });

    it('is a chain that a pinned issuer vouches for', async () => {
      server.present({ ...below, chainPem: below.chainPem + ca.certPem });
      const socket = await open({ issuerPins: certificateHex(ca) }, { maxVersion });
      assert.equal(chainOf(socket.getPeerCertificate(true))[0].length, 3);
      socket.destroy();
    });

    it('is nothing of a server with a key that is hidden in the serial number', async () => {
      server.present(await mintWithHiddenKey(right));
      await assert.rejects(open({ pins: await publicKeyPin(right) }, { maxVersion }), { code: 'ERR_PIN_MISMATCH' });
      await new Promise((resolve) => setTimeout(resolve, 20)); // bytes on their way arrive
      assert.equal(server.received(), 0);
    });
  });
}

describe('what is taken', () => {
  it('is of one handshake, which its Finished message tells', () => {
    const shown = [right.x509, below.x509, ca.x509];
    class Socket {
      finished = 'first';
      getFinished(): Buffer {
        return Buffer.from(this.finished);
      }
      getPeerX509Certificate(): X509Certificate | undefined {
        return shown.shift();
      }
    }
    const socket = new Socket();
    const take = () => takeLeaf(socket as unknown as TLSSocket);
    assert.equal(take(), right.x509);
    assert.equal(take(), right.x509);
    socket.finished = 'second';
    assert.equal(take(), below.x509);
    assert.equal(take(), below.x509);
    assert.equal(socket.getPeerX509Certificate(), below.x509);
  });
});

describe('a server that sends as much as OpenSSL takes', () => {
  it('is refused, and the process goes on', async () => {
    const many = Array.from({ length: 150 }, () => right.certPem).join('');
    server.present({ ...right, chainPem: right.certPem + many });
    await assert.rejects(open({ pins: 'ab'.repeat(32) }), { code: 'ERR_PIN_MISMATCH' });
    assert.equal(server.received(), 0);
    (await open({ pins: certificateHex(right) })).destroy();
  });

  it('is not read to the end to explain a refusal, unless an issuer is pinned', async () => {
    const intermediates = Array.from({ length: 150 }, () => intermediate.certPem).join('');
    server.present({ ...right, chainPem: right.certPem + intermediates });
    const pins = 'ab'.repeat(32);
    const presentedUnder = (policy: GivenPolicyOptions): Promise<number> =>
      open(policy).then(
        () => assert.fail(),
        (error) => error.details.verdict.presented.length,
      );
    assert.equal(await presentedUnder({ pins }), 16);
    assert.equal(await presentedUnder({ pins, issuerPins: pins }), 151);
    // What stands among the first still explains it; and only a signature makes an issuer of it.
    await assert.rejects(
      open({ pins: certificateHex(intermediate) }),
      /That proves nothing: anybody can send it along/,
    );
    server.present({ ...below, chainPem: below.certPem + intermediates });
    await assert.rejects(open({ pins: certificateHex(intermediate) }), /the pin is the CA's, not the leaf's/);
  });
});
