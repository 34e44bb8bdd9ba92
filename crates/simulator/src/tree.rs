//! What a device has when it leaves the factory. The tree itself is [`muster_protocol::tree`].

mod standard;

pub use muster_protocol::tree::{
    Access, Acl, Content, Format, Leaf, LocUri, Node, Refusal, ServerId, TStamp, Tree, TreeLimits,
};
pub use standard::{Profile, standard};

/// Nodes one device holds; an Add beyond is answered 420.
pub const NODES_MAX: usize = TreeLimits::DEVICE.nodes_max;

/// Octets of one value; more is answered 413.
pub const VALUE_BYTES_MAX: usize = TreeLimits::DEVICE.value_bytes_max;

/// What access control lists call a server. Characters that a list cannot have are written as `_`.
#[must_use]
pub fn server(name: &str) -> ServerId {
    let plain = |it: char| if it.is_control() || it.is_whitespace() || "=&*+".contains(it) { '_' } else { it };
    let fitting: String = name.chars().map(plain).take(63).collect();
    ServerId::parse(name)
        .or_else(|_| ServerId::parse(&fitting))
        .or_else(|_| ServerId::parse("_"))
        .expect("_ is an identifier")
}
