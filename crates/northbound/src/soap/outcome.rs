//! Where the answer to a request goes: back on the connection, nowhere, or to another address, durably.
//!
//! Sources: DM WSI contract, section 3, "Asynchronous work"; WS-Addressing 1.0 Core, section 3.4.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use muster_broker::access::Caller;
use muster_broker::callback::{Reply, ReplyTo, SoapVersion};
use muster_broker::fault::FaultName;
use muster_broker::id::EventId;
use muster_protocol::soap::addressing::{self, Addressing, Answer, Destination};
use muster_protocol::soap::{Version, envelope};

use super::answer::{Problem, message};
use crate::contract::{NAMESPACE, Operation, port_type};
use crate::wsi::Inner;

/// What is known about a request by and by, so that a fault at any step can be answered and logged.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) version: Option<Version>,
    pub(super) addressing: Option<Addressing>,
    /// Where a reply and a fault go, if that is not the connection and the caller is allowed it.
    pub(super) elsewhere: Elsewhere,
    pub(super) operation: Option<String>,
    pub(super) caller: Option<String>,
    /// Name that the credentials gave, proved or not.
    pub(super) claimed: Option<String>,
    pub(super) has_credentials: bool,
}

/// Addresses that answers go to.
#[derive(Default)]
pub(super) struct Elsewhere {
    reply: Option<ReplyTo>,
    fault: Option<ReplyTo>,
}

impl Progress {
    /// The same with all answers on the connection.
    pub(super) fn on_connection(self) -> Self {
        let addressing = self.addressing.map(Addressing::on_connection);
        Self { addressing, elsewhere: Elsewhere::default(), ..self }
    }
}

/// A fault as a message.
struct FaultMessage {
    /// Its identifier, where it has one.
    id: Option<EventId>,
    version: Version,
    status: u16,
    action: String,
    text: String,
    is_challenge: bool,
}

impl Inner {
    /// Where answers go that are not to go back on the connection.
    ///
    /// # Errors
    /// `OnlyAnonymousAddressSupported` for an address that the caller may not have; faults of the store.
    pub(super) async fn elsewhere(
        &self,
        caller: &Caller,
        addressing: &Addressing,
        version: Version,
    ) -> Result<Elsewhere, Problem> {
        let reply = self.allowed(caller, &addressing.reply_to, version).await?;
        let fault = self.allowed(caller, &addressing.fault_to, version).await?;
        Ok(Elsewhere { reply, fault })
    }

    async fn allowed(
        &self,
        caller: &Caller,
        destination: &Destination,
        version: Version,
    ) -> Result<Option<ReplyTo>, Problem> {
        let Destination::Elsewhere(address) = destination else { return Ok(None) };
        let soap_version = match version {
            Version::Soap11 => SoapVersion::Soap11,
            Version::Soap12 => SoapVersion::Soap12,
        };
        let to = self.broker.reply_to(caller, address, soap_version).await?;
        to.map(Some).ok_or_else(|| addressing::only_anonymous().into())
    }

    /// Answers with `body`. An answer that goes elsewhere is kept before the connection is told that it will.
    pub(super) async fn answer(
        &self,
        mut progress: Progress,
        fallback: Version,
        body: &str,
        correlation: &str,
    ) -> Response {
        let version = progress.version.unwrap_or(fallback);
        let Some(addressing) = &progress.addressing else {
            return message(version, 200, envelope::write(version, "", body));
        };
        if addressing.reply_to == Destination::Nowhere {
            return StatusCode::ACCEPTED.into_response();
        }
        let (id, action) = (self.new_message(), format!("{}Response", action_of(&progress)));
        let headers = addressing.answer(Answer::Reply, &action, &message_id(id));
        let envelope = envelope::write(version, &headers, body);
        let Some(to) = progress.elsewhere.reply.take() else { return message(version, 200, envelope) };
        match self.broker.send_reply(Reply { id, to, action, envelope }).await {
            Ok(()) => StatusCode::ACCEPTED.into_response(),
            // What was asked for is done; that it cannot be told is said here.
            Err(fault) => self.fault(&Problem::Application(fault), &progress.on_connection(), fallback, correlation),
        }
    }

    /// Answers with a fault, where faults are to go.
    pub(super) async fn refuse(
        &self,
        mut progress: Progress,
        fallback: Version,
        problem: &Problem,
        correlation: &str,
    ) -> Response {
        let Some(to) = progress.elsewhere.fault.take() else {
            return self.fault(problem, &progress, fallback, correlation);
        };
        let FaultMessage { id, action, text: envelope, .. } =
            self.fault_message(problem, &progress, fallback, correlation);
        let id = id.unwrap_or_else(|| self.new_message());
        match self.broker.send_reply(Reply { id, to, action, envelope }).await {
            Ok(()) => {
                problem.log(correlation, progress.operation.as_deref(), progress.caller.as_deref());
                StatusCode::ACCEPTED.into_response()
            }
            Err(_) => self.fault(problem, &progress.on_connection(), fallback, correlation),
        }
    }

    /// Answers with a fault on the connection.
    pub(super) fn fault(
        &self,
        problem: &Problem,
        progress: &Progress,
        fallback: Version,
        correlation: &str,
    ) -> Response {
        problem.log(correlation, progress.operation.as_deref(), progress.caller.as_deref());
        if progress.addressing.as_ref().is_some_and(|addressing| addressing.fault_to == Destination::Nowhere) {
            return StatusCode::ACCEPTED.into_response();
        }
        // Only what is addressed needs a name.
        let FaultMessage { version, status, text, is_challenge, .. } =
            self.fault_message(problem, progress, fallback, correlation);
        let mut response = message(version, status, text);
        if is_challenge {
            let challenge = HeaderValue::from_static("Basic realm=\"DM WSI\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = problem.retry_after_s() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn fault_message(
        &self,
        problem: &Problem,
        progress: &Progress,
        fallback: Version,
        correlation: &str,
    ) -> FaultMessage {
        let version = progress.version.unwrap_or(fallback);
        let fault = problem.soap_fault(correlation);
        let action = match (problem.exception(), &progress.operation, fault.addressing_action()) {
            (Some(exception), Some(_), _) => format!("{}:Fault:{exception}", action_of(progress)),
            (_, _, Some(action)) => action.to_owned(),
            (_, _, None) => "http://www.w3.org/2005/08/addressing/soap/fault".to_owned(),
        };
        let addressed = progress.addressing.as_ref().map(|addressing| {
            let id = self.new_message();
            (id, addressing.answer(Answer::Fault, &action, &message_id(id)))
        });
        let (id, headers) = addressed.unzip();
        // A client may need the challenge to send Basic at all; only who sent nothing is asked.
        let is_challenge = matches!(problem, Problem::Application(fault) if fault.name == FaultName::NotAuthenticated)
            && !progress.has_credentials
            && self.identity.takes_basic();
        let status = if is_challenge { 401 } else { fault.http_status(version) };
        let text = fault.write(version, headers.as_deref().unwrap_or_default());
        FaultMessage { id, version, status, action, text, is_challenge }
    }

    fn new_message(&self) -> EventId {
        EventId(self.broker.environment().uuid())
    }
}

fn message_id(id: EventId) -> String {
    format!("urn:uuid:{}", id.0)
}

/// The action of the request's operation, as the description has it.
fn action_of(progress: &Progress) -> String {
    let name = progress.operation.as_deref().unwrap_or_default();
    let canonical = Operation::parse(name).map_or(name, |operation| operation.descriptor().name);
    format!("{NAMESPACE}:{}:{canonical}", port_type(name).unwrap_or_default())
}
