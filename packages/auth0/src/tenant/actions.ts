import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from './connections.ts';
import { type Found, fieldOf, isId, type Json, listOf, type Management, refuseEndless } from './management.ts';
import { plain, TenantError } from './tenant-error.ts';

/** What runs, or what would run after the next deploy. */
export interface ActionContent {
  readonly code: string;
  readonly dependencies: Json;
  readonly runtime: Json;
  readonly modules: Json;
  /** Names, and when each was changed. The values are never shown. */
  readonly secrets: ReadonlyMap<string, string>;
}

export interface Action {
  readonly id: string;
  readonly name: string;
  readonly draft: ActionContent;
  readonly deployed: ActionContent | undefined;
  /** Of the draft: `pending`, `building`, `packaged`, `built`, `retrying`, `failed`. */
  readonly status: string;
  readonly isDeployed: boolean;
  readonly whole: JsonObject;
}

/** Finds it by its name. @throws TenantError */
export async function findAction(management: Management, name: string): Promise<Action> {
  const found = await searchAction(management, name);
  if (found === undefined) throw refused(`there is no Action ${plain(name)} in the tenant`);
  return toAction(found);
}

/** undefined: there is none. @throws TenantError */
export async function findActionId(management: Management, name: string): Promise<string | undefined> {
  const id = fieldOf(await searchAction(management, name), 'id');
  return isId(id) ? id : undefined;
}

async function searchAction(management: Management, name: string): Promise<Json | undefined> {
  const found: Json[] = [];
  for (let page = 0, total = 1; page * 50 < total; page++) {
    refuseEndless(page);
    const path = `actions/actions?actionName=${encodeURIComponent(name)}&page=${page}&per_page=50`;
    const answer = await management.get(path);
    found.push(...listOf(fieldOf(answer, 'actions')).filter((action) => fieldOf(action, 'name') === name));
    total = Number(fieldOf(answer, 'total') ?? 0);
  }
  const [one, other] = found;
  if (other !== undefined) throw refused(`there are several Actions ${plain(name)} in the tenant`);
  return one;
}

export async function readAction(management: Management, id: string): Promise<Action> {
  return toAction(await management.get(`actions/actions/${encodeURIComponent(id)}`));
}

function toAction(whole: Json): Action {
  const [id, name, status, deployed] = ['id', 'name', 'status', 'deployed_version'].map((key) => fieldOf(whole, key));
  if (!isId(id) || typeof name !== 'string' || !isObject(whole)) throw refused('its answer is not an Action');
  return {
    ...{ id, name, whole, status: String(status), draft: toContent(whole) },
    deployed: isObject(deployed) ? toContent(deployed) : undefined,
    isDeployed: whole.all_changes_deployed === true,
  };
}

function toContent(value: JsonObject): ActionContent {
  const secrets = listOf(value.secrets);
  return {
    code: String(value.code ?? ''),
    dependencies: value.dependencies ?? [],
    runtime: value.runtime ?? null,
    modules: value.modules ?? null,
    secrets: new Map(secrets.map((one) => [String(fieldOf(one, 'name')), String(fieldOf(one, 'updated_at') ?? '')])),
  };
}

/**
 * Whether nobody has changed it since. If a build of an earlier deploy ends in between, that is not a change: the deployed version then
 * becomes the draft that was read, and nothing else.
 */
export function isAsRead(before: Action, now: Action): boolean {
  if (!isDeepStrictEqual(now.draft, before.draft)) return false;
  const { deployed, isDeployed } = now;
  if (isDeployed === before.isDeployed) return isDeepStrictEqual(deployed, before.deployed);
  const asItIs = { code: undefined, secrets: undefined };
  return isDeployed && deployed !== undefined && differences(before, asItIs, deployed).length === 0;
}

/** The changes of an Action. If no secret changes, the PATCH leaves `secrets` out, and then all are kept. */
export interface ActionChange {
  readonly code: string | undefined;
  /** All of them, because the list is replaced as a whole. undefined: a name without its value. */
  readonly secrets: ReadonlyMap<string, string | undefined> | undefined;
}

const BUILD_LIMIT_MS = 5 * 60_000;

/**
 * Changes the draft, waits until it is built, compares it with what was sent, and deploys it.
 *
 * @param before if it has changed since, nothing is written
 * @throws TenantError. A draft that cannot be built is not deployed: the deployed version goes on running
 */
