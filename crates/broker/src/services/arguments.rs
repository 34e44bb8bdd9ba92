//! Whether an operation can be carried out with the arguments given.
//!
//! Source: DM WSI contract, section 3, "Operation names"; [`DEFINITIONS`] says what each operation takes.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checks;
use crate::bounds::{
    CORRELATOR_CHARS_MAX, MEDIA_TYPE_OCTETS_MAX, NODE_FORMATS, NODE_PATH_OCTETS_MAX, NODE_VALUE_OCTETS_MAX, NODES_MAX,
    OPTIONS_MAX,
};
use crate::fault::{Fault, FaultName};
use crate::operation::{Arguments, DEFINITIONS, KNOWN_ELSEWHERE, Operation, Parameter};
use crate::policy::{AcceptDevicePolicy, NotAPolicy};

/// Longest values of all nodes together.
const VALUES_OCTETS_MAX: usize = 512 << 10;

/// Reads an operation name.
pub(super) fn operation(name: &str) -> Result<Operation, Fault> {
    if let Some(operation) = Operation::parse(name) {
        return Ok(operation);
    }
    if KNOWN_ELSEWHERE.contains(&name) {
        let text = format!("this server does not carry out {name}; getOperationDefinitions lists what it does");
        return Err(Fault::new(FaultName::UnsupportedOperation, text).with(name));
    }
    let text = "operation: there is none of this name; getOperationDefinitions lists them";
    Err(Fault::new(FaultName::UnknownOperation, text).with(name))
}

/// Reads an acceptDevicePolicy.
pub(super) fn policy(number: i32) -> Result<AcceptDevicePolicy, Fault> {
    AcceptDevicePolicy::try_from(number).map_err(|error| match error {
        NotAPolicy::CarrierCallback => Fault::new(FaultName::UnsupportedPolicy, error.to_string()).with(number),
        NotAPolicy::Unknown => Fault::invalid("acceptDevicePolicy", number, error),
    })
}

/// Checks the arguments of an operation.
///
/// # Errors
/// `MissingArgument`, `InvalidArgument`, `ConflictingArguments`, `UnknownPackage`.
pub(super) fn checked(operation: Operation, arguments: &Arguments) -> Result<(), Fault> {
    references(operation, arguments)?;
    options(operation, arguments)?;
    if arguments.parameter.is_empty() {
        return if takes(operation, "parameter", true) { Err(Fault::missing("parameter")) } else { Ok(()) };
    }
    let most = match operation {
        Operation::Session => 0,
        Operation::Execute | Operation::Discover => 1,
        Operation::Update | Operation::Query | Operation::Delete => NODES_MAX,
    };
    let number = arguments.parameter.len();
    if number > most {
        let why = format!("{} takes at most {most}", operation.as_str());
        return Err(Fault::invalid("parameter", number, why));
    }
    let mut octets = 0_usize;
    for (at, parameter) in arguments.parameter.iter().enumerate() {
        path(operation, at, &parameter.path)?;
        value(operation, at, parameter)?;
        octets = octets.saturating_add(parameter.value.as_ref().map_or(0, String::len));
    }
    if octets > VALUES_OCTETS_MAX {
        let why = format!("the values have more than {VALUES_OCTETS_MAX} octets together");
        return Err(Fault::invalid("parameter", octets, why));
    }
    Ok(())
}

/// Whether `operation` takes an argument of this name, or needs it where `needed`.
fn takes(operation: Operation, name: &str, needed: bool) -> bool {
    DEFINITIONS
        .iter()
        .filter(|definition| definition.operation == operation)
        .flat_map(|definition| definition.arguments)
        .any(|argument| argument.name == name && (argument.required || !needed))
}

