//! What credentials are checked with, and what is told of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn keys(users: &[&str], secrets: &[&str], nonces: &[&[u8]]) -> Keys {
    let texts = |them: &[&str]| them.iter().map(|it| (*it).to_owned()).collect();
    let nonces = nonces.iter().map(|it| it.to_vec()).collect();
    Keys { users: texts(users), secrets: texts(secrets), nonces, ..Keys::default() }
}

fn message(kind: &str, data: &str) -> Vec<u8> {
    format!("<SyncML><SyncHdr><Cred><Meta><Type>{kind}</Type></Meta><Data>{data}</Data></Cred></SyncHdr></SyncML>")
        .into()
}

#[test]
fn nonces_that_the_input_issues_are_tried_by_themselves() {
    let explanation = with_keys(&SESSION[..3], keys(&[], &["wrong", "dev-secret"], &[]));
    let right = explanation.notes("Data").into_iter().find(|it| it.starts_with("right")).unwrap();
    assert_eq!(right, "right for dev-user, with the nonce of message 1 from https://dm.example.org/dm");
    assert_eq!(explanation.tones("right for"), [Tone::Good]);
}

#[test]
fn golden_credentials_are_right_with_their_nonce_and_in_which_reading() {
    let mut seen = 0;
    for vector in json(include_str!("../../../tests/vectors/oma-dm-1/auth/auth.json")).as_array().unwrap() {
        if vector["type"] != "syncml:auth-md5" {
            continue;
        }
        let text = |name: &str| vector[name].as_str().unwrap();
        let nonce = octets(text("nonce_hex"));
        let octets = message("syncml:auth-md5", text("output"));
        let given = with_keys(&[&octets], keys(&[text("user")], &[text("password")], &[&nonce]));
        let told = format!("right for {}, with the nonce given", text("user"));
        assert_eq!(given.notes("Data"), [told], "{}", vector["name"]);
        let reading = match text("name") {
            "md5-empty-nonce" => "no nonce",
            "md5-resync-4-zero-octets" => "the resynchronisation nonce read as four zero octets",
            "md5-resync-ascii" => "the resynchronisation nonce read as the characters 0x00000000",
            _ => "",
        };
        let not_given = with_keys(&[&octets], keys(&[text("user")], &[text("password")], &[]));
        if reading.is_empty() {
            assert_eq!(not_given.tones("does not match"), [Tone::Bad], "{}", vector["name"]);
        } else {
            assert_eq!(not_given.notes("Data"), [format!("right for {}, with {reading}", text("user"))]);
        }
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn golden_mac_headers_are_checked_over_the_octets_of_the_message() {
    let mut seen = 0;
    for vector in json(include_str!("../../../tests/vectors/oma-dm-1/auth/auth.json")).as_array().unwrap() {
        let body = match vector["name"].as_str().unwrap() {
            "hmac-01-pkg1-client-initiated.wbxml" => golden!("syncml/01-pkg1-client-initiated.wbxml"),
            "hmac-01-pkg1-client-initiated.xml" => golden!("syncml/01-pkg1-client-initiated.xml"),
            "hmac-06-pkg4-end.wbxml" => golden!("syncml/06-pkg4-end.wbxml"),
            _ => continue,
        };
        let header = vector["header"].as_str().unwrap();
        let secret = vector["password"].as_str().unwrap();
        let nonce = STANDARD.decode(vector["nonce_b64"].as_str().unwrap()).unwrap();
        let (_, value) = header.split_once(": ").unwrap_or(("", header));
        let keys = || keys(&[], &[secret], &[&nonce]);
        let options = Options { keys: keys(), hmac: Some(value), ..Options::default() };
        assert_eq!(explain(&[body], &options).tones("right for"), [Tone::Good], "{}", vector["name"]);
        let stream =
            [format!("POST /dm HTTP/1.1\r\n{header}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body]
                .concat();
        assert_eq!(with_keys(&[&stream], keys()).tones("right for"), [Tone::Good], "{}", vector["name"]);
        let mut changed = stream.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(with_keys(&[&changed], keys()).tones("does not match"), [Tone::Bad]);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn mac_headers_that_cannot_be_checked_are_told() {
    let options = |hmac| Options { keys: keys(&[], &["s"], &[]), hmac: Some(hmac), ..Options::default() };
    let told = |hmac| explain(&[SESSION[0]], &options(hmac)).notes("x-syncml-hmac").concat();
    assert_eq!(told("algorithm=SHA, username=\"a\", mac=b"), "the algorithm in the header is not MD5");
    assert_eq!(told("algorithm=MD5"), "username is missing in the header");
    assert_eq!(told("username=\"a\", mac=b"), "the MAC in the header is not base64 of 16 octets");
    assert!(told("username=\"a\", mac=Zz6EivR3yeaaENcRN6lpAQ==").starts_with("does not match"));
}

#[test]
fn golden_notifications_are_checked_in_both_readings_of_the_nonce() {
    for vector in json(include_str!("../../../tests/vectors/oma-dm-1/pkg0/package0.json")).as_array().unwrap() {
        let inputs = &vector["inputs"];
        let package = octets(vector["package0_hex"].as_str().unwrap());
        let nonce = octets(inputs["nonce_hex"].as_str().unwrap());
        let secret = inputs["password"].as_str().unwrap();
        let server_id = inputs["server_id"].as_str().unwrap();
        let given = with_keys(&[&package], keys(&[], &[secret], &[&nonce]));
        assert_eq!(given.inputs[0].form, Some(Form::Package0), "{}", vector["name"]);
        assert_eq!(given.failures, []);
        assert_eq!(given.notes("digest"), [format!("right for {server_id}, with the nonce given")]);
        assert_eq!(given.values("server-identifier"), [server_id]);
        let expected = format!("SessionID {} in package 1", vector["expected_package1_session_id"].as_str().unwrap());
        assert_eq!(given.notes("sessionid"), [expected]);
        let reading = match vector["name"].as_str().unwrap() {
            "p0-nonce-resync-4-zero-octets" => "the resynchronisation nonce read as four zero octets",
            "p0-nonce-resync-ascii-0x00000000" => "the resynchronisation nonce read as the characters 0x00000000",
            _ => continue,
        };
        let not_given = with_keys(&[&package], keys(&[], &[secret], &[]));
        assert_eq!(not_given.notes("digest"), [format!("right for {server_id}, with {reading}")]);
        assert_eq!(with_keys(&[&package], keys(&[], &["no"], &[])).tones("does not match"), [Tone::Bad]);
        assert_eq!(plain(&[&package]).notes("digest"), ["not checked: no secret given"]);
    }
}

#[test]
fn the_name_of_the_account_is_tried_for_package_0_too() {
    use crate::dm1::notification::{
        DigestName, Form as Made, Nonce, Notification, ServerIdentifier, ServerKey, SessionId,
    };
    let made = Made { digest_name: DigestName::AccountName, ..Made::default() };
    let server_id = ServerIdentifier::new("dm.example.org").unwrap();
    let notification = Notification::new(&made, SessionId::new(7).unwrap(), server_id);
    let key = ServerKey { account_name: "srv-user", secret: "s" };
    let package = notification.seal(&made, &key, Nonce::Stored(b"n"));
    let told = with_keys(&[&package], keys(&["srv-user"], &["s"], &[b"n"]));
    assert_eq!(told.notes("digest"), ["right for srv-user, with the nonce given"]);
    let by_server_id = Keys { server_id: Some("srv-user".into()), ..keys(&[], &["s"], &[b"n"]) };
    assert_eq!(with_keys(&[&package], by_server_id).tones("right for"), [Tone::Good]);
}

#[test]
fn golden_macs_of_provisioning_documents_are_checked_in_their_push() {
    let documents = [
        ("cp-full", golden!("cp/cp-full.wbxml")),
        ("cp-w7-minimal", golden!("cp/cp-w7-minimal.wbxml")),
        ("cp-w7-inline-authtype", golden!("cp/cp-w7-inline-authtype.wbxml")),
    ];
    let vectors = json(include_str!("../../../tests/vectors/oma-dm-1/cp/mac.json"));
    for (name, document) in documents {
        for (sec, case) in vectors[name].as_object().unwrap() {
            let Some(header) = case["wsp_push_header_hex"].as_str() else { continue };
            let push = [octets(header), document.to_vec()].concat();
            let pin = case["full_user_pin"].as_str().unwrap_or("1234");
            let keys =
                |pin: &str| Keys { imsi: Some("262011234567890".into()), pin: Some(pin.into()), ..Keys::default() };
            let right = with_keys(&[&push], keys(pin));
            assert_eq!(right.failures, [], "{name} {sec}");
            assert_eq!(right.tones("right for"), [Tone::Good], "{name} {sec}");
            assert_eq!(plain(&[&push]).tones("not checked"), [Tone::Plain], "{name} {sec}");
            if sec != "NETWPIN" {
                assert_eq!(with_keys(&[&push], keys("9999")).tones("wrong"), [Tone::Bad], "{name} {sec}");
            }
        }
    }
}

#[test]
fn macs_of_the_dm_profile_are_checked_in_text_headers() {
    let document = golden!("syncml/22-tnds-wbxml-add-inbox.wbxml");
    let vectors = json(include_str!("../../../tests/vectors/oma-dm-1/cp/mac.json"));
    for word in ["NETWORKID", "USERPIN"] {
        let content_type = vectors["dm-profile"][word]["content_type"].as_str().unwrap();
        let head =
            format!("POST / HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", document.len());
        let stream = [head.as_bytes(), document].concat();
        let keys = Keys { imsi: Some("262011234567890".into()), pin: Some("1234".into()), ..Keys::default() };
        assert_eq!(with_keys(&[&stream], keys).tones("right for"), [Tone::Good], "{word}");
    }
}

#[test]
fn schemes_that_are_not_known_are_told() {
    let octets = message("syncml:auth-X509", "abc");
    assert_eq!(plain(&[&octets]).notes("Data"), ["a scheme that is not known here"]);
    let octets = message("syncml:auth-basic", "!");
    assert_eq!(plain(&[&octets]).notes("Data"), ["is not base64 of name:secret"]);
}
