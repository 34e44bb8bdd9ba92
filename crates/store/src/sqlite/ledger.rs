//! Adding to the audit log: the writer alone, in its order.

use aws_lc_rs::{digest, hmac, rand};
use muster_broker::ledger::chain::{self, Digests, GENESIS, SALT_BYTES};
use muster_broker::ledger::{AuditEntry, Outcome};
use muster_broker::time::Timestamp;
use rusqlite::{Connection, params};

use super::query::{one, run};
use super::rows::{Done, Failure};
use super::writer::Transaction;

/// The digests of the chain.
pub(crate) struct Sha;

impl Digests for Sha {
    fn sha256(&self, octets: &[u8]) -> [u8; 32] {
        array(digest::digest(&digest::SHA256, octets).as_ref())
    }

    fn hmac_sha256(&self, key: &[u8], octets: &[u8]) -> [u8; 32] {
        array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), octets).as_ref())
    }
}

fn array(octets: &[u8]) -> [u8; 32] {
    octets.try_into().unwrap_or([0; 32])
}

/// The end of the log. The writer keeps it in memory; a transaction that is undone leaves it as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: i64,
    pub(super) hash: [u8; 32],
    pub(super) at: Timestamp,
}

impl Head {
    pub(super) fn read(connection: &Connection) -> Done<Self> {
        let last = one(connection, "SELECT number, hash, at FROM audit ORDER BY number DESC LIMIT 1", [], |cells| {
            Ok(Self { number: cells.get()?, hash: cells.get()?, at: cells.time()? })
        })?;
        Ok(last.unwrap_or(Self { number: 0, hash: GENESIS, at: Timestamp(i64::MIN) }))
    }
}

/// An entry with what can be made of it before the writer has its turn.
#[derive(Debug)]
pub(super) struct Draft {
    entry: AuditEntry,
    salt: Option<[u8; SALT_BYTES]>,
    seal: Option<[u8; 32]>,
    keys: Vec<[u8; 16]>,
    /// What the names in the entry are found by.
    subject_key: Option<[u8; 16]>,
}

impl Draft {
    /// # Errors
    /// Where the system has no random octets.
    pub(super) fn new(entry: AuditEntry) -> Done<Self> {
        let mut salt = None;
        if entry.personal.is_some() {
            let mut octets = [0; SALT_BYTES];
            rand::fill(&mut octets).map_err(|_| Failure::Broken("no random octets from the system".into()))?;
            salt = Some(octets);
        }
        let seal = entry.personal.as_ref().zip(salt).map(|(personal, salt)| chain::seal(&Sha, &salt, personal));
        let subject_key = entry
            .device
            .map(|device| device.unique.into_bytes())
            .or_else(|| entry.object.key(&Sha))
            .or_else(|| entry.correlation.map(|correlation| correlation.into_bytes()));
        Ok(Self { keys: entry.keys(&Sha), entry, salt, seal, subject_key })
    }
}

/// Adds an entry to the log.
pub(super) fn add(transaction: &Transaction<'_>, entry: AuditEntry) -> Done<()> {
    append(transaction, Draft::new(entry)?)
}

/// As [`add`], with what was made before.
pub(super) fn append(transaction: &Transaction<'_>, draft: Draft) -> Done<()> {
    let Draft { mut entry, salt, seal, keys, subject_key } = draft;
    let before = transaction.ledger.get();
    // The log goes forward, so that a time is found in it without an index.
    entry.at = entry.at.max(before.at);
    let number = before.number.saturating_add(1);
    let hash = chain::link(&Sha, &before.hash, number, &entry, seal.as_ref());
    let fault = match entry.outcome {
        Outcome::Done => None,
        Outcome::Refused(fault) => Some(fault.message_id()),
    };
    run(
        transaction,
        "INSERT INTO audit (number, at, tenant, actor, face, way, peer, correlation, operation, fault, count, \
         object_kind, object_id, before, after, personal, salt, seal, task, job, device, device_session, hash) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            number,
            entry.at.0,
            entry.tenant,
            entry.actor,
            entry.face,
            entry.way,
            entry.peer.map(|peer| peer.to_string()),
            entry.correlation.as_ref().map(|correlation| correlation.as_bytes()),
            entry.operation,
            fault,
            entry.count,
            entry.object_kind,
            entry.object_id,
            entry.before,
            entry.after,
            entry.personal,
            salt,
            seal,
            entry.task.map(|task| task.to_string()),
            entry.job.map(|job| job.to_string()),
            entry.device.map(|device| device.to_string()),
            entry.device_session,
            hash,
        ],
    )?;
    for key in &keys {
        run(transaction, "INSERT INTO audit_key (key, number) VALUES (?, ?)", params![key, number])?;
    }
    if let Some(key) = subject_key {
        for subject in &entry.subjects {
            run(
                transaction,
                "INSERT INTO audit_subject (tenant, name, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                params![entry.tenant, subject.as_str(), key],
            )?;
        }
    }
    transaction.ledger.set(Head { number, hash, at: entry.at });
    Ok(())
}
