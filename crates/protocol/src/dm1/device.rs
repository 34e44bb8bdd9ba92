//! `./DevInfo` as package 1 brings it.

use serde::{Deserialize, Serialize};

use crate::syncml::{Item, StatusCode, Text, Write, WriteKind};

/// What the device tells of itself at the start of a session. A node that did not come is `None`.
///
/// Source: OMA DM Standardized Objects 1.2, "DevInfo".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// `DevId`, for example `IMEI:490154203237518`.
    pub dev_id: Option<Text>,
    /// `Man`: manufacturer.
    pub man: Option<Text>,
    /// `Mod`: model.
    pub model: Option<Text>,
    /// `DmV`: version of the device's DM client.
    pub dm_version: Option<Text>,
    /// `Lang`: language, for example `en-GB`.
    pub lang: Option<Text>,
    /// Other leaves with text, by path below `./DevInfo/`.
    pub others: Vec<(Text, Text)>,
}

/// Other nodes kept of one message: `Ext` and `Bearer` sub-trees have a handful.
const OTHERS_MAX: usize = 64;
/// Octets of one value: identifiers and names; the longest seen are below 100.
const VALUE_BYTES_MAX: usize = 4096;

impl DeviceInfo {
    /// Takes a `Replace` of package 1. Returns its status; with any other than 200 nothing was taken.
    pub(super) fn take(found: &mut Option<Self>, write: &Write) -> StatusCode {
        if write.kind != WriteKind::Replace {
            return StatusCode::NOT_SUPPORTED;
        }
        if write.items.is_empty() {
            return StatusCode::INCOMPLETE;
        }
        let mut info = found.clone().unwrap_or_default();
        for item in &write.items {
            let code = info.take_item(item);
            if code != StatusCode::OK {
                return code;
            }
        }
        *found = Some(info);
        StatusCode::OK
    }

    fn take_item(&mut self, item: &Item) -> StatusCode {
        let Some(path) = [&item.source, &item.target].into_iter().flatten().find_map(|it| below_dev_info(&it.uri))
        else {
            return StatusCode::NOT_SUPPORTED;
        };
        // libdmclient lists interior nodes too, with their children as data.
        if item.meta.format.as_deref() == Some("node") {
            return StatusCode::OK;
        }
        let Some(text) = item.data.as_ref().and_then(|it| it.as_text()) else {
            return StatusCode::OK;
        };
        if text.len() > VALUE_BYTES_MAX || item.more_data {
            return StatusCode::TOO_LARGE;
        }
        let value = Some(text.into());
        match path {
            "" => {}
            "DevId" => self.dev_id = value,
            "Man" => self.man = value,
            "Mod" => self.model = value,
            "DmV" => self.dm_version = value,
            "Lang" => self.lang = value,
            _ if self.others.len() >= OTHERS_MAX => return StatusCode::TOO_LARGE,
            _ => self.others.push((path.into(), text.into())),
        }
        StatusCode::OK
    }
}

/// The path below `./DevInfo`, empty for the object itself. The base of relative URIs is the root, so `DevInfo` is the same.
fn below_dev_info(uri: &str) -> Option<&str> {
    let path = uri.strip_prefix("./").unwrap_or(uri).strip_prefix("DevInfo")?;
    if path.is_empty() { Some(path) } else { path.strip_prefix('/') }
}
