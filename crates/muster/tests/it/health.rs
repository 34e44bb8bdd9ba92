//! What answers whom without credentials.

use crate::http::{get, post};
use crate::running::Running;

#[test]
fn health_is_told_to_everybody_and_nothing_else_is_on_that_listener() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let admin = server.address("admin");
    let alive = get(&admin, "/healthz");
    assert_eq!((alive.status, alive.body.as_str()), (200, "alive\n"));
    let ready = get(&admin, "/readyz");
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    for path in ["/", "/wsi", "/wsi?wsdl", "/dm", "/healthz/", "/metrics/", "/..%2fhealthz"] {
        assert_eq!(get(&admin, path).status, 404, "{path}");
    }
    assert_eq!(post(&admin, "/healthz", "text/plain", b"x").status, 405);
}

#[test]
fn each_listener_serves_its_own_and_asks_for_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let (north, south) = (server.address("north"), server.address("south"));
    assert_eq!(get(&north, "/dm").status, 404);
    assert_eq!(get(&north, "/healthz").status, 404);
    assert_eq!(get(&south, "/wsi?wsdl").status, 404);

    let wsdl = get(&north, "/wsi?wsdl");
    assert_eq!(wsdl.status, 200);
    assert!(wsdl.body.contains("<wsdl:definitions") && wsdl.body.contains(&format!("http://{north}/wsi")));

    let get_jobs = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><getJobs xmlns="urn:muster:dmwsi:v1"/></soap:Body></soap:Envelope>"#;
    let refused = post(&north, "/wsi", "text/xml; charset=utf-8", get_jobs.as_bytes());
    assert!(matches!(refused.status, 401 | 500), "{refused:?}");
    assert!(refused.body.contains("DMP0001") && !refused.body.contains("totalCount"), "{refused:?}");

    assert_eq!(post(&south, "/dm", "application/vnd.syncml.dm+xml", b"").status, 400);
    assert_eq!(post(&south, "/dm", "application/vnd.syncml.dm+wbxml", b"\x02\x00").status, 400);
    assert_eq!(post(&south, "/dm", "text/html", b"<html/>").status, 415);
    assert_eq!(post(&south, "/dm/no-such-token", "text/html", b"<html/>").status, 415);
    assert_eq!(get(&south, "/dm").status, 405);
}
