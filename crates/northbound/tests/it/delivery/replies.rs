//! Answers that go to another address than the connection of the request.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::access::{Caller, Grant, GrantTenant, Granted, Principal};
use muster_broker::callback::CredentialKind;
use muster_broker::ledger::Deed;
use muster_broker::services::CallbackAddressFields;
use muster_broker::time::Timestamp;
use muster_northbound::{Wsi, hash_password, router};
use muster_protocol::soap::Version;
use tower::ServiceExt as _;

use super::receiver::{Reaction, Receiver};
use super::world::{NUMBER, World, credential, soap};
use crate::world::{BOTH, body, envelope, media_type, quick};

const WSA: &str = "http://www.w3.org/2005/08/addressing";

struct Asking {
    world: World,
    router: Router,
    authorization: String,
}

impl Asking {
    async fn new() -> Self {
        let world = World::new().await;
        let hash = hash_password("s3cret", world.clock.as_ref()).unwrap();
        for name in ["crm", "care"] {
            let principal = Principal::of_role(name, "acme", "administrator", &hash);
            let deed = Deed::local("acme", "test", Timestamp(0));
            world.broker.store().principal_put(principal, deed).await.unwrap();
        }
        let router = router(Wsi::new(world.broker.clone(), quick()));
        Self { world, router, authorization: format!("Basic {}", STANDARD.encode("crm:s3cret")) }
    }

    /// Asks, with more headers of addressing; status and body of the answer on the connection.
    async fn ask(&self, version: Version, operation: &str, parameters: &str, more: &str) -> (StatusCode, String) {
        let port_type = match operation {
            "login" | "renewSession" | "logout" => "ISessionServices",
            _ => "IDeploymentBrokerServices",
        };
        let headers = format!(
            "<wsa:Action xmlns:wsa='{WSA}'>urn:muster:dmwsi:v1:{port_type}:{operation}</wsa:Action>\
             <wsa:MessageID xmlns:wsa='{WSA}'>urn:uuid:question</wsa:MessageID>{more}"
        );
        let text = envelope(version, &headers, &body(operation, parameters));
        let mut request = Request::post("/wsi").header("content-type", media_type(version));
        if !self.authorization.is_empty() {
            request = request.header("authorization", &self.authorization);
        }
        let request = request.body(Body::from(text)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let octets = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(octets.to_vec()).unwrap())
    }

    /// How often the log has this operation.
    async fn audited(&self, operation: &str) -> usize {
        let wanted =
            muster_broker::services::AuditWanted { operation: Some(operation.to_owned()), ..Default::default() };
        let caller = super::world::admin();
        self.world.broker.audit_entries(&caller, wanted, &Default::default()).await.unwrap().items.len()
    }

    async fn tasks(&self) -> usize {
        let wanted = muster_broker::services::TasksWanted {
            phone_number: Some(muster_broker::identity::Msisdn::parse(NUMBER).unwrap()),
            ..Default::default()
        };
        let caller = super::world::admin();
        self.world.broker.tasks(&caller, wanted, &Default::default()).await.unwrap().items.len()
    }
}

fn endpoint(name: &str, address: &str) -> String {
    format!(
        "<wsa:{name} xmlns:wsa='{WSA}'><wsa:Address>{address}</wsa:Address><wsa:ReferenceParameters>\
         <x:ticket xmlns:x='urn:x'>7</x:ticket></wsa:ReferenceParameters></wsa:{name}>"
    )
}

fn query(more: &str) -> String {
    format!(
        "<operation>QUERY</operation><phoneNumber>{NUMBER}</phoneNumber><bOptin>false</bOptin>\
         <acceptDevicePolicy>30</acceptDevicePolicy><testCycle>true</testCycle>{more}"
    )
}

