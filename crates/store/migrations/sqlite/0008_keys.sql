-- API keys, client certificates and OpenID Connect providers.

CREATE TABLE api_key (
  id TEXT NOT NULL PRIMARY KEY,
  digest BLOB NOT NULL,
  tenant TEXT NOT NULL,
  principal TEXT NOT NULL,
  name TEXT,
  scope TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER,
  revoked_by TEXT
) WITHOUT ROWID;
CREATE INDEX api_key_tenant ON api_key (tenant, id);
CREATE INDEX api_key_principal ON api_key (principal, id);

CREATE TABLE authority (
  tenant TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  name TEXT,
  subject TEXT NOT NULL,
  subject_der BLOB NOT NULL,
  key_digest BLOB NOT NULL,
  der BLOB NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  vouches_everywhere INTEGER NOT NULL,
  list BLOB,
  list_this_update INTEGER,
  list_next_update INTEGER,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, fingerprint)
) WITHOUT ROWID;
CREATE INDEX authority_key ON authority (key_digest);

-- kind: 0 fingerprint, 1 URI, 2 DNS, 3 mail address, 4 common name.
CREATE TABLE certificate_binding (
  tenant TEXT NOT NULL,
  kind INTEGER NOT NULL,
  value TEXT NOT NULL,
  principal TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, value)
) WITHOUT ROWID;
CREATE INDEX certificate_binding_principal ON certificate_binding (principal, tenant, kind, value);

CREATE TABLE revoked_certificate (
  tenant TEXT NOT NULL,
  issuer_der BLOB NOT NULL,
  serial_number BLOB NOT NULL,
  issuer TEXT NOT NULL,
  reason TEXT,
  revoked_by TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, issuer_der, serial_number)
) WITHOUT ROWID;

-- Raised by each change of the three tables above.
CREATE TABLE trust (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
);
INSERT INTO trust (one, version) VALUES (1, 1);

CREATE TABLE identity_provider (
  name TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  issuer TEXT NOT NULL,
  client_id TEXT NOT NULL,
  settings TEXT NOT NULL,
  vouches_everywhere INTEGER NOT NULL,
  client_secret BLOB,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX identity_provider_client ON identity_provider (issuer, client_id);
CREATE INDEX identity_provider_tenant ON identity_provider (tenant, name);
