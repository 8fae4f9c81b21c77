import type { Remark as CheckRemark, Status } from '@certpin/pins-file';

/** The outcome for a target, in one word: docs/reference/states.md. */
export type State = Status | 'rotated';

/** Facts besides a state. They send no notice, unless the configuration asks for it. */
export type Remark = CheckRemark | 'no-backup-pin' | 'next-pin-never-seen' | 'same-key' | 'address-not-asked';

/** A certificate as it was presented. Its maker chose the names: they are shortened, and without control characters. */
export interface SeenCertificate {
  /** 64 upper-case hex digits. */
  readonly sha256: string;
  readonly publicKeySha256: string | null;
  readonly subject: string;
  readonly issuer: string;
  /** At most 20 of them. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. null: the certificate has no readable date. */
  readonly validFrom: number | null;
  readonly validTo: number | null;
}

/** What the last check has found at one address of a target. */
export interface SeenAddress {
  /** An IP address. Empty: there is none, as for a unix socket, a file, or an unknown name. */
  readonly address: string;
  readonly state: State;
  readonly reason: string;
  /** null: nothing was presented. */
  readonly certificate: SeenCertificate | null;
  /** The pin that holds, as `formatPin` spells it. null: none holds. */
  readonly pin: string | null;
}

/** Why no receiver gets a change of state. */
export type MutedBy = 'person' | 'rotation';

/** A target, and what is known of it now: one row in the store. */
export interface TargetRow {
  /** The same server has the same key, whatever its spelling. */
  readonly key: string;
  /** As it stands in the pins file. */
  readonly label: string;
  readonly id: string | null;
  readonly servername: string | null;
  readonly note: string | null;
  /** Its line in the pins file. */
  readonly line: number;
  /** The pins of the file, also those of issuers, as `formatPin` spells them. */
  readonly pins: readonly string[];
  readonly intervalMs: number;
  /** How it came to TLS at the last check. */
  readonly protocol: string | null;
  /** null: it has not been asked often enough. */
  readonly state: State | null;
  /** Since when, in milliseconds since 1970. */
  readonly since: number | null;
  /** What the last check alone has found. It differs from `state` until it was found often enough. */
  readonly observed: State | null;
  /** The fact that decided, in one line, of the last check. */
  readonly reason: string;
  readonly remarks: readonly Remark[];
  /** When the last check ended, and how long it took. */
  readonly checkedAt: number | null;
  readonly checkSeconds: number | null;
  readonly nextCheckAt: number;
  /** The latest beginning and the first end among the presented certificates. */
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly addresses: readonly SeenAddress[];
  /** The state that the receivers of notices know. It differs from `state` while the target is muted. */
  readonly told: State | null;
  readonly mute: Mute | null;
}

/** Who muted a target, until when, and why. */
export interface Mute {
  readonly key: string;
  readonly until: number;
  readonly reason: string;
  readonly since: number;
}

/**
 * What a transition is about.
 *
 * - `changed`: the state of a target
 * - `unmuted`: a mute has ended, and the receivers know another state than the present one
 * - `remarked`, `unremarked`: a remark has come, or gone
 * - `network-lost`, `network-back`: the watcher itself reaches nobody
 * - `file-unreadable`, `file-readable`: the pins file; the last good one stays
 */
export type TransitionKind =
  | 'changed'
  | 'unmuted'
  | 'remarked'
  | 'unremarked'
  | 'network-lost'
  | 'network-back'
  | 'file-unreadable'
  | 'file-readable';

/** Something that has happened. It is written once, in the same step as the state to which it leads. */
export interface Transition {
  /** A UUID. */
  readonly id: string;
  readonly at: number;
  readonly kind: TransitionKind;
  /** null: it is about the watcher itself. */
  readonly key: string | null;
  readonly label: string | null;
  readonly targetId: string | null;
  readonly servername: string | null;
  /** The states before and after. null for a new target, and if it is about something else. */
  readonly from: State | null;
  readonly to: State | null;
  readonly remark: Remark | null;
  readonly reason: string;
  readonly mutedBy: MutedBy | null;
  /** What was presented at that time, by address. */
  readonly addresses: readonly SeenAddress[];
  readonly endsAt: number | null;
}

/** A transition with its place in the order of all. */
export interface StoredTransition extends Transition {
  /** 1, 2, 3, … */
  readonly number: number;
}

/** What a day's checks of a target have found. */
export interface DayRow {
  /** `2027-03-01`, UTC. */
  readonly day: string;
  readonly checks: number;
  /** How many of them found each state. */
  readonly found: Readonly<Partial<Record<State, number>>>;
  readonly secondsSum: number;
  readonly secondsMax: number;
}

/** What is known of the watcher itself. */
export interface WatcherRow {
  readonly startedAt: number | null;
  readonly version: string | null;
  readonly pinsFile: string | null;
  /** When a check last ended. */
  readonly checkedAt: number | null;
  /** When no target was due any more: the end of the last pass over the targets. */
  readonly caughtUpAt: number | null;
  /** How many targets the last complete pass has asked, and how long it took. */
  readonly passTargets: number | null;
  readonly passSeconds: number | null;
  /** How often targets without an interval of their own are asked. null: no pins file was read yet. */
  readonly intervalMs: number | null;
  /** Since when it reaches no server. null: it does. */
  readonly networkLostAt: number | null;
  /** When the pins file was last read with success. */
  readonly fileReadAt: number | null;
  /** Why it cannot be read now. null: it can. */
  readonly fileError: string | null;
}

/** Why a receiver gets a transition. */
export type NoticeKind = 'transition' | 'reminder' | 'test';

/** A message that waits for its receiver: one transition, or a digest of several. */
export interface Message {
  /** Made when the message was put together, and kept over restarts: the `webhook-id`. */
  readonly id: string;
  readonly receiver: string;
  readonly kind: NoticeKind;
  /** In their order, at least one. They never change once the message has its id. */
  readonly transitions: readonly StoredTransition[];
  /** The number of failed attempts. */
  readonly attempts: number;
  /** When the first of its transitions happened. */
  readonly createdAt: number;
}

/** What waits for a receiver. */
export interface OutboxCount {
  readonly receiver: string;
  /** Transitions that were not sent. */
  readonly waiting: number;
  readonly oldestAt: number | null;
  readonly lastSentAt: number | null;
  readonly lastError: string | null;
  readonly failedAttempts: number;
}
