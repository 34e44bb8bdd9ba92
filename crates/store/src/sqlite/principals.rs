//! Principals and their sessions.

use muster_broker::access::Principal;
use muster_broker::ledger::{AuditEntry, Deed, Object};
use muster_broker::store::{Pending, PrincipalStore, SessionRecord};
use muster_broker::time::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::access::{self, PRINCIPAL};
use super::ledger;
use super::query::{many, one, run};
use super::writer::Guard;

/// A session has no name that may be told: its identifier is a credential.
fn of_session(principal: &str) -> Object {
    Object::named("session", Some(principal))
}

impl PrincipalStore for SqliteStore {
    fn principal_put(&self, principal: Principal, deed: Deed) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 512, move |connection| access::put(connection, &principal, &deed)))
    }

    fn principal_get(&self, name: &str) -> Pending<'_, Option<Principal>> {
        let name = name.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                one(
                    connection,
                    &format!("SELECT {PRINCIPAL} FROM principal p WHERE p.name = ?"),
                    [name],
                    access::principal,
                )
            })
        })
    }

    fn principal_of_subject(&self, subject: &str) -> Pending<'_, Option<Principal>> {
        let subject = subject.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                let sql = format!("SELECT {PRINCIPAL} FROM principal p WHERE p.subject = ?");
                one(connection, &sql, [subject], access::principal)
            })
        })
    }

    fn principal_list(&self) -> Pending<'_, Vec<Principal>> {
        Box::pin(self.scan(|connection| {
            many(connection, &format!("SELECT {PRINCIPAL} FROM principal p ORDER BY p.name"), [], access::principal)
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
