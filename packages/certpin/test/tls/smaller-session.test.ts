// A session is kept without the certificate in it, which OpenSSL would read again at each offer. Nothing is decided by it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { mint, startTlsServer } from '@certpin/testkit';
import { withoutCertificate } from '../../src/tls/speed/smaller-session.ts';

const certificate = await mint();
const server = await startTlsServer({ certificate });
after(() => server.close());

function open(maxVersion: 'TLSv1.2' | 'TLSv1.3', session?: Buffer): TLSSocket {
  const at = { host: '127.0.0.1', port: server.port, servername: 'localhost', rejectUnauthorized: false };
  return connect({ ...at, maxVersion, ...(session && { session }) });
}

async function sessionOver(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const socket = open(maxVersion);
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`a session of ${version}`, () => {
    it('is resumed without its certificate', async () => {
      const session = await sessionOver(version);
      const smaller = withoutCertificate(session);
      assert.equal(session.includes(certificate.x509.raw), true);
      assert.equal(smaller.includes(certificate.x509.raw), false);
      assert.ok(smaller.length < session.length - certificate.x509.raw.length);
      const socket = open(version, smaller);
      await once(socket, 'secureConnect');
      assert.equal(socket.isSessionReused(), true);
      socket.destroy();
    });

    it('that is written in another way is kept as it is', async () => {
      const session = await sessionOver(version);
      const [outer] = [session[0] === 0 ? session.indexOf(0x30) : 0];
      const longer = Buffer.from(session);
      longer[outer] = 0x31; // a SET
      const others = [
        Buffer.alloc(0),
        Buffer.of(0x30),
        session.subarray(0, -1),
        Buffer.concat([session, Buffer.of(0)]),
        longer,
      ];
      for (const other of others) assert.equal(withoutCertificate(other), other);
    });

    it('is never more than what it was without one element, whatever its bytes are', async () => {
      const session = await sessionOver(version);
      for (let round = 0; round < 2000; round++) {
        const changed = Buffer.from(session);
        for (const byte of randomBytes(1 + (round % 3)))
          changed[randomBytes(2).readUInt16BE(0) % changed.length] = byte;
        const kept = withoutCertificate(changed);
        assert.ok(kept === changed || kept.length < changed.length);
      }
    });
  });
}

describe('a ticket that looks like a certificate', () => {
  it('stays: the element is found by its place, never by a search', () => {
    const element = (tag: number, content: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from([tag, 0x82, content.length >>> 8, content.length & 0xff]), content]);
    const peer = element(0xa3, certificate.x509.raw);
    const ticket = Buffer.concat([Buffer.of(0x04, 0x82, peer.length >>> 8, peer.length & 0xff), peer]);
    const written = (...parts: Buffer[]): Buffer => element(0x30, Buffer.concat(parts));
    const version = Buffer.of(0x02, 0x01, 0x01);
    assert.deepEqual(withoutCertificate(written(version, ticket)), written(version, ticket));
    assert.deepEqual(withoutCertificate(written(version, peer, ticket)), written(version, ticket));
  });
});
