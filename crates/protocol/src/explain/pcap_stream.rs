//! Streams of a capture, put together again.
//!
//! Source: RFC 9293.

use std::collections::BTreeMap;

use super::http::{self, HttpMessage};
use super::pcap::{Datagram, PcapError, datagram, packets};
use super::run::Run;
use super::{Form, Node, Tone};
use crate::push::PORT;

const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u8 = 0x02;

/// One direction of one connection.
#[derive(Default)]
struct Direction<'a> {
    /// Sequence number of the first octet.
    first: Option<u32>,
    /// Segments by their distance from it. A repeated one counts once, the longest.
    segments: BTreeMap<u32, &'a [u8]>,
}

/// The distance of a segment before the first one seen, which came late. Half of all numbers are behind.
const BEHIND: u32 = 1 << 31;

impl<'a> Direction<'a> {
    fn take(&mut self, sequence: u32, octets: &'a [u8]) {
        let first = *self.first.get_or_insert(sequence);
        let distance = sequence.wrapping_sub(first);
        if octets.is_empty() || distance >= BEHIND {
            return;
        }
        let kept = self.segments.entry(distance).or_default();
        if octets.len() > kept.len() {
            *kept = octets;
        }
    }

    /// The octets, and how many are missing between them.
    fn join(&self) -> (Vec<u8>, usize) {
        let mut joined: Vec<u8> = Vec::new();
        let mut next = 0_usize;
        let mut missing = 0;
        for (distance, octets) in &self.segments {
            let distance = *distance as usize;
            if distance > next {
                missing += distance - next;
                next = distance;
            }
            let fresh = octets.get(next - distance..).unwrap_or_default();
            joined.extend_from_slice(fresh);
            next += fresh.len();
        }
        (joined, missing)
    }
}

/// A connection: the side that spoke first, the other side, and what both said.
struct Connection<'a> {
    ends: [String; 2],
    directions: [Direction<'a>; 2],
}

impl Run<'_, '_> {
    /// A capture file: HTTP in the clear, and pushes over UDP.
    pub(super) fn pcap(&mut self, file: &[u8], depth: usize) -> Vec<Node> {
        let mut capture = Node::document("capture");
        let (packets, mut failure) = packets(file);
        let mut connections: Vec<Connection<'_>> = Vec::new();
        let mut latest: BTreeMap<[String; 2], usize> = BTreeMap::new();
        let mut pushes = Vec::new();
        for packet in &packets {
            match datagram(packet) {
                Ok(Some(datagram)) if datagram.protocol == TCP => {
                    segment(&datagram, &mut connections, &mut latest);
                }
                Ok(Some(datagram)) if datagram.protocol == UDP => pushes.extend(push(&datagram)),
                Ok(_) => {}
                Err(error) => failure = failure.or(Some((0, error))),
            }
        }
        capture.note(Tone::Plain, format!("{} packets, {} TCP connections", packets.len(), connections.len()));
        let mut closed = 0;
        for connection in &connections {
            match self.connection(connection, depth) {
                Some(node) => capture.children.push(node),
                None => closed += 1,
            }
        }
        for (ends, octets) in pushes {
            let mut node = Node::document("UDP datagram").noted(ends);
            self.body(&mut node, octets, 0, Some(Form::Wsp), depth);
            capture.children.push(node);
        }
        if closed > 0 {
            capture.note(Tone::Plain, format!("{closed} of them not HTTP in the clear"));
        }
        if capture.children.is_empty() {
            failure = failure.or(Some((0, PcapError::Nothing)));
        }
        if let Some((at, error)) = failure {
            capture.fail(at, error);
        }
        vec![capture]
    }

    /// Requests and responses by turns; nothing if this is no HTTP.
    fn connection(&mut self, connection: &Connection<'_>, depth: usize) -> Option<Node> {
        let streams = connection.directions.each_ref().map(Direction::join);
        let [(one, missing_one), (two, missing_two)] = &streams;
        if !http::begins(one) && !http::begins(two) {
            return None;
        }
        let [a, b] = &connection.ends;
        let mut node = Node::document("TCP stream").noted(format!("{a} - {b}"));
        let (first, first_failure) = http::messages(one);
        let (second, second_failure) = http::messages(two);
        let (requests, responses): (Vec<HttpMessage<'_>>, Vec<HttpMessage<'_>>) =
            first.into_iter().chain(second).partition(HttpMessage::is_request);
        let mut responses = responses.iter();
        for request in &requests {
            node.children.push(self.http_message(request, depth));
            if let Some(response) = responses.next() {
                node.children.push(self.http_message(response, depth));
            }
        }
        for response in responses {
            node.children.push(self.http_message(response, depth));
        }
        let missing = missing_one + missing_two;
        if missing > 0 {
            node.fail(0, PcapError::Gap { octets: missing });
        } else if let Some((at, error)) = first_failure.or(second_failure) {
            node.fail(at, error);
        }
        Some(node)
    }
}

fn segment<'a>(
    datagram: &Datagram<'a>,
    connections: &mut Vec<Connection<'a>>,
    latest: &mut BTreeMap<[String; 2], usize>,
) {
    let tcp = datagram.payload;
    let Some([s1, s2, d1, d2, q1, q2, q3, q4, _, _, _, _, offset, flags]) = tcp.first_chunk::<14>().copied() else {
        return;
    };
    let octets = tcp.get(usize::from(offset >> 4) * 4..).unwrap_or_default();
    let sender = format!("{}:{}", datagram.source, u16::from_be_bytes([s1, s2]));
    let receiver = format!("{}:{}", datagram.destination, u16::from_be_bytes([d1, d2]));
    let mut sequence = u32::from_be_bytes([q1, q2, q3, q4]);
    let mut ends = [sender.clone(), receiver.clone()];
    ends.sort();
    let known = latest.get(&ends).copied();
    // A beginning where there was speech already is another connection with the same ports.
    let spoken =
        |at: usize| connections.get(at).is_some_and(|it| it.directions.iter().any(|it| !it.segments.is_empty()));
    let row = match known {
        Some(row) if flags & SYN == 0 || !spoken(row) => row,
        _ => {
            connections.push(Connection { ends: [sender.clone(), receiver], directions: Default::default() });
            latest.insert(ends, connections.len() - 1);
            connections.len() - 1
        }
    };
    let Some(connection) = connections.get_mut(row) else { return };
    let [first, second] = &mut connection.directions;
    let direction = if connection.ends.first() == Some(&sender) { first } else { second };
    if flags & SYN != 0 {
        sequence = sequence.wrapping_add(1);
        direction.first = Some(sequence);
    }
    direction.take(sequence, octets);
}

/// A datagram to the port of pushes: who sends it to whom, and its octets.
fn push<'a>(datagram: &Datagram<'a>) -> Option<(String, &'a [u8])> {
    let [s1, s2, d1, d2, _, _, _, _] = datagram.payload.first_chunk::<8>().copied()?;
    let port = u16::from_be_bytes([d1, d2]);
    let from = u16::from_be_bytes([s1, s2]);
    let ends = format!("{}:{from} - {}:{port}", datagram.source, datagram.destination);
    (port == PORT).then(|| (ends, datagram.payload.get(8..).unwrap_or_default()))
}
