-- What lists are narrowed and counted by.

-- Records that are alike in everything but their names are of one class, by which they are found. The identifier of a
-- class follows from its content. `has` says which names its records have: the bits are in sqlite/classes.rs.
CREATE TABLE device_class (
  id INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  manufacturer TEXT,
  model TEXT,
  firmware_version TEXT,
  software_version TEXT,
  management_state INTEGER NOT NULL,
  capability BLOB,
  has INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (id, bucket)
) WITHOUT ROWID;
CREATE INDEX device_class_manufacturer ON device_class (tenant, manufacturer);
CREATE INDEX device_class_model ON device_class (tenant, model);
CREATE INDEX device_class_firmware ON device_class (tenant, firmware_version);
CREATE INDEX device_class_software ON device_class (tenant, software_version);
CREATE INDEX device_class_state ON device_class (tenant, management_state);
CREATE INDEX device_class_capability ON device_class (capability);

-- How many records have a value of a field. The numbers of fields are in sqlite/classes.rs.
CREATE TABLE device_tally (
  tenant TEXT NOT NULL,
  field INTEGER NOT NULL,
  value NOT NULL,
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (tenant, field, value, bucket)
) WITHOUT ROWID;

ALTER TABLE device ADD COLUMN class INTEGER NOT NULL DEFAULT 0;
CREATE INDEX device_member ON device (class, bucket, oid);
CREATE INDEX device_imsi ON device (tenant, imsi) WHERE imsi IS NOT NULL;

CREATE TABLE device_group (
  tenant TEXT NOT NULL,
  grp TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  PRIMARY KEY (tenant, grp, bucket, oid)
) WITHOUT ROWID;

CREATE TABLE device_attribute (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  PRIMARY KEY (tenant, name, value, bucket, oid)
) WITHOUT ROWID;

-- The last contact in spans of about four seconds, which the messages of one session mostly share: the index is
-- written once for a session.
ALTER TABLE contact ADD COLUMN tenant TEXT;
ALTER TABLE contact ADD COLUMN seen INTEGER;
CREATE INDEX contact_seen ON contact (tenant, seen) WHERE seen IS NOT NULL;

-- As device_class, with a counter for each status. A stretch is a time that so many tasks were made in; its
-- number is the time it begins at.
CREATE TABLE task_class (
  id INTEGER NOT NULL,
  status INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  stretch INTEGER NOT NULL,
  owner TEXT NOT NULL,
  operation TEXT NOT NULL,
  test_cycle INTEGER NOT NULL,
  of_job INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (id, status, bucket)
) WITHOUT ROWID;
CREATE INDEX task_class_tenant ON task_class (tenant, stretch);
CREATE INDEX task_class_stretch ON task_class (stretch);

CREATE TABLE task_stretch (
  begins_at INTEGER NOT NULL PRIMARY KEY
);

ALTER TABLE task ADD COLUMN class INTEGER NOT NULL DEFAULT 0;
CREATE INDEX task_member ON task (class, status, updated_at);

ALTER TABLE job ADD COLUMN operation TEXT;
ALTER TABLE job ADD COLUMN test_cycle INTEGER NOT NULL DEFAULT 0;
UPDATE job SET operation = CASE WHEN is_mixed = 0 THEN json_extract(template, '$.operation') END,
  test_cycle = json_extract(template, '$.test_cycle');
CREATE INDEX subscriber_imsi ON subscriber (tenant, imsi) WHERE imsi IS NOT NULL;
CREATE INDEX subscriber_consent ON subscriber (tenant, opt_in);

-- Everything that a list of jobs is narrowed by.
CREATE INDEX job_list ON job (tenant, created_at DESC, id DESC, status, owner, name, finished_at, operation, test_cycle);
