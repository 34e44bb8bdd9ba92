use serde::Serialize;

use crate::dm1::{Executed, SessionEnd};

/// What one session came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionReport {
    /// Name of the device.
    pub device: String,
    /// `SessionID`.
    pub session_id: String,
    /// How it ended.
    pub end: SessionEnd,
    /// Messages the device sent, repetitions not counted.
    pub messages_sent: u32,
    /// HTTP status of each answer, repetitions included, in order.
    pub http_statuses: Vec<u16>,
    /// Octets of all request bodies.
    pub bytes_sent: u64,
    /// Octets of all response bodies.
    pub bytes_received: u64,
    /// Messages sent a second time.
    pub repeats: u32,
    /// Of those, how many got another answer than the first time; 0 with a good server.
    pub repeats_answered_otherwise: u32,
    /// What the device was asked to do, with the status it answered, in order.
    pub executed: Vec<Executed>,
    /// Where the server departed from the specification, in words; empty with a good server.
    pub complaints: Vec<String>,
    /// Milliseconds from the first message to the end.
    pub duration_ms: u64,
}

impl SessionReport {
    pub(super) fn new(device: &str) -> Self {
        Self {
            device: device.to_owned(),
            session_id: String::new(),
            end: SessionEnd::Complete,
            messages_sent: 0,
            http_statuses: Vec::new(),
            bytes_sent: 0,
            bytes_received: 0,
            repeats: 0,
            repeats_answered_otherwise: 0,
            executed: Vec::new(),
            complaints: Vec::new(),
            duration_ms: 0,
        }
    }
}
