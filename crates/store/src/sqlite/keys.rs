//! API keys.

use muster_broker::api_key::ApiKey;
use muster_broker::ledger::{AuditEntry, Deed, Object, key as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::quota::Kind;
use muster_broker::store::{KeyStore, Pending};
use muster_broker::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::query::{Where, listed, one, one_more, run};
use super::rows::{Cells, Done};
use super::writer::{Guard, Transaction};
use super::{SqliteStore, ledger, quotas};

/// Columns for [`key`].
const COLUMNS: &str = "id, digest, tenant, principal, name, scope, created_by, created_at, expires_at, last_used_at, \
    revoked_at, revoked_by";

fn key(cells: &mut Cells<'_>) -> Done<ApiKey> {
    Ok(ApiKey {
        id: cells.get()?,
        digest: cells.get()?,
        tenant: cells.get()?,
        principal: cells.get()?,
        name: cells.get()?,
        scope: cells.json()?,
        created_by: cells.get()?,
        created_at: cells.time()?,
        expires_at: cells.time()?,
        last_used_at: cells.maybe_time()?,
        revoked: cells.maybe_time()?.zip(cells.get::<Option<String>>()?),
    })
}

fn get(connection: &Connection, id: &str) -> Done<Option<ApiKey>> {
    one(connection, &format!("SELECT {COLUMNS} FROM api_key WHERE id = ?"), [id], key)
}

fn create(connection: &Transaction<'_>, key: &ApiKey, deed: &Deed) -> Done<()> {
    let added = run(
        connection,
        "INSERT INTO api_key (id, digest, tenant, principal, name, scope, created_by, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        params![
            key.id,
            key.digest,
            key.tenant,
            key.principal,
            key.name,
            serde_json::to_string(&key.scope)?,
            key.created_by,
            key.created_at.0,
            key.expires_at.0,
        ],
    )?;
    if added == 0 {
        return Ok(());
    }
    let object = Object::named("key", Some(&key.id));
    ledger::add(connection, AuditEntry::done(deed, object, None, Some(picture(key))))?;
    quotas::records_made(connection, &key.tenant, &key.principal, Kind::ApiKeys, 1, key.created_at)
}

fn list(connection: &Connection, tenant: &str, principal: Option<&str>, page: &Page) -> Done<Listed<ApiKey>> {
    let mut wanted = Where::default();
    wanted.equal("tenant", Some(tenant));
    wanted.equal("principal", principal);
    let total = wanted.count(connection, "api_key")?;
    if let Some(after) = &page.after {
        wanted.and("id > ?", [Value::from(after.clone())]);
    }
    let items = wanted.select(connection, COLUMNS, "api_key", "id", one_more(page), key)?;
    Ok(listed(items, page, total, |key| key.id.clone()))
}

fn revoke(connection: &Transaction<'_>, tenant: &str, id: &str, deed: &Deed) -> Done<Option<ApiKey>> {
    let sql = "UPDATE api_key SET revoked_at = ?, revoked_by = ? WHERE id = ? AND tenant = ? AND revoked_at IS NULL";
    let before = get(connection, id)?;
    let is_revoked = run(connection, sql, params![deed.at.0, deed.actor, id, tenant])? > 0;
    let after = get(connection, id)?.filter(|key| key.tenant == tenant);
    if is_revoked {
        let (object, before) = (Object::named("key", Some(id)), before.as_ref().map(picture));
        ledger::add(connection, AuditEntry::done(deed, object, before, after.as_ref().map(picture)))?;
    }
    Ok(after)
}

impl KeyStore for SqliteStore {
    fn key_create(&self, key: ApiKey, deed: Deed) -> Pending<'_, ()> {
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| create(connection, &key, &deed)))
    }

    fn key_get(&self, id: &str) -> Pending<'_, Option<ApiKey>> {
        let id = id.to_owned();
        Box::pin(async move { self.points.read(|connection| get(connection, &id)) })
    }

    fn key_list(&self, tenant: &str, principal: Option<&str>, page: Page) -> Pending<'_, Listed<ApiKey>> {
        let (tenant, principal) = (tenant.to_owned(), principal.map(str::to_owned));
        Box::pin(self.scan(move |connection| list(connection, &tenant, principal.as_deref(), &page)))
    }

    fn key_revoke(&self, tenant: &str, id: &str, deed: Deed) -> Pending<'_, Option<ApiKey>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| revoke(connection, &tenant, &id, &deed)))
    }

    fn key_touch(&self, id: &str, at: Timestamp) -> Pending<'_, ()> {
        let id = id.to_owned();
        // Contacts stay as they are, so that those in memory stay right.
        Box::pin(self.write_step(Guard::Savepoint, 64, move |transaction| {
            let sql = "UPDATE api_key SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?";
            run(transaction.connection, sql, params![at.0, id])?;
            Ok(())
        }))
    }
}
