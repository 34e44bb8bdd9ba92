//! Colour, where it is wanted.

use std::io::IsTerminal as _;

/// When output is coloured.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(in crate::cli) enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

/// What a piece of a line is.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) enum Ink {
    /// Heading of a document.
    Heading,
    /// Name of an element or field.
    Name,
    /// A value.
    Value,
    /// A remark.
    Remark,
    Good,
    Bad,
    Odd,
}

/// Puts colour around text, or not.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Paint {
    on: bool,
}

impl Paint {
    pub(in crate::cli) fn new(when: When) -> Self {
        let on = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
            }
        };
        Self { on }
    }

    pub(in crate::cli) fn text(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Heading => "1;4",
            Ink::Name => "36",
            Ink::Value => "",
            Ink::Remark => "2",
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Odd => "33",
        };
        if self.on && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
