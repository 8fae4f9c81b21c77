import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { get } from 'node:https';
import { after, describe, test } from 'node:test';
import { certificateHex, mint, publicKeyPin, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import pg from 'pg';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { createPolicy, livePins, verify } from '../../src/index.ts';
import { connect, VERDICT_CHANNEL } from '../../src/tls/index.ts';

const current = await mint();
const next = await mint();
const [currentPin, nextPin] = [certificateHex(current), certificateHex(next)];

describe('a live pin set', () => {
  test('is read like any other, and a set that cannot be read leaves the old one in force', () => {
    const pins = livePins(currentPin);
    assert.deepEqual(pins.pins, [{ kind: 'certificate', sha256: currentPin }]);
    assert.throws(() => pins.set('62 digits'), { code: 'ERR_PIN_INVALID' });
    assert.throws(() => pins.set([]), { code: 'ERR_PIN_INVALID' });
    assert.deepEqual(pins.pins, [{ kind: 'certificate', sha256: currentPin }]);
    assert.throws(() => livePins(''), { code: 'ERR_PIN_INVALID' });
  });

  test('changes what a policy says; a verdict keeps what it was judged by', () => {
    const pins = livePins(currentPin);
    const policy = createPolicy({ pins });
    const peer = { certificates: [current.x509] };
    const before = verify(peer, policy);
    pins.set(nextPin);
    const later = verify(peer, policy);
    assert.equal(before.ok, true);
    assert.deepEqual(before.policy.pins, [{ kind: 'certificate', sha256: currentPin }]);
    assert.ok(!later.ok && later.code === 'ERR_PIN_MISMATCH');
    assert.ok(JSON.stringify(later.policy).includes(nextPin));
  });

  test('may pin issuers too', async () => {
    const ca = await mint({ ca: true, subject: 'CN=Company CA' });
    const leaf = await mint({ issuer: ca });
    const issuerPins = livePins(ca.certPem);
    const peer = { certificates: [leaf.x509], host: 'localhost' };
    assert.equal(verify(peer, { issuerPins }).ok, true);
    issuerPins.set(currentPin);
    assert.equal(verify(peer, { issuerPins }).ok, false);
  });
});

describe('an open connection', () => {
  test('goes with its pin, with the error of the refusal; one whose pin stays is left alone', async (t) => {
    const server = await startTlsServer({ certificate: current });
    t.after(server.close);
    const pins = livePins([currentPin, nextPin]);
    const socket = connect({ host: server.host, port: server.port, pins });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');

    pins.set([await publicKeyPin(current), nextPin]);
    socket.write('still here');
    assert.equal(String((await once(socket, 'data'))[0]), 'still here');
    assert.equal(socket.authorized, true);

    const failed = once(socket, 'error');
    pins.set(nextPin);
    assert.equal(socket.destroyed, true, 'at once: nothing can be written any more');
    assert.equal(socket.authorized, false);
    assert.equal((await failed)[0].code, 'ERR_PIN_MISMATCH');
  });

  test('that requires the CA verification is judged by the result of its handshake', async (t) => {
    const server = await startTlsServer({ certificate: current });
    t.after(server.close);
    const pins = livePins(currentPin);
    const options = {
      host: server.host,
      port: server.port,
      pins,
      ca: current.certPem,
      caVerification: 'require',
    } as const;
    const socket = connect(options);
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    pins.set([currentPin, nextPin]);
    assert.equal(socket.destroyed, false);
  });

  test('that has ended is forgotten: no verdict is given on it', async (t) => {
    const server = await startTlsServer({ certificate: current });
    t.after(server.close);
    const pins = livePins(currentPin);
    const socket = connect({ host: server.host, port: server.port, pins });
    await once(socket, 'secureConnect');
    socket.destroy();
    await once(socket, 'close');
    const verdicts: Verdict[] = [];
    const listener = (message: unknown): void => void verdicts.push(message as Verdict);
    subscribe(VERDICT_CHANNEL, listener);
    t.after(() => unsubscribe(VERDICT_CHANNEL, listener));
    pins.set(nextPin);
    assert.deepEqual(verdicts, []);
  });
});

describe('pools are emptied of connections whose pin is gone', () => {
  test('an agent', async (t) => {
    const server = await startHttpsServer({ certificate: current });
    t.after(server.close);
    const pins = livePins(currentPin);
    const agent = pinnedAgent({ pins, keepAlive: true });
    t.after(() => agent.destroy());
    const request = async (): Promise<void> => {
      const [response] = await once(get({ host: 'localhost', port: server.port, agent }), 'response');
      await once(response.resume(), 'end');
    };
    await request();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(Object.values(agent.freeSockets).flat().length, 1);

    pins.set(nextPin);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(Object.values(agent.freeSockets).flat().length, 0);
    await assert.rejects(request(), { code: 'ERR_PIN_MISMATCH' });

    server.present(next);
    await request();
  });

  test('a pool of pg, with the error on the pool', async () => {
    const postgres = await startPostgres({ certificate: current });
    after(() => postgres.stop());
    const { host, port, user, password, database } = postgres;
    const pins = livePins(currentPin);
    const pool = new pg.Pool(pinnedPg({ host, port, user, password, database }, { pins }));
    pool.on('error', () => undefined); // the server stops right after the pool
    await pool.query('SELECT 1');
    const lost = once(pool, 'error');
    pins.set(nextPin);
    assert.equal((await lost)[0].code, 'ERR_PIN_MISMATCH');
    assert.equal(pool.totalCount, 0);
    await assert.rejects(pool.query('SELECT 1'), { code: 'ERR_PIN_MISMATCH' });
    await postgres.present(next);
    await pool.query('SELECT 1');
    await pool.end();
  });
});
