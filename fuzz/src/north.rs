//! Targets on the northbound face. The file is part of two builds: the fuzz targets that name it, and the tests of the
//! northbound crate, which run every target on every file of its corpus.

use muster_northbound::contract::bulk_operations::CreateDeployments;
use muster_northbound::contract::deployment_broker::DoOperation;
use muster_northbound::contract::device_manager::CreateDeviceInstance;
use muster_northbound::rest::read_body;

/// The targets by name, which is also the name of the folder with the corpus.
#[allow(clippy::type_complexity, reason = "a list of names and functions says itself")]
pub const TARGETS: &[(&str, fn(&[u8]))] = &[("rest_json", json)];

/// Runs the target of that name.
///
/// # Panics
/// If there is none, or it found something.
pub fn run(name: &str, octets: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(it, _)| *it == name).expect("a target of this name");
    target(octets);
}

/// Any octets as the body of a request: read within limits, or refused in few words.
fn json(octets: &[u8]) {
    for read in [read_body::<DoOperation>, read_body::<CreateDeployments>, read_body::<CreateDeviceInstance>] {
        match read(octets) {
            Ok(values) => {
                assert!(values <= octets.len(), "{values} values in {} octets", octets.len());
                assert!(serde_json::from_slice::<serde_json::Value>(octets).is_ok(), "read, and is no JSON");
            }
            Err(fault) => {
                assert!(!fault.name.is_servers(), "{fault}");
                assert!(fault.text.chars().count() < 1_000, "a fault of {} characters", fault.text.chars().count());
                assert!(fault.variables.iter().all(|it| it.chars().count() <= 200), "a long variable");
            }
        }
    }
}
