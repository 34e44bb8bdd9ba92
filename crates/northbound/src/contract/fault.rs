//! What a fault tells its caller.

use super::record::record;

record! {
    /// Why a request could not be carried out.
    ServiceFault {
        /// Stable code: DMS and four digits for ServiceException, DMP and four digits for PolicyException.
        "messageId" message_id: one String,
        /// Stable name of the fault, for example UnknownTask.
        "name" name: one String,
        /// Explanation in English.
        "text" text: one String,
        /// Values the text refers to, for example the parameter and the refused value.
        "variable" variable: many String,
        /// Present where the same request may succeed later.
        "retryAfterSeconds" retry_after_s: opt i32,
        /// Identifier of this request in the server's log.
        "correlationId" correlation_id: one String,
    }
}
