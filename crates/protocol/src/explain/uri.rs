//! What addresses of the management tree mean.

use super::Options;

/// What the address names: the node, and the property or list asked of it.
///
/// The one place where a catalogue of management objects comes in: [`Options::node_meaning`].
pub(super) fn meaning(uri: &str, options: &Options<'_>) -> Option<String> {
    let (node, query) = uri.split_once('?').unwrap_or((uri, ""));
    let asked = options.node_meaning.and_then(|catalogue| catalogue(node));
    let node = asked.or_else(|| known(node).map(str::to_owned));
    let query = query_meaning(query);
    match (query, node) {
        (Some(query), Some(node)) => Some(format!("{query} of: {node}")),
        (Some(query), None) => Some(query),
        (None, node) => node,
    }
}

/// Nodes of the objects that every device has.
///
/// Source: OMA DM Standardized Objects 1.2.
fn known(uri: &str) -> Option<&'static str> {
    let uri = uri.strip_prefix("./").unwrap_or(uri);
    Some(match uri {
        "." => "root of the tree",
        "DevInfo" => "what a device says of itself in each session",
        "DevInfo/DevId" => "device identifier",
        "DevInfo/Man" => "manufacturer",
        "DevInfo/Mod" => "model",
        "DevInfo/DmV" => "version of the device's management client",
        "DevInfo/Lang" => "language",
        "DevInfo/Ext" => "extensions of the manufacturer",
        "DevInfo/Bearer" => "bearers",
        "DevDetail" => "what a device says of itself on request",
        "DevDetail/DevTyp" => "device type",
        "DevDetail/OEM" => "original manufacturer",
        "DevDetail/FwV" => "firmware version",
        "DevDetail/SwV" => "software version",
        "DevDetail/HwV" => "hardware version",
        "DevDetail/LrgObj" => "whether the device takes large objects",
        "DevDetail/URI/MaxDepth" => "most segments of an address, 0 for no limit",
        "DevDetail/URI/MaxTotLen" => "most characters of an address, 0 for no limit",
        "DevDetail/URI/MaxSegLen" => "most characters of a segment, 0 for no limit",
        "Inbox" => "where the device finds the place of an object itself",
        "SyncML/DMAcc" => "management accounts",
        _ => return None,
    })
}

/// Source: OMA DM Protocol 1.2, "Property addressing"; OMA DM Tree and Description Serialization 1.2, "Get with list".
fn query_meaning(query: &str) -> Option<String> {
    if let Some(property) = query.strip_prefix("prop=") {
        let what = match property {
            "ACL" => "which servers may do what",
            "Format" => "format",
            "Name" => "name",
            "Size" => "octets of the value",
            "Title" => "name for people",
            "TStamp" => "time of the last change",
            "Type" => "media type or object",
            "VerNo" => "number of changes",
            _ => "property that is not standard",
        };
        return Some(format!("property {property} ({what})"));
    }
    let list = query.strip_prefix("list=")?;
    Some(match list {
        "Struct" => "structure of the sub-tree".to_owned(),
        "StructData" => "structure and values of the sub-tree".to_owned(),
        _ if list.starts_with("TNDS") => "sub-tree as one document".to_owned(),
        _ => format!("list {list}, which is not standard"),
    })
}

/// Last segments of nodes that hold secrets.
const SECRETS: [&str; 4] = ["AAuthSecret", "ClientPW", "ServerPW", "AuthSecret"];

/// Whether the node holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let node = name.split('?').next().unwrap_or_default();
    let last = node.rsplit('/').next().unwrap_or_default();
    SECRETS.iter().any(|it| it.eq_ignore_ascii_case(last))
}
