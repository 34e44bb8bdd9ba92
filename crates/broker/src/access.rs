//! Who may do what: tenants, External Systems and people, roles, rights, and how far they reach.
//!
//! A principal has grants. A grant gives a role, which is a set of rights, or a single right; it may be narrowed to
//! device groups and to places in the management tree, and it holds in one tenant or in all. For a request the grants
//! of its principal become the permissions of a [`Caller`], and every use case asks the caller before it does anything:
//! [`Caller::must`] for what concerns the domain as a whole, [`Caller::scope`] for what concerns devices.
//!
//! Source: DM WSI contract, section 3, "Access control".

mod caller;
mod grant;
mod principal;
mod right;
mod role;
mod scope;
mod tenant;
mod tree_path;

pub use caller::{Caller, Face, Origin, Way};
pub use grant::{Grant, GrantTenant, Granted, Permission};
pub use principal::{Principal, PrincipalKind};
pub use right::{NotARight, Right, RightPattern};
pub use role::{BUILT_IN, BuiltIn, Role};
pub use scope::{Reach, Scope, Sight};
pub use tenant::{Tenant, TenantSettings, TenantStatus};
pub use tree_path::{NotAPlace, TreePath};
