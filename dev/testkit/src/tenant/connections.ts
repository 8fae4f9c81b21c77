import { randomBytes } from 'node:crypto';
import { ApiError, insufficientScope, invalidBody } from './api-error.ts';
import {
  changeable,
  checkMetadata,
  isObject,
  readOptions,
  refuseExclusive,
  refuseUnknown,
} from './connection-checks.ts';
import type { ConnectionSeed, FakeTenantOptions, Json, JsonObject, TenantAnswer } from './options.ts';
import { type ApiCall, numberOf, objectOf, pageOf, type Route } from './routes.ts';
import { Vault } from './vault.ts';

/** A connection, with everything in plaintext. */
export interface ConnectionRecord {
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  /** What else stands at its top, without `options`. */
  readonly fields: Readonly<Record<string, Json>>;
  readonly options: JsonObject;
  /** The ciphertext of `options.configuration`, by key, of the last write. */
  readonly sealed: Readonly<Record<string, string>>;
  readonly vault: Vault;
  /** The times at which `options` were written, oldest first. Their number is the generation of scripts and configuration. */
  readonly writes: readonly number[];
}

/** The connections of the tenant. */
export class Connections {
  readonly #records = new Map<string, ConnectionRecord>();
  readonly #options: FakeTenantOptions;

  constructor(options: FakeTenantOptions) {
    this.#options = options;
  }

  get all(): readonly ConnectionRecord[] {
    return [...this.#records.values()];
  }

  add(seed: ConnectionSeed, clientId: string): string {
    const { name, strategy = 'auth0', options = {}, realms = [name], enabled_clients = [clientId], ...rest } = seed;
    const fields = { ...usualFields, ...rest, realms, enabled_clients } as Record<string, Json>;
    return this.#insert({ name, strategy, fields, options }).id;
  }

  find(id: string): ConnectionRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new ApiError(404, 'inexistent_connection', 'The connection does not exist');
    return record;
  }

  routes(): readonly Route[] {
    return [
      { operation: 'GET connections', scopes: ['read:connections'], handle: (call) => this.#list(call) },
      { operation: 'POST connections', scopes: ['create:connections'], handle: (call) => this.#create(call) },
      {
        operation: 'GET connections/:id',
        scopes: ['read:connections'],
        handle: (call) => ({ status: 200, body: pick(show(this.find(call.id), call), call.query) }),
      },
      { operation: 'PATCH connections/:id', scopes: ['update:connections'], handle: (call) => this.#update(call) },
      { operation: 'DELETE connections/:id', scopes: ['delete:connections'], handle: (call) => this.#remove(call) },
      { operation: 'GET connections/:id/clients', scopes: ['read:connections'], handle: (call) => this.#clients(call) },
      {
        operation: 'PATCH connections/:id/clients',
        scopes: ['update:connections'],
        handle: (call) => this.#enableClients(call),
      },
    ];
  }

  #list(call: ApiCall): TenantAnswer {
    const { query } = call;
    const { strategy, name } = query;
    const found = this.all.filter(
      (record) =>
        (strategy === undefined || strategy.split(',').includes(record.strategy)) &&
        (name ?? record.name) === record.name,
    );
    const view = (record: ConnectionRecord): JsonObject => pick(show(record, call), query);
    if (query.from !== undefined || query.take !== undefined) {
      const start = query.from === undefined ? 0 : found.findIndex(({ id }) => id === query.from);
      if (start < 0) throw new ApiError(400, 'invalid_query_string', "Query validation error: 'from' is not known.");
      const end = start + numberOf(query.take, 50, 'take');
      const next = found[end];
      return {
        status: 200,
        body: { connections: found.slice(start, end).map(view), ...(next === undefined ? {} : { next: next.id }) },
      };
    }
    const page = pageOf(found, query);
    if (page.start >= 1000)
      throw new ApiError(400, 'invalid_paging', 'You can only page through the first 1000 records.');
    const connections = page.items.map(view);
    if (query.include_totals !== 'true') return { status: 200, body: connections };
    return { status: 200, body: { connections, start: page.start, limit: page.limit, total: found.length } };
  }

  #create(call: ApiCall): TenantAnswer {
    const { name, strategy, options = {}, ...given } = objectOf(call);
    if (typeof name !== 'string' || !/^[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?$/i.test(name)) {
      throw invalidBody('String does not match pattern: name');
    }
    if (typeof strategy !== 'string') throw invalidBody('Missing required property: strategy');
    refuseUnknown(given, changeable);
    checkMetadata(given.metadata);
    if (this.all.some((record) => record.name === name)) {
      throw new ApiError(409, 'connection_conflict', 'A connection with the same name already exists');
    }
    const { realms, enabled_clients = [], ...rest } = given;
    const fields = {
      ...usualFields,
      ...rest,
      enabled_clients,
      realms: Array.isArray(realms) && realms.length > 0 ? realms : [name],
    };
    const checked = readOptions(options);
    refuseExclusive(checked);
    // As recorded: the tenant adds its defaults, also to the legacy settings of passwords. These cannot be written together.
    const withDefaults = strategy === 'auth0' ? { ...defaults, ...checked } : checked;
    const record = this.#insert({ name, strategy, fields, options: withDefaults });
    return { status: 201, body: show(record, call) };
  }

  #update(call: ApiCall): TenantAnswer {
    const record = this.find(call.id);
    const { options, ...given } = objectOf(call);
    refuseUnknown(given, changeable);
    checkMetadata(given.metadata);
    const fields = { ...record.fields, ...given };
    if (!('display_name' in given) && 'display_name' in fields) fields.display_name = record.name;
    if (!('realms' in given) && this.#options.realms === 'renamed') fields.realms = [record.name];
    if (options === undefined) return this.#store({ ...record, fields }, call);
    if (!call.scopes.has('update:connections_options')) throw insufficientScope(['update:connections_options']);
    const checked = readOptions(options);
    refuseExclusive(checked);
    const opened = this.#openCiphertext(checked, record.vault);
    return this.#store(seal({ ...record, fields, options: opened }), call);
  }

  #remove(call: ApiCall): TenantAnswer {
    this.find(call.id);
    this.#records.delete(call.id);
    return { status: 202, body: { deleted_at: new Date().toISOString() } };
  }

  #clients(call: ApiCall): TenantAnswer {
    const clients = (this.find(call.id).fields.enabled_clients as readonly string[]).map((client_id) => ({
      client_id,
    }));
    return { status: 200, body: { clients } };
  }

  #enableClients(call: ApiCall): TenantAnswer {
    const record = this.find(call.id);
    if (!Array.isArray(call.body)) throw invalidBody('Expected type array');
    const enabled = new Set(record.fields.enabled_clients as readonly string[]);
    for (const { client_id, status } of call.body as { client_id: string; status: boolean }[]) {
      if (status) enabled.add(client_id);
      else enabled.delete(client_id);
    }
    this.#records.set(record.id, { ...record, fields: { ...record.fields, enabled_clients: [...enabled] } });
    return { status: 204 };
  }

  #insert(given: Pick<ConnectionRecord, 'name' | 'strategy' | 'fields' | 'options'>): ConnectionRecord {
    const id = `con_${randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x')}`;
    const record = seal({ ...given, id, sealed: {}, vault: new Vault(), writes: [] });
    this.#records.set(id, record);
    return record;
  }

