-- Who is told of the end of a task or job, as JSON; none of most.
ALTER TABLE task ADD COLUMN callback TEXT;
ALTER TABLE job ADD COLUMN callback TEXT;

-- Addresses, with everything below them, that may be told. Secrets are sealed.
CREATE TABLE callback_address (
  id BLOB NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  owner TEXT,
  url TEXT NOT NULL,
  kind TEXT NOT NULL,
  description TEXT,
  credential_kind TEXT,
  user_name TEXT,
  password BLOB,
  secret BLOB,
  previous_secret BLOB,
  previous_until INTEGER,
  allows_private INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX callback_address_tenant ON callback_address (tenant, created_at, id);

-- What is told to one receiver in one order. The identifier follows from what the row is about, so that whoever has
-- something to tell can make it. `due_at` is when the next attempt is due, or when the lease of a claim ends; none of an
-- empty queue.
CREATE TABLE callback_queue (
  id BLOB NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  address BLOB NOT NULL,
  url TEXT NOT NULL,
  soap_version TEXT NOT NULL,
  due_at INTEGER,
  lease BLOB,
  failed INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  delivered_at INTEGER,
  tried_at INTEGER NOT NULL,
  reason TEXT,
  ended_at INTEGER
) WITHOUT ROWID;
-- By allowed address, so that a claim steps from one to the next and never over a crowd of queues of the same one.
CREATE INDEX callback_queue_due ON callback_queue (address, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX callback_queue_idle ON callback_queue (tried_at) WHERE due_at IS NULL;
CREATE INDEX callback_queue_tenant ON callback_queue (tenant, id);

-- What waits. A number is not given twice while a claim can name it: only what a claim has loaded is taken away.
CREATE TABLE outbox (
  queue BLOB NOT NULL,
  number INTEGER NOT NULL,
  id BLOB NOT NULL,
  queued_at INTEGER NOT NULL,
  owner TEXT NOT NULL,
  -- 0 an event, 1 an answer that goes elsewhere.
  kind INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (queue, number)
) WITHOUT ROWID;

CREATE TABLE dead_letter (
  tenant TEXT NOT NULL,
  died_at INTEGER NOT NULL,
  id BLOB NOT NULL,
  queue BLOB NOT NULL,
  -- Its place in the queue, so that a replay keeps the order.
  number INTEGER NOT NULL,
  address BLOB NOT NULL,
  url TEXT NOT NULL,
  soap_version TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  owner TEXT NOT NULL,
  kind INTEGER NOT NULL,
  content TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (tenant, died_at, id)
) WITHOUT ROWID;
CREATE INDEX dead_letter_id ON dead_letter (tenant, id);
CREATE INDEX dead_letter_address ON dead_letter (tenant, address, died_at, id);
CREATE INDEX dead_letter_died ON dead_letter (died_at);
