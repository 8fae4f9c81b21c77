import { randomUUID } from 'node:crypto';
import { type ActionContent, changeContent, isSame, plainContent, showContent } from './action-content.ts';
import { ApiError, invalidBody } from './api-error.ts';
import { type Build, builtAt, stateOf } from './builds.ts';
import { isObject, refuseUnknown } from './connection-checks.ts';
import type { ActionSeed, FakeTenantOptions, JsonObject, PlainAction, TenantAnswer } from './options.ts';
import { type ApiCall, objectOf, pageOf, type Route } from './routes.ts';

interface ActionRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly draft: ActionContent;
  readonly build: Build;
  /** Oldest first. The newest built version is the deployed one. */
  readonly versions: readonly Version[];
}

interface Version {
  readonly id: string;
  readonly number: number;
  readonly content: ActionContent;
  readonly createdAt: string;
  readonly build: Build;
}

const changeable = ['name', 'code', 'runtime', 'dependencies', 'secrets', 'supported_triggers', 'modules'];
const empty: ActionContent = {
  ...{ code: '', runtime: 'node22', dependencies: [], modules: null },
  ...{ supported_triggers: [{ id: 'post-login', version: 'v3' }], secrets: [] },
};

/** The Actions of the tenant. */
export class Actions {
  readonly #records = new Map<string, ActionRecord>();
  readonly #options: FakeTenantOptions;

  constructor(options: FakeTenantOptions) {
    this.#options = options;
  }

