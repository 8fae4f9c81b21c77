import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { certificateHex, mint, publicKeyPin, startTap } from '@certpin/testkit';
import { loginTo } from '@certpin/testkit/clients';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import mysql from 'mysql2/promise';
import { pinnedMariadb } from '../../src/adapters/mariadb.ts';
import { pinnedMysql2 } from '../../src/adapters/mysql2.ts';
import type { CertpinError, PolicyOptions } from '../../src/index.ts';
import { mariadb } from './mariadb-of-node.ts';

// The conformance suite ends TLS in a relay. Here it is the server's own, of a real MariaDB, with every kind of certificate.

const ca = await mint({ ca: true, subject: 'CN=Database CA' });
const intermediate = await mint({ ca: true, subject: 'CN=Intermediate CA', issuer: ca });
const otherCa = await mint({ ca: true, subject: 'CN=Database CA' });
const selfSigned = await mint();
const rsa = await mint({ keyType: 'rsa' });
const ofCa = await mint({ issuer: ca });
const ofIntermediate = await mint({ issuer: intermediate });
const expired = await mint({ validFromDays: -30, validToDays: -1 });
const other = await mint();

const anyTls = await startMariadb({ certificate: selfSigned });
const oldTls = await startMariadb({ certificate: selfSigned, flags: ['--tls-version=TLSv1.2'] });
const noTls = await startMariadb({ certificate: undefined });
after(() => Promise.all([anyTls, oldTls, noTls].map((server) => server.stop())));

/** What a login comes to: the beginning of the cipher, or the code of the error. */
type Outcome = readonly [policy: PolicyOptions, outcome: RegExp];
const connects = /^TLS_/;

/** One table for all drivers: how the server is set up, and what a policy makes of it. */
const variants: readonly (readonly [
  name: string,
  server: Mariadb,
  certificate: typeof ca | undefined,
  outcomes: readonly Outcome[],
])[] = [
  [
    'a self-signed certificate',
    anyTls,
    selfSigned,
    [
      [{ pins: certificateHex(selfSigned) }, connects],
      [{ pins: await publicKeyPin(selfSigned) }, connects],
      [{ pins: [certificateHex(other), certificateHex(selfSigned)] }, connects],
      [{ pins: certificateHex(other) }, /^ERR_PIN_MISMATCH$/],
    ],
  ],
  [
    'a self-signed certificate with an RSA key',
    anyTls,
    rsa,
    [
      [{ pins: certificateHex(rsa) }, connects],
      [{ pins: await publicKeyPin(selfSigned) }, /^ERR_PIN_MISMATCH$/],
    ],
  ],
  [
    'a certificate of a CA',
    anyTls,
    ofCa,
    [
      [{ pins: certificateHex(ofCa) }, connects],
      [{ issuerPins: ca.certPem }, connects],
      [{ issuerPins: otherCa.certPem }, /^ERR_CHAIN_INVALID$/],
      [{ pins: certificateHex(ca) }, /^ERR_PIN_MISMATCH$/],
    ],
  ],
  [
    'a certificate of an intermediate CA',
    anyTls,
    ofIntermediate,
    [
      [{ pins: certificateHex(ofIntermediate) }, connects],
      [{ issuerPins: ca.certPem }, connects],
      [{ issuerPins: certificateHex(intermediate) }, connects],
      [{ issuerPins: otherCa.certPem }, /^ERR_PIN_MISMATCH$/],
    ],
  ],
  [
    'a certificate that has expired',
    anyTls,
    expired,
    [
      [{ pins: certificateHex(expired) }, /^ERR_CERTIFICATE_EXPIRED$/],
      [{ pins: certificateHex(expired), expired: 'accept' }, connects],
      [{ pins: certificateHex(other), expired: 'accept' }, /^ERR_PIN_MISMATCH$/],
    ],
  ],
  [
    'nothing newer than TLS 1.2',
    oldTls,
    undefined,
    [
      [{ pins: certificateHex(selfSigned) }, /^ECDHE-/],
      [{ pins: certificateHex(other) }, /^ERR_PIN_MISMATCH$/],
    ],
  ],
  ['no TLS', noTls, undefined, [[{ pins: certificateHex(selfSigned) }, /^ERR_UPGRADE_REFUSED$/]]],
];

const sql = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";

/** Log in, ask for the cipher as the server sees it, and leave. */
const drivers: readonly (readonly [name: string, login: (target: object, policy: PolicyOptions) => Promise<string>])[] =
  [
    [
      'mysql2',
      async (target, policy) => {
        const connection = await mysql.createConnection(pinnedMysql2(target, policy));
        const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
        await connection.end();
        return rows[0]?.Value;
      },
    ],
    [
      'mariadb',
      async (target, policy) => {
        const connection = await mariadb.createConnection(pinnedMariadb(target, policy));
        const rows = await connection.query(sql);
        await connection.end();
        return rows[0]?.Value;
      },
    ],
  ];

for (const [name, server, certificate, outcomes] of variants) {
  describe(`a real MariaDB with ${name}`, () => {
    before(async () => {
      if (certificate !== undefined) await server.present(certificate);
    });

    for (const [driver, login] of drivers) {
      test(driver, async (t) => {
        for (const [policy, expected] of outcomes) {
          const tap = await startTap(server);
          t.after(tap.close);
          const { user, password, database } = loginTo(server);
          const target = { host: tap.host, port: tap.port, user, password, database, connectTimeout: 10_000 };
          const outcome = await login(target, policy).catch((error: CertpinError) => error.code);
          assert.match(String(outcome), expected, JSON.stringify(policy));
          const sent = tap.received();
          for (const secret of [user, password, database, 'SHOW']) assert.ok(!sent.includes(secret));
          // Without TLS the server is told nothing; with it, SSLRequest and what follows its 36 bytes is a TLS handshake.
          if (server === noTls) assert.equal(sent.length, 0);
          else assert.deepEqual([...sent.subarray(36, 38), sent[41]], [0x16, 0x03, 0x01]);
        }
      });
    }
  });
}
