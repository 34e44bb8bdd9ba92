/// A namespace name, known ones as a number so that comparing is cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// No namespace.
    None,
    /// `SYNCML:SYNCML1.0`, `1.1` or `1.2`.
    SyncMl,
    /// `syncml:metinf` and its versions.
    MetInf,
    /// Any other; [`PullReader::namespace_name`](super::PullReader::namespace_name) tells.
    Other,
}

impl Namespace {
    /// Which namespace a name is. Letter case is ignored: clients write `syncml:SYNCML1.2` too.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "" => Self::None,
            "SYNCML:SYNCML1.2" | "SYNCML:SYNCML1.1" | "SYNCML:SYNCML1.0" => Self::SyncMl,
            "syncml:metinf" => Self::MetInf,
            _ => Self::of_unusual(name),
        }
    }

    fn of_unusual(name: &str) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("SYNCML:SYNCML1.2") || is("SYNCML:SYNCML1.1") || is("SYNCML:SYNCML1.0") {
            Self::SyncMl
        } else if is("syncml:metinf") || is("syncml:metinf1.1") || is("syncml:metinf1.2") {
            Self::MetInf
        } else {
            Self::Other
        }
    }
}
