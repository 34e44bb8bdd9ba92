//! OpenID Connect providers.

use muster_broker::device::Sealed;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::identity_provider::IdentityProvider;
use muster_broker::ledger::{AuditEntry, Deed, Object, provider as picture};
use muster_broker::page::Listed;
use muster_broker::page::Page;
use muster_broker::store::{Once, Pending, ProviderStore, ProviderVerdict, ProviderWrite, Remember};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::ledger;
use super::query::{Where, listed, many, one, one_more, run};
use super::requests::once;
use super::rows::{Cells, Done};
use super::writer::{Guard, Transaction};

/// Columns for [`provider`].
const COLUMNS: &str = "name, tenant, settings, vouches_everywhere, client_secret, created_at, version";

fn provider(cells: &mut Cells<'_>) -> Done<IdentityProvider> {
    Ok(IdentityProvider {
        name: cells.get()?,
        tenant: cells.get()?,
        settings: cells.json()?,
        vouches_everywhere: cells.get()?,
        client_secret: cells.get::<Option<Vec<u8>>>()?.map(Sealed),
        created_at: cells.time()?,
        version: cells.get()?,
    })
}

fn get(connection: &Connection, name: &str) -> Done<Option<IdentityProvider>> {
    one(connection, &format!("SELECT {COLUMNS} FROM identity_provider WHERE name = ?"), [name], provider)
}

fn write(connection: &Transaction<'_>, write: &ProviderWrite, deed: &Deed) -> Done<ProviderVerdict> {
    let mut next = write.provider.clone();
    let stored = get(connection, &next.name)?;
    let before = stored.clone();
    if write.is_update {
        let Some(stored) = stored.filter(|stored| stored.tenant == next.tenant) else {
            let text = format!("there is no identity provider {}", next.name);
            return Ok(Err(Fault::new(FaultName::UnknownCredential, text).with(&next.name)));
        };
        if let Some(version) = write.version.filter(|version| *version != stored.version) {
            let text = "the identity provider has changed; read it again and repeat the change on what you read";
            return Ok(Err(Fault::new(FaultName::OutdatedVersion, text).with(stored.version).with(version)));
        }
        next.client_secret = next.client_secret.or(stored.client_secret);
        next.created_at = stored.created_at;
        next.version = stored.version.saturating_add(1);
    } else if stored.is_some() {
        let text = "there is an identity provider of this name; choose another name";
        return Ok(Err(Fault::new(FaultName::AlreadyExists, text).with("name").with(&next.name)));
    }
    let settings = &next.settings;
    let same = "SELECT 1 FROM identity_provider WHERE issuer = ? AND client_id = ? AND name <> ?";
    let key = params![settings.issuer, settings.client_id, next.name];
    if one(connection, same, key, |cells| cells.get::<i64>())?.is_some() {
        let text = "another identity provider has this issuer and clientId; register a client of its own there";
        return Ok(Err(Fault::new(FaultName::AlreadyExists, text).with("clientId").with(&settings.client_id)));
    }
    run(
        connection,
        "INSERT INTO identity_provider (name, tenant, issuer, client_id, settings, vouches_everywhere, client_secret, \
         created_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
         issuer = excluded.issuer, client_id = excluded.client_id, settings = excluded.settings, \
         vouches_everywhere = excluded.vouches_everywhere, client_secret = excluded.client_secret, \
         version = excluded.version",
        params![
            next.name,
            next.tenant,
            settings.issuer,
            settings.client_id,
            serde_json::to_string(settings)?,
            next.vouches_everywhere,
            next.client_secret.as_ref().map(|sealed| &sealed.0),
            next.created_at.0,
            next.version,
        ],
    )?;
    let mut after = picture(&next);
    if before.as_ref().is_some_and(|before| before.client_secret != next.client_secret) {
        after.open.insert("secretChanged".to_owned(), true.into());
    }
    let object = Object::named("identityProvider", Some(&next.name));
    ledger::add(connection, AuditEntry::done(deed, object, before.as_ref().map(picture), Some(after)))?;
    Ok(Ok(next))
}

impl ProviderStore for SqliteStore {
    fn provider_write(
        &self,
        wanted: ProviderWrite,
        deed: Deed,
        remember: Option<Remember<ProviderVerdict>>,
    ) -> Pending<'_, Once<ProviderVerdict>> {
        Box::pin(self.write(Guard::Savepoint, 8192, move |connection| {
            once(connection, remember, |connection| write(connection, &wanted, &deed))
        }))
    }

    fn provider_get(&self, name: &str) -> Pending<'_, Option<IdentityProvider>> {
        let name = name.to_owned();
        Box::pin(async move { self.points.read(|connection| get(connection, &name)) })
    }

    fn provider_of_issuer(&self, issuer: &str) -> Pending<'_, Vec<IdentityProvider>> {
        let issuer = issuer.to_owned();
        Box::pin(async move {
            let sql = format!("SELECT {COLUMNS} FROM identity_provider WHERE issuer = ? ORDER BY client_id");
            self.points.read(|connection| many(connection, &sql, [issuer], provider))
        })
    }

    fn provider_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<IdentityProvider>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| {
            let mut wanted = Where::default();
            wanted.equal("tenant", Some(&tenant));
            let total = wanted.count(connection, "identity_provider")?;
            if let Some(after) = &page.after {
                wanted.and("name > ?", [Value::from(after.clone())]);
            }
            let items = wanted.select(connection, COLUMNS, "identity_provider", "name", one_more(&page), provider)?;
            Ok(listed(items, &page, total, |provider| provider.name.clone()))
        }))
    }

    fn provider_remove(&self, tenant: &str, name: &str, deed: Deed) -> Pending<'_, bool> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| {
            let sql = "DELETE FROM identity_provider WHERE tenant = ? AND name = ?";
            let before = get(connection, &name)?;
            let is_gone = run(connection, sql, params![tenant, name])? > 0;
            if is_gone {
                let object = Object::named("identityProvider", Some(&name));
                ledger::add(connection, AuditEntry::done(&deed, object, before.as_ref().map(picture), None))?;
            }
            Ok(is_gone)
        }))
    }
}
