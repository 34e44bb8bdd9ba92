//! How much a domain and its callers may use.

use muster_broker::quota::Kind as QuotaKind;
use muster_broker::time::Timestamp;

use crate::contract::record::record;
use crate::contract::session::UserSession;

record! {
    /// Returns every quota of a domain, or of one of its callers, with what is used.
    GetQuotas {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Caller; * for what holds for each one without a limit of its own; the domain as a whole when left out.
        "principal" principal: opt String,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Sets a quota, or lets its default count again. What is there already stays, also above the new limit.
    SetQuota {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// What is bounded.
        "kind" kind: one QuotaKind,
        /// How much, 0 to 1000000000000; the default again when left out.
        "limit" limit: opt i64,
        /// Caller; * for each one without a limit of its own; the domain as a whole when left out.
        "principal" principal: opt String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }
}

record! {
    /// A quota with what is used of it.
    QuotaUsage {
        /// What is bounded.
        "kind" kind: one QuotaKind,
        /// Caller; left out for the domain as a whole.
        "principal" principal: opt String,
        /// How much.
        "limit" limit: one i64,
        /// Whether nobody has set it.
        "isDefault" is_default: one bool,
        /// Used of it; left out for rates, and for what holds for each caller.
        "used" used: opt i64,
        /// When what is used begins at nothing again, for quotas of an hour or a day; UTC.
        "windowEndsAt" window_ends_at: opt Timestamp,
        /// Record version; 0 where nobody has set it.
        "version" version: one i64,
    }

    /// Quotas of a domain or of a caller.
    QuotaList {
        /// Quotas.
        "quota" quota: many QuotaUsage,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
    }
}
