import { isDeepStrictEqual } from 'node:util';
import type { Place } from '@certpin/pins-file';
import { MAX_SCRIPT_BYTES } from '../platform/script-size.ts';
import { type Action, type ActionContent, findAction, isAsRead, readAction, writeAction } from '../tenant/actions.ts';
import { plain } from '../tenant/tenant-error.ts';
import type { TenantContext } from './context.ts';
import { DeliverError } from './deliver-error.ts';
import { isUnderWay, lastWritten, type Witness } from './journal.ts';
import { findMarkedLine } from './marked-line.ts';
import { shapeOfValues, valuesOf } from './values.ts';
import { type HiddenPlace, valuesOfOthers } from './values-of-others.ts';
import type { Item, Standing, Step, Wish } from './wish.ts';

/** Limits of Auth0: the characters of a secret, the number of secrets, and the bytes of the code. */
const SECRET_LIMIT = 4_096;
const SECRETS_LIMIT = 30;

/**
 * The places of one Action: its secrets, and lines of its code.
 *
 * @throws TenantError if it cannot be read
 */
export async function planAction(context: TenantContext, name: string, wishes: readonly Wish[]): Promise<Step> {
  const action = await findAction(context.management, name);
  const { draft, deployed } = action;
  const refusals: DeliverError[] = [];
  const refuse = (
    code: ConstructorParameters<typeof DeliverError>[0],
    why: string,
    { wish, hint }: { readonly wish?: Wish; readonly hint?: string } = {},
  ): void => {
    refusals.push(new DeliverError(code, `the Action ${name}: ${why}`, wish?.place, hint));
  };
  const secrets = new Map<string, string>();
  let code = draft.code;
  const items = wishes.map((wish): Item => {
    const { place, pins, entry } = wish;
    if (place.kind === 'secret') {
      secrets.set(place.key, pins);
      if (pins.length > SECRET_LIMIT) refuse('ERR_PLACE', 'its secret would be longer than 4,096 characters', { wish });
      return { ...wish, standing: standingOf(action, place.key, lastWritten(context.journal, place)) };
    }
    const line = findMarkedLine(code, entry.id ?? '');
    if (typeof line === 'string') {
      refuse('ERR_PLACE', line, { wish });
      return { ...wish, standing: { how: 'unknown', reason: line } };
    }
    code = line.replace(pins);
    const running = deployed === undefined ? undefined : findMarkedLine(deployed.code, entry.id ?? '');
    const standing: Standing =
      typeof running === 'object'
        ? { how: 'read', text: running.text }
        : { how: 'unknown', reason: 'it is not deployed' };
    return { ...wish, standing };
  });
  if (Buffer.byteLength(code) > MAX_SCRIPT_BYTES) refuse('ERR_PLACE', 'its code would become longer than 100 kB');
  if (!action.isDeployed && !isOurDraft(context, action, wishes)) {
    refuse(
      'ERR_DRAFT',
      'its draft has changes that are not deployed, and a deploy would publish them: deploy or discard them first',
    );
  }
  const given = valuesOf(context.values.actions, name);
  const unmeant = Object.keys(given).filter((key) => secrets.has(key) || !draft.secrets.has(key));
  if (unmeant.length > 0) {
    const which = unmeant.map(plain).join(', ');
    refuse(
      'ERR_VALUES',
      `the file of --values has ${which}, which comes from the pins file or does not exist; remove it there`,
    );
  }
  const { domain } = context.management.credentials;
  const isBeside = (place: Place): place is HiddenPlace =>
    place.kind === 'secret' && place.tenant === domain && place.action === action.name && !secrets.has(place.key);
  const others = valuesOfOthers(context, isBeside, (key, last) => standingOf(action, key, last));
  const known = { ...others, ...given };
  const all = secrets.size === 0 ? undefined : mergeSecrets(draft, secrets, known);
  if (all !== undefined && all.size > SECRETS_LIMIT) refuse('ERR_PLACE', 'it would have more than 30 secrets');
  const unknown = [...(all ?? [])].filter(([, value]) => value === undefined).map(([key]) => plain(key));
  if (unknown.length > 0 && context.learned?.nameOnlySecrets !== true) {
    const why =
      context.learned?.nameOnlySecrets === false
        ? ' (in this tenant a secret that is sent without its value loses it)'
        : '; or measure with certpin auth0 learn whether a secret that is sent without its value keeps it';
    refuse(
      'ERR_VALUES',
      `it has other secrets, and nobody can read them (${unknown.join(', ')}): give them with --values, or put the pins into its code (kind action-code)${why}`,
      {
        hint: shapeOfValues(
          'actions',
          name,
          [...(all ?? [])].flatMap(([key, value]) => (value === undefined ? key : [])),
        ),
      },
    );
  }
  return {
    name: `the Action ${name} of ${context.management.credentials.domain}`,
    ...{ items, refusals },
    isPending: !action.isDeployed,
    snapshot: action.whole,
    login: undefined,
    write: () =>
      write(
        context,
        action,
        {
          // A draft that could not be built is built again when it is written.
          code: code === draft.code && action.isDeployed ? undefined : code,
          secrets: all,
        },
        items,
      ),
  };
}

