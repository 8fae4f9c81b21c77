/**
 * The technique that people follow today, written in our own words: leave the ordinary verification on and compare the fingerprint
 * in Node's identity callback, which throws. Run on its own, it prints what the conformance suite finds: the proof that the suite
 * can fail. `node --import tsx testkit/src/recipe.ts`
 */
import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import pg from 'pg';
import { agentClient, loginTo, poolClient } from './clients.ts';
import { runConformance, type SuiteAdapter, type SuitePolicy, type SuiteTls } from './conformance.ts';
import { mint } from './mint.ts';
import { startPostgres, startPostgresRelay } from './postgres.ts';
import { startHttpsServer } from './tls-server.ts';

/** The TLS options of the technique. It knows one fingerprint; `tls` may add the `ca` without which nothing connects. */
export function throwingIdentityCheck(pinnedHex: string, tls: SuiteTls = {}): object {
  return {
    ...tls,
    rejectUnauthorized: true,
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
      const presented = createHash('sha256').update(certificate.raw).digest('hex').toUpperCase();
      if (presented !== pinnedHex) throw new Error('fingerprint of another certificate');
    },
  };
}

function onePin({ pins = '' }: SuitePolicy): string {
  return typeof pins === 'string' ? pins : (pins[0] ?? '');
}

if (process.argv[1]?.endsWith('recipe.ts')) {
  const postgres = await startPostgres({ certificate: await mint() });
  const techniques: SuiteAdapter[] = [
    {
      name: 'https',
      pools: true,
      startServer: startHttpsServer,
      createClient: (target, policy, tls) =>
        agentClient(target, new Agent({ keepAlive: true, ...throwingIdentityCheck(onePin(policy), tls) })),
    },
    {
      name: 'pg',
      pools: true,
      startServer: (options) => startPostgresRelay({ ...options, upstream: postgres }),
      createClient: (target, policy, tls) => {
        const ssl = throwingIdentityCheck(onePin(policy), tls);
        return poolClient(() => new pg.Pool({ ...target, ...loginTo(postgres), ssl, connectionTimeoutMillis: 2_000 }));
      },
    },
  ];
  const report: Record<string, unknown> = {};
  for (const technique of techniques) report[technique.name] = await runConformance(technique);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  await postgres.stop();
  process.exit(0);
}
