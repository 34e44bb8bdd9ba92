use std::process::ExitCode;

use clap::Subcommand;
use muster_broker::id::DeviceOid;
use serde_json::{Value, json};

use super::connection::Connection;
use super::listing::{Extent, print, print_more, print_one, since, text};
use crate::soap_client::{CallError, SoapClient};

/// Looks at device records. `muster import` makes many, `muster call createDeviceInstance` one.
///
/// The user needs the right device.read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    connection: Connection,
    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  export MUSTER_PASSWORD=…
  muster devices                                 the first ones, and how many there are
  muster devices --filter 'model = \"X1\" and absent(subscriberId)'
  muster devices show IMEI:490154203237518       all about one
  muster devices show +15551234567               or by its number, or by the oid of its record
  muster tasks --device IMEI:490154203237518     what was asked of it";

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints everything about a device.
    Show {
        /// Device identifier, phone number with a plus sign, or the oid of the record.
        device: String,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let client = args.connection.client()?;
        match &args.command {
            None => all(args, &client).await,
            Some(Command::Show { device }) => {
                let (operation, parameter) = match device {
                    number if number.starts_with('+') => ("getDeviceInstanceByPhoneNumber", "phoneNumber"),
                    oid if DeviceOid::parse(oid).is_ok() => ("getDeviceInstanceByOid", "oid"),
                    _ => ("getDeviceInstanceByDeviceID", "deviceID"),
                };
                let found = client.call(operation, json!({parameter: device})).await.map_err(CallError::told)?;
                print_one(args.json, &found);
                Ok(())
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn all(args: &Args, client: &SoapClient) -> anyhow::Result<()> {
    let now = jiff::Timestamp::now();
    let (devices, more) = args.extent.first(client, "getDeviceInstances", json!({}), "deviceInstance").await?;
    let row = |device: &Value| {
        let seen = match text(device, "lastSeenAt") {
            never if never.is_empty() => "never".to_owned(),
            at => format!("{} ago", since(&at, now)),
        };
        [
            text(device, "deviceID"),
            text(device, "phoneNumber"),
            text(device, "manufacturer"),
            text(device, "model"),
            text(device, "firmwareVersion"),
            text(device, "managementState"),
            seen,
        ]
    };
    let headings = ["device", "phone number", "manufacturer", "model", "firmware", "state", "last seen"];
    print(args.json, devices, &headings, row, "no such device");
    print_more(args.json, more);
    Ok(())
}
