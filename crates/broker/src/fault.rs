//! Why a request was not carried out: the faults of the contract, once, for every face.
//!
//! Source: DM WSI contract, section 2.

use std::fmt;

/// Whether a fault is about the service or about policy: the two exceptions of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `ServiceException`, codes `DMS…`.
    Service,
    /// `PolicyException`, codes `DMP…`.
    Policy,
}

/// Each fault once: code, stable name, REST status.
macro_rules! faults {
    ($($code:literal $name:ident $status:literal)*) => {
        /// The stable name of a fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FaultName {
            $(#[doc = $code] $name,)*
        }

        impl FaultName {
            /// Every fault, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// `messageId`, for example `DMS0101`.
            #[must_use]
            pub fn message_id(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Stable name, for example `UnknownTask`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// HTTP status over REST.
            #[must_use]
            pub fn rest_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

faults! {
    "DMS0001" InvalidArgument 400
    "DMS0002" MissingArgument 400
    "DMS0003" ConflictingArguments 400
    "DMS0004" UnknownOperation 400
    "DMS0005" UnsupportedOperation 422
    "DMS0006" UnsupportedPolicy 422
    "DMS0007" InvalidPageToken 400
    "DMS0008" TooManyEntries 413
    "DMS0009" MalformedMessage 400
    "DMS0010" UnknownMessage 404
    "DMS0101" UnknownTask 404
    "DMS0102" UnknownJob 404
    "DMS0103" UnknownDevice 404
    "DMS0104" UnknownCapability 404
    "DMS0105" UnknownSubscriber 404
    "DMS0106" UnknownPackage 404
    "DMS0107" UnknownUpload 404
    "DMS0108" UnknownRegistration 404
    "DMS0109" UnknownTunnel 404
    "DMS0110" UnknownEvent 404
    "DMS0111" UnknownProfile 404
    "DMS0112" UnknownTenant 404
    "DMS0113" UnknownPrincipal 404
    "DMS0114" UnknownRole 404
    "DMS0115" UnknownApproval 404
    "DMS0118" UnknownCallbackAddress 404
    "DMS0119" UnknownCredential 404
    "DMS0201" AlreadyExists 409
    "DMS0202" OutdatedVersion 412
    "DMS0203" WrongState 409
    "DMS0204" InUse 409
    "DMS0205" RequestIdReused 409
    "DMS0206" DeviceMismatch 409
    "DMS0207" OffsetMismatch 409
    "DMS0208" DigestMismatch 422
    "DMS0209" SignatureInvalid 422
    "DMS0210" AmbiguousDevice 409
    "DMS0301" CallbackRefused 422
    "DMS0302" ForwardingFailed 502
    "DMS0303" ForwardingLoop 508
    "DMS0901" InternalError 500
    "DMS0902" TemporarilyUnavailable 503
    "DMS0903" NotImplemented 501
    "DMP0001" NotAuthenticated 401
    "DMP0002" SessionExpired 401
    "DMP0003" NotAuthorized 403
    "DMP0004" TooManyRequests 429
    "DMP0005" QuotaExceeded 403
    "DMP0006" ConsentRequired 403
    "DMP0007" DeviceSuspended 409
    "DMP0008" RequestTooLarge 413
    "DMP0009" LockedOut 401
}

impl FaultName {
    /// Which of the two exceptions carries it.
    #[must_use]
    pub fn kind(self) -> FaultKind {
        if self.message_id().starts_with("DMP") { FaultKind::Policy } else { FaultKind::Service }
    }

    /// Whether the server, not the caller, is at fault: codes `DMS09xx`.
    #[must_use]
    pub fn is_servers(self) -> bool {
        self.message_id().starts_with("DMS09")
    }
}

/// A fault with what the caller needs to act on it. The correlation identifier is added where the answer is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// Which.
    pub name: FaultName,
    /// Explanation in English, with what to do about it. No secrets, no internals.
    pub text: String,
    /// Values the text refers to, in the order the contract names them.
    pub variables: Vec<String>,
    /// Where the same request may succeed later: after how many seconds.
    pub retry_after_s: Option<u32>,
    /// What lies behind a fault of the server: for its log, never for callers.
    pub cause: Option<String>,
}

/// How much of what somebody sent a fault quotes, in characters.
pub const QUOTED_CHARS_MAX: usize = 200;

/// As much of a text as a fault quotes.
#[must_use]
pub fn cut(text: &str) -> &str {
    text.char_indices().nth(QUOTED_CHARS_MAX).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name.message_id(), self.name.as_str(), self.text)
    }
}

impl Fault {
    /// A fault without variables.
    #[must_use]
    pub fn new(name: FaultName, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), variables: Vec::new(), retry_after_s: None, cause: None }
    }

    /// Adds a variable. Long values are cut at [`QUOTED_CHARS_MAX`] characters: a fault never quotes input at length.
    #[must_use]
    pub fn with(mut self, variable: impl fmt::Display) -> Self {
        self.variables.push(variable.to_string().chars().take(QUOTED_CHARS_MAX).collect());
        self
    }

    /// Keeps what lies behind it, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// `InvalidArgument` with its two variables. A long name of a parameter is cut, as variables are.
    #[must_use]
    pub fn invalid(parameter: &str, value: impl fmt::Display, why: impl fmt::Display) -> Self {
        let parameter = cut(parameter);
        Self::new(FaultName::InvalidArgument, format!("{parameter}: {why}")).with(parameter).with(value)
    }

    /// `MissingArgument` with its variable.
    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        Self::new(FaultName::MissingArgument, format!("{parameter} is required")).with(parameter)
    }
}
