//! Making the tasks of a job, page by page, in an order of devices that does not change: numbers, identifiers,
//! capability records, then the records that match.
//!
//! A task's identifier follows from job and device, so that a page made twice, or a device named twice, makes one task.
//! A phone number of several records names each of them: `DeviceSelector` is about devices, and the refusal of an
//! ambiguous number belongs to operations on one device.

use muster_broker::device::Device;
use muster_broker::id::DeviceOid;
use muster_broker::job::{DeviceFilter, Selector};
use muster_broker::store::DeviceKey;
use muster_broker::time::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::access;
use super::devices;
use super::jobs::{Kept, Progress};
use super::lists;
use super::query::{Where, foreign_key};
use super::rows::{DEVICE, DEVICE_FROM, DEVICE_FROM_PHONE, Done};
use super::subscribers;
use super::{quotas, tasks};

/// Records looked at for each task that may be made: a filter that hardly anything matches must not keep the writer.
const LOOKS_PER_TASK: u32 = 8;

/// What a job says that makes no tasks for want of a quota.
const STALLED: &str = "waits for room in the quota";

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    kind: Kind,
    /// Entry of the list of this kind.
    index: usize,
    /// Last record looked at for this entry.
    after: Option<DeviceOid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Phone,
    DeviceId,
    Capability,
    Matching,
}

const KINDS: [(&str, Kind); 4] =
    [("p", Kind::Phone), ("d", Kind::DeviceId), ("c", Kind::Capability), ("m", Kind::Matching)];

impl Cursor {
    fn at(kind: Kind, index: usize) -> Self {
        Self { kind, index, after: None }
    }

    fn read(text: Option<&str>) -> Done<Self> {
        let Some(text) = text else { return Ok(Self::at(Kind::Phone, 0)) };
        let mut parts = text.splitn(3, '.');
        let kind = parts.next().and_then(|name| KINDS.iter().find(|(known, _)| *known == name));
        let index = parts.next().and_then(|index| index.parse().ok());
        let after = parts.next().map(DeviceOid::parse).transpose().map_err(|_| foreign_key())?;
        let (Some((_, kind)), Some(index)) = (kind, index) else { return Err(foreign_key()) };
        Ok(Self { kind: *kind, index, after })
    }

    fn write(self) -> String {
        let kind = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| *name);
        match self.after {
            Some(after) => format!("{kind}.{}.{after}", self.index),
            None => format!("{kind}.{}", self.index),
        }
    }
}

/// Makes the next page of at most about `budget` tasks and takes what it used from it. The job is not written.
pub(super) fn expand(connection: &Connection, kept: &mut Kept, now: Timestamp, budget: &mut u32) -> Done<()> {
    let Some(expansion) = kept.job.expansion.take() else { return Ok(()) };
    let mut cursor = Some(Cursor::read(expansion.after.as_deref())?);
    let (room, used_up) = quotas::room_for_tasks(connection, &kept.job, now)?;
    kept.is_stalled = room == 0;
    if kept.is_stalled {
        let why = used_up.map(|kind| format!("{STALLED} {}", kind.as_str()));
        if kept.job.detail != why {
            (kept.job.detail, kept.job.version) = (why, kept.job.version.saturating_add(1));
        }
        kept.job.expansion = Some(expansion);
        return Ok(());
    }
    if kept.job.detail.as_ref().is_some_and(|detail| detail.starts_with(STALLED)) {
        kept.job.detail = None;
    }
    let mut made: u32 = 0;
    let needs_consent = needs_consent(connection, kept)?;
    while let Some(at) = cursor
        && *budget > 0
        && made < room
    {
        let Page { devices, next, is_named, cost } =
            page(connection, &kept.job.tenant, &expansion.selector, at, (*budget).min(room - made))?;
        *budget = budget.saturating_sub(cost);
        // What is out of reach is not there: neither done nor counted.
        let mut reached = devices.iter().filter(|device| kept.job.reach.has(device)).peekable();
        if is_named && reached.peek().is_none() && at.after.is_none() {
            kept.progress.unmatched += 1;
        }
        for device in reached {
            if !device.management_state.takes_operations() {
                kept.progress.skipped += 1;
            } else if needs_consent && !consents(connection, device)? {
                kept.progress.without_consent += 1;
            } else {
                let target = kept.job.target_for(device, now);
                if tasks::insert(connection, &target)? && !target.task.status.is_final() {
                    made = made.saturating_add(1);
                }
            }
        }
        cursor = next;
    }
    quotas::tasks_made(connection, &kept.job, made, now)?;
    match cursor {
        Some(cursor) => {
            kept.job.expansion = Some(muster_broker::job::Expansion { after: Some(cursor.write()), ..expansion });
        }
        None => {
            kept.job.version = kept.job.version.saturating_add(1);
            if let Some(left_out) = left_out_in_words(kept) {
                kept.job.detail = Some(left_out);
            }
        }
    }
    Ok(())
}

/// Whether devices whose subscriber has not consented get no task: nobody is asked, and the domain demands it now.
fn needs_consent(connection: &Connection, kept: &Kept) -> Done<bool> {
    if kept.job.template.opt_in {
        return Ok(false);
    }
    let tenant = access::tenant_get(connection, &kept.job.tenant)?;
    Ok(tenant.is_some_and(|tenant| tenant.settings.consent_demanded))
}

fn consents(connection: &Connection, device: &Device) -> Done<bool> {
    let (subscriber, number) = (device.subscriber_id.as_deref(), device.phone_number.as_ref());
    subscribers::consents(connection, &device.tenant, subscriber, number)
}

