//! The tag code pages, written once; names and tokens of both wire forms derive from them.
//!
//! Source: SyncML Representation Protocol 1.2 and SyncML Meta-Information 1.2, "WBXML Definition"; OMA DM TNDS 1.2.

/// Each child of `Meta` has its own declaration: the form all known clients write and some insist on.
macro_rules! markup {
    (0x00, $open:literal, $name:expr, $close:literal) => {
        concat!($open, $name, $close)
    };
    (0x01, $open:literal, $name:expr, $close:literal) => {
        concat!($open, $name, " xmlns=\"syncml:metinf\"", $close)
    };
}

macro_rules! tags {
    ($($page:tt { $($token:literal $name:ident)* })*) => {
        /// An element of SyncML (page 0) or of its meta-information (page 1). No name is on both pages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Tag { $($(#[doc = concat!("`", stringify!($name), "`")] $name,)*)* }

        impl Tag {
            /// Page, token and tag, in the order of the specification.
            pub const TABLE: &[(u8, u8, Tag)] = &[$($(($page, $token, Tag::$name),)*)*];

            /// The element's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)*)* }
            }

            /// Code page and token.
            #[must_use]
            pub const fn code(self) -> (u8, u8) {
                match self { $($(Self::$name => ($page, $token),)*)* }
            }

            /// The mark-up of the element in canonical XML: whole, so that it is written in one piece.
            pub(crate) const fn markup(self) -> &'static Markup {
                match self { $($(Self::$name => &Markup {
                    start: markup!($page, "<", stringify!($name), ">"),
                    end: concat!("</", stringify!($name), ">"),
                    empty: markup!($page, "<", stringify!($name), "/>"),
                },)*)* }
            }
        }
    };
}

/// Tags of one element.
pub(crate) struct Markup {
    pub(crate) start: &'static str,
    pub(crate) end: &'static str,
    pub(crate) empty: &'static str,
}

tags! {
    0x00 {
        0x05 Add 0x06 Alert 0x07 Archive 0x08 Atomic 0x09 Chal 0x0A Cmd 0x0B CmdID 0x0C CmdRef 0x0D Copy 0x0E Cred
        0x0F Data 0x10 Delete 0x11 Exec 0x12 Final 0x13 Get 0x14 Item 0x15 Lang 0x16 LocName 0x17 LocURI 0x18 Map
        0x19 MapItem 0x1A Meta 0x1B MsgID 0x1C MsgRef 0x1D NoResp 0x1E NoResults 0x1F Put 0x20 Replace 0x21 RespURI
        0x22 Results 0x23 Search 0x24 Sequence 0x25 SessionID 0x26 SftDel 0x27 Source 0x28 SourceRef 0x29 Status
        0x2A Sync 0x2B SyncBody 0x2C SyncHdr 0x2D SyncML 0x2E Target 0x2F TargetRef 0x31 VerDTD 0x32 VerProto
        0x33 NumberOfChanges 0x34 MoreData 0x35 Field 0x36 Filter 0x37 Record 0x38 FilterType 0x39 SourceParent
        0x3A TargetParent 0x3B Move 0x3C Correlator
    }
    0x01 {
        0x05 Anchor 0x06 EMI 0x07 Format 0x08 FreeID 0x09 FreeMem 0x0A Last 0x0B Mark 0x0C MaxMsgSize 0x0D Mem
        0x0E MetInf 0x0F Next 0x10 NextNonce 0x11 SharedMem 0x12 Size 0x13 Type 0x14 Version 0x15 MaxObjSize
        0x16 FieldLevel
    }
}

/// Names of page 2 (DM DDF), in the order of their tokens from 0x05.
pub const DDF: [&str; 56] = [
    "AccessType",
    "ACL",
    "Add",
    "b64",
    "bin",
    "bool",
    "chr",
    "CaseSense",
    "CIS",
    "Copy",
    "CS",
    "date",
    "DDFName",
    "DefaultValue",
    "Delete",
    "Description",
    "DFFormat",
    "DFProperties",
    "DFTitle",
    "DFType",
    "Dynamic",
    "Exec",
    "float",
    "Format",
    "Get",
    "int",
    "Man",
    "MgmtTree",
    "MIME",
    "Mod",
    "Name",
    "Node",
    "node",
    "NodeName",
    "null",
    "Occurrence",
    "One",
    "OneOrMore",
    "OneOrN",
    "Path",
    "Permanent",
    "Replace",
    "RTProperties",
    "Scope",
    "Size",
    "time",
    "Title",
    "TStamp",
    "Type",
    "Value",
    "VerDTD",
    "VerNo",
    "xml",
    "ZeroOrMore",
    "ZeroOrN",
    "ZeroOrOne",
];

/// Code page of DM DDF inside a SyncML document.
pub const DDF_PAGE: u8 = 2;

