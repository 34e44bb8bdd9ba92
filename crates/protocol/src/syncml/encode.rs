//! The typed writer: a [`Message`] in, the canonical document out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::sink::{DataPlace, Sink, WbxmlSink, XmlSink};
use super::styled_sink::{StyledWbxmlSink, StyledXmlSink};
use super::{
    Address, Command, Credential, EncodeError, Encoding, Header, Item, ItemData, Message, Meta, Results, Status, Style,
    Text,
};
use crate::wbxml::tags::Tag;
use crate::wbxml::writer::Writer;

impl Message {
    /// Writes the message in its canonical form.
    ///
    /// Empty required texts (a `CmdID` the sender left out) are not written. In XML, [`ItemData::Opaque`] is written
    /// as base64 and the item's `Format` as `b64`. In WBXML, item data of Add and Replace is OPAQUE, other text
    /// STR_I, as libwbxml has it; there is no string table.
    ///
    /// # Errors
    /// [`EncodeError`]: text that the encoding cannot carry.
    ///
    /// Source: SyncML Representation Protocol 1.2; order of elements by its DTD.
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, EncodeError> {
        let per_command = match encoding {
            Encoding::Xml => 400,
            Encoding::Wbxml => 160,
        };
        let mut out = Vec::with_capacity(per_command * (self.commands.len() + 2));
        self.encode_into(encoding, &mut out)?;
        Ok(out)
    }

    /// Writes the message in the form of `style`. [`Style::CANONICAL`] gives what [`Self::encode`] gives.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_styled(&self, encoding: Encoding, style: &Style) -> Result<Vec<u8>, EncodeError> {
        if *style == Style::CANONICAL {
            return self.encode(encoding);
        }
        let mut out = Vec::new();
        match encoding {
            Encoding::Xml => Encoder { sink: StyledXmlSink { out: &mut out, style } }.message(self),
            Encoding::Wbxml => Encoder { sink: StyledWbxmlSink { writer: Writer::new(&mut out), style } }.message(self),
        }?;
        Ok(out)
    }

    /// As [`Self::encode`], appended to `out`.
    ///
    /// # Errors
    /// As [`Self::encode`]; what was appended until then is of no use.
    pub fn encode_into(&self, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match encoding {
            Encoding::Xml => Encoder { sink: XmlSink { out } }.message(self),
            Encoding::Wbxml => Encoder { sink: WbxmlSink { writer: Writer::new(out) } }.message(self),
        }
    }
}

struct Encoder<S> {
    sink: S,
}

type Done = Result<(), EncodeError>;

impl<S: Sink> Encoder<S> {
    fn message(&mut self, message: &Message) -> Done {
        self.sink.start(&message.header.ver_dtd);
        self.header(&message.header)?;
        if message.commands.is_empty() && !message.is_final {
            self.sink.empty(Tag::SyncBody);
        } else {
            self.sink.open(Tag::SyncBody);
            self.commands(&message.commands)?;
            self.flag(Tag::Final, message.is_final);
            self.sink.close(Tag::SyncBody);
        }
        self.sink.close(Tag::SyncML);
        Ok(())
    }

    fn header(&mut self, header: &Header) -> Done {
        self.sink.open(Tag::SyncHdr);
        self.required(Tag::VerDTD, &header.ver_dtd)?;
        self.required(Tag::VerProto, &header.ver_proto)?;
        self.required(Tag::SessionID, &header.session_id)?;
        self.required(Tag::MsgID, &header.msg_id)?;
        self.address(Tag::Target, &header.target)?;
        self.address(Tag::Source, &header.source)?;
        self.optional(Tag::RespURI, header.resp_uri.as_ref())?;
        self.flag(Tag::NoResp, header.no_resp);
        self.credential(header.cred.as_ref())?;
        self.meta(&header.meta, None)?;
        self.sink.close(Tag::SyncHdr);
        Ok(())
    }

    fn commands(&mut self, commands: &[Command]) -> Done {
        commands.iter().try_for_each(|command| self.command(command))
    }

    fn command(&mut self, command: &Command) -> Done {
        let Some(tag) = Tag::from_name(command.name()) else { return Ok(()) };
        self.sink.open(tag);
        self.required(Tag::CmdID, command.cmd_id())?;
        match command {
            Command::Alert(alert) => {
                self.required(Tag::Data, &alert.code)?;
                self.optional(Tag::Correlator, alert.correlator.as_ref())?;
                self.items(&alert.items, DataPlace::Other)?;
            }
            Command::Write(write) => {
                let place = match tag {
                    Tag::Add | Tag::Replace => DataPlace::Written,
                    _ => DataPlace::Other,
                };
                self.meta(&write.meta, None)?;
                self.items(&write.items, place)?;
            }
            Command::Get(get) => {
                self.meta(&get.meta, None)?;
                self.items(&get.items, DataPlace::Other)?;
            }
            Command::Exec(exec) => {
                self.meta(&exec.meta, None)?;
                self.optional(Tag::Correlator, exec.correlator.as_ref())?;
                self.items(&exec.items, DataPlace::Other)?;
            }
            Command::Nested(nested) => {
                self.meta(&nested.meta, None)?;
                self.commands(&nested.commands)?;
            }
            Command::Results(results) => self.results(results)?,
            Command::Status(status) => self.status(status)?,
            Command::Unsupported { .. } => {}
        }
        self.sink.close(tag);
        Ok(())
    }

