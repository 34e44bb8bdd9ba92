//! Authorities, names of certificates, and what is revoked.

use muster_broker::certificate::{
    Authority, CertificateBinding, CertificateName, CertificateNameKind, Fingerprint, RevocationList,
    RevokedCertificate, Serial, TrustRecords,
};
use muster_broker::fault::{Fault, FaultName};
use muster_broker::ledger::{self as told, AuditEntry, Deed, Object};
use muster_broker::page::{Listed, Page};
use muster_broker::store::{CertificateStore, Pending};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::ledger;
use super::query::{Where, foreign_key, listed, many, one, one_more, run};
use super::rows::{Cells, Done, number_in, value_in};
use super::writer::{Guard, Transaction};

/// Numbers that kinds are kept as.
const KINDS: [CertificateNameKind; 5] = [
    CertificateNameKind::Fingerprint,
    CertificateNameKind::Uri,
    CertificateNameKind::Dns,
    CertificateNameKind::Email,
    CertificateNameKind::CommonName,
];

/// Columns for [`authority`].
const AUTHORITY: &str = "tenant, fingerprint, name, subject, subject_der, key_digest, der, not_before, not_after, \
    vouches_everywhere, list, list_this_update, list_next_update, created_by, created_at";
/// Columns for [`binding`].
const BINDING: &str = "tenant, kind, value, principal, created_by, created_at";
/// Columns for [`revoked`].
const REVOKED: &str = "tenant, issuer_der, serial_number, issuer, reason, revoked_by, revoked_at";

fn authority(cells: &mut Cells<'_>) -> Done<Authority> {
    Ok(Authority {
        tenant: cells.get()?,
        fingerprint: Fingerprint(cells.get()?),
        name: cells.get()?,
        subject: cells.get()?,
        subject_der: cells.get()?,
        key_digest: cells.get()?,
        der: cells.get()?,
        not_before: cells.time()?,
        not_after: cells.time()?,
        vouches_everywhere: cells.get()?,
        list: {
            let (der, this, next) = (cells.get::<Option<Vec<u8>>>()?, cells.maybe_time()?, cells.maybe_time()?);
            der.zip(this).map(|(der, this_update)| RevocationList { der, this_update, next_update: next })
        },
        created_by: cells.get()?,
        created_at: cells.time()?,
    })
}

fn binding(cells: &mut Cells<'_>) -> Done<CertificateBinding> {
    Ok(CertificateBinding {
        tenant: cells.get()?,
        name: CertificateName { kind: value_in(&KINDS, cells.get()?)?, value: cells.get()? },
        principal: cells.get()?,
        created_by: cells.get()?,
        created_at: cells.time()?,
    })
}

fn revoked(cells: &mut Cells<'_>) -> Done<RevokedCertificate> {
    Ok(RevokedCertificate {
        tenant: cells.get()?,
        issuer_der: cells.get()?,
        serial: Serial::of(&cells.get::<Vec<u8>>()?),
        issuer: cells.get()?,
        reason: cells.get()?,
        revoked_by: cells.get()?,
        revoked_at: cells.time()?,
    })
}

fn changed(connection: &Connection) -> Done<()> {
    run(connection, "UPDATE trust SET version = version + 1", [])?;
    Ok(())
}

fn version(connection: &Connection) -> Done<i64> {
    let found = one(connection, "SELECT version FROM trust", [], |cells| cells.get())?;
    Ok(found.unwrap_or(0))
}

fn authority_get(connection: &Connection, tenant: &str, fingerprint: Fingerprint) -> Done<Option<Authority>> {
    let sql = format!("SELECT {AUTHORITY} FROM authority WHERE tenant = ? AND fingerprint = ?");
    one(connection, &sql, params![tenant, fingerprint.0], authority)
}

fn of_authority(fingerprint: Fingerprint) -> Object {
    Object::named("certificateAuthority", Some(&fingerprint.to_string()))
}

