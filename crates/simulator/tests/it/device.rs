use muster_protocol::syncml::{
    Address, Command, Encoding, Get, Item, ItemData, Meta, Results, StatusCode, Text, Write, WriteKind,
};
use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::{Initiation, SessionEnd};
use muster_simulator::fleet::{DeviceSpec, FleetSpec, Mix};
use muster_simulator::http::{HttpDevice, HttpOptions};

use crate::server::Server;

const NAME: &str = "./Vendor/Example/Name";

pub(crate) fn replace(uri: &str, value: &str) -> Command {
    let item = Item { target: Some(Address::new(uri)), data: Some(value.into()), ..Item::default() };
    Command::Write(Write {
        kind: WriteKind::Replace,
        cmd_id: Text::default(),
        meta: Meta::default(),
        items: vec![item],
    })
}

pub(crate) fn get(uris: &[&str]) -> Command {
    let item = |uri: &&str| Item { target: Some(Address::new(*uri)), ..Item::default() };
    Command::Get(Get { items: uris.iter().map(item).collect(), ..Get::default() })
}

fn spec(behaviours: &[Behaviour], encoding: Encoding) -> DeviceSpec {
    let listed = behaviours.iter().map(|it| (0, it.clone())).collect();
    let fleet = FleetSpec { mix: Mix::Listed(listed), server_proves_itself: false, ..FleetSpec::new(1, 11) };
    DeviceSpec { encoding, ..fleet.device(0) }
}

fn device(url: &str, behaviours: &[Behaviour], encoding: Encoding) -> HttpDevice {
    spec(behaviours, encoding).connected(&format!("{url}/dm"), HttpOptions::new().unwrap())
}

fn values(server: &Server, source: &str) -> Vec<String> {
    let mut values = Vec::new();
    for message in server.from(source) {
        for command in &message.commands {
            if let Command::Results(Results { items, .. }) = command {
                values.extend(
                    items.iter().filter_map(|it| it.data.as_ref().and_then(ItemData::as_text)).map(str::to_owned),
                );
            }
        }
    }
    values
}

#[tokio::test]
async fn a_session_runs_in_both_encodings() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let work = vec![replace(NAME, "renamed <&>"), get(&[NAME, "./DevInfo"])];
        let (url, server) = Server { work, ..Server::default() }.listen().await;
        let mut device = device(&url, &[], encoding);

        let report = device.connect(&Initiation::Client).await;

        assert_eq!((&report.end, report.messages_sent), (&SessionEnd::Complete, 2));
        assert_eq!(report.http_statuses, [200, 200]);
        assert_eq!(report.complaints, [""; 0]);
        assert_eq!(report.executed.len(), 3);
        assert!(server.heard.lock().unwrap().messages.iter().all(|(it, ..)| *it == encoding));
        assert_eq!(values(&server, device.device.uri()), ["renamed <&>", "DevId/DmV/Lang/Man/Mod"]);
    }
}

#[tokio::test]
async fn repeated_messages_are_the_same_octets_and_their_answers_are_compared() {
    let (url, server) = Server { work: vec![replace(NAME, "a")], ..Server::default() }.listen().await;
    let mut device = device(&url, &[Behaviour::RepeatsMessage], Encoding::Wbxml);

    let report = device.connect(&Initiation::Client).await;

    assert_eq!((report.end, report.repeats, report.repeats_answered_otherwise), (SessionEnd::Complete, 2, 0));
    let heard = server.from(device.device.uri());
    assert_eq!(heard.len(), 4);
    assert_eq!((&heard[0], &heard[2]), (&heard[1], &heard[3]));
    assert_eq!(device.device.ledger().count(NAME, "Replace"), 1);
}

#[tokio::test]
async fn a_lost_connection_ends_the_session_and_the_device_comes_back_with_another() {
    let (url, server) = Server { work: vec![replace(NAME, "a")], ..Server::default() }.listen().await;
    let drops = Behaviour::DropsConnection { after_message: 2, times: 1 };
    let mut device = device(&url, &[drops], Encoding::Xml);

    let lost = device.connect(&Initiation::Client).await;
    let again = device.connect(&Initiation::Client).await;

    assert_eq!((lost.end, lost.messages_sent), (SessionEnd::Dropped, 2));
    assert_eq!(again.end, SessionEnd::Complete);
    assert_ne!(lost.session_id, again.session_id);
    assert_eq!(server.from(device.device.uri()).len(), 4);
}

