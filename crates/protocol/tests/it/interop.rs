//! The tools of libwbxml as a second opinion.

use std::io::{ErrorKind, Write as _};
use std::process::{Command as Program, Stdio};
use std::{env, thread};

use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Encoding, Message};
use muster_protocol::wbxml::{ddf_from_xml, ddf_to_xml};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::generate::{message, plain_text, style, tree_document};
use crate::noise::noisy;
use crate::properties::with_octets_as_base64;
use crate::vectors::decode;

/// Messages of each test: a process for each takes about 2 ms.
const MESSAGES: usize = 1_500;

const TREE_DOCTYPE: &str = "<!DOCTYPE MgmtTree PUBLIC \"-//OMA//DTD-DM-DDF 1.2//EN\" \
    \"http://www.openmobilealliance.org/tech/DTD/dm_ddf-v1_2.dtd\">";

/// Runs a filter over `input`; nothing where the program is not installed.
pub(crate) fn filter(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let started = Program::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match started {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        started => started.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success(), "{program} refused our document");
    Some(output.stdout)
}

/// Whether libwbxml is here. In continuous integration it must be.
pub(crate) fn installed() -> bool {
    if Program::new("wbxml2xml").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return true;
    }
    eprintln!("not run: wbxml2xml is not installed (apt-get install libwbxml2-utils)");
    assert!(env::var("CI").is_err(), "continuous integration needs libwbxml2-utils");
    false
}

/// Messages of SyncML 1.2, since the older tables of libwbxml lack Correlator and Move, of texts that libwbxml keeps.
fn plain_messages() -> Vec<Message> {
    let mut runner = TestRunner::deterministic();
    let mut messages = Vec::new();
    while messages.len() < MESSAGES {
        let mut message = with_octets_as_base64(message(plain_text).new_tree(&mut runner).unwrap().current());
        message.header.ver_dtd = "1.2".into();
        messages.push(message);
    }
    messages
}

#[test]
fn libwbxml_reads_our_wbxml_as_the_same_message() {
    if !installed() {
        return;
    }
    for message in plain_messages() {
        let wbxml = message.encode(Encoding::Wbxml).unwrap();

        let xml = filter("wbxml2xml", &["-m", "0", "-o", "-", "-"], &wbxml).unwrap();

        assert_eq!(decode(Encoding::Xml, &xml), message);
    }
}

#[test]
fn libwbxml_reads_every_style_of_our_wbxml_as_the_same_message() {
    if !installed() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    for message in plain_messages() {
        let style = style().new_tree(&mut runner).unwrap().current();
        let wbxml = message.encode_styled(Encoding::Wbxml, &style).unwrap();

        let xml = filter("wbxml2xml", &["-m", "0", "-o", "-", "-"], &wbxml).unwrap();

        assert_eq!(decode(Encoding::Xml, &xml), message, "{style:?}");
    }
}

#[test]
fn libwbxml_writes_our_xml_as_wbxml_of_the_same_message() {
    if !installed() {
        return;
    }
    for message in plain_messages() {
        let xml = message.encode(Encoding::Xml).unwrap();

        let wbxml = filter("xml2wbxml", &["-v", "1.2", "-k", "-o", "-", "-"], &xml).unwrap();

        assert_eq!(decode(Encoding::Wbxml, &wbxml), message);
    }
}

#[test]
fn libwbxml_writes_the_elements_that_dm_does_not_use_and_we_pass_over_them() {
    if !installed() {
        return;
    }
    for (message, seed) in plain_messages().into_iter().zip(0..) {
        let xml = String::from_utf8(message.encode(Encoding::Xml).unwrap()).unwrap();
        let xml = noisy(&xml, seed);

        // With a string table, so that its references are read too.
        let wbxml = filter("xml2wbxml", &["-v", "1.3", "-k", "-o", "-", "-"], xml.as_bytes()).unwrap();

        assert_eq!(decode(Encoding::Wbxml, &wbxml), message);
    }
}

#[test]
fn libwbxml_reads_and_writes_the_tree_documents_we_do() {
    if !installed() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    for _ in 0..MESSAGES / 2 {
        let xml = tree_document(plain_text).new_tree(&mut runner).unwrap().current();
        let wbxml = ddf_from_xml(&xml, &Limits::DEVICE).unwrap();

        let theirs = filter("wbxml2xml", &["-m", "0", "-k", "-o", "-", "-"], &wbxml).unwrap();
        assert_eq!(ddf_from_xml(str::from_utf8(&theirs).unwrap(), &Limits::DEVICE).unwrap(), wbxml);
        // libwbxml knows the document type by its declaration alone.
        let declared = [TREE_DOCTYPE, &xml].concat();
        let theirs = filter("xml2wbxml", &["-v", "1.2", "-k", "-o", "-", "-"], declared.as_bytes()).unwrap();
        assert_eq!(ddf_to_xml(&theirs, &Limits::DEVICE).unwrap(), xml);
    }
}
