//! Approvals of dangerous operations by a second person.

use muster_broker::power::{Action as ApprovalAction, ApprovalStatus, Class as OperationClass};
use muster_broker::time::Timestamp;

use crate::contract::bulk_operations::PageRequest;
use crate::contract::record::record;
use crate::contract::session::UserSession;

record! {
    /// Returns approvals, newest first.
    GetApprovals {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Only in these states; any when left out.
        "status" status: many ApprovalStatus,
        /// Only of this class.
        "operationClass" operation_class: opt OperationClass,
        /// Only asked for by this principal.
        "requester" requester: opt String,
        /// Only about this task.
        "taskId" task_id: opt String,
        /// Only about this job.
        "jobId" job_id: opt String,
        /// Which part of the list.
        "page" page: opt PageRequest,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Returns an approval.
    GetApprovalById {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Approval identifier.
        "approvalId" approval_id: one String,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Agrees, as a second person, to what another principal asked for: the task or job goes on.
    Approve {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Approval identifier.
        "approvalId" approval_id: one String,
        /// Why, for the history.
        "reason" reason: opt String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Says no to what another principal asked for: the task ends REJECTED, the job CANCELLED.
    Refuse {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Approval identifier.
        "approvalId" approval_id: one String,
        /// Why, for the requester.
        "reason" reason: one String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Takes back what the caller asked for itself and nobody has decided: the task or job ends CANCELLED.
    Withdraw {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Approval identifier.
        "approvalId" approval_id: one String,
        /// Why, for the history.
        "reason" reason: opt String,
        /// Expected record version; refused if it is outdated.
        "version" version: opt i64,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Returns what a domain asks a second person about.
    GetApprovalPolicy {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }

    /// Sets what a domain asks a second person about. What waits for approval already goes on waiting. A policy that asks
    /// about less than the present one in any way is not set before a second person has approved it, see waitsFor.
    SetApprovalPolicy {
        /// Standard user session object.
        "userSession" user_session: opt UserSession,
        /// The policy; its version is the expected one.
        "approvalPolicy" approval_policy: one ApprovalPolicy,
        /// Management domain; the caller's own when left out.
        "tenant" tenant: opt String,
    }
}

record! {
    /// A question put to a second person.
    ApprovalData {
        /// Approval identifier.
        "approvalId" approval_id: one String,
        /// Where it is; all but PENDING are final.
        "status" status: one ApprovalStatus,
        /// Principal who asked for what is held.
        "requester" requester: one String,
        /// The gravest danger in it.
        "operationClass" operation_class: one OperationClass,
        /// What happens when it is approved.
        "action" action: one ApprovalAction,
        /// Operation name; of a job with several, that is said.
        "operation" operation: one String,
        /// What would be sent to a device, in words and without the values of nodes.
        "description" description: one String,
        /// Devices concerned; 0 where a policy is to be changed.
        "deviceCount" device_count: one i64,
        /// The task that is held, where it belongs to no job.
        "taskId" task_id: opt String,
        /// Record identifier of its device.
        "deviceOid" device_oid: opt String,
        /// The job that is held.
        "jobId" job_id: opt String,
        /// Name of the job.
        "jobName" job_name: opt String,
        /// The policy that would be set; its version is that of the policy it was made from.
        "approvalPolicy" approval_policy: opt ApprovalPolicy,
        /// When it was asked; UTC.
        "requestedAt" requested_at: one Timestamp,
        /// When it ends unanswered; UTC.
        "expiresAt" expires_at: one Timestamp,
        /// When it was answered or ended; UTC.
        "decidedAt" decided_at: opt Timestamp,
        /// Principal who decided; left out where nobody did.
        "decidedBy" decided_by: opt String,
        /// Why.
        "reason" reason: opt String,
        /// Record version; raised by one on each change.
        "version" version: one i64,
    }

    /// A page of approvals.
    ApprovalList {
        /// Approvals, newest first.
        "approval" approval: many ApprovalData,
        /// Number of records in the whole list; always present, so that an empty list is never an empty element.
        "totalCount" total_count: one i64,
        /// Present where more follow.
        "nextPageToken" next_page_token: opt String,
    }

    /// What a domain asks a second person about.
    ApprovalPolicy {
        /// One for each class; the default one for a class that is left out.
        "rule" rule: many ApprovalRule,
        /// Operations are summed over so many hours, 1 to 168; 24 when left out.
        "windowHours" window_hours: opt i32,
        /// An approval that nobody has decided ends after so many hours, 1 to 720; 24 when left out.
        "lifeHours" life_hours: opt i32,
        /// True if only persons may approve, and no External Systems; false when left out.
        "personsOnly" persons_only: opt bool,
        /// Nodes of the domain's devices that are dangerous, besides those that the server knows; at most 100.
        "dangerousNode" dangerous_node: many DangerousNode,
        /// Record version; 0 while the default counts.
        "version" version: opt i64,
        /// Only in the answer to setApprovalPolicy: the approval by a second person that the change waits for, because
        /// less would be asked about. The policy is still the one that is told.
        "waitsFor" waits_for: opt String,
    }

    /// What holds for one class of operations.
    ApprovalRule {
        /// Which.
        "operationClass" operation_class: one OperationClass,
        /// False to ask nobody.
        "required" required: one bool,
        /// So many devices within the window need no approval, however they are split over jobs and operations.
        "deviceCap" device_cap: one i64,
        /// So many operations on single devices within the window need none besides, and do not count towards
        /// deviceCap; any number when left out.
        "singleCap" single_cap: opt i64,
    }

    /// Nodes whose change or execution is dangerous.
    DangerousNode {
        /// Path; * stands for characters of a name, ** at either end for any number of names.
        "path" path: one String,
        /// What it amounts to.
        "operationClass" operation_class: one OperationClass,
    }
}
