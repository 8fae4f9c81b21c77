// The accident this prevents: what somebody has put on Object.prototype counts as an option.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { get } from 'node:https';
import { describe, type TestContext, test } from 'node:test';
import {
  certificateHex,
  failureOf,
  mint,
  startHttpsServer,
  startScriptedServer,
  startTlsServer,
} from '@certpin/testkit';
import { pinnedAxios } from '../../src/adapters/axios.ts';
import { pinnedForward } from '../../src/adapters/forward.ts';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import { pinnedPg } from '../../src/adapters/pg.ts';
import { pinnedPostgres } from '../../src/adapters/postgres.ts';
import { pinnedConnector, pinnedFetch } from '../../src/adapters/undici.ts';
import { createPolicy, findCertpinError, parsePin, verify } from '../../src/index.ts';
import { pinnedTedious } from '../../src/inline/tedious.ts';
import { createLeafPinner } from '../../src/leaf/pinner.ts';
import { probe } from '../../src/probe/index.ts';
import { connect } from '../../src/tls/index.ts';
import { createTunnel } from '../../src/tls/proxy.ts';

const genuine = await mint();
const ca = await mint({ ca: true, subject: 'CN=Other CA' });
const stranger = await mint({ issuer: ca, names: ['evil.example'] });
const pins = certificateHex(genuine);

/** Puts something on Object.prototype for one test. */
function pollute(t: TestContext, values: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(values)) {
    Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true, enumerable: false });
  }
  t.after(() => {
    for (const key of Object.keys(values)) delete (Object.prototype as Record<string, unknown>)[key];
  });
}

const makers: Record<string, () => unknown> = {
  createPolicy: () => createPolicy({} as never),
  'createPolicy, a switch': () => createPolicy({ expired: 'accept' } as never),
  verify: () => verify({ certificates: [stranger.x509] }, {} as never),
  connect: () => connect({ port: 1 } as never),
  pinnedAgent: () => pinnedAgent({} as never),
  pinnedConnector: () => pinnedConnector({} as never),
  pinnedFetch: () => pinnedFetch({} as never),
  pinnedAxios: () => pinnedAxios({}, {} as never),
  pinnedPg: () => pinnedPg({}, {} as never),
  pinnedPostgres: () => pinnedPostgres({}, {} as never),
  pinnedMysql2: () => pinnedMysql2({}, {} as never),
  pinnedMariadb: () => pinnedMariadb({}, {} as never),
  'a host': () => pinnedAgent({ hosts: { 'a.example': {} as never } }),
};

describe('a configuration without pins gets none from Object.prototype:', () => {
  for (const [name, make] of Object.entries(makers)) {
    test(name, (t) => {
      pollute(t, { pins, issuerPins: pins, hosts: { 'a.example': { pins } }, otherHosts: 'verify' });
      assert.throws(make, { code: 'ERR_OPTION_INVALID', message: /needs pins/ });
    });
  }
});

test('a script’s connection of tedious has no time limit from Object.prototype, and needs pins', (t) => {
  const make = (policy: unknown) => () => pinnedTedious(EventEmitter as never, { options: {} }, policy as never);
  for (const policy of [undefined, null, {}])
    assert.throws(make(policy), { code: 'ERR_OPTION_INVALID', message: /give `pins`/ });
  pollute(t, { pins, connectTimeoutMs: -1 });
  assert.throws(make({}), { code: 'ERR_OPTION_INVALID', message: /give `pins`/ });
  // The time limit is read before the driver is looked at.
  assert.throws(make({ pins }), { code: 'ERR_CLIENT_UNSUPPORTED' });
});

test('an end listens where it says, and nowhere else', async (t) => {
  const server = await startTlsServer({ certificate: genuine });
  t.after(server.close);
  pollute(t, { fd: 0, signal: 'none', reusePort: true });
  const end = await pinnedForward({ host: '127.0.0.1', port: server.port }, { pins });
  assert.equal(end.host, '127.0.0.1');
  await end.close();
});

test('a pin that is an object is one by its own properties', (t) => {
  pollute(t, { kind: 'certificate', sha256: pins });
  assert.throws(() => createPolicy({ pins: {} as never }), { code: 'ERR_PIN_INVALID' });
  assert.throws(() => parsePin({} as never), { code: 'ERR_PIN_INVALID' });
});

test('switches of a policy are its own', (t) => {
  pollute(t, { expired: 'accept', hostnameVerification: 'ignore', caVerification: 'none', resumption: 'own' });
  const policy = createPolicy({ pins });
  assert.deepEqual(
    [policy.expired, policy.hostnameVerification, policy.caVerification, policy.resumption],
    ['refuse', undefined, 'ignore', 'refuse'],
  );
});

test('a proxy is one by its own properties', (t) => {
  pollute(t, { url: 'http://127.0.0.1:1', proxy: 'http://127.0.0.1:1' });
  assert.throws(() => createTunnel({} as never), { code: 'ERR_OPTION_INVALID' });
  pinnedAxios({}, { pins });
});

