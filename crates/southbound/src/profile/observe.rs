use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Command, Encoding, Message};
use muster_protocol::wbxml;
use serde::{Deserialize, Serialize};

/// Something that the first message of a session shows of the device behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The public identifier of its WBXML is a text of the string table.
    PublicIdInStringTable,
    /// `Content-Type` is `application/vnd.syncml+xml` or `+wbxml`, without `.dm`.
    MediaTypeOfDataSynchronisation,
    /// Its DevInfo lists interior nodes too, with the names of their children.
    DevInfoWithInteriorNodes,
    /// `VerProto` is `DM/1.1`.
    Dm11,
}

impl Observation {
    /// In words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::PublicIdInStringTable => "public identifier as text",
            Self::MediaTypeOfDataSynchronisation => "media type of data synchronisation",
            Self::DevInfoWithInteriorNodes => "DevInfo with interior nodes",
            Self::Dm11 => "VerProto DM/1.1",
        }
    }
}

/// What a package 1 shows.
pub(crate) fn observe(
    content_type: Option<&str>,
    encoding: Encoding,
    body: &[u8],
    message: &Message,
) -> Vec<Observation> {
    let mut observed = Vec::new();
    if encoding == Encoding::Wbxml && has_textual_public_id(body) {
        observed.push(Observation::PublicIdInStringTable);
    }
    if content_type.is_some_and(is_of_data_synchronisation) {
        observed.push(Observation::MediaTypeOfDataSynchronisation);
    }
    if lists_interior_nodes(message) {
        observed.push(Observation::DevInfoWithInteriorNodes);
    }
    if message.header.ver_proto.trim() == "DM/1.1" {
        observed.push(Observation::Dm11);
    }
    observed
}

fn has_textual_public_id(body: &[u8]) -> bool {
    matches!(
        wbxml::Header::read(body, &Limits::DEVICE),
        Ok((wbxml::Header { public_id: wbxml::PublicId::Text(_), .. }, _))
    )
}

fn is_of_data_synchronisation(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    ["application/vnd.syncml+xml", "application/vnd.syncml+wbxml"].iter().any(|it| it.eq_ignore_ascii_case(media_type))
}

fn lists_interior_nodes(message: &Message) -> bool {
    message.commands.iter().any(|command| match command {
        Command::Write(write) => write.items.iter().any(|item| {
            let uri = item.source.as_ref().or(item.target.as_ref()).map_or("", |it| it.uri.as_str());
            uri.contains("DevInfo") && item.meta.format.as_deref() == Some("node")
        }),
        _ => false,
    })
}
