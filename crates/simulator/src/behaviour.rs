//! What makes a device ill-behaved, or merely unlike others, as data.

mod faults;
mod persona;

use muster_protocol::syncml::StatusCode;
use serde::{Deserialize, Serialize};

pub(crate) use faults::Faults;
pub use persona::Persona;

/// One departure from what a good device and a patient user do. A device may have several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// The user says no to every question (304).
    Declines,
    /// The user does not answer (408).
    NoAnswerFromUser,
    /// The user cancels every question (214).
    Cancels,
    /// The user takes what is preselected (option `DR`): yes only if that is yes.
    TakesDefaults,
    /// The user types this where a text is asked for, as far as the question lets.
    Types(String),
    /// The user chooses these choices, counted from 1; of a question for one, the first that it has.
    Chooses(Vec<u32>),
    /// The user takes so long for an answer; above the question's `MAXDT` it is none (408).
    AnswersAfter {
        /// Seconds.
        seconds: u32,
    },
    /// The device shows no text above so many characters (416).
    SmallScreen {
        /// Characters.
        chars: usize,
    },
    /// What an Atomic did before it failed cannot be undone (516).
    CannotRollBack,
    /// An Atomic whose statuses do not fit one message is undone (517); other devices spread them over several.
    AnswersAtomicAtOnce,
    /// Of the properties, only those that every device must have are supported.
    FewProperties,
    /// The device says it is another one: `DevId` and the `Source` of its messages carry this IMEI.
    OtherImei(String),
    /// The connection is lost after the device's message of this number (from 1) went out and before its answer came
    /// in, in as many sessions; each time the device comes back with a new session.
    DropsConnection {
        /// `MsgID` of the last message that goes out, counted from 1 in each session.
        after_message: u32,
        /// How many sessions end this way.
        times: u32,
    },
    /// Commands on this node, and below it, are answered with this status and not carried out.
    FailsWith {
        /// What is answered.
        status: StatusCode,
        /// Address of the node.
        path: String,
    },
    /// The device is switched off.
    NeverConnects,
    /// The device's secret is not the one the server knows.
    WrongCredentials,
    /// Every message is sent twice, octet for octet, as if the first answer had been lost.
    RepeatsMessage,
    /// `MsgID`s go 1, 3, 5 and so on.
    SkipsMsgId,
    /// The device sends no message above so many octets, and so several in a package.
    SmallMessages {
        /// Octets.
        max_msg_size: usize,
    },
    /// The device waits so long before each message.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// The device restarts after it has carried out what the answer to its message of this number asked for, before
    /// it says so, in as many sessions. Its tree stays.
    Reboots {
        /// Messages of the session that went out, from 1.
        after_message: u32,
        /// How many sessions end this way.
        times: u32,
        /// Its nonces are lost.
        forgets_nonces: bool,
    },
    /// The device ends each session with Alert 1223 in its message of this number.
    Aborts {
        /// Messages of the session that went out, from 1.
        in_message: u32,
    },
    /// All messages of a session go to the address of the account, whatever `RespURI` says.
    IgnoresRespUri,
    /// Largest object that the device takes, in octets, told as `MaxObjSize`.
    SmallObjects {
        /// Octets.
        max_obj_size: u64,
    },
    /// The device neither takes nor sends objects in pieces, and announces no `MaxObjSize`; `./DevDetail/LrgObj` is
    /// `false`.
    NoLargeObjects,
    /// Pieces of an object are taken without Status 213 or Alert 1222, and every message has `Final`.
    NoChunkStatuses,
    /// The first piece of an object that the device sends says one octet too many in `Size`.
    WrongSize,
    /// The device sends only the first piece of an object.
    LeavesObjects,
    /// Statuses and Results go out in the opposite order.
    StatusesOutOfOrder,
    /// Each message has one command besides the Status of the header.
    OneCommandPerMessage,
    /// One Status, without `TargetRef`, for all Items of a command that had the same outcome.
    OneStatusForItems,
    /// Results have no `MsgRef`.
    NoMsgRefInResults,
    /// Results have no `Meta`: the receiver is to take the defaults.
    NoMetaInResults,
    /// `Meta` of Results stands beside the Items instead of in them.
    MetaBesideItems,
    /// The Status of the header has no `TargetRef` and no `SourceRef`.
    NoHeaderRefs,
    /// An Atomic has no Status of its own.
    NoAtomicStatus,
    /// Copy is answered 501.
    NoCopy,
    /// A Get with `?list=` is answered 406.
    NoLists,
    /// Questions to the user are answered 406.
    NoUserInterface,
    /// Names of children are percent-encoded in Results.
    EncodedChildNames,
    /// Events that an Exec causes do not name its `Correlator`.
    NoCorrelator,
    /// Types of events go without the prefix `Reversed-Domain-Name:`.
    NoAlertPrefix,
    /// The prefix has no space after its colon.
    TightAlertPrefix,
    /// The commands of a server that did not prove who it is are answered with status 0.
    StatusZero,
    /// The device stops, and restarts later, when it gets a Sequence.
    CrashesOnSequence,
    /// The device stops, and restarts later, when it is to ask its user something without options.
    CrashesOnEmptyOptions,
    /// Session ids are written in lower-case hexadecimal.
    LowerCaseSessionId,
    /// Session ids are written in decimal.
    DecimalSessionId,
    /// `Content-Type` of the device's messages, without `+xml` or `+wbxml`.
    ContentType(String),
    /// `User-Agent` of the device's messages.
    UserAgent(String),
    /// The connection is closed after each message.
    ClosesConnection,
    /// The public identifier of WBXML documents is a text in their string table.
    PublicIdAsText,
    /// Package 1 lists interior nodes of `./DevInfo` with their children, and each Item has its `Meta`.
    DevInfoWithNodes,
    /// Package 1 brings client events of these types.
    Events(Vec<String>),
    /// `MaxMsgSize` of the server is not obeyed.
    IgnoresServerLimits,
    /// The server must prove who it is in every message, not once in a session.
    EveryMessageProvesServer,
    /// Nonces that the device gives out are text.
    NonceIsText,
    /// Without a nonce, a MAC is made with that of a resynchronisation.
    EmptyNonceIsSpecial,
    /// What the device takes `0x00000000` of a resynchronisation for.
    ResyncNonce(ResyncReading),
    /// The digest of a notification is not looked at.
    NotificationsUnchecked,
    /// The digest of a notification is made with the name of the server's credential instead of the `ServerID`.
    NotificationByName,
    /// The version of a notification is not looked at.
    AnyNotificationVersion,
    /// The device speaks DM 1.1.2: no Generic Alerts, no `Correlator`.
    Dm112,
}

/// What a device takes the nonce `0x00000000` for.
///
/// Source: OMA DM 1.2 Security, "Handling of nonces in a notification", which does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReading {
    /// Whichever the server used.
    #[default]
    Either,
    /// Four octets of zero.
    Octets,
    /// Ten characters.
    Text,
}
