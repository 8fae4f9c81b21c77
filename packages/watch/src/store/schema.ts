/**
 * The tables, as a list of steps: `user_version` says how many of them a file has seen. A released step is never changed; another is added.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE target (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    id TEXT,
    servername TEXT,
    note TEXT,
    line INTEGER NOT NULL,
    pins TEXT NOT NULL,
    interval_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    search_file TEXT NOT NULL,
    protocol TEXT,
    state TEXT,
    rank INTEGER NOT NULL DEFAULT -1,
    since INTEGER,
    observed TEXT,
    reason TEXT NOT NULL DEFAULT '',
    remarks TEXT NOT NULL DEFAULT '[]',
    checked_at INTEGER,
    check_seconds REAL,
    next_check_at INTEGER NOT NULL,
    starts_at INTEGER,
    ends_at INTEGER,
    addresses TEXT NOT NULL DEFAULT '[]',
    told TEXT,
    memory TEXT,
    search_seen TEXT NOT NULL DEFAULT ''
  );
  CREATE INDEX target_due ON target (next_check_at);
  CREATE INDEX target_rank ON target (rank, label);
  CREATE INDEX target_label ON target (label);
  CREATE INDEX target_ends ON target (ends_at, label);
  CREATE INDEX target_since ON target (since, label);
  CREATE INDEX target_checked ON target (checked_at, label);

  -- What a pins file says, until all of it has been read.
  CREATE TABLE incoming (
    key TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    id TEXT,
    servername TEXT,
    note TEXT,
    line INTEGER NOT NULL,
    pins TEXT NOT NULL,
    interval_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    search_file TEXT NOT NULL
  );

  -- The keys that a target presented last.
  CREATE TABLE presented (
    public_key TEXT NOT NULL,
    target INTEGER NOT NULL,
    PRIMARY KEY (public_key, target)
  ) WITHOUT ROWID;
  CREATE INDEX presented_target ON presented (target);

  CREATE TABLE transition (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT,
    label TEXT,
    target_id TEXT,
    servername TEXT,
    from_state TEXT,
    to_state TEXT,
    remark TEXT,
    reason TEXT NOT NULL,
    muted_by TEXT,
    addresses TEXT NOT NULL,
    ends_at INTEGER
  );
  CREATE INDEX transition_key ON transition (key, number);
  CREATE INDEX transition_at ON transition (at);
  CREATE TABLE transition_count (state TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;

  -- Days since 1970. The target 0 is all of them together.
  CREATE TABLE day (
    target INTEGER NOT NULL,
    day INTEGER NOT NULL,
    state TEXT NOT NULL,
    checks INTEGER NOT NULL,
    seconds_sum REAL NOT NULL,
    seconds_max REAL NOT NULL,
    PRIMARY KEY (target, day, state)
  ) WITHOUT ROWID;

  CREATE TABLE mute (key TEXT PRIMARY KEY, until INTEGER NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE watcher (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  -- What no message has yet.
  CREATE TABLE outbox (
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (receiver, kind, number)
  ) WITHOUT ROWID;
  CREATE INDEX outbox_at ON outbox (receiver, at);
  CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    done_at INTEGER
  );
  CREATE INDEX message_open ON message (receiver, number) WHERE done_at IS NULL;
  CREATE INDEX message_done ON message (done_at);
  CREATE TABLE message_row (message INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (message, number)) WITHOUT ROWID;
  -- The last transition of a target that was put into the outbox of a receiver, and when.
  CREATE TABLE heard (
    receiver TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (receiver, key)
  ) WITHOUT ROWID;
  CREATE TABLE receiver (
    name TEXT PRIMARY KEY,
    last_sent_at INTEGER,
    last_error TEXT,
    failed_attempts INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  `,
];
