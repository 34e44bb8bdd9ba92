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
        // Filled where it stays: a header has some hundred octets.
        let mut message = Self { header: Header::default(), commands: Vec::new(), is_final: false };
        match encoding {
            Encoding::Xml => {
                let text = document_text(bytes, limits).map_err(|error| DecodeError::before_root(error.into()))?;
                let mut decoder = Decoder::new(XmlSource::new(&text, limits), limits);
                decoder.message(&mut message).map_err(|fault| {
                    let stopped_at = decoder.source.at();
                    let octets = match &text {
                        Cow::Borrowed(_) => str::len,
                        // Text of ISO-8859-1: each character was one octet.
                        Cow::Owned(_) => |part: &str| part.chars().count(),
                    };
                    DecodeError::located(fault, Some(&mut XmlSource::new(&text, limits)), stopped_at)
                        .in_document(bytes, &text, octets)
                })?;
            }
            Encoding::Wbxml => {
                let source = WbxmlSource::new(bytes, limits).map_err(DecodeError::before_root)?;
                let mut decoder = Decoder::new(source, limits);
                decoder.message(&mut message).map_err(|fault| {
                    let mut again = WbxmlSource::new(bytes, limits).ok();
                    DecodeError::located(fault, again.as_mut(), decoder.source.at())
                })?;
            }
        }
        Ok(message)
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
            Token::Text(_) | Token::Char(_) | Token::Opaque(_) | Token::Extension(..) => {}
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

    fn message(&mut self, message: &mut Message) -> Result<(), DecodeFault> {
        let Token::Open(Tag::SyncML) = self.source.next()? else { return Err(DecodeFault::NotSyncMl) };
        if !self.source.is_syncml() {
            return Err(DecodeFault::NotSyncMl);
        }
        let (mut has_header, mut has_body) = (false, false);
        self.children(|this, tag| {
            match tag {
                Tag::SyncHdr if has_header => return Err(this.repeated("SyncHdr")),
                Tag::SyncHdr => {
                    has_header = true;
                    this.header(&mut message.header)?;
                }
                Tag::SyncBody if has_body => return Err(this.repeated("SyncBody")),
                Tag::SyncBody => {
                    has_body = true;
                    this.commands(&mut message.commands, &mut message.is_final)?;
                }
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        // What follows the root is refused by the source.
        self.source.next()?;
        if !has_header {
            return Err(DecodeFault::Missing { element: "SyncHdr" });
        }
        if !has_body {
            return Err(DecodeFault::Missing { element: "SyncBody" });
        }
        Ok(())
    }

    fn header(&mut self, header: &mut Header) -> Result<(), DecodeFault> {
        let (mut has_target, mut has_source) = (false, false);
        self.children(|this, tag| {
            match tag {
                Tag::VerDTD => this.leaf(&mut header.ver_dtd)?,
                Tag::VerProto => this.leaf(&mut header.ver_proto)?,
                Tag::SessionID => this.leaf(&mut header.session_id)?,
                Tag::MsgID => this.leaf(&mut header.msg_id)?,
                Tag::Target => {
                    header.target = Address::default();
                    this.address(&mut header.target)?;
                    has_target = true;
                }
                Tag::Source => {
                    header.source = Address::default();
                    this.address(&mut header.source)?;
                    has_source = true;
                }
                Tag::RespURI => this.leaf(header.resp_uri.insert(Text::default()))?,
                Tag::NoResp => header.no_resp = this.flag()?,
                Tag::Cred => this.credential(header.cred.insert(Credential::default()))?,
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
        if !has_target {
            return Err(DecodeFault::Missing { element: "Target" });
        }
        if !has_source {
            return Err(DecodeFault::Missing { element: "Source" });
        }
        Ok(())
    }

    /// `Target` or `Source`. The address may stand in it without `LocURI`, as examples of the specification have it.
    fn address(&mut self, address: &mut Address) -> Result<(), DecodeFault> {
        let mut bare = String::new();
        loop {
            match self.source.next()? {
                Token::Open(Tag::LocURI) => self.leaf(&mut address.uri)?,
                Token::Open(Tag::LocName) => self.leaf(address.name.insert(Text::default()))?,
                Token::Open(_) | Token::Other => skip(&mut self.source)?,
                Token::Close | Token::End => break,
                piece => self.append(&mut bare, piece)?,
            }
        }
        if address.uri.is_empty() && !bare.trim().is_empty() {
            address.uri = Text::from(bare.trim());
        }
        Ok(())
    }

    fn credential(&mut self, credential: &mut Credential) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::Meta => this.meta(&mut credential.meta)?,
                Tag::Data => this.leaf(&mut credential.data)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
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
                Token::Text(_) | Token::Char(_) | Token::Opaque(_) | Token::Extension(..) => {}
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