/// What refers to something else: there are no packages and no software components here.
fn references(operation: Operation, arguments: &Arguments) -> Result<(), Fault> {
    if let Some(component) = &arguments.component_id {
        let why = format!("{} takes no software component", operation.as_str());
        return Err(Fault::invalid("componentId", component, why));
    }
    match &arguments.package_id {
        None => Ok(()),
        Some(package) if operation == Operation::Update => {
            Err(Fault::new(FaultName::UnknownPackage, "packageId: there is no such content package").with(package))
        }
        Some(package) => {
            let why = format!("{} takes no content package", operation.as_str());
            Err(Fault::invalid("packageId", package, why))
        }
    }
}

fn options(operation: Operation, arguments: &Arguments) -> Result<(), Fault> {
    checks::values("option", arguments.option.len(), OPTIONS_MAX)?;
    let mut seen = HashSet::new();
    for (name, value) in &arguments.option {
        if name == "parameter" || !takes(operation, name, false) {
            let why = format!("{} has no such option; getOperationDefinitions lists them", operation.as_str());
            return Err(Fault::invalid("option", name, why));
        }
        if !seen.insert(name) {
            return Err(Fault::invalid("option", name, "each name may stand once"));
        }
        match name.as_str() {
            "depth" => {
                let levels = value.parse::<u8>().ok().filter(|depth| (1..=Arguments::DEPTH_MAX).contains(depth));
                if levels.is_none() {
                    return Err(Fault::invalid("depth", value, format_args!("must be 1 to {}", Arguments::DEPTH_MAX)));
                }
            }
            "correlator" => checks::line("correlator", value, CORRELATOR_CHARS_MAX)?,
            _ if matches!(value.as_str(), "true" | "false" | "1" | "0") => {}
            _ => return Err(Fault::invalid(name, value, "must be true or false")),
        }
    }
    if arguments.is_set("atomic") && arguments.is_set("sequence") {
        let text = "the options atomic and sequence exclude each other; give one of them";
        return Err(Fault::new(FaultName::ConflictingArguments, text).with("atomic").with("sequence"));
    }
    Ok(())
}

/// A node URI from the root of the device's tree; `.` is the root itself, where it can be read.
fn path(operation: Operation, at: usize, path: &str) -> Result<(), Fault> {
    let refused = |why: &str| Err(Fault::invalid(&format!("parameter[{at}].path"), path.escape_debug(), why));
    let is_read = matches!(operation, Operation::Query | Operation::Discover);
    if path.len() > NODE_PATH_OCTETS_MAX {
        return refused("has more than 1024 octets");
    }
    if path.chars().any(char::is_control) || !checks::is_portable(path) {
        return refused("has control characters");
    }
    let node = match path.split_once('?') {
        None => path,
        Some((node, ask)) if operation == Operation::Query => {
            let what = ask.strip_prefix("list=").or_else(|| ask.strip_prefix("prop="));
            let is_name = |what: &str| {
                (1..=64).contains(&what.len())
                    && what.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-_.:".contains(&b))
            };
            if !what.is_some_and(is_name) {
                return refused("may be followed by ?list= or ?prop= and a name only");
            }
            node
        }
        // What of a node can be changed besides its value.
        Some((node, "prop=ACL" | "prop=Name" | "prop=Title")) if operation == Operation::Update => node,
        Some(_) => {
            return refused("may have ?list= or ?prop= only in a QUERY, and ?prop=ACL, Name or Title in an UPDATE");
        }
    };
    if node == "." && is_read {
        return Ok(());
    }
    if node == "." && operation == Operation::Update && path.ends_with("?prop=ACL") {
        return Ok(());
    }
    let Some(below_root) = node.strip_prefix("./") else {
        return refused("must begin with ./, the root of the device's tree");
    };
    if below_root.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return refused("has a segment that is empty, . or ..");
    }
    Ok(())
}

