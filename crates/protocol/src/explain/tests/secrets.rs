//! What is not shown unless it is asked for.

use super::*;

fn shown(inputs: &[&[u8]], show_secrets: bool) -> String {
    serde_json::to_string(&explain(inputs, &Options { show_secrets, ..Options::default() })).unwrap()
}

#[test]
fn a_basic_credential_shows_the_name_alone() {
    let octets = golden!("syncml/21-device-event-1224.wbxml");
    let hidden = shown(&[octets], false);
    assert!(hidden.contains("name dev-user"), "{hidden}");
    for secret in ["dev-secret", "ZGV2LXVzZXI6ZGV2LXNlY3JldA"] {
        assert!(!hidden.contains(secret), "{hidden}");
    }
    assert!(shown(&[octets], true).contains("name dev-user, secret dev-secret"));
}

#[test]
fn a_basic_credential_in_a_fragment_or_a_broken_message_is_hidden_too() {
    let cred = "<Cred><Meta><Type>syncml:auth-basic</Type></Meta><Data>ZGV2LXVzZXI6ZGV2LXNlY3JldA==</Data></Cred>";
    let whole = format!("<SyncML><SyncHdr>{cred}</SyncHdr></SyncML>");
    assert!(shown(&[whole.as_bytes()], true).contains("ZGV2LXVzZXI6"));
    for document in [cred.to_owned(), format!("<SyncHdr>{cred}</SyncHdr>"), whole[..whole.len() - 40].to_owned()] {
        let hidden = shown(&[document.as_bytes()], false);
        assert!(!hidden.contains("ZGV2LXVzZXI6"), "{hidden}");
    }
}

#[test]
fn secrets_of_provisioning_documents_and_trees_are_hidden() {
    let tree = b"<MgmtTree><Node><NodeName>AAuthSecret</NodeName><Value>dev-secret</Value></Node></MgmtTree>";
    let item = b"<SyncML><SyncBody><Replace><Item><Target><LocURI>./DMAcc/x/AppAuth/1/AAuthSecret</LocURI></Target><Data>dev-secret</Data></Item></Replace></SyncBody></SyncML>";
    let nested = b"<SyncML><SyncBody><Add><Item><Data><![CDATA[<MgmtTree><Node><NodeName>AAuthSecret</NodeName><Value>dev-secret</Value></Node></MgmtTree>]]></Data></Item></Add></SyncBody></SyncML>";
    let header = b"POST / HTTP/1.1\r\nAuthorization: Basic dev-secret\r\n\r\n";
    let documents: [&[u8]; 6] = [golden!("cp/cp-full.wbxml"), golden!("cp/cp-full.xml"), tree, item, nested, header];
    for document in documents {
        let hidden = shown(&[document], false);
        assert!(!hidden.contains("dev-secret") && !hidden.contains("srv-secret"), "{hidden}");
        assert!(shown(&[document], true).contains("dev-secret"));
    }
}
