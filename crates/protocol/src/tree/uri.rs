//! Addresses of nodes: the one place where outside text becomes one.
//!
//! Source: OMA DM 1.2 Tree and Description, "Addressing object values"; TNDS 1.2, "Requesting part of the tree".

use std::fmt;

use super::percent;
use super::property::{Parts, Property};
use crate::syncml::{StatusCode, Text};

/// How long and how deep an address may be; `./DevDetail/URI` of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UriLimits {
    /// Segments below the root; `MaxDepth`.
    pub depth_max: usize,
    /// Octets of the address without `?prop=` or `?list=`; `MaxTotLen`.
    pub total_bytes_max: usize,
    /// Octets of one segment; `MaxSegLen`.
    pub segment_bytes_max: usize,
}

impl UriLimits {
    /// For text that names a node of any device: what an External System writes and what a device answers.
    pub const SERVER: Self = Self { depth_max: 64, total_bytes_max: 1_024, segment_bytes_max: 512 };
    /// For addresses of nodes that are in a tree already.
    pub(super) const NONE: Self =
        Self { depth_max: usize::MAX, total_bytes_max: usize::MAX, segment_bytes_max: usize::MAX };
    /// What the simulated devices announce.
    pub const DEVICE: Self = Self { depth_max: 16, total_bytes_max: 512, segment_bytes_max: 128 };
}

/// Octets of `?prop=` or `?list=` with what follows; the longest selector that means something has 80.
const QUERY_BYTES_MAX: usize = 128;

/// Why a text is no address. What a device answers is [`UriError::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No text.
    #[error("is empty")]
    Empty,
    /// Addresses begin at the root, which is `.` and not `/`.
    #[error("begins with /; the root of the device's tree is .")]
    LeadingSlash,
    /// `//`, or a `/` at the end.
    #[error("has an empty segment")]
    EmptySegment,
    /// `..`, or `.` anywhere but first; percent-encoded or not.
    #[error("has a segment that is . or ..")]
    DotSegment,
    /// `%2F` in a segment: whoever decodes it sees another node.
    #[error("has a slash written as %2F")]
    EncodedSlash,
    /// NUL and other control characters, percent-encoded or not.
    #[error("has control characters")]
    Control,
    /// Percent-encoded octets that are not UTF-8.
    #[error("has percent-encoded octets that are not UTF-8")]
    NotText,
    /// Above `total_bytes_max`.
    #[error("has more than {max} octets")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// A segment above `segment_bytes_max`.
    #[error("has a segment of more than {max} octets")]
    SegmentTooLong {
        /// The limit.
        max: usize,
    },
    /// More segments than `depth_max`.
    #[error("has more than {max} segments")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A `?` with something else than a known `prop=` or `list=` after it.
    #[error("may be followed by ?prop= with a property or ?list= with Struct, StructData or TNDS only")]
    UnknownQuery,
}

impl UriError {
    /// The status a device answers: 414 for what is too long or too deep, 406 for a property or list that there is
    /// none of, 404 for what can name no node, 400 for text that is no address at all.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLong { .. } | Self::SegmentTooLong { .. } | Self::TooDeep { .. } => StatusCode::URI_TOO_LONG,
            Self::UnknownQuery => StatusCode::NOT_SUPPORTED,
            Self::Empty | Self::LeadingSlash | Self::EmptySegment | Self::DotSegment => StatusCode::NOT_FOUND,
            Self::EncodedSlash | Self::Control | Self::NotText => StatusCode::BAD_REQUEST,
        }
    }
}

/// What of a node is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// `?prop=`
    Property(Property),
    /// `?list=`
    List(List),
}

/// How a sub-tree is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// The nodes, without values.
    Struct,
    /// The nodes, with the values of leaves.
    StructData,
    /// One document, with these parts of each node.
    Tnds(Parts),
}

impl Query {
    /// Reads what follows `?`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('=')? {
            ("prop", name) => Property::parse(name).map(Self::Property),
            ("list", "Struct") => Some(Self::List(List::Struct)),
            ("list", "StructData") => Some(Self::List(List::StructData)),
            ("list", tnds) => Parts::parse(tnds.strip_prefix("TNDS")?).map(|it| Self::List(List::Tnds(it))),
            _ => None,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(property) => write!(f, "prop={}", property.name()),
            Self::List(List::Struct) => f.write_str("list=Struct"),
            Self::List(List::StructData) => f.write_str("list=StructData"),
            Self::List(List::Tnds(parts)) => write!(f, "list=TNDS{}", parts.selectors()),
        }
    }
}

/// The address of a node, perhaps with a property or a list of it. Addresses compare as text, by case too.
///
/// `./DevInfo/Man` and `DevInfo/Man` are the same address; the first is how it is written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocUri {
    // Invariant: `.`, or `./` and segments that `segment` accepts, joined by `/`.
    path: Text,
    query: Option<Query>,
}

impl PartialOrd for Query {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Query {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl LocUri {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self { path: Text::const_new("."), query: None }
    }

    /// Reads an address that names a node of any device.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        Self::parse_within(text, &UriLimits::SERVER)
    }

