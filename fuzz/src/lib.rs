//! What each fuzz target does with its octets. A target panics where a promise is broken.
//!
//! The file is part of two builds: the package of fuzz targets, and the tests of the protocol crate, which run every
//! target on every file of its corpus.

mod message;
mod push;
pub mod session;
mod soap;
mod syncml;
mod tree;

/// The targets by name, which is also the name of the folder with the corpus.
pub const TARGETS: Targets = Targets(&[
    ("syncml_xml", syncml::xml),
    ("syncml_wbxml", syncml::wbxml),
    ("ddf", syncml::ddf),
    ("soap_envelope", soap::envelope),
    ("roundtrip", message::roundtrip),
    ("session", session::history),
    ("notification", push::notification),
    ("short_message", push::short_message),
    ("provisioning", push::provisioning),
    ("explain", push::anything),
    ("tree_address", tree::address),
    ("tree_document", tree::document),
]);

/// A name and what is done with the octets.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub struct Targets(pub &'static [Target]);

impl Targets {
    /// Runs the target of that name.
    ///
    /// # Panics
    /// If there is none, or it found something.
    pub fn run(&self, name: &str, octets: &[u8]) {
        let (_, target) = self.0.iter().find(|(it, _)| *it == name).expect("a target of this name");
        target(octets);
    }
}
