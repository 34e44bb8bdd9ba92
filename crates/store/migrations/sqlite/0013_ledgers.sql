-- A policy that would be weaker than the present one, and waits for a second person.
ALTER TABLE approval ADD COLUMN policy TEXT;
-- Those that have ended, to be forgotten.
CREATE INDEX approval_decided ON approval (decided_at) WHERE status <> 0;
CREATE INDEX approval_policy ON approval (tenant) WHERE status = 0 AND policy IS NOT NULL;

-- Erasures of personal data under way: how far each has come through the tables. The names are sealed, and go with it.
CREATE TABLE erasure (
  id BLOB NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  names BLOB NOT NULL,
  actor TEXT NOT NULL,
  correlation BLOB,
  requested_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  -- Place in sqlite/erasure/stages.rs, and the last row looked at.
  stage INTEGER NOT NULL,
  after TEXT,
  entries INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  devices INTEGER NOT NULL,
  texts INTEGER NOT NULL,
  -- Whether something was left because it was under way.
  has_waited INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX erasure_due ON erasure (due_at);

-- What an erasure comes back to when it has ended. kind: 0 a task, 1 a job.
CREATE TABLE erasure_left (
  erasure BLOB NOT NULL,
  kind INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (erasure, kind, bucket, id)
) WITHOUT ROWID;

-- How often each limit was set, as JSON by kind.
ALTER TABLE quota_limit ADD COLUMN versions TEXT NOT NULL DEFAULT '{}';
