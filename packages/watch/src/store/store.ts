import type {
  DayRow,
  Message,
  Mute,
  NoticeKind,
  OutboxCount,
  Remark,
  State,
  StoredTransition,
  TargetRow,
  Transition,
  WatcherRow,
} from '../types.ts';

/**
 * What is kept between two checks and two runs: present states, transitions, sums of days, the outbox and mutes. There is never a row for
 * each check. What belongs together is written in one step: a killed process leaves all of it or nothing.
 */
export interface Store extends TargetStore, OutboxStore, PageStore {
  /** Forgets what is older: transitions and sent messages; the sums of days. */
  prune(before: { readonly transitions: number; readonly days: number }): Promise<void>;
  close(): Promise<void>;
}

/** For the cycle. */
export interface TargetStore {
  /**
   * Takes over what the pins file says: new targets are due at once, those that are gone are forgotten, what is known of the others stays.
   * All or nothing, also where `targets` throws.
   */
  importTargets(targets: AsyncIterable<WatchedTarget>, now: number): Promise<void>;
  /** The targets that are due, those that have waited longest first, without those that are being asked. */
  due(now: number, limit: number, without: ReadonlySet<string>): Promise<readonly DueTarget[]>;
  /** Targets that answered at their last check, the latest first, without some: they tell whether anybody can be reached at all. */
  answered(limit: number, without: ReadonlySet<string>): Promise<readonly DueTarget[]>;
  /** When the next target is due; null: there is none. */
  nextDueAt(): Promise<number | null>;
  /** Nothing is later than its interval after `now`: the clock was set back, or the intervals have become shorter. */
  clampDue(now: number): Promise<void>;
  /** All are due now: `--once`. */
  allDue(now: number): Promise<void>;
  /**
   * Writes down what checks have found, with what follows from it.
   *
   * @returns the keys of those that were written. The others came too late: the pins file says something else of the target by now, or another
   * check of it was written since
   */
  record(checks: readonly Recorded[]): Promise<ReadonlySet<string>>;
  /** The same of the watcher itself. */
  recordWatcher(change: Partial<WatcherRow>, transitions?: readonly Outgoing[]): Promise<void>;
  /** Whether another target presented one of these keys at its last check. */
  shares(key: string, publicKeys: readonly string[]): Promise<boolean>;
  setMute(mute: Mute): Promise<void>;
  /** @returns whether there was one */
  removeMute(key: string): Promise<boolean>;
  mutes(now: number): Promise<readonly Mute[]>;
}

/** A target as the pins file has it. */
export interface WatchedTarget
  extends Pick<TargetRow, 'key' | 'label' | 'id' | 'servername' | 'note' | 'line' | 'pins' | 'intervalMs'> {
  /** Its text in the file, of which it is read again when it is asked. */
  readonly text: string;
  /** A file or a unix socket: another machine has another one under the same name, and is not asked. */
  readonly isHere: boolean;
}

export interface DueTarget {
  readonly row: TargetRow;
  readonly text: string;
  /** What the states keep between two checks: JSON of theirs. */
  readonly memory: string | null;
}

/** What follows from one check. */
export interface Recorded {
  readonly key: string;
  /** As it was when the check began. */
  readonly text: string;
  /** The `checkedAt` of the target when the check began. */
  readonly before: number | null;
  readonly seen: Seen;
  /** For the sums of the day; undefined: the check does not count. */
  readonly counted: { readonly state: State; readonly seconds: number; readonly at: number } | undefined;
  readonly transitions: readonly Outgoing[];
}

/** What a check leaves of a target. */
export interface Seen
  extends Pick<
    TargetRow,
    | 'protocol'
    | 'state'
    | 'since'
    | 'observed'
    | 'reason'
    | 'remarks'
    | 'checkedAt'
    | 'checkSeconds'
    | 'nextCheckAt'
    | 'startsAt'
    | 'endsAt'
    | 'addresses'
    | 'told'
  > {
  /** What the states keep between two checks: JSON of theirs. */
  readonly memory: string;
}

/** A transition, and who hears of it. */
export interface Outgoing {
  readonly transition: Transition;
  /** Names of receivers. */
  readonly receivers: readonly string[];
}

