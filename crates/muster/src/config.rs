//! What can be set, and where: flags count before the environment, that before the file, that before the defaults.
//!
//! Every key is explained in `muster.example.toml`, which a test reads.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::records::Format;

/// The file's form. Unknown keys are refused, so that a misspelt one is noticed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    /// Folder of the database and the key.
    pub(crate) data: Option<PathBuf>,
    /// Identifier of this server among peers and towards devices.
    pub(crate) server_id: Option<String>,
    pub(crate) north: Listener,
    pub(crate) south: Listener,
    pub(crate) admin: Listener,
    pub(crate) limits: Limits,
    pub(crate) sessions: Sessions,
    pub(crate) charging: Charging,
    pub(crate) callbacks: Callbacks,
    pub(crate) log: Log,
    /// Kinds of devices that depart from the specification, looked at before the built-in ones.
    pub(crate) profile: Vec<muster_southbound::profile::Profile>,
}

/// One listener.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Listener {
    /// Address and port.
    pub(crate) address: Option<SocketAddr>,
    /// Public address of what is served here.
    pub(crate) public_url: Option<String>,
    /// Certificate chain, PEM.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key, PEM.
    pub(crate) tls_key: Option<PathBuf>,
    /// Makes a certificate of its own for loopback names; for trials.
    pub(crate) self_signed: bool,
    /// Asks clients for a certificate where TLS is on, which is the default; of the north listener alone.
    pub(crate) client_certificates: Option<bool>,
}

/// Bounds on what comes from outside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    pub(crate) wsi_request_bytes: u64,
    pub(crate) wsi_requests_per_second: u32,
    pub(crate) device_message_bytes: u32,
    pub(crate) device_object_bytes: u32,
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
    pub(crate) header_seconds: u64,
    pub(crate) request_seconds: u64,
    pub(crate) tls_handshake_seconds: u64,
    pub(crate) shutdown_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wsi_request_bytes: 8 << 20,
            wsi_requests_per_second: 500,
            device_message_bytes: 64 << 10,
            device_object_bytes: 1 << 20,
            connections: 20_000,
            connections_per_address: 10_000,
            header_seconds: 15,
            request_seconds: 30,
            tls_handshake_seconds: 10,
            shutdown_seconds: 20,
        }
    }
}

/// How long sessions live.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sessions {
    pub(crate) wsi_idle_seconds: i64,
    pub(crate) wsi_life_seconds: i64,
    pub(crate) api_key_days_max: i64,
    pub(crate) approval_kept_days: i64,
    pub(crate) device_silent_seconds: i64,
    pub(crate) device_proof_in_each_message: bool,
    pub(crate) background_milliseconds: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            wsi_idle_seconds: 30 * 60,
            wsi_life_seconds: 12 * 3600,
            api_key_days_max: 366,
            approval_kept_days: 366,
            device_silent_seconds: 300,
            device_proof_in_each_message: false,
            background_milliseconds: 200,
        }
    }
}

/// Files of records of chargeable events.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Charging {
    /// Folder; no files are written without.
    pub(crate) folder: Option<PathBuf>,
    /// Forms, each in files of its own.
    pub(crate) formats: Vec<Format>,
    /// A file is complete when it has this many bytes.
    pub(crate) file_bytes: u64,
    /// A file is complete when it is so old.
    pub(crate) file_seconds: u64,
}

impl Default for Charging {
    fn default() -> Self {
        Self { folder: None, formats: vec![Format::Ndjson, Format::Csv], file_bytes: 16 << 20, file_seconds: 3600 }
    }
}

/// How External Systems are told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Callbacks {
    /// Certificate chain that the server shows to receivers, PEM.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub(crate) tls_key: Option<PathBuf>,
    /// Authorities that receivers are certified by, PEM, instead of those of the system.
    pub(crate) trust: Option<PathBuf>,
    /// Takes receivers on this machine without TLS; for trials.
    pub(crate) plain_http: bool,
    /// Deliveries under way at once, and those for one callback address.
    pub(crate) at_once: usize,
    pub(crate) per_address: usize,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self { tls_certificate: None, tls_key: None, trust: None, plain_http: false, at_once: 64, per_address: 8 }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

impl File {
    /// Reads a configuration file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut file: Self = toml::from_str(&text).with_context(|| format!("{} is not understood", path.display()))?;
        file.check().with_context(|| format!("{} is not understood", path.display()))?;
        // Paths in a file are meant from where the file lies.
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let paths = [&mut file.north, &mut file.south, &mut file.admin].into_iter();
        let tls = paths.flat_map(|listener| [&mut listener.tls_certificate, &mut listener.tls_key]);
        let Callbacks { tls_certificate, tls_key, trust, .. } = &mut file.callbacks;
        let folders = [&mut file.data, &mut file.charging.folder, tls_certificate, tls_key, trust];
        for path in tls.chain(folders).flatten() {
            *path = base.join(&*path);
        }
        Ok(file)
    }
}

