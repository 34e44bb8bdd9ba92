//! IAdministrationServices: the audit log, the feed of chargeable events, and the erasure of personal data.

use uuid::Uuid;

use super::{Broker, checks};
use crate::access::{Caller, Right};
use crate::bounds::{ERASURES_MAX, TEXT_CHARS_MAX};
use crate::fault::{Fault, FaultName};
use crate::id::{JobId, TaskId};
use crate::identity::{DeviceId, Msisdn};
use crate::ledger::chain::{Anchor, Broken, Verifier};
use crate::ledger::{AuditFilter, EventId, Feed, NAME_IN_TEXT_MIN, Object, Recorded, Refused, Subject, mask};
use crate::page::{Page, PageRequest, Paged};
use crate::store::{Due, Erased, ErasureOf, Rest};
use crate::time::Timestamp;

/// To read the audit log.
const READ: Right = Right::new("audit", "read");
/// To take personal data out of it.
const ERASE: Right = Right::new("audit", "erase");
/// To read the feed of chargeable events.
const CHARGES: Right = Right::new("charging", "read");
/// To see whose device something is about.
const PERSONAL: Right = Right::new("personal", "read");
/// In place of the name of a tenant: every one.
const EVERY_TENANT: &str = "*";
/// Rows that an erasure looks through before others get a turn.
const ERASURE_PAGE: u32 = 1_000;
/// Pages that one call looks through; the rest is looked through in the background.
const ERASURE_PAGES_MAX: u32 = 100;
/// Entries that one call looks through; more are looked through by the next call.
const VERIFIED_MAX: u32 = 200_000;
/// Entries that are looked through before others get a turn.
const VERIFIED_AT_ONCE: u32 = 5_000;

/// Which entries of the audit log. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditWanted {
    /// Another tenant than that of the caller; `*` for every one.
    pub tenant: Option<String>,
    /// At this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// By this actor.
    pub actor: Option<String>,
    /// By this operation.
    pub operation: Option<String>,
    /// Of this kind of object.
    pub object_kind: Option<String>,
    /// Of this object; needs its kind.
    pub object_id: Option<String>,
    /// Refused, or done.
    pub is_refused: Option<bool>,
    /// Concerning this task.
    pub task_id: Option<String>,
    /// Concerning this job.
    pub job_id: Option<String>,
    /// Of this request.
    pub correlation_id: Option<String>,
}

/// What looking through the audit log found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditVerification {
    /// The last entry that was looked at and is right: the head of the log, if all of it was looked through.
    pub head: Anchor,
    /// Whether the end was reached, so that no call has to go on after `head`.
    pub is_complete: bool,
    /// Entries looked at whose personal data were erased.
    pub erased: u64,
    /// What is wrong first.
    pub broken: Option<Broken>,
}

/// Names whose personal data are to be erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasureWanted {
    /// Another tenant than that of the caller.
    pub tenant: Option<String>,
    /// A subscriber, with the number and the devices that it has now.
    pub subscriber_id: Option<String>,
    /// Numbers.
    pub phone_number: Vec<Msisdn>,
    /// Devices.
    pub device_id: Vec<DeviceId>,
    /// Other names that stand in texts, such as an IMSI, the name of a person or a reference to an account.
    pub other_name: Vec<String>,
}

impl Broker {
    /// Entries of the audit log, oldest first.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `MissingArgument`, `InvalidPageToken`.
    pub async fn audit_entries(
        &self,
        caller: &Caller,
        wanted: AuditWanted,
        page: &PageRequest,
    ) -> Result<Paged<Recorded>, Fault> {
        let tenant = self.reach(caller, wanted.tenant.as_deref(), READ).await?;
        let scope = self.list_scope(caller, "audit", &wanted);
        let page = Page::read(page, &scope, &*self.vault)?;
        let filter = self.audit_filter(wanted, tenant.as_deref())?;
        let listed = self.store.audit_list(tenant.as_deref(), filter, page).await?;
        let is_plain = is_held(caller, tenant.as_deref(), PERSONAL);
        Ok(listed.paged(&scope, &*self.vault, |recorded| if is_plain { recorded } else { masked(recorded) }))
    }

