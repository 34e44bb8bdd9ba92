//! One request and its answer, in the order that the contract sets: limits, parsing, envelope version, mustUnderstand,
//! credentials in transport and headers, addressing, dispatch, userSession, access control, arguments.
//!
//! Source: DM WSI contract, section 1.4.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_broker::access::{Caller, Face, Origin, Way};
use muster_broker::fault::{Fault, FaultName};
use muster_protocol::limits::Limits;
use muster_protocol::soap::addressing::{self, Addressing};
use muster_protocol::soap::envelope::{Refusal, is_known_header};
use muster_protocol::soap::security::{self, Password, Security};
use muster_protocol::soap::{Envelope, EnvelopeError, SoapFault, Version};
use muster_protocol::xml::element::{Element, TreeLimits, XmlError, XmlWriter};

use super::answer::Problem;
use super::http::{MediaType, is_packed, media_type, soap_action};
use super::outcome::Progress;
use crate::contract;
use crate::contract::session::{Login, Logout, RenewSession};
use crate::contract::value::Secret;
use crate::contract::{ELSEWHERE, NAMESPACE, Operation, Path, Record as _, Value as _, port_type};
use crate::dispatch::{Teller, carry_out};
use crate::identity::{
    Authorization, CERTIFICATE, ClientCertificate, Known, TOKEN, agreed, authorization, not_authenticated, zoned,
};
use crate::intake::{LARGE_BYTES, NotTaken, internal_error, peer_of};
use crate::refusals::note_at_the_door;
use crate::wsi::{Inner, Wsi};

/// How far ahead of our clock a Timestamp may be, in seconds.
const TIMESTAMP_AHEAD_S: i64 = 60;

/// A request as HTTP brought it.
struct Received {
    media_type: MediaType,
    soap_action: Option<String>,
    authorization: Authorization,
    /// That the client showed when it connected.
    certificate: Option<ClientCertificate>,
    origin: Origin,
    port_type: Option<&'static str>,
}

