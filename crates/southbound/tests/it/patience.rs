//! Devices that fail to prove who they are.

use muster_simulator::behaviour::Behaviour;
use muster_simulator::dm1::SessionEnd;
use muster_southbound::dm1::Refusal;

use crate::phone::Phone;
use crate::world::World;

/// Sessions that fail until one is not heard; what it was told to wait.
async fn fail(world: &World, phone: &mut Phone) -> (usize, u32) {
    for session in 0..20 {
        phone.begin();
        loop {
            match phone.send(world).await {
                Ok(answer) if phone.hear(&answer).is_some() => break,
                Ok(_) => {}
                Err(Refusal::NotNow { retry_after_s }) => return (session, retry_after_s),
                Err(other) => panic!("{other}"),
            }
        }
    }
    panic!("it is always heard");
}

#[tokio::test]
async fn a_device_that_fails_and_fails_has_to_wait_and_is_heard_again_after_that() {
    for recorded in [true, false] {
        let world = World::new();
        let mut phone = Phone::with("anna", &[Behaviour::WrongCredentials]);
        if recorded {
            world.record(&phone).await;
        }

        let (sessions, wait) = fail(&world, &mut phone).await;

        assert_eq!((sessions, wait), (3, 2), "two failures a session, whether or not there is such an account");
        world.pass_s(2);
        phone.begin();
        assert!(phone.send(&world).await.is_ok());
    }
}

#[tokio::test]
async fn a_right_credential_after_the_wait_makes_everything_good() {
    let world = World::new();
    let mut good = Phone::new("anna");
    world.record(&good).await;
    let mut bad = good.clone();
    bad.device.account.client_secret = "guessed".into();
    let (_, wait) = fail(&world, &mut bad).await;
    good.begin();
    assert!(matches!(good.send(&world).await, Err(Refusal::NotNow { .. })));
    world.pass_s(i64::from(wait));

    assert_eq!(good.connect(&world).await, SessionEnd::Complete);

    for _ in 0..5 {
        bad.begin();
        assert!(bad.send(&world).await.is_ok(), "the count began again");
    }
}

#[tokio::test]
async fn a_session_that_is_open_goes_on_while_others_guess() {
    let world = World::new();
    let mut good = Phone::new("anna");
    world.record(&good).await;
    crate::ask::Ask::query(&["./Vendor/Example/Name"]).of(&good, &world).await;
    let mut bad = good.clone();
    bad.device.account.client_secret = "guessed".into();
    good.begin();
    assert!(good.exchange(&world).await.is_none());
    fail(&world, &mut bad).await;

    assert_eq!(good.finish(&world).await, SessionEnd::Complete);
}
