//! What the operator wants to know of the process and its files, looked up when it is asked for.
//!
//! The names that begin with `process_` are those that Prometheus's own libraries give, so that common dashboards and
//! rules find them.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use muster_southbound::dm1::Family;
use muster_store::Options;

/// This process, and the folder it has.
pub(super) struct Process {
    begun_s: u64,
    database: PathBuf,
}

impl Process {
    /// The process as it begins to serve a data folder.
    pub(super) fn new(data: &Path) -> Self {
        let begun_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { begun_s, database: Options::new(data).database_path() }
    }

    /// What is told about it. What this system does not tell us has no value.
    pub(super) fn families(&self) -> Vec<Family> {
        let mut log = self.database.clone().into_os_string();
        log.push("-wal");
        let alone = |name, help, value: Option<u64>| Family {
            name,
            help,
            label: "",
            values: value.map(|it| ("", it)).into_iter().collect(),
        };
        vec![
            Family {
                name: "muster_database_bytes",
                help: "Size of the database and of its log.",
                label: "file",
                values: vec![("database", length(&self.database)), ("log", length(Path::new(&log)))],
            },
            alone("process_start_time_seconds", "When the server began, in seconds since 1970.", Some(self.begun_s)),
            alone("process_resident_memory_bytes", "Memory in use.", resident_bytes()),
            alone("process_open_fds", "File descriptors that are open.", open_files()),
            alone("process_max_fds", "File descriptors that may be open.", open_files_max()),
        ]
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn open_files() -> Option<u64> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as u64)
}

fn open_files_max() -> Option<u64> {
    number_after(&std::fs::read_to_string("/proc/self/limits").ok()?, "Max open files")
}

fn resident_bytes() -> Option<u64> {
    number_after(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")?.checked_mul(1024)
}

/// The first number of the line that begins so.
fn number_after(text: &str, beginning: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_its_line_and_one_that_is_none_is_not_told() {
        let text =
            "Max open files            1024                 4096                 files\nVmRSS:\t  2048 kB\nx y\n";
        assert_eq!(number_after(text, "Max open files"), Some(1024));
        assert_eq!(number_after(text, "VmRSS:"), Some(2048));
        assert_eq!(number_after(text, "x"), None);
        assert_eq!(number_after(text, "z"), None);
    }
}