#[tokio::test]
async fn the_device_follows_resp_uri_and_begins_again_at_its_own_address() {
    let (url, server) =
        Server { work: vec![get(&[NAME])], resp_path: Some("/token"), ..Server::default() }.listen().await;
    let mut device = device(&url, &[], Encoding::Xml);

    for _ in 0..2 {
        assert_eq!(device.connect(&Initiation::Client).await.end, SessionEnd::Complete);
    }

    let heard = server.heard.lock().unwrap();
    let paths: Vec<&str> = heard.messages.iter().map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/dm", "/token", "/dm", "/token"]);
}

#[tokio::test]
async fn no_message_is_above_the_size_the_server_takes() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let long = "ä<&>x".repeat(900);
        let work = vec![replace(NAME, &long), get(&["./DevInfo/Man", NAME, "./DevInfo/Mod"])];
        let (url, server) = Server { work, max_msg_size: Some(1_400), ..Server::default() }.listen().await;
        let mut device = device(&url, &[], encoding);

        let report = device.connect(&Initiation::Client).await;

        assert_eq!(report.end, SessionEnd::Complete, "{report:?}");
        let heard = server.from(device.device.uri());
        let sizes: Vec<usize> = heard.iter().map(|it| it.encode(encoding).unwrap().len()).collect();
        assert!(sizes[1..].iter().all(|size| *size <= 1_400), "{sizes:?}");
        assert!(sizes.len() > 4, "{sizes:?}");
        let tree = &device.device.tree;
        let [man, model] = ["./DevInfo/Man", "./DevInfo/Mod"].map(|uri| tree.text(uri).unwrap());
        assert!(values(&server, device.device.uri()).concat() == format!("{man}{long}{model}"));
    }
}

#[tokio::test]
async fn a_refused_request_and_a_closed_port_are_transport_failures() {
    let (url, _server) = Server { http_status: Some(503), ..Server::default() }.listen().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);

    let refused = device(&url, &[], Encoding::Xml).connect(&Initiation::Client).await;
    let unreachable = device(&nowhere, &[], Encoding::Xml).connect(&Initiation::Client).await;

    assert_eq!(refused.end, SessionEnd::Transport("HTTP status 503".into()));
    assert_eq!(refused.http_statuses, [503]);
    assert!(matches!(unreachable.end, SessionEnd::Transport(_)));
}