/// Answers a POST. Never fails: what goes wrong inside becomes `InternalError`.
pub(super) async fn post(wsi: Wsi, port_type: Option<&'static str>, request: Request) -> Response {
    let (parts, body) = {
        let peer = peer_of(&request);
        let (mut parts, body) = request.into_parts();
        ((parts.headers, peer, parts.extensions.remove::<ClientCertificate>()), body)
    };
    let (headers, peer, certificate) = parts;
    if is_packed(&headers) {
        return refused_type("Content-Encoding is not taken here; send the message as it is.\n");
    }
    let Some(media_type) = media_type(&headers) else {
        return refused_type("Content-Type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2).\n");
    };
    let id = wsi.inner.broker.environment().uuid();
    let correlation = id.to_string();
    let version = media_type.version;
    let octets = match wsi.inner.body(&headers, body).await {
        Ok(octets) => octets,
        Err(NotTaken::TooSlow) => {
            let mut response = (StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.\n").into_response();
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
        Err(NotTaken::Fault(fault)) => {
            let progress = Progress { version: Some(version), has_credentials: true, ..Progress::default() };
            let mut response = wsi.inner.fault(&Problem::Application(fault), &progress, version, &correlation);
            // The rest of the body is not read, so the connection is of no further use.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    let received = Received {
        media_type,
        soap_action: soap_action(&headers),
        authorization: authorization(&headers),
        certificate,
        origin: Origin { peer, face: Face::Soap, way: Way::Password, correlation: id },
        port_type,
    };
    // A task of its own: it goes on when the caller hangs up, and a panic in it ends with an answer.
    let correlation_of_task = correlation.clone();
    let wsi_of_task = wsi.clone();
    let served = tokio::spawn(async move { wsi_of_task.inner.exchange(received, octets, &correlation_of_task).await });
    match served.await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(correlation.id = correlation, cause = %error, "a request ended in a panic");
            let progress = Progress { version: Some(version), has_credentials: true, ..Progress::default() };
            wsi.inner.fault(&Problem::Application(internal_error()), &progress, version, &correlation)
        }
    }
}

fn refused_type(text: &'static str) -> Response {
    let mut response = (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Inner {
    async fn exchange(&self, received: Received, octets: Bytes, correlation: &str) -> Response {
        let mut progress = Progress::default();
        let fallback = received.media_type.version;
        match self.steps(&received, octets, &mut progress).await {
            Ok(body) => self.answer(progress, fallback, &body, correlation).await,
            Err(problem) => {
                if let Problem::Application(fault) | Problem::Credentials(fault) = &problem {
                    let operation = progress.operation.as_deref().unwrap_or_default();
                    let name = progress.caller.as_deref().or(progress.claimed.as_deref());
                    note_at_the_door(&self.broker, name, received.origin, operation, fault).await;
                }
                self.refuse(progress, fallback, &problem, correlation).await
            }
        }
    }

    /// The steps. Each may be refused; what was learnt by then is in `progress`.
    async fn steps(&self, received: &Received, octets: Bytes, progress: &mut Progress) -> Result<String, Problem> {
        progress.has_credentials = received.authorization != Authorization::None || received.certificate.is_some();
        let root = parse(octets, received.media_type.charset.clone(), self.broker.settings().request_bytes_max).await?;
        let envelope = envelope_of(root, progress)?;
        progress.version = Some(envelope.version);
        envelope.must_understand(is_known_header).map_err(|refusal| match refusal {
            Refusal::Fault(fault) => Problem::Header(fault),
            Refusal::Malformed(why) => malformed(why).into(),
        })?;

        let addressing = Addressing::read(&envelope.headers);
        if let Ok(addressing) = &addressing {
            // Until the caller is known to be allowed another address, answers go back on the connection.
            progress.addressing = addressing.clone().map(Addressing::on_connection);
        }
        let security = Security::read(&envelope.headers)?;
        let in_body = session_of(&envelope.body);
        progress.has_credentials |= security.as_ref().is_some_and(|it| it.token.is_some()) || in_body.is_some();
        progress.claimed = claimed(received, security.as_ref(), in_body.as_deref());
        let (known, session) = self.credentials(received, security).await?;

        let action = received.soap_action.as_deref().or(received.media_type.action.as_deref());
        let addressing = addressing?;
        if let Some(addressing) = &addressing {
            addressing.agree_with(action)?;
        }

        let name = self.dispatch(received, &envelope.body, progress)?;
        let operation = Operation::parse(&name);
        if operation == Some(Operation::Login) {
            progress.has_credentials = true;
            let request = Login::read_fields(&envelope.body, &Path::ROOT)?;
            progress.claimed = Some(request.user_name.clone());
            if known.is_some_and(|known| known.account.principal.name != request.user_name) {
                return Err(not_authenticated().into());
            }
            let entrant = self.entrant(&request, received.origin).await?;
            // From here on it is known who asks. A session goes only to an address that is allowed to this caller, and
            // is not opened where it could not be told.
            self.direct(progress, addressing, &entrant.caller(), envelope.version).await?;
            let session = self.open_session(&entrant).await.inspect_err(|_| {
                // Nobody has logged in, so nobody is told elsewhere.
                *progress = std::mem::take(progress).on_connection();
            })?;
            return Ok(Spelt(&name).tell::<Login>(&session));
        }
        let by_session = Origin { way: Way::Session, ..received.origin };
        let mut known = known.map(|known| known.caller(received.origin));
        if let Some(session) = session {
            known = Some(self.caller(known, Some(&session.0), by_session).await?);
        }
        if operation == Some(Operation::Logout) {
            if known.is_none() && in_body.is_none() {
                return Err(not_authenticated().into());
            }
            let request = Logout::read_fields(&envelope.body, &Path::ROOT)?;
            if addressing.as_ref().is_some_and(Addressing::goes_elsewhere) {
                // A session that has ended names nobody, so there is nobody whose addresses could be looked at.
                let owner = self.caller(known.clone(), in_body.as_deref(), by_session).await;
                let owner = owner.map_err(|fault| match fault.name.is_servers() {
                    true => fault.into(),
                    false => Problem::from(addressing::only_anonymous()),
                })?;
                self.direct(progress, addressing, &owner, envelope.version).await?;
            }
            self.logout(&request.user_session.session_id, known.as_ref(), by_session).await?;
            return Ok(Spelt(&name).tell::<Logout>(&()));
        }
        let mut caller = self.caller(known, in_body.as_deref(), by_session).await?;
        progress.caller = Some(caller.name.clone());
        self.broker.admit(&caller.tenant, &caller.name).await?;
        caller.message_id = addressing.as_ref().and_then(|addressing| addressing.message_id.as_deref()).map(Into::into);
        self.direct(progress, addressing, &caller, envelope.version).await?;
        match operation {
            None => {
                let text = format!("{name} is not offered by this server");
                Err(Fault::new(FaultName::NotImplemented, text).with(name).into())
            }
            Some(Operation::RenewSession) => {
                let request = RenewSession::read_fields(&envelope.body, &Path::ROOT)?;
                let session = self.renew_session(&request.user_session.session_id).await?;
                Ok(Spelt(&name).tell::<RenewSession>(&session))
            }
            Some(operation) => Ok(carry_out(&self.broker, &caller, operation, &envelope.body, Spelt(&name)).await?),
        }
    }

    /// Lets answers go where they are to go, now that it is known whose they are.
    async fn direct(
        &self,
        progress: &mut Progress,
        addressing: Option<Addressing>,
        caller: &Caller,
        version: Version,
    ) -> Result<(), Problem> {
        let Some(addressing) = addressing else { return Ok(()) };
        progress.elsewhere = self.elsewhere(caller, &addressing, version).await?;
        progress.addressing = Some(addressing);
        Ok(())
    }

    /// Who the credentials in transport and headers say the caller is; nothing where there are none. And the session
    /// that stands among them.
    async fn credentials(
        &self,
        received: &Received,
        security: Option<Security>,
    ) -> Result<(Option<Known>, Option<Secret>), Problem> {
        let by_certificate = self.identity.by_certificate(&self.broker, received.certificate.as_ref()).await?;
        let by_token = match security {
            None => None,
            Some(security) => {
                self.check_timestamp(&security)?;
                match security.token {
                    None => None,
                    Some(token) => {
                        let way = match &token.password {
                            Password::Text(_) => Way::Password,
                            Password::Digest { .. } => Way::Digest,
                        };
                        let account = self.identity.by_token(&self.broker, &token, received.origin.peer).await;
                        let account = account.map_err(|fault| {
                            let is_servers = fault.name.is_servers();
                            if is_servers { Problem::Application(fault) } else { Problem::Credentials(fault) }
                        })?;
                        Some(Known::whole(account, way))
                    }
                }
            }
        };
        let authorized = self.identity.authorized(&self.broker, &received.authorization, received.origin).await?;
        Ok((agreed([by_certificate, by_token, authorized.known])?, authorized.session))
    }

    fn check_timestamp(&self, security: &Security) -> Result<(), Problem> {
        let Some(timestamp) = &security.timestamp else { return Ok(()) };
        let now = self.broker.environment().now();
        let read = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => zoned(text).map(Some).ok_or_else(|| security::invalid("a Timestamp has a time without zone")),
        };
        if read(&timestamp.created)?.is_some_and(|created| now.plus_s(TIMESTAMP_AHEAD_S) < created) {
            return Err(security::invalid("the Timestamp was made in the future").into());
        }
        if read(&timestamp.expires)?.is_some_and(|expires| expires <= now) {
            return Err(security::message_expired().into());
        }
        Ok(())
    }

    /// The name of the operation that the body asks for, as it is spelt there.
    fn dispatch(&self, received: &Received, body: &Element, progress: &mut Progress) -> Result<String, Problem> {
        let name = body.name.local.as_str();
        let is_ours = body.name.namespace.as_deref() == Some(NAMESPACE);
        let found = port_type(name).filter(|_| is_ours);
        let here = found.filter(|found| received.port_type.is_none_or(|wanted| wanted == *found));
        let Some(port_type) = here else {
            let text = match found {
                Some(port_type) => format!("{name} is an operation of {port_type}, which has another address"),
                None => "the body element is no operation of this server; is its namespace right?".to_owned(),
            };
            return Err(Fault::new(FaultName::UnknownMessage, text).with(name).into());
        };
        progress.operation = Some(name.to_owned());
        let names = |action: &str| names_operation(action, port_type, name);
        if let Some(addressing) = &progress.addressing
            && !names(&addressing.action)
        {
            return Err(addressing::action_not_supported().into());
        }
        for (parameter, action) in [("SOAPAction", &received.soap_action), ("action", &received.media_type.action)] {
            if let Some(action) = action.as_deref().filter(|action| !names(action)) {
                return Err(Fault::invalid(parameter, action, "names another operation than the body").into());
            }
        }
        Ok(name.to_owned())
    }
}

/// The body of an answer, named as the request was spelt.
struct Spelt<'n>(&'n str);

impl Teller for Spelt<'_> {
    type Told = String;

    fn tell<R: contract::Request>(self, answer: &R::Answer) -> String {
        let mut writer = XmlWriter::new();
        let name = format!("{}Response", self.0);
        writer.start(&name, &[("xmlns", NAMESPACE)]);
        R::write_answer(answer, &mut writer);
        writer.end(&name);
        writer.finish()
    }
}

