//! Printing recorded sessions.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use muster_broker::time::Timestamp;
use muster_protocol::explain::{Explained, Options, Packing, explain};
use muster_protocol::syncml::Encoding;
use serde_json::{Value, json};

use super::fetch::{self, Message};
use super::{Of, ladder};
use crate::cli::decode::paint::{Ink, Paint, When};
use crate::cli::decode::print::{Style, tree};
use crate::show::short;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    /// The session with this number, as `muster trace list` gives it; the newest if left out.
    #[arg(long, value_name = "NUMBER")]
    session: Option<i64>,
    /// Every session, oldest first.
    #[arg(long, conflicts_with = "session")]
    all: bool,
    /// Prints a line for each message; of every session unless one is chosen.
    #[arg(long)]
    summary: bool,
    /// Prints JSON: each message as it travelled (base64) and explained.
    #[arg(long, conflicts_with = "summary")]
    json: bool,
    /// Writes the octets of each message into a file of this folder too.
    #[arg(long, value_name = "FOLDER")]
    raw: Option<PathBuf>,
    /// Prints before each line at which octet of its message it begins.
    #[arg(long, conflicts_with_all = ["json", "summary"])]
    offsets: bool,
    /// Prints long values whole.
    #[arg(long, conflicts_with_all = ["json", "summary"])]
    full: bool,
    /// When to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// A session in words.
pub(super) struct About {
    pub(super) number: i64,
    pub(super) session_id: String,
    pub(super) began: String,
    pub(super) took: String,
    pub(super) messages: String,
    pub(super) let_in: bool,
    pub(super) ending: String,
    task: Option<String>,
}

impl About {
    pub(super) fn of(session: &Value) -> Self {
        let text = |name: &str| session.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| session.get(name).and_then(Value::as_i64).unwrap_or_default();
        let time = |name: &str| Timestamp::parse(&text(name)).map_or(0, |time| time.0);
        let left_out = match number("leftOut") {
            0 => String::new(),
            left_out => format!(" and {left_out} left out"),
        };
        let let_in = session.get("authenticated").and_then(Value::as_bool).unwrap_or_default();
        // A stranger has no session that could end.
        let unended = if let_in { "open" } else { "not let in" };
        Self {
            number: number("number"),
            session_id: text("sessionId"),
            began: text("beganAt"),
            took: took(time("lastAt").saturating_sub(time("beganAt"))),
            messages: format!("{}{left_out}", number("messageCount")),
            let_in,
            ending: Some(text("ending")).filter(|it| !it.is_empty()).unwrap_or_else(|| unended.to_owned()),
            task: session.get("taskId").and_then(Value::as_str).map(str::to_owned),
        }
    }

    fn heading(&self) -> String {
        let task = self.task.as_ref().map(|task| format!(" · for task {task}")).unwrap_or_default();
        let s = if self.messages == "1" { "" } else { "s" };
        format!(
            "session {} · SessionID {} · {} · {} · {} message{s} · {}{task}",
            self.number,
            short(&self.session_id, 20),
            self.began,
            self.took,
            self.messages,
            self.ending
        )
    }
}

