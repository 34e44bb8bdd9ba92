//! How the commands send an import: rows as they are in a file, lines of the answer as they come.

use std::io::Read;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::http_client::{Credential, Tls, http_client, origin};

/// Octets read from a file at once.
const PIECE_OCTETS: usize = 256 << 10;
/// Pieces on their way.
const PIECES_MAX: usize = 4;

/// A connection to the REST face of a server.
pub(crate) struct ImportClient {
    http: reqwest::Client,
    base: String,
    credential: Credential,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RowFormat {
    /// Comma-separated values with a header row.
    Csv,
    /// One JSON object in each line.
    Ndjson,
}

/// What is asked for, besides the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Name of the import.
    pub(crate) id: Option<String>,
    pub(crate) update_existing: bool,
    pub(crate) dry_run: bool,
}

/// A line of the answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Line {
    Rejected(Rejected),
    Progress(Progress),
    Stopped(Stopped),
    Summary(Summary),
}

/// A row that was not taken.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rejected {
    pub(crate) index: u64,
    pub(crate) line: u64,
    pub(crate) message_id: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) variables: Vec<String>,
}

/// How far the import is.
#[derive(Debug, Deserialize)]
pub(crate) struct Progress {
    pub(crate) rows: u64,
}

/// Why it goes no further.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stopped {
    pub(crate) message_id: String,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What became of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) import_id: Option<String>,
    pub(crate) rows: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) rejected: u64,
    #[serde(default)]
    pub(crate) dry_run: bool,
    pub(crate) complete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    message_id: String,
    name: String,
    #[serde(default)]
    detail: String,
}

impl ImportClient {
    /// A client of the server whose WSI is at `url`, for example `http://127.0.0.1:8080/wsi`.
    pub(crate) fn new(url: &str, tls: &Tls, credential: Credential) -> anyhow::Result<Self> {
        // An import takes as long as it takes.
        Ok(Self { http: http_client(url, tls, None)?, base: format!("{}/api/v1", origin(url)), credential })
    }

    /// How far the import of this name has come.
    pub(crate) async fn position(&self, id: &str) -> anyhow::Result<Summary> {
        let response = self.ask(self.http.get(self.address_of(id))).await?;
        let octets = response.bytes().await.context("the answer broke off")?;
        serde_json::from_slice(&octets).context("the answer cannot be read")
    }

    /// Lets the import of this name begin anew.
    pub(crate) async fn forget(&self, id: &str) -> anyhow::Result<()> {
        self.ask(self.http.delete(self.address_of(id))).await.map(drop)
    }

    /// Sends rows, and gives `told` each line of the answer as it comes; `sent` is told how many octets have gone out.
    pub(crate) async fn send(
        &self,
        rows: impl Read + Send + 'static,
        format: RowFormat,
        wanted: &Wanted,
        sent: impl Fn(u64) + Send + 'static,
        mut told: impl FnMut(Line) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let query = format!("updateExisting={}&dryRun={}&progress=true", wanted.update_existing, wanted.dry_run);
        let mut request = self.http.post(format!("{}/devices:import?{query}", self.base)).header(
            "Content-Type",
            match format {
                RowFormat::Csv => "text/csv; charset=utf-8",
                RowFormat::Ndjson => "application/x-ndjson",
            },
        );
        if let Some(id) = &wanted.id {
            request = request.header("Import-Id", id);
        }
        let (sender, body) = Channel::<Bytes, std::io::Error>::new(PIECES_MAX);
        let runtime = Handle::current();
        let reading = tokio::task::spawn_blocking(move || pour(rows, sender, sent, &runtime));
        let mut response = self.ask(request.body(reqwest::Body::wrap(body))).await?;
        let mut waiting = Vec::new();
        while let Some(octets) = response.chunk().await.context("the connection broke")? {
            waiting.extend_from_slice(&octets);
            while let Some(end) = waiting.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                told(serde_json::from_slice(&line).context("a line of the answer cannot be read")?)?;
            }
        }
        // The rest of the rows, if the server took no more, is left where it is.
        if reading.is_finished() {
            reading.await.context("the rows were not read")?.context("cannot read the rows")?;
        }
        Ok(())
    }

    fn address_of(&self, id: &str) -> String {
        let encoded: String = id
            .bytes()
            .map(|octet| match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(octet).to_string(),
                _ => format!("%{octet:02X}"),
            })
            .collect();
        format!("{}/imports/{encoded}", self.base)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let response =
            self.credential.on(request).send().await.with_context(|| format!("no answer from {}", self.base))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let octets = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&octets) {
            Ok(Problem { message_id, name, detail }) => bail!("{message_id} {name}: {detail}"),
            Err(_) => bail!("{} answered {status}; is it the address of a Muster server?", self.base),
        }
    }
}

/// Sends what is read, piece by piece.
fn pour(
    mut rows: impl Read,
    mut sender: Sender<Bytes, std::io::Error>,
    sent: impl Fn(u64),
    runtime: &Handle,
) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE_OCTETS];
    loop {
        let length = match rows.read(&mut piece) {
            Ok(length) => length,
            Err(error) => {
                // The server must not take what came so far for the whole.
                sender.abort(std::io::Error::new(error.kind(), error.to_string()));
                return Err(error);
            }
        };
        let octets = Bytes::copy_from_slice(piece.get(..length).unwrap_or_default());
        // A server that takes no more has said why.
        if length == 0 || runtime.block_on(sender.send_data(octets)).is_err() {
            return Ok(());
        }
        sent(u64::try_from(length).unwrap_or(0));
    }
}
