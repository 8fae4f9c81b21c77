import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { after, beforeEach, describe, it } from 'node:test';
import { type ConnectionOptions, createSecureContext, type TLSSocket } from 'node:tls';
import { certificateHex, mint, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { livePins } from '../../src/core/live-pins.ts';
import { createPolicy, type PolicyOptions } from '../../src/core/policy.ts';
import type { Policy } from '../../src/core/policy-type.ts';
import { verify } from '../../src/core/verify.ts';
import { Reuse } from '../../src/tls/speed/reuse.ts';
import { SessionStore } from '../../src/tls/speed/sessions.ts';
import { guard } from '../guard.ts';
import { atTime } from './clock.ts';

const right = await mint();
const servers = {
  'TLSv1.2': await startTlsServer({ certificate: right, maxVersion: 'TLSv1.2' }),
  'TLSv1.3': await startTlsServer({ certificate: right }),
};
after(() => Promise.all(Object.values(servers).map((server) => server.close())));

const own = (options: PolicyOptions = {}): Policy =>
  createPolicy({ pins: certificateHex(right), resumption: 'own', ...options });
const MINUTE = 60_000;

for (const [version, server] of Object.entries(servers)) {
  // The client's, for a server that has another certificate has its own default again.
  const maxVersion = version as 'TLSv1.2' | 'TLSv1.3';
  const open = (policy: Policy, options: ConnectionOptions = {}): TLSSocket =>
    guard({
      options: { host: '127.0.0.1', port: server.port, servername: 'localhost', maxVersion, ...options },
      policy,
      connectTimeoutMs: 5_000,
    });

  /** Whether the connection was resumed; the code of the error where it was refused. A turn of the echo brings the tickets. */
  const attempt = async (policy: Policy, options?: ConnectionOptions): Promise<boolean | string> => {
    const socket = open(policy, options);
    socket.write('canary');
    try {
      await once(socket, 'data');
      return socket.isSessionReused();
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      socket.destroy();
    }
  };

  describe(`sessions over ${version}`, () => {
    beforeEach(() => server.present(right));

    it('are resumed after a matching verdict, and not unless the policy says so', async () => {
      const [policy, standard] = [own(), createPolicy({ pins: certificateHex(right) })];
      assert.deepEqual([await attempt(policy), await attempt(policy), await attempt(policy)], [false, true, true]);
      assert.deepEqual([await attempt(standard), await attempt(standard)], [false, false]);
    });

    it('show what was proven to whoever asks for the certificate', async () => {
      const policy = own();
      await attempt(policy);
      const socket = open(policy);
      await once(socket, 'secureConnect');
      assert.equal(socket.isSessionReused(), true);
      assert.ok(socket.getPeerCertificate().raw.equals(right.x509.raw));
      assert.ok(socket.getPeerCertificate(true).issuerCertificate.raw.equals(right.x509.raw));
      assert.equal(socket.getPeerX509Certificate()?.fingerprint256, right.x509.fingerprint256);
      assert.equal(socket.authorized, true);
      socket.destroy();
    });

    it('are not used for another policy, name, port, protocol, client certificate or proxy', async () => {
      const policy = own();
      await attempt(policy);
      const { certPem: cert, keyPem: key } = await mint();
      for (const options of [
        { servername: 'other.example' },
        { ALPNProtocols: ['x'] },
        { cert, key },
        { ciphers: 'DEFAULT' },
      ]) {
        assert.equal(await attempt(policy, options), false);
      }
      assert.equal(await attempt(own()), false);
      assert.equal(await attempt(policy), true);
    });

    it('end with the pin set, though the new one has the pin', async () => {
      const pins = livePins(certificateHex(right));
      const policy = own({ pins });
      assert.deepEqual([await attempt(policy), await attempt(policy)], [false, true]);
      pins.set([certificateHex(right), await publicKeyPin(right)]);
      assert.equal(await attempt(policy), false);
      pins.set(certificateHex(await mint()));
      server.forget();
      assert.equal(await attempt(policy), 'ERR_PIN_MISMATCH');
      assert.equal(server.received(), 0);
    });

    it('are judged by the pins of now where these change while the server answers', async () => {
      const pins = livePins(certificateHex(right));
      const policy = own({ pins });
      await attempt(policy);
      server.forget();
      const other = certificateHex(await mint());
      const socket = open(policy);
      socket.write('canary');
      pins.set(other);
      const [error] = await once(socket, 'error');
      assert.equal(error.code, 'ERR_PIN_MISMATCH');
      await new Promise((resolve) => setTimeout(resolve, 20)); // bytes on their way arrive
      assert.equal(server.received(), 0);
    });

    it('end with the validity of the certificate: then the server has to show a new one', async () => {
      const keys = right.keys;
      const policy = own({ pins: await publicKeyPin(right) });
      await attempt(policy);
      await atTime(Date.parse(right.x509.validTo) + 1_000, async () => {
        server.forget();
        assert.equal(await attempt(policy), 'ERR_CERTIFICATE_EXPIRED');
        assert.equal(server.received(), 0);
        server.present(await mint({ keys, validToDays: 60 }));
        assert.equal(await attempt(policy), false);
      });
    });

    it('end ten minutes after the full handshake, however often they were resumed', async () => {
      const policy = own();
      const start = Date.now();
      assert.equal(await atTime(start, () => attempt(policy)), false);
      assert.equal(await atTime(start + 5 * MINUTE, () => attempt(policy)), true);
      assert.equal(await atTime(start + 10 * MINUTE - 1, () => attempt(policy)), true);
      assert.equal(await atTime(start + 10 * MINUTE, () => attempt(policy)), false);
      assert.equal(await atTime(start, () => attempt(policy)), false, 'the clock was set back');
    });

    it('are dropped when a connection is refused, or breaks before its verdict', async () => {
      const policy = own();
      await attempt(policy);
      server.present(await mint());
      server.server.setTicketKeys(randomBytes(48));
      assert.equal(await attempt(policy), 'ERR_PIN_MISMATCH');
      server.present(right);
      assert.deepEqual([await attempt(policy), await attempt(policy)], [false, true]);
      await once(open(policy).destroy(), 'close');
      assert.equal(await attempt(policy), false);
    });

    it('of a refused connection are never kept', async () => {
      const policy = own({ pins: certificateHex(await mint()) });
      server.forget();
      const before = server.resumptions.length;
      for (let index = 0; index < 3; index++) assert.equal(await attempt(policy), 'ERR_PIN_MISMATCH');
      assert.equal(server.received(), 0);
      assert.ok(!server.resumptions.slice(before).includes(true));
    });

    it('are not kept where the ordinary verification counts too', async () => {
      const policy = own({ caVerification: 'require' });
      const tls = { ca: right.certPem };
      assert.deepEqual([await attempt(policy, tls), await attempt(policy, tls)], [false, false]);
    });

    it('are resumed under the pin of a CA, whose signature is looked at first', async () => {
      const ca = await mint({ ca: true, subject: 'CN=CA' });
      server.present(await mint({ issuer: ca }));
      const policy = createPolicy({ issuerPins: ca.certPem, resumption: 'own' });
      assert.deepEqual([await attempt(policy), await attempt(policy)], [false, true]);
    });
  });
}

describe('a session that certpin did not offer', () => {
  it('is refused, whoever brought it', async () => {
    const server = servers['TLSv1.2'];
    server.present(right);
    const address = { host: '127.0.0.1', port: server.port, servername: 'localhost' };
    const first = guard({ options: address, policy: own(), connectTimeoutMs: 5_000 });
    const [session] = await once(first, 'session');
    first.destroy();
    server.forget();
    // By the way of a socket: the options refuse it.
    const socket = guard({ options: address, policy: own(), connectTimeoutMs: 5_000 });
    (socket as TLSSocket & { setSession(session: Buffer): void }).setSession(session); // not in the types
    socket.write('canary');
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ERR_PIN_UNCHECKABLE');
    assert.match(error.message, /the TLS session was resumed/); // and not because Node has no certificate to show
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(server.received(), 0);
  });
});

describe('a ticket that comes on a resumed connection', () => {
  it('is as old as the full handshake behind it', async () => {
    const policy = own();
    const secureContext = createSecureContext();
    const scope = { policy, names: ['localhost'], host: 'localhost', port: 443, sessions: new WeakMap() };
    const peer = { certificates: [right.x509.raw], host: 'localhost', port: 443, tlsVersion: 'TLSv1.3' };
    const start = Date.now();
    const at = (minutes: number, use: (reuse: Reuse, offered: Buffer | undefined) => void) =>
      atTime(start + minutes * MINUTE, async () => {
        const reuse = new Reuse(scope);
        use(reuse, reuse.offer({ secureContext }).session);
      });
    /** A connection whose handshake has ended, and which was resumed. */
    const resumed = (version: string): TLSSocket =>
      Object.assign(new EventEmitter(), {
        getProtocol: () => version,
        isSessionReused: () => true,
      }) as unknown as TLSSocket;
    const give = (reuse: Reuse, socket: TLSSocket, session: string): void => {
      reuse.attach(socket);
      socket.emit('session', Buffer.from(session));
    };
    await at(0, (reuse, offered) => {
      assert.equal(offered, undefined);
      reuse.learn(verify(peer, policy), peer);
      give(reuse, resumed('TLSv1.3'), 'of the full handshake');
    });
    await at(6, (reuse, offered) => {
      assert.equal(String(offered), 'of the full handshake');
      const socket = resumed('TLSv1.3');
      assert.ok(reuse.recall(socket));
      give(reuse, socket, 'of the resumed one');
    });
    await at(9, (reuse, offered) => {
      assert.equal(String(offered), 'of the resumed one');
      assert.equal(reuse.recall(resumed('TLSv1.2')), undefined, 'another version than proven');
      const socket = resumed('TLSv1.3');
      assert.ok(reuse.recall(socket));
      give(reuse, socket, 'of the third');
    });
    await at(10, (_, offered) => assert.equal(offered, undefined));
  });
});

describe('the store', () => {
  it('keeps ten sessions of a server and a hundred servers, the last ones', () => {
    const policy = createPolicy({ pins: certificateHex(right), resumption: 'own' });
    const { pins, issuerPins } = policy;
    const peer = { certificates: [], tlsVersion: 'TLSv1.3' };
    const known = {
      verdict: undefined as never,
      peer,
      pins,
      issuerPins,
      validFromMs: 0,
      validToMs: Number.POSITIVE_INFINITY,
    };
    const verified = (name: string) => ({ session: Buffer.from(name), proof: { known, provenAt: Date.now() } });
    const store = new SessionStore();
    for (let index = 0; index < 12; index++) store.keep('a', verified(String(index)));
    const taken = Array.from({ length: 11 }, () => store.take('a', policy)?.session.toString());
    assert.deepEqual(taken, ['11', '10', '9', '8', '7', '6', '5', '4', '3', '2', undefined]);
    for (let index = 0; index <= 100; index++) store.keep(`server ${index}`, verified('x'));
    assert.equal(store.take('server 0', policy), undefined);
    assert.ok(store.take('server 1', policy));
  });
});
