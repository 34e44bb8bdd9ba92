use muster_broker::quota::QuotaUsage;

use crate::contract::administration::quotas as wire;
use crate::convert::long;

impl From<QuotaUsage> for wire::QuotaUsage {
    fn from(usage: QuotaUsage) -> Self {
        Self {
            kind: usage.kind,
            principal: usage.principal,
            limit: long(usage.limit),
            is_default: usage.is_default,
            used: usage.used.map(long),
            window_ends_at: usage.window_ends_at,
            version: usage.version,
        }
    }
}

impl From<Vec<QuotaUsage>> for wire::QuotaList {
    fn from(quotas: Vec<QuotaUsage>) -> Self {
        let total_count = i64::try_from(quotas.len()).unwrap_or(i64::MAX);
        Self { quota: quotas.into_iter().map(Into::into).collect(), total_count }
    }
}
