use std::sync::LazyLock;

use muster_protocol::tree::ddf::Catalogue;
use serde::{Deserialize, Serialize};

use super::{Access, Acl, Content, Format, Leaf, LocUri, Node, Tree, TreeLimits, server};

/// What distinguishes one device's tree from another's when it leaves the factory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// `./DevInfo/DevId`, for example `IMEI:004401220000017`.
    pub dev_id: String,
    /// `./DevInfo/Man` and `./DevDetail/OEM`.
    pub manufacturer: String,
    /// `./DevInfo/Mod`.
    pub model: String,
    /// `./DevDetail/DevTyp`, for example `phone`.
    pub device_type: String,
    /// `./DevDetail/FwV`.
    pub firmware: String,
    /// `./DevDetail/SwV`.
    pub software: String,
    /// `./DevDetail/HwV`.
    pub hardware: String,
    /// `./DevInfo/Lang`, for example `en-GB`.
    pub language: String,
}

/// Interior nodes, with the identifiers of the objects rooted there.
const INTERIOR: &[(&str, Option<&str>)] = &[
    ("./DevInfo", Some("urn:oma:mo:oma-dm-devinfo:1.0")),
    ("./DevDetail", Some("urn:oma:mo:oma-dm-devdetail:1.0")),
    ("./DevDetail/URI", None),
    ("./Inbox", Some("urn:oma:mo:oma-dm-inbox:1.0")),
    ("./FUMO", None),
    ("./FUMO/Package", Some("urn:oma:mo:oma-fumo:1.0")),
    ("./FUMO/Package/Download", None),
    ("./FUMO/Package/Update", None),
    ("./FUMO/Package/DownloadAndUpdate", None),
    ("./LAWMO", Some("urn:oma:mo:oma-lawmo:1.0")),
    ("./Vendor", None),
    ("./Vendor/Example", None),
];

/// The tree a device leaves the factory with: DevInfo, DevDetail, an Inbox, one FUMO object, LAWMO, and a vendor's own
/// nodes under `./Vendor/Example`, of which `Settings` is the place where servers may add nodes.
///
/// Formats and access of the nodes of management objects are those of their descriptions, and some are a little more,
/// as on most devices. The server named `server_id` may do everything, others may read and add.
///
/// Source: OMA DM 1.2 Standardized Objects; FUMO 1.0; LAWMO 1.0; rights of the server that a device was set up by.
#[must_use]
pub fn standard(profile: &Profile, server_id: &str) -> Tree {
    let mut tree = BARE.clone();
    tree.maintain(".", |root| root.acl = of_owner(server_id));
    for (uri, value) in [
        ("./DevInfo/DevId", &profile.dev_id),
        ("./DevInfo/Man", &profile.manufacturer),
        ("./DevInfo/Mod", &profile.model),
        ("./DevInfo/Lang", &profile.language),
        ("./DevDetail/DevTyp", &profile.device_type),
        ("./DevDetail/OEM", &profile.manufacturer),
        ("./DevDetail/FwV", &profile.firmware),
        ("./DevDetail/SwV", &profile.software),
        ("./DevDetail/HwV", &profile.hardware),
        ("./Vendor/Example/Name", &profile.model),
    ] {
        tree.maintain(uri, |node| {
            if let Content::Leaf(leaf) = &mut node.content {
                leaf.value = value.as_bytes().to_vec();
            }
        });
    }
    tree
}

/// The tree of a device that nothing is known of yet. Fleets have many devices, and descriptions are looked up once.
static BARE: LazyLock<Tree> = LazyLock::new(bare);

