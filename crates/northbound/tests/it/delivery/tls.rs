//! Certificates on both sides.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::receiver::Receiver;
use super::world::{World, builder, quick, soap, to, trusting};

fn certificate(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(vec![name.to_owned()]).unwrap()
}

fn key(made: &CertifiedKey<KeyPair>) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()))
}

fn acceptor(made: &CertifiedKey<KeyPair>, clients: Option<&CertificateDer<'static>>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(client.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![made.cert.der().clone()], key(made)).unwrap()))
}

async fn receiver(acceptor: TlsAcceptor) -> Receiver {
    Receiver::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Some(acceptor)).await
}

async fn deliver(world: &World, receiver: &Receiver, host: &str) -> Option<String> {
    let url = format!("https://{host}:{}/", receiver.address.port());
    world.allow(soap(&url)).await;
    world.names.set(host, &[&[receiver.ip()]]);
    world.happen(to(&url)).await;
    world.deliver().await;
    world.queue().await.reason
}

#[tokio::test]
async fn a_receiver_with_the_right_certificate_is_told_over_tls() {
    let made = certificate("crm.example");
    let world = World::with(quick(), trusting(&[made.cert.der().clone()])).await;
    let receiver = receiver(acceptor(&made, None)).await;
    assert_eq!(deliver(&world, &receiver, "crm.example").await, None);
    assert_eq!(receiver.seen()[0].header("host"), format!("crm.example:{}", receiver.address.port()));
}

#[tokio::test]
async fn a_certificate_of_another_name_or_of_nobody_known_is_refused_before_anything_is_sent() {
    let (made, stranger) = (certificate("other.example"), certificate("crm.example"));
    for server in [&made, &stranger] {
        let world = World::with(quick(), trusting(&[made.cert.der().clone()])).await;
        let receiver = receiver(acceptor(server, None)).await;
        let reason = deliver(&world, &receiver, "crm.example").await.unwrap();
        assert!(reason.contains("TLS with the receiver failed"), "{reason}");
        assert!(receiver.seen().is_empty() && receiver.connections() == 1);
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_not_told() {
    let made = certificate("crm.example");
    let world = World::with(quick(), trusting(&[made.cert.der().clone()])).await;
    let receiver = Receiver::plain().await;
    let reason = deliver(&world, &receiver, "crm.example").await.unwrap();
    assert!(reason.contains("TLS with the receiver failed"), "{reason}");
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn the_server_shows_its_own_certificate_to_a_receiver_that_asks_for_it() {
    let (made, ours) = (certificate("crm.example"), certificate("muster.example"));
    let receiver = receiver(acceptor(&made, Some(ours.cert.der()))).await;
    let trusted = [made.cert.der().clone()];
    let with = builder(&trusted).with_client_auth_cert(vec![ours.cert.der().clone()], key(&ours)).unwrap();
    let world = World::with(quick(), with).await;
    assert_eq!(deliver(&world, &receiver, "crm.example").await, None);
    let world = World::with(quick(), trusting(&trusted)).await;
    assert!(deliver(&world, &receiver, "crm.example").await.is_some());
    assert_eq!(receiver.seen().len(), 1);
}