#[tokio::test]
async fn a_session_without_end_stops_at_the_most_messages() {
    let (url, _server) = Server { work: vec![get(&[NAME])], ..Server::default() }.listen().await;
    let options = HttpOptions { messages_max: 1, ..HttpOptions::new().unwrap() };
    let mut device = spec(&[], Encoding::Xml).connected(&format!("{url}/dm"), options);

    let report = device.connect(&Initiation::Client).await;

    assert_eq!((report.end, report.messages_sent), (SessionEnd::TooManyMessages, 1));
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_no_more_than_the_time_allowed() {
    // Connections are taken by the system and never read.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let session_time_max = std::time::Duration::from_millis(50);
    let options = HttpOptions { session_time_max, ..HttpOptions::new().unwrap() };
    let mut device = spec(&[], Encoding::Xml).connected(&url, options);

    assert_eq!(device.connect(&Initiation::Client).await.end, SessionEnd::TimedOut);
}

#[tokio::test]
async fn a_failing_node_fails_over_http_too() {
    let fails = Behaviour::FailsWith { status: StatusCode::NOT_ALLOWED, path: NAME.into() };
    let (url, _server) = Server { work: vec![replace(NAME, "a")], ..Server::default() }.listen().await;

    let report = device(&url, &[fails], Encoding::Wbxml).connect(&Initiation::Client).await;

    assert_eq!(report.executed[0].status, StatusCode::NOT_ALLOWED);
}

#[tokio::test]
async fn a_device_that_uses_a_mac_sends_its_header_with_each_message() {
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    use md5::{Digest as _, Md5};
    let (url, server) = Server { work: vec![get(&[NAME])], ..Server::default() }.listen().await;
    let spec = DeviceSpec {
        auth: muster_simulator::account::AuthType::Hmac,
        client_nonce: Some(b"nonce".to_vec()),
        ..spec(&[], Encoding::Wbxml)
    };
    let mut device = spec.connected(&format!("{url}/dm"), HttpOptions::new().unwrap());

    assert_eq!(device.connect(&Initiation::Client).await.end, SessionEnd::Complete);

    let heard = server.heard.lock().unwrap();
    assert_eq!(heard.requests.len(), 2);
    for (headers, body) in &heard.requests {
        // The formula as the specification prints it: B64(H(B64(H(user:password)):nonce:B64(H(body)))).
        let hash = |octets: &[u8]| BASE64.encode(Md5::digest(octets));
        let secret = hash(format!("{}:{}", spec.client_name, spec.client_secret).as_bytes());
        let mac = hash(format!("{secret}:nonce:{}", hash(body)).as_bytes());
        let header = format!("algorithm=MD5, username=\"{}\", mac={mac}", spec.client_name);
        assert_eq!(headers["x-syncml-hmac"].to_str().unwrap(), header);
    }
}

#[tokio::test]
async fn every_message_is_a_post_with_the_headers_of_the_binding() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let (url, server) = Server { work: vec![get(&[NAME])], ..Server::default() }.listen().await;

        device(&url, &[], encoding).connect(&Initiation::Client).await;

        let heard = server.heard.lock().unwrap();
        assert_eq!(heard.requests.len(), 2);
        for (headers, body) in &heard.requests {
            let octets = body.len().to_string();
            for (name, value) in [
                ("content-type", encoding.media_type()),
                ("accept", encoding.media_type()),
                ("accept-charset", "UTF-8"),
                ("cache-control", "no-store"),
                ("content-length", octets.as_str()),
                ("host", url.trim_start_matches("http://")),
            ] {
                assert_eq!(headers[name].to_str().unwrap(), value, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn answers_in_chunks_are_read() {
    let work = vec![replace(NAME, "chunked")];
    let (url, _server) = Server { work, chunked: true, ..Server::default() }.listen().await;
    let mut device = device(&url, &[], Encoding::Xml);
    let first = device.device.start(&Initiation::Client);
    let post = reqwest::Client::builder().no_proxy().build().unwrap().post(format!("{url}/dm"));
    let post = post.header("content-type", Encoding::Xml.media_type()).body(device.device.write(&first).unwrap());
    assert_eq!(post.send().await.unwrap().headers()["transfer-encoding"], "chunked");

    let report = device.connect(&Initiation::Client).await;

    assert_eq!(report.end, SessionEnd::Complete);
    assert_eq!(device.device.tree.text(NAME), Some("chunked"));
}

#[tokio::test]
async fn personas_write_their_own_headers() {
    use muster_simulator::behaviour::Persona;
    for (persona, content_type, user_agent) in [
        (Persona::Plain, "application/vnd.syncml.dm+wbxml", None),
        (Persona::Libdmclient, "application/vnd.syncml+wbxml", None),
        (Persona::Samsung, "application/vnd.syncml.dm+wbxml", Some("SyncML DM Client")),
        (Persona::Windows, "application/vnd.syncml.dm+wbxml", Some("MSFT OMA DM Client/1.2.0.1")),
    ] {
        let (url, server) = Server { work: vec![get(&[NAME])], ..Server::default() }.listen().await;
        let mut device = device(&url, &persona.behaviours(), Encoding::Wbxml);

        let report = device.connect(&Initiation::Client).await;

        assert_eq!((report.end, report.complaints), (SessionEnd::Complete, Vec::new()), "{}", persona.name());
        for (headers, _) in &server.heard.lock().unwrap().requests {
            let text = |name: &str| headers.get(name).map(|it| it.to_str().unwrap());
            assert_eq!((text("content-type"), text("user-agent")), (Some(content_type), user_agent));
            assert_eq!(text("connection").is_some(), persona == Persona::Samsung);
        }
    }
}

#[tokio::test]
async fn a_device_that_restarts_has_done_what_it_was_asked_and_says_nothing_of_it() {
    let (url, server) = Server { work: vec![replace(NAME, "a")], ..Server::default() }.listen().await;
    let restarts = Behaviour::Reboots { after_message: 1, times: 1, forgets_nonces: false };
    let mut device = device(&url, &[restarts], Encoding::Xml);

    let lost = device.connect(&Initiation::Client).await;

    assert_eq!((lost.end, lost.messages_sent), (SessionEnd::Rebooted, 1));
    assert_eq!(device.device.tree.text(NAME), Some("a"));
    assert_eq!(server.from(device.device.uri()).len(), 1);
    assert_eq!(device.connect(&Initiation::Client).await.end, SessionEnd::Complete);
    assert_eq!(device.device.ledger().count(NAME, "Replace"), 2);
}
