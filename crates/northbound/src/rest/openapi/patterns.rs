//! Patterns of texts: what the server reads them by, as regular expressions that other programs read too.

use std::sync::LazyLock;

use muster_broker::bounds::RIGHT_PART_CHARS_MAX;

/// Text that XML can tell, too.
pub(super) const PLAIN: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]*$";
/// Text of one line.
pub(super) const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f\ufffe\uffff]+$";
/// The name of a tenant or role: something of it is a letter or a digit.
pub(super) const NAME: &str = "^[._-]*[A-Za-z0-9][A-Za-z0-9._-]*$";
/// The same, or an asterisk for every tenant.
pub(super) const NAME_OR_ALL: &str = r"^(\*|[._-]*[A-Za-z0-9][A-Za-z0-9._-]*)$";
/// The name of a principal: no colon, because it travels in HTTP Basic, and no blank at an end.
pub(super) const PRINCIPAL: &str = concat!(
    r"^[^\u0000-\u0020\u007f-\u00a0:\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufffe\uffff]",
    r"([^\u0000-\u001f\u007f-\u009f:\ufffe\uffff]*",
    r"[^\u0000-\u0020\u007f-\u00a0:\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufffe\uffff])?$"
);
/// The name of an identity provider, as it stands in an address.
pub(super) const PROVIDER: &str = "^[a-z0-9-]+$";
/// The address of an identity provider, without user, query and fragment.
pub(super) const ISSUER: &str =
    r"^https://[^\u0000-\u0020\u007f-\u009f/?#@\\\ufffe\uffff]+(/[^\u0000-\u0020\u007f-\u009f?#\\\ufffe\uffff]*)?$";
/// A scope of OAuth.
pub(super) const SCOPE: &str = r#"^[^\u0000-\u0020"\\\u007f-\u009f\ufffe\uffff]+$"#;
/// Visible ASCII characters.
pub(super) const VISIBLE: &str = "^[!-~]+$";
/// ASCII characters that print.
pub(super) const ASCII: &str = "^[ -~]+$";
/// Base64 of RFC 4648, section 4, with padding.
pub(super) const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
/// A time of day.
pub(super) const DAY_TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z?$";
/// A place in the management tree that rights are narrowed to.
pub(super) const PLACE: &str = r"^\.(/\.*[A-Za-z0-9_~:+@-][A-Za-z0-9._~:+@-]*)+$";
/// A node of the management tree, with what is asked about it.
pub(super) const NODE: &str = concat!(
    r"^\.(/(?!\.{1,2}(/|\?|$))[^/?\u0000-\u001f\u007f-\u009f\ufffe\uffff]+)*",
    r"(\?(list|prop)=[A-Za-z0-9+_.:-]{1,64})?$"
);
/// Nodes that a domain calls dangerous: names with stars in them, and two stars for any names at an end; not stars alone.
pub(super) const DANGEROUS: &str = concat!(
    r"^(\.|\*\*)(?!(/\**)*$)",
    r"(/(?!(\.{1,2}|\*\*)(/|$))[^/?\u0000-\u001f\u007f-\u009f\ufffe\uffff]+)+(/\*\*)?$"
);
/// The address of a receiver of callbacks: https, a name or a number, a port, a path without dots that lead elsewhere.
pub(super) const CALLBACK: &str = concat!(
    r"^https://(([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?",
    r"|[0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?",
    r"(/(?!(\.|%2[eE]){1,2}(;[^/]*)?(/|$))([!$&-.0-;=@A-Z\[\]_a-z~]|%(?!2[fF]|5[cC]|00)[0-9A-Fa-f]{2})+)*/?$"
);
/// A network: an address, a slash and how many of its bits are fixed.
pub(super) const NETWORK: &str = concat!(
    r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}",
    r"/([12]?[0-9]|3[0-2])|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*/([1-9]?[0-9]|1[01][0-9]|12[0-8]))$"
);
/// The serial number of a certificate, in hexadecimal digits with or without colons.
pub(super) const SERIAL: &str = "^(:*[0-9A-Fa-f])+:*$";
/// The identifier of a task.
pub(super) const TASK_ID: &str = "^t[0-9a-f]{3}-[0-9a-f]{32}$";
/// The identifier of a job.
pub(super) const JOB_ID: &str = "^j-[0-9a-f]{32}$";
/// The identifier of an event that a receiver was told.
pub(super) const EVENT_ID: &str = "^e-[0-9a-f]{32}$";
/// A cron expression: five fields of lists of ranges with steps. That a range goes up, and that such a day ever comes, it
/// cannot say.
pub(super) static CRON: LazyLock<String> = LazyLock::new(|| {
    let field = |value: &str| {
        let part = format!(r"(\*|({value})(-({value}))?)(/(0?[1-9]|[1-9][0-9]))?");
        format!("{part}(,{part})*")
    };
    let fields = [
        "[0-5]?[0-9]",
        "[01]?[0-9]|2[0-3]",
        "0?[1-9]|[12][0-9]|3[01]",
        "0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC",
        "0?[0-7]|SUN|MON|TUE|WED|THU|FRI|SAT",
    ];
    format!("^ *{} *$", fields.map(field).join(" +"))
});
/// A UUID.
pub(super) const UUID: &str = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
/// An entry of the audit log: its number and its hash.
pub(super) const ANCHOR: &str = "^[0-9]{1,18}:[0-9A-Fa-f]{64}$";
/// `name=value`.
pub(super) const PAIR: &str = concat!(
    r"^[^=\u0000-\u001f\u007f-\u009f\ufffe\uffff]+",
    r"=[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]*$"
);

/// A right: object, operation and qualifier.
pub(super) static RIGHT: LazyLock<String> = LazyLock::new(|| {
    let part = format!(r"([A-Za-z0-9_-]{{1,{RIGHT_PART_CHARS_MAX}}}|\*)");
    format!(r"^(\*|{part}\.{part}(:{part})?)$")
});