  get all(): readonly ActionRecord[] {
    return [...this.#records.values()];
  }

  add(seed: ActionSeed): string {
    const { name, secrets = {}, deployed = true, draftCode, ...given } = seed;
    const now = new Date().toISOString();
    const values = Object.entries(secrets).map(([key, value]) => ({ name: key, value }));
    const content = changeContent(empty, { ...given, secrets: values } as JsonObject, 'kept');
    const build: Build = { startedAt: Date.now(), durationMs: 0, fails: false };
    const version: Version = { id: randomUUID(), number: 1, content, createdAt: now, build };
    const draft = draftCode === undefined ? content : { ...content, code: draftCode };
    const versions = deployed ? [version] : [];
    const record: ActionRecord = { id: randomUUID(), name, createdAt: now, updatedAt: now, draft, build, versions };
    this.#records.set(record.id, record);
    return record.id;
  }

  plaintext(): Record<string, PlainAction> {
    const entries = this.all.map((record) => {
      const deployed = deployedOf(record);
      const plain: PlainAction = {
        id: record.id,
        draft: plainContent(record.draft),
        deployed: deployed === undefined ? null : plainContent(deployed.content),
        versions: record.versions.length,
      };
      return [record.name, plain] as const;
    });
    return Object.fromEntries(entries);
  }

  routes(): readonly Route[] {
    const read = ['read:actions'];
    const create = ['create:actions'];
    return [
      { operation: 'GET actions/actions', scopes: read, handle: (call) => this.#list(call) },
      { operation: 'POST actions/actions', scopes: create, handle: (call) => this.#create(call) },
      {
        operation: 'GET actions/actions/:id',
        scopes: read,
        handle: ({ id }) => ({ status: 200, body: show(this.#find(id)) }),
      },
      { operation: 'PATCH actions/actions/:id', scopes: ['update:actions'], handle: (call) => this.#update(call) },
      { operation: 'DELETE actions/actions/:id', scopes: ['delete:actions'], handle: (call) => this.#remove(call) },
      { operation: 'POST actions/actions/:id/deploy', scopes: create, handle: (call) => this.#deploy(call) },
      { operation: 'POST actions/actions/:id/test', scopes: create, handle: (call) => this.#test(call) },
      { operation: 'GET actions/actions/:id/versions', scopes: read, handle: (call) => this.#versions(call) },
      { operation: 'GET actions/actions/:id/versions/:versionId', scopes: read, handle: (call) => this.#version(call) },
      {
        operation: 'POST actions/actions/:id/versions/:versionId/deploy',
        scopes: create,
        handle: (call) => this.#rollBack(call),
      },
    ];
  }

  #find(id: string): ActionRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new ApiError(404, 'action_not_found', 'That action does not exist.');
    return record;
  }

  #list({ query }: ApiCall): TenantAnswer {
    if ('include_totals' in query)
      throw new ApiError(
        400,
        'invalid_query_string',
        "Query validation error: 'Additional properties not allowed: include_totals'.",
      );
    const found = this.all.filter(
      (record) =>
        (query.actionName ?? record.name) === record.name &&
        (query.triggerId === undefined ||
          JSON.stringify(record.draft.supported_triggers).includes(`"${query.triggerId}"`)) &&
        (query.deployed === undefined || (deployedOf(record) !== undefined) === (query.deployed === 'true')),
    );
    const page = pageOf(found, query);
    const { page: number = '0' } = query;
    return {
      status: 200,
      body: { actions: page.items.map(show), total: found.length, page: Number(number), per_page: page.limit },
    };
  }

  #create(call: ApiCall): TenantAnswer {
    const { name, deploy = false, ...given } = objectOf(call);
    if (typeof name !== 'string' || name === '') throw invalidBody('Missing required property: name');
    if (given.supported_triggers === undefined) throw invalidBody('Missing required property: supported_triggers');
    refuseUnknown(given, changeable);
    if (this.all.length >= 100)
      throw new ApiError(403, 'too_many_actions', 'The limit of 100 actions has been reached.');
    this.#refuseTaken(name);
    const now = new Date().toISOString();
    const draft = changeContent(empty, given, 'kept');
    const build = this.#build(name, draft, 'draft');
    const record: ActionRecord = { id: randomUUID(), name, createdAt: now, updatedAt: now, draft, build, versions: [] };
    this.#records.set(record.id, record);
    if (deploy === true) this.#addVersion(record, draft);
    return { status: 201, body: show(this.#find(record.id)) };
  }

  #update(call: ApiCall): TenantAnswer {
    const record = this.#find(call.id);
    const given = objectOf(call);
    refuseUnknown(given, changeable);
    const { name = record.name } = given;
    if (typeof name !== 'string' || name === '') throw invalidBody('Expected type string: name');
    if (name !== record.name) this.#refuseTaken(name);
    const draft = changeContent(record.draft, given, this.#options.nameOnlySecrets ?? 'kept');
    const build = this.#build(name, draft, 'draft');
    const changed = { ...record, name, draft, build, updatedAt: new Date().toISOString() };
    this.#records.set(record.id, changed);
    return { status: 200, body: show(changed) };
  }

  #remove({ id }: ApiCall): TenantAnswer {
    this.#find(id);
    this.#records.delete(id);
    return { status: 204 };
  }

  #deploy({ id }: ApiCall): TenantAnswer {
    const record = this.#find(id);
    if (stateOf(record.build) !== 'built') {
      throw new ApiError(400, 'invalid_request', "A draft must be in the 'built' state before it can be deployed.");
    }
    return { status: 200, body: showVersion(record, this.#addVersion(record, record.draft)) };
  }

  /** The answer of a test of an Action is not documented. The draft is what runs. */
  async #test(call: ApiCall): Promise<TenantAnswer> {
    const { runAction } = this.#options;
    const { draft, build } = this.#find(call.id);
    const { payload } = objectOf(call);
    if (!isObject(payload)) throw invalidBody('Missing required property: payload');
    if (stateOf(build) !== 'built') {
      throw new ApiError(400, 'invalid_request', "A draft must be in the 'built' state before it can be tested.");
    }
    if (runAction === undefined) throw new Error('a test of an Action needs runAction');
    const { code, secrets } = plainContent(draft);
    return { status: 200, body: { payload: await runAction({ code, secrets, payload }) } };
  }

  #versions({ id, query }: ApiCall): TenantAnswer {
    const record = this.#find(id);
    const newestFirst = [...record.versions].reverse();
    const page = pageOf(newestFirst, query);
    const versions = page.items.map((version) => showVersion(record, version));
    return {
      status: 200,
      body: { versions, total: newestFirst.length, page: Number(query.page ?? 0), per_page: page.limit },
    };
  }

  #version({ id, versionId }: ApiCall): TenantAnswer {
    const record = this.#find(id);
    return { status: 200, body: showVersion(record, findVersion(record, versionId)) };
  }

  /** A new version, like the chosen one. The draft stays unchanged, unless it is asked to follow. */
  #rollBack(call: ApiCall): TenantAnswer {
    const { content } = findVersion(this.#find(call.id), call.versionId);
    const { update_draft: follows = false } = call.body === undefined ? {} : objectOf(call);
    if (follows === true) {
      const record = this.#find(call.id);
      this.#records.set(record.id, { ...record, draft: content, build: this.#build(record.name, content, 'draft') });
    }
    const record = this.#find(call.id);
    return { status: 202, body: showVersion(record, this.#addVersion(record, content)) };
  }

  #addVersion(record: ActionRecord, content: ActionContent): Version {
    const number = (record.versions.at(-1)?.number ?? 0) + 1;
    const build = this.#build(record.name, content, 'version');
    const version: Version = { id: randomUUID(), number, content, createdAt: new Date().toISOString(), build };
    // If there are 50, the oldest is removed, but never the running one.
    const versions = [...record.versions, version].filter(
      (each, index, all) => index >= all.length - 50 || each === deployedOf(record),
    );
    this.#records.set(record.id, { ...record, versions });
    return version;
  }

  #build(name: string, { code }: ActionContent, of: 'draft' | 'version'): Build {
    const { buildMs = 0, failBuilds = false } = this.#options;
    const fails = typeof failBuilds === 'function' ? failBuilds({ name, code, of }) : failBuilds;
    return { startedAt: Date.now(), durationMs: buildMs, fails };
  }

  #refuseTaken(name: string): void {
    if (this.all.some((other) => other.name === name)) {
      throw new ApiError(409, 'action_name_conflict', `An action with the name "${name}" already exists.`);
    }
  }
}

function findVersion(record: ActionRecord, id: string): Version {
  const version = record.versions.find((each) => each.id === id);
  if (version === undefined) throw new ApiError(404, 'version_not_found', 'That version does not exist.');
  return version;
}

function deployedOf(record: ActionRecord): Version | undefined {
  return [...record.versions].reverse().find(({ build }) => stateOf(build) === 'built');
}

function show(record: ActionRecord): JsonObject {
  const { id, name, createdAt, updatedAt, draft, build } = record;
  const deployed = deployedOf(record);
  const time = builtAt(build);
  return {
    ...{ id, name, created_at: createdAt, updated_at: updatedAt, ...showContent(draft), status: stateOf(build) },
    ...(time === undefined ? {} : { built_at: time }),
    ...(deployed === undefined ? {} : { deployed_version: showVersion(undefined, deployed, true) }),
    all_changes_deployed: isAllDeployed(record),
  };
}

function showVersion(record: ActionRecord | undefined, version: Version, deployed = false): JsonObject {
  const { id, number, content, createdAt, build } = version;
  const state = stateOf(build);
  const time = builtAt(build);
  return {
    ...{ id, number, ...showContent(content), status: state, created_at: createdAt, updated_at: time ?? createdAt },
    ...(time === undefined ? {} : { built_at: time }),
    ...(state === 'failed' ? { errors: [{ id: 'build_failed', msg: 'the version could not be built' }] } : {}),
    deployed: deployed || (record !== undefined && deployedOf(record)?.id === id),
    ...(record === undefined ? {} : { action: baseOf(record) }),
  };
}

function baseOf(record: ActionRecord): JsonObject {
  const { id, name, createdAt, updatedAt, draft } = record;
  return {
    ...{ id, name, supported_triggers: draft.supported_triggers, created_at: createdAt, updated_at: updatedAt },
    all_changes_deployed: isAllDeployed(record),
  };
}

function isAllDeployed(record: ActionRecord): boolean {
  const deployed = deployedOf(record);
  return deployed !== undefined && isSame(record.draft, deployed.content);
}
