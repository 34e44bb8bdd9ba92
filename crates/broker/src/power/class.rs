use serde::{Deserialize, Serialize};

use super::nodes::{By, NODES};
use super::policy::Policy;
use crate::names::names;
use crate::operation::{Arguments, Operation};

/// What kind of danger an operation is, the gravest first: of a request with several, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    /// Data on the device is erased.
    Wipe,
    /// The device goes back to how it left the factory.
    FactoryReset,
    /// The user can no longer use the device.
    Lock,
    /// The firmware of the device is replaced.
    Firmware,
    /// Anything else that changes a device: nodes are written, removed or executed.
    Change,
}

names! {
    Class {
        "WIPE" Wipe
        "FACTORY_RESET" FactoryReset
        "LOCK" Lock
        "FIRMWARE" Firmware
        "CHANGE" Change
    }
}

/// Operations of the contract that are dangerous whatever they work on, by name.
///
/// Source: DM WSI contract, section 3, "Operation names".
const NAMES: &[(&str, Class)] = &[("WIPE", Class::Wipe), ("LOCK", Class::Lock)];

/// The class of an operation of the contract by its name alone; none if that depends on its arguments.
#[must_use]
pub fn class_of_name(operation: &str) -> Option<Class> {
    NAMES.iter().find(|(name, _)| *name == operation).map(|(_, class)| *class)
}

/// The class of an operation with these arguments; none if it only reads or waits.
///
/// An UPDATE, DELETE or EXECUTE of a node that stands for a dangerous primitive is of the class of that primitive:
/// [`NODES`], and those that the domain adds in its policy.
#[must_use]
pub fn class_of(policy: &Policy, operation: Operation, arguments: &Arguments) -> Option<Class> {
    if let Some(class) = class_of_name(operation.as_str()) {
        return Some(class);
    }
    if operation.only_reads() {
        return None;
    }
    // Without nodes of its own an UPDATE brings the device up to its target firmware; a package may hold one.
    let is_package = operation == Operation::Update && arguments.parameter.is_empty();
    let whole = if is_package || arguments.package_id.is_some() { Class::Firmware } else { Class::Change };
    let nodes = arguments.parameter.iter().map(|node| class_of_node(policy, operation, &node.path));
    Some(nodes.fold(whole, Class::min))
}

