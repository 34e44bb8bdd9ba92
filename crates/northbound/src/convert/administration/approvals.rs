use muster_broker::fault::Fault;
use muster_broker::page::Paged;
use muster_broker::power::{Approval, NodePattern, Object, OwnNode, Policy, PolicyChange, Rule};

use crate::contract::administration::approvals as wire;
use crate::convert::long;

impl From<Approval> for wire::ApprovalData {
    fn from(approval: Approval) -> Self {
        let (task, device, job, policy) = match approval.object {
            Object::Task(task, device) => (Some(task.to_string()), Some(device.to_string()), None, None),
            Object::Job(job) => (None, None, Some(job.to_string()), None),
            Object::Policy(policy) => (None, None, None, Some(wire::ApprovalPolicy::from(*policy))),
        };
        Self {
            approval_id: approval.id.to_string(),
            status: approval.status,
            requester: approval.requester,
            operation_class: approval.class,
            action: approval.action,
            operation: approval.summary.operation,
            description: approval.summary.words,
            device_count: long(approval.devices),
            task_id: task,
            device_oid: device,
            job_id: job,
            job_name: approval.summary.name,
            approval_policy: policy,
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decided_at: approval.decided_at,
            decided_by: approval.decided_by,
            reason: approval.reason,
            version: approval.version,
        }
    }
}

impl From<Paged<Approval>> for wire::ApprovalList {
    fn from(page: Paged<Approval>) -> Self {
        Self {
            approval: page.items.into_iter().map(Into::into).collect(),
            total_count: long(page.total),
            next_page_token: page.next_token,
        }
    }
}

impl From<Policy> for wire::ApprovalPolicy {
    fn from(policy: Policy) -> Self {
        let hours = |hours: u32| Some(i32::try_from(hours).unwrap_or(i32::MAX));
        let rule = |rule: Rule| wire::ApprovalRule {
            operation_class: rule.class,
            required: rule.required,
            device_cap: long(rule.cap),
            single_cap: rule.single_cap.map(long),
        };
        let node = |node: OwnNode| wire::DangerousNode { path: node.pattern.to_string(), operation_class: node.class };
        Self {
            rule: policy.rules.into_iter().map(rule).collect(),
            window_hours: hours(policy.window_hours),
            life_hours: hours(policy.life_hours),
            persons_only: Some(policy.persons_only),
            dangerous_node: policy.nodes.into_iter().map(node).collect(),
            version: Some(policy.version),
            waits_for: None,
        }
    }
}

impl From<PolicyChange> for wire::ApprovalPolicy {
    fn from(change: PolicyChange) -> Self {
        match change {
            PolicyChange::Set(policy) => policy.into(),
            PolicyChange::Waits { policy, approval } => {
                Self { waits_for: Some(approval.id.to_string()), ..policy.into() }
            }
        }
    }
}

impl wire::ApprovalPolicy {
    /// The policy with the version that is expected.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn read(self) -> Result<(Policy, Option<i64>), Fault> {
        let default = Policy::default();
        let hours = |name: &str, given: Option<i32>, default: u32| match given {
            None => Ok(default),
            Some(hours) => u32::try_from(hours).map_err(|_| Fault::invalid(name, hours, "must not be negative")),
        };
        let count = |name: &str, given: i64| {
            u64::try_from(given).map_err(|_| Fault::invalid(name, given, "must not be negative"))
        };
        let rule = |rule: wire::ApprovalRule| -> Result<Rule, Fault> {
            Ok(Rule {
                class: rule.operation_class,
                required: rule.required,
                cap: count("deviceCap", rule.device_cap)?,
                single_cap: rule.single_cap.map(|given| count("singleCap", given)).transpose()?,
            })
        };
        let node = |node: wire::DangerousNode| -> Result<OwnNode, Fault> {
            let pattern = NodePattern::parse(&node.path);
            let pattern = pattern.map_err(|why| Fault::invalid("path", node.path.escape_debug(), why))?;
            Ok(OwnNode { pattern, class: node.operation_class })
        };
        let policy = Policy {
            rules: self.rule.into_iter().map(rule).collect::<Result<_, _>>()?,
            window_hours: hours("windowHours", self.window_hours, default.window_hours)?,
            life_hours: hours("lifeHours", self.life_hours, default.life_hours)?,
            persons_only: self.persons_only.unwrap_or(default.persons_only),
            nodes: self.dangerous_node.into_iter().map(node).collect::<Result<_, _>>()?,
            version: default.version,
        };
        Ok((policy, self.version))
    }
}
