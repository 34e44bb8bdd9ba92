//! Client certificates: which are believed, by whom, and whose they are. What the handshake does is tested with the whole
//! server.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_northbound::identity::ClientCertificate;
use muster_protocol::soap::Version;
use rcgen::{Certificate, ExtendedKeyUsagePurpose, SanType, date_time_ymd};
use serde_json::{Value, json};

use crate::authority::{Authority, shown, uri};
use crate::world::{BOTH, PASSWORD, Reply, World, body, envelope, media_type, session_of};

const URI: &str = "urn:example:crm";

/// A world whose domain `acme` trusts an authority and knows `care` by a URI.
struct Trusting {
    world: World,
    authority: Authority,
    id: String,
    root: String,
}

impl Trusting {
    async fn new() -> Self {
        let world = World::new().await;
        let root = world.login("root").await;
        let authority = Authority::new("acme clients");
        let id = trust(&world, &root, &authority).await;
        bind(&world, &root, json!({"principal": "care", "nameKind": "URI", "nameValue": URI})).await;
        Self { world, authority, id, root }
    }

    /// The certificate of `care`.
    fn of_care(&self) -> Certificate {
        self.authority.issue(|params| params.subject_alt_names = vec![uri(URI)])
    }

    async fn is_refused(&self, shown: &ClientCertificate) {
        for version in BOTH {
            soap(&self.world, version, Some(shown), "", "").await.is_fault("NotAuthenticated", &[]);
        }
        rest(&self.world, Some(shown), None).await.is_problem(401, "NotAuthenticated", &[]);
        // It is not made good by another credential that is right.
        let session = self.world.login("care").await;
        soap(&self.world, Version::Soap11, Some(shown), "", &session_of(&session))
            .await
            .is_fault("NotAuthenticated", &[]);
        rest(&self.world, Some(shown), Some(&session)).await.is_problem(401, "NotAuthenticated", &[]);
    }

