import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { type Postgres, startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { pinnedPg } from 'certpin/pg';
import { probe } from 'certpin/probe';
import pg from 'pg';
import postgres15 from './postgres-15/index.ts';
import postgres16 from './postgres-16/index.ts';

/** The majors before the one that `npm test` uses. */
const implementations = { '15': postgres15, '16': postgres16 };
const root = await mint({ ca: true, subject: 'CN=Company CA' });
const certificates = {
  'a self-signed RSA certificate': await mint({ keyType: 'rsa' }),
  'a self-signed P-256 certificate': await mint(),
  'a certificate of a CA that nobody knows': await mint({ issuer: root, keyType: 'rsa' }),
};
const impostor = await mint();

for (const [major, implementation] of Object.entries(implementations)) {
  describe(`PostgreSQL ${major}`, () => {
    let postgres: Postgres;
    let login: { host: string; port: number; user: string; password: string; database: string };
    before(async () => {
      postgres = await startPostgres({ certificate: impostor, implementation });
      const { host, port, user, password, database } = postgres;
      login = { host, port, user, password, database };
    });
    after(() => postgres.stop());

    for (const [name, certificate] of Object.entries(certificates)) {
      const pins = certificateHex(certificate);

      for (const version of ['TLSv1.2', 'TLSv1.3']) {
        test(`${name} is pinned over ${version}, with channel binding`, async () => {
          await postgres.configure({ ssl_max_protocol_version: version });
          await postgres.present(certificate);
          const client = new pg.Client(pinnedPg({ ...login, enableChannelBinding: true }, { pins }));
          await client.connect();
          const { rows } = await client.query(
            "SELECT version, current_setting('server_version') AS server FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
          );
          await client.end();
          assert.equal(rows[0].version, version);
          assert.equal(rows[0].server.split('.')[0], major);
        });
      }

      test(`${name} is found by the probe`, async () => {
        await postgres.present(certificate);
        const report = await probe(`postgres://${login.host}:${login.port}`);
        assert.ok(report.ok);
        assert.equal(report.certificate.sha256, pins);
      });

      test(`whoever is not ${name} gets nothing`, async (t) => {
        const relay = await startPostgresRelay({ certificate: impostor, upstream: postgres });
        t.after(relay.close);
        const pool = new pg.Pool(pinnedPg({ ...login, host: relay.host, port: relay.port }, { pins }));
        await assert.rejects(pool.query('SELECT 1'), { code: 'ERR_PIN_MISMATCH' });
        await pool.end();
        assert.equal(relay.received(), 0);
      });
    }

    test('TLS switched off is a refusal, never plaintext', async (t) => {
      await postgres.configure({ ssl: 'off' });
      t.after(() => postgres.configure({ ssl: 'on' }));
      const client = new pg.Client(pinnedPg(login, { pins: certificateHex(impostor) }));
      await assert.rejects(client.connect(), { code: 'ERR_UPGRADE_REFUSED' });
    });

    test('direct negotiation, which this major does not know, is an error and not a plaintext login', async () => {
      const config = { ...login, sslnegotiation: 'direct' as const };
      const client = new pg.Client(pinnedPg(config, { pins: certificateHex(impostor), connectTimeoutMs: 2_000 }));
      await assert.rejects(client.connect(), { code: /^(ECONNRESET|EPROTO|ERR_SSL_|ERR_CONNECT)/ });
    });
  });
}
