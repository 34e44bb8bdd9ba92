//! Elements that the representation has and OMA DM does not use, sprinkled over a message: it must mean what it did.

use std::collections::BTreeSet;

use muster_protocol::limits::Limits;
use muster_protocol::syncml::Encoding;
use muster_protocol::wbxml::tags::{DDF, Tag};
use muster_protocol::xml::{Event, PullReader};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::generate::{any_text, message, tree_document};
use crate::properties::with_octets_as_base64;
use crate::vectors::decode;

/// Where noise goes in our canonical XML, and what may stand there. Text never holds these: its `<` are references.
const PLACES: [(&str, &[&str]); 5] = [
    (
        "</CmdID>",
        &[
            "<NoResp/>",
            "<NoResults/>",
            "<Lang>en</Lang>",
            "<Archive/>",
            "<SftDel/>",
            "<NumberOfChanges>3</NumberOfChanges>",
            "<MapItem><Target><LocURI>a</LocURI></Target><Source><LocURI>b</LocURI></Source></MapItem>",
        ],
    ),
    (
        "<Meta>",
        &[
            "<FieldLevel xmlns='syncml:metinf'>1</FieldLevel>",
            "<Anchor xmlns='syncml:metinf'><Last>1</Last><Next>2</Next></Anchor>",
            "<Mem xmlns='syncml:metinf'><SharedMem/><FreeMem>3</FreeMem><FreeID>4</FreeID></Mem>",
        ],
    ),
    ("<Item>", &["<SourceParent><LocURI>a</LocURI></SourceParent>", "<TargetParent><LocURI>b</LocURI></TargetParent>"]),
    ("<Target>", &["<Filter><Meta/><Field><Item/></Field><Record><Item/></Record><FilterType>i</FilterType></Filter>"]),
    ("<SyncBody>", &["<Lang>en</Lang>"]),
];

/// The message with noise chosen by the bits of `seed`.
pub(crate) fn noisy(xml: &str, seed: u64) -> String {
    let mut bits = seed;
    let mut choose = move |of: usize| {
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(bits >> 33).unwrap() % of
    };
    let mut out = xml.to_owned();
    for (place, noises) in PLACES {
        let mut parts = out.split(place);
        let mut next = parts.next().unwrap().to_owned();
        for part in parts {
            next.push_str(place);
            for _ in 0..choose(3) {
                next.push_str(noises[choose(noises.len())]);
            }
            next.push_str(part);
        }
        out = next;
    }
    if choose(2) == 0 {
        let wrapped = out.replace("<Meta>", "<Meta><MetInf xmlns='syncml:metinf'>");
        out = wrapped.replace("</Meta>", "</MetInf></Meta>");
    }
    out
}

proptest! {
    #[test]
    fn elements_that_dm_does_not_use_change_no_message(message in message(any_text), seed in any::<u64>()) {
        let message = with_octets_as_base64(message);
        let xml = String::from_utf8(message.encode(Encoding::Xml).unwrap()).unwrap();

        prop_assert_eq!(decode(Encoding::Xml, noisy(&xml, seed).as_bytes()), message);
    }
}

/// Names of the elements in a document.
fn names(xml: &str, into: &mut BTreeSet<String>) {
    let mut reader = PullReader::new(xml, &Limits { elements_max: usize::MAX, ..Limits::DEVICE });
    loop {
        match reader.next_event().unwrap() {
            Event::Open { name, .. } => drop(into.insert(name.to_owned())),
            Event::End => return,
            _ => {}
        }
    }
}

#[test]
fn generated_messages_hold_every_element_of_every_code_page() {
    let mut runner = TestRunner::deterministic();
    let (mut found, mut found_in_trees) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..300 {
        let xml = message(any_text).new_tree(&mut runner).unwrap().current().encode(Encoding::Xml).unwrap();
        let xml = noisy(&String::from_utf8(xml).unwrap(), seed);
        names(xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap(), &mut found);
        names(&tree_document(any_text).new_tree(&mut runner).unwrap().current(), &mut found_in_trees);
    }

    let every: BTreeSet<String> = Tag::TABLE.iter().map(|(_, _, tag)| tag.name().to_owned()).collect();
    assert_eq!(every.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new());
    let every: BTreeSet<String> = DDF.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found_in_trees, every);
}
