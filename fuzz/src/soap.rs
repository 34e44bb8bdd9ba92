//! Any octets as a SOAP message.

use muster_protocol::soap::Envelope;
use muster_protocol::soap::addressing::Addressing;
use muster_protocol::soap::envelope::is_known_header;
use muster_protocol::soap::security::Security;
use muster_protocol::xml::element::{Element, TreeLimits};

/// The envelope, and what of its headers is read before a caller is known.
pub fn envelope(octets: &[u8]) {
    for charset in [None, Some("utf-8"), Some("utf-16")] {
        let Ok(root) = Element::read(octets, charset, &TreeLimits::WSI) else { continue };
        assert!(root.weight() <= 4 * octets.len(), "a tree of {} octets", root.weight());
        let Ok(envelope) = Envelope::of(root) else { continue };
        let _ = envelope.must_understand(is_known_header);
        let _ = Addressing::read(&envelope.headers);
        let _ = Security::read(&envelope.headers);
    }
}
