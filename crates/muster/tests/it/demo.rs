//! `muster demo`.

use serde_json::Value;

use crate::running::{muster, run};

fn shows_everything_in_one_object(devices: u64, seed: u64) {
    let (count, seed_text) = (devices.to_string(), seed.to_string());
    let out = run(&mut muster(["demo", "--json", "--devices", &count, "--seed", &seed_text])).ok();
    assert_eq!(out.lines().count(), 1, "{out}");
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["ok"], true, "{object}");
    assert_eq!((&object["devices"], &object["seed"]), (&devices.into(), &seed.into()));
    assert_eq!(object["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(object["jobs"][0]["status"], "COMPLETED");
    // Six operations besides the deployment; three devices that cannot succeed, two cancelled, one refused by policy.
    let tasks: u64 = object["tasks"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(tasks, devices + 6);
    assert_eq!((&object["tasks"]["REJECTED"], &object["tasks"]["CANCELLED"]), (&1.into(), &2.into()));
    assert_eq!(object["tasks"]["FAILED"], 2);
    assert!(object["sessions"].as_u64().unwrap() >= devices, "{object}");
    assert!(object["elapsed_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn demo_as_json_is_one_object_and_every_device_ends_as_it_must() {
    shows_everything_in_one_object(12, 7);
}

#[test]
fn demo_with_another_seed_ends_as_well() {
    shows_everything_in_one_object(9, 4711);
}

#[test]
fn demo_with_sixty_devices_ends_as_well() {
    shows_everything_in_one_object(60, 7);
}

#[test]
fn demo_for_people_ends_with_a_table_that_lines_up() {
    let out = run(&mut muster(["demo", "--devices", "8", "--seed", "2"])).ok();
    let lines: Vec<&str> = out.lines().collect();
    let rule = lines.iter().rposition(|line| line.starts_with("──")).unwrap();
    assert_eq!(lines.len() - rule - 1, 8 + 6, "{out}");
    assert!(lines[rule - 1].starts_with("task "), "{out}");
    // Where the rule has a gap, every row has one.
    let gaps: Vec<usize> = lines[rule].chars().enumerate().filter(|(_, it)| *it == ' ').map(|(at, _)| at).collect();
    for row in &lines[rule + 1..] {
        let row: Vec<char> = row.chars().collect();
        assert!(gaps.iter().all(|gap| row[*gap] == ' '), "{out}");
    }
    assert!(!out.contains('\u{1b}'), "colours are for terminals");
}

#[test]
fn a_demo_with_too_few_devices_says_how_many_it_takes() {
    let done = run(&mut muster(["demo", "--devices", "3"]));
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("3 is not in 8..=100000"), "{done:?}");
}
