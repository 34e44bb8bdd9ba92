//! Streams, short messages and capture files.

use super::*;

fn request(body: &[u8]) -> Vec<u8> {
    let head = "POST /dm HTTP/1.1\r\nContent-Type: application/vnd.syncml.dm+wbxml\r\nContent-Length: ";
    [format!("{head}{}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn response(body: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml.dm+wbxml\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (one, two) = body.split_at(body.len() / 2);
    let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    [head.as_bytes(), &chunk(one), &chunk(two), b"0\r\n\r\n"].concat()
}

fn stream() -> Vec<u8> {
    SESSION.iter().enumerate().flat_map(|(at, body)| if at % 2 == 0 { request(body) } else { response(body) }).collect()
}

#[test]
fn a_stream_gives_what_its_messages_give() {
    let explanation = plain(&[&stream()]);
    assert_eq!(explanation.failures, []);
    assert_eq!(explanation.inputs[0].form, Some(Form::Http));
    assert_eq!(explanation.inputs[0].parts.len(), 6);
    assert_eq!(explanation.notes("Get"), plain(&SESSION).notes("Get"));
}

#[test]
fn a_stream_that_breaks_off_gives_the_messages_before() {
    let whole = stream();
    let explanation = plain(&[&whole[..whole.len() - 100]]);
    assert_eq!(explanation.inputs[0].parts.len(), 6);
    assert!(explanation.failures.iter().any(|it| matches!(it.error, ExplainError::Http(HttpError::Chunk { .. }))));
    assert_eq!(explanation.notes("Exec"), ["answered 202 Accepted for processing"]);
}

#[test]
fn markup_under_the_name_of_wbxml_and_compressed_bodies_are_told() {
    let body = golden!("syncml/01-pkg1-client-initiated.xml");
    assert_eq!(plain(&[&request(body)]).values("MsgID"), ["1"]);
    let compressed = b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1F\x8B";
    let explanation = plain(&[compressed]);
    assert_eq!(explanation.notes("body"), ["compressed (gzip), not opened"]);
}

/// Each golden notification as short messages.
fn short_messages() -> Vec<Vec<String>> {
    let vectors = json(include_str!("../../../tests/vectors/oma-dm-1/pkg0/package0.json"));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let of = |vector: &serde_json::Value| match vector["sms_segments_hex"].as_array() {
        Some(segments) => segments.iter().map(text).collect(),
        None => vec![text(&vector["sms_user_data_hex"])],
    };
    vectors.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn short_messages_are_opened_down_to_package_0() {
    for messages in short_messages() {
        let explanation = plain(&[messages.join("\n").as_bytes()]);
        assert_eq!(explanation.failures, []);
        assert_eq!(explanation.inputs[0].form, Some(Form::Sms));
        assert_eq!(explanation.values("Content-Type"), ["application/vnd.syncml.notification"]);
        assert_eq!(explanation.values("server-identifier").len(), 1);
        assert_eq!(explanation.notes("X-Wap-Application-Id"), ["x-wap-application:syncml.dm"]);
    }
}

#[test]
fn lines_are_short_messages_in_any_order_and_the_missing_one_is_told() {
    let mut parts = short_messages().pop().unwrap();
    parts.reverse();
    parts.push(parts[0].clone());
    // A part again after all were there begins a message anew, of which the other part is missing.
    let explanation = plain(&[parts.join("\n").as_bytes()]);
    assert_eq!(explanation.values("sessionid"), ["0x4321"]);
    let missing = ExplainError::PartsMissing { missing: "1".into(), total: 2 };
    assert_eq!(explanation.failures.iter().map(|it| it.error.clone()).collect::<Vec<_>>(), [missing]);
}

#[test]
fn parts_in_several_inputs_are_joined() {
    let parts: Vec<Vec<u8>> = short_messages().pop().unwrap().iter().map(|it| octets(it)).collect();
    let explanation = plain(&[&parts[1], &parts[0]]);
    assert_eq!((explanation.failures.len(), explanation.values("sessionid")), (0, vec!["0x4321"]));
    assert_eq!(plain(&[&parts[1]]).failures.len(), 1);
}

#[test]
fn whole_short_messages_are_taken_with_and_without_the_message_centre() {
    let parts = short_messages().pop().unwrap();
    let deliver = |user_data: &str| {
        let length = user_data.len() / 2;
        format!("440891515510000004621182705002 00{length:02x}{user_data}").replace(' ', "")
    };
    for front in ["", "00", "0591515510f9"] {
        let lines: Vec<String> = parts.iter().map(|it| format!("{front}{}", deliver(it))).collect();
        let explanation = plain(&[lines.join("\n").as_bytes()]);
        assert_eq!(explanation.failures, [], "{front}");
        assert_eq!(explanation.values("from"), ["+15550100", "+15550100"]);
        assert_eq!(explanation.values("sessionid"), ["0x4321"]);
    }
}

#[test]
fn vendors_base64_of_package_0_is_opened() {
    let vectors = json(include_str!("../../../tests/vectors/oma-dm-1/pkg0/package0.json"));
    let package = octets(vectors[0]["package0_hex"].as_str().unwrap());
    let text = crate::dm1::notification::to_base64(&package);
    let explanation = plain(&[text.as_bytes()]);
    assert_eq!(
        (explanation.inputs[0].packing, explanation.inputs[0].form),
        (Some(Packing::Base64), Some(Form::Package0))
    );
}

const DEVICE: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [192, 0, 2, 2];
const SYN: u8 = 2;
const ACK: u8 = 16;

/// An Ethernet frame with a TCP segment.
fn frame(from_device: bool, sequence: u32, flags: u8, octets: &[u8]) -> Vec<u8> {
    let (ends, ports) =
        if from_device { ([DEVICE, SERVER], [40_000_u16, 80]) } else { ([SERVER, DEVICE], [80, 40_000]) };
    let tcp = [
        &ports[0].to_be_bytes()[..],
        &ports[1].to_be_bytes(),
        &sequence.to_be_bytes(),
        &[0; 4],
        &[0x50, flags],
        &[0; 6],
        octets,
    ];
    ethernet(6, ends, &tcp.concat())
}

fn ethernet(protocol: u8, ends: [[u8; 4]; 2], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 20).unwrap().to_be_bytes();
    let ip = [&[0x45, 0][..], &length, &[0, 0, 0x40, 0, 64, protocol, 0, 0], &ends[0], &ends[1]].concat();
    [&[0; 12][..], &[0x08, 0x00], &ip, payload].concat()
}

/// Frames of the session: out of order, repeated, overlapping, across the end of the sequence numbers.
fn frames() -> Vec<Vec<u8>> {
    let mut frames = vec![frame(true, u32::MAX - 10, SYN, b""), frame(false, 99, SYN | ACK, b"")];
    let mut next = [u32::MAX - 9, 100];
    for (at, body) in SESSION.iter().enumerate() {
        let side = at % 2;
        let octets = if side == 0 { request(body) } else { response(body) };
        let (one, two) = octets.split_at(60);
        let behind = next[side].wrapping_add(60);
        frames.push(frame(side == 0, behind, ACK, two));
        frames.push(frame(side == 0, next[side], ACK, one));
        frames.push(frame(side == 0, next[side].wrapping_add(30), ACK, &octets[30..50]));
        next[side] = next[side].wrapping_add(u32::try_from(octets.len()).unwrap());
    }
    frames
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        file.extend([&[0; 8][..], &length, &length, frame].concat());
    }
    file
}

fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let padding = vec![0; (4 - body.len() % 4) % 4];
        let length = u32::try_from(body.len() + padding.len() + 12).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &length, body, &padding, &length].concat()
    };
    let section = block(0x0A0D_0D0A, &[0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    let mut file = [section, block(1, &[0, 1, 0, 0, 0, 4, 0, 0]), block(5, &[1, 2, 3, 4])].concat();
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        file.extend(block(6, &[&[0; 12][..], &length, &length, frame].concat()));
    }
    file
}