    fn results(&mut self, results: &Results) -> Done {
        self.optional(Tag::MsgRef, results.msg_ref.as_ref())?;
        self.required(Tag::CmdRef, &results.cmd_ref)?;
        self.meta(&results.meta, None)?;
        self.optional(Tag::TargetRef, results.target_ref.as_ref())?;
        self.optional(Tag::SourceRef, results.source_ref.as_ref())?;
        self.items(&results.items, DataPlace::Other)
    }

    fn status(&mut self, status: &Status) -> Done {
        self.required(Tag::MsgRef, &status.msg_ref)?;
        self.required(Tag::CmdRef, &status.cmd_ref)?;
        self.required(Tag::Cmd, &status.cmd)?;
        status.target_refs.iter().try_for_each(|text| self.leaf(Tag::TargetRef, text))?;
        status.source_refs.iter().try_for_each(|text| self.leaf(Tag::SourceRef, text))?;
        self.credential(status.cred.as_ref())?;
        if let Some(challenge) = &status.chal {
            self.sink.open(Tag::Chal);
            self.meta(&challenge.meta, None)?;
            self.sink.close(Tag::Chal);
        }
        self.number(Tag::Data, Some(u64::from(status.code.0)))?;
        self.items(&status.items, DataPlace::Other)
    }

    fn items(&mut self, items: &[Item], place: DataPlace) -> Done {
        items.iter().try_for_each(|item| self.item(item, place))
    }

    fn item(&mut self, item: &Item, place: DataPlace) -> Done {
        if *item == Item::default() {
            self.sink.empty(Tag::Item);
            return Ok(());
        }
        self.sink.open(Tag::Item);
        if let Some(target) = &item.target {
            self.address(Tag::Target, target)?;
        }
        if let Some(source) = &item.source {
            self.address(Tag::Source, source)?;
        }
        let as_base64 = self.sink.octets_as_base64() && matches!(item.data, Some(ItemData::Opaque(_)));
        self.meta(&item.meta, as_base64.then_some("b64"))?;
        match &item.data {
            None => {}
            Some(data) if data.as_bytes().is_empty() => self.sink.empty(Tag::Data),
            Some(data) => {
                self.sink.open(Tag::Data);
                match data {
                    ItemData::Opaque(octets) => self.sink.octets(octets)?,
                    ItemData::Text(text) => self.sink.data(text, place)?,
                }
                self.sink.close(Tag::Data);
            }
        }
        self.flag(Tag::MoreData, item.more_data);
        self.sink.close(Tag::Item);
        Ok(())
    }

    fn address(&mut self, tag: Tag, address: &Address) -> Done {
        self.sink.open(tag);
        self.leaf(Tag::LocURI, &address.uri)?;
        self.optional(Tag::LocName, address.name.as_ref())?;
        self.sink.close(tag);
        Ok(())
    }

    fn credential(&mut self, credential: Option<&Credential>) -> Done {
        let Some(credential) = credential else { return Ok(()) };
        self.sink.open(Tag::Cred);
        self.meta(&credential.meta, None)?;
        self.leaf(Tag::Data, &credential.data)?;
        self.sink.close(Tag::Cred);
        Ok(())
    }

    /// `format` is written in place of the one in `meta`.
    fn meta(&mut self, meta: &Meta, format: Option<&str>) -> Done {
        if format.is_none() && meta.is_empty() {
            return Ok(());
        }
        self.sink.open(Tag::Meta);
        match format {
            Some(format) => self.leaf(Tag::Format, format)?,
            None => self.optional(Tag::Format, meta.format.as_ref())?,
        }
        self.optional(Tag::Type, meta.kind.as_ref())?;
        self.optional(Tag::Mark, meta.mark.as_ref())?;
        self.number(Tag::Size, meta.size)?;
        self.optional(Tag::Version, meta.version.as_ref())?;
        if let Some(nonce) = &meta.next_nonce {
            self.leaf(Tag::NextNonce, &STANDARD.encode(nonce))?;
        }
        self.number(Tag::MaxMsgSize, meta.max_msg_size)?;
        self.number(Tag::MaxObjSize, meta.max_obj_size)?;
        meta.emi.iter().try_for_each(|text| self.leaf(Tag::EMI, text))?;
        self.sink.close(Tag::Meta);
        Ok(())
    }

    fn flag(&mut self, tag: Tag, present: bool) {
        if present {
            self.sink.empty(tag);
        }
    }

    /// Empty stands for absent.
    fn required(&mut self, tag: Tag, text: &str) -> Done {
        if text.is_empty() { Ok(()) } else { self.leaf(tag, text) }
    }

    fn optional(&mut self, tag: Tag, text: Option<&Text>) -> Done {
        text.map_or(Ok(()), |text| self.leaf(tag, text))
    }

    fn number(&mut self, tag: Tag, number: Option<u64>) -> Done {
        let Some(mut rest) = number else { return Ok(()) };
        // Twenty digits hold every number of 64 bits.
        let mut digits = [b'0'; 20];
        let mut length = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            length += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let digits = digits.get(20 - length..).unwrap_or_default();
        self.leaf(tag, std::str::from_utf8(digits).unwrap_or_default())
    }

    #[inline]
    fn leaf(&mut self, tag: Tag, text: &str) -> Done {
        if text.is_empty() {
            self.sink.empty(tag);
            return Ok(());
        }
        self.sink.open(tag);
        self.sink.text(text)?;
        self.sink.close(tag);
        Ok(())
    }
}
