//! Principals and their sessions.

use muster_broker::access::{Grant, Principal, PrincipalKind};
use muster_broker::ledger::{AuditEntry, Deed, Object, Picture};
use muster_broker::store::{Pending, PrincipalStore, SessionRecord};
use muster_broker::time::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::ledger;
use super::query::{many, one, run};
use super::rows::{Cells, Done, number_in, value_in};
use super::writer::{Guard, Transaction};

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

/// A session has no name that may be told: its identifier is a credential.
fn of_session(principal: &str) -> Object {
    Object::named("session", Some(principal))
}

/// A principal without its secrets.
fn picture(principal: &Principal) -> Picture {
    Picture::of(serde_json::json!({
        "tenant": principal.tenant,
        "kind": principal.kind,
        "displayName": principal.display_name,
        "grant": principal.grants.iter().map(Grant::to_string).collect::<Vec<_>>(),
        "enabled": principal.enabled,
        "subject": principal.subject,
        "takesDigest": principal.digest_secret.is_some(),
    }))
}

/// What the log tells of a principal that is written. Its secrets are told to have changed, never what they are.
fn told(connection: &Transaction<'_>, principal: &Principal, deed: &Deed) -> Done<()> {
    let sql = format!("SELECT {COLUMNS} FROM principal WHERE name = ?");
    let before = one(connection, &sql, [&principal.name], self::principal)?;
    if before.as_ref() == Some(principal) {
        return Ok(());
    }
    let mut after = picture(principal);
    let secret = |it: &Principal| (it.password_hash.clone(), it.digest_secret.clone());
    if before.as_ref().is_some_and(|before| secret(before) != secret(principal)) {
        after.open.insert("passwordChanged".to_owned(), true.into());
    }
    let object = Object::named("principal", Some(&principal.name));
    let deed = deed.clone().within(&principal.tenant);
    ledger::add(connection, AuditEntry::done(&deed, object, before.as_ref().map(picture), Some(after)))
}

impl PrincipalStore for SqliteStore {
    fn principal_put(&self, principal: Principal, deed: Deed) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 512, move |connection| {
            told(connection, &principal, &deed)?;
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

    fn session_put(&self, session: SessionRecord, deed: Deed) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| {
            let added = run(
                connection,
                "INSERT INTO wsi_session (digest, principal, tenant, created_at, used_at) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (digest) DO NOTHING",
                params![session.digest, session.principal, session.tenant, session.created_at.0, session.used_at.0],
            )?;
            if added > 0 {
                ledger::add(connection, AuditEntry::done(&deed, of_session(&session.principal), None, None))?;
            }
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

    fn session_delete(&self, digest: [u8; 32], deed: Deed) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 64, move |connection| {
            let whose = "SELECT principal, tenant FROM wsi_session WHERE digest = ?";
            let whose = one(connection, whose, [digest], |cells| Ok((cells.get::<String>()?, cells.get::<String>()?)))?;
            let Some((actor, tenant)) = whose else { return Ok(()) };
            run(connection, "DELETE FROM wsi_session WHERE digest = ?", [digest])?;
            // Whoever ends a session is who it belongs to.
            let object = of_session(&actor);
            let deed = Deed { actor, tenant, ..deed };
            ledger::add(connection, AuditEntry::done(&deed, object, None, None))
        }))
    }
}