    /// Looks through the chain of the audit log: from its beginning, or after an entry up to which it was looked
    /// through before. `anchor` is an entry that must be there. At most some 200,000 entries are looked at in one call.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`. That the log is wrong is no fault but what this tells.
    pub async fn verify_audit_log(
        &self,
        caller: &Caller,
        after: Option<String>,
        anchor: Option<String>,
    ) -> Result<AuditVerification, Fault> {
        caller.must(READ)?;
        let read = |name: &str, text: Option<String>| {
            let parse = |text: String| Anchor::parse(&text).map_err(|why| Fault::invalid(name, text, why));
            text.map(parse).transpose()
        };
        let anchor = read("anchor", anchor)?;
        let mut verifier = Verifier::after(read("after", after)?.unwrap_or(Anchor::EMPTY), anchor);
        for _ in 0..VERIFIED_MAX.div_ceil(VERIFIED_AT_ONCE) {
            let (next, outcome) = self.store.audit_verify(verifier, VERIFIED_AT_ONCE).await?;
            verifier = next;
            let (head, erased) = (verifier.head(), verifier.erased());
            let told = |is_complete, broken| AuditVerification { head, is_complete, erased, broken };
            match outcome {
                Ok(Due::More) => {}
                Ok(Due::Nothing) => return Ok(told(true, verifier.end().err())),
                Err(broken) => return Ok(told(true, Some(broken))),
            }
        }
        Ok(AuditVerification { head: verifier.head(), is_complete: false, erased: verifier.erased(), broken: None })
    }

    /// Chargeable events after one, in the order in which they were made. Who keeps the last identifier it has worked
    /// off, and asks for what comes after it, misses none and gets none twice; who asks again after a failure gets the
    /// same ones again.
    ///
    /// # Errors
    /// `NotAuthorized`, `InvalidArgument`, `UnknownEvent` for an identifier that is none.
    pub async fn chargeable_events(
        &self,
        caller: &Caller,
        tenant: Option<&str>,
        after: Option<&str>,
        limit: Option<i32>,
    ) -> Result<Feed, Fault> {
        let tenant = self.reach(caller, tenant, CHARGES).await?;
        let after = match after {
            None => EventId(0),
            Some(text) => EventId::parse(text).map_err(|_| {
                let why = "names no chargeable event; leave it out to begin with the first";
                Fault::new(FaultName::UnknownEvent, why).with(text.escape_debug())
            })?,
        };
        let limit = match limit {
            None => Page::SIZE,
            Some(limit) => u32::try_from(limit)
                .ok()
                .filter(|limit| *limit >= 1)
                .ok_or_else(|| Fault::invalid("limit", limit, "at least 1"))?
                .min(Page::SIZE_MAX),
        };
        let mut feed = self.store.charge_feed(tenant.as_deref(), after, limit).await?;
        if !is_held(caller, tenant.as_deref(), PERSONAL) {
            for event in &mut feed.events {
                event.phone_number = None;
                event.device_id = event.device_id.as_ref().map(DeviceId::masked);
            }
        }
        Ok(feed)
    }

    /// Takes personal data out of the audit log, out of tasks that are over with their history and chargeable events,
    /// out of recorded messages, jobs, approvals, callbacks and remembered answers. Device and subscriber records stay:
    /// those are deleted by their own operations, and what a record says after this is told in the log as before.
    ///
    /// What takes longer than a request goes on in the background, as do tasks and jobs under way once they end.
    ///
    /// # Errors
    /// `NotAuthorized`, `UnknownTenant`, `MissingArgument` where nobody is named, `TooManyEntries`, `InvalidArgument`.
    pub async fn erase_personal_data(&self, caller: &Caller, wanted: ErasureWanted) -> Result<Erased, Fault> {
        let tenant = match wanted.tenant.as_deref() {
            Some(EVERY_TENANT) => {
                let why = "an erasure is of one tenant, because a number may be another's there; name it";
                return Err(Fault::invalid("tenant", EVERY_TENANT, why));
            }
            tenant => self.at_work_in(caller, tenant, ERASE).await?.tenant,
        };
        checks::line_if_given("subscriberId", wanted.subscriber_id.as_deref(), TEXT_CHARS_MAX)?;
        for (name, number) in [
            ("phoneNumber", wanted.phone_number.len()),
            ("deviceID", wanted.device_id.len()),
            ("otherName", wanted.other_name.len()),
        ] {
            if number > 0 {
                checks::entries(name, number, ERASURES_MAX)?;
            }
        }
        let mut subjects: Vec<Subject> = wanted.subscriber_id.as_deref().map(Subject::subscriber).into_iter().collect();
        subjects.extend(wanted.phone_number.iter().map(Subject::phone));
        subjects.extend(wanted.device_id.iter().map(Subject::device));
        if subjects.is_empty() {
            let text = "give subscriberId, phoneNumber or deviceID; all of them that the subscriber had";
            return Err(Fault::new(FaultName::MissingArgument, text).with("subscriberId"));
        }
        let others = wanted.other_name;
        for other in &others {
            checks::line("otherName", other, TEXT_CHARS_MAX)?;
            if other.chars().count() < NAME_IN_TEXT_MIN {
                let why = format!("a name that is looked for in texts has at least {NAME_IN_TEXT_MIN} characters");
                return Err(Fault::invalid("otherName", other.escape_debug(), why));
            }
        }
        let deed = self.deed(caller, "erasePersonalData").within(&tenant);
        let id = self.environment.uuid();
        let mut erased = self.store.personal_erase(id, ErasureOf { subjects, others }, deed).await?;
        for _ in 0..ERASURE_PAGES_MAX {
            if erased.rest != Rest::More {
                break;
            }
            match self.store.personal_erase_step(id, self.environment.now(), ERASURE_PAGE).await? {
                Some(more) => erased = more,
                // Background work was faster.
                None => erased.rest = Rest::Nothing,
            }
        }
        Ok(erased)
    }

