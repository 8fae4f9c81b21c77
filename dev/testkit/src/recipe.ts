/**
 * The technique that people follow today, in our own words. The ordinary verification stays on, and Node's identity callback compares the
 * fingerprint and throws. For MySQL, a listener on the connection compares it. It also has the open variant of certpin/driver-tls. Run on
 * its own, it prints what the conformance suite finds. This proves that the suite can fail: `node --import tsx dev/testkit/src/recipe.ts`
 */
import { createHash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { Agent } from 'node:https';
import { connect, createSecureContext, type PeerCertificate, type TLSSocket } from 'node:tls';
import mysql from 'mysql2';
import pg from 'pg';
import { agentClient, loginTo, mysqlPoolClient, poolClient, tlsClient } from './clients.ts';
import { runConformance, type SuiteAdapter, type SuitePolicy, type SuiteTls } from './conformance.ts';
import { startMariadb, startMysqlRelay } from './mariadb.ts';
import { mint } from './mint.ts';
import { startPostgres, startPostgresRelay } from './postgres.ts';
import { startHttpsServer, startTlsServer } from './tls-server.ts';

/** The TLS options of the technique. It knows one fingerprint. `tls` may add the `ca` without which nothing connects. */
export function throwingIdentityCheck(pinnedHex: string, tls: SuiteTls = {}): object {
  return {
    ...tls,
    rejectUnauthorized: true,
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => compare(certificate, pinnedHex),
  };
}

/** The technique for MySQL's drivers: the comparison waits for an event of the connection. */
function listenForCertificate(connection: mysql.Connection, pinnedHex: string): mysql.Connection {
  return connection.on('secureConnect', () => {
    try {
      compare((connection as mysql.Connection & { stream: TLSSocket }).stream.getPeerCertificate(), pinnedHex);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  });
}

function compare(certificate: PeerCertificate, pinnedHex: string): void {
  const presented = createHash('sha256').update(certificate.raw).digest('hex').toUpperCase();
  if (presented !== pinnedHex) throw new Error('fingerprint of another certificate');
}

/**
 * Another technique: verification is off, and each socket is checked when Node announces it. A socket that is not announced is not checked.
 * The channel here announces nothing, as on Node 20, and as with TLS on a given socket.
 */
function lookAtAnnounced(pinnedHex: string, tls: SuiteTls = {}): object {
  const context = createSecureContext(tls);
  channel('certpin-test.announced').subscribe((message) => {
    const { socket } = message as { socket: TLSSocket };
    socket.once('secureConnect', () => compare(socket.getPeerCertificate(), pinnedHex));
  });
  return { secureContext: context, rejectUnauthorized: false };
}

function onePin({ pins = '' }: SuitePolicy): string {
  return typeof pins === 'string' ? pins : (pins[0] ?? '');
}

if (process.argv[1]?.endsWith('recipe.ts')) {
  const postgres = await startPostgres({ certificate: await mint() });
  const mariadb = await startMariadb({ certificate: await mint() });
  const oneFingerprint = { hosts: 'it knows one fingerprint', 'live pins': 'its fingerprint stands in the code' };
  const ofDatabase = { ...oneFingerprint, 'host header': 'its protocol has no Host header' };
  const techniques: SuiteAdapter[] = [
    {
      name: 'https',
      protocol: 'tls',
      pools: true,
      cannot: oneFingerprint,
      startServer: startHttpsServer,
      createClient: (target, policy, tls, hostHeader) => {
        const agent = new Agent({ keepAlive: true, ...throwingIdentityCheck(onePin(policy), tls) });
        return agentClient(target, agent, hostHeader);
      },
    },
    {
      name: 'announced',
      protocol: 'tls',
      pools: false,
      cannot: { ...oneFingerprint, 'host header': 'its protocol has no Host header' },
      startServer: startTlsServer,
      createClient: (target, policy, tls) => {
        const options = lookAtAnnounced(onePin(policy), tls);
        return tlsClient(() => connect({ ...target, ...options }));
      },
    },
    {
      name: 'pg',
      protocol: 'postgres',
      pools: true,
      cannot: ofDatabase,
      startServer: (options) => startPostgresRelay({ ...options, upstream: postgres }),
      createClient: (target, policy, tls) => {
        const ssl = throwingIdentityCheck(onePin(policy), tls);
        return poolClient(() => new pg.Pool({ ...target, ...loginTo(postgres), ssl, connectionTimeoutMillis: 2_000 }));
      },
    },
    {
      name: 'mysql2',
      protocol: 'mysql',
      pools: true,
      cannot: ofDatabase,
      startServer: (options) => startMysqlRelay({ ...options, upstream: mariadb }),
      createClient: (target, policy, tls) => {
        const ssl = { ...tls, rejectUnauthorized: true } as mysql.SslOptions;
        const config = { ...target, ...loginTo(mariadb), connectTimeout: 2_000, ssl };
        return mysqlPoolClient(() => {
          const connection = listenForCertificate(mysql.createConnection(config), onePin(policy));
          connection.on('error', () => undefined);
          const promised = connection.promise();
          return {
            query: (text, values) => promised.query(text, values),
            end: async () => connection.destroy(),
          };
        });
      },
    },
  ];
  const report: Record<string, unknown> = {};
  for (const technique of techniques) report[technique.name] = await runConformance(technique);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  await Promise.all([postgres.stop(), mariadb.stop()]);
  process.exit(0);
}
