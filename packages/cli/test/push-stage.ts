import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { certificateHex, mint, startAddresses } from '@certpin/testkit';
import { type FakeTenantOptions, startFakeTenant } from '@certpin/testkit/tenant';
import { certpin, type Said, type TranscriptOptions } from './transcript.ts';

const DOMAIN = 'acme.eu.auth0.com';
const line = "const DB_PINS = ''; // certpin: customer-db\n";

/** A tenant with a connection and an Action, a server, and a pins file that delivers to both and to a file. */
export async function startPushStage(t: TestContext, how: FakeTenantOptions = {}) {
  const certificate = await mint({ validToDays: 300 });
  const server = await startAddresses([certificate]);
  const tenant = await startFakeTenant({ domain: DOMAIN, ...how });
  const folder = mkdtempSync(join(tmpdir(), 'certpin-push-'));
  t.after(async () => {
    await server.close();
    await tenant.close();
    rmSync(folder, { recursive: true });
  });
  tenant.addConnection({
    ...{ name: 'customers', display_name: 'Our customers', metadata: { owner: 'team-a' } },
    options: {
      ...{ enabledDatabaseCustomization: true, mfa: { active: true } },
      customScripts: {
        login: `${line}function login(email, password, callback) { callback(null, { user_id: email }); }`,
      },
      configuration: { DB_PINS: 'old', DB_PASSWORD: 'correct-horse' },
    },
  });
  const secrets = { DB_PINS: 'old', API_KEY: 'battery-staple' };
  tenant.addAction({ name: 'post-login', code: `${line}exports.onExecutePostLogin = async () => {};`, secrets });
  const file = join(folder, 'certpin.json');
  const values = join(folder, 'values.secret');
  writeFileSync(
    values,
    JSON.stringify({
      connections: { customers: { DB_PASSWORD: 'correct-horse' } },
      actions: { 'post-login': { API_KEY: 'battery-staple' } },
    }),
  );
  const current = certificateHex(certificate);
  const inTenant = { tenant: DOMAIN, connection: 'customers' };
  const write = (pins: readonly string[], more: object = {}): void => {
    const target = {
      ...{ id: 'customer-db', target: `tls://${server.name}:${server.port}`, pins },
      deliver: [
        { kind: 'configuration', ...inTenant, key: 'DB_PINS' },
        { kind: 'script', ...inTenant, script: 'login' },
        { kind: 'secret', tenant: DOMAIN, action: 'post-login', key: 'DB_PINS' },
        { kind: 'action-code', tenant: DOMAIN, action: 'post-login' },
        { kind: 'file', path: 'deploy.env', format: 'env', key: 'DB_PINS' },
      ],
      ...more,
    };
    writeFileSync(file, `${JSON.stringify({ version: 2, targets: [target] }, null, 2)}\n`);
  };
  const env: Record<string, string> = { ...tenant.credentials };
  return {
    ...{ tenant, folder, file, values, current, write, env, certificate },
    read: (name: string): string => readFileSync(join(folder, name), 'utf8'),
    certpin: (args: readonly string[], more: TranscriptOptions = {}): Promise<Said> =>
      certpin([...args, '--file', file], { fetch: tenant.fetch, lookup: server.lookup, env, ...more }),
    /** Where the pins of the target stand, and everything else of the tenant. */
    places: () => {
      const { connections, actions } = tenant.plaintext();
      const { options, metadata, ...top } = structuredClone(connections.customers) as never as {
        options: { configuration: Record<string, string>; customScripts: { login: string } };
        metadata: Record<string, string>;
      };
      const { draft, deployed } = structuredClone(actions['post-login']) as never as Record<
        'draft' | 'deployed',
        { code: string; secrets: Record<string, string> }
      >;
      const pinsOf = (code: string): string => /'(.*)'; \/\/ certpin/.exec(code)?.[1] ?? '';
      const { configuration, customScripts, ...more } = options;
      const texts = [
        ...[configuration.DB_PINS, pinsOf(customScripts.login), draft.secrets.DB_PINS, pinsOf(draft.code)],
        ...[deployed.secrets.DB_PINS, pinsOf(deployed.code)],
      ];
      const rest = {
        ...{ top, more, password: configuration.DB_PASSWORD, keys: [draft.secrets.API_KEY, deployed.secrets.API_KEY] },
        script: customScripts.login.replace(/^.*\n/, ''),
        code: [draft.code.replace(/^.*\n/, ''), deployed.code.replace(/^.*\n/, '')],
        owner: metadata.owner,
      };
      return { texts, rest };
    },
  };
}
