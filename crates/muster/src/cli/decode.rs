mod input;
pub(super) mod paint;
pub(super) mod print;

use std::process::ExitCode;

use clap::{CommandFactory as _, ValueEnum};
use muster_protocol::explain::{Form, Keys, Options, Packing, explain};

/// Prints what a message, notification, short message or captured stream says, as an explained tree.
///
/// The input is a file, '-' for standard input, or the octets themselves, written as hexadecimal, base64 or XML. What it
/// is and how it is written is found out. Taken are SyncML in XML and WBXML (1.0 to 1.2), management trees (DDF, TNDS),
/// provisioning documents, package 0, WSP pushes, short messages (user data or whole, one to a line if there are
/// several), HTTP streams as Wireshark exports them (Follow TCP Stream: raw, hex dump, C arrays, YAML), and pcap and
/// pcapng files whose HTTP is in the clear.
///
/// Commands are shown with their statuses where both are in the input. Credentials, the x-syncml-hmac header, the digest
/// of package 0 and the MAC of provisioning documents are checked if their secret is given; nonces that messages of the
/// input issue are tried by themselves. Ends with 1 if something cannot be read; what could be is printed before.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Files, '-', or the octets as text; standard input if left out. Messages of a session may be in several files.
    input: Vec<String>,
    /// What the octets are, instead of finding it out.
    #[arg(long = "as", value_name = "FORM")]
    form: Option<FormName>,
    /// How the input is written, instead of finding it out.
    #[arg(long, value_name = "PACKING")]
    packing: Option<PackingName>,
    /// Prints the tree as JSON.
    #[arg(long)]
    json: bool,
    /// Prints before each line at which octet of its document it begins.
    #[arg(long, conflicts_with = "json")]
    offsets: bool,
    /// Prints long values whole.
    #[arg(long, conflicts_with = "json")]
    full: bool,
    /// When to colour.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: paint::When,
    /// Name of an account; those in messages are tried anyway. May be given more than once.
    #[arg(long, env = "MUSTER_DECODE_USER", value_name = "NAME")]
    user: Vec<String>,
    /// Secret of an account; better given by the environment. May be given more than once.
    #[arg(long, env = "MUSTER_DECODE_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret: Vec<String>,
    /// Nonce in base64 or hexadecimal. May be given more than once.
    #[arg(long, env = "MUSTER_DECODE_NONCE", value_name = "NONCE", value_parser = input::nonce)]
    nonce: Vec<input::Nonce>,
    /// Name in the digest of package 0, where it is not the server identifier in it.
    #[arg(long, env = "MUSTER_DECODE_SERVER_ID", value_name = "NAME")]
    server_id: Option<String>,
    /// Value of the x-syncml-hmac header that came with a single message.
    #[arg(long, value_name = "HEADER")]
    hmac: Option<String>,
    /// IMSI, for provisioning documents.
    #[arg(long, env = "MUSTER_DECODE_IMSI", hide_env_values = true, value_name = "DIGITS")]
    imsi: Option<String>,
    /// PIN, for provisioning documents.
    #[arg(long, env = "MUSTER_DECODE_PIN", hide_env_values = true, value_name = "DIGITS")]
    pin: Option<String>,
    /// Key of a provisioning document's MAC itself, in hexadecimal.
    #[arg(long, env = "MUSTER_DECODE_MAC_KEY", hide_env_values = true, value_name = "HEX", value_parser = input::key)]
    mac_key: Option<input::Key>,
    /// Shows passwords.
    #[arg(long)]
    show_secrets: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster decode message.wbxml                    what a device sent
  muster decode 02a4016a006d6c71…                the same, pasted
  muster decode --offsets < message.xml          with the octet where each element begins
  muster decode package1.xml package2.xml        commands with their statuses
  muster decode session.raw --user imei:49… --secret …
                                                 a captured stream; credentials are checked
  muster decode session.pcapng --json            for scripts
  muster decode sms.txt --nonce AAECAw== --secret …
                                                 short messages, one to a line, with package 0
  muster decode push.bin --pin 1234              a provisioning document with its MAC

Traffic under TLS has to be decrypted first: in Wireshark load the session keys, then
Follow > TLS Stream, and save as raw. Secrets are better given by MUSTER_DECODE_SECRET, where
other users of this machine do not see them.";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormName {
    Xml,
    Wbxml,
    Package0,
    Wsp,
    Sms,
    Tpdu,
    Http,
    Pcap,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Xml => Self::Xml,
            FormName::Wbxml => Self::Wbxml,
            FormName::Package0 => Self::Package0,
            FormName::Wsp => Self::Wsp,
            FormName::Sms => Self::Sms,
            FormName::Tpdu => Self::Tpdu,
            FormName::Http => Self::Http,
            FormName::Pcap => Self::Pcap,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PackingName {
    Binary,
    Hex,
    Base64,
    Yaml,
}

impl From<PackingName> for Packing {
    fn from(name: PackingName) -> Self {
        match name {
            PackingName::Binary => Self::Binary,
            PackingName::Hex => Self::Hex,
            PackingName::Base64 => Self::Base64,
            PackingName::Yaml => Self::Yaml,
        }
    }
}

/// Characters told of an argument that is no file.
const TEXT_TOLD_MAX: usize = 60;
/// Failures told on standard error; the tree has them all.
const FAILURES_TOLD_MAX: usize = 5;

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(inputs) = input::read(&args.input)? else {
        let mut command = super::Cli::command();
        let what = "name a file, write the octets, or pipe them in; `muster decode --help` has examples";
        command.build();
        let command = command.find_subcommand_mut("decode").expect("this command is one of them");
        let _ = command.error(clap::error::ErrorKind::MissingRequiredArgument, what).print();
        return Ok(ExitCode::from(2));
    };
    let options = Options {
        packing: args.packing.map(Into::into),
        form: args.form.map(Into::into),
        keys: Keys {
            users: args.user.clone(),
            secrets: args.secret.clone(),
            nonces: args.nonce.iter().flat_map(|it| it.0.clone()).collect(),
            server_id: args.server_id.clone(),
            imsi: args.imsi.clone(),
            pin: args.pin.clone(),
            mac_key: args.mac_key.as_ref().map(|it| it.0.clone()),
        },
        hmac: args.hmac.as_deref(),
        show_secrets: args.show_secrets,
    };
    let octets: Vec<&[u8]> = inputs.iter().map(|it| it.octets.as_slice()).collect();
    let explanation = explain(&octets, &options);
    // Most likely a file was meant, and its name is wrong.
    let unknown = inputs.iter().zip(&explanation.inputs).find(|(input, it)| !input.is_file && it.form.is_none());
    if let Some((input, _)) = unknown {
        let text = crate::show::short(&input.name, TEXT_TOLD_MAX);
        anyhow::bail!("{text} is no file, and as text it stands for nothing that is known");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&explanation)?);
    } else {
        let style = print::Style { paint: paint::Paint::new(args.color), offsets: args.offsets, full: args.full };
        for (input, explained) in inputs.iter().zip(&explanation.inputs) {
            let name = Some(input.name.as_str()).filter(|_| inputs.len() > 1);
            print!("{}", print::tree(name, &explained.parts, &style));
        }
    }
    for failure in explanation.failures.iter().take(FAILURES_TOLD_MAX) {
        eprintln!("muster: {failure}");
    }
    if let Some(more @ 1..) = explanation.failures.len().checked_sub(FAILURES_TOLD_MAX) {
        eprintln!("muster: and {more} more");
    }
    Ok(if explanation.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
