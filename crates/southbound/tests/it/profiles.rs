//! Which profile a session has, and that it counts.

use std::sync::Arc;

use muster_broker::services::CapabilityFields;
use muster_broker::task::TaskStatus;
use muster_protocol::syncml::{Encoding, PublicIdForm, Style};
use muster_protocol::wbxml::{self, PublicId};
use muster_simulator::dm1::SessionEnd;
use muster_southbound::dm1::Settings;
use muster_southbound::profile::{Profile, Profiles, When};

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";

/// A server that writes the public identifier as text for the devices of one profile.
fn world(when: Vec<When>) -> World {
    let profile = Profile {
        name: "texts".into(),
        seen: "in a test".into(),
        when,
        form: Style { public_id: PublicIdForm::Text, ..Style::CANONICAL },
        ..Profile::default()
    };
    let profiles = Arc::new(Profiles::new(vec![profile]).unwrap());
    World::with(Settings { profiles, ..Settings::default() })
}

fn binary() -> Phone {
    Phone::of("anna", Kind { encoding: Encoding::Wbxml, ..Kind::default() })
}

/// Whether every answer of a session has the public identifier as text.
async fn is_in_force(world: &World, phone: &mut Phone) -> bool {
    let task = Ask::query(&[NAME]).of(phone, world).await;
    let mut forms = Vec::new();
    phone.begin();
    loop {
        let answer = phone.send(world).await.unwrap();
        let (header, _) = wbxml::Header::read(&answer.body, &muster_protocol::limits::Limits::DEVICE).unwrap();
        forms.push(matches!(header.public_id, PublicId::Text(_)));
        if let Some(end) = phone.hear(&answer) {
            assert_eq!(end, SessionEnd::Complete);
            break;
        }
    }
    assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
    assert!(forms.len() >= 2 && forms.windows(2).all(|pair| pair[0] == pair[1]), "{forms:?}");
    forms[0]
}

#[tokio::test]
async fn a_device_is_recognised_by_its_user_agent_for_the_whole_session() {
    let world = world(vec![When { user_agent: vec!["reads texts*".into()], ..When::default() }]);
    let mut phone = binary();
    world.record(&phone).await;

    assert!(!is_in_force(&world, &mut phone).await);
    phone.user_agent = Some("Reads Texts/1.0");
    assert!(is_in_force(&world, &mut phone).await);
}

#[tokio::test]
async fn a_device_is_recognised_by_the_dev_info_of_its_first_message() {
    let world = world(vec![When { manufacturer: vec!["exam*".into()], model: vec!["one".into()], ..When::default() }]);
    let mut phone = binary();
    world.record(&phone).await;

    assert!(is_in_force(&world, &mut phone).await);
}

#[tokio::test]
async fn a_capability_names_the_profile_of_its_devices() {
    let world = world(Vec::new());
    let attribute = vec![("dmProfile".to_owned(), "texts".to_owned())];
    let line = CapabilityFields {
        manufacturer: "Example".into(),
        model: "One".into(),
        attribute,
        ..CapabilityFields::default()
    };
    let capability = world.broker().create_capability(&world.caller, line, None).await.unwrap();
    let mut phone = binary();
    let record = world.record(&phone).await;
    assert!(!is_in_force(&world, &mut phone).await, "the record has no capability yet");
    let linked = world.device(&record).await.capability;

    assert_eq!(linked, Some(capability.oid), "the first session tells make and model");
    assert!(is_in_force(&world, &mut phone).await);
}