async function write(
  { management }: TenantContext,
  action: Action,
  change: { readonly code: string | undefined; readonly secrets: ReadonlyMap<string, string | undefined> | undefined },
  items: readonly Item[],
): Promise<readonly (Witness | null)[]> {
  const now = await readAction(management, action.id);
  if (!isAsRead(action, now)) {
    throw new DeliverError(
      'ERR_CHANGED',
      `the Action ${action.name}: somebody else has changed it since it was read; it was not written`,
    );
  }
  const { deployed } = await writeAction(management, now, change);
  return items.map(({ place }) => (place.kind === 'secret' ? deployed?.secrets.get(place.key) || null : null));
}

function mergeSecrets(
  draft: ActionContent,
  ours: ReadonlyMap<string, string>,
  known: Readonly<Record<string, string>>,
): Map<string, string | undefined> {
  const old = [...draft.secrets.keys()].map(
    (name) => [name, Object.hasOwn(known, name) ? known[name] : undefined] as const,
  );
  return new Map([...old, ...ours]);
}

/** What is known of a secret. Its value is never shown, but the time of its last change is. */
function standingOf({ deployed }: Action, key: string, last: ReturnType<typeof lastWritten>): Standing {
  const changed = deployed?.secrets.get(key);
  if (changed === undefined) return { how: 'absent' };
  if (changed !== '' && last?.witness === changed) return { how: 'witness', sha256: last.sha256, text: last.pins };
  const reason =
    last === undefined
      ? 'a secret cannot be read, and push has not written it yet'
      : 'a secret cannot be read, and somebody else has written it since the last push';
  return { how: 'unknown', reason };
}

/**
 * Whether a draft is what one of our pushes has left, because it was killed before it could deploy. Then it differs only in our own places.
 */
function isOurDraft({ journal }: TenantContext, { draft, deployed }: Action, wishes: readonly Wish[]): boolean {
  if (deployed === undefined || !wishes.some(({ place }) => isUnderWay(journal, place))) return false;
  let [one, other] = [draft.code, deployed.code];
  const ours = new Set<string>();
  for (const { place, entry } of wishes) {
    if (place.kind === 'secret') ours.add(place.key);
    const lines = [findMarkedLine(one, entry.id ?? ''), findMarkedLine(other, entry.id ?? '')];
    const [drafted, running] = lines;
    if (typeof drafted !== 'object' || typeof running !== 'object') continue;
    one = drafted.replace('');
    other = running.replace('');
  }
  const rest = ({ secrets }: ActionContent) => [...secrets].filter(([name]) => !ours.has(name)).sort();
  const isSameRest =
    isDeepStrictEqual(rest(draft), rest(deployed)) ||
    (isDeepStrictEqual(names(draft), names(deployed)) && isWrittenAtOnce(draft, deployed, ours));
  return (
    one === other &&
    isSameRest &&
    isDeepStrictEqual(draft.dependencies, deployed.dependencies) &&
    isDeepStrictEqual(draft.runtime, deployed.runtime) &&
    isDeepStrictEqual(draft.modules, deployed.modules)
  );
}

/** A push writes all secrets at once. A secret that was written later than ours was written by somebody else. */
function isWrittenAtOnce(draft: ActionContent, deployed: ActionContent, ours: ReadonlySet<string>): boolean {
  const last = Math.max(...[...ours].map((name) => Date.parse(draft.secrets.get(name) ?? '')));
  return [...draft.secrets].every(
    ([name, changed]) => changed === deployed.secrets.get(name) || Date.parse(changed) - last <= AT_ONCE_MS,
  );
}

/** A tenant may stamp the secrets of one PATCH one after another, within milliseconds. A person who has seen ours takes longer to write. */
const AT_ONCE_MS = 1_000;

function names({ secrets }: ActionContent): readonly string[] {
  return [...secrets.keys()].sort();
}
