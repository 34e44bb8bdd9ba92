mod fetch;
mod ladder;
mod show;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use muster_broker::id::DeviceOid;
use serde_json::{Map, Value, json};

use super::connection::Connection;
use crate::show::{Table, short};
use crate::soap_client::{CallError, SoapClient};

/// Records what a device and the server say to each other, and prints it explained.
///
/// Nothing is recorded unless somebody asks for it: for a device, by `muster trace on`, or for one task, by its option
/// `trace`. Credentials, nonces and the values of nodes that hold secrets are blanked before anything is kept. A recording
/// ends by itself, keeps the last sessions only, and is forgotten a month after the last message.
///
/// The user needs the right device.trace, which customer care and administrators have.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  export MUSTER_PASSWORD=…                       as `muster serve` printed it at its first start
  muster trace on IMEI:490154203237518           the next ten sessions, for a week
  muster trace on IMEI:490154203237518 --sessions 50 --for 2d
  muster trace list IMEI:490154203237518         what was recorded
  muster trace show IMEI:490154203237518         the newest session, message by message, explained
  muster trace show IMEI:490154203237518 --summary
                                                 every session, a line for each message
  muster trace show IMEI:490154203237518 --session 3 --raw ./messages
                                                 the octets too, a file for each message
  muster trace off IMEI:490154203237518 --discard
                                                 ends it, and forgets what was recorded
  muster call doOperation --set operation=QUERY --set arguments.option.name=trace \\
          --set arguments.option.value=true …    the sessions of one task";

/// What the device is called, and where the server is.
#[derive(Debug, clap::Args)]
struct Of {
    /// Device identifier, for example IMEI:490154203237518, or the oid of its record.
    device: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Records the messages of a device from now on.
    On {
        #[command(flatten)]
        of: Of,
        /// Sessions that are kept, the newest ones; 1 to 100.
        #[arg(long, value_name = "NUMBER", default_value_t = 10)]
        sessions: u32,
        /// How long messages are recorded: seconds, or with m, h, d or w behind. At most 90d.
        #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = seconds)]
        time: i64,
    },
    /// Stops recording the messages of a device. What was recorded stays, unless it is discarded.
    Off {
        #[command(flatten)]
        of: Of,
        /// Forgets what was recorded.
        #[arg(long)]
        discard: bool,
    },
    /// Lists the recorded sessions of a device, and whether it is being recorded.
    #[command(visible_alias = "status")]
    List {
        #[command(flatten)]
        of: Of,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints the messages of recorded sessions, explained.
    Show(show::Args),
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        match &args.command {
            Command::On { of, sessions, time } => {
                let arguments = json!({"enabled": true, "sessions": sessions, "durationSeconds": time});
                set(of, arguments).await
            }
            Command::Off { of, discard } => set(of, json!({"enabled": false, "discard": discard})).await,
            Command::List { of, json } => list(of, *json).await,
            Command::Show(args) => show::run(args).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn set(of: &Of, arguments: Value) -> anyhow::Result<()> {
    let client = of.connection.client()?;
    let setting = client.call("setDeviceTrace", of.named(arguments)).await.map_err(CallError::told)?;
    println!("{}", state(&setting));
    Ok(())
}

async fn list(of: &Of, as_json: bool) -> anyhow::Result<()> {
    let client = of.connection.client()?;
    let trace = fetch::trace(&client, of).await?;
    if as_json {
        println!("{}", json!({"setting": trace.setting, "session": trace.sessions}));
        return Ok(());
    }
    println!("{}", state(&trace.setting));
    if trace.sessions.is_empty() {
        println!("no session was recorded");
        return Ok(());
    }
    let mut table = Table::new(&["session", "SessionID", "began", "took", "messages", "let in", "ended"]);
    for session in &trace.sessions {
        let about = show::About::of(session);
        table.row([
            about.number.to_string(),
            short(&about.session_id, 20),
            about.began,
            about.took,
            about.messages,
            if about.let_in { "yes" } else { "no" }.to_owned(),
            about.ending,
        ]);
    }
    print!("{table}");
    Ok(())
}

/// A setting in a sentence.
fn state(setting: &Value) -> String {
    let text = |name: &str| setting.get(name).and_then(Value::as_str).unwrap_or_default();
    let device = if text("deviceID").is_empty() { text("oid") } else { text("deviceID") };
    if setting.get("enabled").and_then(Value::as_bool) != Some(true) {
        return format!("{device} is not recorded");
    }
    let sessions = setting.get("sessions").and_then(Value::as_i64).unwrap_or_default();
    format!("{device} is recorded until {}, the last {sessions} sessions", text("until"))
}

impl Of {
    /// Adds the device to arguments.
    fn named(&self, mut arguments: Value) -> Value {
        let key = if DeviceOid::parse(&self.device).is_ok() { "oid" } else { "deviceID" };
        if let Some(arguments) = arguments.as_object_mut() {
            arguments.insert(key.to_owned(), Value::from(self.device.clone()));
        }
        arguments
    }

    fn arguments(&self) -> Value {
        self.named(Value::Object(Map::new()))
    }
}

/// Reads `90`, `30m`, `12h`, `2d` or `1w`.
fn seconds(text: &str) -> anyhow::Result<i64> {
    let wrong = || format!("{text}: write seconds, or a number with m, h, d or w behind, for example 2d");
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600), ("w", 7 * 24 * 3600)];
    let unit = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
    let (number, unit) = unit.unwrap_or((text, 1));
    let number: i64 = number.parse().ok().filter(|number| *number > 0).with_context(wrong)?;
    number.checked_mul(unit).with_context(wrong)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_numbers_with_a_unit() {
        let read = |text| seconds(text).ok();
        for (text, value) in [("90", 90), ("90s", 90), ("2m", 120), ("12h", 43_200), ("2d", 172_800), ("1w", 604_800)] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        for text in ["", "d", "0", "-1", "1y", "1.5d", "9223372036854775807w"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
