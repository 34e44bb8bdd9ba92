-- Recording of what a device and the server say to each other. Loaded with the row that every message reads anyway.
ALTER TABLE contact ADD COLUMN trace_until INTEGER;
ALTER TABLE contact ADD COLUMN trace_sessions INTEGER;

CREATE TABLE trace_session (
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  number INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  msg_id INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  is_let_in INTEGER NOT NULL,
  ending TEXT,
  task_bucket INTEGER,
  task BLOB,
  messages INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  left_out INTEGER NOT NULL,
  PRIMARY KEY (bucket, oid, number)
) WITHOUT ROWID;
CREATE INDEX trace_session_last ON trace_session (last_at);

-- direction: 0 from the device, 1 to it.
CREATE TABLE trace_message (
  bucket INTEGER NOT NULL,
  oid BLOB NOT NULL,
  session INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  length INTEGER NOT NULL,
  octets BLOB NOT NULL,
  note TEXT,
  PRIMARY KEY (bucket, oid, session, number)
);