fn class_of_node(policy: &Policy, operation: Operation, path: &str) -> Class {
    // A property of a node, such as its ACL, starts nothing.
    if path.contains('?') {
        return Class::Change;
    }
    let segments = super::nodes::segments(path);
    let is_executed = operation == Operation::Execute;
    let known = NODES.iter().filter(|node| is_executed || node.by == By::Change);
    let known = known.filter(|node| node.pattern.matches(&segments)).map(|node| node.class);
    let own = policy.nodes.iter().filter(|node| node.pattern.matches(&segments)).map(|node| node.class);
    known.chain(own).min().unwrap_or(Class::Change)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;
    use crate::operation::{KNOWN_ELSEWHERE, Parameter};
    use crate::power::{NodePattern, OwnNode};

    fn on(path: &str) -> Arguments {
        Arguments {
            parameter: vec![Parameter { path: path.to_owned(), ..Parameter::default() }],
            ..Arguments::default()
        }
    }

    fn class(operation: Operation, path: &str) -> Option<Class> {
        class_of(&Policy::default(), operation, &on(path))
    }

    #[test]
    fn an_execute_of_a_listed_node_is_of_its_class_however_it_is_spelt() {
        for (path, expected) in [
            ("./LAWMO/Operations/Wipe", Class::Wipe),
            ("./LAWMO/Operations/%57ipe", Class::Wipe),
            ("./lawmo/operations/WIPE", Class::Wipe),
            ("./Vendor/Acme/Lawmo/Operations/Ext/WipeAll", Class::Wipe),
            ("./Vendor/Acme/EraseAll/RemoteWipeNow", Class::Wipe),
            ("./LAWMO/Operations/FactoryReset", Class::FactoryReset),
            ("./Some/Where/Operations/FactoryReset", Class::FactoryReset),
            ("./LAWMO/Operations/FullyLock", Class::Lock),
            ("./LAWMO/Operations/PartiallyLock", Class::Lock),
            ("./LAWMO/Operations/UnLock", Class::Change),
            ("./Vendor/MSFT/RemoteWipe/doWipeProtected", Class::Wipe),
            ("./Device/Vendor/MSFT/RemoteWipe/AutomaticRedeployment/doAutomaticRedeployment", Class::Wipe),
            ("./Device/Vendor/MSFT/RemoteLock/Lock", Class::Lock),
            ("./FUMO/Package/DownloadAndUpdate", Class::Firmware),
            ("./FUMO/Package/Update", Class::Firmware),
            ("./DevDetail/Ext", Class::Change),
        ] {
            assert_eq!(class(Operation::Execute, path), Some(expected), "{path}");
        }
    }

    #[test]
    fn writing_or_removing_a_listed_node_counts_as_executing_it() {
        for operation in [Operation::Update, Operation::Delete] {
            assert_eq!(class(operation, "./Vendor/MSFT/RemoteWipe/doWipe"), Some(Class::Wipe), "{operation:?}");
            assert_eq!(class(operation, "./LAWMO/Operations/FactoryReset"), Some(Class::FactoryReset));
            assert_eq!(class(operation, "./FUMO/Package/Update/PkgData"), Some(Class::Firmware));
            assert_eq!(class(operation, "./DMAcc/Acme/Name"), Some(Class::Change));
        }
        // A word in a name is a guess, and one that only an EXECUTE is judged by.
        assert_eq!(class(Operation::Update, "./LAWMO/AvailableWipeList/1/ToBeWiped"), Some(Class::Change));
        assert_eq!(class(Operation::Update, "./LAWMO/Operations/Wipe?prop=ACL"), Some(Class::Change));
    }

    #[test]
    fn what_only_reads_has_no_class() {
        for operation in [Operation::Query, Operation::Discover, Operation::Session] {
            assert_eq!(class(operation, "./LAWMO/Operations/Wipe"), None, "{operation:?}");
        }
    }

    #[test]
    fn one_dangerous_node_among_many_makes_the_whole_operation_dangerous() {
        let mut arguments = on("./DMAcc/Acme/Name");
        arguments.parameter.extend(on("./Vendor/MSFT/RemoteWipe/doWipe").parameter);
        arguments.parameter.extend(on("./FUMO/Package/Update/PkgData").parameter);
        assert_eq!(class_of(&Policy::default(), Operation::Update, &arguments), Some(Class::Wipe));
    }

    #[test]
    fn an_update_by_package_or_to_the_target_firmware_is_firmware() {
        let package = Arguments { package_id: Some("p".into()), ..Arguments::default() };
        for arguments in [package, Arguments::default()] {
            assert_eq!(class_of(&Policy::default(), Operation::Update, &arguments), Some(Class::Firmware));
        }
    }

    #[test]
    fn a_domain_adds_nodes_of_its_own() {
        let pattern = NodePattern::parse("./Vendor/Acme/SelfDestruct").unwrap();
        let policy = Policy { nodes: vec![OwnNode { pattern, class: Class::Wipe }], ..Policy::default() };
        let arguments = on("./Vendor/Acme/SelfDestruct");
        assert_eq!(class_of(&policy, Operation::Execute, &arguments), Some(Class::Wipe));
        assert_eq!(class_of(&policy, Operation::Update, &arguments), Some(Class::Wipe));
        assert_eq!(class_of(&Policy::default(), Operation::Execute, &arguments), Some(Class::Change));
    }

    #[test]
    fn names_of_the_contract_are_known_before_the_server_carries_them_out() {
        for name in ["WIPE", "LOCK"] {
            assert!(KNOWN_ELSEWHERE.contains(&name) || Operation::parse(name).is_some(), "{name}");
            assert!(class_of_name(name).is_some(), "{name}");
        }
        assert_eq!(class_of_name("QUERY"), None);
    }
}