/// What the job is not for although it was asked for it.
pub(super) fn left_out_in_words(kept: &Kept) -> Option<String> {
    let parts: Vec<String> =
        left_out(&kept.progress).iter().map(|(why, count)| format!("devices {why}: {count}")).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Devices that the job is not for although it was asked for them: why, and how many.
pub(super) fn left_out(progress: &Progress) -> Vec<(&'static str, u64)> {
    let counted = [
        ("suspended or retired and got no task", progress.skipped),
        ("without their subscriber's consent got no task", progress.without_consent),
        ("named in the selector and not recorded", progress.unmatched),
    ];
    let some = |(why, number): (&'static str, i64)| u64::try_from(number).ok().map(|number| (why, number));
    counted.into_iter().filter_map(some).filter(|(_, number)| *number > 0).collect()
}

struct Page {
    devices: Vec<Device>,
    /// Nothing when the selector is through.
    next: Option<Cursor>,
    /// Whether a caller named this entry, so that finding none is worth telling.
    is_named: bool,
    /// What finding them takes from the budget: a task each, or as many looks as a task is worth.
    cost: u32,
}

impl Page {
    /// Nothing here: on with the next kind.
    fn turn(next: Option<Cursor>) -> Self {
        Self { devices: Vec::new(), next, is_named: false, cost: 0 }
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn page(connection: &Connection, tenant: &str, selector: &Selector, at: Cursor, limit: u32) -> Done<Page> {
    let devices = match at.kind {
        Kind::Phone => match selector.phone_number.get(at.index) {
            None => return Ok(Page::turn(Some(Cursor::at(Kind::DeviceId, 0)))),
            Some(number) => {
                let mut wanted = Where::default();
                wanted.equal("d.tenant", Some(tenant));
                wanted.equal("d.phone_number", Some(number.as_str()));
                records(connection, DEVICE_FROM_PHONE, wanted, at.after, limit)?
            }
        },
        Kind::DeviceId => match selector.device_id.get(at.index) {
            None => return Ok(Page::turn(Some(Cursor::at(Kind::Capability, 0)))),
            Some(id) => devices::find(connection, tenant, &DeviceKey::DeviceId(id.clone()), 1)?,
        },
        Kind::Capability => match selector.capability.get(at.index) {
            None => return Ok(Page::turn(Some(Cursor::at(Kind::Matching, 0)))),
            Some(oid) => {
                let mut wanted = Where::default();
                wanted.equal("d.tenant", Some(tenant));
                wanted.and("d.capability = ?", [Value::from(oid.0.as_bytes().to_vec())]);
                records(connection, DEVICE_FROM, wanted, at.after, limit)?
            }
        },
        Kind::Matching => return matching(connection, tenant, selector, at, limit),
    };
    // An identifier names one record; a number or capability record may have more of them.
    let is_full = at.kind != Kind::DeviceId && u32::try_from(devices.len()).is_ok_and(|found| found >= limit);
    let next = match devices.last() {
        Some(last) if is_full => Cursor { after: Some(last.oid), ..at },
        _ => Cursor::at(at.kind, at.index.saturating_add(1)),
    };
    let cost = number(devices.len()).max(1);
    Ok(Page { devices, next: Some(next), is_named: at.kind != Kind::Capability, cost })
}

fn records(
    connection: &Connection,
    from: &str,
    mut wanted: Where,
    after: Option<DeviceOid>,
    limit: u32,
) -> Done<Vec<Device>> {
    if let Some(after) = after {
        devices::after(&mut wanted, after);
    }
    wanted.select(connection, DEVICE, from, "d.bucket, d.oid", limit, |cells| cells.device())
}

/// The next records of the whole domain that match.
fn matching(connection: &Connection, tenant: &str, selector: &Selector, at: Cursor, limit: u32) -> Done<Page> {
    let (filter, looks) = match &selector.filter {
        _ if selector.all_devices => (DeviceFilter::default(), limit),
        Some(filter) if !filter.is_empty() => (filter.clone(), limit.saturating_mul(LOOKS_PER_TASK)),
        // A selector without criteria never means every device.
        _ => return Ok(Page::turn(None)),
    };
    let mut span = Where::default();
    span.equal("d.tenant", Some(tenant));
    if let Some(after) = at.after {
        devices::after(&mut span, after);
    }
    let looked =
        span.select(connection, "d.bucket, d.oid", "device d", "d.bucket, d.oid", looks, |cells| cells.device_oid())?;
    let Some(last) = looked.last().copied() else { return Ok(Page::turn(None)) };
    let mut wanted = lists::device_matching(tenant, &filter);
    let bound = [Value::from(i64::from(last.bucket.0)), Value::from(last.unique.as_bytes().to_vec())];
    wanted.and("(d.bucket, d.oid) <= (?, ?)", bound);
    let devices = records(connection, DEVICE_FROM, wanted, at.after, limit)?;
    let is_full = u32::try_from(devices.len()).is_ok_and(|found| found >= limit);
    let reached = if is_full { devices.last().map_or(last, |device| device.oid) } else { last };
    let cost = number(devices.len()).max(number(looked.len()).div_ceil(LOOKS_PER_TASK));
    Ok(Page { devices, next: Some(Cursor { after: Some(reached), ..at }), is_named: false, cost })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written() {
        let oid = DeviceOid::new(uuid::Uuid::from_u128(7));
        for (_, kind) in KINDS {
            for after in [None, Some(oid)] {
                let cursor = Cursor { kind, index: 12, after };
                assert_eq!(Cursor::read(Some(&cursor.write())).unwrap(), cursor);
            }
        }
        for text in ["", "x.1", "p", "p.x", "p.1.d000"] {
            assert!(Cursor::read(Some(text)).is_err(), "{text}");
        }
    }
}
