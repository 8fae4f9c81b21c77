import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFakeTenant } from '@certpin/testkit/tenant';
import { nodeOf } from '../../../../packages/auth0/test/nodes.ts';
import { runActions, runInContainers } from '../../../../packages/auth0/test/run/tenant-container.ts';
import type { Town } from './town.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** The tenant that the pages name. */
export const TENANT = 'acme.eu.auth0.com';

/** Starts a tenant with one connection, which has a pin that no server presents. The programs of the page find it under its name. */
export async function openTenant(t: TestContext, { folder, env }: Town): Promise<void> {
  const containers = { node: nodeOf(22), cwd: root };
  const tenant = await startFakeTenant({
    domain: TENANT,
    runContainer: runInContainers(containers),
    runAction: runActions(containers),
  });
  t.after(() => tenant.close());
  const login = `const DB_PINS = '2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE'; // certpin: customer-db
function login(email, password, callback) { callback(null, { user_id: email }); }`;
  tenant.addConnection({
    name: 'customers',
    options: { enabledDatabaseCustomization: true, customScripts: { login }, configuration: {} },
  });
  const [ca, lead] = [join(folder, '../tenant-ca.pem'), join(folder, '../lead.cjs')];
  writeFileSync(ca, tenant.ca);
  writeFileSync(
    lead,
    `const own = globalThis.fetch;
globalThis.fetch = (url, init) => own(String(url).replace('https://${TENANT}/', '${tenant.origin}/'), init);\n`,
  );
  Object.assign(env, tenant.credentials, { NODE_EXTRA_CA_CERTS: ca, NODE_OPTIONS: `--require ${lead}` });
}