    /// Reads an address.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn parse_within(text: &str, limits: &UriLimits) -> Result<Self, UriError> {
        if text.len() > limits.total_bytes_max.saturating_add(QUERY_BYTES_MAX) {
            return Err(UriError::TooLong { max: limits.total_bytes_max });
        }
        let (path, query) = match text.split_once('?') {
            None => (text, None),
            Some((path, query)) => (path, Some(Query::parse(query).ok_or(UriError::UnknownQuery)?)),
        };
        Ok(Self { path: normal(path, limits)?, query })
    }

    /// The address of a node directly below, by the name that the node has, reserved characters and all.
    ///
    /// # Errors
    /// [`UriError`]: a name that can be none, or a limit.
    pub fn child(&self, name: &str, limits: &UriLimits) -> Result<Self, UriError> {
        check_name(name, limits)?;
        self.below(name, limits)
    }

    /// The address of a node below, by its segments joined by `/`.
    ///
    /// # Errors
    /// [`UriError`].
    pub fn below(&self, segments: &str, limits: &UriLimits) -> Result<Self, UriError> {
        if segments.starts_with('/') {
            return Err(UriError::LeadingSlash);
        }
        let text = format!("{}/{segments}", self.path);
        Ok(Self { path: normal(&text, limits)?, query: None })
    }

    /// The same node with something asked of it.
    #[must_use]
    pub fn with(&self, query: Query) -> Self {
        Self { path: self.path.clone(), query: Some(query) }
    }

    /// The node alone.
    #[must_use]
    pub fn node(&self) -> Self {
        Self { path: self.path.clone(), query: None }
    }

    /// The address of the node, without what is asked of it: `.` or `./A/B`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is asked of the node.
    #[must_use]
    pub fn query(&self) -> Option<Query> {
        self.query
    }

    /// Whether it names the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.path == "."
    }

    /// Segments below the root, from the root down.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.strip_prefix("./").into_iter().flat_map(|below| below.split('/'))
    }

    /// The last segment; `.` for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(".")
    }

    /// The node above; nothing above the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (above, _) = self.path.rsplit_once('/')?;
        Some(Self { path: above.into(), query: None })
    }

    /// The nodes above, from the root down.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        let above = self.path.match_indices('/').filter_map(|(at, _)| self.path.get(..at));
        above.map(|path| Self { path: path.into(), query: None })
    }

    /// Segments from `base` down, joined by `/`: empty for `base` itself, nothing for a node that is not below it.
    #[must_use]
    pub fn relative_to(&self, base: &Self) -> Option<&str> {
        let rest = self.path.strip_prefix(base.path.as_str())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }
}

impl fmt::Display for LocUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.query {
            None => f.write_str(&self.path),
            Some(query) => write!(f, "{}?{query}", self.path),
        }
    }
}

impl fmt::Debug for LocUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// Whether a text can be the name of a node.
///
/// # Errors
/// [`UriError`].
pub(super) fn check_name(name: &str, limits: &UriLimits) -> Result<(), UriError> {
    if name.contains('/') {
        return Err(UriError::EncodedSlash);
    }
    if name.contains('?') {
        return Err(UriError::UnknownQuery);
    }
    segment(name, limits)
}

/// The one spelling of a path.
fn normal(path: &str, limits: &UriLimits) -> Result<Text, UriError> {
    if path.len() > limits.total_bytes_max {
        return Err(UriError::TooLong { max: limits.total_bytes_max });
    }
    match path {
        "" => return Err(UriError::Empty),
        // Old clients write the root so.
        "." | "./" => return Ok(Text::const_new(".")),
        _ if path.starts_with('/') => return Err(UriError::LeadingSlash),
        _ => {}
    }
    let relative = path.strip_prefix("./").unwrap_or(path);
    for (depth, name) in relative.split('/').enumerate() {
        if depth >= limits.depth_max {
            return Err(UriError::TooDeep { max: limits.depth_max });
        }
        segment(name, limits)?;
    }
    if relative.len() == path.len() {
        let mut text = Text::with_capacity(relative.len() + 2);
        text.push_str("./");
        text.push_str(relative);
        return if text.len() > limits.total_bytes_max {
            Err(UriError::TooLong { max: limits.total_bytes_max })
        } else {
            Ok(text)
        };
    }
    Ok(Text::new(path))
}

/// Looks at the segment as it is written and as it reads when somebody decodes it.
fn segment(written: &str, limits: &UriLimits) -> Result<(), UriError> {
    if written.is_empty() {
        return Err(UriError::EmptySegment);
    }
    if written.len() > limits.segment_bytes_max {
        return Err(UriError::SegmentTooLong { max: limits.segment_bytes_max });
    }
    let name = percent::decode(written).ok_or(UriError::NotText)?;
    match name.as_ref() {
        "." | ".." => return Err(UriError::DotSegment),
        _ if name.contains('/') => return Err(UriError::EncodedSlash),
        _ => {}
    }
    if name.chars().any(char::is_control) || name.contains(['\u{FFFE}', '\u{FFFF}']) {
        return Err(UriError::Control);
    }
    Ok(())
}
