//! WSDL and schema as served.

use axum::body::Body;
use axum::http::Request;
use muster_broker::services::Settings as BrokerSettings;
use muster_northbound::Settings;
use roxmltree::Document;

use crate::world::{Reply, World, quick};

async fn get(world: &World, path: &str) -> Reply {
    world.send(Request::get(path).header("host", "localhost:8080").body(Body::empty()).unwrap()).await
}

fn count(document: &Document<'_>, name: &str) -> usize {
    document.descendants().filter(|it| it.tag_name().name() == name).count()
}

#[tokio::test]
async fn the_description_carries_the_address_of_this_server() {
    let settings = Settings { public_url: Some("https://dm.example/?a=1&b=<".into()), ..quick() };
    let world = World::with(settings, BrokerSettings::default()).await;
    for query in ["wsdl", "WSDL", "singleWsdl", "wsdl12"] {
        let reply = get(&world, &format!("/wsi?{query}")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("text/xml; charset=utf-8"));
        let document = Document::parse(&reply.text).unwrap();
        let addresses: Vec<_> = document.descendants().filter(|it| it.tag_name().name() == "address").collect();
        assert_eq!(addresses.len(), 9);
        assert!(addresses.iter().all(|it| it.attribute("location") == Some("https://dm.example/?a=1&b=</wsi")));
        let imported = document.descendants().find_map(|it| it.attribute("schemaLocation"));
        let is_single = query == "singleWsdl";
        assert_eq!(imported, (!is_single).then_some("https://dm.example/?a=1&b=</wsi?xsd=dmwsi.xsd"));
        assert_eq!(count(&document, "complexType") > 50, is_single);
    }
    let schema = get(&world, "/wsi?xsd=dmwsi.xsd").await;
    assert!(count(&Document::parse(&schema.text).unwrap(), "complexType") > 50);
}

#[tokio::test]
async fn the_description_of_a_port_type_has_that_port_type_alone_and_all_it_needs() {
    let world = World::new().await;
    for name in [
        "ISessionServices",
        "IDeploymentBrokerServices",
        "IBulkOperationsManagerServices",
        "IBulkOperationManagerServices",
        "IDeviceManagerServices",
        "IEventServices",
        "ITunnelServices",
    ] {
        for query in ["wsdl", "wsdl12"] {
            let reply = get(&world, &format!("/wsi/{name}?{query}")).await;
            let document = Document::parse(&reply.text).unwrap();
            for kind in ["portType", "binding", "port"] {
                let all: Vec<_> = document
                    .descendants()
                    .filter(|it| {
                        it.tag_name().name() == kind
                            && it.tag_name().namespace() == Some("http://schemas.xmlsoap.org/wsdl/")
                    })
                    .collect();
                assert_eq!(all.len(), 1, "{name} {kind}");
            }
            let defined: Vec<_> = document
                .descendants()
                .filter(|it| it.tag_name().name() == "message")
                .filter_map(|it| it.attribute("name"))
                .collect();
            let used: Vec<_> = document
                .descendants()
                .filter_map(|it| it.attribute("message"))
                .map(|it| it.strip_prefix("tns:").unwrap())
                .collect();
            assert!(used.iter().all(|it| defined.contains(it)), "{name}");
            assert!(defined.iter().all(|it| used.contains(it)), "{name}: {defined:?}");
        }
    }
}

#[tokio::test]
async fn a_forged_host_is_not_written_into_a_description() {
    let world = World::new().await;
    for (host, status) in [
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8080", 200),
        ("[::1]", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("localhost:evil", 400),
        ("localhost:80\"x", 400),
    ] {
        let request = Request::get("/wsi?wsdl").header("host", host).body(Body::empty()).unwrap();
        let reply = world.send(request).await;
        assert_eq!(reply.status, status, "{host}");
        assert_eq!(reply.text.contains(&format!("http://{host}/wsi")), status == 200);
    }
}

#[tokio::test]
async fn a_description_that_is_held_is_not_sent_again_and_a_head_has_no_body() {
    let world = World::new().await;
    let first = get(&world, "/wsi?wsdl").await;
    let tag = first.header("etag").unwrap().to_owned();
    let request = Request::get("/wsi?wsdl").header("host", "localhost:8080").header("if-none-match", &tag);
    let again = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    let request = Request::head("/wsi?wsdl").header("host", "localhost:8080");
    let head = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("etag"), Some(tag.as_str()));
    for path in ["/wsi", "/wsi?xsd=../../etc/passwd", "/wsi?xsd=dmwsi.wsdl", "/wsi/INothing?wsdl"] {
        assert_eq!(get(&world, path).await.status, 404, "{path}");
    }
}
