use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::File;
use crate::serve::{ADMINISTRATOR, Options, Server};

/// Runs the server until it is told to end (SIGTERM or Ctrl-C); sessions that are open get time to finish.
///
/// The first start makes an administrator, `admin`, with the password of MUSTER_ADMIN_PASSWORD, the first line of the file
/// that MUSTER_ADMIN_PASSWORD_FILE names, or one that is printed once. All listeners are on loopback unless told otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Configuration file; muster.example.toml explains every key.
    #[arg(long, env = "MUSTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the database and the key file; made if it is not there.
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address for External Systems.  [default: 127.0.0.1:8080]
    #[arg(long, env = "MUSTER_NORTH", value_name = "ADDR")]
    north: Option<SocketAddr>,
    /// Address for devices.  [default: 127.0.0.1:8081]
    #[arg(long, env = "MUSTER_SOUTH", value_name = "ADDR")]
    south: Option<SocketAddr>,
    /// Address for health checks.  [default: 127.0.0.1:8082]
    #[arg(long, env = "MUSTER_ADMIN", value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// Identifier of this server among peers and towards devices.  [default: muster]
    #[arg(long, env = "MUSTER_SERVER_ID", value_name = "NAME")]
    server_id: Option<String>,
    /// TLS on both listeners with a certificate of its own for loopback names, kept in the data folder; for trials.
    #[arg(long)]
    self_signed: bool,
    /// What is logged, for example info,muster_southbound=debug.
    #[arg(long, env = "MUSTER_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Prints one JSON line with the addresses to standard output once the server listens.
    #[arg(long)]
    ready_json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster serve                                   on loopback, data in ./muster-data
  muster serve --config muster.toml              as muster.example.toml explains
  MUSTER_ADMIN_PASSWORD=… muster serve           the administrator's password, for the first start
  muster serve --self-signed                     TLS for a trial; then:
  muster call getServiceInfo --url https://127.0.0.1:8080/wsi --trust muster-data/self-signed.crt
  muster serve --south 0.0.0.0:8081              devices from other machines too";

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
    let Args { data, north, south, admin, server_id, self_signed, log, ready_json, config: _ } = args;
    file.north.address = north.or(file.north.address);
    file.south.address = south.or(file.south.address);
    file.admin.address = admin.or(file.admin.address);
    file.north.self_signed |= self_signed;
    file.south.self_signed |= self_signed;
    file.server_id = server_id.or(file.server_id);
    file.log.filter = log.unwrap_or(file.log.filter);
    super::log::start(&file.log.filter, file.log.json)?;
    let options = Options {
        data: data.or(file.data.clone()).unwrap_or_else(|| PathBuf::from("muster-data")),
        file,
        admin_password: admin_password()?,
    };
    super::runtime()?.block_on(async {
        // Whoever reads the ready line may tell the server to end at once.
        let mut ending = super::Ending::new()?;
        let server = Server::start(options).await?;
        tell(&server, ready_json);
        ending.told().await;
        tracing::info!("ending: open sessions get time to finish");
        tokio::select! {
            () = server.stop() => Ok(ExitCode::SUCCESS),
            () = ending.told() => {
                tracing::warn!("told to end again: open sessions are cut off");
                Ok(ExitCode::FAILURE)
            }
        }
    })
}

/// The password for an administrator that is yet to be made. An empty one counts as none, so that a file may be emptied
/// once it has done its service.
fn admin_password() -> anyhow::Result<Option<String>> {
    let given = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    if let Some(password) = given("MUSTER_ADMIN_PASSWORD") {
        return Ok(Some(password));
    }
    let Some(file) = given("MUSTER_ADMIN_PASSWORD_FILE") else { return Ok(None) };
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {file}, which MUSTER_ADMIN_PASSWORD_FILE names"))?;
    Ok(text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned))
}

fn tell(server: &Server, ready_json: bool) {
    let (north, south, admin) = (server.north.url(), server.south.url(), server.admin.url());
    if ready_json {
        let line = serde_json::json!({
            "event": "listening", "north": north, "south": south, "admin": admin,
            "password": server.new_password,
        });
        println!("{line}");
        return;
    }
    println!("muster {} is listening", env!("CARGO_PKG_VERSION"));
    println!("  External Systems  {north}/wsi   (WSDL: {north}/wsi?wsdl)");
    println!("  devices           {south}/dm");
    println!("  health            {admin}/healthz");
    if let Some(password) = &server.new_password {
        println!();
        println!("The administrator was made. This is printed once:");
        println!("  user      {ADMINISTRATOR}");
        println!("  password  {password}");
    }
}
