use super::Form;
use crate::dm1::notification::Sealed;
use crate::limits::Limits;
use crate::push::sms::UserData;
use crate::push::tpdu::Tpdu;
use crate::push::wsp::Push;
use crate::wbxml::Header;

/// What octets most likely are. Forms that are hard to mistake come first.
pub(super) fn detect(octets: &[u8], limits: &Limits) -> Option<Form> {
    let text = octets.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(octets).trim_ascii_start();
    if super::pcap::begins(octets) {
        return Some(Form::Pcap);
    }
    if text.starts_with(b"<") {
        return Some(Form::Xml);
    }
    if super::http::begins(text) {
        return Some(Form::Http);
    }
    if Push::read(octets).is_ok_and(|it| !it.body.is_empty()) {
        return Some(Form::Wsp);
    }
    if matches!(octets, [1..=3, ..]) && Header::read(octets, limits).is_ok() {
        return Some(Form::Wbxml);
    }
    if UserData::read(octets).is_ok_and(|it| it.ports.is_some() || it.part.is_some()) {
        return Some(Form::Sms);
    }
    if Tpdu::read(octets).is_ok() {
        return Some(Form::Tpdu);
    }
    // Any sixteen octets may be a digest: what follows them has to look the part.
    let plausible =
        |it: &Sealed<'_>| it.notification.version.number() <= VERSION_MAX && it.notification.future_use == 0;
    if Sealed::read(octets).is_ok_and(|it| plausible(&it)) {
        return Some(Form::Package0);
    }
    // What is broken is read as what its first octets say.
    match octets {
        [_, 0x06, ..] => Some(Form::Wsp),
        [1..=3, ..] => Some(Form::Wbxml),
        [6, 5, 4, ..] | [0x0B, 0, 3, ..] | [0x0C, 8, 4, ..] => Some(Form::Sms),
        _ => None,
    }
}

/// Tenths: no version of notifications is known above this.
const VERSION_MAX: u16 = 13;
