//! The contract, once: operations, their parameters and results, and the data types.
//!
//! The tables below `contract/` are the only place that names a field. From them come the Rust types, reading and
//! writing XML and JSON, the canonical form that tells whether two requests are the same, and descriptors for clients. A test
//! compares them with `docs/api/dmwsi.xsd`.
//!
//! Source: DM WSI contract, sections 5 and 6.

pub mod administration;
pub mod bulk_operations;
pub mod deployment_broker;
mod descriptor;
pub mod device_manager;
pub(crate) mod face;
pub mod fault;
mod json;
pub mod notification;
mod offered;
mod read;
mod record;
pub mod session;
pub mod subscriber_services;
pub mod traces;
pub mod value;

pub(crate) use descriptor::is_page;
pub use descriptor::{Cardinality, FieldDescriptor, Kind, NamedType, OperationDescriptor, TypeDescriptor};
pub(crate) use face::json::{JsonWriter, Node, NotRead as JsonNotRead, Written, quote as json_text};
pub use face::{At, Member, Scalar, Sink, Source};
pub use json::{JsonError, answer_to_json, request_from_json};
pub use offered::{ELSEWHERE, Operation, Request, operation, operations, port_type};
pub use record::{Path, Record, Value};

/// Target namespace of the contract.
pub const NAMESPACE: &str = "urn:muster:dmwsi:v1";
