//! Codes and words of device management, for people.

use super::Tone;
use crate::syncml::StatusCode;

/// A status code with its name, and whether it is good news.
fn status(text: &str) -> (Tone, String) {
    let Ok(code) = text.trim().parse::<u16>() else {
        return (Tone::Odd, "no status code; read as 500".to_owned());
    };
    let code = StatusCode(code);
    let tone = match code.0 {
        // Both ask for credentials, as every session without a nonce begins.
        401 | 407 => Tone::Odd,
        213 | 304 => Tone::Plain,
        _ if code.is_success() => Tone::Good,
        100..=199 => Tone::Plain,
        _ => Tone::Bad,
    };
    let class = match code.0 {
        100..=199 => "unknown code, informational",
        200..=299 => "unknown code, success",
        300..=399 => "unknown code, redirection",
        400..=499 => "unknown code, the command was wrong",
        500..=599 => "unknown code, the recipient failed",
        _ => "no status code; read as 500",
    };
    let tone = if (100..=599).contains(&code.0) { tone } else { Tone::Odd };
    (tone, code.name().unwrap_or(class).to_owned())
}

/// A status code with its name, as the answer to a command of this title. Users answer questions with status codes.
///
/// Source: OMA DM Protocol 1.2, "User interaction".
pub(super) fn status_of(title: &str, code: &str) -> (Tone, String) {
    let (tone, name) = status(code);
    let answer = match (title, code) {
        ("Alert 1101", "200") => "the user agreed",
        ("Alert 1101", "304") => "the user refused",
        (_, "214") if title.starts_with("Alert 11") => "by the user",
        (_, "408") if title.starts_with("Alert 11") => "the user did not answer",
        _ => return (tone, name),
    };
    (tone, format!("{name}: {answer}"))
}

/// Name of an alert code.
///
/// Source: OMA DM Protocol 1.2, "Alert codes".
pub(super) fn alert(code: &str) -> Option<&'static str> {
    Some(match code {
        "1100" => "display: show text",
        "1101" => "confirm or reject: ask yes or no",
        "1102" => "text input: ask for text",
        "1103" => "single choice: ask for one",
        "1104" => "multiple choice: ask for some",
        "1200" => "server-initiated session",
        "1201" => "client-initiated session",
        "1222" => "next message: more is to come",
        "1223" => "session abort",
        "1224" => "client event",
        "1225" => "no end of data: an object was broken off",
        "1226" => "generic alert",
        "100" | "101" => "alert of data synchronization",
        _ if (code.len() == 3) && (code.starts_with("20") || code.starts_with("21") || code.starts_with("22")) => {
            "alert of data synchronization"
        }
        _ => return None,
    })
}

/// Formats whose name does not say it all.
///
/// Source: OMA DM Device Description Framework 1.2.
pub(super) fn format(name: &str) -> Option<&'static str> {
    Some(match name {
        "node" => "interior node",
        "null" => "no value",
        _ => return None,
    })
}

/// What a `Type` says.
pub(super) fn media_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "syncml:auth-basic" => "name and password in the clear",
        "syncml:auth-md5" => "digest of name, password and nonce",
        "syncml:auth-MAC" => "digest of the message in the HTTP header",
        "application/vnd.syncml.dmtnds+xml" | "application/vnd.syncml.dmtnds+wbxml" => {
            "document of the management tree"
        }
        "urn:oma:mo:oma-dm-dmacc:1.0" => "management account",
        "urn:oma:mo:oma-dm-devinfo:1.0" => "device information",
        "urn:oma:mo:oma-dm-devdetail:1.0" => "device details",
        "urn:oma:mo:oma-dm-inbox:1.0" => "inbox",
        "urn:oma:mo:oma-fumo:1.0" => "firmware update",
        _ => return None,
    })
}

/// What the type of a generic alert says. The prefix of the grammar is often left out.
///
/// Source: OMA Firmware Update Management Object 1.0, "Alert types".
pub(super) fn alert_type(name: &str) -> Option<&'static str> {
    let bare = name.rsplit_once(':').map_or(name, |(_, bare)| bare).trim();
    Some(match bare.strip_prefix("org.openmobilealliance.dm.firmwareupdate.")? {
        "download" => "firmware download ended",
        "update" => "firmware update ended",
        "downloadandupdate" => "firmware download and update ended",
        "userrequest" => "the user asks for a firmware update",
        "devicerequest" => "the device asks for a firmware update",
        _ => return None,
    })
}

/// What a firmware update came to.
///
/// Source: OMA Firmware Update Management Object 1.0, "Result codes".
pub(super) fn firmware_result(text: &str) -> Option<(Tone, &'static str)> {
    let name = match text.parse::<u16>().ok()? {
        200 => return Some((Tone::Good, "successful")),
        250..=299 => return Some((Tone::Good, "successful, code of the vendor")),
        400 => "management client error",
        401 => "cancelled by the user",
        402 => "package corrupted",
        403 => "package does not fit the device",
        404 => "package not validated",
        405 => "package not acceptable",
        406 => "download not authenticated",
        407 => "download timed out",
        408 => "not implemented",
        409 => "undefined error",
        410 => "update failed",
        500 => "download server error",
        501 => "no memory for the download",
        502 => "no memory for the update",
        503 => "network failed",
        550..=599 => "download server error, code of the vendor",
        _ => return None,
    };
    Some((Tone::Bad, name))
}
