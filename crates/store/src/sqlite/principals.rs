//! Principals and their sessions.

use muster_broker::access::Principal;
use muster_broker::ledger::{AuditEntry, Deed, Object, Picture};
use muster_broker::store::{Pending, PrincipalStore, SessionRecord};
use muster_broker::time::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::query::{many, one, run};
use super::rows::{Cells, Done};
use super::ledger;
use super::writer::{Guard, Transaction};

fn principal(cells: &mut Cells<'_>) -> Done<Principal> {
    Ok(Principal {
        name: cells.get()?,
        tenant: cells.get()?,
        roles: cells.json()?,
        password_hash: cells.get()?,
        digest_secret: cells.get()?,
    })
}

/// A session has no name that may be told: its identifier is a credential.
fn of_session(principal: &str) -> Object {
    Object::named("session", Some(principal))
}

/// What the log tells of a principal that is written. Its secrets are told to have changed, never what they are.
fn told(connection: &Transaction<'_>, principal: &Principal, deed: &Deed) -> Done<()> {
    let sql = "SELECT name, tenant, roles, password_hash, digest_secret FROM principal WHERE name = ?";
    let before = one(connection, sql, [&principal.name], self::principal)?;
    if before.as_ref() == Some(principal) {
        return Ok(());
    }
    let picture = |principal: &Principal| Picture::of(serde_json::json!({"tenant": principal.tenant, "role": principal.roles}));
    let mut after = picture(principal);
    if before.as_ref().is_some_and(|before| before.password_hash != principal.password_hash) {
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
                "INSERT INTO principal (name, tenant, roles, password_hash, digest_secret) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (name) DO UPDATE SET tenant = excluded.tenant, roles = excluded.roles, \
                 password_hash = excluded.password_hash, digest_secret = excluded.digest_secret",
                params![
                    principal.name,
                    principal.tenant,
                    serde_json::to_string(&principal.roles)?,
                    principal.password_hash,
                    principal.digest_secret
                ],
            )?;
            Ok(())
        }))
    }

    fn principal_get(&self, name: &str) -> Pending<'_, Option<Principal>> {
        let name = name.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                one(
                    connection,
                    "SELECT name, tenant, roles, password_hash, digest_secret FROM principal WHERE name = ?",
                    [name],
                    principal,
                )
            })
        })
    }

    fn principal_list(&self) -> Pending<'_, Vec<Principal>> {
        Box::pin(self.scan(|connection| {
            many(
                connection,
                "SELECT name, tenant, roles, password_hash, digest_secret FROM principal ORDER BY name",
                [],
                principal,
            )
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