#[tokio::test]
async fn the_same_answer_is_posted_to_an_allowed_address_and_the_connection_gets_202_without_a_body() {
    let (asking, receiver) = (Asking::new().await, Receiver::plain().await);
    let fields = CallbackAddressFields {
        credential: credential(CredentialKind::UsernameToken),
        ..soap(&receiver.url("/answers"))
    };
    asking.world.allow(fields).await;
    for version in BOTH {
        let to = endpoint("ReplyTo", &receiver.url("/answers/here"));
        let (status, text) = asking.ask(version, "doOperation", &query(""), &to).await;
        assert_eq!((status, text.as_str()), (StatusCode::ACCEPTED, ""));
    }
    assert_eq!((asking.tasks().await, receiver.connections()), (2, 0), "kept first, sent later");
    receiver.will([Reaction::Status(202, String::new()), Reaction::Status(204, String::new())]);
    asking.world.deliver().await;

    let mut seen = receiver.seen();
    seen.sort_by_key(|seen| seen.header("content-type").to_owned());
    let [soap12, soap11] = seen.as_slice() else { panic!("{seen:?}") };
    let action = "urn:muster:dmwsi:v1:IDeploymentBrokerServices:doOperationResponse";
    assert_eq!(soap11.header("soapaction"), format!("\"{action}\""));
    assert_eq!(soap12.header("content-type"), format!("application/soap+xml; charset=utf-8; action=\"{action}\""));
    for seen in [soap11, soap12] {
        assert_eq!(seen.path, "/answers/here");
        for (name, value) in [
            ("Action", action),
            ("To", &receiver.url("/answers/here")),
            ("RelatesTo", "urn:uuid:question"),
            ("ticket", "7"),
            ("Username", "mu&ster"),
        ] {
            assert_eq!(seen.all(name), [value], "{name}");
        }
        assert!(seen.all("taskId")[0].starts_with('t'), "{}", seen.body);
    }
    let left = asking.world.broker.callback_queues(&super::world::admin(), &Default::default()).await.unwrap();
    assert_eq!(left.total, 0);
}

