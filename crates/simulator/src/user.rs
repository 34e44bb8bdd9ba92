//! The user of a device, and the screen.

use serde::{Deserialize, Serialize};

/// How a user answers questions (alerts 1101 to 1104), and what the screen can show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What the user makes of a question.
    pub mood: Mood,
    /// What the user types where a text is asked for; without it, something that fits.
    pub types: Option<String>,
    /// Which choices the user takes, counted from 1; without it, the first.
    pub chooses: Option<Vec<u32>>,
    /// Seconds that the user takes for an answer.
    pub answers_after_s: u32,
    /// Characters of the longest text that can be shown; none means that nothing can be shown or asked. Without it, any
    /// text can.
    pub screen_chars: Option<usize>,
}

/// What a user makes of a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Yes; types and chooses.
    #[default]
    Accepts,
    /// Takes what is preselected, or what was typed in before.
    TakesDefaults,
    /// No, status 304.
    Declines,
    /// Nothing until the time is up, status 408.
    NoAnswer,
    /// Cancels, status 214.
    Cancels,
}