test('neither a server name, nor a CA, nor a time limit comes from there', async (t) => {
  const server = await startTlsServer({ certificate: stranger });
  t.after(server.close);
  const http = await startHttpsServer({ certificate: stranger });
  t.after(http.close);
  pollute(t, { servername: 'evil.example', ca: ca.certPem, connectTimeoutMs: -1, rejectUnauthorized: false });
  const verify = { hosts: { 'a.example': { pins } }, otherHosts: 'verify' } as const;
  for (const policy of [verify, { issuerPins: ca.certPem }, { hosts: { localhost: { pins } } }]) {
    const socket = connect({ host: 'localhost', port: server.port, ...policy });
    socket.write('password');
    const [error] = await once(socket, 'error');
    assert.match(
      error.code,
      /^(?:ERR_(?:PIN|HOSTNAME)_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_\w+|SELF_SIGNED_CERT_IN_CHAIN)$/,
    );
    const agent = pinnedAgent(policy);
    t.after(() => agent.destroy());
    await assert.rejects(once(get({ host: 'localhost', port: http.port, agent }), 'response'));
    const api = pinnedFetch(policy);
    t.after(() => api.dispatcher.destroy());
    await failureOf(api(`https://localhost:${http.port}/`));
  }
  assert.deepEqual([server.received(), http.received()], [0, 0]);
});

test('the CA of a proxy does not come from there', async (t) => {
  const front = await startTlsServer({ certificate: await mint({ issuer: ca }) });
  t.after(front.close);
  pollute(t, { tls: { ca: ca.certPem } });
  for (const proxy of [`https://localhost:${front.port}`, new URL(`https://localhost:${front.port}`)]) {
    const error = await new Promise<Error | undefined>((resolve) => {
      createTunnel(proxy)?.({ host: 'db.example', port: 1 }, (failure) => resolve(failure));
    });
    assert.match(String((error as { code?: string } | undefined)?.code), /^(?:UNABLE_TO|SELF_SIGNED)_/);
  }
  assert.equal(front.received(), 0);
});

test('a secure context is made from own options only', async (t) => {
  const server = await startTlsServer({ certificate: genuine });
  t.after(server.close);
  pollute(t, { pfx: 'none', minVersion: 'TLSv1', maxVersion: 'TLSv1.1', clientCertEngine: '/none', dhparam: 'none' });
  const report = await probe(`tls://localhost:${server.port}`);
  assert.ok(report.ok, JSON.stringify(report));
  const socket = connect({ host: 'localhost', port: server.port, pins });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const pinner = createLeafPinner({ pins });
  const leaf = pinner.open({ host: 'localhost', port: server.port });
  t.after(() => leaf.destroy());
  await once(leaf, 'secureConnect');
});

test('a probe goes where its own options lead it', async (t) => {
  const server = await startTlsServer({ certificate: genuine });
  t.after(server.close);
  pollute(t, { proxy: 'http://127.0.0.1:1', family: 6, timeoutMs: 1, protocol: 'smtp', servername: 'evil.example' });
  const report = await probe(`tls://127.0.0.1:${server.port}`, {});
  assert.ok(report.ok, JSON.stringify(report));
  while (server.handshakes() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(server.servernames, [false]);
});

test('a database is dialled at its own address', async (t) => {
  const server = await startScriptedServer((socket) => socket.once('data', () => socket.end('N')));
  t.after(server.close);
  pollute(t, { path: '/dev/null/none' });
  const { stream } = pinnedPg({}, { pins });
  const [error] = await once(stream().connect(server.port, '127.0.0.1'), 'error');
  assert.equal(error.code, 'ERR_UPGRADE_REFUSED');
});

test('a probe asks for no older version than its own options say', async (t) => {
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const server = await startTlsServer({ certificate: await mint({ keyType: 'rsa' }), ...old });
  t.after(server.close);
  const target = `tls://localhost:${server.port}`;
  assert.equal((await probe(target, { tls: old })).ok, true);
  pollute(t, { minVersion: 'TLSv1.1' });
  assert.equal((await probe(target, { tls: { ciphers: old.ciphers } })).ok, false);
});

test('a proxy is reached at its own address', async (t) => {
  const proxy = await startScriptedServer((socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
  t.after(proxy.close);
  pollute(t, { path: '/dev/null/none' });
  const failure = new Promise<unknown>((resolve) => {
    createTunnel(`http://127.0.0.1:${proxy.port}`)?.({ host: 'db.example', port: 1 }, resolve);
  });
  assert.equal(((await failure) as { code?: string }).code, 'ERR_PROXY_REFUSED');
});

test('what works goes on working beside it', async (t) => {
  const server = await startHttpsServer({ certificate: genuine });
  t.after(server.close);
  // Not `connect`: Node's own emitters would take it for a listener.
  pollute(t, { dispatcher: {}, proxy: false, Agent: {}, tls: {}, pins: 'x' });
  if (Number.parseInt(process.versions.undici ?? '0', 10) >= 8) {
    // undici 8 sends a request through a `dispatcher` that it finds there, past every agent. So this is refused.
    assert.throws(() => pinnedFetch({ pins }), { code: 'ERR_CLIENT_UNSUPPORTED' });
    delete (Object.prototype as Record<string, unknown>).dispatcher;
  }
  const api = pinnedFetch({ pins });
  t.after(() => api.dispatcher.destroy());
  const answer = await api(`https://localhost:${server.port}/`).catch((error) => findCertpinError(error) ?? error);
  assert.equal(answer.status, 200);
});
