//! API keys, authorities, bindings, revocations and identity providers.

use std::future::Future;

use muster_broker::access::RightPattern;
use muster_broker::api_key::{ApiKey, KeyScope};
use muster_broker::certificate::{
    Authority, CertificateBinding, CertificateName, CertificateNameKind, Fingerprint, RevocationList,
    RevokedCertificate, Serial,
};
use muster_broker::fault::FaultName;
use muster_broker::page::{Listed, Page};
use muster_broker::store::StoreError;

use crate::world::{ALL, NOW, TENANT, World, deed, deed_at};

fn key(id: &str) -> ApiKey {
    ApiKey {
        id: id.into(),
        digest: [7; 32],
        tenant: TENANT.into(),
        principal: "shop".into(),
        name: Some("billing".into()),
        scope: KeyScope { rights: vec![RightPattern::parse("job.*").unwrap()], ..KeyScope::default() },
        created_by: "root".into(),
        created_at: NOW,
        expires_at: NOW.plus_s(60),
        last_used_at: None,
        revoked: None,
    }
}

fn authority(number: u8, tenant: &str) -> Authority {
    Authority {
        fingerprint: Fingerprint([number; 32]),
        tenant: tenant.into(),
        name: None,
        subject: "CN=clients".into(),
        subject_der: vec![1, 2],
        key_digest: [number; 32],
        der: vec![3; 600],
        not_before: NOW,
        not_after: NOW.plus_s(60),
        vouches_everywhere: number.is_multiple_of(2),
        list: None,
        created_by: "root".into(),
        created_at: NOW,
    }
}

fn binding(kind: CertificateNameKind, value: &str) -> CertificateBinding {
    CertificateBinding {
        tenant: TENANT.into(),
        name: CertificateName { kind, value: value.into() },
        principal: "shop".into(),
        created_by: "root".into(),
        created_at: NOW,
    }
}

fn revoked(serial: u8) -> RevokedCertificate {
    RevokedCertificate {
        tenant: TENANT.into(),
        issuer_der: vec![0x30, serial % 2],
        issuer: "CN=clients".into(),
        serial: Serial::of(&[serial, 0, 255]),
        reason: Some("lost".into()),
        revoked_by: "root".into(),
        revoked_at: NOW,
    }
}

/// Every entry of a list, page by page of two.
async fn each<T, F: Future<Output = Result<Listed<T>, StoreError>>>(list: impl Fn(Page) -> F) -> Vec<T> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = list(Page { size: 2, after }).await.unwrap();
        assert!(page.items.len() <= 2);
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => {
                assert_eq!(u64::try_from(all.len()).unwrap(), page.total);
                return all;
            }
        }
    }
}

#[tokio::test]
async fn a_key_is_kept_as_it_was_made_noted_and_revoked_once() {
    let mut world = World::new();
    for id in ["c", "a", "b"] {
        world.store().key_create(key(id), deed("root")).await.unwrap();
    }
    world.reopen();
    let store = world.store();
    assert_eq!(each(|page| store.key_list(TENANT, Some("shop"), page)).await, [key("a"), key("b"), key("c")]);
    assert_eq!(store.key_list("beta", None, ALL).await.unwrap().total, 0);
    store.key_touch("a", NOW.plus_s(9)).await.unwrap();
    store.key_touch("a", NOW.plus_s(3)).await.unwrap();
    assert_eq!(store.key_get("a").await.unwrap().unwrap().last_used_at, Some(NOW.plus_s(9)));
    assert_eq!(store.key_revoke("beta", "a", deed_at("them", NOW)).await.unwrap(), None);
    let first = store.key_revoke(TENANT, "a", deed_at("root", NOW)).await.unwrap().unwrap();
    assert_eq!(first.revoked, Some((NOW, "root".to_owned())));
    assert_eq!(store.key_revoke(TENANT, "a", deed_at("else", NOW.plus_s(1))).await.unwrap(), Some(first));
}