/// A value in its format. Values are never quoted in faults: they may be secrets.
fn value(operation: Operation, at: usize, parameter: &Parameter) -> Result<(), Fault> {
    let name = |field: &str| format!("parameter[{at}].{field}");
    let format = parameter.format.as_deref().unwrap_or("chr");
    if !NODE_FORMATS.contains(&format) {
        let why = format!("must be one of {}", NODE_FORMATS.join(", "));
        return Err(Fault::invalid(&name("format"), format.escape_debug(), why));
    }
    if let Some(kind) = &parameter.kind {
        let fits = (1..=MEDIA_TYPE_OCTETS_MAX).contains(&kind.len())
            && kind.bytes().all(|octet| (0x20..0x7f).contains(&octet));
        if !fits {
            let why = "must be a MIME type of 1 to 128 ASCII characters";
            return Err(Fault::invalid(&name("type"), kind.escape_debug(), why));
        }
    }
    let is_without = matches!(format, "node" | "null");
    let Some(value) = parameter.value.as_deref() else {
        let is_needed = operation == Operation::Update && !is_without;
        return if is_needed { Err(Fault::missing(&name("value"))) } else { Ok(()) };
    };
    let refused = |why: &str| Err(Fault::invalid(&name("value"), format_args!("{} octets", value.len()), why));
    let is_written = matches!(operation, Operation::Update | Operation::Execute);
    if !value.is_empty() && (!is_written || is_without) {
        return refused(if is_written { "must be left out in this format" } else { "this operation takes none" });
    }
    if value.len() > NODE_VALUE_OCTETS_MAX {
        return refused("has more than 65536 octets");
    }
    if !is_written {
        return Ok(());
    }
    let (fits, why) = match format {
        "int" => (value.parse::<i64>().is_ok(), "is no whole number, which the format int needs"),
        "bool" => (matches!(value, "true" | "false"), "is not true or false, which the format bool needs"),
        "float" => {
            (value.parse::<f64>().is_ok_and(f64::is_finite), "is no decimal number, which the format float needs")
        }
        "bin" | "b64" => (STANDARD.decode(value).is_ok(), "is no base64 text, which the formats bin and b64 need"),
        _ => (checks::is_portable(value), "has characters that XML cannot carry; use the format bin"),
    };
    if fits { Ok(()) } else { refused(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(path: &str, value: Option<&str>, format: Option<&str>) -> Parameter {
        Parameter {
            path: path.to_owned(),
            value: value.map(str::to_owned),
            format: format.map(str::to_owned),
            ..Parameter::default()
        }
    }

    fn with(parameter: Vec<Parameter>, option: &[(&str, &str)]) -> Arguments {
        let option = option.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Arguments { parameter, option, ..Arguments::default() }
    }

    fn refused(operation: Operation, arguments: &Arguments) -> Option<FaultName> {
        checked(operation, arguments).err().map(|fault| fault.name)
    }

    #[test]
    fn a_name_is_known_here_or_known_elsewhere_or_unknown() {
        assert_eq!(operation("UPDATE"), Ok(Operation::Update));
        for name in KNOWN_ELSEWHERE {
            assert_eq!(operation(name).err().map(|fault| fault.name), Some(FaultName::UnsupportedOperation), "{name}");
        }
        for name in ["", "update", "REBOOT"] {
            assert_eq!(operation(name).err().map(|fault| fault.name), Some(FaultName::UnknownOperation), "{name}");
        }
    }

    #[test]
    fn policy_40_is_unsupported_and_other_numbers_are_invalid() {
        assert_eq!(policy(10), Ok(AcceptDevicePolicy::SameTac));
        assert_eq!(policy(40).err().map(|fault| fault.name), Some(FaultName::UnsupportedPolicy));
        assert_eq!(policy(15).err().map(|fault| fault.name), Some(FaultName::InvalidArgument));
    }

    #[test]
    fn each_operation_is_refused_without_what_it_needs() {
        let none = Arguments::default();
        for (operation, fault) in [
            (Operation::Update, Some(FaultName::MissingArgument)),
            (Operation::Query, None),
            (Operation::Discover, None),
            (Operation::Execute, Some(FaultName::MissingArgument)),
            (Operation::Delete, Some(FaultName::MissingArgument)),
            (Operation::Session, None),
        ] {
            assert_eq!(refused(operation, &none), fault, "{operation:?}");
        }
    }

    #[test]
    fn each_operation_takes_as_many_nodes_as_it_says() {
        let nodes = |number| with(vec![node("./A/B", Some("v"), None); number], &[]);
        let paths = |number| with(vec![node("./A/B", None, None); number], &[]);
        for (operation, arguments, fits) in [
            (Operation::Update, nodes(500), true),
            (Operation::Update, nodes(501), false),
            (Operation::Query, paths(500), true),
            (Operation::Query, paths(501), false),
            (Operation::Delete, paths(2), true),
            (Operation::Execute, nodes(1), true),
            (Operation::Execute, nodes(2), false),
            (Operation::Discover, paths(1), true),
            (Operation::Discover, paths(2), false),
            (Operation::Session, paths(1), false),
        ] {
            let number = arguments.parameter.len();
            let expected = (!fits).then_some(FaultName::InvalidArgument);
            assert_eq!(refused(operation, &arguments), expected, "{operation:?} {number}");
        }
    }

    #[test]
    fn a_path_is_a_uri_in_the_tree_of_the_device() {
        let long = format!("./{}", "a".repeat(1023));
        for (operation, path, fits) in [
            (Operation::Query, "./DevInfo/Man", true),
            (Operation::Query, ".", true),
            (Operation::Discover, ".", true),
            (Operation::Delete, ".", false),
            (Operation::Query, "./DevDetail?list=Struct", true),
            (Operation::Query, "./DevDetail?prop=ACL", true),
            (Operation::Query, "./DevDetail?list=", false),
            (Operation::Query, "./DevDetail?other=1", false),
            (Operation::Query, "./A?list=Struct?prop=ACL", false),
            (Operation::Delete, "./A?list=Struct", false),
            (Operation::Query, "DevInfo/Man", false),
            (Operation::Query, "/DevInfo", false),
            (Operation::Query, "./", false),
            (Operation::Query, "./A//B", false),
            (Operation::Query, "./A/", false),
            (Operation::Query, "./A/../B", false),
            (Operation::Query, "./A/./B", false),
            (Operation::Query, "./A\u{7}", false),
            (Operation::Query, "", false),
            (Operation::Query, long.as_str(), false),
            (Operation::Query, &long[..1024], true),
        ] {
            let expected = (!fits).then_some(FaultName::InvalidArgument);
            assert_eq!(refused(operation, &with(vec![node(path, None, None)], &[])), expected, "{operation:?} {path}");
        }
    }

    #[test]
    fn properties_that_can_be_changed_are_updated_by_their_address() {
        for (operation, path, fits) in [
            (Operation::Update, "./A?prop=ACL", true),
            (Operation::Update, "./A?prop=Name", true),
            (Operation::Update, "./A?prop=Title", true),
            (Operation::Update, ".?prop=ACL", true),
            (Operation::Update, ".?prop=Name", false),
            (Operation::Update, "./A?prop=Format", false),
            (Operation::Update, "./A?list=Struct", false),
            (Operation::Execute, "./A?prop=ACL", false),
        ] {
            let expected = (!fits).then_some(FaultName::InvalidArgument);
            let given = with(vec![node(path, Some("Get=*"), None)], &[]);
            assert_eq!(refused(operation, &given), expected, "{operation:?} {path}");
        }
    }

    #[test]
    fn a_value_has_the_form_of_its_format() {
        let large = "a".repeat(NODE_VALUE_OCTETS_MAX + 1);
        for (format, value, fault) in [
            (None, Some("text"), None),
            (None, Some(""), None),
            (None, None, Some(FaultName::MissingArgument)),
            (None, Some("a\u{1}"), Some(FaultName::InvalidArgument)),
            (None, Some(large.as_str()), Some(FaultName::InvalidArgument)),
            (Some("int"), Some("-42"), None),
            (Some("int"), Some("4.2"), Some(FaultName::InvalidArgument)),
            (Some("bool"), Some("true"), None),
            (Some("bool"), Some("yes"), Some(FaultName::InvalidArgument)),
            (Some("float"), Some("1.5"), None),
            (Some("float"), Some("NaN"), Some(FaultName::InvalidArgument)),
            (Some("bin"), Some("AAEC"), None),
            (Some("bin"), Some("not base64"), Some(FaultName::InvalidArgument)),
            (Some("b64"), Some("AAE="), None),
            (Some("b64"), Some("AAE"), Some(FaultName::InvalidArgument)),
            (Some("node"), None, None),
            (Some("node"), Some("v"), Some(FaultName::InvalidArgument)),
            (Some("null"), Some(""), None),
            (Some("text"), Some("v"), Some(FaultName::InvalidArgument)),
        ] {
            let arguments = with(vec![node("./A", value, format)], &[]);
            assert_eq!(refused(Operation::Update, &arguments), fault, "{format:?}");
        }
        let read = with(vec![node("./A", Some("v"), None)], &[]);
        assert_eq!(refused(Operation::Query, &read), Some(FaultName::InvalidArgument));
    }

    #[test]
    fn a_refused_value_is_not_quoted() {
        let arguments = with(vec![node("./A", Some("hunter2"), Some("int"))], &[]);
        let fault = checked(Operation::Update, &arguments).err();
        assert!(fault.is_some_and(|fault| !format!("{fault:?}").contains("hunter2")));
    }

    #[test]
    fn the_values_of_all_nodes_are_bounded_together() {
        let value = "a".repeat(NODE_VALUE_OCTETS_MAX);
        let nodes = |number| with(vec![node("./A", Some(&value), None); number], &[]);
        assert_eq!(refused(Operation::Update, &nodes(8)), None);
        assert_eq!(refused(Operation::Update, &nodes(9)), Some(FaultName::InvalidArgument));
    }

    #[test]
    fn options_are_those_of_the_operation_once_each_and_in_range() {
        for (operation, option, fits) in [
            (Operation::Update, &[("create", "true"), ("atomic", "1")][..], true),
            (Operation::Update, &[("depth", "3")], false),
            (Operation::Update, &[("parameter", "true")], false),
            (Operation::Update, &[("atomic", "maybe")], false),
            (Operation::Update, &[("atomic", "true"), ("atomic", "true")], false),
            (Operation::Discover, &[("depth", "1")], true),
            (Operation::Discover, &[("depth", "16")], true),
            (Operation::Discover, &[("depth", "0")], false),
            (Operation::Discover, &[("depth", "17")], false),
            (Operation::Discover, &[("depth", "deep")], false),
            (Operation::Execute, &[("correlator", "c1")], true),
            (Operation::Execute, &[("correlator", "")], false),
            (Operation::Session, &[("atomic", "true")], false),
        ] {
            let parameter = match operation {
                Operation::Session => Vec::new(),
                _ => vec![node("./A", (operation == Operation::Update).then_some("v"), None)],
            };
            let expected = (!fits).then_some(FaultName::InvalidArgument);
            assert_eq!(refused(operation, &with(parameter, option)), expected, "{operation:?} {option:?}");
        }
    }

    #[test]
    fn atomic_and_sequence_exclude_each_other() {
        let both = |sequence| with(vec![node("./A", None, None)], &[("atomic", "true"), ("sequence", sequence)]);
        assert_eq!(refused(Operation::Delete, &both("true")), Some(FaultName::ConflictingArguments));
        assert_eq!(refused(Operation::Delete, &both("false")), None);
    }

    #[test]
    fn there_are_no_packages_and_no_components() {
        let package = Arguments { package_id: Some("p".into()), ..Arguments::default() };
        assert_eq!(refused(Operation::Update, &package), Some(FaultName::UnknownPackage));
        assert_eq!(refused(Operation::Query, &package), Some(FaultName::InvalidArgument));
        let component = Arguments { component_id: Some("c".into()), ..Arguments::default() };
        assert_eq!(refused(Operation::Update, &component), Some(FaultName::InvalidArgument));
    }
}
