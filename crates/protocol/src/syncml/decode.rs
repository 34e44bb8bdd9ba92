//! The typed reader: tokens in, a [`Message`] out. No tree is built.

mod command;
mod leaf;
mod meta;

use std::borrow::Cow;

use super::source::{Source, Token, WbxmlSource, XmlSource};
use super::{Address, Credential, DecodeError, DecodeFault, Encoding, Header, Message, Text};
use crate::limits::Limits;
use crate::wbxml::tags::Tag;
use crate::xml::document_text;

impl Message {
    /// Reads one SyncML message.
    ///
    /// Unknown elements are passed over with what is in them. Of an element that may stand once and stands twice the
    /// last counts. Mark-up inside `Data` (elements of XML, or of WBXML code page 2) becomes [`ItemData::Text`]
    /// holding the elements as canonical XML: no prefixes, a default namespace declaration where the namespace
    /// changes, `<name/>` for elements without content.
    ///
    /// [`ItemData::Text`]: super::ItemData::Text
    ///
    /// # Errors
    /// [`DecodeError`]: not well formed, not SyncML, above a limit, or without what an answer needs (`SyncHdr` with
    /// `SessionID`, `MsgID`, `Target` and `Source`, and `SyncBody`).
    ///
    /// Source: SyncML Representation Protocol 1.2; OMA DM 1.2 Representation Protocol.
    pub fn decode(encoding: Encoding, bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        match encoding {
            Encoding::Xml => {
                let text = document_text(bytes, limits).map_err(|error| DecodeError::before_root(error.into()))?;
                let mut decoder = Decoder::new(XmlSource::new(&text, limits), limits);
                decoder.message().map_err(|fault| {
                    let stopped_at = decoder.source.at();
                    let octets = match &text {
                        Cow::Borrowed(_) => str::len,
                        // Text of ISO-8859-1: each character was one octet.
                        Cow::Owned(_) => |part: &str| part.chars().count(),
                    };
                    DecodeError::located(fault, Some(&mut XmlSource::new(&text, limits)), stopped_at)
                        .in_document(bytes, &text, octets)
                })
            }
            Encoding::Wbxml => {
                let source = WbxmlSource::new(bytes, limits).map_err(DecodeError::before_root)?;
                let mut decoder = Decoder::new(source, limits);
                decoder.message().map_err(|fault| {
                    let mut again = WbxmlSource::new(bytes, limits).ok();
                    DecodeError::located(fault, again.as_mut(), decoder.source.at())
                })
            }
        }
    }
}

/// Passes over the rest of the element just opened.
pub(super) fn skip<'a>(source: &mut impl Source<'a>) -> Result<(), DecodeFault> {
    let mut depth = 1_usize;
    while depth > 0 {
        match source.next()? {
            Token::Open(_) | Token::Other => depth += 1,
            Token::Close => depth -= 1,
            Token::End => break,
            Token::Text(_) | Token::Char(_) | Token::Opaque(_) => {}
        }
    }
    Ok(())
}

struct Decoder<'l, S> {
    source: S,
    limits: &'l Limits,
    commands: usize,
}

/// What a child's reader did with it.
enum Child {
    /// Read to its end.
    Taken,
    /// Not of use here: to be passed over.
    Unknown,
}

impl<'a, 'l, S: Source<'a>> Decoder<'l, S> {
    fn new(source: S, limits: &'l Limits) -> Self {
        Self { source, limits, commands: 0 }
    }

