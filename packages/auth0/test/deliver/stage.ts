import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Place } from '@certpin/pins-file';
import { certificateHex, type Minted, mint, startAddresses } from '@certpin/testkit';
import { type ConnectionSeed, type FakeTenant, type FakeTenantOptions, startFakeTenant } from '@certpin/testkit/tenant';
import { type Delivered, type DeliverOptions, deliver, undoDelivery } from '../../src/deliver/index.ts';

export const DOMAIN = 'acme.eu.auth0.com';
/** The pin of a certificate that comes next. */
export const NEXT = 'AB'.repeat(32);

export interface Stage {
  readonly tenant: FakeTenant;
  readonly folder: string;
  /** The pins file. */
  readonly file: string;
  /** The certificate that the server presents, and its pin. */
  readonly certificate: Minted;
  readonly current: string;
  /** What has to stand everywhere: the current pin and the next one. */
  readonly pins: string;
  readonly name: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  readonly options: DeliverOptions;
  readonly push: (more?: Partial<DeliverOptions>) => Promise<Delivered>;
  readonly undo: (more?: Partial<DeliverOptions>) => Promise<Delivered>;
  /** Writes the pins file again. */
  readonly write: (more: { deliver?: readonly Place[]; pins?: readonly string[]; revoked?: readonly object[] }) => void;
  /** How often a connection or an Action was written. */
  readonly writes: () => number;
  readonly read: (name: string) => string;
}

/** A tenant, a server with one address for each certificate, and a pins file that delivers to the tenant. */
export async function startStage(
  t: TestContext,
  places: readonly Place[],
  { tenant: how = {}, addresses }: { tenant?: FakeTenantOptions; addresses?: readonly (Minted | undefined)[] } = {},
): Promise<Stage> {
  const certificate =
    addresses?.find((one) => one !== undefined) ?? (await mint({ names: ['db.example'], validToDays: 300 }));
  const server = await startAddresses(addresses ?? [certificate]);
  const tenant = await startFakeTenant({ domain: DOMAIN, ...how });
  const folder = mkdtempSync(join(tmpdir(), 'certpin-push-'));
  t.after(async () => {
    await server.close();
    await tenant.close();
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'certpin.json');
  const current = certificateHex(certificate);
  const pins = `${current},${NEXT}`;
  const write: Stage['write'] = ({ deliver = places, pins: list = pins.split(','), revoked }) => {
    const target = { id: 'customer-db', target: `tls://${server.name}:${server.port}`, pins: list, deliver, revoked };
    writeFileSync(file, `${JSON.stringify({ version: 2, targets: [target] }, null, 2)}\n`);
  };
  write({});
  const options = { fetch: tenant.fetch, env: tenant.credentials, lookup: server.lookup, timeoutMs: 3_000 };
  return {
    ...{ tenant, folder, file, certificate, current, pins, write, options },
    ...{ name: server.name, port: server.port, lookup: server.lookup },
    push: (more = {}) => deliver(file, [], { ...options, ...more }),
    undo: (more = {}) => undoDelivery(file, { ...options, ...more }),
    writes: () => tenant.requests.filter(({ method, path }) => method !== 'GET' && path.startsWith('/api/v2/')).length,
    read: (name) => readFileSync(join(folder, name), 'utf8'),
  };
}

export const codes = ({ problems }: Delivered): readonly string[] => problems.map(({ code }) => code);
export const said = ({ problems }: Delivered): string => problems.map(({ message }) => message).join('\n');
export const statuses = ({ outcomes }: Delivered): readonly string[] => outcomes.map(({ status }) => status);

/** Calls the API as a colleague does in the dashboard: without push. @param path with or without `/api/v2/` in front */
export async function ask({ tenant }: Stage, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await tenant.fetch(`https://${tenant.domain}/api/v2/${path.replace('/api/v2/', '')}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tenant.issueToken()}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Takes the clock out of the time limits of requests and commands. @returns which there were, and how to let the newest one pass */
export function holdLimits(t: TestContext) {
  const limits: { readonly milliseconds: number; readonly over: AbortController }[] = [];
  t.mock.method(AbortSignal, 'timeout', (milliseconds: number) => {
    const over = new AbortController();
    limits.push({ milliseconds, over });
    return over.signal;
  });
  return {
    limits,
    pass: () => limits.at(-1)?.over.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
  };
}

export const LOGIN = `const DB_PINS = '${'00'.repeat(32)}'; // certpin: customer-db
function login(email, password, callback) { callback(null, { user_id: email, pins: DB_PINS }); }
`;

/** A custom database as it stands in a tenant: everything here has to be there afterwards too. */
export function customers(options: ConnectionSeed['options'] = {}): ConnectionSeed {
  return {
    name: 'customers',
    display_name: 'Our customers',
    realms: ['customers', 'example.com'],
    metadata: { owner: 'team-a' },
    options: {
      enabledDatabaseCustomization: true,
      import_mode: false,
      mfa: { active: true, return_enroll_settings: true },
      password_options: { history: { active: true, size: 7 } },
      strategy_version: 2,
      customScripts: { login: LOGIN, get_user: 'function getByEmail(email, callback) { callback(null); }' },
      configuration: { DB_PINS: 'old', DB_PASSWORD: 'correct-horse' },
      ...options,
    },
  };
}

export const configuration: Place = { kind: 'configuration', tenant: DOMAIN, connection: 'customers', key: 'DB_PINS' };
export const script: Place = { kind: 'script', tenant: DOMAIN, connection: 'customers', script: 'login' };
export const secret: Place = { kind: 'secret', tenant: DOMAIN, action: 'post-login', key: 'DB_PINS' };
export const actionCode: Place = { kind: 'action-code', tenant: DOMAIN, action: 'post-login' };

/** A connection of the fake's plaintext. */
export function plainConnection(
  tenant: FakeTenant,
  name = 'customers',
): Record<string, unknown> & { options: Record<string, unknown> } {
  return tenant.plaintext().connections[name] as never;
}

const VALUES = { connections: { customers: { DB_PASSWORD: 'correct-horse' } } };

/** @returns the path of a file for `--values` */
export function writeValues(folder: string, values: object = VALUES): string {
  const path = join(folder, 'values.secret');
  writeFileSync(path, JSON.stringify(values), { mode: 0o600 });
  return path;
}

/** What is left of a connection when the pins, and the marks of push, are taken away. */
export function rest(tenant: FakeTenant, name = 'customers'): unknown {
  const {
    options,
    metadata = {},
    ...others
  } = structuredClone(tenant.plaintext().connections[name]) as unknown as Plain;
  const { configuration: all, customScripts: scripts = {}, ...more } = options;
  const { DB_PINS: _, ...values } = all ?? {};
  const code = Object.entries(scripts).map(([key, text]) => [key, text.replace(/^const DB_PINS = .*$/m, '')]);
  const marks = Object.entries(metadata).filter(([key]) => !key.startsWith('certpin_'));
  return { ...others, more, values, hasConfiguration: all !== undefined, code, marks };
}

interface Plain {
  readonly metadata?: object;
  readonly options: {
    readonly configuration?: Record<string, unknown>;
    readonly customScripts?: Record<string, string>;
  };
}
