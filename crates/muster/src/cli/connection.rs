//! Where the server is and who asks: the options of every command that calls the WSI.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::http_client::{Credential, Tls};
use crate::import_client::ImportClient;
use crate::rest_client::RestClient;
use crate::soap_client::SoapClient;

/// Under which the options stand in the help of a command.
const HEADING: &str = "Connection";
const NOBODY: &str = "say who asks: the password by MUSTER_PASSWORD, an API key by --key-file, a session by --session-file, \
                      or a client certificate by --client-certificate";

/// How to reach a server, and as whom: a key counts before a session, and that before a password. A client certificate is
/// shown besides them, or alone.
#[derive(Debug, clap::Args)]
pub(super) struct Connection {
    /// Address of the WSI.
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_URL", value_name = "URL", default_value = "http://127.0.0.1:8080/wsi")]
    url: String,
    /// User or External System, with a password.
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_USER", default_value = "admin")]
    user: String,
    /// Password; better given by the environment, where other users of this machine do not see it.
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// File with an API key in its first line, or the key itself in MUSTER_KEY. It counts before a session and a password.
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// File with a session: its identifier, or what `muster call login --json` printed. Or the identifier itself in
    /// MUSTER_SESSION. It counts before a password.
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_SESSION_FILE", value_name = "FILE")]
    session_file: Option<PathBuf>,
    /// Certificate to show the server (PEM), with those of the authorities between, if any.
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_CLIENT_CERTIFICATE", value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Key of that certificate (PEM).
    #[arg(long, help_heading = HEADING, global = true, env = "MUSTER_CLIENT_KEY", value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// Certificate to trust besides those of the system (PEM), for example self-signed.crt of the data folder.
    #[arg(long, help_heading = HEADING, global = true, visible_alias = "ca", env = "MUSTER_TRUST", value_name = "FILE")]
    trust: Option<PathBuf>,
}

impl Connection {
    /// A client for imports, over REST.
    pub(super) fn import_client(&self) -> anyhow::Result<ImportClient> {
        ImportClient::new(&self.url, &self.tls(), self.credential()?)
    }

    /// A client that speaks SOAP.
    pub(super) fn client(&self) -> anyhow::Result<SoapClient> {
        SoapClient::new(&self.url, &self.tls(), self.credential()?)
    }

    /// A client that speaks SOAP and shows nothing but the certificate of its connection, where it has one.
    pub(super) fn stranger(&self) -> anyhow::Result<SoapClient> {
        SoapClient::new(&self.url, &self.tls(), Credential::None)
    }

    /// A client for any operation, over REST.
    pub(super) fn rest_client(&self) -> anyhow::Result<RestClient> {
        RestClient::new(&self.url, &self.tls(), self.credential()?)
    }

    /// As [`Connection::stranger`], over REST.
    pub(super) fn rest_stranger(&self) -> anyhow::Result<RestClient> {
        RestClient::new(&self.url, &self.tls(), Credential::None)
    }

    /// Puts user and password of the connection among the parameters of a login, unless one of them is there.
    pub(super) fn fill_login(&self, parameters: &mut Map<String, Value>) {
        if parameters.contains_key("userName") || parameters.contains_key("password") {
            return;
        }
        if let Some(password) = &self.password {
            parameters.insert("userName".to_owned(), Value::from(self.user.as_str()));
            parameters.insert("password".to_owned(), Value::from(password.as_str()));
        }
    }

    fn tls(&self) -> Tls {
        Tls { trust: self.trust.clone(), shown: self.client_certificate.clone().zip(self.client_key.clone()) }
    }

    fn credential(&self) -> anyhow::Result<Credential> {
        if let Some(key) = given(self.key_file.as_deref(), "MUSTER_KEY")? {
            return Ok(Credential::Key(key));
        }
        if let Some(text) = given(self.session_file.as_deref(), "MUSTER_SESSION")? {
            let session = serde_json::from_str::<Value>(&text).ok().and_then(|it| it.get("sessionId").cloned());
            return Ok(Credential::Session(session.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or(text)));
        }
        match &self.password {
            Some(password) => Ok(Credential::Basic(self.user.clone(), password.clone())),
            None if self.client_certificate.is_some() => Ok(Credential::None),
            None => anyhow::bail!(NOBODY),
        }
    }
}

/// A secret from the first line of a file, else from a variable of the environment.
fn given(file: Option<&Path>, variable: &str) -> anyhow::Result<Option<String>> {
    let (text, place) = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            (text, path.display().to_string())
        }
        None => match std::env::var(variable) {
            Ok(text) if !text.is_empty() => (text, variable.to_owned()),
            Ok(_) | Err(_) => return Ok(None),
        },
    };
    let line = text.trim_start().lines().next().unwrap_or_default().trim_end();
    let is_one = !line.is_empty() && line.chars().all(|it| it == ' ' || it.is_ascii_graphic());
    anyhow::ensure!(is_one, "{place} holds no key and no session: one line of visible characters is expected");
    Ok(Some(line.to_owned()))
}
