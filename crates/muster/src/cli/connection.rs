//! Where the server is and who asks: the options of every command that calls the WSI.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::import_client::ImportClient;
use crate::soap_client::SoapClient;

const NO_PASSWORD: &str = "give the password by MUSTER_PASSWORD or --password";

/// How to reach a server.
#[derive(Debug, clap::Args)]
pub(super) struct Connection {
    /// Address of the WSI.
    #[arg(long, env = "MUSTER_URL", value_name = "URL", default_value = "http://127.0.0.1:8080/wsi")]
    url: String,
    /// User or External System.
    #[arg(long, env = "MUSTER_USER", default_value = "admin")]
    user: String,
    /// Password; better given by the environment, where other users of this machine do not see it.
    #[arg(long, env = "MUSTER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Certificate to trust besides those of the system (PEM), for example self-signed.crt of the data folder.
    #[arg(long, env = "MUSTER_TRUST", value_name = "FILE")]
    trust: Option<PathBuf>,
}

impl Connection {
    /// A client for imports, over REST.
    pub(super) fn import_client(&self) -> anyhow::Result<ImportClient> {
        let password = self.password.as_deref().context(NO_PASSWORD)?;
        ImportClient::new(&self.url, self.trust.as_deref(), &self.user, password)
    }

    /// A client that authenticates by HTTP Basic.
    pub(super) fn client(&self) -> anyhow::Result<SoapClient> {
        let password = self.password.clone().context(NO_PASSWORD)?;
        Ok(SoapClient::new(&self.url, self.trust.as_deref())?.with_basic(&self.user, &password))
    }
}
