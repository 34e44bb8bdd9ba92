//! Which nodes hold secrets.

/// Last segments of nodes that hold secrets, and names of such parameters of provisioning documents.
///
/// Source: DMAcc of OMA DM 1.2 (AAuthSecret, AAuthData) and 1.1.2 (the four that follow); ConnMO NAP (AuthSecret) and
/// WLAN (PSK); OMA Client Provisioning 1.1, NAPAUTHINFO and PXAUTHINFO.
const NAMES: &[&str] = &[
    "AAuthSecret",
    "AAuthData",
    "ClientPW",
    "ClientNonce",
    "ServerPW",
    "ServerNonce",
    "AuthSecret",
    "PSK",
    "PXAUTH-PW",
];

/// Parts of names that vendors give to nodes with secrets.
const PARTS: &[&str] = &["password", "passwd", "passphrase", "secret", "privatekey"];

/// Whether the node at `uri`, or the parameter of this name, holds a secret. What follows `?` says nothing of that.
#[must_use]
pub fn is_secret_node(uri: &str) -> bool {
    let node = uri.split('?').next().unwrap_or_default();
    let name = node.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
        return true;
    }
    let lower = name.to_ascii_lowercase();
    PARTS.iter().any(|part| lower.contains(part))
}

#[cfg(test)]
mod tests {
    use super::is_secret_node;

    #[test]
    fn a_node_is_secret_by_its_last_segment_however_it_is_spelt() {
        for uri in [
            "./SyncML/DMAcc/op/AppAuth/1/AAuthSecret",
            "./DMAcc/op/AppAuth/1/AAUTHDATA",
            "./SyncML/DMAcc/x/ClientPW",
            "SyncML/DMAcc/x/ServerNonce/",
            "AAUTHSECRET",
            "PXAUTH-PW",
            "./Vendor/Acme/AdminPassword",
            "./DMAcc/op/AppAuth/1/AAuthSecret?prop=ACL",
        ] {
            assert!(is_secret_node(uri), "{uri}");
        }
        for uri in ["./DevInfo/DevId", "./DMAcc/op/AppAuth/1/AAuthName", "./AAuthSecret/Other", "", "./A/Monkey", "?"] {
            assert!(!is_secret_node(uri), "{uri}");
        }
    }
}
