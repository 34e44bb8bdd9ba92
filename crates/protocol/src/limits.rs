//! Bounds that every decoder takes and checks before memory is taken.

/// How much one document may hold. Each field has a default and a configuration key of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the whole document.
    pub document_bytes_max: usize,
    /// Nested elements, the root counted as 1.
    pub depth_max: usize,
    /// Elements in the document.
    pub elements_max: usize,
    /// Attributes on one element.
    pub attributes_max: usize,
    /// Octets of one text or opaque.
    pub text_bytes_max: usize,
    /// Octets of a WBXML string table.
    pub string_table_bytes_max: usize,
    /// Commands in one SyncBody, nested ones counted.
    pub commands_max: usize,
    /// Items in one command.
    pub items_max: usize,
}

impl Limits {
    /// For messages of devices: an OMA DM message is rarely above 64 KiB.
    pub const DEVICE: Self = Self {
        document_bytes_max: 1 << 20,
        depth_max: 32,
        elements_max: 50_000,
        attributes_max: 16,
        text_bytes_max: 1 << 20,
        string_table_bytes_max: 16 << 10,
        commands_max: 1_000,
        items_max: 2_000,
    };

    /// For requests of External Systems: room for the largest bulk call the contract allows.
    pub const WSI: Self = Self {
        document_bytes_max: 8 << 20,
        depth_max: 64,
        elements_max: 500_000,
        attributes_max: 64,
        text_bytes_max: 4 << 20,
        string_table_bytes_max: 0,
        commands_max: 0,
        items_max: 0,
    };
}

/// A document asked for more than [`Limits`] allow. Found before the memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} is {max} and the document needs more (octet {at})")]
pub struct LimitExceeded {
    /// Name of the limit, which is also its configuration key.
    pub limit: &'static str,
    /// Its value.
    pub max: usize,
    /// Octets from the start of the document.
    pub at: usize,
}

impl LimitExceeded {
    /// Name for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self.limit {
            "document_bytes_max" => "limit_document_bytes",
            "depth_max" => "limit_depth",
            "elements_max" => "limit_elements",
            "attributes_max" => "limit_attributes",
            "text_bytes_max" => "limit_text_bytes",
            "string_table_bytes_max" => "limit_string_table_bytes",
            "commands_max" => "limit_commands",
            "items_max" => "limit_items",
            _ => "limit_other",
        }
    }
}

/// `Ok` while `value` is at most `max`.
pub(crate) fn check(limit: &'static str, max: usize, value: usize, at: usize) -> Result<(), LimitExceeded> {
    if value > max { Err(LimitExceeded { limit, max, at }) } else { Ok(()) }
}
