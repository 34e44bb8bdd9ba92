use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::source::Source;
use super::super::{Challenge, DecodeFault, Meta, Text};
use super::{Child, Decoder};
use crate::wbxml::tags::Tag;

/// Takes base64 with and without padding, as old clients write it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl<'a, S: Source<'a>> Decoder<'_, S> {
    /// `Meta`, with or without the `MetInf` wrapper.
    pub(super) fn meta(&mut self, meta: &mut Meta) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            if tag == Tag::MetInf {
                this.children(|this, tag| this.meta_child(meta, tag))?;
                return Ok(Child::Taken);
            }
            this.meta_child(meta, tag)
        })
    }

    #[inline]
    fn meta_child(&mut self, meta: &mut Meta, tag: Tag) -> Result<Child, DecodeFault> {
        match tag {
            Tag::Format => self.leaf(meta.format.insert(Text::default()))?,
            Tag::Type => self.leaf(meta.kind.insert(Text::default()))?,
            Tag::Mark => self.leaf(meta.mark.insert(Text::default()))?,
            Tag::Size => meta.size = self.number(tag)?,
            Tag::Version => self.leaf(meta.version.insert(Text::default()))?,
            Tag::NextNonce => meta.next_nonce = Some(self.base64(tag)?),
            Tag::MaxMsgSize => meta.max_msg_size = self.number(tag)?,
            Tag::MaxObjSize => meta.max_obj_size = self.number(tag)?,
            Tag::EMI => {
                meta.emi.push(Text::default());
                return meta.emi.last_mut().map_or(Ok(()), |emi| self.leaf(emi)).map(|()| Child::Taken);
            }
            _ => return Ok(Child::Unknown),
        }
        Ok(Child::Taken)
    }

    /// A decimal number; an empty element says nothing.
    fn number(&mut self, tag: Tag) -> Result<Option<u64>, DecodeFault> {
        let mut text = Text::default();
        self.leaf(&mut text)?;
        let digits = text.trim();
        if digits.is_empty() {
            return Ok(None);
        }
        let number = digits.parse().ok().filter(|_| digits.bytes().all(|octet| octet.is_ascii_digit()));
        let not_number = || DecodeFault::NotNumber { element: tag.name(), at: self.source.at() };
        number.ok_or_else(not_number).map(Some)
    }

    fn base64(&mut self, tag: Tag) -> Result<Vec<u8>, DecodeFault> {
        let mut text = Text::default();
        self.leaf(&mut text)?;
        let decoded = if text.contains(|character: char| character.is_ascii_whitespace()) {
            let dense: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
            LENIENT.decode(dense)
        } else {
            LENIENT.decode(text.as_bytes())
        };
        decoded.map_err(|_| DecodeFault::NotBase64 { element: tag.name(), at: self.source.at() })
    }
}

impl<'a, S: Source<'a>> Decoder<'_, S> {
    /// `Chal`.
    pub(super) fn challenge(&mut self, challenge: &mut Challenge) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            if tag != Tag::Meta {
                return Ok(Child::Unknown);
            }
            this.meta(&mut challenge.meta)?;
            Ok(Child::Taken)
        })
    }
}
