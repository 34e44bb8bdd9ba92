//! Values of fields: text from outside becomes a type here and is never looked at as text again.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Time;
use muster_broker::access::{PrincipalKind, TenantStatus};
use muster_broker::callback::{CallbackKind, CredentialKind};
use muster_broker::certificate::CertificateNameKind;
use muster_broker::device::ManagementState;
use muster_broker::fault::Fault;
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::job::JobStatus;
use muster_broker::ledger::{ChargeKind, mask};
use muster_broker::power::{Action as ApprovalAction, ApprovalStatus, Class as OperationClass};
use muster_broker::progress::Certainty;
use muster_broker::quota::Kind as QuotaKind;
use muster_broker::rollout::WaveState;
use muster_broker::task::TaskStatus;
use muster_broker::time::Timestamp;
use muster_broker::trace::TraceDirection;

use super::descriptor::{Kind, NamedType};
use super::face::{At, Scalar, Sink, Source};
use super::record::{Path, Value};

/// A text that is not shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

impl AuditOutcome {
    const NAMES: &[(&str, Self)] = &[("DONE", Self::Done), ("REFUSED", Self::Refused)];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, outcome)| *outcome)
    }

    fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, outcome)| *outcome == self).map_or("", |(name, _)| *name)
    }
}

/// An address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyUri(pub String);

/// Octets, which travel as base64. Not shown in logs: in this contract they are nonces, and messages of devices.
#[derive(Clone, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({})", self.0.len())
    }
}

/// A time of day, with or without the `Z` of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayTime {
    /// Wall clock.
    pub time: Time,
    /// Whether `Z` stands behind it.
    pub is_utc: bool,
}

/// `acceptDevicePolicy`: 10, 20, 30 or 40.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptDevicePolicy(pub i32);

/// A simple value.
trait Leaf: Sized {
    const KIND: Kind;
    /// Whether a refused value may be told in the fault.
    const MAY_BE_TOLD: bool = true;
    /// Whether JSON writes it as a string.
    const IS_STRING: bool = true;
    fn parse(text: &str) -> Result<Self, String>;
    fn text(&self) -> String;
    /// From a number of JSON.
    fn of_number(_number: i64) -> Result<Self, String> {
        Err("a string is expected".to_owned())
    }
    /// From a boolean of JSON.
    fn of_boolean(_is_so: bool) -> Result<Self, String> {
        Err("a string is expected".to_owned())
    }
    /// Writes it. Types that have their text at hand, or are no strings in JSON, do it their own way.
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.text(at, &self.text());
    }
    /// As [`Value::hide`]; most values tell nothing of anybody.
    fn hide(&mut self, _name: &str) -> bool {
        false
    }
}

impl<T: Leaf> Value for T {
    const KIND: Kind = <T as Leaf>::KIND;

    fn read(source: &impl Source, path: &Path<'_>) -> Result<Self, Fault> {
        let value = match source.scalar() {
            Ok(Scalar::Lexical(text)) => sayable(text).and_then(T::parse),
            Ok(Scalar::Text(text)) if T::IS_STRING => sayable(text).and_then(T::parse),
            Ok(Scalar::Text(_)) => Err(format!("{} is expected, not a string", shape_of(<T as Leaf>::KIND))),
            Ok(Scalar::Number(number)) => T::of_number(number),
            Ok(Scalar::Boolean(is_so)) => T::of_boolean(is_so),
            Err(why) => Err(why.to_owned()),
        };
        value.map_err(|why| {
            let told = if T::MAY_BE_TOLD { source.quoted() } else { "…".to_owned() };
            Fault::invalid(&path.to_string(), told, why)
        })
    }

    fn write(&self, at: At<'_>, sink: &mut impl Sink) {
        self.tell(at, sink);
    }

    fn hide(&mut self, name: &str) -> bool {
        Leaf::hide(self, name)
    }
}

/// What JSON has for values that are no strings.
fn shape_of(kind: Kind) -> &'static str {
    if matches!(kind, Kind::BuiltIn("xs:boolean")) { "true or false" } else { "a number" }
}