pub(super) async fn run(args: &Args) -> anyhow::Result<()> {
    let client = args.of.connection.client()?;
    let trace = fetch::trace(&client, &args.of).await?;
    let device = &args.of.device;
    anyhow::ensure!(
        !trace.sessions.is_empty(),
        "no session of {device} was recorded; `muster trace on {device}` begins"
    );
    let newest = trace.sessions.first().map(|session| About::of(session).number);
    let wanted = args.session.or(newest.filter(|_| !args.all && !args.summary));
    let is_wanted = |session: &&Value| wanted.is_none_or(|wanted| About::of(session).number == wanted);
    let sessions: Vec<&Value> = trace.sessions.iter().rev().filter(is_wanted).collect();
    let none = || format!("there is no session {}; `muster trace list` gives the numbers", wanted.unwrap_or_default());
    anyhow::ensure!(!sessions.is_empty(), none());
    let paint = Paint::new(args.color);
    let mut all = Vec::new();
    for (place, session) in sessions.iter().enumerate() {
        let about = About::of(session);
        let messages = fetch::messages(&client, &args.of, about.number).await?;
        if let Some(folder) = &args.raw {
            write(folder, about.number, &messages)?;
        }
        if args.json {
            all.push(as_json(session, &messages)?);
            continue;
        }
        if place > 0 {
            println!();
        }
        println!("{}", paint.text(Ink::Heading, &about.heading()));
        if args.summary {
            messages.iter().for_each(|message| println!("{}", summary(message, paint)));
        } else {
            print(&messages, &Style { paint, offsets: args.offsets, full: args.full });
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else if wanted.is_some() && args.session.is_none() && trace.sessions.len() > 1 {
        let more = format!("the newest of {} sessions; --all shows every one", trace.sessions.len());
        println!("\n{}", paint.text(Ink::Remark, &more));
    }
    Ok(())
}

/// The messages of a session, explained together, so that commands find their statuses.
fn explained(messages: &[Message]) -> Vec<Explained> {
    let octets: Vec<&[u8]> = messages.iter().map(|message| message.octets.as_slice()).collect();
    let packing = Some(Packing::Binary);
    explain(&octets, &Options { packing, ..Options::default() }).inputs
}

fn print(messages: &[Message], style: &Style) {
    for (message, explained) in messages.iter().zip(explained(messages)) {
        println!();
        println!("{}", heading(message, style.paint));
        if !message.octets.is_empty() {
            print!("{}", tree(None, &explained.parts, style));
        }
    }
}

/// `→` comes from the device, `←` goes to it.
fn heading(message: &Message, paint: Paint) -> String {
    let form = match message.encoding {
        Encoding::Xml => "XML",
        Encoding::Wbxml => "WBXML",
    };
    let head = format!("{} {} octets of {form}", summary_head(message), message.length);
    let note = message.note.as_ref().map(|note| format!("\n  {}", paint.text(Ink::Odd, note))).unwrap_or_default();
    format!("{}{note}", paint.text(Ink::Name, &head))
}

fn summary(message: &Message, paint: Paint) -> String {
    let note =
        message.note.as_deref().map(|note| format!("\n{:18}{}", "", paint.text(Ink::Odd, note))).unwrap_or_default();
    format!("{} {}{note}", paint.text(Ink::Name, &summary_head(message)), ladder::line(message))
}

/// Arrow, number and time of day.
fn summary_head(message: &Message) -> String {
    let arrow = if message.is_sent { "←" } else { "→" };
    let time = message.at.split_once('T').map_or(message.at.as_str(), |(_, time)| time.trim_end_matches('Z'));
    format!("{arrow} {:<3} {time:<12}", message.number)
}

fn as_json(session: &Value, messages: &[Message]) -> anyhow::Result<Value> {
    let mut told = Vec::new();
    for (message, explained) in messages.iter().zip(explained(messages)) {
        let mut one = message.told.clone();
        if let Some(one) = one.as_object_mut() {
            one.insert("explained".to_owned(), serde_json::to_value(&explained.parts)?);
        }
        told.push(one);
    }
    let mut session = session.clone();
    if let Some(session) = session.as_object_mut() {
        session.insert("message".to_owned(), json!(told));
    }
    Ok(session)
}

/// A file for each message, named so that they sort as they went.
fn write(folder: &Path, session: i64, messages: &[Message]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for message in messages {
        let (way, kind) = (if message.is_sent { "sent" } else { "received" }, form_name(message.encoding));
        let path = folder.join(format!("session-{session:04}-{:03}-{way}.{kind}", message.number));
        std::fs::write(&path, &message.octets).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn form_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Xml => "xml",
        Encoding::Wbxml => "wbxml",
    }
}

/// A span of time for people.
fn took(milliseconds: i64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}
