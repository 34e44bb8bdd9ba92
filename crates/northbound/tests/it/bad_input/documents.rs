//! Documents of XML that name things elsewhere, grow when they are read, or read differently to different readers.

use std::net::TcpListener;

use axum::body::Body;
use axum::http::Request;
use muster_protocol::soap::Version;

use crate::world::{BOTH, World, body, do_operation, envelope, session_of};

/// Somebody who would notice if anything were fetched.
struct Elsewhere(TcpListener);

impl Elsewhere {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/x", self.0.local_addr().unwrap())
    }

    #[track_caller]
    fn was_not_asked(&self) {
        assert_eq!(self.0.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// Sends a complete doOperation with the prolog before it and `QUERY` replaced; nothing may come of it.
async fn is_malformed(world: &World, session: &str, prolog: &str, value: &str) {
    for version in BOTH {
        let good = envelope(version, "", &body("doOperation", &do_operation(session)));
        let reply = world.post(version, format!("{prolog}{}", good.replace("QUERY", value))).await;
        assert_eq!(reply.version(), version);
        reply.is_fault("MalformedMessage", &[]);
        assert!(!reply.text.contains("root:") && !reply.text.contains("laughs"), "{}", reply.text);
    }
    // The same to the other face, under its own media type and under the right one of XML.
    for (media_type, status, name) in
        [("application/json", 400, "MalformedMessage"), ("application/xml", 415, "InvalidArgument")]
    {
        let request = Request::post("/api/v1/tasks")
            .header("authorization", format!("Bearer {session}"))
            .header("content-type", media_type);
        let text = format!("{prolog}<a>{value}</a>");
        world.send(request.body(Body::from(text)).unwrap()).await.is_problem(status, name, &[]);
    }
}

#[tokio::test]
async fn a_document_type_with_external_entities_is_refused_and_nothing_is_fetched() {
    let (world, session) = World::with_session().await;
    let (before, elsewhere) = (world.state(&session).await, Elsewhere::new());
    let url = elsewhere.url();
    for prolog in [
        format!("<!DOCTYPE a [<!ENTITY x SYSTEM '{url}'>]>"),
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>".to_owned(),
        format!("<!DOCTYPE a [<!ENTITY x PUBLIC '-//X//EN' '{url}'>]>"),
        format!("<!DOCTYPE a [<!ENTITY % p SYSTEM '{url}'> %p;]>"),
        format!("<!DOCTYPE a SYSTEM '{url}'>"),
        format!("<!DOCTYPE a PUBLIC '-//X//EN' '{url}'>"),
        format!("<!DOCTYPE a [<!ENTITY x SYSTEM '{url}' NDATA n><!NOTATION n SYSTEM '{url}'>]>"),
        "<!DOCTYPE a>".to_owned(),
        "<!doctype a>".to_owned(),
    ] {
        is_malformed(&world, &session, &prolog, "&x;").await;
        is_malformed(&world, &session, &prolog, "QUERY").await;
    }
    elsewhere.was_not_asked();
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn every_expansion_bomb_is_refused_before_it_expands() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let laughs: String =
        (1..10).map(|at| format!("<!ENTITY l{at} '{}'>", format!("&l{};", at - 1).repeat(10))).collect();
    let parameters: String =
        (1..10).map(|at| format!("<!ENTITY % l{at} '{}'>", format!("&#37;l{};", at - 1).repeat(10))).collect();
    for prolog in [
        // A thousand million laughs.
        format!("<!DOCTYPE a [<!ENTITY l0 'laughs'>{laughs}<!ENTITY x '&l9;'>]>"),
        // One long entity, named often.
        format!("<!DOCTYPE a [<!ENTITY x '{}'>]>", "laughs".repeat(10_000)),
        // The same by entities of the document type itself.
        format!("<!DOCTYPE a [<!ENTITY % l0 'laughs'>{parameters}%l9;]>"),
        // One that names itself, and two that name each other.
        "<!DOCTYPE a [<!ENTITY x '&x;'>]>".to_owned(),
        "<!DOCTYPE a [<!ENTITY x '&y;'><!ENTITY y '&x;'>]>".to_owned(),
        // Attributes that nobody wrote.
        format!("<!DOCTYPE a [<!ATTLIST a b CDATA '{}'>]>", "laughs".repeat(10_000)),
    ] {
        is_malformed(&world, &session, &prolog, &"&x;".repeat(1_000)).await;
    }
    // Without a declaration there is nothing to expand.
    is_malformed(&world, &session, "", "&l9;").await;
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn what_a_request_names_elsewhere_is_neither_fetched_nor_put_in() {
    let (world, session) = World::with_session().await;
    let (before, elsewhere) = (world.state(&session).await, Elsewhere::new());
    let url = elsewhere.url();
    let parameter = |value: &str| {
        let arguments = format!("<arguments><parameter><path>./A</path><value>{value}</value></parameter></arguments>");
        body("doOperation", &format!("{}{arguments}", do_operation(&session)))
    };
    for version in BOTH {
        // Parts of MTOM and of XInclude, in an ordinary message.
        for href in [url.as_str(), "file:///etc/passwd", "cid:part", "../../etc/passwd"] {
            for include in [
                format!("<xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='{href}'/>"),
                format!("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{href}' parse='text'/>"),
            ] {
                let reply = world.post(version, envelope(version, "", &parameter(&include))).await;
                reply.is_fault("InvalidArgument", &["arguments.parameter[0].value", ""]);
            }
        }
        // A style sheet is an instruction to somebody else.
        let style = format!("<?xml-stylesheet href='{url}'?>{}", envelope(version, "", &parameter("x")));
        world.post(version, style).await.is_fault("MalformedMessage", &[]);
        // Schemas and descriptions that a request brings along are passed over where they are hints, ...
        let hints = format!(
            "<getServiceInfo xmlns='urn:muster:dmwsi:v1' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' \
             i:schemaLocation='urn:muster:dmwsi:v1 {url}' i:noNamespaceSchemaLocation='{url}'>{}</getServiceInfo>",
            session_of(&session)
        );
        assert_eq!(world.post(version, envelope(version, "", &hints)).await.status, 200);
        // ... and refused where they are content.
        for import in [
            format!("<xs:import xmlns:xs='http://www.w3.org/2001/XMLSchema' namespace='x' schemaLocation='{url}'/>"),
            format!("<w:import xmlns:w='http://schemas.xmlsoap.org/wsdl/' namespace='x' location='{url}'/>"),
        ] {
            let content = body("getServiceInfo", &format!("{}{import}", session_of(&session)));
            world.post(version, envelope(version, "", &content)).await.is_fault("InvalidArgument", &["import", ""]);
        }
    }
    elsewhere.was_not_asked();
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn an_encoding_is_one_of_two_and_mark_header_and_declaration_agree_on_it() {
    let (world, session) = World::with_session().await;
    let good = envelope(Version::Soap11, "", &body("getServiceInfo", &session_of(&session)));
    let declared = |name: &str| format!("<?xml version='1.0' encoding='{name}'?>{good}").into_bytes();
    let utf_16 = |order: fn(u16) -> [u8; 2]| good.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let send = async |octets: Vec<u8>, media_type: &str| {
        let request = Request::post("/wsi").header("content-type", media_type);
        world.send(request.body(Body::from(octets)).unwrap()).await
    };
    for (octets, media_type) in [
        (good.clone().into_bytes(), "text/xml"),
        ([b"\xEF\xBB\xBF".as_slice(), good.as_bytes()].concat(), "text/xml; charset=utf-8"),
        (declared("UTF-8"), "text/xml; charset=UTF-8"),
        (declared("us-ascii"), "text/xml"),
        // Toolkits may send UTF-16, too.
        ([b"\xFF\xFE".as_slice(), &utf_16(u16::to_le_bytes)].concat(), "text/xml"),
        ([b"\xFE\xFF".as_slice(), &utf_16(u16::to_be_bytes)].concat(), "text/xml; charset=utf-16"),
        (utf_16(u16::to_le_bytes), "text/xml; charset=utf-16le"),
    ] {
        let reply = send(octets, media_type).await;
        assert_eq!(reply.status, 200, "{media_type}: {}", reply.text);
    }
    let before = world.state(&session).await;
    let write = envelope(Version::Soap11, "", &body("doOperation", &do_operation(&session)));
    for (octets, media_type) in [
        ([b"\xFF\xFE".as_slice(), &utf_16(u16::to_le_bytes)].concat(), "text/xml; charset=utf-8"),
        (utf_16(u16::to_le_bytes), "text/xml; charset=utf-16be"),
        ([b"\xEF\xBB\xBF".as_slice(), write.as_bytes()].concat(), "text/xml; charset=utf-16"),
        (write.clone().into_bytes(), "text/xml; charset=utf-16"),
        (half_a_pair(&utf_16(u16::to_le_bytes)), "text/xml; charset=utf-16le"),
        (good.chars().flat_map(|it| u32::from(it).to_be_bytes()).collect(), "text/xml; charset=utf-32"),
        ([b"\xEF\xBB\xBF\xEF\xBB\xBF".as_slice(), write.as_bytes()].concat(), "text/xml"),
        (declared("UTF-16"), "text/xml"),
        (declared("UTF-7"), "text/xml"),
        (declared("EBCDIC-CP-US"), "text/xml"),
        (write.replace('<', "+ADw-").into_bytes(), "text/xml; charset=utf-7"),
        // An overlong slash, half a surrogate, and an octet that begins nothing.
        (splice(&write, b"\xC0\xAF"), "text/xml"),
        (splice(&write, b"\xED\xA0\x80"), "text/xml"),
        (splice(&write, b"\xFF"), "text/xml; charset=utf-8"),
    ] {
        let shown = String::from_utf8_lossy(&octets).chars().take(60).collect::<String>();
        let reply = send(octets, media_type).await;
        assert_ne!(reply.status, 200, "{media_type}: {shown}");
        reply.is_fault("MalformedMessage", &[]);
    }
    assert_eq!(world.state(&session).await, before);
}

/// The message in UTF-16 with the first half of a pair at its end.
fn half_a_pair(wide: &[u8]) -> Vec<u8> {
    [wide, b"\x00\xD8"].concat()
}

/// The message with octets inside a value.
fn splice(text: &str, octets: &[u8]) -> Vec<u8> {
    let at = text.find("QUERY").unwrap();
    [&text.as_bytes()[..at], octets, &text.as_bytes()[at..]].concat()
}

#[tokio::test]
async fn a_value_split_by_cdata_or_comments_is_what_it_is_in_one_piece() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    let with = |value: &str| do_operation(&session).replace(">QUERY<", &format!(">{value}<"));
    for version in BOTH {
        for (split, whole) in [
            ("DR<![CDATA[OP]]>", "DROP"),
            ("<![CDATA[DROP]]>", "DROP"),
            ("D<!-- QUERY -->ROP", "DROP"),
            ("<![CDATA[<!-- -->]]>", "<!-- -->"),
            ("&#x44;ROP", "DROP"),
            ("<![CDATA[</operation><operation>QUERY]]>", "</operation><operation>QUERY"),
        ] {
            let told = world.call(version, "doOperation", &with(split)).await.fault();
            assert_eq!(
                (told.name.as_str(), told.variables.as_slice()),
                ("UnknownOperation", [whole.to_owned()].as_slice())
            );
        }
    }
    assert_eq!(world.state(&session).await, before);
    let (first, second) = session.split_at(9);
    let split = session_of(&format!("{first}<![CDATA[{second}]]>"));
    assert_eq!(world.call(Version::Soap12, "getServiceInfo", &split).await.status, 200);
}

#[tokio::test]
async fn a_message_with_two_bodies_two_requests_or_another_inside_is_refused() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for version in BOTH {
        let request = body("doOperation", &do_operation(&session));
        let good = envelope(version, "", &request);
        let content = format!("<s:Body>{request}</s:Body>");
        for text in [
            good.replace(&content, &format!("{content}{content}")),
            good.replace(&content, &format!("<s:Body/>{content}")),
            good.replace(&content, &format!("<s:Body>{request}{request}</s:Body>")),
            good.replace(&content, &format!("{content}<s:Header/>")),
            good.replace(&content, &format!("<s:Header/>{content}")),
            good.replace(&content, ""),
        ] {
            world.post(version, text).await.is_fault("MalformedMessage", &[]);
        }
        let nested = envelope(version, "", &good);
        world.post(version, nested).await.is_fault("UnknownMessage", &["Envelope"]);
    }
    assert_eq!(world.state(&session).await, before);
}

#[tokio::test]
async fn depth_attributes_namespaces_and_sizes_have_limits() {
    let (world, session) = World::with_session().await;
    let before = world.state(&session).await;
    for version in BOTH {
        let good = envelope(version, "", &body("doOperation", &do_operation(&session)));
        let with = |start: &str| good.replace("<operation>", start);
        let attributes: String = (0..65).map(|at| format!(" a{at}='x'")).collect();
        let namespaces: String = (0..65).map(|at| format!(" xmlns:n{at}='urn:{at}'")).collect();
        let per_level: String = (0..60)
            .map(|level| {
                let declared: String = (0..60).map(|at| format!(" xmlns:n{level}x{at}='urn:{at}'")).collect();
                format!("<a{declared}>")
            })
            .collect();
        for text in [
            good.replace("QUERY", &format!("{}{}", "<a>".repeat(65), "</a>".repeat(65))),
            with(&format!("<operation{attributes}>")),
            with(&format!("<operation{namespaces}>")),
            // Each element within its limit, all of them together above that of a document.
            good.replace("QUERY", &format!("{per_level}{}", "</a>".repeat(60))),
            good.replace("QUERY", &"<a/>".repeat(500_001)),
            good.replace("QUERY", &"x".repeat((4 << 20) + 1)),
            with(&format!("<{}>", "o".repeat(10_000))),
            good.replace("QUERY", &" ".repeat(9 << 20)),
        ] {
            let told = world.post(version, text).await;
            assert_eq!(told.fault().name, "RequestTooLarge", "{}", told.text);
        }
    }
    assert_eq!(world.state(&session).await, before);
}
