//! An upper bound for the octets of an encoded message, found without encoding it.
//!
//! Bounds are enough to decide how many commands go into one message, and each command is looked at once.

use crate::syncml::{
    Address, Alert, Challenge, Command, Credential, Encoding, Header, Item, ItemData, Message, Meta, Status,
};

/// Prolog, document type, root element and name space of XML; header and string table of WBXML.
const DOCUMENT_BYTES: usize = 256;

/// Octets that `message` takes at most.
pub(super) fn message(message: &Message, encoding: Encoding) -> usize {
    let mut tally = Tally { encoding, bytes: DOCUMENT_BYTES };
    tally.header(&message.header);
    for name in ["SyncML", "SyncBody", "Final"] {
        tally.element(name);
    }
    for command in &message.commands {
        tally.command(command);
    }
    tally.bytes
}

/// Octets that `command` adds to a message at most.
pub(super) fn command(command: &Command, encoding: Encoding) -> usize {
    let mut tally = Tally { encoding, bytes: 0 };
    tally.command(command);
    tally.bytes
}

struct Tally {
    encoding: Encoding,
    bytes: usize,
}

impl Tally {
    /// Start and end of an element.
    fn element(&mut self, name: &str) {
        self.bytes += match self.encoding {
            Encoding::Xml => 2 * name.len() + 5,
            Encoding::Wbxml => 2,
        };
    }

    /// An element with text.
    fn leaf(&mut self, name: &str, text: &str) {
        self.element(name);
        self.bytes += match self.encoding {
            Encoding::Xml => text.bytes().map(escaped).sum(),
            // An opaque: token and a length of at most 5 octets.
            Encoding::Wbxml => text.len() + 6,
        };
    }

    fn leaves<T: AsRef<str>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        for text in texts {
            self.leaf(name, text.as_ref());
        }
    }

    /// A leaf of the Meta-Information name space.
    fn meta_leaf(&mut self, name: &str, text: &str) {
        self.leaf(name, text);
        self.bytes += match self.encoding {
            Encoding::Xml => " xmlns=\"syncml:metinf\"".len(),
            // Code page there and back.
            Encoding::Wbxml => 4,
        };
    }

    fn header(&mut self, header: &Header) {
        self.element("SyncHdr");
        self.leaf("VerDTD", &header.ver_dtd);
        self.leaf("VerProto", &header.ver_proto);
        self.leaf("SessionID", &header.session_id);
        self.leaf("MsgID", &header.msg_id);
        self.address("Target", Some(&header.target));
        self.address("Source", Some(&header.source));
        self.leaves("RespURI", &header.resp_uri);
        self.credential(header.cred.as_ref());
        self.meta(&header.meta);
    }

    fn address(&mut self, name: &str, address: Option<&Address>) {
        if let Some(address) = address {
            self.element(name);
            self.leaf("LocURI", &address.uri);
            self.leaves("LocName", &address.name);
        }
    }

    fn credential(&mut self, cred: Option<&Credential>) {
        if let Some(cred) = cred {
            self.element("Cred");
            self.meta(&cred.meta);
            self.leaf("Data", &cred.data);
        }
    }

    fn challenge(&mut self, challenge: Option<&Challenge>) {
        if let Some(challenge) = challenge {
            self.element("Chal");
            self.meta(&challenge.meta);
        }
    }

    fn meta(&mut self, meta: &Meta) {
        if meta.is_empty() {
            return;
        }
        self.element("Meta");
        let texts = [("Format", &meta.format), ("Type", &meta.kind), ("Mark", &meta.mark), ("Version", &meta.version)];
        for (name, text) in texts {
            if let Some(text) = text {
                self.meta_leaf(name, text);
            }
        }
        let numbers = [("Size", meta.size), ("MaxMsgSize", meta.max_msg_size), ("MaxObjSize", meta.max_obj_size)];
        for (name, number) in numbers {
            if let Some(number) = number {
                self.meta_leaf(name, &number.to_string());
            }
        }
        if let Some(nonce) = &meta.next_nonce {
            self.meta_leaf("NextNonce", "");
            self.bytes += base64_len(nonce.len());
        }
        for text in &meta.emi {
            self.meta_leaf("EMI", text);
        }
    }

    fn command(&mut self, command: &Command) {
        self.element(command.name());
        self.leaf("CmdID", command.cmd_id());
        match command {
            Command::Alert(Alert { code, correlator, items, .. }) => {
                self.leaf("Data", code);
                self.leaves("Correlator", correlator);
                self.items(items);
            }
            Command::Write(it) => {
                self.meta(&it.meta);
                self.items(&it.items);
            }
            Command::Get(it) => {
                self.meta(&it.meta);
                self.items(&it.items);
            }
            Command::Exec(it) => {
                self.meta(&it.meta);
                self.leaves("Correlator", &it.correlator);
                self.items(&it.items);
            }
            Command::Nested(it) => {
                self.meta(&it.meta);
                for member in &it.commands {
                    self.command(member);
                }
            }
            Command::Results(it) => {
                self.leaves("MsgRef", &it.msg_ref);
                self.leaf("CmdRef", &it.cmd_ref);
                self.meta(&it.meta);
                self.leaves("TargetRef", &it.target_ref);
                self.leaves("SourceRef", &it.source_ref);
                self.items(&it.items);
            }
            Command::Status(it) => self.status(it),
            Command::Unsupported { .. } => {}
        }
    }

    fn status(&mut self, status: &Status) {
        self.leaf("MsgRef", &status.msg_ref);
        self.leaf("CmdRef", &status.cmd_ref);
        self.leaf("Cmd", &status.cmd);
        self.leaves("TargetRef", &status.target_refs);
        self.leaves("SourceRef", &status.source_refs);
        self.credential(status.cred.as_ref());
        self.challenge(status.chal.as_ref());
        self.leaf("Data", "000");
        self.items(&status.items);
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.element("Item");
            self.address("Target", item.target.as_ref());
            self.address("Source", item.source.as_ref());
            self.meta(&item.meta);
            match (&item.data, self.encoding) {
                (Some(ItemData::Text(text)), _) => self.leaf("Data", text),
                (Some(ItemData::Opaque(octets)), Encoding::Wbxml) => {
                    self.leaf("Data", "");
                    self.bytes += octets.len();
                }
                // XML carries octets as base64 and has to say so.
                (Some(ItemData::Opaque(octets)), Encoding::Xml) => {
                    self.leaf("Data", "");
                    self.meta_leaf("Format", "b64");
                    self.element("Meta");
                    self.bytes += base64_len(octets.len());
                }
                (None, _) => {}
            }
            if item.more_data {
                self.element("MoreData");
            }
        }
    }
}

/// Octets of one octet of text in XML, as the longest reference a writer may use.
fn escaped(octet: u8) -> usize {
    match octet {
        b'&' | b'<' | b'>' | b'"' | b'\'' | 0..0x20 => 6,
        _ => 1,
    }
}

fn base64_len(octets: usize) -> usize {
    octets.div_ceil(3) * 4
}
