//! Addresses that External Systems may have something sent to.

use muster_broker::callback::{
    CallbackAddress, CallbackCredential, CallbackKind, CallbackUrl, CredentialKind, WebhookSecret,
};
use muster_broker::device::Sealed;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::id::CallbackAddressId;
use muster_broker::ledger::{AuditEntry, Deed, Object, callback_address as picture};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{CallbackAddressFilter, CallbackAddressVerdict};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::sqlite::ledger;
use crate::sqlite::query::{Where, foreign_key, listed, many, one, one_more, run};
use crate::sqlite::rows::{Cells, Done, Failure};
use crate::sqlite::writer::Transaction;

/// Columns for [`read`], from `callback_address a`.
pub(super) const ADDRESS: &str = "a.id, a.tenant, a.owner, a.url, a.kind, a.description, a.credential_kind, \
    a.user_name, a.password, a.secret, a.previous_secret, a.previous_until, a.allows_private, a.enabled, \
    a.created_at, a.version";

/// Most allowed addresses of a domain that are ever looked at; the broker makes fewer.
const OF_TENANT_MAX: u32 = 1000;

pub(super) fn url(cells: &mut Cells<'_>) -> Done<CallbackUrl> {
    CallbackUrl::parse(&cells.get::<String>()?).map_err(|error| Failure::Broken(format!("a stored address: {error}")))
}

/// The columns of [`ADDRESS`] after the identifier.
pub(super) fn read(cells: &mut Cells<'_>, id: CallbackAddressId) -> Done<CallbackAddress> {
    let unknown = |what: &str| Failure::Broken(format!("{what} is nothing that this version knows"));
    Ok(CallbackAddress {
        id,
        tenant: cells.get()?,
        owner: cells.get()?,
        url: url(cells)?,
        kind: {
            let kind: String = cells.get()?;
            CallbackKind::parse(&kind).ok_or_else(|| unknown(&kind))?
        },
        description: cells.get()?,
        credential: {
            let (kind, user_name) = (cells.get::<Option<String>>()?, cells.get::<Option<String>>()?);
            match (kind, user_name, cells.get::<Option<Vec<u8>>>()?) {
                (Some(kind), Some(user_name), Some(password)) => Some(CallbackCredential {
                    kind: CredentialKind::parse(&kind).ok_or_else(|| unknown(&kind))?,
                    user_name,
                    password: Sealed(password),
                }),
                _ => None,
            }
        },
        secret: {
            let (current, previous) = (cells.get::<Option<Vec<u8>>>()?, cells.get::<Option<Vec<u8>>>()?);
            let previous = previous.map(Sealed).zip(cells.maybe_time()?);
            current.map(|current| WebhookSecret { current: Sealed(current), previous })
        },
        allows_private: cells.get()?,
        enabled: cells.get()?,
        created_at: cells.time()?,
        version: cells.get()?,
    })
}

fn address(cells: &mut Cells<'_>) -> Done<CallbackAddress> {
    let id = CallbackAddressId(cells.uuid()?);
    read(cells, id)
}

fn insert(connection: &Connection, address: &CallbackAddress) -> Done<()> {
    run(
        connection,
        "INSERT INTO callback_address (id, tenant, owner, url, kind, description, credential_kind, user_name, password, \
         secret, previous_secret, previous_until, allows_private, enabled, created_at, version) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        params![
            address.id.0.as_bytes(),
            address.tenant,
            address.owner,
            address.url.as_str(),
            address.kind.as_str(),
            address.description,
            address.credential.as_ref().map(|credential| credential.kind.as_str()),
            address.credential.as_ref().map(|credential| &credential.user_name),
            address.credential.as_ref().map(|credential| &credential.password.0),
            address.secret.as_ref().map(|secret| &secret.current.0),
            previous(address).map(|(secret, _)| &secret.0),
            previous(address).map(|(_, until)| until.0),
            address.allows_private,
            address.enabled,
            address.created_at.0,
            address.version,
        ],
    )?;
    Ok(())
}

fn previous(address: &CallbackAddress) -> Option<&(Sealed, muster_broker::time::Timestamp)> {
    address.secret.as_ref().and_then(|secret| secret.previous.as_ref())
}

