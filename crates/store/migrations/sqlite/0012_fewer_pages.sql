-- What a new task writes decides how many calls a second there may be: every index whose entries lie apart is a page of
-- the log and of the database for each task.

-- The tasks of a device, open ones and others, in one index instead of two.
DROP INDEX task_open;
DROP INDEX task_device;
CREATE INDEX task_of_device ON task (device_bucket, device, is_open, priority DESC, created_at, bucket, id);

-- A task is mostly addressed to the number that its record has, and expects the record's device. Then it is found by
-- the record, and has an entry of its own only where it is not so, or is so no longer.
ALTER TABLE task ADD COLUMN phone_apart INTEGER NOT NULL DEFAULT 1;
ALTER TABLE task ADD COLUMN expected_apart INTEGER NOT NULL DEFAULT 1;
DROP INDEX task_phone;
DROP INDEX task_expected;
CREATE INDEX task_phone ON task (tenant, phone_number) WHERE phone_number IS NOT NULL AND phone_apart = 1;
CREATE INDEX task_expected ON task (tenant, expected) WHERE expected IS NOT NULL AND expected_apart = 1;