#[tokio::test]
async fn a_fault_goes_where_faults_are_to_go() {
    let (asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    let to = endpoint("FaultTo", &receiver.url("/faults"));
    let (status, text) = asking.ask(Version::Soap11, "getTaskById", "<taskId>t-9</taskId>", &to).await;
    assert_eq!((status, text.as_str()), (StatusCode::ACCEPTED, ""));
    let (status, _) = asking.ask(Version::Soap11, "doOperation", &query(""), &to).await;
    assert_eq!(status, StatusCode::OK, "what goes well is answered here");
    receiver.will([Reaction::Status(200, String::new())]);
    asking.world.deliver().await;
    let seen = receiver.seen();
    assert_eq!(
        (seen.len(), seen[0].all("messageId"), seen[0].all("RelatesTo")),
        (1, vec!["DMS0101".into()], vec!["urn:uuid:question".into()])
    );
    assert!(seen[0].all("Action")[0].ends_with("getTaskById:Fault:ServiceException"));
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_told_on_the_connection_and_nothing_is_done() {
    let (asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/answers"))).await;
    asking.world.allow(super::world::hook(&receiver.url("/hook"))).await;
    for address in [
        receiver.url("/elsewhere"),
        receiver.url("/hook"),
        format!("http://crm@{}/answers", receiver.address),
        "http://169.254.169.254/latest/meta-data/".into(),
        "https://[::1]/answers".into(),
        "urn:uuid:1".into(),
    ] {
        for name in ["ReplyTo", "FaultTo"] {
            let (_, text) = asking.ask(Version::Soap11, "doOperation", &query(""), &endpoint(name, &address)).await;
            assert!(text.contains("OnlyAnonymousAddressSupported"), "{address}: {text}");
        }
    }
    asking.world.deliver().await;
    assert_eq!((asking.tasks().await, receiver.connections()), (0, 0));
}

const LOGIN: &str = "<userName>crm</userName><password>s3cret</password>";

fn of(session: &str) -> String {
    format!("<userSession><sessionId>{session}</sessionId></userSession>")
}

#[tokio::test]
async fn a_session_is_opened_renewed_and_ended_by_answers_that_go_elsewhere() {
    let (mut asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    asking.authorization = String::new();
    let to = endpoint("ReplyTo", &receiver.url("/sessions"));
    receiver.will((0..3).map(|_| Reaction::Status(202, String::new())));
    let mut session = String::new();
    for operation in ["login", "renewSession", "logout"] {
        let parameters = if operation == "login" { LOGIN.to_owned() } else { of(&session) };
        let told = asking.ask(Version::Soap12, operation, &parameters, &to).await;
        assert_eq!(told, (StatusCode::ACCEPTED, String::new()), "{operation}");
        asking.world.deliver().await;
        let seen = receiver.seen().pop().unwrap();
        assert_eq!(seen.all("RelatesTo"), ["urn:uuid:question"]);
        assert_eq!(seen.all("Action"), [format!("urn:muster:dmwsi:v1:ISessionServices:{operation}Response")]);
        match operation {
            "login" => session = seen.all("sessionId").remove(0),
            "renewSession" => assert_eq!(seen.all("sessionId"), [session.as_str()]),
            _ => assert!(seen.all("sessionId").is_empty()),
        }
    }
    let (_, text) = asking.ask(Version::Soap12, "renewSession", &of(&session), "").await;
    assert!(text.contains("NotAuthenticated"), "the session has ended: {text}");
}

#[tokio::test]
async fn nothing_of_a_session_goes_to_an_address_that_is_not_allowed_and_none_is_opened_for_it() {
    let (mut asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/answers"))).await;
    // Of the same domain, but for another caller.
    let others = CallbackAddressFields { owner: Some("care".into()), ..soap(&receiver.url("/others")) };
    asking.world.allow(others).await;
    asking.authorization = String::new();
    let (_, text) = asking.ask(Version::Soap11, "login", LOGIN, "").await;
    let begin = text.find("<sessionId>").unwrap() + "<sessionId>".len();
    let session = text[begin..].split('<').next().unwrap().to_owned();
    let before = asking.audited("login").await;
    for path in ["/elsewhere", "/others"] {
        for name in ["ReplyTo", "FaultTo"] {
            let to = endpoint(name, &receiver.url(path));
            for operation in ["login", "renewSession", "logout"] {
                let parameters = if operation == "login" { LOGIN.to_owned() } else { of(&session) };
                let (_, text) = asking.ask(Version::Soap12, operation, &parameters, &to).await;
                assert!(text.contains("OnlyAnonymousAddressSupported"), "{operation} {name} {path}: {text}");
            }
        }
    }
    // A session that has ended names nobody.
    let to = endpoint("ReplyTo", &receiver.url("/answers"));
    let (_, text) = asking.ask(Version::Soap12, "logout", &of("x"), &to).await;
    assert!(text.contains("OnlyAnonymousAddressSupported"), "{text}");

    assert_eq!(asking.world.deliver().await, 0);
    assert_eq!(asking.audited("login").await, before, "no session was opened");
    let (status, text) = asking.ask(Version::Soap12, "renewSession", &of(&session), "").await;
    assert_eq!(status, StatusCode::OK, "the session was not ended: {text}");
}

#[tokio::test]
async fn a_login_that_fails_sends_nothing_to_the_address_that_it_names() {
    let (mut asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    asking.authorization = String::new();
    let to = endpoint("ReplyTo", &receiver.url("/")) + &endpoint("FaultTo", &receiver.url("/"));
    for parameters in [
        "<userName>crm</userName><password>wrong</password>",
        "<userName>nobody</userName><password>s3cret</password>",
        "<userName>crm</userName><password>s3cret</password><tenant>other</tenant>",
        "<userName>crm</userName>",
    ] {
        let (_, text) = asking.ask(Version::Soap11, "login", parameters, &to).await;
        assert!(text.contains("NotAuthenticated") || text.contains("MissingArgument"), "{parameters}: {text}");
    }
    // Right in every respect but for the domain, which is gone while its list of addresses is not.
    let everywhere = Grant::whole(Granted::Role("administrator".into()), GrantTenant::Any);
    let hash = hash_password("s3cret", asking.world.clock.as_ref()).unwrap();
    let operator = Principal { grants: vec![everywhere], ..Principal::of_role("operator", "acme", "", &hash) };
    asking.world.broker.store().principal_put(operator, Deed::local("acme", "test", Timestamp(0))).await.unwrap();
    let of_ghost = Caller::local("root", "ghost", "administrator");
    asking.world.broker.create_callback_address(&of_ghost, soap(&receiver.url("/")), None, None).await.unwrap();
    let parameters = "<userName>operator</userName><password>s3cret</password><tenant>ghost</tenant>";
    let (_, text) = asking.ask(Version::Soap12, "login", parameters, &to).await;
    assert!(text.contains("NotAuthenticated"), "{text}");
    assert_eq!((asking.world.deliver().await, receiver.connections()), (0, 0));
}

#[tokio::test]
async fn an_answer_that_waits_is_sealed_and_one_of_an_earlier_version_is_sent_as_it_is() {
    let (asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    let to = endpoint("ReplyTo", &receiver.url("/"));
    let (status, _) = asking.ask(Version::Soap11, "login", LOGIN, &to).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    for file in std::fs::read_dir(asking.world.data()).unwrap() {
        let octets = std::fs::read(file.unwrap().path()).unwrap();
        let has = |text: &str| octets.windows(text.len()).any(|it| it == text.as_bytes());
        assert!(!has("sessionId"), "the session lies open in the database");
    }
    assert_eq!(asking.world.broker.kept_reply("<e>old</e>").unwrap(), "<e>old</e>");
    receiver.will([Reaction::Status(202, String::new())]);
    asking.world.deliver().await;
    assert_eq!(receiver.seen()[0].all("sessionId").len(), 1);
}

#[tokio::test]
async fn somebody_who_is_not_known_gets_the_refusal_on_the_connection() {
    let (mut asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    asking.authorization = format!("Basic {}", STANDARD.encode("crm:wrong"));
    let to = endpoint("ReplyTo", &receiver.url("/")) + &endpoint("FaultTo", &receiver.url("/"));
    let (_, text) = asking.ask(Version::Soap12, "doOperation", &query(""), &to).await;
    assert!(text.contains("NotAuthenticated"), "{text}");
    assert_eq!(asking.world.deliver().await, 0);
}

#[tokio::test]
async fn an_answer_waits_for_a_receiver_that_is_down_and_comes_once_with_the_same_message_identifier() {
    let (asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    let to = endpoint("ReplyTo", &receiver.url("/"));
    asking.ask(Version::Soap11, "doOperation", &query(""), &to).await;
    receiver.will([Reaction::Status(503, String::new()), Reaction::Status(202, String::new())]);
    for _ in 0..3 {
        asking.world.deliver().await;
        asking.world.advance_s(60);
    }
    let ids = receiver.all("MessageID");
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[tokio::test]
async fn what_a_callback_tells_relates_to_the_request_that_asked_for_it() {
    let (asking, receiver) = (Asking::new().await, Receiver::plain().await);
    asking.world.allow(soap(&receiver.url("/"))).await;
    let callback = format!("<callback><address>{}</address><reference>r</reference></callback>", receiver.url("/"));
    let (status, text) = asking.ask(Version::Soap11, "doOperation", &query(&callback), "").await;
    assert_eq!(status, StatusCode::OK, "{text}");
    asking.world.deliver().await;
    let seen = receiver.seen().remove(0);
    assert_eq!((seen.all("RelatesTo"), seen.all("reference")), (vec!["urn:uuid:question".into()], vec!["r".into()]));
}
