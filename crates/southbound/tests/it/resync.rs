//! Devices that have lost their nonces.

use muster_broker::contact;
use muster_broker::store::Verdict;
use muster_broker::task::TaskStatus;
use muster_protocol::dm1::notification::{
    Form, Nonce, Notification, ResyncNonce, ServerIdentifier, ServerKey, SessionId,
};
use muster_simulator::account::AuthType;
use muster_simulator::behaviour::{Behaviour, ResyncReading};
use muster_simulator::dm1::{Initiation, SessionEnd};

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

const NAME: &str = "./Vendor/Example/Name";

/// The device is notified with the nonce of resynchronisation in this reading, and the server remembers that.
async fn invite(world: &World, phone: &mut Phone, reading: ResyncNonce) -> Initiation {
    let step = contact::resynchronised(&world.contact(phone).await);
    assert_eq!(world.store().contact_commit(step).await.unwrap(), Verdict::Applied);
    let form = Form { resync_nonce: reading, ..Form::default() };
    let server_id = ServerIdentifier::new("muster").unwrap();
    let notification = Notification::new(&form, SessionId::new(0x2A).unwrap(), server_id);
    let key = ServerKey { account_name: "server", secret: "server-secret" };
    phone.device.notified(&notification.seal(&form, &key, Nonce::Resync)).unwrap()
}

fn forgetful(auth: AuthType, reading: ResyncReading) -> Phone {
    let behaviours = vec![Behaviour::ResyncNonce(reading)];
    Phone::of("anna", Kind { auth, asks_server: true, behaviours, ..Kind::default() })
}

#[tokio::test]
async fn a_device_that_lost_its_nonces_comes_back_after_a_notification_in_either_reading() {
    for (reading, read) in
        [(ResyncNonce::FourZeroOctets, ResyncReading::Octets), (ResyncNonce::Ascii, ResyncReading::Text)]
    {
        let world = World::new();
        let mut phone = forgetful(AuthType::Md5, read);
        world.record(&phone).await;
        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
        let task = Ask::query(&[NAME]).of(&phone, &world).await;
        phone.device.forget_nonces();
        let initiation = invite(&world, &mut phone, reading).await;
        phone.out = Some(phone.device.start(&initiation));

        assert_eq!(phone.finish(&world).await, SessionEnd::Complete, "{reading:?}");

        assert_eq!(world.status(&task).await, TaskStatus::Succeeded);
        assert!(!world.contact(&phone).await.state.resync, "it counts once");
        let next = Ask::query(&[NAME]).of(&phone, &world).await;
        assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
        assert_eq!(world.status(&next).await, TaskStatus::Succeeded);
    }
}

#[tokio::test]
async fn nobody_comes_in_with_the_nonce_of_resynchronisation_uninvited() {
    let world = World::new();
    let mut phone = forgetful(AuthType::Md5, ResyncReading::Octets);
    world.record(&phone).await;
    assert_eq!(phone.connect(&world).await, SessionEnd::Complete);
    phone.device.account.client_nonce = Some(vec![0; 4]);
    let generation = world.contact(&phone).await.state.generation;
    phone.begin();

    let answer = phone.send(&world).await.unwrap();

    assert_eq!(crate::phone::header_status(&phone.read(&answer)).0, 401);
    assert_eq!(world.contact(&phone).await.state.generation, generation);
}
