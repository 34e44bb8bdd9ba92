//! Addresses and documents of the management tree.

use muster_protocol::limits::Limits;
use muster_protocol::tree::LocUri;
use muster_protocol::tree::tnds::Document;

/// An address: what is taken is written as it was meant, and read again as the same.
pub fn address(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(uri) = LocUri::parse(text) else { return };
    let written = uri.to_string();
    assert!(!written.starts_with('/') && !written.contains("//"), "{written}");
    // `..B` is a name like any other.
    assert!(written.split('/').all(|segment| segment != ".."), "{written}");
    assert_eq!(LocUri::parse(&written).as_ref(), Ok(&uri), "{written}");
}

/// A document of a subtree.
pub fn document(octets: &[u8]) {
    let _ = Document::read(octets, &Limits::DEVICE);
}