export async function writeAction(
  management: Management,
  before: Action,
  { code, secrets }: ActionChange,
): Promise<Action> {
  const path = `actions/actions/${encodeURIComponent(before.id)}`;
  const body = {
    ...(code === undefined ? {} : { code }),
    ...(secrets === undefined
      ? {}
      : { secrets: [...secrets].map(([name, value]) => (value === undefined ? { name } : { name, value })) }),
  };
  const isWritten = ({ draft }: Action): boolean =>
    draft.code === (code ?? before.draft.code) &&
    (secrets === undefined ||
      (isDeepStrictEqual([...draft.secrets.keys()].sort(), [...secrets.keys()].sort()) &&
        [...secrets].every(
          ([name, value]) => value === undefined || draft.secrets.get(name) !== before.draft.secrets.get(name),
        )));
  const isUntouched = ({ draft }: Action): boolean => isDeepStrictEqual(draft, before.draft);
  if (Object.keys(body).length > 0) {
    await management.write('PATCH', path, body, async (): Promise<Found> => {
      const now = await readAction(management, before.id);
      return isWritten(now) ? 'written' : isUntouched(now) ? 'unwritten' : 'unclear';
    });
  }
  const named = `of the Action ${plain(before.name)}`;
  const meaning = ': its draft is changed, and what was deployed before goes on running';
  const statusOfDraft = async (): Promise<Json> => (await readAction(management, before.id)).status;
  await untilBuilt(management, { what: `the build ${named}`, meaning }, statusOfDraft);
  const { draft } = await readAction(management, before.id);
  // For a version, the tenant may show the modules in another form than for a draft.
  const unlike = [
    ...differences(before, { code, secrets }, draft),
    ...(isDeepStrictEqual(draft.modules, before.draft.modules) ? [] : ['modules']),
  ];
  if (unlike.length > 0) {
    throw refused(
      `the draft is not what was written (${unlike.join(', ')}): somebody else has changed it, and it was not deployed`,
    );
  }
  const newest = async (): Promise<Json | undefined> => {
    const versions = listOf(fieldOf(await management.get(`${path}/versions?page=0&per_page=5`), 'versions'));
    return [...versions].sort((one, other) => numberOf(other) - numberOf(one))[0];
  };
  const earlier = numberOf(await newest());
  const answer = await management.write('POST', `${path}/deploy`, undefined, async (): Promise<Found> => {
    return numberOf(await newest()) > earlier ? 'written' : 'unwritten';
  });
  const version = fieldOf(answer ?? (await newest()), 'id');
  if (!isId(version))
    throw refused(`the tenant does not say which version of the Action ${plain(before.name)} it deploys`);
  const statusOfVersion = async (): Promise<Json | undefined> =>
    fieldOf(await management.get(`${path}/versions/${version}`), 'status');
  await untilBuilt(management, { what: `the deploy ${named}`, meaning }, statusOfVersion);
  const after = await readAction(management, before.id);
  const wrong =
    after.deployed === undefined
      ? ['nothing']
      : [...differences(before, { code, secrets }, after.deployed), ...staleSecrets(before, secrets, after.deployed)];
  if (wrong.length > 0) {
    throw refused(`what is deployed of the Action ${plain(before.name)} is not what was written (${wrong.join(', ')})`);
  }
  return after;
}

function numberOf(version: Json | undefined): number {
  return Number(fieldOf(version, 'number') ?? 0);
}

/** The sent values must have got a new time. The values themselves are never shown. */
function staleSecrets(
  { deployed: old }: Action,
  sent: ActionChange['secrets'],
  { secrets }: ActionContent,
): readonly string[] {
  const isStale = ([name, value]: readonly [string, string | undefined]): boolean =>
    value !== undefined && Boolean(secrets.get(name)) && secrets.get(name) === old?.secrets.get(name);
  return [...(sent ?? [])].some(isStale) ? ['secrets'] : [];
}

/** Compared by name, because a value cannot be compared. */
function differences(before: Action, { code, secrets }: ActionChange, now: ActionContent): readonly string[] {
  const { draft } = before;
  return [
    ...(now.code === (code ?? draft.code) ? [] : ['code']),
    ...(isDeepStrictEqual(now.dependencies, draft.dependencies) ? [] : ['dependencies']),
    ...(isDeepStrictEqual(now.runtime, draft.runtime) ? [] : ['runtime']),
    ...(isDeepStrictEqual([...now.secrets.keys()].sort(), [...(secrets ?? draft.secrets).keys()].sort())
      ? []
      : ['names of secrets']),
  ];
}

/**
 * Asks for the state of a draft or a version until it is a final one.
 *
 * @param what for people: `the build of the Action post-login`
 * @param meaning what it means if it is not built in the end. It follows the reason
 * @throws TenantError `ERR_TENANT_REFUSED`
 */
export async function untilBuilt(
  management: Management,
  { what, meaning = '' }: { readonly what: string; readonly meaning?: string },
  ask: () => Promise<Json | undefined>,
): Promise<void> {
  const end = performance.now() + BUILD_LIMIT_MS;
  for (let pause = 100; ; pause = Math.min(pause * 2, 3_000)) {
    const state = await ask();
    if (state === 'built') return;
    if (state === 'failed') throw refused(`${what} has failed${meaning}`);
    if (performance.now() > end) throw refused(`${what} has not ended in 5 minutes (${plain(state)})${meaning}`);
    await management.pause(pause, `waiting for ${what}`);
  }
}

function refused(message: string): TenantError {
  return new TenantError('ERR_TENANT_REFUSED', message);
}
