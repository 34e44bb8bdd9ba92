use serde::{Deserialize, Serialize};

use super::Observation;

/// What is known of a device when its session begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// Profile that its record or its capability names.
    pub named: Option<&'a str>,
    /// `./DevInfo/Man`.
    pub manufacturer: Option<&'a str>,
    /// `./DevInfo/Mod`.
    pub model: Option<&'a str>,
    /// `./DevDetail/SwV`.
    pub software_version: Option<&'a str>,
    /// HTTP `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// What its first message shows.
    pub observed: &'a [Observation],
}

/// How a kind of device is recognised. Of each list one entry has to fit; an empty list fits everything, and if all
/// are empty nothing is recognised.
///
/// Entries are compared without regard to case. A `*` at the end or at the beginning stands for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// `./DevInfo/Man`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manufacturer: Vec<String>,
    /// `./DevInfo/Mod`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    /// `./DevDetail/SwV`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub software_version: Vec<String>,
    /// HTTP `User-Agent`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_agent: Vec<String>,
    /// What the first message shows; all of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<Observation>,
}

impl When {
    /// Whether this recognises the device.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        *self != Self::default()
            && fits(&self.manufacturer, facts.manufacturer)
            && fits(&self.model, facts.model)
            && fits(&self.software_version, facts.software_version)
            && fits(&self.user_agent, facts.user_agent)
            && self.observed.iter().all(|it| facts.observed.contains(it))
    }
}

fn fits(patterns: &[String], value: Option<&str>) -> bool {
    patterns.is_empty() || value.is_some_and(|value| patterns.iter().any(|pattern| is_like(value.trim(), pattern)))
}

fn is_like(value: &str, pattern: &str) -> bool {
    let (value, pattern) = (value.to_lowercase(), pattern.to_lowercase());
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), Some(_)) => value.contains(end.trim_end_matches('*')),
        (Some(end), None) => value.ends_with(end),
        (None, Some(beginning)) => value.starts_with(beginning),
        (None, None) => value == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_beginning_or_end() {
        for (value, pattern, fits) in [
            ("Samsung", "samsung", true),
            ("Samsung Electronics", "samsung", false),
            ("Samsung Electronics", "samsung*", true),
            ("MSFT OMA DM Client/1.2.0.1", "msft oma dm client*", true),
            ("SM-G920", "*920", true),
            ("SM-G920F", "*920", false),
            ("SM-G920F", "*920*", true),
            ("", "*", true),
        ] {
            assert_eq!(is_like(value, pattern), fits, "{value} {pattern}");
        }
    }

    #[test]
    fn of_each_list_one_entry_has_to_fit_and_nothing_fits_what_is_not_known() {
        let when =
            When { manufacturer: vec!["a".into(), "b".into()], software_version: vec!["1*".into()], ..When::default() };
        let facts = |manufacturer, software_version| Facts { manufacturer, software_version, ..Facts::default() };
        assert!(when.holds(&facts(Some("B"), Some("1.7"))));
        assert!(!when.holds(&facts(Some("c"), Some("1.7"))));
        assert!(!when.holds(&facts(Some("a"), Some("2"))));
        assert!(!when.holds(&facts(Some("a"), None)));
        assert!(!When::default().holds(&facts(Some("a"), Some("1"))), "no condition recognises nothing");
    }
}