/** For the notices. */
export interface OutboxStore {
  /**
   * The next message of a receiver, for one sender alone until `leaseUntil`. First those that were put together before and are due again; then
   * a new one, of up to `max` transitions that no message has yet. A new message is written down before it is returned, so it keeps its id.
   * While a message of the receiver is open (it waits for its retry, or has a lease), no new one is put together. A message has one kind.
   *
   * @param ripeAt a new message is put together only if the first of its transitions was not put in later: others may join it; 0: none
   */
  claimMessage(claim: {
    readonly receiver: string;
    readonly now: number;
    readonly leaseUntil: number;
    readonly max: number;
    readonly ripeAt: number;
  }): Promise<Message | undefined>;
  markSent(messageId: string, at: number): Promise<void>;
  /** It is tried again at `dueAt`. @param error without a secret */
  markFailed(
    messageId: string,
    failure: { readonly at: number; readonly dueAt: number; readonly error: string },
  ): Promise<void>;
  /** Gives up all that waits for receivers that are not among these. @returns how many transitions */
  dropReceiversExcept(receivers: readonly string[]): Promise<number>;
  /** When a message or a loose transition of the receiver is due next; null: nothing waits. Loose ones count from their own time on. */
  nextMessageAt(receiver: string): Promise<number | null>;
  /** Puts a transition into the outbox again. What waits there already stays one. */
  enqueue(
    rows: readonly { readonly receiver: string; readonly number: number; readonly kind: NoticeKind }[],
    now: number,
  ): Promise<void>;
  /**
   * Targets that are in one of the states and not muted, if nothing about them was put into the receiver's outbox since `before`. For each, the last
   * transition that the receiver was told.
   */
  remindersDue(
    receiver: string,
    query: { readonly states: readonly State[]; readonly before: number; readonly now: number; readonly limit: number },
  ): Promise<readonly StoredTransition[]>;
  outboxCounts(): Promise<readonly OutboxCount[]>;
}

export interface TargetQuery {
  /** A part of label, id, note, server name, subject or hash. Any case. */
  readonly search?: string | undefined;
  /** `unknown`: not asked yet. */
  readonly states?: readonly (State | 'unknown')[] | undefined;
  readonly remark?: Remark | undefined;
  readonly muted?: boolean | undefined;
  /** `endsAt` between these, the first included. */
  readonly endsFrom?: number | undefined;
  readonly endsBefore?: number | undefined;
  /** `state`: the worst first. Default `state`. Ties go by label. Targets without the value come last. */
  readonly sort?: 'state' | 'label' | 'ends' | 'checked' | 'since' | undefined;
  /** The other way round. */
  readonly descending?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

export interface TransitionQuery {
  readonly key?: string | undefined;
  readonly from?: number | undefined;
  readonly before?: number | undefined;
  /** Those with a smaller number: the next page. */
  readonly beforeNumber?: number | undefined;
  readonly kinds?: readonly Transition['kind'][] | undefined;
  readonly limit?: number | undefined;
}

/** For pages, metrics and `watch status`. It is read only. */
export interface PageStore {
  target(key: string): Promise<TargetRow | undefined>;
  targets(query: TargetQuery): Promise<{ readonly total: number; readonly rows: readonly TargetRow[] }>;
  /** Every target, in the order of the keys; some hundred are in memory at a time. */
  eachTarget(): AsyncIterable<TargetRow>;
  /** How many targets are in each state; `unknown` are those that were not asked yet. */
  countStates(): Promise<Readonly<Record<State | 'unknown', number>>>;
  countRemarks(): Promise<Readonly<Partial<Record<Remark, number>>>>;
  /** The newest first. */
  transitions(query: TransitionQuery): Promise<readonly StoredTransition[]>;
  /** Since the store was made, by the state after it. */
  countTransitions(): Promise<Readonly<Partial<Record<State, number>>>>;
  /** @param fromDay `2027-03-01`; the oldest first */
  days(key: string, fromDay: string): Promise<readonly DayRow[]>;
  /** Of all targets together. */
  dayTotals(fromDay: string): Promise<readonly DayRow[]>;
  /** Other targets that presented one of the keys. At most `limit`. */
  sharing(
    key: string,
    publicKeys: readonly string[],
    limit: number,
  ): Promise<readonly Pick<TargetRow, 'key' | 'label'>[]>;
  watcher(): Promise<WatcherRow>;
  mutes(now: number): Promise<readonly Mute[]>;
  outboxCounts(): Promise<readonly OutboxCount[]>;
}
