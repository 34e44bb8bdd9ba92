//! Devices for the benchmark: registered through the store, spoken for by the generator.

use std::sync::Arc;

use muster_broker::device::{AuthType, Device, DmAccount, ManagementState};
use muster_broker::id::DeviceOid;
use muster_broker::identity::DeviceId;
use muster_broker::ledger::Deed;
use muster_broker::ports::{Environment as _, Vault};
use muster_broker::store::{DeviceGiven, DeviceWrite, Store, WriteMode};
use uuid::Uuid;

use crate::serve::{FIRST_TENANT, System};

/// Records in one transaction.
const PAGE: usize = 1_000;

/// What the generator must know of device `index`; every value follows from the index.
pub(super) struct Known {
    pub(super) client_name: String,
    pub(super) client_secret: String,
    pub(super) device_id: String,
    pub(super) server_secret: String,
}

/// Nonce that every device of the benchmark is provisioned with.
pub(super) const FIRST_NONCE: &[u8; 16] = b"muster-benchmark";

pub(super) fn known(index: u32) -> Known {
    // TAC of a test device and a serial number; the check digit is added when the identifier is read.
    let digits = format!("35{:012}", u64::from(index));
    let device_id = DeviceId::from_device(&format!("IMEI:{digits}")).map_or(digits, |id| id.to_string());
    Known {
        client_name: format!("bench-{index:07}"),
        client_secret: format!("secret-{index:07}"),
        device_id,
        server_secret: format!("server-{index:07}"),
    }
}

/// An identifier like a random one.
pub(super) fn oid_of(number: u32) -> DeviceOid {
    DeviceOid::new(Uuid::from_u128(u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)))
}

/// Identifiers spread over the buckets like random ones, in the order of their key.
pub(super) fn oids(devices: u32) -> Vec<DeviceOid> {
    let mut all: Vec<_> = (0..devices).map(oid_of).collect();
    all.sort_unstable_by_key(|oid| (oid.bucket.0, oid.unique));
    all
}

/// Registers devices `0..devices`: sorted by every key, as a bulk load is best done, so that each index grows at its end.
pub(super) async fn register(store: &Arc<dyn Store>, vault: &Arc<dyn Vault>, devices: u32) -> anyhow::Result<()> {
    let oids = oids(devices);
    let oid = |index: u32| oids.get(index as usize).copied().unwrap_or_else(|| oid_of(index));
    register_as(store, vault, devices, oid, |_, _| {}).await
}

/// As [`register`], with identifiers of choice; `dress` gives each record its further fields.
pub(super) async fn register_as(
    store: &Arc<dyn Store>,
    vault: &Arc<dyn Vault>,
    devices: u32,
    oid: impl Fn(u32) -> DeviceOid,
    dress: impl Fn(u32, &mut Device),
) -> anyhow::Result<()> {
    let records: Vec<(u32, DeviceOid)> = (0..devices).map(|index| (index, oid(index))).collect();
    // One page is sealed while the one before is written.
    let mut writing: Option<tokio::task::JoinHandle<anyhow::Result<()>>> = None;
    for page in records.chunks(PAGE) {
        let writes = page.iter().map(|(index, oid)| write(*index, *oid, vault.as_ref(), &dress)).collect();
        if let Some(before) = writing.take() {
            before.await??;
        }
        let store = store.clone();
        writing = Some(tokio::spawn(async move {
            let deed = Deed::local(FIRST_TENANT, "bench", System.now()).told_together();
            store.device_write(FIRST_TENANT, writes, deed, None).await?;
            Ok(())
        }));
    }
    if let Some(last) = writing {
        last.await??;
    }
    Ok(())
}

fn write(index: u32, oid: DeviceOid, vault: &dyn Vault, dress: &impl Fn(u32, &mut Device)) -> DeviceWrite {
    let known = known(index);
    let mut device = Device {
        oid,
        tenant: FIRST_TENANT.to_owned(),
        device_id: DeviceId::from_device(&known.device_id).ok(),
        phone_number: None,
        imsi: None,
        capability: None,
        manufacturer: Some("Example Devices".to_owned()),
        model: Some("EX-1".to_owned()),
        firmware_version: None,
        software_version: None,
        management_state: ManagementState::Managed,
        subscriber_id: None,
        group: Vec::new(),
        attribute: Vec::new(),
        account: Some(DmAccount {
            auth_type: AuthType::Digest,
            client_name: known.client_name,
            client_secret: vault.seal(known.client_secret.as_bytes()),
            client_nonce: Some(FIRST_NONCE.to_vec()),
            server_id: None,
            server_name: None,
            server_secret: Some(vault.seal(known.server_secret.as_bytes())),
            server_nonce: Some(FIRST_NONCE.to_vec()),
        }),
        last_seen_at: None,
        version: 1,
    };
    dress(index, &mut device);
    let state = Some(device.management_state);
    DeviceWrite {
        mode: WriteMode::Create,
        given: DeviceGiven { device, oid: None, version: None, state, has_client_secret: true },
    }
}
