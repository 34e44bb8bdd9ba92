//! Records per second into a new database: `cargo run --release -p muster-store --example import -- [devices] [batch]
//! [sorted|shuffled]`.
//!
//! Prints the rate, the longest batch, and the processor time of the writing thread for each record. The records are
//! made beforehand, so only the store is measured.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring tool may fail by panic, and prints")]

use std::time::{Duration, Instant};

use muster_broker::device::{AuthType, Device, DmAccount, ManagementState, Sealed};
use muster_broker::id::{BUCKETS, Bucket, DeviceOid};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::ledger::Deed;
use muster_broker::store::{DeviceGiven, DeviceWrite, ImportBatch, ImportStore as _, WriteMode};
use muster_broker::time::Timestamp;
use muster_store::{Options, SqliteStore};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_248_000_000);
const BUCKETS_OF_BATCH: u64 = 16;

fn record(number: u64, place: u64, bucket: u16) -> DeviceWrite {
    let device = Device {
        oid: DeviceOid::in_bucket(Uuid::from_u128(u128::from(place) << 64 | u128::from(number) << 24), Bucket(bucket)),
        tenant: "alpha".into(),
        device_id: Some(DeviceId::from_device(&format!("IMEI:35{number:012}")).unwrap()),
        phone_number: Some(Msisdn::parse(&format!("+4915{number:09}")).unwrap()),
        imsi: None,
        capability: None,
        manufacturer: Some("Example Devices".into()),
        model: Some("EX-1".into()),
        firmware_version: Some("1.0".into()),
        software_version: None,
        management_state: ManagementState::Known,
        subscriber_id: None,
        group: Vec::new(),
        attribute: Vec::new(),
        account: Some(DmAccount {
            auth_type: AuthType::Digest,
            client_name: format!("client-{number:09}"),
            client_secret: Sealed(vec![1; 45]),
            client_nonce: None,
            server_id: None,
            server_name: None,
            server_secret: Some(Sealed(vec![2; 45])),
            server_nonce: None,
        }),
        last_seen_at: None,
        version: 1,
    };
    let given = DeviceGiven { device, oid: None, version: None, state: None, has_client_secret: true };
    DeviceWrite { mode: WriteMode::Create, given }
}

/// Processor time of the threads of this name, from the kernel's count of ticks.
fn thread_cpu(name: &str) -> Duration {
    let mut ticks = 0;
    for entry in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, rest)) = stat.rsplit_once(')') else { continue };
        if head.ends_with(&format!("({name}")) {
            let fields: Vec<u64> = rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
            ticks += fields[11] + fields[12];
        }
    }
    Duration::from_millis(ticks * 10)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let devices: u64 = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let batch: u64 = arguments.next().map_or(2_000, |text| text.parse().unwrap());
    let is_shuffled = arguments.next().is_some_and(|word| word == "shuffled");
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = SqliteStore::open(&Options::new(folder.path())).unwrap();

    let (mut longest, mut spent) = (Duration::ZERO, Duration::ZERO);
    let mut place = 0;
    while place < devices {
        let writes = (place..devices.min(place + batch))
            .map(|place| {
                // A multiplication by an odd number is a permutation of the numbers below a power of two.
                let number = if is_shuffled { place.wrapping_mul(0x9E37_79B1) % (1 << 30) } else { place };
                let bucket = (place / batch * BUCKETS_OF_BATCH + place % BUCKETS_OF_BATCH) * 997 % u64::from(BUCKETS);
                (place, record(number, place, u16::try_from(bucket).unwrap()))
            })
            .collect();
        place = devices.min(place + batch);
        let batch = ImportBatch {
            tenant: "alpha".into(),
            writes,
            step: None,
            is_dry_run: false,
            deed: Deed::local("alpha", "import", NOW),
        };
        let began = Instant::now();
        let outcome = store.device_import(batch).await.unwrap().unwrap();
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused.first());
        longest = longest.max(began.elapsed());
        spent += began.elapsed();
    }
    let writer = thread_cpu("store-writer");
    println!(
        "{devices} records in {spent:.2?}: {:.0}/s, longest batch {longest:.1?}, writer {:.2} us each, checkpoints {:.2} us",
        devices as f64 / spent.as_secs_f64(),
        writer.as_secs_f64() * 1e6 / devices as f64,
        thread_cpu("store-checkpoin").as_secs_f64() * 1e6 / devices as f64,
    );
}
