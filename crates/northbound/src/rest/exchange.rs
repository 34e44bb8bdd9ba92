//! One request and its answer, in this order: address, method, media types, limits, credentials, body, rights,
//! arguments.
//!
//! Here the operation is known from the request line, so that credentials are asked for before a body is looked at.
//!
//! Source: DM WSI contract, sections 1.4 and 10.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as Verb, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_broker::access::{Caller, Face, Origin, Way};
use muster_broker::fault::{Fault, FaultName};
use muster_protocol::limits::Limits;

use super::address::{Address, nowhere};
use super::answer::{Document, NO_ITEMS, bodiless, is_unknown, success};
use super::credentials::Given;
use super::import;
use super::negotiate::{is_json, takes_json};
use super::parameters::{assemble, is_about_path, told};
use super::problem::Problem;
use super::reference;
use super::routes::{Method, Place, Route, When, places};
use crate::contract::device_manager::{DeviceInstanceList, GetDeviceInstanceByPhoneNumber};
use crate::contract::session::{Login, Logout, RenewSession};
use crate::contract::{At, JsonNotRead, JsonWriter, Node, Operation, Path, Record, Value as _, Written};
use crate::dispatch::{Teller, carry_out, may};
use crate::intake::{LARGE_BYTES, NotTaken, internal_error, peer_of};
use crate::refusals::{self, note_at_the_door};
use crate::wsi::{Inner, Wsi};

/// What is known about a request by and by, so that a fault at any step can be answered and logged.
#[derive(Default)]
struct Progress {
    operation: &'static str,
    caller: String,
    /// Name that the credentials gave, proved or not.
    claimed: Option<String>,
}

/// A request whose address leads somewhere.
struct Received {
    route: &'static Route,
    address: Address,
    headers: HeaderMap,
    given: Given,
    origin: Origin,
}

/// Answers a request. Never fails: what goes wrong inside becomes `InternalError`.
pub(super) async fn answer(wsi: Wsi, request: Request) -> Response {
    let id = wsi.inner.broker.environment().uuid();
    let origin = Origin { peer: peer_of(&request), face: Face::Rest, way: Way::Password, correlation: id };
    let correlation = id.to_string();
    let is_head = request.method() == Verb::HEAD;
    let response = match serve(&wsi, request, origin, &correlation).await {
        Ok(response) => response,
        Err(problem) => {
            problem.log(&correlation, "", "");
            problem.answer(&correlation)
        }
    };
    if is_head { bodiless(response).await } else { response }
}

async fn serve(wsi: &Wsi, request: Request, origin: Origin, correlation: &str) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let address = Address::read(parts.uri.path(), parts.uri.query())?;
    if let Some(answer) = reference::answer(&address.segments, &parts.method, &parts.headers) {
        return answer;
    }
    if let Some(meant) = import::meant(&address, &parts.method, &parts.headers)? {
        refuse_overriding(&parts.headers)?;
        let given = Given::of(&mut parts);
        return import::answer(wsi, meant, &address, &parts, &given, body, origin).await;
    }
    let places = places(&address.segments);
    if places.is_empty() {
        return Err(nowhere().into());
    }
    if parts.method == Verb::OPTIONS {
        let allow = [(header::ALLOW, allowed(&places))];
        return Ok((StatusCode::NO_CONTENT, allow).into_response());
    }
    refuse_overriding(&parts.headers)?;
    let place = chosen(&places, &parts.method, &address)?;
    takes_json(&parts.headers)?;
    let given = Given::of(&mut parts);
    if given.is_nothing() && !is_open(place) {
        // Whatever the body is: nobody is asked to send it first.
        return Err(wsi.inner.challenge(not_known(), true));
    }
    let octets = take(&wsi.inner, &parts.headers, body).await?;
    let route = match place {
        Place::Route(route) => route,
        Place::Absent(_, name) => return Err(wsi.inner.absent(name, &given, origin).await),
    };
    check_body(route, &parts.headers, &octets)?;
    let received = Received { route, address, headers: parts.headers, given, origin };
    // A task of its own: it goes on when the caller hangs up, and a panic in it ends with an answer.
    let (wsi, correlation_of_task) = (wsi.clone(), correlation.to_owned());
    let served = tokio::spawn(async move { wsi.inner.rest_exchange(received, octets, &correlation_of_task).await });
    served.await.map_err(|error| {
        tracing::error!(correlation.id = correlation, cause = %error, "a request ended in a panic");
        internal_error().into()
    })
}

