//! Whole sub-trees in one value.

use super::tnds::{DOCUMENT, Document};
use super::*;

fn document(inside: &str) -> Document {
    let text = format!("<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD>{inside}</MgmtTree>");
    Document::read(text.as_bytes(), &DOCUMENT).unwrap()
}

fn leaf(name: &str, value: &str) -> String {
    format!(
        "<Node><NodeName>{name}</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME></Type>\
         </RTProperties><Value>{value}</Value></Node>"
    )
}

fn folder(name: &str, inside: &str) -> String {
    format!("<Node><NodeName>{name}</NodeName><RTProperties><Format><node/></Format></RTProperties>{inside}</Node>")
}

fn add(session: &mut Session, at: &str, inside: &str) -> Result<(), Refusal> {
    let document = document(inside);
    session.act(|tree, actor| tree.add_object(actor, &uri(at), &document))
}

fn replace(session: &mut Session, at: &str, inside: &str) -> Result<(), Refusal> {
    let document = document(inside);
    session.act(|tree, actor| tree.replace_object(actor, &uri(at), &document))
}

#[test]
fn add_makes_all_nodes_of_a_document() {
    let mut session = Session::new();

    add(&mut session, "./V/S/O", &folder("", &(leaf("x", "1") + &folder("D", &leaf("y", "2"))))).unwrap();

    assert_eq!((session.get("./V/S/O/x"), session.get("./V/S/O/D/y")), (Ok("1"), Ok("2")));
    let refused = add(&mut session, "./V/S/O", &folder("", "")).unwrap_err();
    assert_eq!(refused.status().0, 418);
}

#[test]
fn add_of_a_document_is_all_or_nothing() {
    let mut session = Session::new();
    let before = session.tree.clone();

    for (inside, status, node) in [
        (folder("", &(leaf("x", "1") + &leaf("x", "2"))), 418, "./V/S/O/x"),
        (
            folder(
                "",
                &(leaf("x", "1")
                    + "<Node><NodeName>n</NodeName><RTProperties><Format><int/></Format></RTProperties><Value>no</Value></Node>"),
            ),
            415,
            "./V/S/O/n",
        ),
        (folder("", "") + "<Node><NodeName>out</NodeName><Path>./V/S</Path></Node>", 500, "./V/S/out"),
    ] {
        let refused = add(&mut session, "./V/S/O", &inside).unwrap_err();
        assert_eq!((refused.status().0, refused.node()), (status, Some(&uri(node))), "{inside}");
        assert_eq!(session.tree, before);
    }
}

#[test]
fn lists_of_access_come_with_the_document() {
    let mut session = Session::new();
    let inside = "<Node><NodeName/><RTProperties><ACL>Get=b</ACL><Format><node/></Format></RTProperties>".to_owned()
        + &leaf("x", "1")
        + "</Node>";

    add(&mut session, "./V/S/O", &inside).unwrap();

    assert_eq!(session.get("./V/S/O/x"), Err(Refusal::PermissionDenied));
    assert_eq!(session.continued_by("b").get("./V/S/O/x"), Ok("1"));
}

#[test]
fn replace_makes_the_subtree_equal() {
    let mut session = Session::new();
    add(
        &mut session,
        "./V/S/O",
        &folder("", &(leaf("gone", "1") + &leaf("same", "2") + &leaf("new", "old") + &leaf("kind", "4"))),
    )
    .unwrap();
    let count = session.property("./V/S/O/same?prop=VerNo").unwrap();

    let inside = folder(
        "O",
        &(leaf("same", "2") + &leaf("new", "3") + &folder("kind", &leaf("deep", "5")) + &leaf("more", "6")),
    );
    replace(&mut session, "./V/S/O", &inside).unwrap();

    assert_eq!(session.tree.children("./V/S/O"), ["kind", "more", "new", "same"]);
    assert_eq!((session.get("./V/S/O/new"), session.get("./V/S/O/kind/deep")), (Ok("3"), Ok("5")));
    assert_eq!(session.property("./V/S/O/same?prop=VerNo").unwrap(), count);
}

#[test]
fn replace_with_a_document_is_all_or_nothing() {
    let mut session = Session::new();
    add(&mut session, "./V/S/O", &folder("", &(leaf("a", "1") + &leaf("locked", "2")))).unwrap();
    session.tree.maintain("./V/S/O/locked", |node| node.access = Access::GET);
    let before = session.tree.clone();

    let gone = replace(&mut session, "./V/S/O", &folder("", &leaf("a", "changed"))).unwrap_err();
    let written =
        replace(&mut session, "./V/S/O", &folder("", &(leaf("a", "changed") + &leaf("locked", "other")))).unwrap_err();

    for refused in [gone, written] {
        assert_eq!((refused.status().0, refused.node()), (405, Some(&uri("./V/S/O/locked"))));
    }
    assert_eq!(session.tree, before);
}

#[test]
fn replace_with_a_document_needs_the_target_and_the_right() {
    let mut session = Session::new();
    add(&mut session, "./V/S/O", &folder("", "")).unwrap();

    assert_eq!(replace(&mut session, "./V/S/Missing", &folder("", "")), Err(Refusal::NotFound));
    assert_eq!(replace(&mut session, "./DevInfo", &folder("", "")), Err(Refusal::NotAllowed));
    let mut other = session.continued_by("b");
    assert_eq!(replace(&mut other, "./V/S/O", &folder("", "")), Err(Refusal::PermissionDenied));
}

#[test]
fn the_device_places_an_object_and_its_sender_may_manage_it() {
    let mut session = Session::of("b", tree());
    let object = document(&folder("Mine", &leaf("x", "1")));
    let mut place = || session.act(|tree, actor| tree.place_object(actor, &uri("./DMAcc"), &object).unwrap());

    assert_eq!((place(), place(), place()), (uri("./DMAcc/Mine"), uri("./DMAcc/1"), uri("./DMAcc/2")));

    assert_eq!(session.replace("./DMAcc/Mine/x", "2"), Ok(()));
    let mut other = session.continued_by("c");
    assert_eq!(other.replace("./DMAcc/Mine/x", "3"), Err(Refusal::PermissionDenied));
    let two = document(&(folder("A", "") + &folder("B", "")));
    assert!(other.act(|tree, actor| tree.place_object(actor, &uri("."), &two)).is_err());
}
