use super::*;
use crate::syncml::StatusCode;

#[test]
fn children_of_an_interior_node_are_its_direct_ones_only() {
    let tree = tree();

    assert_eq!(tree.children("./DevInfo"), ["Man", "Mod"]);
    assert_eq!(tree.children("."), ["DevInfo", "V"]);
    assert!(tree.children("./DevInfo/Man").is_empty() && tree.children("../x").is_empty());
}

#[test]
fn a_sibling_with_a_longer_name_is_not_a_child() {
    let mut session = Session::new();
    session.add("./V/S/A", interior()).unwrap();
    session.add("./V/S/A-b/c", text("1")).unwrap();
    session.add("./V/S/A/x", text("2")).unwrap();

    assert_eq!(session.tree.children("./V/S/A"), ["x"]);
    session.delete("./V/S/A").unwrap();
    assert_eq!(session.tree.text("./V/S/A-b/c"), Some("1"));
    assert_eq!(session.tree.text("./V/S/A/x"), None);
}

#[test]
fn add_makes_missing_parents_and_refuses_what_exists() {
    let mut session = Session::new();

    session.add("./V/S/Deep/er/Leaf", text("v")).unwrap();

    assert_eq!(session.tree.children("./V/S/Deep"), ["er"]);
    assert_eq!(session.add("./V/S/Deep/er/Leaf", text("w")), Err(Refusal::AlreadyExists));
    assert_eq!(session.add(".", interior()), Err(Refusal::AlreadyExists));
    assert_eq!(session.get("./V/S/Deep/er/Leaf"), Ok("v"));
}

#[test]
fn nothing_is_added_below_a_leaf_or_where_add_is_not_allowed() {
    let mut session = Session::new();

    assert_eq!(session.add("./DevInfo/Man/x", text("v")), Err(Refusal::NotAllowed));
    assert_eq!(session.add("./DevInfo/Extra", text("v")), Err(Refusal::NotAllowed));
    assert_eq!(session.add("./V/S/x?prop=ACL", text("v")), Err(Refusal::NotAllowed));
}

#[test]
fn the_ancestor_that_could_not_be_made_is_named() {
    let mut session = Session::new();
    let nodes = session.tree.len();

    let refusal = session.add("./DevInfo/Extra/Deep/x", text("v")).unwrap_err();

    assert_eq!((refusal.status(), refusal.node()), (StatusCode::NOT_ALLOWED, Some(&uri("./DevInfo/Extra"))));
    assert_eq!(session.tree.len(), nodes);
}

#[test]
fn replace_never_makes_a_node() {
    let mut session = Session::new();

    assert_eq!(session.replace("./V/Missing", "v"), Err(Refusal::NotFound));
    assert_eq!(session.replace("./DevInfo/Man", "v"), Err(Refusal::NotAllowed));
    assert_eq!(session.replace("./V/S", "v"), Err(Refusal::NotAllowed));
    assert_eq!(session.replace("./V/Name?list=Struct", "v"), Err(Refusal::NotAllowed));
    session.replace("./V/Name", "v").unwrap();
    assert_eq!(session.get("./V/Name"), Ok("v"));
}

#[test]
fn a_built_in_node_keeps_its_format_and_takes_only_what_that_can_hold() {
    let mut session = Session::new();

    session.replace("./V/Count", "-8").unwrap();
    assert_eq!(session.property("./V/Count?prop=Format").as_deref(), Ok("int"));
    assert_eq!(session.replace("./V/Count", "many"), Err(Refusal::UnsupportedFormat));
    let with = Replacement { format: Some(Format::Chr), mime: None, value: b"9".to_vec() };
    let refused = session.act(|tree, actor| tree.replace(actor, &uri("./V/Count"), with.clone()));
    assert_eq!(refused, Err(Refusal::UnsupportedFormat));
    session.add("./V/S/n", Content::Leaf(Leaf::of(Format::Int, "1"))).unwrap();
    session.act(|tree, actor| tree.replace(actor, &uri("./V/S/n"), with)).unwrap();
    assert_eq!(session.property("./V/S/n?prop=Format").as_deref(), Ok("chr"));
}

#[test]
fn a_value_that_its_format_cannot_hold_makes_no_node() {
    let mut session = Session::new();

    for leaf in [Leaf::of(Format::Int, "x"), Leaf::of(Format::Null, "x"), Leaf::of(Format::Node, "")] {
        assert_eq!(session.add("./V/S/x", Content::Leaf(leaf)), Err(Refusal::UnsupportedFormat));
    }
}

#[test]
fn permanent_nodes_and_the_root_stay() {
    let mut session = Session::new();
    let nodes = session.tree.len();

    for at in [".", "./V/Name", "./V/S", "./V/Name?prop=Title"] {
        assert_eq!(session.delete(at), Err(Refusal::NotAllowed), "{at}");
    }
    assert_eq!(session.delete("./Nowhere"), Err(Refusal::NotFound));
    assert_eq!(session.tree.len(), nodes);
}

