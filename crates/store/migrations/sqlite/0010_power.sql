-- Safety of power: approvals of dangerous operations, and quotas. Numbers of classes and states are in
-- sqlite/approvals.rs.

-- Whether a task without a job waits for approval; those of a job are held with it. hold: 0 no, 1 its devices are being
-- counted, 2 it waits for approval. On the rows that a device in contact reads anyway.
ALTER TABLE task ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN class INTEGER;

CREATE TABLE power_policy (
  tenant TEXT NOT NULL PRIMARY KEY,
  policy TEXT NOT NULL
) WITHOUT ROWID;

-- What went without approval: devices that count towards the cap and single ones that do not, by hours since 1970.
CREATE TABLE power_window (
  tenant TEXT NOT NULL,
  class INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  devices INTEGER NOT NULL,
  singles INTEGER NOT NULL,
  PRIMARY KEY (tenant, class, slot, bucket)
) WITHOUT ROWID;
CREATE INDEX power_window_slot ON power_window (slot);

CREATE TABLE approval (
  id BLOB NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  requester TEXT NOT NULL,
  class INTEGER NOT NULL,
  -- 0 start, 1 retry.
  action INTEGER NOT NULL,
  task_bucket INTEGER,
  task BLOB,
  device_bucket INTEGER,
  device BLOB,
  job BLOB,
  devices INTEGER NOT NULL,
  summary TEXT NOT NULL,
  status INTEGER NOT NULL,
  decided_by TEXT,
  reason TEXT,
  requested_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX approval_requested ON approval (tenant, requested_at DESC, id DESC);
CREATE INDEX approval_status ON approval (tenant, status, requested_at DESC, id DESC);
CREATE INDEX approval_requester ON approval (tenant, requester, requested_at DESC, id DESC);
CREATE INDEX approval_task ON approval (task_bucket, task) WHERE task IS NOT NULL;
CREATE INDEX approval_job ON approval (job) WHERE job IS NOT NULL;
CREATE INDEX approval_expires ON approval (expires_at) WHERE status = 0;

-- Limits that somebody set: of a domain (principal empty), of each of its callers (*), of one caller.
CREATE TABLE quota_limit (
  tenant TEXT NOT NULL,
  principal TEXT NOT NULL,
  limits TEXT NOT NULL,
  PRIMARY KEY (tenant, principal)
) WITHOUT ROWID;

-- What is used of a quota: since `began` where it is one of a window, else at present (and `began` is 0).
CREATE TABLE quota_use (
  tenant TEXT NOT NULL,
  principal TEXT NOT NULL,
  kind TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  began INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (tenant, principal, kind, bucket)
) WITHOUT ROWID;
INSERT INTO quota_use SELECT tenant, '', 'OPEN_TASKS', 0, 0, count(*) FROM task WHERE is_open = 1 GROUP BY tenant;
INSERT INTO quota_use SELECT tenant, owner, 'OPEN_TASKS', 0, 0, count(*) FROM task WHERE is_open = 1
  GROUP BY tenant, owner;
INSERT INTO quota_use SELECT tenant, '', 'JOBS_AT_ONCE', 0, 0, count(*) FROM job WHERE status < 4 GROUP BY tenant;
INSERT INTO quota_use SELECT tenant, owner, 'JOBS_AT_ONCE', 0, 0, count(*) FROM job WHERE status < 4
  GROUP BY tenant, owner;
