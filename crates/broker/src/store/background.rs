use super::Pending;
use crate::store::Contact;
use crate::time::Timestamp;

/// What a call of a background method left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing more is due now.
    Nothing,
    /// The limit was reached: call again.
    More,
}

/// What happens without being asked for. Each call does a bounded piece of work, so that nobody waits long for the
/// writer, and may be repeated.
pub trait BackgroundStore: Send + Sync {
    /// Takes jobs forward: starts those that are due, makes the next page of their tasks (at most `limit`), gives out
    /// slots of paced jobs, cancels tasks of jobs being cancelled, stops a job past its threshold, ends jobs whose
    /// tasks are all final, pauses and resumes tasks with their job.
    fn job_pump(&self, now: Timestamp, limit: u32) -> Pending<'_, Due>;
    /// Ends tasks whose end time has come, at most `limit`.
    fn task_expire(&self, now: Timestamp, limit: u32) -> Pending<'_, Due>;
    /// Ends approvals that nobody has answered in time, with what they are about, at most `limit`; and forgets what went
    /// unapproved so long ago that no window reaches it.
    fn approval_expire(&self, now: Timestamp, limit: u32) -> Pending<'_, Due>;
    /// Forgets approvals that ended before `ended_before`, at most `limit`. None that is pending is forgotten.
    fn approval_forget(&self, ended_before: Timestamp, limit: u32) -> Pending<'_, Due>;
    /// Devices whose open session carries a task and has been silent since before `silent_since`, at most `limit`.
    /// What becomes of the task is decided by [`crate::contact::lost`] and committed like any step.
    fn contact_silent(&self, silent_since: Timestamp, limit: u32) -> Pending<'_, Vec<Contact>>;
    /// Drops sessions of the WSI not used since `sessions_before` and idempotency keys older than `requests_before`.
    fn forget(&self, sessions_before: Timestamp, requests_before: Timestamp) -> Pending<'_, ()>;
    /// Whether the store answers: for health checks.
    fn ping(&self) -> Pending<'_, ()>;
}