    fn message(&mut self) -> Result<Message, DecodeFault> {
        let Token::Open(Tag::SyncML) = self.source.next()? else { return Err(DecodeFault::NotSyncMl) };
        if !self.source.is_syncml() {
            return Err(DecodeFault::NotSyncMl);
        }
        let mut header = None;
        let mut commands = None;
        let mut is_final = false;
        self.children(|this, tag| {
            match tag {
                Tag::SyncHdr if header.is_some() => return Err(this.repeated("SyncHdr")),
                Tag::SyncHdr => header = Some(this.header()?),
                Tag::SyncBody if commands.is_some() => return Err(this.repeated("SyncBody")),
                Tag::SyncBody => commands = Some(this.commands(&mut is_final)?),
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        // What follows the root is refused by the source.
        self.source.next()?;
        let header = header.ok_or(DecodeFault::Missing { element: "SyncHdr" })?;
        let commands = commands.ok_or(DecodeFault::Missing { element: "SyncBody" })?;
        Ok(Message { header, commands, is_final })
    }

    fn header(&mut self) -> Result<Header, DecodeFault> {
        let mut header = Header::default();
        let (mut target, mut source) = (None, None);
        self.children(|this, tag| {
            match tag {
                Tag::VerDTD => header.ver_dtd = this.leaf()?,
                Tag::VerProto => header.ver_proto = this.leaf()?,
                Tag::SessionID => header.session_id = this.leaf()?,
                Tag::MsgID => header.msg_id = this.leaf()?,
                Tag::Target => target = Some(this.address()?),
                Tag::Source => source = Some(this.address()?),
                Tag::RespURI => header.resp_uri = Some(this.leaf()?),
                Tag::NoResp => header.no_resp = this.flag()?,
                Tag::Cred => header.cred = Some(this.credential()?),
                Tag::Meta => this.meta(&mut header.meta)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        if header.session_id.is_empty() {
            return Err(DecodeFault::Missing { element: "SessionID" });
        }
        if header.msg_id.is_empty() {
            return Err(DecodeFault::Missing { element: "MsgID" });
        }
        header.target = target.ok_or(DecodeFault::Missing { element: "Target" })?;
        header.source = source.ok_or(DecodeFault::Missing { element: "Source" })?;
        Ok(header)
    }

    /// `Target` or `Source`. The address may stand in it without `LocURI`, as examples of the specification have it.
    fn address(&mut self) -> Result<Address, DecodeFault> {
        let mut address = Address::default();
        let mut bare = String::new();
        loop {
            match self.source.next()? {
                Token::Open(Tag::LocURI) => address.uri = self.leaf()?,
                Token::Open(Tag::LocName) => address.name = Some(self.leaf()?),
                Token::Open(_) | Token::Other => skip(&mut self.source)?,
                Token::Close | Token::End => break,
                piece => self.append(&mut bare, piece)?,
            }
        }
        if address.uri.is_empty() && !bare.trim().is_empty() {
            address.uri = Text::from(bare.trim());
        }
        Ok(address)
    }

    fn credential(&mut self) -> Result<Credential, DecodeFault> {
        let mut credential = Credential::default();
        self.children(|this, tag| {
            match tag {
                Tag::Meta => this.meta(&mut credential.meta)?,
                Tag::Data => credential.data = this.leaf()?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(credential)
    }

    /// Hands each known child of the element just opened to `read`, and passes over the others and text.
    #[inline]
    fn children(
        &mut self,
        mut read: impl FnMut(&mut Self, Tag) -> Result<Child, DecodeFault>,
    ) -> Result<(), DecodeFault> {
        loop {
            match self.source.next()? {
                Token::Open(tag) => match read(self, tag)? {
                    Child::Taken => {}
                    Child::Unknown => skip(&mut self.source)?,
                },
                Token::Other => skip(&mut self.source)?,
                Token::Text(_) | Token::Char(_) | Token::Opaque(_) => {}
                Token::Close | Token::End => return Ok(()),
            }
        }
    }

    /// An element whose presence is its meaning.
    fn flag(&mut self) -> Result<bool, DecodeFault> {
        skip(&mut self.source)?;
        Ok(true)
    }

    fn repeated(&self, element: &'static str) -> DecodeFault {
        DecodeFault::Repeated { element, at: self.source.at() }
    }
}