/// Whether an action names this operation, in any of the spellings that are taken.
fn names_operation(action: &str, port_type: &str, name: &str) -> bool {
    let Some((given_type, given)) =
        action.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let is_type = super::port_type_of_address(given_type) == Some(port_type);
    let is_same = given == name || Operation::parse(given).is_some_and(|it| Operation::parse(name) == Some(it));
    is_type && is_same && (Operation::parse(name).is_some() || ELSEWHERE.iter().any(|(known, _)| *known == port_type))
}

/// The name that credentials give, proved or not.
fn claimed(received: &Received, security: Option<&Security>, session: Option<&str>) -> Option<String> {
    let token = security.and_then(|security| security.token.as_ref()).map(|token| token.name.clone());
    let certificate = received.certificate.as_ref().map(|_| CERTIFICATE.to_owned());
    let session = session.map(|_| TOKEN.to_owned());
    token.or_else(|| received.authorization.claimed()).or(certificate).or(session)
}

/// The session that the body names, before anything else of the body is looked at.
fn session_of(body: &Element) -> Option<String> {
    let child = |element: &Element, name: &str| {
        let is_ours = |it: &&Element| it.name.namespace.as_deref().is_none_or(|namespace| namespace == NAMESPACE);
        element.children.iter().filter(is_ours).find(|it| it.name.local == name).cloned()
    };
    let id = child(&child(body, "userSession")?, "sessionId")?;
    Secret::read(&id, &Path::ROOT).ok().map(|id| id.0)
}

