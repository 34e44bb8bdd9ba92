//! Where deliveries never go.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use muster_broker::services::CallbackAddressFields;
use muster_northbound::delivery::{Deliverer, SystemResolver};

use super::receiver::Receiver;
use super::world::{World, admin, no_trust, quick, soap, to};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn public(url: &str) -> CallbackAddressFields {
    CallbackAddressFields { allows_private: false, ..soap(url) }
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_connected_to() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    let port = receiver.address.port();
    let url = format!("https://crm.example:{port}/");
    world.allow(public(&url)).await;
    world.happen(to(&url)).await;
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    for addresses in [
        vec![HERE],
        vec![ip("::1")],
        vec![ip("::ffff:127.0.0.1")],
        vec![ip("64:ff9b::7f00:1")],
        vec![ip("2002:7f00:1::")],
        vec![ip("10.0.0.1")],
        vec![ip("169.254.169.254")],
        vec![ip("0.0.0.0")],
        vec![ip("fd00:ec2::254")],
        // One that is anybody's beside one that is not.
        vec![ip("8.8.8.8"), HERE],
    ] {
        world.names.set("crm.example", &[&addresses]);
        assert_eq!(world.deliver().await, 1);
        let reason = world.queue().await.reason.unwrap();
        assert!(reason.contains("is not connected to"), "{addresses:?}: {reason}");
        world.advance_s(2200);
    }
    assert_eq!((receiver.connections(), world.count("refused")), (0, 10));
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to() {
    let world = World::new().await;
    let receiver = Receiver::plain().await;
    let second = Ipv4Addr::new(127, 0, 0, 2);
    let other = Receiver::at(SocketAddr::from((second, receiver.address.port())), None).await;
    let url = format!("http://localhost:{}/", receiver.address.port());
    world.allow(soap(&url)).await;
    world.names.set("localhost", &[&[receiver.ip()], &[IpAddr::V4(second)]]);
    world.happen(to(&url)).await;
    world.deliver().await;
    assert_eq!((receiver.seen().len(), other.connections(), world.names.asked()), (1, 0, 1));

    // The next connection is checked anew, not remembered.
    world.happen(to(&url)).await;
    world.deliver().await;
    assert_eq!((receiver.seen().len(), other.seen().len(), world.names.asked()), (1, 1, 2));
}

#[tokio::test]
async fn the_resolver_of_the_system_is_believed_no_more_than_any_other() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    let url = format!("https://localhost:{}/", receiver.address.port());
    world.allow(public(&url)).await;
    world.happen(to(&url)).await;
    let tls = Arc::new(no_trust());
    let deliverer = Arc::new(Deliverer::new(world.broker.clone(), tls, Arc::new(SystemResolver), quick()));
    assert_eq!(deliverer.deliver_due().await.unwrap(), 1);
    assert!(world.queue().await.reason.unwrap().contains("private network"));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn plain_http_leaves_this_machine_under_no_name() {
    let world = World::new().await;
    let url = "http://localhost:9/";
    world.allow(soap(url)).await;
    world.names.set("localhost", &[&["8.8.8.8".parse().unwrap()]]);
    world.happen(to(url)).await;
    world.deliver().await;
    assert!(world.queue().await.reason.unwrap().contains("plain HTTP"));
}

#[tokio::test]
async fn a_private_network_that_the_domain_allows_is_connected_to_and_no_other() {
    use muster_broker::access::{Caller, Permission, RightPattern};
    use muster_broker::services::TenantFields;

    let (world, receiver) = (World::new().await, Receiver::plain().await);
    let everywhere = Permission::whole(RightPattern::parse("*").unwrap(), None);
    let operator = Caller { permissions: [everywhere].into(), ..admin() };
    let fields = |network: &str| TenantFields {
        name: "acme".into(),
        callback_networks: vec![network.to_owned()],
        ..TenantFields::default()
    };
    let url = format!("http://localhost:{}/", receiver.address.port());
    world.names.set("localhost", &[&[receiver.ip()]]);
    world.allow(public(&url)).await;
    world.happen(to(&url)).await;
    world.broker.create_tenant(&operator, fields("127.0.0.2/32"), None).await.unwrap();
    world.deliver().await;
    assert!(world.queue().await.reason.unwrap().contains("private network"));
    world.broker.update_tenant(&operator, fields("127.0.0.0/31")).await.unwrap();
    world.advance_s(60);
    world.deliver().await;
    assert_eq!((receiver.seen().len(), world.queue().await.waiting), (1, 0));
}

#[tokio::test]
async fn an_address_that_is_taken_off_the_list_gets_nothing_more() {
    let (world, receiver) = (World::new().await, Receiver::plain().await);
    let fields = soap(&receiver.url("/"));
    let id = world.allow(fields.clone()).await.address.id.to_string();
    world.happen(to(&receiver.url("/"))).await;
    let off = CallbackAddressFields { enabled: false, ..fields.clone() };
    world.broker.update_callback_address(&admin(), &id, off, None).await.unwrap();
    world.deliver().await;
    assert!(world.letters().await[0].reason.contains("no callback address covers it"));

    world.broker.update_callback_address(&admin(), &id, fields, None).await.unwrap();
    let letter = world.letters().await[0].id.to_string();
    world.broker.replay_dead_letters(&admin(), None, &[letter]).await.unwrap();
    world.broker.delete_callback_address(&admin(), &id, None).await.unwrap();
    world.deliver().await;
    assert_eq!((world.letters().await.len(), receiver.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_tried_again() {
    let world = World::new().await;
    world.allow(public("https://nowhere.example/")).await;
    world.happen(to("https://nowhere.example/")).await;
    world.deliver().await;
    let queue = world.queue().await;
    assert!(queue.reason.unwrap().contains("is not found") && queue.waiting == 1);
}
