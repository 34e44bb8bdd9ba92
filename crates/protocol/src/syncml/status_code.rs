use std::fmt;

/// A SyncML status code, 100 to 599.
///
/// Source: SyncML Representation Protocol 1.2, "Response Status Codes", in the DM subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct StatusCode(pub u16);

/// Each code once, with its name for people.
macro_rules! codes {
    ($($code:literal $constant:ident $name:literal)*) => {
        impl StatusCode {
            $(#[doc = $name] pub const $constant: Self = Self($code);)*

            /// Name for people, or nothing for codes the specification does not know.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some($name),)* _ => None }
            }
        }
    };
}

codes! {
    101 IN_PROGRESS "In progress"
    200 OK "OK"
    201 ITEM_ADDED "Item added"
    202 ACCEPTED "Accepted for processing"
    203 NON_AUTHORITATIVE "Non-authoritative response"
    204 NO_CONTENT "No content"
    205 RESET_CONTENT "Reset content"
    206 PARTIAL_CONTENT "Partial content"
    207 CONFLICT_MERGED "Conflict resolved with merge"
    208 CONFLICT_CLIENT_WINS "Conflict resolved, client wins"
    209 CONFLICT_DUPLICATED "Conflict resolved with duplicate"
    210 DELETED_WITHOUT_ARCHIVE "Delete without archive"
    211 NOT_DELETED "Item not deleted"
    212 AUTHENTICATED "Authentication accepted for the session"
    213 CHUNK_BUFFERED "Chunked item accepted and buffered"
    214 CANCELLED_BY_USER "Operation cancelled"
    215 NOT_EXECUTED "Not executed"
    216 ROLLED_BACK "Atomic roll back OK"
    300 MULTIPLE_CHOICES "Multiple choices"
    301 MOVED_PERMANENTLY "Moved permanently"
    302 FOUND "Found"
    303 SEE_OTHER "See other"
    304 NOT_MODIFIED "Not modified"
    305 USE_PROXY "Use proxy"
    400 BAD_REQUEST "Bad request"
    401 INVALID_CREDENTIALS "Invalid credentials"
    402 PAYMENT_NEEDED "Payment needed"
    403 FORBIDDEN "Forbidden"
    404 NOT_FOUND "Not found"
    405 NOT_ALLOWED "Command not allowed"
    406 NOT_SUPPORTED "Optional feature not supported"
    407 MISSING_CREDENTIALS "Missing credentials"
    408 REQUEST_TIMEOUT "Request timeout"
    409 CONFLICT "Conflict"
    410 GONE "Gone"
    411 SIZE_REQUIRED "Size required"
    412 INCOMPLETE "Incomplete command"
    413 TOO_LARGE "Request entity too large"
    414 URI_TOO_LONG "URI too long"
    415 UNSUPPORTED_FORMAT "Unsupported media type or format"
    416 RANGE_TOO_BIG "Requested size too big"
    417 RETRY_LATER "Retry later"
    418 ALREADY_EXISTS "Already exists"
    419 CONFLICT_SERVER_DATA "Conflict resolved with server data"
    420 DEVICE_FULL "Device full"
    421 UNKNOWN_SEARCH_GRAMMAR "Unknown search grammar"
    422 BAD_SCRIPT "Bad CGI or script"
    423 SOFT_DELETE_CONFLICT "Soft-delete conflict"
    424 SIZE_MISMATCH "Size mismatch"
    425 PERMISSION_DENIED "Permission denied"
    426 PARTIAL_NOT_ACCEPTED "Partial item not accepted"
    427 NOT_EMPTY "Item not empty"
    428 MOVE_FAILED "Move failed"
    500 COMMAND_FAILED "Command failed"
    501 NOT_IMPLEMENTED "Command not implemented"
    502 BAD_GATEWAY "Bad gateway"
    503 SERVICE_UNAVAILABLE "Service unavailable"
    504 GATEWAY_TIMEOUT "Gateway timeout"
    505 DTD_VERSION_NOT_SUPPORTED "DTD version not supported"
    506 PROCESSING_ERROR "Processing error"
    507 ATOMIC_FAILED "Atomic failed"
    508 REFRESH_REQUIRED "Refresh required"
    510 DATA_STORE_FAILURE "Data store failure"
    511 SERVER_FAILURE "Server failure"
    512 SYNCHRONISATION_FAILED "Synchronisation failed"
    513 PROTOCOL_VERSION_NOT_SUPPORTED "Protocol version not supported"
    514 OPERATION_CANCELLED "Operation cancelled"
    516 ROLL_BACK_FAILED "Atomic roll back failed"
    517 ATOMIC_RESPONSE_TOO_LARGE "Atomic response too large to fit"
}

impl StatusCode {
    /// Reads a status as sent. What is not a number from 100 to 599 is [`Self::COMMAND_FAILED`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim().parse() {
            Ok(code @ 100..=599) => Self(code),
            _ => Self::COMMAND_FAILED,
        }
    }

    /// Whether the command was carried out or taken: 2xx but for 211, 214, 215 and 216, which say it was not.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self.0, 200..=299) && !matches!(self.0, 211 | 214 | 215 | 216)
    }
}

impl Default for StatusCode {
    fn default() -> Self {
        Self::OK
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