#[test]
fn capture_files_of_both_kinds_give_what_the_stream_gives() {
    let frames = frames();
    for file in [pcap(&frames), pcapng(&frames)] {
        let explanation = plain(&[&file]);
        assert_eq!(explanation.failures, []);
        assert_eq!(explanation.inputs[0].form, Some(Form::Pcap));
        let connection = &explanation.inputs[0].parts[0].children[0];
        assert_eq!(connection.notes[0].text, "192.0.2.1:40000 - 192.0.2.2:80");
        let kinds: Vec<&str> = connection.children.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(kinds, ["HTTP request", "HTTP response"].repeat(3));
        assert_eq!(explanation.notes("Get"), plain(&SESSION).notes("Get"));
    }
}

#[test]
fn pushes_over_udp_are_found_in_a_capture() {
    let vectors = json(include_str!("../../../tests/vectors/oma-dm-1/pkg0/package0.json"));
    let push = octets(vectors[0]["wsp_push_pdu_hex"].as_str().unwrap());
    let udp = |port: u16| [&[0x10, 0x00][..], &port.to_be_bytes(), &[0; 4], &push].concat();
    let file = pcap(&[ethernet(17, [SERVER, DEVICE], &udp(53)), ethernet(17, [SERVER, DEVICE], &udp(2948))]);
    let explanation = plain(&[&file]);
    assert_eq!(explanation.failures, []);
    assert_eq!(explanation.values("server-identifier"), ["dm.example.org"]);
}

#[test]
fn octets_that_a_capture_lost_are_told() {
    let mut frames = frames();
    frames.remove(3);
    let explanation = plain(&[&pcap(&frames)]);
    // The second copy of the lost segment covers 20 of its 60 octets.
    let gap =
        explanation.failures.iter().find(|it| matches!(it.error, ExplainError::Pcap(PcapError::Gap { octets: 40 })));
    assert!(gap.is_some(), "{:?}", explanation.failures);
}

#[test]
fn captures_without_anything_to_open_say_what_to_do() {
    let told = |file: &[u8]| plain(&[file]).failures[0].error.clone();
    assert_eq!(told(&pcap(&[])), ExplainError::Pcap(PcapError::Nothing));
    let tls = frame(true, 1, ACK, b"\x16\x03\x01\x02\x00");
    assert_eq!(told(&pcap(&[tls])), ExplainError::Pcap(PcapError::Nothing));
    let mut wireless = pcap(&[vec![0; 60]]);
    wireless[20] = 105;
    assert_eq!(told(&wireless), ExplainError::Pcap(PcapError::LinkType { link_type: 105 }));
}
