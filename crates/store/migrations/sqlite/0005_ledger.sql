-- The audit log: rows are only ever added, numbered without gaps by the one writer, each with the hash of the one
-- before it in its own. `personal` and `salt` go with an erasure; the hash has of them only `seal`.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  actor TEXT NOT NULL,
  face TEXT NOT NULL,
  way TEXT NOT NULL,
  peer TEXT,
  correlation BLOB,
  operation TEXT NOT NULL,
  -- Code of the fault of a refusal; absent where it was done.
  fault TEXT,
  count INTEGER NOT NULL,
  object_kind TEXT NOT NULL,
  object_id TEXT,
  before TEXT,
  after TEXT,
  personal TEXT,
  salt BLOB,
  seal BLOB,
  task TEXT,
  job TEXT,
  device TEXT,
  device_session TEXT,
  hash BLOB NOT NULL
);
CREATE INDEX audit_tenant ON audit (tenant);
CREATE INDEX audit_actor ON audit (tenant, actor);
CREATE INDEX audit_refused ON audit (tenant) WHERE fault IS NOT NULL;

-- What an entry is found by: unique parts of the identifiers of its object, task, job, device and request.
CREATE TABLE audit_key (
  key BLOB NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (key, number)
) WITHOUT ROWID;

-- Names that erasure may be asked for by, and a key of the entries that have them.
CREATE TABLE audit_subject (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  key BLOB NOT NULL,
  PRIMARY KEY (tenant, name, key)
) WITHOUT ROWID;
INSERT OR IGNORE INTO audit_subject (tenant, name, key)
  SELECT tenant, 'phone:' || phone_number, oid FROM device WHERE phone_number IS NOT NULL
  UNION ALL SELECT tenant, 'device:' || device_id, oid FROM device WHERE device_id IS NOT NULL
  UNION ALL SELECT tenant, 'subscriber:' || subscriber_id, oid FROM device WHERE subscriber_id IS NOT NULL;

-- Chargeable events, only ever added. kind: place in sqlite/charges.rs.
CREATE TABLE charge (
  number INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  at INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  caller TEXT NOT NULL,
  operation TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  task_bucket INTEGER,
  task BLOB,
  job BLOB,
  device_bucket INTEGER,
  device BLOB,
  object TEXT
);
CREATE INDEX charge_tenant ON charge (tenant);

-- Whether the task was charged for; begins anew when it is run again.
ALTER TABLE task ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;