/// Checks that the stored record is the one meant; gives its version.
fn stored_version(
    connection: &Connection,
    tenant: &str,
    id: CallbackAddressId,
    version: Option<i64>,
) -> Done<Result<i64, Fault>> {
    let stored = one(
        connection,
        "SELECT version FROM callback_address WHERE id = ? AND tenant = ?",
        params![id.0.as_bytes(), tenant],
        |cells| cells.get::<i64>(),
    )?;
    Ok(match stored {
        None => Err(Fault::new(FaultName::UnknownCallbackAddress, "there is no such callback address").with(id)),
        Some(stored) if version.is_some_and(|version| version != stored) => {
            let text = format!("the callback address has version {stored}; read it again before you change it");
            Err(Fault::new(FaultName::OutdatedVersion, text).with(stored))
        }
        Some(stored) => Ok(stored),
    })
}

pub(super) fn create(connection: &Transaction<'_>, address: &CallbackAddress, deed: &Deed) -> Done<()> {
    if get(connection, &address.tenant, address.id)?.is_some() {
        return Ok(());
    }
    insert(connection, address)?;
    ledger::add(connection, AuditEntry::done(deed, of(address.id), None, Some(picture(address))))
}

fn of(id: CallbackAddressId) -> Object {
    Object::named("callbackAddress", Some(&id.to_string()))
}

pub(super) fn update(
    connection: &Transaction<'_>,
    mut address: CallbackAddress,
    version: Option<i64>,
    deed: &Deed,
) -> Done<CallbackAddressVerdict> {
    match stored_version(connection, &address.tenant, address.id, version)? {
        Err(fault) => return Ok(Err(fault)),
        Ok(stored) => address.version = stored.saturating_add(1),
    }
    let before = get(connection, &address.tenant, address.id)?;
    run(connection, "DELETE FROM callback_address WHERE id = ?", [address.id.0.as_bytes()])?;
    insert(connection, &address)?;
    let mut after = picture(&address);
    let secrets = |it: &CallbackAddress| (it.credential.clone(), it.secret.clone());
    if before.as_ref().is_some_and(|before| secrets(before) != secrets(&address)) {
        after.open.insert("secretChanged".to_owned(), true.into());
    }
    let entry = AuditEntry::done(deed, of(address.id), before.as_ref().map(picture), Some(after));
    ledger::add(connection, entry)?;
    Ok(Ok(address))
}

pub(super) fn delete(
    connection: &Transaction<'_>,
    tenant: &str,
    id: CallbackAddressId,
    version: Option<i64>,
    deed: &Deed,
) -> Done<Result<(), Fault>> {
    if let Err(fault) = stored_version(connection, tenant, id, version)? {
        return Ok(Err(fault));
    }
    let before = get(connection, tenant, id)?;
    run(connection, "DELETE FROM callback_address WHERE id = ?", [id.0.as_bytes()])?;
    ledger::add(connection, AuditEntry::done(deed, of(id), before.as_ref().map(picture), None))?;
    Ok(Ok(()))
}

pub(super) fn get(connection: &Connection, tenant: &str, id: CallbackAddressId) -> Done<Option<CallbackAddress>> {
    let sql = format!("SELECT {ADDRESS} FROM callback_address a WHERE a.id = ? AND a.tenant = ?");
    one(connection, &sql, params![id.0.as_bytes(), tenant], address)
}

pub(super) fn of_tenant(connection: &Connection, tenant: &str) -> Done<Vec<CallbackAddress>> {
    let sql = format!(
        "SELECT {ADDRESS} FROM callback_address a WHERE a.tenant = ? ORDER BY a.created_at, a.id LIMIT {OF_TENANT_MAX}"
    );
    many(connection, &sql, [tenant], address)
}

pub(super) fn list(
    connection: &Connection,
    tenant: &str,
    filter: &CallbackAddressFilter,
    page: &Page,
) -> Done<Listed<CallbackAddress>> {
    let mut wanted = Where::default();
    wanted.equal("a.tenant", Some(tenant));
    if let Some(owner) = &filter.owner {
        wanted.and("(a.owner IS NULL OR a.owner = ?)", [Value::from(owner.clone())]);
    }
    wanted.equal("a.kind", filter.kind.map(CallbackKind::as_str));
    let total = wanted.count(connection, "callback_address a")?;
    if let Some(after) = &page.after {
        let (at, id) = after.split_once('.').ok_or_else(foreign_key)?;
        let at = at.parse::<i64>().map_err(|_| foreign_key())?;
        let id = CallbackAddressId::parse(id).map_err(|_| foreign_key())?;
        wanted.and("(a.created_at, a.id) > (?, ?)", [Value::from(at), Value::from(id.0.as_bytes().to_vec())]);
    }
    let order = "a.created_at, a.id";
    let items = wanted.select(connection, ADDRESS, "callback_address a", order, one_more(page), address)?;
    Ok(listed(items, page, total, |address| format!("{}.{}", address.created_at.0, address.id)))
}
