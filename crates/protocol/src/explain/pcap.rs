//! Capture files: packets, and the IP datagrams in them.
//!
//! Source: draft-ietf-opsawg-pcap; draft-ietf-opsawg-pcapng; RFC 791; RFC 8200.

/// Packets of one file that are read.
const PACKETS_MAX: usize = 2_000_000;

/// Why a capture file cannot be read on. `at` counts octets from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PcapError {
    /// The file ends inside a packet or block.
    #[error("capture ends at octet {at}, inside a packet")]
    Truncated {
        /// Where it ended.
        at: usize,
    },
    /// A block whose length cannot be.
    #[error("block at octet {at} has a length of {length}")]
    Block {
        /// Where it begins.
        at: usize,
        /// What its length says.
        length: usize,
    },
    /// A kind of network that is not known here.
    #[error("packets have link type {link_type}, which is not known here; export the stream as raw octets")]
    LinkType {
        /// Its number.
        link_type: u32,
    },
    /// Nothing in it that is opened.
    #[error(
        "capture holds no HTTP in the clear and no push to port 2948; decrypt it, or export what it holds as octets"
    )]
    Nothing,
    /// More packets than are read.
    #[error("capture has more than {max} packets")]
    TooMany {
        /// The bound.
        max: usize,
    },
    /// Octets that the capture lost.
    #[error("{octets} octets of the stream were not captured")]
    Gap {
        /// How many.
        octets: usize,
    },
}

const PCAPNG: u32 = 0x0A0D_0D0A;

/// Whether a capture file begins here.
pub(super) fn begins(octets: &[u8]) -> bool {
    matches!(
        octets,
        [0xA1, 0xB2, 0xC3, 0xD4, ..]
            | [0xD4, 0xC3, 0xB2, 0xA1, ..]
            | [0xA1, 0xB2, 0x3C, 0x4D, ..]
            | [0x4D, 0x3C, 0xB2, 0xA1, ..]
            | [0x0A, 0x0D, 0x0D, 0x0A, ..]
    )
}

/// A packet with the number of its link type.
pub(super) struct Packet<'a> {
    pub(super) link_type: u32,
    pub(super) octets: &'a [u8],
}

/// Packets up to the end of the file or to what cannot be read.
pub(super) fn packets(file: &[u8]) -> (Vec<Packet<'_>>, Option<(usize, PcapError)>) {
    let mut found = Vec::new();
    let read = if number(file, 0, true) == Some(PCAPNG) { blocks(file, &mut found) } else { records(file, &mut found) };
    (found, read.err())
}

/// Four octets as a number.
fn number(octets: &[u8], at: usize, big: bool) -> Option<u32> {
    let chunk = octets.get(at..)?.first_chunk::<4>()?;
    Some(if big { u32::from_be_bytes(*chunk) } else { u32::from_le_bytes(*chunk) })
}

type Stopped = (usize, PcapError);

/// Octets of the header of a file of the older form.
const FILE_HEADER: usize = 24;
/// Octets before each of its packets.
const RECORD_HEADER: usize = 16;

fn records<'a>(file: &'a [u8], found: &mut Vec<Packet<'a>>) -> Result<(), Stopped> {
    let big = matches!(file, [0xA1, ..]);
    let truncated = (file.len(), PcapError::Truncated { at: file.len() });
    let link_type = number(file, FILE_HEADER - 4, big).ok_or(truncated)? & 0xFFFF;
    let mut at = FILE_HEADER;
    while at < file.len() {
        let length = number(file, at + 8, big).ok_or(truncated)? as usize;
        let start = at + RECORD_HEADER;
        let octets = file.get(start..).and_then(|rest| rest.get(..length)).ok_or(truncated)?;
        push(found, Packet { link_type, octets }, at)?;
        at = start + length;
    }
    Ok(())
}

fn push<'a>(found: &mut Vec<Packet<'a>>, packet: Packet<'a>, at: usize) -> Result<(), Stopped> {
    if found.len() == PACKETS_MAX {
        return Err((at, PcapError::TooMany { max: PACKETS_MAX }));
    }
    found.push(packet);
    Ok(())
}

const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const PACKET: u32 = 6;

