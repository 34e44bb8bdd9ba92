//! Quotas: how much a domain, and each caller of it, may use.
//!
//! Three measures. A *rate* bounds requests and is kept in the memory of each node ([`Rates`]): with several nodes each
//! gives out the whole rate. A *window* bounds what is made within a full hour or day of UTC, and a *count* what is there
//! at once; both are kept by the store, in the transaction of what they count, so they are exact over all nodes.

mod kind;
mod limits;
mod rates;

pub use kind::{Holder, Kind, Measure, Window};
pub use limits::{Allowance, Limits, QuotaUsage};
pub use rates::Rates;