    /// Notes that something was refused. That it cannot be noted is logged and hinders no answer.
    pub async fn note_refusal(&self, refused: Refused) {
        let due = self.refusals.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take(refused);
        self.keep_refusals(due).await.unwrap_or_default();
    }

    /// Keeps refusals that were counted and whose minute is over; all of them where the server ends.
    ///
    /// # Errors
    /// Those of the store; what could not be kept then is lost.
    pub async fn flush_refusals(&self, ends: Flush) -> Result<(), Fault> {
        let now = self.environment.now();
        let due = {
            let mut refusals = self.refusals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match ends {
                Flush::Due => refusals.flush(now),
                Flush::All => refusals.drain(now),
            }
        };
        self.keep_refusals(due).await
    }

    async fn keep_refusals(&self, mut due: Vec<crate::ledger::AuditEntry>) -> Result<(), Fault> {
        if due.is_empty() {
            return Ok(());
        }
        for entry in &mut due {
            // A stranger that gave the name of a principal is told of under this name, and in its domain.
            let Some(name) = entry.name_of_stranger() else { continue };
            if let Ok(Some(account)) = self.account(&name).await {
                entry.know_stranger(&account.principal.name, &account.principal.tenant);
            }
        }
        self.store.audit_add(due).await.map_err(Into::into)
    }

    /// Whether the caller sees whose device something is about, where it works.
    #[must_use]
    pub fn sees_personal(&self, caller: &Caller) -> bool {
        caller.must(PERSONAL).is_ok()
    }

    /// The tenant that a call is about, if the caller has `right` there; nothing where it is about every tenant.
    async fn reach(&self, caller: &Caller, tenant: Option<&str>, right: Right) -> Result<Option<String>, Fault> {
        if tenant == Some(EVERY_TENANT) {
            caller.must_everywhere(right)?;
            return Ok(None);
        }
        Ok(Some(self.at_work_in(caller, tenant, right).await?.tenant))
    }

    fn audit_filter(&self, wanted: AuditWanted, tenant: Option<&str>) -> Result<AuditFilter, Fault> {
        for (name, text) in [
            ("actor", &wanted.actor),
            ("operation", &wanted.operation),
            ("objectKind", &wanted.object_kind),
            ("objectId", &wanted.object_id),
        ] {
            checks::line_if_given(name, text.as_deref(), TEXT_CHARS_MAX)?;
        }
        let task = wanted
            .task_id
            .as_deref()
            .map(|text| TaskId::parse(text).map_err(|why| Fault::invalid("taskId", text.escape_debug(), why)));
        let job = wanted
            .job_id
            .as_deref()
            .map(|text| JobId::parse(text).map_err(|why| Fault::invalid("jobId", text.escape_debug(), why)));
        let correlation = wanted.correlation_id.as_deref().map(|text| {
            Uuid::try_parse(text)
                .map_err(|_| Fault::invalid("correlationId", text.escape_debug(), "is a UUID, as a fault tells it"))
        });
        let object = match (&wanted.object_id, &wanted.object_kind) {
            (None, _) => None,
            (Some(_), None) => return Err(Fault::missing("objectKind")),
            (Some(id), Some(kind)) => Some(Object::wanted(kind, id, tenant)),
        };
        Ok(AuditFilter {
            since: wanted.since,
            until: wanted.until,
            actor: wanted.actor,
            operation: wanted.operation,
            object_kind: wanted.object_kind,
            object,
            is_refused: wanted.is_refused,
            task: task.transpose()?,
            job: job.transpose()?,
            correlation: correlation.transpose()?,
        })
    }
}

/// Which counted refusals are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Those whose minute is over.
    Due,
    /// All.
    All,
}

/// Whether the caller has a right in a tenant; in every one where none is named.
fn is_held(caller: &Caller, tenant: Option<&str>, right: Right) -> bool {
    match tenant {
        Some(name) => caller.within(name).must(right).is_ok(),
        None => caller.must_everywhere(right).is_ok(),
    }
}

fn masked(mut recorded: Recorded) -> Recorded {
    if let Some(personal) = &recorded.entry.personal {
        let told = serde_json::from_str(personal).map(mask::json);
        recorded.entry.personal = told.ok().map(|told| told.to_string());
    }
    recorded
}
