//! Explains provisioning documents.
//!
//! Source: OMA Provisioning Content 1.1; OMA DM Bootstrap 1.2, "Client Provisioning profile".

use super::{Node, Options, Tone, syncml};

/// Parameters that hold secrets.
const SECRETS: [&str; 5] = ["AAUTHSECRET", "AUTHSECRET", "PXAUTH-PW", "BASAUTH-PW", "PROXY-PW"];
/// Stands for a secret that is not shown.
const HIDDEN: &str = "(hidden)";

/// Explains a document, given as its root.
pub(super) fn annotate(root: &mut Node, options: &Options<'_>) {
    root.each(&mut |node| match node.name.as_str() {
        "characteristic" => {
            let meaning = node.attribute("type").and_then(characteristic);
            if let Some(meaning) = meaning {
                node.note(Tone::Plain, meaning);
            }
        }
        "parm" => parm(node, options),
        _ => {}
    });
}

fn parm(node: &mut Node, options: &Options<'_>) {
    let name = node.attribute("name").unwrap_or_default().to_owned();
    if SECRETS.contains(&name.as_str())
        && !options.show_secrets
        && let Some((_, value)) = node.attributes.iter_mut().find(|(name, _)| name == "value")
    {
        *value = HIDDEN.to_owned();
    }
    let value = node.attribute("value").unwrap_or_default();
    if name == "AAUTHDATA" {
        let nonce = syncml::nonce_note(value);
        return node.note(Tone::Plain, format!("first nonce, {nonce}"));
    }
    let meaning = match (name.as_str(), value) {
        ("APPID", "w7") => "device management",
        ("AAUTHLEVEL", "APPSRV") => "the device's credential (CLCRED)",
        ("AAUTHLEVEL", "CLIENT") => "the server's credential (SRVCRED)",
        ("PROVIDER-ID", _) => "server identifier",
        ("TO-NAPID", "INTERNET") => "any connection",
        ("INIT", _) => "opens a session when it is provisioned",
        _ => return,
    };
    node.note(Tone::Plain, meaning);
}

fn characteristic(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "BOOTSTRAP" => "who provisions",
        "NAPDEF" => "network access",
        "NAPAUTHINFO" => "credential of the network access",
        "VALIDITY" => "where it is valid",
        "PXLOGICAL" => "proxy",
        "PXPHYSICAL" => "address of the proxy",
        "PXAUTHINFO" => "credential of the proxy",
        "PORT" => "port",
        "ACCESS" => "rules of access",
        "CLIENTIDENTITY" => "name of the client",
        "VENDORCONFIG" => "settings of a vendor",
        "APPLICATION" => "account",
        "APPADDR" => "address of the server",
        "APPAUTH" => "credential of the account",
        "RESOURCE" => "resource",
        _ => return None,
    })
}
