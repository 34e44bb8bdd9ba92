-- States are kept as numbers: the tables are in sqlite/rows.rs. A task is final, and not open, from status 7 on.
-- `bucket` is the shard key of a device-scoped row, 0 to 4095, and leads its primary key.

CREATE TABLE principal (
  name TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  roles TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  digest_secret BLOB
) WITHOUT ROWID;

CREATE TABLE wsi_session (
  digest BLOB NOT NULL PRIMARY KEY,
  principal TEXT NOT NULL,
  tenant TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX wsi_session_used ON wsi_session (used_at);

-- What idempotency keys were answered with.
CREATE TABLE request (
  caller TEXT NOT NULL,
  operation TEXT NOT NULL,
  request_id TEXT NOT NULL,
  content BLOB NOT NULL,
  at INTEGER NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (caller, operation, request_id)
) WITHOUT ROWID;
CREATE INDEX request_at ON request (at);

CREATE TABLE capability (
  oid BLOB NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  manufacturer TEXT NOT NULL,
  model TEXT NOT NULL,
  firmware_version TEXT,
  rest TEXT NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX capability_exact ON capability (tenant, manufacturer, model, firmware_version)
  WHERE firmware_version IS NOT NULL;
CREATE UNIQUE INDEX capability_any ON capability (tenant, manufacturer, model) WHERE firmware_version IS NULL;
CREATE INDEX capability_tenant ON capability (tenant, oid);

CREATE TABLE capability_tac (
  tenant TEXT NOT NULL,
  tac TEXT NOT NULL,
  oid BLOB NOT NULL,
  PRIMARY KEY (tenant, tac, oid)
) WITHOUT ROWID;
CREATE INDEX capability_tac_oid ON capability_tac (oid);

CREATE TABLE device (
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  tenant TEXT NOT NULL,
  device_id TEXT,
  phone_number TEXT,
  imsi TEXT,
  capability BLOB,
  manufacturer TEXT,
  model TEXT,
  firmware_version TEXT,
  software_version TEXT,
  management_state INTEGER NOT NULL,
  subscriber_id TEXT,
  groups TEXT,
  attributes TEXT,
  auth_type INTEGER,
  client_name TEXT,
  client_secret BLOB,
  client_nonce BLOB,
  server_id TEXT,
  server_name TEXT,
  server_secret BLOB,
  server_nonce BLOB,
  version INTEGER NOT NULL,
  PRIMARY KEY (bucket, oid)
);
CREATE INDEX device_tenant ON device (tenant, bucket, oid);
CREATE INDEX device_phone ON device (tenant, phone_number) WHERE phone_number IS NOT NULL;
CREATE INDEX device_capability ON device (capability, bucket, oid) WHERE capability IS NOT NULL;

-- Names that find one device. kind 1: deviceID, scope is the tenant. kind 2: clientName, scope is empty: all domains.
CREATE TABLE device_key (
  kind INTEGER NOT NULL,
  value TEXT NOT NULL,
  scope TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  PRIMARY KEY (kind, value, scope)
) WITHOUT ROWID;

CREATE TABLE device_count (
  tenant TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (tenant, bucket)
) WITHOUT ROWID;

-- The hot row: changed by every message of a device that has an account.
CREATE TABLE contact (
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  generation INTEGER NOT NULL,
  server_nonce BLOB,
  last_seen_at INTEGER,
  session_id TEXT,
  state BLOB,
  task_bucket INTEGER,
  task BLOB,
  request_digest BLOB,
  reply BLOB,
  touched_at INTEGER,
  ended INTEGER,
  revision INTEGER NOT NULL,
  PRIMARY KEY (bucket, oid)
);
CREATE INDEX contact_silent ON contact (touched_at) WHERE task IS NOT NULL AND ended = 0;

CREATE TABLE task (
  bucket INTEGER NOT NULL,
  id BLOB NOT NULL,
  tenant TEXT NOT NULL,
  owner TEXT NOT NULL,
  job BLOB,
  device_bucket INTEGER NOT NULL,
  device BLOB NOT NULL,
  phone_number TEXT,
  expected TEXT,
  actual TEXT,
  operation TEXT NOT NULL,
  arguments TEXT,
  policy INTEGER NOT NULL,
  opt_in INTEGER NOT NULL,
  test_cycle INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  schedule TEXT,
  -- 0 waits for a slot of its job, 1 needs none, 2 has one.
  released INTEGER NOT NULL,
  status INTEGER NOT NULL,
  -- Whether the status is not final: the indexes look at it, since the status itself changes in most sessions.
  is_open INTEGER NOT NULL,
  detail TEXT,
  attempts INTEGER NOT NULL,
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  plan TEXT,
  result TEXT,
  result_code INTEGER,
  messages INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER,
  history_len INTEGER NOT NULL,
  -- Its rows in task_history: 8 octets each, in order.
  history BLOB NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (bucket, id)
);
CREATE INDEX task_open ON task (device_bucket, device, priority DESC, created_at, bucket, id) WHERE is_open = 1;
CREATE INDEX task_end ON task (end_at) WHERE is_open = 1;
CREATE INDEX task_waiting ON task (job, bucket, id) WHERE released = 0 AND is_open = 1;
CREATE INDEX task_slot ON task (job) WHERE released = 2 AND is_open = 1;
CREATE INDEX task_job ON task (job, created_at, bucket, id) WHERE job IS NOT NULL;
CREATE INDEX task_created ON task (tenant, created_at, bucket, id);
CREATE INDEX task_device ON task (device_bucket, device, created_at);
CREATE INDEX task_phone ON task (tenant, phone_number, created_at) WHERE phone_number IS NOT NULL;
CREATE INDEX task_expected ON task (tenant, expected, created_at) WHERE expected IS NOT NULL;
-- Mostly the expected device answers, which costs no entry here.
CREATE INDEX task_actual ON task (tenant, actual, created_at)
  WHERE actual IS NOT NULL AND (expected IS NULL OR actual <> expected);

-- Written in order of time, and found by the task's row or by job: what one transaction writes shares pages.
CREATE TABLE task_history (
  id INTEGER PRIMARY KEY,
  bucket INTEGER NOT NULL,
  task BLOB NOT NULL,
  number INTEGER NOT NULL,
  job BLOB,
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  event TEXT NOT NULL,
  detail TEXT,
  actor TEXT,
  device_id TEXT
);
CREATE INDEX task_history_job ON task_history (job, at, bucket, task, number) WHERE job IS NOT NULL;

CREATE TABLE job (
  id BLOB NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  template TEXT NOT NULL,
  is_mixed INTEGER NOT NULL,
  schedule TEXT NOT NULL,
  -- Which devices still need a task, and the last one looked at; no selector when every task exists.
  selector TEXT,
  expand_after TEXT,
  status INTEGER NOT NULL,
  detail TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  version INTEGER NOT NULL,
  -- Whether background work looks at it.
  is_active INTEGER NOT NULL,
  -- Change that its tasks follow page by page: 1 pause, 2 resume, 3 cancel, 4 stop; and the last task looked at.
  sweep INTEGER,
  sweep_after TEXT,
  -- When retryFailed was asked for, while pages of it are left; and the last task looked at.
  retry_at INTEGER,
  retry_after TEXT,
  -- Who asked for the change under way.
  actor TEXT,
  -- Slots given in the minute that began at paced_at.
  paced_at INTEGER NOT NULL,
  paced INTEGER NOT NULL,
  -- Records left out by their state, and names in the selector that no record has.
  skipped INTEGER NOT NULL,
  unmatched INTEGER NOT NULL
);
CREATE INDEX job_created ON job (tenant, created_at DESC, id DESC);
CREATE INDEX job_active ON job (id) WHERE is_active = 1;

-- Number of tasks by state, summed over the buckets on reading.
CREATE TABLE job_count (
  job BLOB NOT NULL,
  bucket INTEGER NOT NULL,
  status INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (job, bucket, status)
) WITHOUT ROWID;
