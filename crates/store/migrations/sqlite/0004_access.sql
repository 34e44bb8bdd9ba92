-- Tenants, principals with grants instead of role names, and roles that tenants make. Grants, rights and settings are JSON.
CREATE TABLE tenant (
  name TEXT NOT NULL PRIMARY KEY,
  display_name TEXT,
  -- 0 active, 1 suspended.
  status INTEGER NOT NULL,
  settings TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO tenant (name, status, settings, created_at, version)
  SELECT tenant, 0, '{}', unixepoch() * 1000, 1 FROM (SELECT tenant FROM principal UNION SELECT tenant FROM device);

CREATE TABLE role (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  about TEXT,
  rights TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

-- 0 a system, 1 a person.
ALTER TABLE principal ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE principal ADD COLUMN display_name TEXT;
ALTER TABLE principal ADD COLUMN grants TEXT NOT NULL DEFAULT '[]';
ALTER TABLE principal ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
ALTER TABLE principal ADD COLUMN subject TEXT;
-- Sessions that are older have ended.
ALTER TABLE principal ADD COLUMN password_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE principal ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE principal ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- Who was made on the first start sets up the others from now on, in every tenant.
UPDATE principal SET created_at = unixepoch() * 1000, grants = (
  SELECT json_group_array(json_object(
    'what', json_object('role', value),
    'tenant', CASE WHEN value = 'administrator' AND principal.name = 'admin' AND principal.tenant = 'default'
      THEN 'any' ELSE 'own' END,
    'groups', json('[]'), 'paths', json('[]')))
  FROM json_each(principal.roles)
);
ALTER TABLE principal DROP COLUMN roles;
CREATE UNIQUE INDEX principal_subject ON principal (subject) WHERE subject IS NOT NULL;
CREATE INDEX principal_tenant ON principal (tenant, name);
CREATE INDEX wsi_session_principal ON wsi_session (principal);

-- The devices that whoever made a job may operate, as JSON; every one where absent.
ALTER TABLE job ADD COLUMN reach TEXT;
