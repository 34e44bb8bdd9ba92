#![allow(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use super::*;

fn tree() -> Tree {
    Tree::standard(&Profile {
        dev_id: "IMEI:004401220000017".into(),
        manufacturer: "Example".into(),
        model: "M1".into(),
        device_type: "phone".into(),
        firmware: "1.0".into(),
        software: "1.0".into(),
        hardware: "A".into(),
        language: "en".into(),
    })
}

fn text(value: &str) -> Content {
    Content::Leaf(Leaf::text(value))
}

#[test]
fn children_of_an_interior_node_are_its_direct_ones_only() {
    let tree = tree();

    assert_eq!(tree.children("./DevInfo"), ["DevId", "DmV", "Lang", "Man", "Mod"]);
    assert_eq!(tree.children("DevDetail/URI"), ["MaxDepth", "MaxSegLen", "MaxTotLen"]);
    assert_eq!(tree.children("."), ["DevDetail", "DevInfo", "FUMO", "LAWMO", "Vendor"]);
    assert!(tree.children("./DevInfo/Man").is_empty());
}

#[test]
fn a_sibling_with_a_longer_name_is_not_a_child() {
    let mut tree = tree();
    tree.add("./Vendor/Example/Settings/A", Content::Interior { object: None }).unwrap();
    tree.add("./Vendor/Example/Settings/A-b/c", text("1")).unwrap();
    tree.add("./Vendor/Example/Settings/A/x", text("2")).unwrap();

    assert_eq!(tree.children("./Vendor/Example/Settings/A"), ["x"]);
    tree.delete("./Vendor/Example/Settings/A").unwrap();
    assert_eq!(tree.text("./Vendor/Example/Settings/A-b/c"), Some("1"));
    assert_eq!(tree.text("./Vendor/Example/Settings/A/x"), None);
}

#[test]
fn add_makes_missing_parents_and_refuses_what_exists() {
    let mut tree = tree();

    tree.add("./Vendor/Example/Settings/Deep/er/Leaf", text("v")).unwrap();

    assert_eq!(tree.children("./Vendor/Example/Settings/Deep"), ["er"]);
    assert_eq!(tree.add("./Vendor/Example/Settings/Deep/er/Leaf", text("w")), Err(Refusal::AlreadyExists));
    assert_eq!(tree.text("./Vendor/Example/Settings/Deep/er/Leaf"), Some("v"));
}

#[test]
fn nothing_is_added_below_a_leaf_or_where_add_is_not_allowed() {
    let mut tree = tree();

    assert_eq!(tree.add("./DevInfo/Man/x", text("v")), Err(Refusal::NotAllowed));
    assert_eq!(tree.add("./DevInfo/Extra", text("v")), Err(Refusal::NotAllowed));
}

#[test]
fn replace_never_makes_a_node() {
    let mut tree = tree();

    assert_eq!(tree.replace("./Vendor/Example/Missing", Leaf::text("v")), Err(Refusal::NotFound));
    assert_eq!(tree.replace("./DevInfo/Man", Leaf::text("v")), Err(Refusal::NotAllowed));
    tree.replace("./Vendor/Example/Name", Leaf::text("v")).unwrap();
    assert_eq!(tree.text("./Vendor/Example/Name"), Some("v"));
}

#[test]
fn permanent_nodes_and_the_root_stay() {
    let mut tree = tree();
    let nodes = tree.len();

    assert_eq!(tree.delete("."), Err(Refusal::NotAllowed));
    assert_eq!(tree.delete("./Vendor/Example/Name"), Err(Refusal::NotAllowed));
    assert_eq!(tree.delete("./Nowhere"), Err(Refusal::NotFound));
    assert_eq!(tree.len(), nodes);
}

#[test]
fn a_right_the_server_lacks_is_told_apart_from_a_command_the_node_lacks() {
    let mut tree = tree();
    tree.node_mut("./Vendor/Example/Name").unwrap().rights = Access::GET;

    assert_eq!(tree.replace("./Vendor/Example/Name", Leaf::text("v")), Err(Refusal::PermissionDenied));
    assert_eq!(tree.exec("./Vendor/Example/Name"), Err(Refusal::NotAllowed));
}

#[test]
fn properties_and_lists_are_not_supported() {
    let tree = tree();

    assert_eq!(tree.get("./DevInfo/Man?prop=ACL"), Err(Refusal::NotSupported));
    assert_eq!(tree.get("./DevInfo?list=Struct"), Err(Refusal::NotSupported));
}

#[test]
fn addresses_at_the_limit_are_taken_and_beyond_refused() {
    let mut tree = tree();
    let longest = "s".repeat(uri::SEGMENT_BYTES_MAX);

    tree.add(&format!("./Vendor/Example/Settings/{longest}"), text("v")).unwrap();
    assert_eq!(tree.add(&format!("./Vendor/Example/Settings/{longest}s"), text("v")), Err(Refusal::UriTooLong));
    assert_eq!(tree.get(&vec!["a"; uri::DEPTH_MAX].join("/")), Err(Refusal::NotFound));
    assert_eq!(tree.get(&vec!["a"; uri::DEPTH_MAX + 1].join("/")), Err(Refusal::UriTooLong));
    assert_eq!(tree.get("./a//b"), Err(Refusal::NotFound));
    assert_eq!(tree.get("./a/../b"), Err(Refusal::NotFound));
}

#[test]
fn a_full_tree_refuses_more_nodes() {
    let mut tree = tree();
    let mut added = 0;
    while tree.add(&format!("./Vendor/Example/Settings/n{added}"), text("")).is_ok() {
        added += 1;
    }

    assert_eq!(tree.len(), NODES_MAX);
    assert_eq!(tree.add("./Vendor/Example/Settings/more", text("")), Err(Refusal::Full));
}

#[test]
fn copy_overwrites_or_makes_the_target() {
    let mut tree = tree();

    tree.copy("./DevInfo/Man", "./Vendor/Example/Name").unwrap();
    tree.copy("./DevInfo/Man", "./Vendor/Example/Settings/Copy").unwrap();

    assert_eq!(tree.text("./Vendor/Example/Name"), Some("Example"));
    assert_eq!(tree.text("./Vendor/Example/Settings/Copy"), Some("Example"));
    assert_eq!(tree.copy("./DevInfo", "./Vendor/Example/Name"), Err(Refusal::NotAllowed));
}
