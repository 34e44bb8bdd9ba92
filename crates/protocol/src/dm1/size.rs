//! How many octets a message will have, before it is finished.

use crate::syncml::{Address, Command, EncodeError, Encoding, Header, Item, ItemData, Message, Meta, Status, Style};

/// Weighs commands one at a time. What a message takes is the sum of what it takes without them and of their weights: an
/// encoder writes them one after the other, and code pages are switched back before the next.
pub(super) struct Scale<'a> {
    encoding: Encoding,
    style: &'a Style,
    /// A message with nothing in it.
    pan: Message,
    /// Octets that it takes.
    empty: usize,
}

impl<'a> Scale<'a> {
    pub(super) fn new(encoding: Encoding, style: &'a Style) -> Self {
        let pan = Message { header: Header::default(), commands: Vec::new(), is_final: true };
        // An empty message has no text that could not be written.
        let empty = octets(&pan, encoding, style).unwrap_or_default();
        Self { encoding, style, pan, empty }
    }

    /// Octets that `command` adds to a message.
    ///
    /// # Errors
    /// [`EncodeError`] if it has text that the encoding cannot carry.
    pub(super) fn weigh(&mut self, command: Command) -> Result<usize, EncodeError> {
        self.pan.commands.clear();
        self.pan.commands.push(command);
        Ok(octets(&self.pan, self.encoding, self.style)?.saturating_sub(self.empty))
    }
}

/// Octets of a message.
///
/// # Errors
/// [`EncodeError`] if it has text that the encoding cannot carry.
pub(super) fn octets(message: &Message, encoding: Encoding, style: &Style) -> Result<usize, EncodeError> {
    message.encode_styled(encoding, style).map(|it| it.len())
}

/// A bound on octets that is told without writing anything, for the many messages that are far below what a device takes.
/// Nothing where text might be one that cannot be written, or where the form is not the canonical one.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    encoding: Encoding,
}

/// Octets of the tags of a leaf, the longest of page 0 and the namespace of those of page 1 counted, in XML.
const LEAF_BYTES: usize = 64;

impl Bound {
    pub(super) fn new(encoding: Encoding, style: &Style) -> Option<Self> {
        (*style == Style::CANONICAL).then_some(Self { encoding })
    }

    /// At most this many octets has the message.
    pub(super) fn message(self, message: &Message) -> Option<usize> {
        let header = &message.header;
        // Prolog, root and its parts.
        let mut sum = 256 + self.texts([&header.ver_dtd, &header.ver_proto, &header.session_id, &header.msg_id])?;
        sum += self.address(&header.target)? + self.address(&header.source)?;
        sum += self.texts(header.resp_uri.as_deref())? + self.meta(&header.meta)?;
        if let Some(cred) = &header.cred {
            sum += self.meta(&cred.meta)? + self.texts([&cred.data])?;
        }
        for command in &message.commands {
            sum += self.command(command)?;
        }
        Some(sum)
    }

    /// At most this many octets adds the command to a message.
    pub(super) fn command(self, command: &Command) -> Option<usize> {
        let inner = match command {
            Command::Alert(it) => {
                self.texts([&it.code])? + self.texts(it.correlator.as_deref())? + self.items(&it.items)?
            }
            Command::Write(it) => self.meta(&it.meta)? + self.items(&it.items)?,
            Command::Get(it) => self.meta(&it.meta)? + self.items(&it.items)?,
            Command::Exec(it) => {
                self.meta(&it.meta)? + self.texts(it.correlator.as_deref())? + self.items(&it.items)?
            }
            Command::Nested(it) => {
                let members = it.commands.iter().try_fold(0, |sum, it| Some(sum + self.command(it)?))?;
                self.meta(&it.meta)? + members
            }
            Command::Status(it) => self.status(it)?,
            // Not sent by this server.
            Command::Results(_) | Command::Unsupported { .. } => return None,
        };
        Some(LEAF_BYTES + self.texts([command.cmd_id()])? + inner)
    }

    fn status(self, status: &Status) -> Option<usize> {
        let refs = status.target_refs.iter().chain(&status.source_refs);
        let mut sum = self.texts([&status.msg_ref, &status.cmd_ref, &status.cmd])? + self.texts(refs)?;
        if let Some(chal) = &status.chal {
            sum += LEAF_BYTES + self.meta(&chal.meta)?;
        }
        Some(sum + LEAF_BYTES + self.items(&status.items)?)
    }

    fn items(self, items: &[Item]) -> Option<usize> {
        let mut sum = 0;
        for item in items {
            for address in [&item.target, &item.source].into_iter().flatten() {
                sum += self.address(address)?;
            }
            let data = match &item.data {
                None => 0,
                Some(ItemData::Text(text)) => self.text(text)?,
                // Base64, and the format that says so.
                Some(ItemData::Opaque(octets)) => 2 * octets.len() + LEAF_BYTES,
            };
            sum += 3 * LEAF_BYTES + self.meta(&item.meta)? + data;
        }
        Some(sum)
    }

    fn address(self, address: &Address) -> Option<usize> {
        Some(LEAF_BYTES + self.texts([&address.uri])? + self.texts(address.name.as_deref())?)
    }

    fn meta(self, meta: &Meta) -> Option<usize> {
        let texts = [&meta.format, &meta.kind, &meta.mark, &meta.version].into_iter().flatten();
        let numbers = [meta.size, meta.max_msg_size, meta.max_obj_size].iter().flatten().count();
        let nonce = meta.next_nonce.as_ref().map_or(0, |it| LEAF_BYTES + 2 * it.len());
        Some(LEAF_BYTES + self.texts(texts)? + numbers * (LEAF_BYTES + 20) + nonce + self.texts(&meta.emi)?)
    }

    fn texts(self, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Option<usize> {
        texts.into_iter().try_fold(0, |sum, it| Some(sum + LEAF_BYTES + self.text(it.as_ref())?))
    }

    /// Octets of a text. Nothing where it has characters that XML or WBXML might refuse.
    fn text(self, text: &str) -> Option<usize> {
        // The longest way to write one of these is `&quot;`.
        const LONGEST: usize = 6;
        let mut sum = 6;
        for octet in text.bytes() {
            sum += match (octet, self.encoding) {
                (b'\t' | b'\n' | b'\r', _) => LONGEST,
                // 0xEF begins the characters that are none.
                (0..0x20 | 0x7F | 0xEF, _) => return None,
                (b'&' | b'<' | b'>' | b'"' | b'\'', Encoding::Xml) => LONGEST,
                _ => 1,
            };
        }
        Some(sum)
    }
}