fn blocks<'a>(file: &'a [u8], found: &mut Vec<Packet<'a>>) -> Result<(), Stopped> {
    let truncated = (file.len(), PcapError::Truncated { at: file.len() });
    let mut big = false;
    let mut link_types: Vec<u32> = Vec::new();
    let mut at = 0;
    while at < file.len() {
        if number(file, at, true) == Some(PCAPNG) {
            big = number(file, at + 8, true) == Some(0x1A2B_3C4D);
            link_types.clear();
        }
        let kind = number(file, at, big).ok_or(truncated)?;
        let length = number(file, at + 4, big).ok_or(truncated)? as usize;
        if length < 12 || !length.is_multiple_of(4) {
            return Err((at, PcapError::Block { at, length }));
        }
        let block = file.get(at..).and_then(|rest| rest.get(..length)).ok_or(truncated)?;
        let part = |start: usize, length: usize| block.get(start..).and_then(|rest| rest.get(..length));
        match kind {
            INTERFACE => {
                let link_type = number(block, 8, big).ok_or(truncated)?;
                link_types.push(if big { link_type >> 16 } else { link_type & 0xFFFF });
            }
            PACKET => {
                let interface = number(block, 8, big).ok_or(truncated)? as usize;
                let captured = number(block, 20, big).ok_or(truncated)? as usize;
                let octets = part(28, captured).ok_or((at, PcapError::Block { at, length: captured }))?;
                push(found, Packet { link_type: link_types.get(interface).copied().unwrap_or(1), octets }, at)?;
            }
            SIMPLE_PACKET => {
                let original = number(block, 8, big).ok_or(truncated)? as usize;
                let octets = part(12, original.min(length - 16)).unwrap_or_default();
                push(found, Packet { link_type: link_types.first().copied().unwrap_or(1), octets }, at)?;
            }
            _ => {}
        }
        at += length;
    }
    Ok(())
}

/// What an IP datagram carries.
pub(super) struct Datagram<'a> {
    pub(super) source: String,
    pub(super) destination: String,
    pub(super) protocol: u8,
    pub(super) payload: &'a [u8],
}

/// The datagram in a packet; nothing for other traffic and for fragments.
///
/// # Errors
/// [`PcapError::LinkType`].
pub(super) fn datagram<'a>(packet: &Packet<'a>) -> Result<Option<Datagram<'a>>, PcapError> {
    let octets = packet.octets;
    let after = |count: usize| octets.get(count..).unwrap_or_default();
    let ip = match packet.link_type {
        // Loopback, with the address family in front.
        0 | 108 => after(4),
        1 => ethernet(octets),
        12 | 14 | 101 | 228 | 229 => octets,
        // Linux "any" interfaces, two versions.
        113 => after(16),
        276 => after(20),
        link_type => return Err(PcapError::LinkType { link_type }),
    };
    Ok(match ip.first().map(|octet| octet >> 4) {
        Some(4) => version_4(ip),
        Some(6) => version_6(ip),
        _ => None,
    })
}

fn ethernet(octets: &[u8]) -> &[u8] {
    let mut at = 12;
    // Up to two tags of virtual networks stand before the type.
    while let Some([0x81, 0x00] | [0x88, 0xA8]) = octets.get(at..at + 2) {
        at += 4;
        if at > 20 {
            break;
        }
    }
    match octets.get(at..at + 2) {
        Some([0x08, 0x00] | [0x86, 0xDD]) => octets.get(at + 2..).unwrap_or_default(),
        _ => &[],
    }
}

fn version_4(ip: &[u8]) -> Option<Datagram<'_>> {
    let header = ip.first_chunk::<20>()?;
    let [first, _, l1, l2, _, _, f1, f2, _, protocol, _, _, s1, s2, s3, s4, d1, d2, d3, d4] = *header;
    let total = usize::from(u16::from_be_bytes([l1, l2]));
    if u16::from_be_bytes([f1, f2]) & 0x3FFF != 0 {
        return None;
    }
    let start = usize::from(first & 0x0F) * 4;
    // A length of 0 is what captures have where the network card cuts segments.
    let end = if total == 0 { ip.len() } else { total.min(ip.len()) };
    let payload = ip.get(start..end)?;
    let address = |octets: [u8; 4]| std::net::Ipv4Addr::from(octets).to_string();
    Some(Datagram { source: address([s1, s2, s3, s4]), destination: address([d1, d2, d3, d4]), protocol, payload })
}

fn version_6(ip: &[u8]) -> Option<Datagram<'_>> {
    let length = usize::from(u16::from_be_bytes(*ip.get(4..)?.first_chunk()?));
    let address = |at: usize| Some(std::net::Ipv6Addr::from(*ip.get(at..)?.first_chunk::<16>()?).to_string());
    let mut protocol = *ip.get(6)?;
    let rest = ip.get(40..)?;
    let mut payload = if length == 0 { rest } else { rest.get(..length).unwrap_or(rest) };
    // Extension headers: hop-by-hop, routing, destination. Fragments are not joined.
    while matches!(protocol, 0 | 43 | 60) {
        let (next, size) = (*payload.first()?, usize::from(*payload.get(1)?));
        protocol = next;
        payload = payload.get((size + 1) * 8..)?;
    }
    Some(Datagram {
        source: format!("[{}]", address(8)?),
        destination: format!("[{}]", address(24)?),
        protocol,
        payload,
    })
}