    async fn is_care(&self, shown: &ClientCertificate) {
        for version in BOTH {
            let reply = soap(&self.world, version, Some(shown), "", "").await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        assert_eq!(rest(&self.world, Some(shown), None).await.status, 200);
        // As care and as nobody else.
        let care = session_of(&self.world.login("care").await);
        assert_eq!(soap(&self.world, Version::Soap11, Some(shown), "", &care).await.status, 200);
        let reader = session_of(&self.world.login("reader").await);
        soap(&self.world, Version::Soap11, Some(shown), "", &reader).await.is_fault("NotAuthenticated", &[]);
    }
}

async fn trust(world: &World, session: &str, authority: &Authority) -> String {
    let made = world
        .rest("POST", "/certificate-authorities", Some(session), Some(json!({"certificate": authority.pem()})))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["authorityId"].as_str().unwrap().to_owned()
}

async fn bind(world: &World, session: &str, wanted: Value) {
    let bound = world.rest("POST", "/certificate-bindings", Some(session), Some(wanted)).await;
    assert_eq!(bound.status, 201, "{}", bound.text);
}

async fn soap(
    world: &World,
    version: Version,
    shown: Option<&ClientCertificate>,
    authorization: &str,
    parameters: &str,
) -> Reply {
    let mut request = Request::post("/wsi").header("content-type", media_type(version));
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    if let Some(shown) = shown {
        request = request.extension(shown.clone());
    }
    world.send(request.body(Body::from(envelope(version, "", &body("getServiceInfo", parameters)))).unwrap()).await
}

async fn rest(world: &World, shown: Option<&ClientCertificate>, bearer: Option<&str>) -> Reply {
    let mut request = Request::get("/api/v1/service");
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    if let Some(shown) = shown {
        request = request.extension(shown.clone());
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

fn basic(name: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{PASSWORD}")))
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_lets_in_whom_its_name_is_bound_to() {
    let trusting = Trusting::new().await;
    trusting.is_care(&shown(&trusting.of_care(), &[])).await;
    // Also through an authority in between, which the client sends along.
    let between = trusting.authority.below("branch");
    let certificate = between.issue(|params| params.subject_alt_names = vec![uri(URI)]);
    trusting.is_care(&shown(&certificate, &[&between])).await;
    trusting.is_refused(&shown(&certificate, &[])).await;
}

#[tokio::test]
async fn a_certificate_comes_first_and_others_must_agree_with_it() {
    let trusting = Trusting::new().await;
    let certificate = shown(&trusting.of_care(), &[]);
    let agreeing = soap(&trusting.world, Version::Soap11, Some(&certificate), &basic("care"), "").await;
    assert_eq!(agreeing.status, 200, "{}", agreeing.text);
    let other = soap(&trusting.world, Version::Soap11, Some(&certificate), &basic("root"), "").await;
    other.is_fault("NotAuthenticated", &[]);
    let wrong = "Basic Y2FyZTp3cm9uZw==";
    soap(&trusting.world, Version::Soap11, Some(&certificate), wrong, "").await.is_fault("NotAuthenticated", &[]);
}

#[tokio::test]
async fn each_kind_of_name_can_be_bound() {
    let trusting = Trusting::new().await;
    let Trusting { world, authority, root, .. } = &trusting;
    for (kind, value, san) in [
        ("DNS", "CRM.example", Some(SanType::DnsName("crm.Example".try_into().unwrap()))),
        ("EMAIL", "crm@example", Some(SanType::Rfc822Name("CRM@example".try_into().unwrap()))),
        ("COMMON_NAME", "crm", None),
    ] {
        let certificate = authority.issue(|params| params.subject_alt_names = san.into_iter().collect());
        trusting.is_refused(&shown(&certificate, &[])).await;
        bind(world, root, json!({"principal": "care", "nameKind": kind, "nameValue": value})).await;
        trusting.is_care(&shown(&certificate, &[])).await;
        let name = json!({"nameKind": kind, "nameValue": value});
        let unbound = world.rest("POST", "/certificate-bindings:unbind", Some(root), Some(name)).await;
        assert_eq!(unbound.status, 204, "{}", unbound.text);
        trusting.is_refused(&shown(&certificate, &[])).await;
    }
    let pinned = authority.issue(|_| ());
    bind(world, root, json!({"principal": "care", "certificate": pinned.pem()})).await;
    trusting.is_care(&shown(&pinned, &[])).await;
    // Another certificate with the same names is another one.
    trusting.is_refused(&shown(&authority.issue(|_| ()), &[])).await;
}

#[tokio::test]
async fn a_certificate_whose_names_are_bound_to_two_principals_is_nobodys() {
    let trusting = Trusting::new().await;
    bind(
        &trusting.world,
        &trusting.root,
        json!({"principal": "reader", "nameKind": "COMMON_NAME", "nameValue": "crm"}),
    )
    .await;
    trusting.is_refused(&shown(&trusting.of_care(), &[])).await;
}

#[tokio::test]
async fn an_expired_client_certificate_is_refused() {
    let trusting = Trusting::new().await;
    let certificate = trusting.authority.issue(|params| {
        params.subject_alt_names = vec![uri(URI)];
        params.not_after = date_time_ymd(2026, 11, 21);
    });
    trusting.is_refused(&shown(&certificate, &[])).await;
    // One that was good a moment ago is refused when its time is over.
    let good = shown(&trusting.of_care(), &[]);
    trusting.is_care(&good).await;
    trusting.world.clock.advance_s(10 * 24 * 3600);
    trusting.is_refused(&good).await;
}

#[tokio::test]
async fn a_client_certificate_that_is_not_valid_yet_is_refused() {
    let trusting = Trusting::new().await;
    let certificate = shown(
        &trusting.authority.issue(|params| {
            params.subject_alt_names = vec![uri(URI)];
            params.not_before = date_time_ymd(2026, 11, 22);
        }),
        &[],
    );
    trusting.is_refused(&certificate).await;
    trusting.world.clock.advance_s(24 * 3600);
    trusting.is_care(&certificate).await;
}

#[tokio::test]
async fn a_client_certificate_of_the_wrong_authority_is_refused() {
    let trusting = Trusting::new().await;
    let own = Authority::new("acme clients");
    let certificate = own.issue(|params| params.subject_alt_names = vec![uri(URI)]);
    trusting.is_refused(&shown(&certificate, &[])).await;
    trusting.is_refused(&shown(&certificate, &[&own])).await;
    // Nor may a client's certificate issue another, whoever issued it.
    let client = trusting.authority.below("no authority");
    let leaf = trusting.authority.issue(|params| params.subject_alt_names = vec![uri(URI)]);
    let below = client.issue(|params| params.subject_alt_names = vec![uri(URI)]);
    let chain = [below.der().clone(), leaf.der().clone()];
    trusting.is_refused(&ClientCertificate::new(&chain).unwrap()).await;
}

#[tokio::test]
async fn a_certificate_for_another_purpose_is_refused() {
    let trusting = Trusting::new().await;
    let certificate = trusting.authority.issue(|params| {
        params.subject_alt_names = vec![uri(URI)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    trusting.is_refused(&shown(&certificate, &[])).await;
}

#[tokio::test]
async fn an_authority_of_one_domain_never_lets_in_a_principal_of_another() {
    let trusting = Trusting::new().await;
    let Trusting { world, authority, .. } = &trusting;
    let stranger = world.login("stranger").await;
    let theirs = Authority::new("theirs");
    trust(world, &stranger, &theirs).await;
    // It issues a certificate with the name that is bound in the other domain.
    let forged = theirs.issue(|params| params.subject_alt_names = vec![uri(URI)]);
    trusting.is_refused(&shown(&forged, &[])).await;
    // It cannot bind a principal of the other domain, nor trust the other's authority as its own.
    let wanted = json!({"principal": "care", "nameKind": "URI", "nameValue": URI});
    let refused = world.rest("POST", "/certificate-bindings", Some(&stranger), Some(wanted)).await;
    refused.is_problem(404, "UnknownPrincipal", &["care"]);
    let wanted = json!({"certificate": authority.pem()});
    let refused = world.rest("POST", "/certificate-authorities", Some(&stranger), Some(wanted)).await;
    refused.is_problem(409, "AlreadyExists", &["certificate"]);
    // The name itself may be bound in both, each by its own authority.
    bind(world, &stranger, json!({"principal": "stranger", "nameKind": "URI", "nameValue": URI})).await;
    trusting.is_care(&shown(&trusting.of_care(), &[])).await;
    let session = session_of(&stranger);
    let own = soap(world, Version::Soap11, Some(&shown(&forged, &[])), "", &session).await;
    assert_eq!(own.status, 200, "{}", own.text);
}

#[tokio::test]
async fn a_revoked_client_certificate_is_refused_from_the_next_request_on() {
    let trusting = Trusting::new().await;
    let Trusting { world, root, id, .. } = &trusting;
    let certificate = trusting.of_care();
    let connection = shown(&certificate, &[]);
    trusting.is_care(&connection).await;
    let wanted = json!({"authorityId": id, "serialNumber": "12:67", "reason": "lost"});
    let revoked = world.rest("POST", "/revoked-certificates", Some(root), Some(wanted)).await;
    assert_eq!(revoked.json()["serialNumber"], "1267", "{}", revoked.text);
    trusting.is_refused(&connection).await;

    let other = Trusting::new().await;
    let certificate = other.of_care();
    other.is_care(&shown(&certificate, &[])).await;
    let wanted = json!({"certificate": certificate.pem()});
    let revoked = other.world.rest("POST", "/revoked-certificates", Some(&other.root), Some(wanted)).await;
    assert_eq!(revoked.status, 201, "{}", revoked.text);
    other.is_refused(&shown(&certificate, &[])).await;
    let listed = other.world.rest("GET", "/revoked-certificates", Some(&other.root), None).await;
    assert_eq!(listed.json()["totalCount"], 1);
}

#[tokio::test]
async fn a_certificate_on_a_revocation_list_is_refused_and_lists_are_checked() {
    let trusting = Trusting::new().await;
    let Trusting { world, root, id, authority } = &trusting;
    let connection = shown(&trusting.of_care(), &[]);
    trusting.is_care(&connection).await;
    let path = format!("/certificate-authorities/{id}/revocation-list");
    let put = async |list: &str| world.rest("PUT", &path, Some(root), Some(json!({"revocationList": list}))).await;
    let kept = put(&authority.list(20, &[1, 4711])).await;
    assert_eq!(kept.json()["listMadeAt"], "2026-11-20T00:00:00.000Z", "{}", kept.text);
    trusting.is_refused(&connection).await;
    // An older one does not undo it; a newer one does, as its authority says.
    put(&authority.list(19, &[])).await.is_problem(400, "InvalidArgument", &["revocationList"]);
    trusting.is_refused(&connection).await;
    assert_eq!(put(&authority.list(21, &[1])).await.status, 200);
    trusting.is_care(&connection).await;
    let forged = Authority::new("acme clients").list(21, &[4711]);
    let other = Authority::new("another").list(21, &[4711]);
    for list in [forged.as_str(), &other, "no list", &authority.pem()] {
        put(list).await.is_problem(400, "InvalidArgument", &["revocationList"]);
    }
    trusting.is_care(&connection).await;
}

#[tokio::test]
async fn an_authority_that_is_taken_away_lets_nobody_in_and_one_that_is_added_does_at_once() {
    let trusting = Trusting::new().await;
    let Trusting { world, root, id, authority } = &trusting;
    let connection = shown(&trusting.of_care(), &[]);
    trusting.is_care(&connection).await;
    let gone = world.rest("DELETE", &format!("/certificate-authorities/{id}"), Some(root), None).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    trusting.is_refused(&connection).await;
    trust(world, root, authority).await;
    trusting.is_care(&connection).await;
}

#[tokio::test]
async fn a_client_certificate_forged_in_a_proxy_header_has_no_effect() {
    let trusting = Trusting::new().await;
    let pem = trusting.of_care().pem().replace('\n', " ");
    let der = STANDARD.encode(trusting.of_care().der());
    for name in [
        "x-client-cert",
        "x-client-certificate",
        "x-ssl-client-cert",
        "x-ssl-cert",
        "ssl-client-cert",
        "x-forwarded-client-cert",
        "x-forwarded-tls-client-cert",
        "x-arr-clientcert",
        "client-cert",
        "x-ssl-client-verify",
        "x-ssl-client-s-dn",
    ] {
        for value in [pem.as_str(), &der, "SUCCESS", "CN=crm", &format!("Cert=\"{der}\";URI={URI}")] {
            let request = Request::post("/wsi").header("content-type", media_type(Version::Soap11)).header(name, value);
            let text = envelope(Version::Soap11, "", &body("getServiceInfo", ""));
            let reply = trusting.world.send(request.body(Body::from(text)).unwrap()).await;
            // As a stranger, who is asked for a password.
            assert_eq!((reply.status.as_u16(), reply.fault().name.as_str()), (401, "NotAuthenticated"));
            let request = Request::get("/api/v1/service").header(name, value).body(Body::empty()).unwrap();
            trusting.world.send(request).await.is_problem(401, "NotAuthenticated", &[]);
        }
    }
}

#[tokio::test]
async fn an_authority_must_be_one_and_valid_and_is_added_only_by_who_may_do_everything() {
    let trusting = Trusting::new().await;
    let Trusting { world, root, authority, .. } = &trusting;
    let add = async |session: &str, pem: &str| {
        world.rest("POST", "/certificate-authorities", Some(session), Some(json!({"certificate": pem}))).await
    };
    let two = authority.pem() + &Authority::new("second").pem();
    for pem in [&trusting.of_care().pem(), "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", &two] {
        add(root, pem).await.is_problem(400, "InvalidArgument", &["certificate"]);
    }
    world.clock.advance_s(250 * 24 * 3600);
    let root = world.login("root").await;
    add(&root, &Authority::new("old").pem()).await.is_problem(400, "InvalidArgument", &["certificate"]);
    let made = world.rest("POST", "/keys", Some(&root), Some(json!({"right": ["certificate.*"]}))).await.json();
    let narrow = made["key"].as_str().unwrap();
    let denied = add(narrow, &Authority::new("mine").pem()).await;
    denied.is_problem(403, "NotAuthorized", &["certificate", "create"]);
    // Nor does it bind a name to somebody with more rights.
    let wanted = json!({"principal": "root", "nameKind": "COMMON_NAME", "nameValue": "mine"});
    let denied = world.rest("POST", "/certificate-bindings", Some(narrow), Some(wanted)).await;
    denied.is_problem(403, "NotAuthorized", &["certificate", "bind"]);
}
