//! What a device tells its server unasked, and what an Exec sets off.

use muster_protocol::syncml::{Address, Alert, Command, Item, ItemData, Meta, StatusCode, Text};
use serde::{Deserialize, Serialize};

use crate::behaviour::Faults;

/// Which alert carries an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Alert 1224.
    Client,
    /// Alert 1226.
    Generic,
}

/// An event: one Item of an Alert.
///
/// Source: OMA DM 1.2 Protocol, "Client event" and "Generic Alert".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Which alert.
    pub kind: EventKind,
    /// Address of the management object it is about.
    pub source: Option<String>,
    /// `Meta/Type`, for example `org.openmobilealliance.dm.firmwareupdate.update`.
    pub event_type: String,
    /// `Meta/Format`, for example `int`.
    pub format: String,
    /// `Meta/Mark` of a Generic Alert.
    pub mark: Option<String>,
    /// `Data`.
    pub data: String,
    /// Echo of the Exec's `Correlator`; set by the device when an Exec causes the event.
    pub correlator: Option<String>,
}

impl Event {
    /// A Generic Alert about the management object at `source`.
    #[must_use]
    pub fn generic(source: &str, event_type: &str, data: &str) -> Self {
        Self {
            kind: EventKind::Generic,
            source: Some(source.to_owned()),
            event_type: event_type.to_owned(),
            format: "chr".to_owned(),
            mark: None,
            data: data.to_owned(),
            correlator: None,
        }
    }

    /// A client event.
    #[must_use]
    pub fn client(event_type: &str, data: &str) -> Self {
        Self { kind: EventKind::Client, source: None, ..Self::generic("", event_type, data) }
    }
}

/// One Alert with an Item for each event. All are of one kind and have one correlator, which a client event has not.
pub(super) fn alert(events: Vec<Event>, faults: &Faults) -> Option<Command> {
    let kind = events.first()?.kind;
    if kind == EventKind::Generic && faults.dm_1_1_2 {
        // DM 1.1.2 has none, so the device does not tell.
        return None;
    }
    let correlator = events.iter().find_map(|it| it.correlator.clone()).filter(|_| !faults.no_correlator);
    let code = match kind {
        EventKind::Client => "1224",
        EventKind::Generic => "1226",
    };
    Some(Command::Alert(Alert {
        cmd_id: Text::default(),
        code: code.into(),
        correlator: correlator.map(Text::from),
        items: events.into_iter().map(|it| it.into_item(faults)).collect(),
    }))
}

impl Event {
    fn into_item(self, faults: &Faults) -> Item {
        let kind = match self.kind {
            EventKind::Client => self.event_type,
            EventKind::Generic => faults.alert_type(&self.event_type),
        };
        let meta = Meta {
            format: Some(self.format.into()),
            kind: Some(kind.into()),
            mark: self.mark.map(Text::from),
            ..Meta::default()
        };
        Item {
            source: self.source.map(Address::new),
            meta,
            data: Some(ItemData::Text(self.data.into())),
            ..Item::default()
        }
    }
}

/// When the event that an Exec causes is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// In the package that answers the Exec.
    AtOnce,
    /// In package 1 of the next session: what takes long is finished by then.
    NextSession,
}

/// What an Exec on a node does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecOutcome {
    /// What is answered. Anything but a success does nothing else.
    pub status: StatusCode,
    /// Leaves that get a new value.
    pub sets: Vec<(String, String)>,
    /// Leaves that get the value of another: `(from, to)`; a value that is empty or missing is not copied.
    pub copies: Vec<(String, String)>,
    /// The outcome, told by a Generic Alert.
    pub event: Option<(Told, Event)>,
}

impl ExecOutcome {
    /// Answers and does nothing else.
    #[must_use]
    pub fn answering(status: StatusCode) -> Self {
        Self { status, sets: Vec::new(), copies: Vec::new(), event: None }
    }

    /// What an Exec on the standard tree does, address by address: firmware updates are taken with 202 and told in
    /// the next session (FUMO 1.0), locks take effect at once (LAWMO 1.0). An Exec on any other node answers 200.
    #[must_use]
    pub fn standard() -> Vec<(String, Self)> {
        const FUMO: &str = "./FUMO/Package";
        let state = |value: &str| (format!("{FUMO}/State"), value.to_owned());
        let firmware = |operation: &str, event: &str, sets, copies| {
            let mut told = Event::generic(FUMO, &format!("org.openmobilealliance.dm.firmwareupdate.{event}"), "200");
            told.format = "int".to_owned();
            let outcome =
                Self { status: StatusCode::ACCEPTED, sets: vec![sets], copies, event: Some((Told::NextSession, told)) };
            (format!("{FUMO}/{operation}"), outcome)
        };
        let new_version = || vec![(format!("{FUMO}/PkgVersion"), "./DevDetail/FwV".to_owned())];
        let lock = |operation: &str, state: &str| {
            let outcome =
                Self { sets: vec![("./LAWMO/State".to_owned(), state.to_owned())], ..Self::answering(StatusCode::OK) };
            (format!("./LAWMO/Operations/{operation}"), outcome)
        };
        vec![
            firmware("Download", "download", state("40"), Vec::new()),
            firmware("Update", "update", state("100"), new_version()),
            firmware("DownloadAndUpdate", "downloadandupdate", state("100"), new_version()),
            lock("FullyLock", "10"),
            lock("PartiallyLock", "20"),
            lock("UnLock", "30"),
            lock("FactoryReset", "30"),
        ]
    }
}
