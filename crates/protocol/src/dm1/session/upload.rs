//! Large objects of this server: values that go out in parts, one in each of consecutive messages.
//!
//! Source: OMA DM Protocol 1.2, "Large object handling".

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Number, Session, room::Room, text};
use crate::{
    dm1::{Account, Action, Answer, Note, Order, Outcome, Stage},
    syncml::{Command, Encoding, Item, ItemData, Message, OctetsForm, StatusCode},
};

/// Octets of an object that is sent in parts: it waits in the stored session, whole, in case the device loses some of it.
const UPLOAD_BYTES_MAX: usize = 1 << 20;
/// How often an object is sent from its start before the device is taken at its word that it cannot be had.
const TRIES_MAX: u8 = 2;

/// An object on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Upload {
    /// Its value as carried: base64 where that is how octets travel.
    order: Order,
    /// Octets of the value that are sent.
    sent: usize,
    tries: u8,
}

impl Upload {
    /// The object of `order`, or the order back if it has none that could be sent in parts.
    fn new(mut order: Order, as_base64: bool) -> Result<Self, Order> {
        let (data, format) = match &mut order.action {
            Action::Replace { data: Some(data), format, .. } | Action::Add { data: Some(data), format, .. } => {
                (data, Some(format))
            }
            Action::Exec { data: Some(data), .. } => (data, None),
            _ => return Err(order),
        };
        if carried(data, as_base64) > UPLOAD_BYTES_MAX {
            return Err(order);
        }
        if let (ItemData::Opaque(octets), true) = (&*data, as_base64) {
            *data = ItemData::Text(STANDARD.encode(octets).into());
            if let Some(format) = format {
                *format = Some("b64".into());
            }
        }
        Ok(Self { order, sent: 0, tries: 1 })
    }

    fn data(&self) -> &[u8] {
        self.order.action.data().map_or(&[], |it| it.as_bytes())
    }

    /// Whether a part is on the wire or was taken.
    pub(super) fn is_begun(&self) -> bool {
        self.sent > 0
    }

    /// Whether every part was sent.
    pub(super) fn is_whole(&self) -> bool {
        self.sent >= self.data().len()
    }

    /// The end of a part of at most `length` octets: between characters, if it is text. At least one character, while
    /// there are any.
    fn end(&self, length: usize) -> usize {
        let data = self.data();
        let end = self.sent.saturating_add(length).min(data.len());
        let Some(text) = self.order.action.data().and_then(|it| it.as_text()) else { return end };
        (self.sent..=end).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(self.sent)
    }

    /// The command with the part up to `end`.
    fn part(&self, cmd: u32, end: usize) -> Command {
        let data = self.data();
        let octets = data.get(self.sent..end).unwrap_or_default();
        let part = match self.order.action.data() {
            Some(ItemData::Text(_)) => ItemData::Text(String::from_utf8_lossy(octets).as_ref().into()),
            Some(ItemData::Opaque(_)) | None => ItemData::Opaque(octets.to_vec()),
        };
        let mut command = with_data(&self.order.action, part).command(&mut || text(cmd));
        let more = end < data.len();
        if let Some(item) = item_mut(&mut command) {
            item.more_data = more;
            item.meta.size = (more && self.sent == 0).then_some(data.len() as u64);
        }
        command
    }
}

/// The action with another value, without the one it has.
fn with_data(action: &Action, part: ItemData) -> Action {
    let data = Some(part);
    match action {
        Action::Replace { uri, format, kind, .. } => {
            Action::Replace { uri: uri.clone(), format: format.clone(), kind: kind.clone(), data }
        }
        Action::Add { uri, format, kind, .. } => {
            Action::Add { uri: uri.clone(), format: format.clone(), kind: kind.clone(), data }
        }
        Action::Exec { uri, correlator, .. } => Action::Exec { uri: uri.clone(), data, correlator: correlator.clone() },
        other => other.clone(),
    }
}

fn item_mut(command: &mut Command) -> Option<&mut Item> {
    match command {
        Command::Write(it) => it.items.first_mut(),
        Command::Exec(it) => it.items.first_mut(),
        _ => None,
    }
}

/// Octets of a value in a message, mark-up not counted.
fn carried(data: &ItemData, as_base64: bool) -> usize {
    match data {
        ItemData::Opaque(octets) if as_base64 => octets.len().div_ceil(3).saturating_mul(4),
        data => data.as_bytes().len(),
    }
}

impl Session {
    /// Whether octets travel as base64.
    fn is_base64(&self, account: &Account<'_>) -> bool {
        self.encoding == Encoding::Xml || account.style.octets == OctetsForm::Base64
    }

    /// Whether a value of the order or of its members is larger than the largest object that the device takes.
    pub(super) fn is_above_max_obj_size(&self, account: &Account<'_>, order: &Order) -> bool {
        let Some(max) = self.max_obj_size else { return false };
        let as_base64 = self.is_base64(account);
        let members = order.action.members().iter().map(|it| &it.action);
        let mut values = members.chain([&order.action]).filter_map(|it| it.data());
        values.any(|it| carried(it, as_base64) as u64 > max)
    }

    /// Makes an object of an order that fits no message, if the device takes such objects. Gives the order back if not.
    pub(super) fn begin_upload(&mut self, account: &Account<'_>, order: Order) -> Result<(), Order> {
        if !account.quirks.large_objects.unwrap_or(account.large_objects) {
            return Err(order);
        }
        self.upload = Some(Upload::new(order, self.is_base64(account))?);
        Ok(())
    }