#[tokio::test]
async fn an_authority_belongs_to_one_domain_and_its_newest_list_is_kept() {
    let mut world = World::new();
    let added = world.store().authority_add(authority(1, TENANT), deed("root")).await.unwrap().unwrap();
    assert_eq!(world.store().authority_add(authority(1, TENANT), deed("root")).await.unwrap(), Ok(added));
    let taken = world.store().authority_add(authority(1, "beta"), deed("root")).await.unwrap().unwrap_err();
    assert_eq!(taken.name, FaultName::AlreadyExists);
    for number in [4, 2, 3] {
        world.store().authority_add(authority(number, TENANT), deed("root")).await.unwrap().unwrap();
    }
    let list = |made_s: i64| RevocationList { der: vec![9], this_update: NOW.plus_s(made_s), next_update: None };
    let put = async |world: &World, made_s: i64| {
        world.store().authority_list_put(TENANT, Fingerprint([1; 32]), list(made_s), deed("root")).await.unwrap()
    };
    assert_eq!(put(&world, 5).await.unwrap().list, Some(list(5)));
    assert_eq!(put(&world, 4).await, None);
    world.reopen();
    let store = world.store();
    let numbers: Vec<u8> =
        each(|page| store.authority_list(TENANT, page)).await.iter().map(|it| it.fingerprint.0[0]).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let kept = store.authority_get(TENANT, Fingerprint([1; 32])).await.unwrap().unwrap();
    assert_eq!(kept, Authority { list: Some(list(5)), ..authority(1, TENANT) });
    assert!(store.authority_remove(TENANT, Fingerprint([1; 32]), deed("root")).await.unwrap());
    assert!(!store.authority_remove(TENANT, Fingerprint([1; 32]), deed("root")).await.unwrap());
    // Another domain may trust it now.
    assert!(store.authority_add(authority(1, "beta"), deed("root")).await.unwrap().is_ok());
}

#[tokio::test]
async fn names_and_revocations_are_kept_and_listed_page_by_page() {
    use CertificateNameKind::{CommonName, Dns, Uri};
    let world = World::new();
    let store = world.store();
    let names = [(Uri, "urn:b"), (CommonName, "a b c"), (Dns, "x.example"), (Uri, "urn:a")];
    for (kind, value) in names {
        store.binding_add(binding(kind, value), deed("root")).await.unwrap().unwrap();
    }
    let other = CertificateBinding { principal: "care".into(), ..binding(Uri, "urn:a") };
    assert_eq!(store.binding_add(other, deed("root")).await.unwrap().unwrap_err().name, FaultName::AlreadyExists);
    let listed = each(|page| store.binding_list(TENANT, None, page)).await;
    let values: Vec<&str> = listed.iter().map(|it| it.name.value.as_str()).collect();
    assert_eq!(values, ["urn:a", "urn:b", "x.example", "a b c"]);
    let wanted = vec![binding(Dns, "x.example").name, binding(Uri, "urn:c").name];
    assert_eq!(store.binding_find(TENANT, wanted.clone()).await.unwrap(), [binding(Dns, "x.example")]);
    assert!(store.binding_find("beta", wanted).await.unwrap().is_empty());

    for serial in [3, 1, 2, 4, 5] {
        store.certificate_revoke(revoked(serial), deed("root")).await.unwrap();
    }
    let again = RevokedCertificate { reason: None, ..revoked(3) };
    assert_eq!(store.certificate_revoke(again, deed("root")).await.unwrap(), revoked(3));
    let listed = each(|page| store.certificate_revoked(TENANT, page)).await;
    assert_eq!(listed, [2, 4, 1, 3, 5].map(revoked));
}

#[tokio::test]
async fn every_change_of_what_certificates_are_verified_with_raises_its_version() {
    let world = World::new();
    let store = world.store();
    let mut last = store.trust_version().await.unwrap();
    let mut is_raised = async |what: &str, wanted: bool| {
        let now = store.trust_version().await.unwrap();
        assert_eq!(now > last, wanted, "{what}");
        last = now;
    };
    let name = binding(CertificateNameKind::Uri, "urn:a");
    store.authority_add(authority(1, TENANT), deed("root")).await.unwrap().unwrap();
    is_raised("an authority", true).await;
    store.authority_add(authority(1, TENANT), deed("root")).await.unwrap().unwrap();
    is_raised("the same", false).await;
    store.binding_add(name.clone(), deed("root")).await.unwrap().unwrap();
    is_raised("a binding", true).await;
    store.certificate_revoke(revoked(1), deed("root")).await.unwrap();
    is_raised("a revocation", true).await;
    let list = RevocationList { der: vec![1], this_update: NOW, next_update: Some(NOW.plus_s(1)) };
    store.authority_list_put(TENANT, Fingerprint([1; 32]), list, deed("root")).await.unwrap().unwrap();
    is_raised("a list", true).await;
    let loaded = store.trust_load().await.unwrap();
    assert_eq!((loaded.authorities.len(), loaded.revoked.len()), (1, 1));
    assert!(store.binding_remove(TENANT, &name.name, deed("root")).await.unwrap());
    is_raised("a binding less", true).await;
    assert!(store.authority_remove(TENANT, Fingerprint([1; 32]), deed("root")).await.unwrap());
    is_raised("an authority less", true).await;
}