async fn parse(octets: Bytes, charset: Option<String>, bytes_max: u64) -> Result<Element, Problem> {
    let document = Limits { document_bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX), ..Limits::WSI };
    let limits = TreeLimits { document, ..TreeLimits::WSI };
    let read = if octets.len() > LARGE_BYTES {
        tokio::task::spawn_blocking(move || Element::read(&octets, charset.as_deref(), &limits))
            .await
            .map_err(|_| internal_error())?
    } else {
        Element::read(&octets, charset.as_deref(), &limits)
    };
    read.map_err(|error| match error {
        XmlError::TooLarge { what, max } => too_large(what, max),
        XmlError::Encoding | XmlError::DocType | XmlError::ProcessingInstruction | XmlError::Malformed { .. } => {
            malformed(&error.to_string()).into()
        }
    })
}

fn envelope_of(root: Element, progress: &mut Progress) -> Result<Envelope, Problem> {
    Envelope::of(root).map_err(|error| match error {
        EnvelopeError::VersionMismatch => {
            // The one version that every sender of SOAP can read.
            progress.version = Some(Version::Soap11);
            Problem::Header(Box::new(SoapFault::version_mismatch()))
        }
        EnvelopeError::Malformed { version, why } => {
            progress.version = version;
            malformed(&format!("not a SOAP message: {why}")).into()
        }
        EnvelopeError::TooLarge { version, what, max } => {
            progress.version = Some(version);
            too_large(what, max)
        }
    })
}

fn malformed(why: &str) -> Fault {
    Fault::new(FaultName::MalformedMessage, why)
}

fn too_large(what: &str, max: usize) -> Problem {
    let text = format!("the message exceeds the limit of {max} {what}");
    Fault::new(FaultName::RequestTooLarge, text).with(what).with(max).into()
}
