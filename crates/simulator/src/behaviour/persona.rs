//! Devices that were seen, as lists of behaviours.

use serde::{Deserialize, Serialize};

use super::{Behaviour, ResyncReading};

/// A kind of device.
///
/// Source: the fact sheet on OMA DM 1.x, "Real-world deviations to tolerate".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persona {
    /// A device as the specification has it.
    #[default]
    Plain,
    /// A device of DM 1.1.2.
    Dm112,
    /// Intel's open-source client library.
    Libdmclient,
    /// Handsets of Samsung.
    Samsung,
    /// PCs and phones with Windows.
    Windows,
    /// The engine of Motorola in CyanogenMod.
    Cyanogenmod,
    /// A client of Hotspot 2.0 registrations.
    Hotspot,
}

impl Persona {
    /// Every persona.
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Dm112, Self::Libdmclient, Self::Samsung, Self::Windows, Self::Cyanogenmod, Self::Hotspot];

    /// Its name, for a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dm112 => "dm-1.1.2",
            Self::Libdmclient => "libdmclient",
            Self::Samsung => "samsung",
            Self::Windows => "windows",
            Self::Cyanogenmod => "cyanogenmod",
            Self::Hotspot => "hotspot",
        }
    }

    /// What it does otherwise than others, in a line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Plain => "as the specification has it",
            Self::Dm112 => "VerProto DM/1.1: no Generic Alerts, no Correlator",
            Self::Libdmclient => "media type of data synchronisation, status 0, silent on pieces, no Copy, no lists",
            Self::Samsung => "public identifier as text, lower-case session ids, bare alert types",
            Self::Windows => "decimal session ids, encoded child names, no questions to the user, events at login",
            Self::Cyanogenmod => {
                "a MAC with the resynchronisation nonce when it has none, notifications of any version"
            }
            Self::Hotspot => "alert types with a tight prefix, no references in the status of the header",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// What makes a device like this one.
    #[must_use]
    pub fn behaviours(self) -> Vec<Behaviour> {
        use Behaviour as It;
        match self {
            Self::Plain => Vec::new(),
            Self::Dm112 => vec![It::Dm112],
            Self::Libdmclient => vec![
                It::ContentType("application/vnd.syncml".to_owned()),
                It::DevInfoWithNodes,
                It::StatusZero,
                It::NoAtomicStatus,
                It::NoCopy,
                It::NoLists,
                It::CrashesOnSequence,
                It::CrashesOnEmptyOptions,
                It::NoChunkStatuses,
                It::IgnoresRespUri,
                It::NonceIsText,
                It::NotificationByName,
                It::ResyncNonce(ResyncReading::Text),
            ],
            Self::Samsung => vec![
                It::PublicIdAsText,
                It::LowerCaseSessionId,
                It::NoAlertPrefix,
                It::UserAgent("SyncML DM Client".to_owned()),
                It::ClosesConnection,
                It::NotificationsUnchecked,
                It::AnyNotificationVersion,
            ],
            Self::Windows => vec![
                It::DecimalSessionId,
                It::EncodedChildNames,
                It::NoCorrelator,
                It::NoUserInterface,
                It::IgnoresServerLimits,
                It::UserAgent("MSFT OMA DM Client/1.2.0.1".to_owned()),
                It::Events(vec!["com.microsoft/MDM/LoginStatus".to_owned(), "com.microsoft.mdm.synctype".to_owned()]),
            ],
            Self::Cyanogenmod => {
                vec![It::EmptyNonceIsSpecial, It::ResyncNonce(ResyncReading::Octets), It::AnyNotificationVersion]
            }
            Self::Hotspot => vec![It::TightAlertPrefix, It::NoMetaInResults, It::NoMsgRefInResults, It::NoHeaderRefs],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_persona_is_found_by_its_name_and_only_the_plain_one_does_nothing_special() {
        for persona in Persona::ALL {
            assert_eq!(Persona::parse(persona.name()), Some(persona));
            assert_eq!(persona.behaviours().is_empty(), persona == Persona::Plain, "{}", persona.name());
        }
        assert_eq!(Persona::parse("nokia"), None);
    }
}
