//! From faults to messages.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use muster_broker::fault::{Fault, FaultKind, FaultName};
use muster_protocol::soap::security::failed_authentication;
use muster_protocol::soap::{Code, SoapFault, Subcode, Version};
use muster_protocol::xml::element::XmlWriter;

use crate::contract::fault::ServiceFault;
use crate::contract::{NAMESPACE, Record};

/// Why a message is not answered as its sender hoped.
#[derive(Clone, Debug)]
pub(super) enum Problem {
    /// A fault of the contract.
    Application(Fault),
    /// A fault of the contract, about credentials in a WS-Security header.
    Credentials(Fault),
    /// A fault of SOAP or of a header specification.
    Header(Box<SoapFault>),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Application(fault)
    }
}

impl From<Box<SoapFault>> for Problem {
    fn from(fault: Box<SoapFault>) -> Self {
        Self::Header(fault)
    }
}

impl Problem {
    /// The message's fault. `correlation` leads to the log.
    pub(super) fn soap_fault(&self, correlation: &str) -> SoapFault {
        match self {
            Self::Application(fault) => {
                let code = if fault.name.is_servers() { Code::Receiver } else { Code::Sender };
                let local = fault.name.as_str();
                let subcode = Subcode { namespace: NAMESPACE, local, is_code_in_soap11: false };
                let mut message = SoapFault::new(code, vec![subcode], &fault.text);
                message.detail = Some(detail(fault, correlation));
                message
            }
            Self::Credentials(fault) => {
                let mut message = *failed_authentication(&fault.text);
                message.detail = Some(detail(fault, correlation));
                message.detail_only_in_soap12 = true;
                message
            }
            Self::Header(fault) => (**fault).clone(),
        }
    }

    /// After how many seconds to try again.
    pub(super) fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Application(fault) | Self::Credentials(fault) => fault.retry_after_s,
            Self::Header(_) => None,
        }
    }

    /// The exception that WSDL gives the fault, for the action of the answer; nothing for faults about headers.
    pub(super) fn exception(&self) -> Option<&'static str> {
        match self {
            Self::Application(fault) => Some(exception(fault.name)),
            Self::Credentials(_) | Self::Header(_) => None,
        }
    }

    /// Writes the log. What is our own fault is an error, what is the caller's is for the curious. To ask for what is
    /// not offered is the caller's, though SOAP calls it the server's.
    pub(super) fn log(&self, correlation: &str, operation: Option<&str>, caller: Option<&str>) {
        let operation = operation.unwrap_or_default();
        let caller = caller.unwrap_or_default();
        match self {
            Self::Application(fault) | Self::Credentials(fault)
                if fault.name.is_servers() && fault.name != FaultName::NotImplemented =>
            {
                let behind = fault.cause.as_deref().unwrap_or_default();
                tracing::error!(correlation.id = correlation, operation, caller, cause = %fault, behind, "a request failed");
            }
            Self::Application(fault) | Self::Credentials(fault) => {
                tracing::info!(correlation.id = correlation, operation, caller, cause = %fault, "a request was refused");
            }
            Self::Header(fault) => {
                let cause = fault.reason.as_str();
                tracing::info!(correlation.id = correlation, operation, caller, cause, "a request was refused");
            }
        }
    }
}

fn exception(name: FaultName) -> &'static str {
    match name.kind() {
        FaultKind::Service => "ServiceException",
        FaultKind::Policy => "PolicyException",
    }
}

fn detail(fault: &Fault, correlation: &str) -> String {
    let told = ServiceFault {
        message_id: fault.name.message_id().to_owned(),
        name: fault.name.as_str().to_owned(),
        text: fault.text.clone(),
        variable: fault.variables.clone(),
        retry_after_s: fault.retry_after_s.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)),
        correlation_id: correlation.to_owned(),
    };
    let mut writer = XmlWriter::new();
    let name = exception(fault.name);
    writer.start(name, &[("xmlns", NAMESPACE)]);
    told.write_fields(&mut writer, |_| false);
    writer.end(name);
    writer.finish()
}

/// An HTTP answer with a message in it.
pub(super) fn message(version: Version, status: u16, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media_type = match version {
        Version::Soap11 => "text/xml; charset=utf-8",
        Version::Soap12 => "application/soap+xml; charset=utf-8",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Answers are for one caller and one moment.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
