use std::sync::LazyLock;

use super::super::{LocUri, Tree, UriLimits};
use super::{DOCUMENT, DdfNode, Description, FILES};

/// Where objects are usually rooted: a path, in which `*` stands for any one segment, and an identifier without its
/// version. The first that fits and has the node counts.
///
/// Source: roots seen in the field; of DevInfo, DevDetail and Inbox the specification fixes them.
const USUAL_ROOTS: &[(&str, &str)] = &[
    ("./DevInfo", "urn:oma:mo:oma-dm-devinfo"),
    ("./DevDetail", "urn:oma:mo:oma-dm-devdetail"),
    ("./Inbox", "urn:oma:mo:oma-dm-inbox"),
    ("./DMAcc/*", "urn:oma:mo:oma-dm-dmacc"),
    ("./SyncML/DMAcc/*", "urn:oma:mo:oma-dm-dmacc"),
    ("./DmAcc/*", "urn:oma:mo:oma-dm-dmacc"),
    // Samsung handsets have no node in between: `./FUMO/State` is a state, and not an object called so.
    ("./FUMO", "urn:oma:mo:oma-fumo"),
    ("./FUMO/*", "urn:oma:mo:oma-fumo"),
    ("./FwUpdate/*", "urn:oma:mo:oma-fumo"),
    ("./ManagedObjects/FUMO", "urn:oma:mo:oma-fumo"),
    ("./SCOMO", "urn:oma:mo:oma-scomo"),
    ("./SCM", "urn:oma:mo:oma-scomo"),
    ("./LAWMO", "urn:oma:mo:oma-lawmo"),
    ("./DCMO/*", "urn:oma:mo:oma-dcmo"),
    ("./DiagMon/*", "urn:oma:mo:oma-diagmon"),
    ("./ManagedObjects/DiagMon", "urn:oma:mo:oma-diag"),
    ("./NAP/*", "urn:oma:mo:oma-connmo-nap"),
    ("./Proxy/*", "urn:oma:mo:oma-connmo-proxy"),
    ("./Vendor/MSFT/RemoteWipe", "com.microsoft/1.1/MDM/RemoteWipe"),
    ("./Device/Vendor/MSFT/RemoteWipe", "com.microsoft/1.1/MDM/RemoteWipe"),
    ("./Vendor/MSFT/EnterpriseDesktopAppManagement", "com.microsoft/1.0/MDM/EnterpriseDesktopAppManagement"),
    ("./Device/Vendor/MSFT/EnterpriseDesktopAppManagement", "com.microsoft/1.0/MDM/EnterpriseDesktopAppManagement"),
    ("./User/Vendor/MSFT/EnterpriseDesktopAppManagement", "com.microsoft/1.0/MDM/EnterpriseDesktopAppManagement"),
];

/// What the identifier `org.openmobilealliance/1.0/w7` of a DM account in Client Provisioning stands for.
const ALIASES: &[(&str, &str)] = &[("org.openmobilealliance/1.0/w7", "urn:oma:mo:oma-dm-dmacc:1.0")];

/// Descriptions, found by identifier and by place.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    descriptions: Vec<Description>,
}

static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(|| {
    let read = |(_, text): &(&str, &str)| Description::read(text.as_bytes(), &DOCUMENT).ok();
    Catalogue { descriptions: FILES.iter().filter_map(read).collect() }
});

impl Catalogue {
    /// What this crate knows. Read at first use.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// A catalogue of these descriptions.
    #[must_use]
    pub fn of(descriptions: Vec<Description>) -> Self {
        Self { descriptions }
    }

    /// Every description.
    #[must_use]
    pub fn descriptions(&self) -> &[Description] {
        &self.descriptions
    }

    /// The description of an object: of this version, or of the highest one known of the same object.
    #[must_use]
    pub fn object(&self, identifier: &str) -> Option<&Description> {
        let identifier = ALIASES.iter().find(|(alias, _)| *alias == identifier).map_or(identifier, |(_, known)| known);
        let exact = self.descriptions.iter().find(|it| it.object == identifier);
        exact.or_else(|| {
            let (name, _) = versioned(identifier);
            let same = self.descriptions.iter().filter(|it| versioned(&it.object).0 == name);
            same.max_by_key(|it| versioned(&it.object).1)
        })
    }

    /// The node at an address, by the usual places of objects. `tree` tells more where it is given: identifiers of the
    /// objects that are rooted in it.
    #[must_use]
    pub fn describe(&self, tree: Option<&Tree>, uri: &LocUri) -> Option<&DdfNode> {
        tree.and_then(|tree| self.by_type(tree, uri)).or_else(|| self.by_place(uri))
    }

    /// Where an object of this identifier is put by a device that nobody told where to: the parent of its root.
    #[must_use]
    pub fn usual_parent(&self, identifier: &str) -> Option<LocUri> {
        let description = self.object(identifier)?;
        let (name, _) = versioned(&description.object);
        let mut roots = USUAL_ROOTS.iter().filter(|(_, known)| *known == name).map(|(root, _)| root);
        // A place for several objects goes before a place for one.
        let root = roots.clone().find(|it| it.ends_with('*')).or_else(|| roots.next())?;
        LocUri::parse(root).ok()?.parent()
    }

    fn by_type(&self, tree: &Tree, uri: &LocUri) -> Option<&DdfNode> {
        let mut roots: Vec<LocUri> = uri.ancestors().collect();
        roots.push(uri.node());
        roots.into_iter().rev().find_map(|root| {
            let content = &tree.node(&root)?.content;
            let description =
                self.object(content.kind().filter(|_| content.format() == super::super::Format::Node)?)?;
            description.root.below(uri.relative_to(&root)?.split('/').filter(|it| !it.is_empty()))
        })
    }

    fn by_place(&self, uri: &LocUri) -> Option<&DdfNode> {
        USUAL_ROOTS.iter().find_map(|(root, object)| {
            let root = LocUri::parse_within(root, &UriLimits::SERVER).ok()?;
            let mut segments = uri.segments();
            for expected in root.segments() {
                let segment = segments.next()?;
                if expected != "*" && expected != segment {
                    return None;
                }
            }
            self.object(object)?.root.below(segments)
        })
    }
}

/// An identifier without its version, and the version as numbers.
fn versioned(identifier: &str) -> (&str, Vec<u32>) {
    match identifier.rsplit_once(':') {
        Some((name, version)) if version.starts_with(|it: char| it.is_ascii_digit()) => {
            (name, version.split('.').map(|it| it.parse().unwrap_or(0)).collect())
        }
        _ => (identifier, Vec::new()),
    }
}
