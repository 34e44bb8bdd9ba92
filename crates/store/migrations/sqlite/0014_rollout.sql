-- Waves of jobs, how fast jobs go, and why tasks fail.

-- A task that waits for a slot of its job stands in the order of its rank, which decides its wave too; wave is 0 until it
-- was let go in one, then the place of that wave, from 1.
ALTER TABLE task ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN wave INTEGER NOT NULL DEFAULT 0;
DROP INDEX task_waiting;
CREATE INDEX task_waiting ON task (job, rank, bucket, id) WHERE released = 0 AND is_open = 1;

-- How far the waves have come, and how many tasks were finished at the end of the last minutes.
ALTER TABLE job ADD COLUMN rollout TEXT;
ALTER TABLE job ADD COLUMN pace TEXT;

-- Counters by wave too. A key is changed by making the table anew.
CREATE TABLE job_count_by_wave (
  job BLOB NOT NULL,
  bucket INTEGER NOT NULL,
  wave INTEGER NOT NULL,
  status INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (job, bucket, wave, status)
) WITHOUT ROWID;
INSERT INTO job_count_by_wave (job, bucket, wave, status, count) SELECT job, bucket, 0, status, count FROM job_count;
DROP TABLE job_count;
ALTER TABLE job_count_by_wave RENAME TO job_count;

-- Number of tasks that ended without success, by the reason told.
CREATE TABLE job_reason (
  job BLOB NOT NULL,
  bucket INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (job, bucket, status, reason)
) WITHOUT ROWID;