fn authority_add(connection: &Transaction<'_>, added: &Authority, deed: &Deed) -> Done<Result<Authority, Fault>> {
    if let Some(stored) = authority_get(connection, &added.tenant, added.fingerprint)? {
        return Ok(Ok(stored));
    }
    let elsewhere = "SELECT 1 FROM authority WHERE key_digest = ? AND tenant <> ? LIMIT 1";
    if one(connection, elsewhere, params![added.key_digest, added.tenant], |cells| cells.get::<i64>())?.is_some() {
        let text = "this authority is trusted for another domain of this server, and can speak for one alone";
        return Ok(Err(Fault::new(FaultName::AlreadyExists, text).with("certificate").with(added.fingerprint)));
    }
    run(
        connection,
        "INSERT INTO authority (tenant, fingerprint, name, subject, subject_der, key_digest, der, not_before, \
         not_after, vouches_everywhere, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            added.tenant,
            added.fingerprint.0,
            added.name,
            added.subject,
            added.subject_der,
            added.key_digest,
            added.der,
            added.not_before.0,
            added.not_after.0,
            added.vouches_everywhere,
            added.created_by,
            added.created_at.0,
        ],
    )?;
    changed(connection)?;
    let object = of_authority(added.fingerprint);
    ledger::add(connection, AuditEntry::done(deed, object, None, Some(told::authority(added))))?;
    Ok(Ok(added.clone()))
}

fn authority_remove(connection: &Transaction<'_>, tenant: &str, fingerprint: Fingerprint, deed: &Deed) -> Done<bool> {
    let before = authority_get(connection, tenant, fingerprint)?;
    let sql = "DELETE FROM authority WHERE tenant = ? AND fingerprint = ?";
    let is_gone = run(connection, sql, params![tenant, fingerprint.0])? > 0;
    if is_gone {
        changed(connection)?;
        let object = of_authority(fingerprint);
        ledger::add(connection, AuditEntry::done(deed, object, before.as_ref().map(told::authority), None))?;
    }
    Ok(is_gone)
}

fn authority_list_put(
    connection: &Transaction<'_>,
    tenant: &str,
    fingerprint: Fingerprint,
    list: &RevocationList,
    deed: &Deed,
) -> Done<Option<Authority>> {
    let before = authority_get(connection, tenant, fingerprint)?;
    let put = run(
        connection,
        "UPDATE authority SET list = ?, list_this_update = ?, list_next_update = ? WHERE tenant = ? AND fingerprint = ? \
         AND (list_this_update IS NULL OR list_this_update <= ?)",
        params![
            list.der,
            list.this_update.0,
            list.next_update.map(|next| next.0),
            tenant,
            fingerprint.0,
            list.this_update.0
        ],
    )?;
    if put == 0 {
        return Ok(None);
    }
    changed(connection)?;
    let after = authority_get(connection, tenant, fingerprint)?;
    let (before, told) = (before.as_ref().map(told::authority), after.as_ref().map(told::authority));
    ledger::add(connection, AuditEntry::done(deed, of_authority(fingerprint), before, told))?;
    Ok(after)
}

fn binding_get(connection: &Connection, tenant: &str, name: &CertificateName) -> Done<Option<CertificateBinding>> {
    let sql = format!("SELECT {BINDING} FROM certificate_binding WHERE tenant = ? AND kind = ? AND value = ?");
    one(connection, &sql, params![tenant, number_in(&KINDS, &name.kind), name.value], binding)
}

fn binding_add(
    connection: &Transaction<'_>,
    added: &CertificateBinding,
    deed: &Deed,
) -> Done<Result<CertificateBinding, Fault>> {
    if let Some(stored) = binding_get(connection, &added.tenant, &added.name)? {
        if stored.principal == added.principal {
            return Ok(Ok(stored));
        }
        let text = "certificates with this name are those of another principal; unbind them first";
        return Ok(Err(Fault::new(FaultName::AlreadyExists, text)
            .with(added.name.kind.as_str())
            .with(&added.name.value)));
    }
    run(
        connection,
        "INSERT INTO certificate_binding (tenant, kind, value, principal, created_by, created_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
        params![
            added.tenant,
            number_in(&KINDS, &added.name.kind),
            added.name.value,
            added.principal,
            added.created_by,
            added.created_at.0,
        ],
    )?;
    changed(connection)?;
    let object = Object::named("certificateBinding", Some(&added.principal));
    ledger::add(connection, AuditEntry::done(deed, object, None, Some(told::binding(added))))?;
    Ok(Ok(added.clone()))
}

