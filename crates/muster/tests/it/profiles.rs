//! `muster profiles`.

use crate::running::{muster, run};

#[test]
fn profiles_are_listed_with_where_they_were_seen_and_how_they_are_recognised() {
    let told = run(&mut muster(["profiles"])).ok();
    assert!(told.contains("windows") && told.contains("by User-Agent MSFT OMA DM Client*"), "{told}");
    assert!(told.contains("or manufacturer libdmclient*"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    let json: serde_json::Value = serde_json::from_str(&run(&mut muster(["profiles", "--json"])).ok()).unwrap();
    assert_eq!(json[0]["session"]["user_interaction"], false);
}

#[test]
fn a_profile_is_printed_in_a_form_that_a_configuration_file_takes_and_replaces_it_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("muster.toml");
    for name in ["windows", "libdmclient", "cyanogenmod", "dm-1-1-2", "plain"] {
        let printed = run(&mut muster(["profiles", name])).ok();
        let mine = format!("{printed}\n").replace("seen = ", "seen = \"mine: \" # ");
        std::fs::write(&config, mine).unwrap();

        let told = run(muster(["profiles", "--config"]).arg(&config)).ok();

        assert!(told.lines().next().unwrap().ends_with("mine: "), "{told}");
        assert!(told.starts_with(name), "{told}");
    }
    let unknown = run(&mut muster(["profiles", "no-such"])).refused();
    assert!(unknown.contains("no profile no-such; there are windows, libdmclient"), "{unknown}");
}

#[test]
fn a_profile_that_makes_no_sense_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("muster.toml");
    std::fs::write(&config, "[[profile]]\nname = \"My Phones\"\nseen = \"here\"\n").unwrap();
    let told = run(muster(["profiles", "--config"]).arg(&config)).refused();
    assert!(told.contains("a profile is named \"My Phones\": lower-case letters"), "{told}");
    std::fs::write(&config, "[[profile]]\nname = \"a\"\nseen = \"here\"\n[profile.session]\nlargeobjects = true\n")
        .unwrap();
    let told = run(muster(["profiles", "--config"]).arg(&config)).refused();
    assert!(told.contains("unknown field `largeobjects`"), "{told}");
}