/// The methods of an address.
fn allowed(places: &[Place]) -> HeaderValue {
    let mut names = Vec::new();
    for method in Method::ALL {
        if places.iter().any(|place| place.method() == method) {
            names.push(method.as_str());
            if method == Method::Get {
                names.push("HEAD");
            }
        }
    }
    names.push("OPTIONS");
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

/// The operation that method and query mean.
fn chosen(places: &[Place], verb: &Verb, address: &Address) -> Result<Place, Problem> {
    let name = if verb == Verb::HEAD { "GET" } else { verb.as_str() };
    let here: Vec<Place> = places.iter().copied().filter(|place| place.method().as_str() == name).collect();
    let is_meant = |place: &&Place| match place {
        Place::Route(route) => match route.when {
            When::Else => false,
            When::Given(names) => address.query.iter().any(|(name, _)| names.contains(&name.as_str())),
            When::Flag(flag) => address.query.iter().any(|(name, value)| name == flag && value == "true"),
        },
        Place::Absent(..) => false,
    };
    let is_else = |place: &&Place| !matches!(place, Place::Route(route) if route.when != When::Else);
    let meant = here.iter().find(is_meant).or_else(|| here.iter().find(is_else));
    meant.copied().ok_or_else(|| {
        let fault = Fault::new(FaultName::UnknownMessage, format!("{verb} is no method of this address"));
        Problem::with_status(fault, StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allowed(places))
    })
}

/// Refuses requests that want to be another method than they are: whoever looked at the method before us saw the wrong one.
fn refuse_overriding(headers: &HeaderMap) -> Result<(), Fault> {
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        if headers.contains_key(HeaderName::from_static(name)) {
            return Err(Fault::invalid(name, "…", "the method is that of the request line; leave the header out"));
        }
    }
    Ok(())
}

/// Whether a stranger may ask.
fn is_open(place: Place) -> bool {
    matches!(place, Place::Route(route) if route.operation == Operation::Login)
}

fn not_known() -> Fault {
    crate::identity::not_authenticated()
}

async fn take(inner: &Inner, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let closing = |problem: Problem| problem.header(header::CONNECTION, HeaderValue::from_static("close"));
    inner.body(headers, body).await.map_err(|error| match error {
        NotTaken::TooSlow => {
            let fault = Fault::new(FaultName::MalformedMessage, "the request took too long to arrive");
            closing(Problem::with_status(fault, StatusCode::REQUEST_TIMEOUT))
        }
        NotTaken::Fault(fault) => closing(fault.into()),
    })
}

fn check_body(route: &Route, headers: &HeaderMap, octets: &Bytes) -> Result<(), Problem> {
    if octets.is_empty() {
        return Ok(());
    }
    if route.method.has_no_body() || super::parameters::takes_no_body(route) {
        let text = "this request takes no body; send the parameters in the address";
        return Err(Fault::invalid("body", "…", text).into());
    }
    is_json(headers)
}