/// Largest number that a limit or a time takes: enough for anything, and safe to reckon with.
const MOST: u64 = 1 << 31;

impl File {
    /// Whether everything in it is of use: no key that nobody reads, no number that is 0, and none so large that it was
    /// surely meant otherwise.
    fn check(&self) -> anyhow::Result<()> {
        // Devices prove themselves in their messages, and who watches the server is let in by the network. A key that
        // looks like a protection and is none is worse than a server that does not start.
        for (name, listener) in [("south", &self.south), ("admin", &self.admin)] {
            anyhow::ensure!(
                listener.client_certificates.is_none(),
                "{name}.client_certificates has no effect, for only the north listener asks its clients for certificates; \
                 take the line out, and let a firewall or a proxy say who reaches the {name} listener"
            );
        }
        let Limits {
            wsi_request_bytes,
            wsi_requests_per_second,
            device_message_bytes,
            device_object_bytes,
            connections,
            connections_per_address,
            header_seconds,
            request_seconds,
            tls_handshake_seconds,
            shutdown_seconds,
        } = self.limits;
        let Sessions {
            wsi_idle_seconds,
            wsi_life_seconds,
            api_key_days_max,
            approval_kept_days,
            device_silent_seconds,
            background_milliseconds,
            ..
        } = self.sessions;
        let Charging { ref formats, file_bytes, file_seconds, .. } = self.charging;
        let is_twice = formats.iter().enumerate().any(|(at, format)| formats.iter().take(at).any(|it| it == format));
        anyhow::ensure!(!formats.is_empty() && !is_twice, "charging.formats must name each form once");
        let whole = |number: i64| u64::try_from(number).unwrap_or(0);
        let many = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let numbers = [
            ("limits.wsi_request_bytes", wsi_request_bytes),
            ("limits.wsi_requests_per_second", wsi_requests_per_second.into()),
            ("limits.device_message_bytes", device_message_bytes.into()),
            ("limits.device_object_bytes", device_object_bytes.into()),
            ("limits.connections", many(connections)),
            ("limits.connections_per_address", many(connections_per_address)),
            ("limits.header_seconds", header_seconds),
            ("limits.request_seconds", request_seconds),
            ("limits.tls_handshake_seconds", tls_handshake_seconds),
            ("limits.shutdown_seconds", shutdown_seconds),
            ("sessions.wsi_idle_seconds", whole(wsi_idle_seconds)),
            ("sessions.wsi_life_seconds", whole(wsi_life_seconds)),
            ("sessions.api_key_days_max", whole(api_key_days_max)),
            ("sessions.approval_kept_days", whole(approval_kept_days)),
            ("sessions.device_silent_seconds", whole(device_silent_seconds)),
            ("sessions.background_milliseconds", background_milliseconds),
            ("charging.file_bytes", file_bytes),
            ("charging.file_seconds", file_seconds),
            ("callbacks.at_once", many(self.callbacks.at_once)),
            ("callbacks.per_address", many(self.callbacks.per_address)),
        ];
        for (name, number) in numbers {
            anyhow::ensure!((1..=MOST).contains(&number), "{name} must be a number from 1 to {MOST}");
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../muster.example.toml");

    /// The example has each key commented out with its default; uncommented it must be the defaults.
    #[test]
    fn the_example_names_every_key_with_its_default() {
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#= ").unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let file: File = toml::from_str(&uncommented).unwrap();
        assert_eq!(format!("{:?}", file.limits), format!("{:?}", Limits::default()));
        assert_eq!(format!("{:?}", file.sessions), format!("{:?}", Sessions::default()));
        assert_eq!(format!("{:?}", file.charging), format!("{:?}", Charging::default()));
        assert_eq!(format!("{:?}", file.callbacks), format!("{:?}", Callbacks::default()));
        assert_eq!(format!("{:?}", file.log), format!("{:?}", Log::default()));
        assert_eq!(file.north.address, Some(crate::serve::NORTH));
        assert_eq!(file.south.address, Some(crate::serve::SOUTH));
        assert_eq!(file.admin.address, Some(crate::serve::ADMIN));
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error = toml::from_str::<File>("[limits]\nconections = 3\n").unwrap_err();
        assert!(error.to_string().contains("conections"), "{error}");
    }
}
