import { span } from '../span.ts';
import { rankOf } from '../states/states.ts';
import type { Message, State, StoredTransition } from '../types.ts';
import { isTrouble } from './severity.ts';

/**
 * What a message says of one target, or of the watcher itself. In a digest, its last state counts, and the worst one before it, where that was
 * worse: a drift that is over by now is news, too.
 */
export interface Item {
  /** As in the pins file. null: the watcher itself. */
  readonly label: string | null;
  /** `drift`, `holds again`, `holds again after drift`, `remark no-backup-pin`, … Targets are counted by it. */
  readonly word: string;
  /** The same in a line of its own: `holds again; it was drift for 40 minutes`. */
  readonly phrase: string;
  /** What to do, in a few words. undefined: nothing. */
  readonly advice: string | undefined;
  /** The state that the receiver knew. */
  readonly before: State | null;
  /** It may contain what a server has chosen. */
  readonly reason: string;
  /** How many transitions it sums up. */
  readonly changes: number;
  readonly rank: number;
}

/** One for each target, the worst first. */
export function itemsOf({ transitions, kind }: Message): readonly Item[] {
  const byTarget = new Map<string, StoredTransition[]>();
  for (const transition of transitions) {
    const about = subjectOf(transition);
    const known = byTarget.get(about);
    if (known === undefined) byTarget.set(about, [transition]);
    else known.push(transition);
  }
  const items = [...byTarget.values()].map((changes) => toItem(changes, kind === 'reminder'));
  return items.sort((one, other) => other.rank - one.rank);
}

/** A remark and a state of one target are separate, and so are the two troubles of the watcher. */
function subjectOf({ key, kind, remark }: StoredTransition): string {
  if (key === null) return kind.startsWith('network') ? 'network' : 'file';
  return remark === null ? `state ${key}` : `remark ${remark} ${key}`;
}

function toItem(changes: readonly StoredTransition[], isReminder: boolean): Item {
  const first = changes[0] as StoredTransition;
  const last = changes.at(-1) as StoredTransition;
  const passed = passedOf(changes);
  const said = sayOf(last, { isReminder, isBack: isTrouble(first.from) || passed !== undefined });
  return {
    label: last.label,
    before: first.from,
    reason: last.reason,
    changes: changes.length,
    ...{ ...said, phrase: said.word },
    ...(passed === undefined ? {} : sayPassed(said.word, passed)),
  };
}

/** The worst trouble that came and went between two transitions of a message. */
interface Passed {
  readonly state: State;
  /** undefined: it ended while nothing was told, so nobody here knows when. */
  readonly lastedMs: number | undefined;
}

/** undefined: nothing was worse than what is there now. */
function passedOf(changes: readonly StoredTransition[]): Passed | undefined {
  const now = changes.at(-1)?.to ?? null;
  const earlier = changes.slice(0, -1);
  const state = earlier.reduce<State | null>((worst, { to }) => (rankOf(to) > rankOf(worst) ? to : worst), now);
  if (state === null || state === now || !isTrouble(state)) return undefined;
  // It may have come several times. Clocks jump.
  const times = earlier.map(({ to, at }, index) => {
    const next = changes[index + 1] as StoredTransition;
    if (to !== state) return 0;
    return next.from === state ? Math.max(0, next.at - at) : Number.NaN;
  });
  const lastedMs = times.reduce((sum, one) => sum + one, 0);
  return { state, lastedMs: Number.isNaN(lastedMs) ? undefined : lastedMs };
}

/** Behind what is in that state now. */
const PASSED_RANK = -0.25;

function sayPassed(word: string, { state, lastedMs }: Passed): Pick<Item, 'word' | 'phrase' | 'rank'> {
  return {
    word: `${word} after ${state}`,
    phrase: `${word}; it was ${state}${lastedMs === undefined ? '' : ` for ${span(lastedMs)}`}`,
    rank: rankOf(state) + PASSED_RANK,
  };
}

/** Worse than every state: nothing is known of any target at this time. */
const WATCHER_RANK = 100;
/** Between good and bad states. */
const REMARK_RANK = 1.5;

interface About {
  readonly isReminder: boolean;
  /** Whether there was a trouble before. */
  readonly isBack: boolean;
}

function sayOf(last: StoredTransition, about: About): Pick<Item, 'word' | 'advice' | 'rank'> {
  switch (last.kind) {
    case 'network-lost':
      return { word: 'reaches no server', advice: 'check the network of the watcher', rank: WATCHER_RANK };
    case 'network-back':
      return { word: 'reaches its servers again', advice: undefined, rank: 0 };
    case 'file-unreadable':
      return { word: 'cannot read the pins file', advice: 'mend the pins file', rank: WATCHER_RANK };
    case 'file-readable':
      return { word: 'reads the pins file again', advice: undefined, rank: 0 };
    case 'remarked':
      return { word: `remark ${last.remark}`, advice: undefined, rank: REMARK_RANK };
    case 'unremarked':
      return { word: `remark ${last.remark} is gone`, advice: undefined, rank: 0 };
    case 'changed':
    case 'unmuted':
      return sayOfState(last.to, about);
  }
}

function sayOfState(to: State | null, { isReminder, isBack }: About): Pick<Item, 'word' | 'advice' | 'rank'> {
  // A target that is no longer in the pins file.
  if (to === null) return { word: 'is not watched any more', advice: undefined, rank: 0 };
  const word = to === 'holds' && isBack ? 'holds again' : isReminder ? `still ${to}` : to;
  return { word, advice: adviceOf[to], rank: rankOf(to) };
}

/** docs/reference/states.md, in short. It follows only from the state: a server must not be able to choose the advice. */
const adviceOf: Readonly<Record<State, string | undefined>> = {
  holds: undefined,
  rotated: 'remove the old pin: certpin trust --replace',
  mixed: 'wait, or finish the rotation',
  'ends-soon': 'add the next pin, then renew the certificate',
  'no-such-name': 'check the name, and the name server',
  unreachable: 'check the server, and the network between',
  refused: "check the server's settings",
  'not-yet-valid': 'compare the clocks of both machines',
  expired: 'renew the certificate',
  drift: 'get the true hashes over another channel',
  revoked: 'find out who answers: it may be the thief of the key',
};
