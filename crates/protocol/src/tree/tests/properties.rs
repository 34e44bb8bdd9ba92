use super::*;

#[test]
fn every_property_is_read() {
    let mut session = Session::new();
    session.now = TStamp::parse("20010711T163817Z");
    session.add("./V/S/Text", Content::Leaf(Leaf { mime: Some("text/html".into()), ..Leaf::text("four") })).unwrap();

    for (property, leaf, interior) in [
        ("ACL", "", ""),
        ("Format", "chr", "node"),
        ("Name", "Text", "DevInfo"),
        ("Title", "", ""),
        ("TStamp", "20010711T163817Z", ""),
        ("Type", "text/html", "urn:oma:mo:oma-dm-devinfo:1.0"),
        ("VerNo", "0", "0"),
    ] {
        assert_eq!(session.property(&format!("./V/S/Text?prop={property}")).as_deref(), Ok(leaf), "{property}");
        assert_eq!(session.property(&format!("./DevInfo?prop={property}")).as_deref(), Ok(interior), "{property}");
    }
    assert_eq!(session.property("./V/S/Text?prop=Size").as_deref(), Ok("4"));
    assert_eq!(session.property("./DevInfo?prop=Size"), Err(Refusal::NotSupported));
    assert_eq!(session.property("./V/Secret?prop=Type").as_deref(), Ok("text/plain"));
    assert_eq!(session.property("./Nowhere?prop=Type"), Err(Refusal::NotFound));
}

#[test]
fn an_optional_property_that_the_device_lacks_is_not_supported() {
    let mut session = Session::new();
    session.tree = session.tree.supporting(Parts::NONE);

    for property in ["Size", "Title", "TStamp", "VerNo"] {
        let at = format!("./V/Name?prop={property}");
        assert_eq!(session.property(&at), Err(Refusal::NotSupported), "{property}");
        assert_eq!(session.replace(&at, "x"), Err(Refusal::NotSupported), "{property}");
    }
    for property in ["ACL", "Format", "Name", "Type"] {
        assert!(session.property(&format!("./V/Name?prop={property}")).is_ok(), "{property}");
    }
}

#[test]
fn only_name_title_and_list_can_be_changed() {
    let mut session = Session::new();

    for property in ["Format", "Size", "TStamp", "Type", "VerNo"] {
        assert_eq!(session.replace(&format!("./V/Name?prop={property}"), "x"), Err(Refusal::NotAllowed), "{property}");
    }
    session.replace("./V/Name?prop=Title", "Called").unwrap();
    assert_eq!(session.property("./V/Name?prop=Title").as_deref(), Ok("Called"));
    let longest = "t".repeat(255);
    session.replace("./V/Name?prop=Title", &longest).unwrap();
    assert_eq!(session.replace("./V/Name?prop=Title", &(longest + "t")), Err(Refusal::TooLarge { max: 255 }));
}

#[test]
fn a_node_is_renamed_with_all_below_it() {
    let mut session = Session::new();
    session.add("./V/S/A/B/c", text("v")).unwrap();
    session.add("./V/S/X", text("x")).unwrap();

    session.replace("./V/S/A?prop=Name", "Z").unwrap();

    assert_eq!(session.get("./V/S/Z/B/c"), Ok("v"));
    assert_eq!(session.get("./V/S/A"), Err(Refusal::NotFound));
    assert_eq!(session.replace("./V/S/Z?prop=Name", "X"), Err(Refusal::AlreadyExists));
    assert_eq!(session.replace("./V/S/Z?prop=Name", "Z"), Ok(()));
    for name in ["", "..", "a/b", "a?prop=ACL", "%2F"] {
        assert!(matches!(session.replace("./V/S/Z?prop=Name", name), Err(Refusal::Uri(_))), "{name}");
    }
    for permanent in ["./V/Name", "./V", "."] {
        assert_eq!(session.replace(&format!("{permanent}?prop=Name"), "Z"), Err(Refusal::NotAllowed), "{permanent}");
    }
}

#[test]
fn a_name_that_makes_an_address_below_too_long_is_refused() {
    let mut session = Session::new();
    let long = "x".repeat(120);
    session.add(&format!("./V/S/A/{long}/{long}/{long}/{}", "y".repeat(100)), text("v")).unwrap();

    let refused = session.replace("./V/S/A?prop=Name", &long).unwrap_err();

    assert_eq!(refused, Refusal::Uri(UriError::TooLong { max: 512 }));
    assert_eq!(session.replace("./V/S/A?prop=Name", "AB"), Ok(()));
}

#[test]
fn a_change_counts_and_is_stamped() {
    let mut session = Session::new();
    session.add("./V/S/n", text("0")).unwrap();
    session.now = TStamp::parse("20260101T000000Z");

    session.replace("./V/S/n", "1").unwrap();
    session.replace("./V/S/n?prop=Title", "t").unwrap();

    assert_eq!(session.property("./V/S/n?prop=VerNo").as_deref(), Ok("2"));
    assert_eq!(session.property("./V/S/n?prop=TStamp").as_deref(), Ok("20260101T000000Z"));
    let parent = session.property("./V/S?prop=VerNo").unwrap();
    session.delete("./V/S/n").unwrap();
    assert_ne!(session.property("./V/S?prop=VerNo").unwrap(), parent);
}

#[test]
fn the_version_number_wraps_around() {
    let mut session = Session::new();
    session.tree.maintain("./V/Name", |node| node.ver_no = 0xFFFF);

    session.replace("./V/Name", "x").unwrap();

    assert_eq!(session.property("./V/Name?prop=VerNo").as_deref(), Ok("0"));
}
