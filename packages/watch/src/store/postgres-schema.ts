/**
 * The tables, as a list of steps: `certpin.version` says how many of them a database has seen. A released step is never changed; another is
 * added. The columns are those of SQLite (schema.ts), so one reader reads both.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE certpin.target (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL UNIQUE,
    label text COLLATE "C" NOT NULL,
    id text,
    servername text,
    note text,
    line bigint NOT NULL,
    pins text NOT NULL,
    interval_ms bigint NOT NULL,
    text text NOT NULL,
    search_file text NOT NULL,
    is_here boolean NOT NULL,
    protocol text,
    state text,
    rank int NOT NULL DEFAULT -1,
    since bigint,
    observed text,
    reason text NOT NULL DEFAULT '',
    remarks text NOT NULL DEFAULT '[]',
    checked_at bigint,
    check_seconds double precision,
    next_check_at bigint NOT NULL,
    starts_at bigint,
    ends_at bigint,
    addresses text NOT NULL DEFAULT '[]',
    told text,
    memory text,
    search_seen text NOT NULL DEFAULT ''
  );
  CREATE INDEX target_due ON certpin.target (next_check_at, number);
  CREATE INDEX target_rank ON certpin.target (rank, label);
  CREATE INDEX target_label ON certpin.target (label);
  CREATE INDEX target_ends ON certpin.target (ends_at, label);
  CREATE INDEX target_since ON certpin.target (since, label);
  CREATE INDEX target_checked ON certpin.target (checked_at, label);

  -- What a pins file says, until all of it has been read.
  CREATE TABLE certpin.incoming (
    key text COLLATE "C" PRIMARY KEY,
    label text NOT NULL,
    id text,
    servername text,
    note text,
    line bigint NOT NULL,
    pins text NOT NULL,
    interval_ms bigint NOT NULL,
    text text NOT NULL,
    search_file text NOT NULL,
    is_here boolean NOT NULL
  );

  -- The keys that a target presented last.
  CREATE TABLE certpin.presented (
    public_key text COLLATE "C" NOT NULL,
    target bigint NOT NULL,
    PRIMARY KEY (public_key, target)
  );
  CREATE INDEX presented_target ON certpin.presented (target);

  CREATE TABLE certpin.transition (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    at bigint NOT NULL,
    kind text NOT NULL,
    key text COLLATE "C",
    label text,
    target_id text,
    servername text,
    from_state text,
    to_state text,
    remark text,
    reason text NOT NULL,
    muted_by text,
    addresses text NOT NULL,
    ends_at bigint
  );
  CREATE INDEX transition_key ON certpin.transition (key, number);
  CREATE INDEX transition_at ON certpin.transition (at);
  CREATE TABLE certpin.transition_count (state text PRIMARY KEY, count bigint NOT NULL);

  -- Days since 1970. The target 0 is all of them together.
  CREATE TABLE certpin.day (
    target bigint NOT NULL,
    day int NOT NULL,
    state text NOT NULL,
    checks bigint NOT NULL,
    seconds_sum double precision NOT NULL,
    seconds_max double precision NOT NULL,
    PRIMARY KEY (target, day, state)
  );

  CREATE TABLE certpin.mute (key text COLLATE "C" PRIMARY KEY, until bigint NOT NULL, reason text NOT NULL, since bigint NOT NULL);
  CREATE TABLE certpin.watcher (name text PRIMARY KEY, value text NOT NULL);
  -- What the planner tells the workers: one row.
  CREATE TABLE certpin.plan (one boolean PRIMARY KEY DEFAULT true CHECK (one), value text NOT NULL);

  -- What no message has yet.
  CREATE TABLE certpin.outbox (
    receiver text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    number bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (receiver, kind, number)
  );
  CREATE INDEX outbox_at ON certpin.outbox (receiver, at);
  CREATE TABLE certpin.message (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    receiver text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    created_at bigint NOT NULL,
    due_at bigint NOT NULL,
    lease_until bigint NOT NULL,
    attempts int NOT NULL,
    done_at bigint
  );
  CREATE INDEX message_open ON certpin.message (receiver, number) WHERE done_at IS NULL;
  CREATE INDEX message_done ON certpin.message (done_at);
  CREATE TABLE certpin.message_row (message bigint NOT NULL, number bigint NOT NULL, PRIMARY KEY (message, number));
  CREATE INDEX message_row_number ON certpin.message_row (number);
  -- The last transition of a target that was put into the outbox of a receiver, and when.
  CREATE TABLE certpin.heard (
    receiver text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (receiver, key)
  );
  CREATE INDEX heard_number ON certpin.heard (number);
  CREATE TABLE certpin.receiver (
    name text COLLATE "C" PRIMARY KEY,
    last_sent_at bigint,
    last_error text,
    failed_attempts bigint NOT NULL DEFAULT 0
  );
  `,
];
