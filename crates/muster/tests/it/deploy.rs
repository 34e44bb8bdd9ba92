//! What lies in `deploy/` fits the server that it deploys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::http::get;
use crate::running::Running;

/// The longest that the server needs to end with its default of `shutdown_seconds`: sessions of devices first, then
/// deliveries under way, each as long as that, and a few seconds for the rest.
const END_SECONDS: u64 = 2 * 20 + 5;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

#[track_caller]
fn read(file: &str) -> String {
    std::fs::read_to_string(deploy().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[track_caller]
fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Metrics that a server tells, each with its labels and their values.
type Served = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    // With TLS, so that the certificates have values too.
    let server = Running::start_with(folder.path(), &["--self-signed"]);
    let told = get(&server.address("admin"), "/metrics");
    assert_eq!(told.status, 200);
    let mut served = Served::new();
    for line in told.body.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let metric = served.entry(name.to_owned()).or_default();
        if let Some((label, value)) = labels.trim_end_matches('}').split_once('=') {
            metric.entry(label.to_owned()).or_default().insert(value.trim_matches('"').to_owned());
        }
    }
    // What Prometheus itself makes of every scrape.
    served.insert("up".to_owned(), BTreeMap::new());
    served
}

/// Everything that is asked of Prometheus: by every panel and variable of the dashboard, and by every alert.
fn asked() -> Vec<String> {
    let mut asked = Vec::new();
    expressions(&json("grafana/muster.json"), &mut asked);
    asked.extend(blocks(&read("prometheus/alerts.yaml"), "expr:"));
    assert!(asked.len() > 20, "{asked:?}");
    asked
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| expressions(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

/// Values of a key in YAML: what stands behind it, and the lines below that are indented further.
fn blocks(text: &str, key: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let of = |at: usize| {
        let first = lines[at].trim_start().strip_prefix(key)?.trim().trim_start_matches(['|', '>', '-']);
        let below = lines[at + 1..].iter().take_while(|line| indent(line) > indent(lines[at]));
        Some(std::iter::once(first).chain(below.map(|line| line.trim())).collect::<Vec<_>>().join(" "))
    };
    (0..lines.len()).filter_map(of).collect()
}

/// What an expression names, each with the matchers of its labels.
fn selectors(expression: &str) -> Vec<(String, Vec<(String, String)>)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '{') {
        let name = &rest[begin..];
        let end = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        if let Some(inner) = after.strip_prefix('{') {
            let (matchers, after) = inner.split_once('}').unwrap();
            let matcher = |it: &str| {
                let (label, value) = it.split_at(it.find(['=', '!']).unwrap());
                (label.trim().to_owned(), value.trim_matches(['=', '!', '~', '"', ' ']).to_owned())
            };
            found.push((name.to_owned(), matchers.split(',').map(matcher).collect()));
            rest = after;
            continue;
        }
        if name == "up" || name.starts_with("muster_") || name.starts_with("process_") {
            found.push((name.to_owned(), Vec::new()));
        }
        rest = after;
    }
    found
}

#[test]
fn dashboard_and_alerts_ask_for_nothing_that_the_server_does_not_tell() {
    let served = served();
    for expression in asked() {
        let selectors = selectors(&expression);
        assert!(!selectors.is_empty(), "names no metric: {expression}");
        for (name, matchers) in selectors {
            let labels = served.get(&name).unwrap_or_else(|| panic!("no metric {name}: {expression}"));
            for (label, value) in matchers.iter().filter(|(label, _)| !["job", "instance"].contains(&&**label)) {
                let known = labels.get(label).unwrap_or_else(|| panic!("{name} has no label {label}: {expression}"));
                let unknown = value.split('|').find(|value| !known.contains(*value));
                assert_eq!(unknown, None, "{name} has not this {label}: {expression}");
            }
        }
    }
}

#[test]
fn every_metric_is_on_the_dashboard_or_in_an_alert_and_in_the_guide() {
    let named: BTreeSet<String> = asked().iter().flat_map(|it| selectors(it)).map(|(name, _)| name).collect();
    let guide = std::fs::read_to_string(deploy().join("../docs/guide/counters.md")).unwrap();
    for name in served().into_keys().filter(|name| name != "up") {
        assert!(named.contains(&name), "nobody looks at {name}");
        assert!(guide.contains(&format!("| `{name}` |")), "docs/guide/counters.md does not explain {name}");
    }
}

#[test]
fn a_selector_is_found_with_its_labels() {
    let expression = r#"sum by (reason) (rate(muster_a_total{job="$job", reason!~"x|y"}[5m])) / up > 0"#;
    let matchers = vec![("job".to_owned(), "$job".to_owned()), ("reason".to_owned(), "x|y".to_owned())];
    assert_eq!(selectors(expression), [("muster_a_total".to_owned(), matchers), ("up".to_owned(), Vec::new())]);
}

#[test]
fn every_alert_says_how_bad_it_is_what_is_wrong_and_why_it_wakes_somebody() {
    let alerts = read("prometheus/alerts.yaml");
    let rules: Vec<&str> = alerts.split("- alert:").skip(1).collect();
    assert!(rules.len() >= 8, "{rules:?}");
    for rule in rules {
        for key in ["expr:", "severity:", "summary:", "description:"] {
            assert_eq!(rule.matches(key).count(), 1, "{key} in {rule}");
        }
    }
}

#[test]
fn json_files_are_json() {
    let dashboard = json("grafana/muster.json");
    let ids: Vec<&Value> = dashboard["panels"].as_array().unwrap().iter().map(|panel| &panel["id"]).collect();
    let different: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(different.len(), ids.len(), "two panels with one id: {ids:?}");
    json("helm/muster/values.schema.json");
}

#[test]
fn whoever_ends_the_server_gives_it_the_time_that_it_may_take() {
    let seconds = |file: &str, key: &str| {
        let value = blocks(&read(file), key).pop().unwrap_or_else(|| panic!("no {key} in {file}"));
        value.trim_end_matches('s').parse::<u64>().unwrap_or_else(|_| panic!("{file}: {key} {value}"))
    };
    for (file, key) in [
        ("systemd/muster.service", "TimeoutStopSec="),
        ("docker/compose.yaml", "stop_grace_period:"),
        ("helm/muster/values.yaml", "terminationGracePeriodSeconds:"),
    ] {
        let given = seconds(file, key);
        assert!(given >= END_SECONDS, "{file}: {key} {given} is less than {END_SECONDS}");
    }
}
