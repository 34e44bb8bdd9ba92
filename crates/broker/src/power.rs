//! Safety of power: what is so dangerous that one person alone must not do it.
//!
//! A [`Class`] says what kind of danger an operation is, a [`Policy`] how many devices a domain lets go without a second
//! person, [`judge`] whether a request is within that, and an [`Approval`] is the question put to the second person.
//! Everything here is pure: the store counts, and calls these functions inside the transaction that makes the task or
//! the job, so that no path round a face avoids them.

mod approval;
mod class;
mod nodes;
mod policy;
mod weakening;
mod window;

pub use approval::{Action, Approval, ApprovalEvent, ApprovalStatus, Object, Question, Summary, WrongApprovalState};
pub use class::{Class, class_of, class_of_name};
pub use nodes::{By, NODES, Node, NodePattern, NotAPattern};
pub use policy::{OwnNode, Policy, PolicyChange, Rule};
pub use weakening::Weakening;
pub use window::{Asked, Spent, Verdict, judge, slot_of, slots_from};
