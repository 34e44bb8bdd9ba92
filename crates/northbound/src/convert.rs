//! From the types of the contract to those of the broker and back, one file for each port type.

pub(crate) mod administration;
pub(crate) mod bulk_operations;
mod deployment_broker;
pub(crate) mod device_manager;
mod session;
mod subscriber_services;
mod traces;

use aws_lc_rs::digest::{SHA256, digest};
use muster_broker::bounds::KEY_CHARS;
use muster_broker::fault::Fault;
use muster_broker::page::PageRequest;
use muster_broker::services::{Rejected, RequestKey};

use crate::contract::Record;
use crate::contract::bulk_operations as wire;
use crate::contract::deployment_broker::{NameValue, RejectedRequest};

/// An idempotency key with the digest of what it is for; `at` names the parameter in a fault.
///
/// # Errors
/// `InvalidArgument` if it is not 1 to 128 visible ASCII characters.
pub(crate) fn request_key(id: Option<&String>, content: &impl Record, at: &str) -> Result<Option<RequestKey>, Fault> {
    match id {
        Some(id) if !KEY_CHARS.contains(&id.len()) || !id.bytes().all(|octet| octet.is_ascii_graphic()) => {
            Err(Fault::invalid(at, id, "1 to 128 visible ASCII characters are expected"))
        }
        _ => Ok(entry_key(id, content)),
    }
}

/// The key of an entry of a bulk call. The broker refuses a bad one, and with it the entry alone.
pub(crate) fn entry_key(id: Option<&String>, content: &impl Record) -> Option<RequestKey> {
    let mut key = RequestKey { id: id?.clone(), content: [0; 32] };
    key.content.copy_from_slice(digest(&SHA256, content.canonical().as_bytes()).as_ref());
    Some(key)
}

pub(crate) fn page(request: Option<wire::PageRequest>) -> PageRequest {
    request.map_or_else(PageRequest::default, |page| PageRequest { size: page.page_size, token: page.page_token })
}

fn pairs(list: Vec<NameValue>) -> Vec<(String, String)> {
    list.into_iter().map(|pair| (pair.name, pair.value)).collect()
}

fn name_values(list: Vec<(String, String)>) -> Vec<NameValue> {
    list.into_iter().map(|(name, value)| NameValue { name, value }).collect()
}

fn rejected(list: Vec<Rejected>) -> Vec<RejectedRequest> {
    list.into_iter()
        .map(|entry| RejectedRequest { index: int(entry.index), message_id: entry.message_id, text: entry.text })
        .collect()
}

/// A count as the contract has it; counts above its range stay at the end of it.
fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(crate) fn long(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