impl Inner {
    /// A refusal of credentials with what is wanted instead.
    pub(super) fn challenge(&self, fault: Fault, is_stranger: bool) -> Problem {
        if fault.name.rest_status() != 401 {
            return fault.into();
        }
        let bearer =
            if is_stranger { "Bearer realm=\"DM WSI\"" } else { "Bearer realm=\"DM WSI\", error=\"invalid_token\"" };
        let mut problem = Problem::from(fault).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(bearer));
        if is_stranger && self.identity.takes_basic() {
            let basic = HeaderValue::from_static("Basic realm=\"DM WSI\", charset=\"UTF-8\"");
            problem = problem.header(header::WWW_AUTHENTICATE, basic);
        }
        problem
    }

    /// Answers for an operation that is not offered: only to those who are known.
    async fn absent(&self, name: &'static str, given: &Given, origin: Origin) -> Problem {
        match self.known(given, origin).await {
            Ok(known) => match self.broker.admit(&known.caller.tenant, &known.caller.name).await {
                Ok(()) => {
                    let text = format!("{name} is not offered by this server");
                    Fault::new(FaultName::NotImplemented, text).with(name).into()
                }
                Err(fault) => fault.into(),
            },
            Err(fault) => self.challenge(fault, false),
        }
    }

    async fn rest_exchange(&self, received: Received, octets: Bytes, correlation: &str) -> Response {
        let mut progress = Progress { operation: received.route.operation.descriptor().name, ..Progress::default() };
        match self.rest_steps(&received, &octets, &mut progress).await {
            Ok(written) => success(received.route, &received.headers, written),
            Err(problem) => {
                let name = Some(progress.caller.as_str()).filter(|name| !name.is_empty());
                let name = name.or(progress.claimed.as_deref());
                let operation = progress.operation;
                note_at_the_door(&self.broker, name, received.origin, operation, &problem.fault).await;
                problem.log(correlation, progress.operation, &progress.caller);
                problem.answer(correlation)
            }
        }
    }

    /// The steps. Each may be refused; what was learnt by then is in `progress`.
    async fn rest_steps(
        &self,
        received: &Received,
        octets: &Bytes,
        progress: &mut Progress,
    ) -> Result<Written, Problem> {
        let Received { route, given: credentials, origin, .. } = received;
        let is_stranger = credentials.is_nothing();
        progress.claimed = credentials.claimed();
        let refused = |fault: Fault| self.challenge(fault, is_stranger);
        let named = |fault: Fault| {
            let fault = told(route, fault);
            // What a path names and cannot be, is not there.
            if is_about_path(route, &fault) { Problem::with_status(fault, StatusCode::NOT_FOUND) } else { fault.into() }
        };
        match route.operation {
            Operation::Login => {
                let known =
                    if is_stranger { None } else { Some(self.known(credentials, *origin).await.map_err(refused)?) };
                let given = parameters(received, self.read(octets).await?)?;
                let request = Login::read_fields(&given, &Path::ROOT).map_err(named)?;
                progress.claimed = Some(request.user_name.clone());
                if known.is_some_and(|known| known.caller.name != request.user_name) {
                    return Err(refused(not_known()));
                }
                let entrant = self.entrant(&request, *origin).await.map_err(refused)?;
                let session = self.open_session(&entrant).await.map_err(refused)?;
                return Ok(Document::of(route).tell::<Login>(&session));
            }
            Operation::Logout => return self.rest_logout(credentials, *origin, route).await.map_err(refused),
            _ => {}
        }
        let known = self.known(credentials, *origin).await.map_err(refused)?;
        progress.caller.clone_from(&known.caller.name);
        self.broker.admit(&known.caller.tenant, &known.caller.name).await?;
        if route.operation == Operation::RenewSession {
            let session = known.session.ok_or_else(nowhere)?;
            let renewed = self.renew_session(&session).await.map_err(refused)?;
            return Ok(Document::of(route).tell::<RenewSession>(&renewed));
        }
        let body = self.read(octets).await?;
        // Rights count before parameters, which tell what was refused all the same.
        let read = parameters(received, body);
        let may = may(&known.caller, route.operation).map_err(Problem::from);
        let given = match (may, read) {
            (Ok(()), Ok(given)) => given,
            (Err(problem), read) => {
                refusals::note(&self.broker, &known.caller, route.operation, read.ok().as_ref(), &problem.fault).await;
                return Err(problem);
            }
            (Ok(()), Err(problem)) => {
                let nothing = None::<&Node<'_>>;
                refusals::note(&self.broker, &known.caller, route.operation, nothing, &problem.fault).await;
                return Err(problem);
            }
        };
        let carried = carry_out(&self.broker, &known.caller, route.operation, &given, Document::of(route)).await;
        match carried {
            Err(fault) if route.is_query && is_unknown(fault.name) => Ok(Written::plain(NO_ITEMS)),
            Err(fault) if route.is_query && fault.name == FaultName::AmbiguousDevice => {
                self.several(&known.caller, &given).await.map_err(named)
            }
            carried => carried.map_err(named),
        }
    }

    /// Ends the session that the request came with. One that is unknown or has ended is no error.
    async fn rest_logout(&self, given: &Given, origin: Origin, route: &'static Route) -> Result<Written, Fault> {
        let (known, session) = self.shown(given, origin).await?;
        match session {
            Some(session) => self.logout(&session, known.as_ref(), origin).await?,
            None => return Err(if known.is_some() { nowhere() } else { not_known() }),
        }
        Ok(Document::of(route).tell::<Logout>(&()))
    }

    /// The device records with one number, where there are several.
    async fn several(&self, caller: &Caller, given: &Node<'_>) -> Result<Written, Fault> {
        let request = GetDeviceInstanceByPhoneNumber::read_fields(given, &Path::ROOT)?;
        let devices = self.broker.devices_by_phone_number(caller, &request.phone_number).await?;
        let mut list = DeviceInstanceList {
            total_count: i64::try_from(devices.len()).unwrap_or(i64::MAX),
            device_instance: devices.into_iter().map(Into::into).collect(),
            next_page_token: None,
        };
        if !self.broker.sees_personal(caller) {
            list.hide("");
        }
        let mut writer = JsonWriter::new().page();
        list.write(At::field(""), &mut writer);
        Ok(writer.finish())
    }

    /// Reads the body, if there is one.
    async fn read<'r>(&self, octets: &'r Bytes) -> Result<Option<Node<'r>>, Fault> {
        if octets.is_empty() {
            return Ok(None);
        }
        let read = if octets.len() > LARGE_BYTES {
            let octets = octets.clone();
            let read = tokio::task::spawn_blocking(move || Node::read(&octets, &Limits::WSI).map(Node::into_owned));
            read.await.map_err(|_| internal_error())?
        } else {
            Node::read(octets, &Limits::WSI)
        };
        read.map(Some).map_err(not_read)
    }
}

/// The fault for a body that is no document of JSON that is taken here.
fn not_read(error: JsonNotRead) -> Fault {
    match error {
        JsonNotRead::TooLarge { what, max } => {
            let text = format!("the body exceeds the limit of {max} {what}");
            Fault::new(FaultName::RequestTooLarge, text).with(what).with(max)
        }
        JsonNotRead::Malformed(why) => {
            Fault::new(FaultName::MalformedMessage, format!("the body is not well-formed JSON: {why}"))
        }
    }
}

/// Reads a body and the parameters of an operation from it, as a request would, and does nothing with them. Returns how
/// many values the document has.
pub(super) fn read_as<R: Record>(document: &[u8]) -> Result<usize, Fault> {
    let node = Node::read(document, &Limits::WSI).map_err(not_read)?;
    R::read_fields(&node, &Path::ROOT).map(|_| node.count())
}

/// The parameters of a request.
fn parameters<'r>(received: &'r Received, body: Option<Node<'r>>) -> Result<Node<'r>, Problem> {
    let Received { route, address, headers, .. } = received;
    assemble(route, &address.segments, &address.query, headers, body).map_err(Into::into)
}