    /// Puts the next part into the message. Returns the outcome of an object of which no message takes even one character.
    ///
    /// `bare` is a message that the device must take in any case.
    pub(super) fn send_part(
        &mut self,
        message: &mut Message,
        next: &mut Number,
        room: &mut Room<'_>,
        bare: &Message,
    ) -> Option<Outcome> {
        let mut upload = self.upload.take()?;
        let free = room.free(message);
        let cmd = next.clone().take();
        let end = longest(&upload, cmd, free, room);
        if end == upload.sent {
            let most = room.max.saturating_sub(room.weight_of(bare));
            if longest(&upload, cmd, most, room) > upload.sent {
                self.upload = Some(upload);
                return None;
            }
            let answer = Answer::Status(StatusCode::TOO_LARGE);
            return Some(Outcome::bare(upload.order.tag, answer, Some(Note::TooLarge)));
        }
        next.take();
        message.commands.push(upload.part(cmd, end));
        self.wire.push(self.sent, cmd, &upload.order);
        upload.sent = end;
        // The package goes on until the last part.
        message.is_final = upload.is_whole();
        self.upload = Some(upload);
        None
    }

    /// Takes what the device said to a part that is on the wire; `no_end`: it sent alert 1225. Returns what the answer must
    /// do, if that is another thing than the end of the device's message says.
    pub(super) fn take_part_answer(
        &mut self,
        no_end: bool,
        is_final: bool,
        outcomes: &mut Vec<Outcome>,
    ) -> Option<Stage> {
        let mut upload = self.upload.take_if(|it| it.is_begun())?;
        if self.wire.is_empty() && !no_end {
            // The last answer had no room for a part.
            self.upload = Some(upload);
            return Some(Stage::NextPart);
        }
        let code = self.wire.only_code();
        let is_done = code.is_some_and(|it| it.is_success() && it != StatusCode::CHUNK_BUFFERED);
        if (no_end && !is_done) || code == Some(StatusCode::SIZE_MISMATCH) {
            self.wire.forget();
            let stage = (!upload.is_whole()).then_some(Stage::NextPart);
            if upload.tries >= TRIES_MAX {
                outcomes.push(upload.ended(Answer::Status(code.unwrap_or(StatusCode::SIZE_MISMATCH))));
                return stage.map(|_| Stage::Ready);
            }
            upload.tries += 1;
            upload.sent = 0;
            self.upload = Some(upload);
            return stage;
        }
        match code {
            Some(StatusCode::CHUNK_BUFFERED) if !upload.is_whole() => {
                self.wire.forget();
                self.upload = Some(upload);
                Some(Stage::NextPart)
            }
            // The device waits for more, or took a part for the whole.
            Some(code) if code == StatusCode::CHUNK_BUFFERED || code.is_success() && !upload.is_whole() => {
                self.wire.forget();
                outcomes.push(upload.ended(Answer::Status(StatusCode::PARTIAL_NOT_ACCEPTED)));
                Some(Stage::Ready).filter(|_| !upload.is_whole())
            }
            // The device said what there is to say of the object.
            Some(_) if upload.is_whole() => None,
            Some(_) => {
                outcomes.extend(self.wire.take_all());
                Some(Stage::Ready)
            }
            None if !is_final => {
                self.upload = Some(upload);
                None
            }
            None if upload.is_whole() => None,
            // A device that says nothing to a part, as libdmclient does, would say nothing to it again.
            None => {
                self.wire.forget();
                outcomes.push(upload.ended(Answer::Status(StatusCode::PARTIAL_NOT_ACCEPTED)));
                Some(Stage::Ready)
            }
        }
    }

    /// Whether a package of ours is open, since parts of an object are still to come.
    pub(super) fn is_sending_object(&self) -> bool {
        self.upload.as_ref().is_some_and(|it| it.is_begun() && !it.is_whole())
    }

    /// Ends an object that was not sent whole.
    pub(super) fn cut_off(&mut self) -> Option<Outcome> {
        let upload = self.upload.take()?;
        if !upload.is_begun() {
            return Some(Outcome::bare(upload.order.tag, Answer::NotSent, None));
        }
        if upload.is_whole() {
            return None;
        }
        self.wire.forget();
        Some(upload.ended(Answer::NotSent))
    }

    /// Starts an object again of which the device refused a message for want of our credential. Whether there was one.
    pub(super) fn restart_upload(&mut self) -> bool {
        let Some(upload) = self.upload.as_mut().filter(|it| it.is_begun()) else { return false };
        if upload.is_whole() && self.wire.only_code().is_some_and(StatusCode::is_success) {
            // It was carried out all the same.
            self.upload = None;
            return false;
        }
        upload.sent = 0;
        self.wire.forget();
        true
    }
}

impl Upload {
    fn ended(&self, answer: Answer) -> Outcome {
        Outcome::bare(self.order.tag, answer, Some(Note::Interrupted))
    }
}

/// The end of the longest part whose command takes at most `free` octets.
fn longest(upload: &Upload, cmd: u32, free: usize, room: &mut Room<'_>) -> usize {
    // Every octet of a value takes at least one in the message.
    let mut above = upload.data().len().saturating_sub(upload.sent).min(free) + 1;
    let mut fits = 0;
    while above - fits > 1 {
        let length = fits + (above - fits) / 2;
        let end = upload.end(length);
        // What cannot be written was found out when the whole was weighed.
        let is_fit = end == upload.sent || room.weigh(upload.part(cmd, end)).is_ok_and(|it| it <= free);
        if is_fit {
            fits = length;
        } else {
            above = length;
        }
    }
    upload.end(fits)
}