  #store(record: ConnectionRecord, call: ApiCall): TenantAnswer {
    this.#records.set(record.id, record);
    return { status: 200, body: show(record, call) };
  }

  #openCiphertext(options: JsonObject, vault: Vault): JsonObject {
    const { configuration } = options;
    if (this.#options.ciphertext === 'encrypted-twice' || !isObject(configuration)) return options;
    const opened = Object.entries(configuration).map(([key, value]) => [
      key,
      typeof value === 'string' ? (vault.open(value) ?? value) : value,
    ]);
    return { ...options, configuration: Object.fromEntries(opened) };
  }
}

/** Each write makes new ciphertext, also for unchanged values. */
function seal(record: ConnectionRecord): ConnectionRecord {
  const options = inStoredOrder(record.options) as JsonObject;
  const { configuration } = options;
  const sealed = Object.entries(isObject(configuration) ? configuration : {}).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, record.vault.seal(value)]] : [],
  );
  return { ...record, options, sealed: Object.fromEntries(sealed), writes: [...record.writes, Date.now()] };
}

/** What a client is shown. */
function show(record: ConnectionRecord, call: ApiCall): JsonObject {
  const { id, name, strategy, fields, options, sealed } = record;
  const shown = isObject(options.configuration)
    ? { ...options, configuration: { ...options.configuration, ...sealed } }
    : options;
  return { id, ...(call.scopes.has('read:connections_options') ? { options: shown } : {}), strategy, name, ...fields };
}

/** As recorded: what is written comes back in the order in which a database keeps keys, the shorter ones first. */
function inStoredOrder(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(inStoredOrder);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inStoredOrder(inner)]));
}

function pick(shown: JsonObject, { fields, include_fields }: ApiCall['query']): JsonObject {
  if (fields === undefined) return shown;
  const named = new Set(fields.split(','));
  return Object.fromEntries(Object.entries(shown).filter(([key]) => named.has(key) === (include_fields !== 'false')));
}

const usualFields = {
  ...{ is_domain_connection: false, authentication: { active: true } },
  connected_accounts: { active: false },
};

const defaults: JsonObject = {
  password_options: {
    complexity: { min_length: 15, character_types: [], character_type_rule: 'all' },
    profile_data: { active: false, blocked_fields: [] },
    history: { active: false, size: 3 },
    dictionary: { active: false, custom: [], default: 'en_100k' },
  },
  authentication_methods: { password: { enabled: true }, passkey: { enabled: false } },
  passkey_options: { challenge_ui: 'both', local_enrollment_enabled: true, progressive_enrollment_enabled: true },
};
