mod input;
mod print;

use std::process::ExitCode;

use muster_protocol::tree::{Difference, LocUri, UriError};

/// Most changes that a comparison tells.
const CHANGES_MAX: usize = 10_000;

/// Shows a device's management tree, with what each node means; or what two of them do not have in common.
///
/// A tree comes as a TNDS document in XML or WBXML, or as the JSON of a task that read nodes (`muster call getTaskById
/// --json` after a DISCOVER or QUERY). `-` is standard input.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The tree.
    #[arg(value_name = "FILE")]
    tree: String,
    /// An earlier tree: what has changed since then is shown.
    #[arg(long, value_name = "FILE")]
    against: Option<String>,
    /// Node that the document was made for, where its paths do not begin at the root.
    #[arg(long, value_name = "URI", default_value = ".", value_parser = uri)]
    at: LocUri,
    /// JSON for scripts.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  muster call getTaskById --set taskId=… --json | muster tree -
  muster tree account.tnds.xml --at ./DMAcc/operator
  muster tree today.json --against yesterday.json
  muster tree today.json --against yesterday.json --json";

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.tree != "-" || args.against.as_deref() != Some("-"),
        "only one of the trees can come from standard input"
    );
    let tree = input::read(&args.tree, &args.at)?;
    match &args.against {
        None if args.json => println!("{}", print::tree_json(&tree)),
        None => print!("{}", print::tree(&tree)),
        Some(earlier) => {
            let difference = Difference::between(&input::read(earlier, &args.at)?, &tree, CHANGES_MAX);
            if args.json {
                println!("{}", print::difference_json(&difference));
            } else {
                print!("{}", print::difference(&difference));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn uri(text: &str) -> Result<LocUri, UriError> {
    LocUri::parse(text).map(|it| it.node())
}
