#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
use super::*;

fn profile(name: &str) -> Profile {
    Profile { name: name.into(), seen: "in a test".into(), ..Profile::default() }
}

#[test]
fn built_in_profiles_are_read_and_each_says_where_it_was_seen() {
    let file: File = toml::from_str(BUILT_IN).unwrap();
    assert!(file.profile.len() >= 5);
    for it in &file.profile {
        assert!(!it.seen.is_empty(), "{}", it.name);
        assert!(Profiles::new(vec![it.clone()]).is_ok(), "{}", it.name);
    }
    assert_eq!(Profiles::default().all().len(), file.profile.len());
}

#[test]
fn devices_are_recognised_by_what_they_say_of_themselves() {
    let profiles = Profiles::default();
    let chosen = |facts: Facts<'_>| profiles.choose(&facts).name.clone();
    let nothing = Facts::default();
    assert_eq!(chosen(nothing), PLAIN);
    assert_eq!(chosen(Facts { user_agent: Some("MSFT OMA DM Client/1.2.0.1"), ..nothing }), "windows");
    assert_eq!(chosen(Facts { manufacturer: Some("LibDmClient"), ..nothing }), "libdmclient");
    assert_eq!(chosen(Facts { observed: &[Observation::PublicIdInStringTable], ..nothing }), PLAIN);
    let both = &[Observation::MediaTypeOfDataSynchronisation, Observation::DevInfoWithInteriorNodes];
    assert_eq!(chosen(Facts { observed: both, ..nothing }), "libdmclient");
    assert_eq!(chosen(Facts { observed: &both[..1], ..nothing }), PLAIN);
    assert_eq!(chosen(Facts { observed: &[Observation::Dm11], ..nothing }), "dm-1-1-2");
}

#[test]
fn a_record_that_names_a_profile_counts_before_what_the_device_says() {
    let profiles = Profiles::default();
    let facts = Facts { named: Some("cyanogenmod"), user_agent: Some("MSFT OMA DM Client/1.2"), ..Facts::default() };
    assert_eq!(profiles.choose(&facts).name, "cyanogenmod");
    let unknown = Facts { named: Some("no-such"), ..facts };
    assert_eq!(profiles.choose(&unknown).name, "windows");
}

#[test]
fn profiles_of_an_operator_come_first_and_may_replace_built_in_ones() {
    let mut own = profile("windows");
    own.seen = "our own tablets".into();
    let profiles = Profiles::new(vec![profile("mine"), own]).unwrap();
    assert_eq!(profiles.all()[0].name, "mine");
    assert_eq!(profiles.named("windows").seen, "our own tablets");
    assert_eq!(profiles.all().iter().filter(|it| it.name == "windows").count(), 1);
    assert_eq!(profiles.named("no-such").name, PLAIN);
}

#[test]
fn profiles_without_name_or_origin_or_with_a_name_that_is_taken_are_refused() {
    let refused = |own| Profiles::new(own).unwrap_err();
    assert_eq!(refused(vec![profile("")]), ProfileError::Name { name: String::new() });
    assert_eq!(refused(vec![profile("A b")]), ProfileError::Name { name: "A b".into() });
    assert_eq!(refused(vec![profile("a"), profile("a")]), ProfileError::Twice { name: "a".into() });
    let unseen = Profile { seen: " ".into(), ..profile("a") };
    assert_eq!(refused(vec![unseen]), ProfileError::Unseen { name: "a".into() });
}

#[test]
fn a_misspelt_key_of_a_profile_is_refused_by_name() {
    let text = "[[profile]]\nname = \"a\"\nseen = \"b\"\nsesion = {}\n";
    let error = toml::from_str::<File>(text).err().unwrap().to_string();
    assert!(error.contains("sesion"), "{error}");
}