fn binding_remove(connection: &Transaction<'_>, tenant: &str, name: &CertificateName, deed: &Deed) -> Done<bool> {
    let before = binding_get(connection, tenant, name)?;
    let sql = "DELETE FROM certificate_binding WHERE tenant = ? AND kind = ? AND value = ?";
    let is_gone = run(connection, sql, params![tenant, number_in(&KINDS, &name.kind), name.value])? > 0;
    if is_gone {
        changed(connection)?;
        let principal = before.as_ref().map(|binding| binding.principal.as_str());
        let object = Object::named("certificateBinding", principal);
        ledger::add(connection, AuditEntry::done(deed, object, before.as_ref().map(told::binding), None))?;
    }
    Ok(is_gone)
}

fn binding_list(
    connection: &Connection,
    tenant: &str,
    principal: Option<&str>,
    page: &Page,
) -> Done<Listed<CertificateBinding>> {
    let mut wanted = Where::default();
    wanted.equal("tenant", Some(tenant));
    wanted.equal("principal", principal);
    let total = wanted.count(connection, "certificate_binding")?;
    if let Some(after) = &page.after {
        let (kind, value) = after.split_once(' ').ok_or_else(foreign_key)?;
        let kind: i64 = kind.parse().map_err(|_| foreign_key())?;
        wanted.and("(kind, value) > (?, ?)", [Value::from(kind), Value::from(value.to_owned())]);
    }
    let items = wanted.select(connection, BINDING, "certificate_binding", "kind, value", one_more(page), binding)?;
    Ok(listed(items, page, total, |it| format!("{} {}", number_in(&KINDS, &it.name.kind), it.name.value)))
}

fn certificate_revoke(
    connection: &Transaction<'_>,
    added: &RevokedCertificate,
    deed: &Deed,
) -> Done<RevokedCertificate> {
    let sql =
        format!("SELECT {REVOKED} FROM revoked_certificate WHERE tenant = ? AND issuer_der = ? AND serial_number = ?");
    let key = params![added.tenant, added.issuer_der, added.serial.as_octets()];
    if let Some(stored) = one(connection, &sql, key, revoked)? {
        return Ok(stored);
    }
    run(
        connection,
        "INSERT INTO revoked_certificate (tenant, issuer_der, serial_number, issuer, reason, revoked_by, revoked_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            added.tenant,
            added.issuer_der,
            added.serial.as_octets(),
            added.issuer,
            added.reason,
            added.revoked_by,
            added.revoked_at.0,
        ],
    )?;
    changed(connection)?;
    let object = Object::named("certificate", Some(&hex(added.serial.as_octets())));
    ledger::add(connection, AuditEntry::done(deed, object, None, Some(told::revoked(added))))?;
    Ok(added.clone())
}

