-- The tables of the embedded store. One sequence (`seq`) runs through events, deliveries and changes: the journal.
-- A row that is the birth of something carries its place in the journal as its key; only later changes of a
-- delivery need rows of their own. Times are Unix milliseconds. Leases are not stored: one process owns this
-- file, and all its leases end with it.

CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

-- Endpoint ids, event types and source names, once each; rows and indexes hold the number.
CREATE TABLE IF NOT EXISTS names (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,      -- insert-first de-duplication
  source_no INTEGER,
  type_no INTEGER NOT NULL,
  occurred_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  machine_id TEXT,
  machine TEXT,                 -- JSON of the rest of the machine reference
  flags INTEGER NOT NULL,       -- 1 test, 2 verified leniently
  direct INTEGER NOT NULL,      -- meant for one endpoint: not in lists
  hops INTEGER NOT NULL,
  body TEXT,                    -- NULL: forgotten, the id alone is remembered
  raw BLOB                      -- NULL: same bytes as body
) STRICT;
CREATE INDEX IF NOT EXISTS events_by_type ON events (type_no, seq) WHERE direct = 0;

CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY,
  event_seq INTEGER NOT NULL,
  endpoint_no INTEGER NOT NULL,
  type_no INTEGER NOT NULL,
  status INTEGER NOT NULL,
  lane INTEGER NOT NULL,        -- 0 first attempts, 1 retries
  due_at INTEGER,               -- NULL: nothing further happens by itself
  step INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  flags INTEGER NOT NULL,       -- 1 test, 4 direct
  created_at INTEGER NOT NULL,
  completed_at INTEGER,
  order_key TEXT,
  order_state INTEGER NOT NULL, -- 0 free of its key, 1 holds its key, 2 waits for it
  reason TEXT,
  context TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event_seq);
CREATE INDEX IF NOT EXISTS deliveries_by_endpoint ON deliveries (endpoint_no, seq);
CREATE INDEX IF NOT EXISTS deliveries_by_endpoint_type ON deliveries (endpoint_no, type_no, seq);
CREATE INDEX IF NOT EXISTS deliveries_by_type ON deliveries (type_no, seq);
CREATE INDEX IF NOT EXISTS deliveries_not_succeeded ON deliveries (status, seq) WHERE status <> 3;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (endpoint_no, lane, due_at, seq) WHERE due_at IS NOT NULL AND order_state < 2;
CREATE INDEX IF NOT EXISTS deliveries_of_key ON deliveries (endpoint_no, order_key, seq) WHERE order_state > 0;

CREATE TABLE IF NOT EXISTS changes (
  seq INTEGER PRIMARY KEY,
  delivery_seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  step INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  due_at INTEGER,
  completed_at INTEGER,
  reason TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY,       -- delivery seq * 4096 + number: clustered by delivery without an index
  started_at INTEGER NOT NULL,
  duration_ms REAL,
  outcome TEXT NOT NULL,
  status_code INTEGER,
  request_headers TEXT,
  request_body TEXT,            -- NULL: the event's body
  response_headers TEXT,
  response_body TEXT,
  error_code TEXT,
  error_message TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS lanes (
  endpoint_no INTEGER PRIMARY KEY,
  pool TEXT,                    -- who may claim; NULL until the first delivery says so
  held INTEGER NOT NULL,
  max_concurrency INTEGER NOT NULL,
  rate_per_second REAL          -- NULL: no limit
) STRICT;

-- How receivers are doing, kept over a restart: written only when it changes.
CREATE TABLE IF NOT EXISTS health (
  endpoint_no INTEGER PRIMARY KEY,
  failures_in_row INTEGER NOT NULL,
  failing_since INTEGER,
  last_success_at INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS timers (key TEXT PRIMARY KEY, due_at INTEGER NOT NULL, payload TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS timers_due ON timers (due_at);

CREATE TABLE IF NOT EXISTS records (
  place INTEGER PRIMARY KEY,
  collection TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,          -- JSON
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (collection, id)
) STRICT;