fn bare() -> Tree {
    const WRITE: Access = Access::GET.and(Access::REPLACE);
    let limits = TreeLimits::DEVICE;
    let depth = limits.uri.depth_max.to_string();
    let total = limits.uri.total_bytes_max.to_string();
    let segment = limits.uri.segment_bytes_max.to_string();
    // What a device lets be done besides what its description promises, and the value.
    let described = [
        ("./DevInfo/DevId", Access::NONE, ""),
        ("./DevInfo/Man", Access::NONE, ""),
        ("./DevInfo/Mod", Access::NONE, ""),
        ("./DevInfo/DmV", Access::NONE, env!("CARGO_PKG_VERSION")),
        ("./DevInfo/Lang", Access::NONE, ""),
        ("./DevDetail/DevTyp", Access::NONE, ""),
        ("./DevDetail/OEM", Access::NONE, ""),
        ("./DevDetail/FwV", Access::NONE, ""),
        ("./DevDetail/SwV", Access::NONE, ""),
        ("./DevDetail/HwV", Access::NONE, ""),
        ("./DevDetail/LrgObj", Access::NONE, "true"),
        ("./DevDetail/URI/MaxDepth", Access::NONE, &depth),
        ("./DevDetail/URI/MaxTotLen", Access::NONE, &total),
        ("./DevDetail/URI/MaxSegLen", Access::NONE, &segment),
        ("./FUMO/Package/PkgName", Access::REPLACE, ""),
        ("./FUMO/Package/PkgVersion", Access::REPLACE, ""),
        ("./FUMO/Package/State", Access::NONE, "10"),
        ("./FUMO/Package/Download/PkgURL", Access::NONE, ""),
        ("./FUMO/Package/DownloadAndUpdate/PkgURL", Access::NONE, ""),
        ("./FUMO/Package/Update/PkgData", Access::NONE, ""),
        ("./LAWMO/State", Access::NONE, "30"),
        ("./LAWMO/LAWMOConfig/NotifyUser", Access::NONE, "true"),
        ("./LAWMO/Operations/FullyLock", Access::NONE, ""),
        ("./LAWMO/Operations/PartiallyLock", Access::NONE, ""),
        ("./LAWMO/Operations/UnLock", Access::NONE, ""),
        ("./LAWMO/Operations/FactoryReset", Access::NONE, ""),
        ("./LAWMO/Operations/Wipe", Access::NONE, ""),
    ];
    let of_vendor = [
        ("./Vendor/Example/Name", WRITE, Format::Chr, ""),
        ("./Vendor/Example/Polling", WRITE, Format::Int, "86400"),
        ("./Vendor/Example/Roaming", WRITE, Format::Bool, "false"),
        ("./Vendor/Example/ApnName", WRITE, Format::Chr, "internet"),
        ("./Vendor/Example/Diagnose", WRITE.and(Access::EXEC), Format::Chr, ""),
        ("./Vendor/Example/Battery", Access::GET, Format::Int, "87"),
    ];
    let mut tree = Tree::new(limits);
    let mut install = |uri: &str, node: Node| {
        tree.install(uri, node).expect("addresses of the standard tree are well formed, and it is small");
    };
    for (uri, object) in INTERIOR {
        let mut node = Node::object(*object);
        node.access = access(uri).unwrap_or(node.access);
        install(uri, node);
    }
    let mut settings = Node::interior();
    settings.permanent = true;
    install("./Vendor/Example/Settings", settings);
    for (uri, more, value) in described {
        let format = described_at(uri).map(|(format, _)| format).unwrap_or_default();
        install(uri, Node::leaf(access(uri).unwrap_or(Access::GET).and(more), Leaf::of(format, value)));
    }
    for (uri, access, format, value) in of_vendor {
        install(uri, Node::leaf(access, Leaf::of(format, value)));
    }
    tree
}

/// The list of the root: everything for the server that the device was set up by.
fn of_owner(server_id: &str) -> Acl {
    let all = Access::DELETE.and(Access::EXEC).and(Access::REPLACE);
    Acl::of_root().granting(all, &server(server_id))
}

/// Format and access of a node by the description of its object.
fn described_at(uri: &str) -> Option<(Format, Access)> {
    let node = Catalogue::built_in().describe(None, &LocUri::parse(uri).ok()?)?;
    Some((node.format()?, node.access))
}

/// Access by the description, where it has one for exactly this node.
fn access(uri: &str) -> Option<Access> {
    described_at(uri).map(|(_, access)| access)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        standard(
            &Profile {
                dev_id: "IMEI:004401220000017".into(),
                manufacturer: "Example".into(),
                model: "M1".into(),
                device_type: "phone".into(),
                firmware: "1.0".into(),
                software: "1.0".into(),
                hardware: "A".into(),
                language: "en".into(),
            },
            "muster",
        )
    }

    #[test]
    fn nodes_of_management_objects_are_as_their_descriptions_say() {
        let tree = tree();
        let mut described = 0;
        for listed in tree.nodes(&LocUri::root()) {
            let Some(node) = Catalogue::built_in().describe(Some(&tree), &listed.uri) else { continue };
            described += 1;
            assert!(node.formats.contains(&listed.node.content.format()), "{}", listed.uri);
            assert!(listed.node.access.contains(node.access), "{}: {:?}", listed.uri, listed.node.access);
        }
        assert!(described >= 38, "{described}");
    }

    #[test]
    fn the_tree_has_what_servers_look_for() {
        let tree = tree();

        assert_eq!(tree.children("./DevInfo"), ["DevId", "DmV", "Lang", "Man", "Mod"]);
        assert_eq!(tree.children("DevDetail/URI"), ["MaxDepth", "MaxSegLen", "MaxTotLen"]);
        assert_eq!(tree.children("."), ["DevDetail", "DevInfo", "FUMO", "Inbox", "LAWMO", "Vendor"]);
        assert_eq!(tree.text("./Vendor/Example/Name"), Some("M1"));
        assert_eq!(tree.objects().len(), 5);
    }

    #[test]
    fn the_server_that_set_the_device_up_may_do_everything_and_others_may_read_and_add() {
        let tree = tree();
        let name = LocUri::parse("./Vendor/Example/Name").expect("an address");
        let may = |id: &str, command| tree.allows(&server(id), &name, command).is_ok();

        assert!(may("muster", Access::GET.and(Access::REPLACE)));
        assert!(may("other", Access::GET) && !may("other", Access::REPLACE));
    }

    #[test]
    fn a_name_that_lists_cannot_have_is_made_to_fit() {
        assert_eq!(server("muster").as_str(), "muster");
        assert_eq!(server("a b=c").as_str(), "a_b_c");
        assert_eq!(server("").as_str(), "_");
        assert_eq!(server(&"ü".repeat(500)).as_str().chars().count(), 63);
    }
}
