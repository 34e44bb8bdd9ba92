//! Principals and their sessions.

use muster_broker::access::{Principal, PrincipalKind};
use muster_broker::store::{Pending, PrincipalStore, SessionRecord};
use muster_broker::time::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::query::{many, one, run};
use super::rows::{Cells, Done, number_in, value_in};
use super::writer::Guard;

const COLUMNS: &str = "name, tenant, kind, display_name, grants, enabled, password_hash, digest_secret, subject, \
                       created_at, version";

const KIND: [PrincipalKind; 2] = [PrincipalKind::System, PrincipalKind::Person];

fn principal(cells: &mut Cells<'_>) -> Done<Principal> {
    Ok(Principal {
        name: cells.get()?,
        tenant: cells.get()?,
        kind: value_in(&KIND, cells.get()?)?,
        display_name: cells.get()?,
        grants: cells.json()?,
        enabled: cells.get()?,
        password_hash: cells.get()?,
        digest_secret: cells.get()?,
        subject: cells.get()?,
        created_at: cells.time()?,
        version: cells.get()?,
    })
}

impl PrincipalStore for SqliteStore {
    fn principal_put(&self, principal: Principal) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 512, move |connection| {
            run(
                connection,
                "INSERT INTO tenant (name, status, settings, created_at, version) VALUES (?, 0, '{}', ?, 1) \
                 ON CONFLICT (name) DO NOTHING",
                params![principal.tenant, principal.created_at.0],
            )?;
            run(
                connection,
                "INSERT INTO principal (name, tenant, kind, display_name, grants, enabled, password_hash, \
                 digest_secret, subject, created_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (name) DO UPDATE SET tenant = excluded.tenant, kind = excluded.kind, \
                 display_name = excluded.display_name, grants = excluded.grants, enabled = excluded.enabled, \
                 password_hash = excluded.password_hash, digest_secret = excluded.digest_secret, \
                 subject = excluded.subject, version = version + 1",
                params![
                    principal.name,
                    principal.tenant,
                    number_in(&KIND, &principal.kind),
                    principal.display_name,
                    serde_json::to_string(&principal.grants)?,
                    principal.enabled,
                    principal.password_hash,
                    principal.digest_secret,
                    principal.subject,
                    principal.created_at.0,
                    principal.version,
                ],
            )?;
            Ok(())
        }))
    }

    fn principal_get(&self, name: &str) -> Pending<'_, Option<Principal>> {
        let name = name.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                one(connection, &format!("SELECT {COLUMNS} FROM principal WHERE name = ?"), [name], principal)
            })
        })
    }

    fn principal_list(&self) -> Pending<'_, Vec<Principal>> {
        Box::pin(self.scan(|connection| {
            many(connection, &format!("SELECT {COLUMNS} FROM principal ORDER BY name"), [], principal)
        }))
    }

    fn session_put(&self, session: SessionRecord) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| {
            run(
                connection,
                "INSERT INTO wsi_session (digest, principal, tenant, created_at, used_at) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (digest) DO NOTHING",
                params![session.digest, session.principal, session.tenant, session.created_at.0, session.used_at.0],
            )?;
            Ok(())
        }))
    }

    fn session_touch(&self, digest: [u8; 32], used_at: Timestamp) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 64, move |connection| {
            let sql = "UPDATE wsi_session SET used_at = max(used_at, ?) WHERE digest = ?";
            run(connection, sql, params![used_at.0, digest])?;
            Ok(())
        }))
    }

    fn session_get(&self, digest: [u8; 32]) -> Pending<'_, Option<SessionRecord>> {
        Box::pin(async move {
            self.points.read(|connection| {
                one(
                    connection,
                    "SELECT digest, principal, tenant, created_at, used_at FROM wsi_session WHERE digest = ?",
                    [digest],
                    |cells| {
                        Ok(SessionRecord {
                            digest: cells.get()?,
                            principal: cells.get()?,
                            tenant: cells.get()?,
                            created_at: cells.time()?,
                            used_at: cells.time()?,
                        })
                    },
                )
            })
        })
    }

    fn session_delete(&self, digest: [u8; 32]) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 64, move |connection| {
            run(connection, "DELETE FROM wsi_session WHERE digest = ?", [digest])?;
            Ok(())
        }))
    }
}
