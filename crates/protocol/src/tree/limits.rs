use super::UriLimits;

/// How much a tree may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// Nodes, the root counted; one more is answered 420.
    pub nodes_max: usize,
    /// Octets of one value; more is answered 413.
    pub value_bytes_max: usize,
    /// Octets of all values together; more is answered 420.
    pub values_bytes_max: usize,
    /// Octets of a `Title`; more is answered 413.
    pub title_bytes_max: usize,
    /// How long and how deep addresses may be.
    pub uri: UriLimits,
}

impl TreeLimits {
    /// For a device: some management objects, one of them perhaps with a firmware package in it.
    pub const DEVICE: Self = Self {
        nodes_max: 4_096,
        value_bytes_max: 1 << 20,
        values_bytes_max: 8 << 20,
        title_bytes_max: 255,
        uri: UriLimits::DEVICE,
    };

    /// For what a server knows of a device, and for documents that people look at.
    pub const SNAPSHOT: Self = Self {
        nodes_max: 20_000,
        value_bytes_max: 1 << 20,
        values_bytes_max: 16 << 20,
        title_bytes_max: 255,
        uri: UriLimits::SERVER,
    };
}