/// Namespace of page 0 for SyncML 1.2.
pub const SYNCML_NAMESPACE: &str = "SYNCML:SYNCML1.2";
/// Namespace of page 1.
pub const METINF_NAMESPACE: &str = "syncml:metinf";
/// Namespace of page 2.
pub const DDF_NAMESPACE: &str = "syncml:dmddf1.2";

/// `LOOKUP[page][token]`.
const LOOKUP: [[Option<Tag>; 64]; 2] = {
    let mut lookup = [[None; 64]; 2];
    let mut row = 0;
    while row < Tag::TABLE.len() {
        let (page, token, tag) = Tag::TABLE[row];
        lookup[page as usize][token as usize] = Some(tag);
        row += 1;
    }
    lookup
};

const SLOTS: usize = 256;

/// The slot of a name in [`BY_NAME`], by its length and its first, middle and last letters. The factors were found by
/// trying: with them each name has a slot of its own, which the compiler checks.
#[inline]
const fn slot(length: usize, first: u8, middle: u8, last: u8) -> usize {
    let sum = length.wrapping_mul(128) + first as usize * 167 + middle as usize * 87 + last as usize * 125;
    (sum ^ sum >> 8) % SLOTS
}

static BY_NAME: [Option<(&str, Tag)>; SLOTS] = {
    let mut slots = [None; SLOTS];
    let mut row = 0;
    while row < Tag::TABLE.len() {
        let tag = Tag::TABLE[row].2;
        let name = tag.name().as_bytes();
        let at = slot(name.len(), name[0], name[name.len() / 2], name[name.len() - 1]);
        assert!(slots[at].is_none(), "two names in one slot: other factors are needed");
        slots[at] = Some((tag.name(), tag));
        row += 1;
    }
    slots
};
static CODES: [[Option<Tag>; 64]; 2] = LOOKUP;

impl Tag {
    /// The tag with this code, if there is one.
    #[must_use]
    #[inline]
    pub fn from_code(page: u8, token: u8) -> Option<Self> {
        *CODES.get(usize::from(page))?.get(usize::from(token))?
    }

    /// The tag with this name, if there is one.
    #[must_use]
    #[inline]
    pub fn from_name(name: &str) -> Option<Self> {
        let octets = name.as_bytes();
        let middle = octets.get(octets.len() / 2)?;
        let (found, tag) = (*BY_NAME.get(slot(octets.len(), *octets.first()?, *middle, *octets.last()?))?)?;
        (found == name).then_some(tag)
    }
}

/// Page-2 token of a name.
#[must_use]
pub fn ddf_token(name: &str) -> Option<u8> {
    let row = DDF.iter().position(|it| *it == name)?;
    u8::try_from(row + 5).ok()
}

/// Name of a page-2 token.
#[must_use]
pub fn ddf_name(token: u8) -> Option<&'static str> {
    DDF.get(usize::from(token).checked_sub(5)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_found_by_its_name_and_by_its_code() {
        for (page, token, tag) in Tag::TABLE {
            assert_eq!(Tag::from_name(tag.name()), Some(*tag));
            assert_eq!(Tag::from_code(*page, *token), Some(*tag));
            assert_eq!(tag.code(), (*page, *token));
        }
    }

    #[test]
    fn no_two_tags_share_a_place_or_a_name() {
        for (row, (page, token, tag)) in Tag::TABLE.iter().enumerate() {
            for (other_page, other_token, other) in Tag::TABLE.iter().skip(row + 1) {
                assert!((page, token) != (other_page, other_token), "{tag:?} and {other:?}");
                assert_ne!(tag.name(), other.name());
            }
        }
    }

    #[test]
    fn what_is_no_tag_is_not_found() {
        for name in ["", "add", "Addd", "Ad", "MgmtTree", "SyncMl", "é"] {
            assert_eq!(Tag::from_name(name), None, "{name}");
        }
        for (page, token) in [(0, 4), (0, 0x30), (0, 0x3D), (1, 0x17), (2, 5), (255, 63), (0, 64)] {
            assert_eq!(Tag::from_code(page, token), None);
        }
    }

    #[test]
    fn ddf_names_stand_at_the_tokens_of_the_specification() {
        for (token, name) in [
            (0x05, "AccessType"),
            (0x0D, "CIS"),
            (0x11, "DDFName"),
            (0x1C, "Format"),
            (0x20, "MgmtTree"),
            (0x25, "node"),
            (0x2F, "RTProperties"),
            (0x36, "Value"),
            (0x37, "VerDTD"),
            (0x3C, "ZeroOrOne"),
        ] {
            assert_eq!(ddf_name(token), Some(name));
        }
        for name in DDF {
            assert_eq!(ddf_token(name).and_then(ddf_name), Some(name));
        }
        assert_eq!(ddf_token("mgmttree"), None);
        assert_eq!(ddf_name(0x3D), None);
        assert_eq!(ddf_name(0x04), None);
    }
}
