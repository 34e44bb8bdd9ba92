-- What a new task writes decides how many calls a second there may be: every index whose entries lie apart is a page of
-- the log and of the database for each task. Identifiers go up with time, and buckets lie apart: so the key of the table
-- begins with the identifier. A key is changed by making the table anew.
CREATE TABLE task_by_id (
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
  charged INTEGER NOT NULL DEFAULT 0,
  callback TEXT,
  class INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0,
  -- A task is mostly addressed to the number that its record has, and expects the record's device. Then it is found by
  -- the record, and has an entry of its own only where it is not so, or is so no longer.
  phone_apart INTEGER NOT NULL DEFAULT 1,
  expected_apart INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (id, bucket)
);
INSERT INTO task_by_id (
  rowid,
  bucket, id, tenant, owner, job, device_bucket, device, phone_number, expected, actual, operation, arguments,
  policy, opt_in, test_cycle, priority, schedule, released, status, is_open, detail, attempts, start_at, end_at,
  plan, result, result_code, messages, created_at, updated_at, finished_at, history_len, history, version,
  charged, callback, class, held
) SELECT
  rowid,
  bucket, id, tenant, owner, job, device_bucket, device, phone_number, expected, actual, operation, arguments,
  policy, opt_in, test_cycle, priority, schedule, released, status, is_open, detail, attempts, start_at, end_at,
  plan, result, result_code, messages, created_at, updated_at, finished_at, history_len, history, version,
  charged, callback, class, held
FROM task ORDER BY rowid;
DROP TABLE task;
ALTER TABLE task_by_id RENAME TO task;

CREATE INDEX task_end ON task (end_at) WHERE is_open = 1;
CREATE INDEX task_waiting ON task (job, bucket, id) WHERE released = 0 AND is_open = 1;
CREATE INDEX task_slot ON task (job) WHERE released = 2 AND is_open = 1;
CREATE INDEX task_job ON task (job, created_at, bucket, id) WHERE job IS NOT NULL;
CREATE INDEX task_created ON task (tenant, created_at, bucket, id);
CREATE INDEX task_actual ON task (tenant, actual, created_at)
  WHERE actual IS NOT NULL AND (expected IS NULL OR actual <> expected);
CREATE INDEX task_member ON task (class, status, updated_at);
-- The tasks of a device, open ones and others, in one index instead of two.
CREATE INDEX task_of_device ON task (device_bucket, device, is_open, priority DESC, created_at, bucket, id);
CREATE INDEX task_phone ON task (tenant, phone_number) WHERE phone_number IS NOT NULL AND phone_apart = 1;
CREATE INDEX task_expected ON task (tenant, expected) WHERE expected IS NOT NULL AND expected_apart = 1;
