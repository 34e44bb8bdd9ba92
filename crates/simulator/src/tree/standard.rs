use serde::{Deserialize, Serialize};

use super::{Access, Leaf, Node, Tree, uri};

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

impl Tree {
    /// The tree a device leaves the factory with: DevInfo, DevDetail, one FUMO object, LAWMO, and a vendor's own
    /// nodes under `./Vendor/Example`, of which `Settings` is the place where servers may add nodes.
    ///
    /// Source: OMA DM 1.2 Standardized Objects; FUMO 1.0; LAWMO 1.0.
    #[must_use]
    pub fn standard(profile: &Profile) -> Self {
        const READ: Access = Access::GET;
        const WRITE: Access = Access::GET.and(Access::REPLACE);
        let depth = uri::DEPTH_MAX.to_string();
        let total = uri::TOTAL_BYTES_MAX.to_string();
        let segment = uri::SEGMENT_BYTES_MAX.to_string();
        let interior = [
            ("./DevInfo", Some("urn:oma:mo:oma-dm-devinfo:1.0")),
            ("./DevDetail", Some("urn:oma:mo:oma-dm-devdetail:1.0")),
            ("./FUMO", None),
            ("./FUMO/Package", Some("urn:oma:mo:oma-fumo:1.0")),
            ("./LAWMO", Some("urn:oma:mo:oma-lawmo:1.0")),
            ("./Vendor", None),
            ("./Vendor/Example", None),
        ];
        let leaves = [
            ("./DevInfo/DevId", READ, "chr", profile.dev_id.as_str()),
            ("./DevInfo/Man", READ, "chr", &profile.manufacturer),
            ("./DevInfo/Mod", READ, "chr", &profile.model),
            ("./DevInfo/DmV", READ, "chr", env!("CARGO_PKG_VERSION")),
            ("./DevInfo/Lang", READ, "chr", &profile.language),
            ("./DevDetail/DevTyp", READ, "chr", &profile.device_type),
            ("./DevDetail/OEM", READ, "chr", &profile.manufacturer),
            ("./DevDetail/FwV", READ, "chr", &profile.firmware),
            ("./DevDetail/SwV", READ, "chr", &profile.software),
            ("./DevDetail/HwV", READ, "chr", &profile.hardware),
            ("./DevDetail/LrgObj", READ, "bool", "true"),
            ("./DevDetail/URI/MaxDepth", READ, "chr", &depth),
            ("./DevDetail/URI/MaxTotLen", READ, "chr", &total),
            ("./DevDetail/URI/MaxSegLen", READ, "chr", &segment),
            ("./FUMO/Package/PkgName", WRITE, "chr", ""),
            ("./FUMO/Package/PkgVersion", WRITE, "chr", ""),
            ("./FUMO/Package/State", READ, "int", "10"),
            ("./FUMO/Package/Download/PkgURL", WRITE, "chr", ""),
            ("./FUMO/Package/DownloadAndUpdate/PkgURL", WRITE, "chr", ""),
            ("./FUMO/Package/Update/PkgData", Access::REPLACE, "bin", ""),
            ("./LAWMO/State", READ, "int", "30"),
            ("./LAWMO/LAWMOConfig/NotifyUser", WRITE, "bool", "true"),
            ("./LAWMO/Operations/FullyLock", Access::EXEC, "null", ""),
            ("./LAWMO/Operations/PartiallyLock", Access::EXEC, "null", ""),
            ("./LAWMO/Operations/UnLock", Access::EXEC, "null", ""),
            ("./LAWMO/Operations/FactoryReset", Access::EXEC, "null", ""),
            ("./LAWMO/Operations/Wipe", Access::EXEC, "null", ""),
            ("./Vendor/Example/Name", WRITE, "chr", &profile.model),
            ("./Vendor/Example/Polling", WRITE, "int", "86400"),
            ("./Vendor/Example/Roaming", WRITE, "bool", "false"),
            ("./Vendor/Example/ApnName", WRITE, "chr", "internet"),
            ("./Vendor/Example/Diagnose", WRITE.and(Access::EXEC), "chr", ""),
            ("./Vendor/Example/Battery", READ, "int", "87"),
        ];
        let mut tree = Self::new();
        let mut install = |uri: &str, node: Node| {
            tree.install(uri, node).expect("addresses of the standard tree are well formed");
        };
        for (uri, object) in interior {
            install(uri, Node::object(object));
        }
        for uri in ["./FUMO/Package/Download", "./FUMO/Package/Update", "./FUMO/Package/DownloadAndUpdate"] {
            install(uri, Node::object(None).executable());
        }
        let mut settings = Node::interior();
        settings.permanent = true;
        install("./Vendor/Example/Settings", settings);
        for (uri, access, format, value) in leaves {
            install(uri, Node::leaf(access, Leaf::of(format, value)));
        }
        tree
    }
}