fn certificate_revoked(connection: &Connection, tenant: &str, page: &Page) -> Done<Listed<RevokedCertificate>> {
    let mut wanted = Where::default();
    wanted.equal("tenant", Some(tenant));
    let total = wanted.count(connection, "revoked_certificate")?;
    if let Some(after) = &page.after {
        let (issuer, serial) = after.split_once(' ').ok_or_else(foreign_key)?;
        let octets = |text: &str| unhex(text).map(Value::from).ok_or_else(foreign_key);
        wanted.and("(issuer_der, serial_number) > (?, ?)", [octets(issuer)?, octets(serial)?]);
    }
    let order = "issuer_der, serial_number";
    let items = wanted.select(connection, REVOKED, "revoked_certificate", order, one_more(page), revoked)?;
    Ok(listed(items, page, total, |it| format!("{} {}", hex(&it.issuer_der), hex(it.serial.as_octets()))))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// The names of a principal that is deleted are bound no more.
pub(super) fn forget_principal(connection: &Connection, name: &str) -> Done<()> {
    run(connection, "DELETE FROM certificate_binding WHERE principal = ?", [name])?;
    changed(connection)
}

/// What a tenant that is deleted trusted, others may trust.
pub(super) fn forget_tenant(connection: &Connection, tenant: &str) -> Done<()> {
    for table in ["authority", "certificate_binding", "revoked_certificate"] {
        run(connection, &format!("DELETE FROM {table} WHERE tenant = ?"), [tenant])?;
    }
    changed(connection)
}

fn load(connection: &Connection) -> Done<TrustRecords> {
    let authorities = format!("SELECT {AUTHORITY} FROM authority ORDER BY tenant, fingerprint");
    let certificates = format!("SELECT {REVOKED} FROM revoked_certificate");
    Ok(TrustRecords {
        version: version(connection)?,
        authorities: many(connection, &authorities, [], authority)?,
        revoked: many(connection, &certificates, [], revoked)?,
    })
}

impl CertificateStore for SqliteStore {
    fn authority_add(&self, authority: Authority, deed: Deed) -> Pending<'_, Result<Authority, Fault>> {
        Box::pin(self.write(Guard::Savepoint, 8192, move |connection| authority_add(connection, &authority, &deed)))
    }

    fn authority_get(&self, tenant: &str, fingerprint: Fingerprint) -> Pending<'_, Option<Authority>> {
        let tenant = tenant.to_owned();
        Box::pin(async move { self.points.read(|connection| authority_get(connection, &tenant, fingerprint)) })
    }

    fn authority_list(&self, tenant: &str, page: Page) -> Pending<'_, Listed<Authority>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| {
            let mut wanted = Where::default();
            wanted.equal("tenant", Some(&tenant));
            let total = wanted.count(connection, "authority")?;
            if let Some(after) = &page.after {
                let after = Fingerprint::parse(after).ok_or_else(foreign_key)?;
                wanted.and("fingerprint > ?", [Value::from(after.0.to_vec())]);
            }
            let items = wanted.select(connection, AUTHORITY, "authority", "fingerprint", one_more(&page), authority)?;
            Ok(listed(items, &page, total, |authority| authority.fingerprint.to_string()))
        }))
    }

    fn authority_remove(&self, tenant: &str, fingerprint: Fingerprint, deed: Deed) -> Pending<'_, bool> {
        let tenant = tenant.to_owned();
        Box::pin(
            self.write(Guard::Savepoint, 256, move |connection| {
                authority_remove(connection, &tenant, fingerprint, &deed)
            }),
        )
    }

    fn authority_list_put(
        &self,
        tenant: &str,
        fingerprint: Fingerprint,
        list: RevocationList,
        deed: Deed,
    ) -> Pending<'_, Option<Authority>> {
        let tenant = tenant.to_owned();
        let bytes = list.der.len().saturating_add(256);
        Box::pin(self.write(Guard::Savepoint, bytes, move |connection| {
            authority_list_put(connection, &tenant, fingerprint, &list, &deed)
        }))
    }

    fn binding_add(&self, binding: CertificateBinding, deed: Deed) -> Pending<'_, Result<CertificateBinding, Fault>> {
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| binding_add(connection, &binding, &deed)))
    }

    fn binding_remove(&self, tenant: &str, name: &CertificateName, deed: Deed) -> Pending<'_, bool> {
        let (tenant, name) = (tenant.to_owned(), name.clone());
        Box::pin(self.write(Guard::Savepoint, 256, move |connection| binding_remove(connection, &tenant, &name, &deed)))
    }

    fn binding_list(
        &self,
        tenant: &str,
        principal: Option<&str>,
        page: Page,
    ) -> Pending<'_, Listed<CertificateBinding>> {
        let (tenant, principal) = (tenant.to_owned(), principal.map(str::to_owned));
        Box::pin(self.scan(move |connection| binding_list(connection, &tenant, principal.as_deref(), &page)))
    }

    fn binding_find(&self, tenant: &str, names: Vec<CertificateName>) -> Pending<'_, Vec<CertificateBinding>> {
        let tenant = tenant.to_owned();
        Box::pin(async move {
            self.points.read(|connection| {
                let found = names.iter().map(|name| binding_get(connection, &tenant, name));
                Ok(found.collect::<Done<Vec<_>>>()?.into_iter().flatten().collect())
            })
        })
    }

    fn certificate_revoke(&self, revoked: RevokedCertificate, deed: Deed) -> Pending<'_, RevokedCertificate> {
        Box::pin(self.write(Guard::Savepoint, 1024, move |connection| certificate_revoke(connection, &revoked, &deed)))
    }

    fn certificate_revoked(&self, tenant: &str, page: Page) -> Pending<'_, Listed<RevokedCertificate>> {
        let tenant = tenant.to_owned();
        Box::pin(self.scan(move |connection| certificate_revoked(connection, &tenant, &page)))
    }

    fn trust_version(&self) -> Pending<'_, i64> {
        Box::pin(async move { self.points.read(version) })
    }

    fn trust_load(&self) -> Pending<'_, TrustRecords> {
        Box::pin(self.scan(load))
    }
}
