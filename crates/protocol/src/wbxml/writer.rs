//! The binary form as we write it: UTF-8, no string table but for a public identifier, page switches only where the
//! page changes.

use super::integer::put_mb_u_int32;

/// Appends a WBXML document to a buffer.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    page: u8,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, page: 0 }
    }

    /// Version octet, public identifier, character set 106, empty string table.
    pub(crate) fn header(&mut self, version: u8, public_id: u32) {
        self.out.push(version);
        put_mb_u_int32(public_id, self.out);
        self.out.extend_from_slice(&[0x6A, 0x00]);
    }

    /// As [`Self::header`], the public identifier as the only string of the table. No zero is added after it.
    pub(crate) fn header_with_text(&mut self, version: u8, public_id: &str) {
        self.out.extend_from_slice(&[version, 0x00, 0x00, 0x6A]);
        put_mb_u_int32(u32::try_from(public_id.len()).unwrap_or_default(), self.out);
        self.out.extend_from_slice(public_id.as_bytes());
    }

    #[inline]
    pub(crate) fn open(&mut self, page: u8, token: u8) {
        self.switch(page);
        self.out.push(token | 0x40);
    }

    #[inline]
    pub(crate) fn empty(&mut self, page: u8, token: u8) {
        self.switch(page);
        self.out.push(token);
    }

    #[inline]
    pub(crate) fn close(&mut self) {
        self.out.push(0x01);
    }

    /// `text` has no zero in it.
    #[inline]
    pub(crate) fn string(&mut self, text: &str) {
        self.out.push(0x03);
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(0x00);
    }

    /// `length` is that of `octets`.
    #[inline]
    pub(crate) fn opaque(&mut self, length: u32, octets: &[u8]) {
        self.out.push(0xC3);
        put_mb_u_int32(length, self.out);
        self.out.extend_from_slice(octets);
    }

    #[inline]
    fn switch(&mut self, page: u8) {
        if page != self.page {
            self.out.extend_from_slice(&[0x00, page]);
            self.page = page;
        }
    }
}
