//! Octets that are no message of a device.

use muster_protocol::syncml::Encoding;
use muster_southbound::dm1::{Post, Refusal, Settings};

use crate::ask::Ask;
use crate::phone::{Kind, Phone};
use crate::world::World;

/// A recorded device with a task, and a good package 1 of it.
async fn package_1(world: &World, encoding: Encoding) -> (Phone, Vec<u8>) {
    let mut phone = Phone::of("anna", Kind { encoding, ..Kind::default() });
    world.record(&phone).await;
    Ask::query(&["./DevDetail/SwV"]).of(&phone, world).await;
    phone.begin();
    let octets = phone.out.as_ref().unwrap().encode(encoding).unwrap();
    (phone, octets)
}

async fn refusal(world: &World, encoding: Encoding, body: &[u8]) -> Refusal {
    world.post(Post { content_type: Some(encoding.media_type()), body, ..Post::default() }).await.unwrap_err()
}

#[tokio::test]
async fn a_message_cut_off_anywhere_is_unreadable_and_changes_nothing() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let (phone, octets) = package_1(&world, encoding).await;
        let before = world.contact(&phone).await;
        for length in (0..octets.len()).step_by(7).chain([octets.len() - 1]) {
            let refusal = refusal(&world, encoding, &octets[..length]).await;
            assert!(matches!(refusal, Refusal::Unreadable(_)), "{encoding:?} {length}: {refusal}");
        }
        assert_eq!(world.contact(&phone).await, before);
    }
}

#[tokio::test]
async fn a_message_with_an_altered_octet_lets_nobody_in_by_its_old_credential_twice() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        let world = World::new();
        let (phone, octets) = package_1(&world, encoding).await;
        for at in (0..octets.len()).step_by(3) {
            let mut altered = octets.clone();
            altered[at] ^= 0x15;
            // Whatever it is now: an answer or a refusal, and at most one of them uses the nonce up.
            let _ =
                world.post(Post { content_type: Some(encoding.media_type()), body: &altered, ..Post::default() }).await;
        }
        assert!(world.contact(&phone).await.state.generation <= 1);
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_looked_at() {
    let world = World::with(Settings { message_bytes_max: 2000, ..Settings::default() });
    let (_, mut octets) = package_1(&world, Encoding::Xml).await;
    assert!(octets.len() < 2000);
    octets.resize(2001, b' ');
    assert!(matches!(refusal(&world, Encoding::Xml, &octets).await, Refusal::TooLarge { max: 2000 }));
    octets.truncate(2000);
    let good =
        world.post(Post { content_type: Some(Encoding::Xml.media_type()), body: &octets, ..Post::default() }).await;
    assert!(good.is_ok(), "white space at the end is allowed, and 2000 octets are");
}

#[tokio::test]
async fn other_media_types_are_no_syncml() {
    let world = World::new();
    let (_, octets) = package_1(&world, Encoding::Xml).await;
    for content_type in [Some("text/plain"), Some("application/json"), Some("application/x-www-form-urlencoded")] {
        let refusal = world.post(Post { content_type, body: &octets, ..Post::default() }).await.unwrap_err();
        assert!(matches!(refusal, Refusal::NotSyncml), "{content_type:?}");
    }
    assert!(matches!(
        world.post(Post { content_type: None, body: b"hello", ..Post::default() }).await,
        Err(Refusal::NotSyncml)
    ));
    assert!(world.post(Post { content_type: None, body: &octets, ..Post::default() }).await.is_ok());
}

#[tokio::test]
async fn documents_of_other_kinds_are_unreadable() {
    let world = World::new();
    package_1(&world, Encoding::Xml).await;
    let xml: [&[u8]; 6] = [
        b"<html/>",
        b"<SyncML/>",
        b"<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr/></SyncML>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><SyncML xmlns='SYNCML:SYNCML1.2'>&a;</SyncML>",
        b"\xff\xfe\x00",
        b"<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><SyncHdr><SyncHdr>",
    ];
    for body in xml {
        assert!(matches!(refusal(&world, Encoding::Xml, body).await, Refusal::Unreadable(_)));
    }
    let deep = "<a>".repeat(10_000);
    assert!(matches!(refusal(&world, Encoding::Xml, deep.as_bytes()).await, Refusal::Unreadable(_)));
}

#[tokio::test]
async fn wbxml_of_an_unknown_document_type_is_unreadable() {
    let world = World::new();
    let (phone, octets) = package_1(&world, Encoding::Wbxml).await;
    let before = world.contact(&phone).await;
    // Version, then the public identifier: 5 is WML 1.0, 0x7F nothing, 0 an index into an empty string table.
    for id in [&[5_u8][..], &[0x7F], &[0, 0]] {
        let body = [&octets[..1], id, &[0x6A, 0], &octets[octets.len() / 2..]].concat();
        assert!(matches!(refusal(&world, Encoding::Wbxml, &body).await, Refusal::Unreadable(_)), "{id:?}");
    }
    for body in [&b""[..], &[0x02], &[0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], &[0x09, 0x01, 0x6A, 0x00]] {
        assert!(matches!(refusal(&world, Encoding::Wbxml, body).await, Refusal::Unreadable(_)), "{body:?}");
    }
    assert_eq!(world.contact(&phone).await, before);
}