/// Refuses characters that XML does not have: what came by one face must be tellable by the other.
///
/// Source: XML 1.0, section 2.2.
fn sayable(text: &str) -> Result<&str, String> {
    let is_unsayable = |character: char| matches!(character, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    if text.contains(is_unsayable) { Err("control characters are not taken here".to_owned()) } else { Ok(text) }
}

/// White space around a number, boolean or name says nothing.
///
/// Source: XML Schema part 2, section 4.3.6, `collapse`.
fn collapsed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

impl Leaf for String {
    const KIND: Kind = Kind::BuiltIn("xs:string");
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
    fn text(&self) -> String {
        self.clone()
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.text(at, self);
    }
    fn hide(&mut self, name: &str) -> bool {
        match name {
            // Documented as digits.
            "imsi" => return true,
            "subscriberId" | "clientName" | "accountReference" => *self = mask::text(self),
            // In these a device or a number may be named.
            "detail" | "text" | "value" => *self = mask::words(self),
            _ => {}
        }
        false
    }
}

impl Leaf for Secret {
    const KIND: Kind = Kind::BuiltIn("xs:string");
    const MAY_BE_TOLD: bool = false;
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
    fn text(&self) -> String {
        self.0.clone()
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.text(at, &self.0);
    }
}

impl Leaf for AnyUri {
    const KIND: Kind = Kind::BuiltIn("xs:anyURI");
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(collapsed(text).to_owned()))
    }
    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Leaf for bool {
    const KIND: Kind = Kind::BuiltIn("xs:boolean");
    const IS_STRING: bool = false;
    fn of_number(_number: i64) -> Result<Self, String> {
        Err("true or false is expected".to_owned())
    }
    fn of_boolean(is_so: bool) -> Result<Self, String> {
        Ok(is_so)
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.boolean(at, *self);
    }
    fn parse(text: &str) -> Result<Self, String> {
        match collapsed(text) {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("true or false is expected".to_owned()),
        }
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Leaf for i32 {
    const KIND: Kind = Kind::BuiltIn("xs:int");
    const IS_STRING: bool = false;
    fn of_number(number: i64) -> Result<Self, String> {
        Self::try_from(number).map_err(|_| "a whole number of 32 bits is expected".to_owned())
    }
    fn of_boolean(_is_so: bool) -> Result<Self, String> {
        Err("a whole number is expected".to_owned())
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.number(at, (*self).into());
    }
    fn parse(text: &str) -> Result<Self, String> {
        collapsed(text).parse().map_err(|_| "a whole number of 32 bits is expected".to_owned())
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Leaf for i64 {
    const KIND: Kind = Kind::BuiltIn("xs:long");
    const IS_STRING: bool = false;
    fn of_number(number: i64) -> Result<Self, String> {
        Ok(number)
    }
    fn of_boolean(_is_so: bool) -> Result<Self, String> {
        Err("a whole number is expected".to_owned())
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.number(at, *self);
    }
    fn parse(text: &str) -> Result<Self, String> {
        collapsed(text).parse().map_err(|_| "a whole number of 64 bits is expected".to_owned())
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Leaf for Timestamp {
    const KIND: Kind = Kind::BuiltIn("xs:dateTime");
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(collapsed(text)).map_err(|error| error.to_string())
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Leaf for DayTime {
    const KIND: Kind = Kind::BuiltIn("xs:time");
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "a time of day such as 22:00:00 is expected, without a zone other than Z".to_owned();
        let text = collapsed(text);
        let (clock, is_utc) = match text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")) {
            Some(clock) => (clock, true),
            None => (text, false),
        };
        // The end of the day may be written as hour 24.
        let clock = if clock.starts_with("24:00:00") { clock.replacen("24", "00", 1) } else { clock.to_owned() };
        let shape = clock.split('.').next().unwrap_or_default().as_bytes();
        let digits = [0, 1, 3, 4, 6, 7].iter().all(|at| shape.get(*at).is_some_and(u8::is_ascii_digit));
        if shape.len() != 8 || !digits || shape.get(2) != Some(&b':') || shape.get(5) != Some(&b':') {
            return Err(expected());
        }
        clock.parse().map(|time| Self { time, is_utc }).map_err(|_| expected())
    }
    fn text(&self) -> String {
        format!("{}{}", self.time, if self.is_utc { "Z" } else { "" })
    }
}

impl Leaf for Octets {
    const KIND: Kind = Kind::BuiltIn("xs:base64Binary");
    const MAY_BE_TOLD: bool = false;
    fn parse(text: &str) -> Result<Self, String> {
        let dense: Vec<u8> = text.bytes().filter(|octet| !matches!(octet, b' ' | b'\t' | b'\n' | b'\r')).collect();
        STANDARD.decode(dense).map(Self).map_err(|_| "base64 is expected".to_owned())
    }
    fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

impl Leaf for Msisdn {
    const KIND: Kind = Kind::Named(&NamedType { name: "Msisdn", base: "xs:string", values: &[] });
    fn hide(&mut self, _name: &str) -> bool {
        true
    }
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Leaf for DeviceId {
    const KIND: Kind = Kind::Named(&NamedType { name: "DeviceId", base: "xs:string", values: &[] });
    fn hide(&mut self, _name: &str) -> bool {
        *self = self.masked();
        false
    }
    fn parse(text: &str) -> Result<Self, String> {
        Self::from_caller(text).map_err(|error| error.to_string())
    }
    fn text(&self) -> String {
        self.to_string()
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.text(at, self.as_str());
    }
}

impl Leaf for AcceptDevicePolicy {
    const KIND: Kind =
        Kind::Named(&NamedType { name: "AcceptDevicePolicy", base: "xs:int", values: &["10", "20", "30", "40"] });
    const IS_STRING: bool = false;
    fn parse(text: &str) -> Result<Self, String> {
        Self::of_number(collapsed(text).parse().unwrap_or_default())
    }
    fn of_number(number: i64) -> Result<Self, String> {
        let number = i32::try_from(number).ok().filter(|number| matches!(number, 10 | 20 | 30 | 40));
        number.map(Self).ok_or_else(|| "10, 20, 30 or 40 is expected".to_owned())
    }
    fn of_boolean(_is_so: bool) -> Result<Self, String> {
        Err("10, 20, 30 or 40 is expected".to_owned())
    }
    fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
        sink.number(at, self.0.into());
    }
    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// The names of a table of the broker.
const fn names_of<const N: usize, T>(table: &[(&'static str, T)]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut place = 0;
    while place < N {
        names[place] = table[place].0;
        place += 1;
    }
    names
}

/// Enumerations whose names the broker knows.
macro_rules! enumerations {
    ($($type:ident)+) => {$(
        impl Leaf for $type {
            const KIND: Kind = {
                const VALUES: [&str; $type::NAMES.len()] = names_of($type::NAMES);
                Kind::Named(&NamedType { name: stringify!($type), base: "xs:string", values: &VALUES })
            };
            fn parse(text: &str) -> Result<Self, String> {
                $type::parse(collapsed(text)).ok_or_else(|| "not one of the values of this type".to_owned())
            }
            fn text(&self) -> String {
                self.as_str().to_owned()
            }
            fn tell(&self, at: At<'_>, sink: &mut impl Sink) {
                sink.text(at, self.as_str());
            }
        }
    )+};
}

enumerations! {
    TaskStatus JobStatus OperationClass ApprovalStatus ApprovalAction QuotaKind TenantStatus PrincipalKind
    CertificateNameKind CallbackKind CredentialKind TraceDirection ChargeKind AuditOutcome WaveState Certainty
}

const MANAGEMENT_STATES: [(&str, ManagementState); 5] = [
    ("KNOWN", ManagementState::Known),
    ("BOOTSTRAPPED", ManagementState::Bootstrapped),
    ("MANAGED", ManagementState::Managed),
    ("SUSPENDED", ManagementState::Suspended),
    ("RETIRED", ManagementState::Retired),
];

/// The state of this name.
pub(crate) fn management_state(name: &str) -> Option<ManagementState> {
    let name = collapsed(name);
    MANAGEMENT_STATES.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
}

impl Leaf for ManagementState {
    const KIND: Kind = Kind::Named(&NamedType {
        name: "ManagementState",
        base: "xs:string",
        values: &["KNOWN", "BOOTSTRAPPED", "MANAGED", "SUSPENDED", "RETIRED"],
    });
    fn parse(text: &str) -> Result<Self, String> {
        management_state(text).ok_or_else(|| "not one of the values of this type".to_owned())
    }
    fn text(&self) -> String {
        MANAGEMENT_STATES.iter().find(|(_, state)| state == self).map_or("", |(name, _)| *name).to_owned()
    }
}
