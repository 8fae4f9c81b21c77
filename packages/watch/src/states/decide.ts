import { createHash } from 'node:crypto';
import type { Seen } from '../store/store.ts';
import type { MutedBy, Remark, State, TargetRow, Transition } from '../types.ts';
import { type Hysteresis, settle } from './hysteresis.ts';
import { noPins, type Observation, type SeenPins } from './observe.ts';

/** What the states keep of a target between two checks. */
export interface Memory extends SeenPins {
  readonly away: number;
  /** Addresses that could not be asked yet. */
  readonly unasked: readonly string[];
  /** A hash of what the pins file says of the target. */
  readonly fingerprint: string;
}

/** @param definition what the pins file says of the target. If it has changed, earlier results of its addresses no longer count */
export function readMemory(
  text: string | null,
  { addresses }: Pick<TargetRow, 'addresses'>,
  definition: string,
): Memory {
  const fingerprint = createHash('sha256').update(definition).digest('base64url').slice(0, 16);
  const all = addresses.map(({ address }) => address);
  if (text === null) return { ...noPins, away: 0, unasked: all, fingerprint };
  const known = JSON.parse(text) as SeenPins & Pick<Memory, 'away'> & Partial<Memory>;
  const unasked = known.fingerprint === fingerprint ? (known.unasked ?? all) : all;
  return { ...known, unasked, fingerprint };
}

export interface Decision {
  readonly seen: Omit<Seen, 'nextCheckAt' | 'checkSeconds'>;
  readonly transitions: readonly Decided[];
  /** Another state was found, but not often enough. The target must be asked again soon. */
  readonly isPending: boolean;
}

interface Decided {
  readonly transition: Transition;
  /** Whether receivers must get it. */
  readonly isTold: boolean;
}

export interface Circumstances {
  readonly now: number;
  readonly hysteresis: Hysteresis;
  readonly isRotating: boolean;
  /** Whether other targets presented one of its keys. */
  readonly sharesKey: boolean;
  readonly newId: () => string;
}

/** What one more check means: the state, what has happened, and which receivers must know. */
export function decide(row: TargetRow, memory: Memory, found: Observation, around: Circumstances): Decision {
  const { now, hysteresis, newId } = around;
  const { state, away } = settle({ state: row.state, away: memory.away }, found.state, hysteresis);
  const remarks = found.remarks === undefined ? row.remarks : withShared(found.remarks, around.sharesKey);
  const mutedBy = state === null ? null : muteOf(row, state, around);
  // A new target that holds is not news.
  const known = row.told ?? 'holds';
  const isNews = state !== null && mutedBy === null && state !== known;
  const make = (kind: Transition['kind'], about: Pick<Transition, 'from' | 'to' | 'remark'>): Transition => ({
    ...{ id: newId(), at: now, kind, key: row.key, label: row.label, targetId: row.id, servername: row.servername },
    ...about,
    ...{ reason: found.reason, mutedBy, addresses: found.addresses, endsAt: found.endsAt },
  });
  const transitions: Decided[] = [];
  const isChanged = state !== row.state && !(row.state === null && state === 'holds');
  if (isChanged) {
    transitions.push({ transition: make('changed', { from: row.state, to: state, remark: null }), isTold: isNews });
  } else if (isNews && found.state === state) {
    transitions.push({ transition: make('unmuted', { from: row.told, to: state, remark: null }), isTold: true });
  }
  if (row.checkedAt !== null) {
    for (const [kind, remark] of changesOf(row.remarks, remarks))
      transitions.push({ transition: make(kind, { from: null, to: null, remark }), isTold: mutedBy === null });
  }
  const isTold = transitions.some(({ transition, isTold: told }) => told && transition.to !== null);
  return {
    transitions,
    isPending: found.state !== state,
    seen: {
      protocol: found.protocol ?? row.protocol,
      ...{ state, since: state === row.state ? row.since : now, observed: found.state, reason: found.reason, remarks },
      checkedAt: now,
      // If a target does not answer, the known facts about its certificates stay.
      startsAt: found.startsAt ?? row.startsAt,
      endsAt: found.endsAt ?? row.endsAt,
      addresses: found.addresses,
      told: isTold || (mutedBy === null && state === known) ? state : row.told,
      memory: JSON.stringify({
        ...{ ...found.pins, away, unasked: found.unasked, fingerprint: memory.fingerprint },
      } satisfies Memory),
    },
  };
}

/** A person's word covers everything; a rotation that is under way covers what it brings with it. */
function muteOf({ mute }: TargetRow, state: State, { now, isRotating }: Circumstances): MutedBy | null {
  if (mute !== null && mute.until > now) return 'person';
  return isRotating && (state === 'rotated' || state === 'mixed') ? 'rotation' : null;
}

function withShared(remarks: readonly Remark[], sharesKey: boolean): readonly Remark[] {
  return sharesKey ? [...remarks, 'same-key'] : remarks;
}

function changesOf(
  before: readonly Remark[],
  after: readonly Remark[],
): readonly (readonly ['remarked' | 'unremarked', Remark])[] {
  return [
    ...after.filter((remark) => !before.includes(remark)).map((remark) => ['remarked', remark] as const),
    ...before.filter((remark) => !after.includes(remark)).map((remark) => ['unremarked', remark] as const),
  ];
}