#[test]
fn a_node_that_may_not_be_deleted_goes_with_its_parent() {
    let mut session = Session::new();
    session.add("./V/S/A/kept", text("v")).unwrap();
    session.tree.maintain("./V/S/A/kept", |node| node.access = Access::GET);

    assert_eq!(session.delete("./V/S/A/kept"), Err(Refusal::NotAllowed));
    session.delete("./V/S/A").unwrap();
    assert_eq!(session.get("./V/S/A/kept"), Err(Refusal::NotFound));
}

#[test]
fn exec_and_get_go_by_the_access_type() {
    let session = Session::new();
    let exec = |at: &str| session.tree.exec(&session.server, &uri(at));

    assert_eq!(exec("./V/Do"), Ok(()));
    assert_eq!(exec("./V/Name"), Err(Refusal::NotAllowed));
    assert_eq!(exec("./V/Do?prop=ACL"), Err(Refusal::NotAllowed));
    assert_eq!(session.get("./V/Secret"), Err(Refusal::NotAllowed));
}

#[test]
fn copy_overwrites_or_makes_the_target() {
    let mut session = Session::new();

    session.copy("./DevInfo/Man", "./V/Name").unwrap();
    session.copy("./DevInfo/Man", "./V/S/Copy").unwrap();

    assert_eq!((session.get("./V/Name"), session.get("./V/S/Copy")), (Ok("Example"), Ok("Example")));
    assert_eq!(session.copy("./DevInfo", "./V/Name"), Err(Refusal::NotAllowed));
    assert_eq!(session.copy("./V/Secret", "./V/Name"), Err(Refusal::NotAllowed));
    assert_eq!(session.copy("./Nowhere", "./V/Name"), Err(Refusal::NotFound));
    assert_eq!(session.copy("./V/Name?prop=Name", "./V/S/x"), Err(Refusal::NotAllowed));
}

#[test]
fn a_full_tree_refuses_more_nodes() {
    let mut session = Session::new();
    let most = session.tree.limits().nodes_max;
    let mut added = 0;
    while session.add(&format!("./V/S/n{added}"), text("")).is_ok() {
        added += 1;
    }

    assert_eq!(session.tree.len(), most);
    assert_eq!(session.add("./V/S/more", text("")), Err(Refusal::Full));
    session.delete("./V/S/n0").unwrap();
    assert_eq!(session.add("./V/S/two/levels", text("")), Err(Refusal::Full));
    assert_eq!(session.add("./V/S/more", text("")), Ok(()));
}

#[test]
fn values_have_a_limit_each_and_together() {
    let limits = TreeLimits { value_bytes_max: 10, values_bytes_max: 30, ..TreeLimits::DEVICE };
    let mut session = Session::of("a", Tree::new(limits));
    let before = session.tree.value_bytes();
    assert_eq!(session.add("./a", text(&"x".repeat(11))), Err(Refusal::TooLarge { max: 10 }));

    for name in ["a", "b", "c"] {
        session.add(&format!("./{name}"), text(&"x".repeat(10))).unwrap();
    }

    assert_eq!(session.add("./d", text("x")), Err(Refusal::Full));
    assert_eq!(session.tree.value_bytes(), before + 30);
    session.tree.maintain(".", |root| root.acl = Acl::of_root().granting_all(Access::ALL));
    session.replace("./a", "short").unwrap();
    session.delete("./b").unwrap();
    assert_eq!(session.tree.value_bytes(), before + 15);
    assert!(!session.tree.set_text("./a", &"x".repeat(11)) && session.tree.set_text("./a", "longer"));
    assert_eq!(session.tree.value_bytes(), before + 16);
}

#[test]
fn refusals_have_the_status_of_the_specification() {
    for (refusal, status) in [
        (Refusal::from(UriError::TooDeep { max: 1 }), 414),
        (Refusal::NotFound, 404),
        (Refusal::NotAllowed, 405),
        (Refusal::AlreadyExists, 418),
        (Refusal::PermissionDenied, 425),
        (Refusal::NotSupported, 406),
        (Refusal::UnsupportedFormat, 415),
        (Refusal::TooLarge { max: 1 }, 413),
        (Refusal::Full, 420),
        (Refusal::Malformed("".into()), 500),
    ] {
        assert_eq!(refusal.status(), StatusCode(status), "{refusal}");
        assert_eq!(refusal.clone().of_member(uri("./A")).status(), StatusCode(status));
    }
}

#[test]
fn an_operation_costs_by_the_depth_and_not_by_the_tree() {
    // Twenty thousand siblings, added in the order that is worst for a sorted list. If each cost as much as there are
    // nodes already, this would take minutes.
    let mut session = Session::of("a", Tree::new(TreeLimits { nodes_max: 50_000, ..TreeLimits::SNAPSHOT }));

    for number in (0..20_000).rev() {
        session.add(&format!("./n{number:05}"), text("v")).unwrap();
    }

    assert_eq!(session.tree.len(), 20_001);
    assert_eq!(session.get("./n12345"), Ok("v"));
}
