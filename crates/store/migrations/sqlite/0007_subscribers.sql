CREATE TABLE subscriber (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  phone_number TEXT,
  imsi TEXT,
  account_reference TEXT,
  opt_in INTEGER NOT NULL,
  attributes TEXT,
  version INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX subscriber_phone ON subscriber (tenant, phone_number) WHERE phone_number IS NOT NULL;
CREATE INDEX subscriber_account ON subscriber (tenant, account_reference, id) WHERE account_reference IS NOT NULL;

CREATE TABLE subscriber_count (
  tenant TEXT NOT NULL PRIMARY KEY,
  count INTEGER NOT NULL
) WITHOUT ROWID;

-- Whose a device is stands in its own row alone.
CREATE INDEX device_subscriber ON device (tenant, subscriber_id, device_id) WHERE subscriber_id IS NOT NULL;

-- Records left out because their subscriber has not consented.
ALTER TABLE job ADD COLUMN without_consent INTEGER NOT NULL DEFAULT 0;
