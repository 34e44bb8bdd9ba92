//! What addresses of the management tree mean.

use crate::tree::LocUri;
use crate::tree::ddf::Catalogue;

/// What the address names: the node, and the property or list asked of it.
pub(super) fn meaning(uri: &str) -> Option<String> {
    let (node, query) = uri.split_once('?').unwrap_or((uri, ""));
    let node = described(node);
    let query = query_meaning(query);
    match (query, node) {
        (Some(query), Some(node)) => Some(format!("{query} of: {node}")),
        (Some(query), None) => Some(query),
        (None, node) => node.map(str::to_owned),
    }
}

/// What the descriptions of management objects say of a node, and what stands in none of them.
fn described(uri: &str) -> Option<&'static str> {
    match uri.strip_prefix("./").unwrap_or(uri) {
        "." => return Some("root of the tree"),
        "SyncML/DMAcc" => return Some("management accounts"),
        _ => {}
    }
    Catalogue::built_in().describe(None, &LocUri::parse(uri).ok()?)?.meaning()
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
