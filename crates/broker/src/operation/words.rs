use super::{Arguments, Operation};

/// Paths that are told by name; of the others only the number.
const TOLD_MAX: usize = 10;

impl Operation {
    /// What would be sent to a device, in words and without the values of nodes, which may be secrets.
    #[must_use]
    pub fn in_words(self, arguments: &Arguments) -> String {
        let command = match self {
            Self::Update if arguments.is_set("create") => "Add",
            Self::Update => "Replace",
            Self::Query => "Get",
            Self::Discover => {
                let root = arguments.parameter.first().map_or(".", |parameter| parameter.path.as_str());
                return format!("Get {root} and what is below it, {} levels deep", arguments.depth());
            }
            Self::Execute => "Exec",
            Self::Delete => "Delete",
            Self::Session => return "no command, only a session".to_owned(),
        };
        if arguments.parameter.is_empty() {
            return format!("{command} of the standard set of DevInfo and DevDetail");
        }
        let told = arguments.parameter.iter().take(TOLD_MAX).map(|parameter| parameter.path.as_str());
        let mut words = format!("{command} {}", told.collect::<Vec<_>>().join(", "));
        if let Some(more @ 1..) = arguments.parameter.len().checked_sub(TOLD_MAX) {
            words.push_str(&format!(" and {more} more"));
        }
        if arguments.is_set("atomic") {
            words.push_str(", in one Atomic");
        }
        if arguments.is_set("sequence") {
            words.push_str(", in one Sequence");
        }
        words
    }
}

impl Arguments {
    /// Levels below the root that a DISCOVER walks.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.option("depth").and_then(|depth| depth.trim().parse().ok()).unwrap_or(Self::DEPTH)
    }

    /// Levels when the option `depth` is left out.
    pub const DEPTH: u8 = 3;
    /// Most levels.
    pub const DEPTH_MAX: u8 = 16;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Parameter;

    fn nodes(number: usize) -> Arguments {
        let parameter = (0..number).map(|n| Parameter {
            path: format!("./Node/{n}"),
            value: Some("secret".into()),
            ..Parameter::default()
        });
        Arguments { parameter: parameter.collect(), ..Arguments::default() }
    }

    #[test]
    fn a_plan_names_the_nodes_but_never_their_values() {
        let mut arguments = nodes(2);
        arguments.option.push(("atomic".into(), "true".into()));
        assert_eq!(Operation::Update.in_words(&arguments), "Replace ./Node/0, ./Node/1, in one Atomic");
        assert!(Operation::Delete.in_words(&nodes(12)).ends_with("./Node/9 and 2 more"));
    }

    #[test]
    fn a_plan_without_parameters_tells_the_default() {
        let none = Arguments::default();
        assert_eq!(Operation::Query.in_words(&none), "Get of the standard set of DevInfo and DevDetail");
        assert_eq!(Operation::Discover.in_words(&none), "Get . and what is below it, 3 levels deep");
    }
}
