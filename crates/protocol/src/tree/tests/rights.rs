//! Several management authorities on one device.

use super::*;

fn with_acl(at: &str, acl: &str) -> Tree {
    let mut tree = tree();
    assert!(tree.maintain(at, |node| node.acl = acl.parse().unwrap()));
    tree
}

#[test]
fn a_right_the_server_lacks_is_told_apart_from_a_command_the_node_lacks() {
    let mut session = Session::of("a", with_acl("./V/Name", "Get=a"));

    assert_eq!(session.replace("./V/Name", "v"), Err(Refusal::PermissionDenied));
    assert_eq!(session.tree.exec(&session.server, &uri("./V/Name")), Err(Refusal::NotAllowed));
}

#[test]
fn the_root_lets_everybody_read_and_add_unless_it_says_otherwise() {
    let tree = Tree::new(TreeLimits::DEVICE);
    assert_eq!(tree.acl(&uri(".")).unwrap().to_string(), "Add=*&Get=*");
    let mut session = Session::of("anybody", tree);

    session.add("./x", text("v")).unwrap();

    assert_eq!(session.get("./x"), Ok("v"));
    assert_eq!(session.replace("./x", "w"), Err(Refusal::PermissionDenied));
    assert_eq!(session.delete("./x"), Err(Refusal::PermissionDenied));
}

#[test]
fn the_nearest_list_counts_whole_and_is_never_merged() {
    let mut session = Session::of("a", with_acl("./V", "Replace=b"));

    // The root would let `a` do both.
    assert_eq!(session.replace("./V/Name", "v"), Err(Refusal::PermissionDenied));
    assert_eq!(session.get("./V/Name"), Err(Refusal::PermissionDenied));
    session.tree.maintain("./V/Name", |node| node.acl = "Get=a".parse().unwrap());
    assert_eq!(session.get("./V/Name"), Ok("One"));

    let mut other = session.continued_by("b");
    assert_eq!(other.get("./V/Name"), Err(Refusal::PermissionDenied));
    assert_eq!(other.replace("./V/Name", "v"), Err(Refusal::PermissionDenied));
    assert_eq!(other.replace("./V/Count", "1"), Ok(()));
}

#[test]
fn a_list_that_was_not_set_reads_as_no_text() {
    let session = Session::of("a", with_acl("./V", "Get=a+b&Replace=a"));

    assert_eq!(session.property("./V?prop=ACL").as_deref(), Ok("Get=a+b&Replace=a"));
    assert_eq!(session.property("./V/Name?prop=ACL").as_deref(), Ok(""));
    assert_eq!(session.continued_by("c").property("./V?prop=ACL"), Err(Refusal::PermissionDenied));
}

#[test]
fn the_list_of_an_interior_node_is_changed_by_who_may_replace_it_or_its_parent() {
    for (acl, of) in [("Get=*&Replace=b", "./V/S"), ("Get=*&Replace=b", "./V")] {
        let mut session = Session::of("b", with_acl(of, acl));
        assert_eq!(session.replace("./V/S?prop=ACL", "Get=b"), Ok(()), "{of}");
        assert_eq!(session.tree.node(&uri("./V/S")).unwrap().acl.to_string(), "Get=b");
        // Its own list takes the right away, its parent's may still give it.
        let again = session.replace("./V/S?prop=ACL", "");
        assert_eq!(again, if of == "./V" { Ok(()) } else { Err(Refusal::PermissionDenied) }, "{of}");
    }
}

#[test]
fn the_list_of_a_leaf_is_changed_by_who_may_replace_its_parent_alone() {
    let mut session = Session::of("b", with_acl("./V/Name", "Get=*&Replace=b"));
    assert_eq!(session.replace("./V/Name?prop=ACL", "Get=b"), Err(Refusal::PermissionDenied));

    let mut session = session.continued_by("a");
    assert_eq!(session.replace("./V/Name?prop=ACL", "Get=b"), Ok(()));
    assert_eq!(session.get("./V/Name"), Err(Refusal::PermissionDenied));
}

#[test]
fn no_text_takes_a_list_away() {
    let mut session = Session::of("a", with_acl("./V/S", "Get=b"));

    session.replace("./V/S?prop=ACL", "").unwrap();

    assert!(session.tree.node(&uri("./V/S")).unwrap().acl.is_none());
    assert_eq!(session.get("./V/S"), Ok(""));
}

#[test]
fn the_root_always_has_a_list_and_loses_no_command() {
    let mut session = Session::new();

    session.replace(".?prop=ACL", "Get=a&Replace=a").unwrap();
    assert_eq!(session.property(".?prop=ACL").as_deref(), Ok("Add=*&Delete=*&Exec=*&Get=a&Replace=a"));
    session.replace(".?prop=ACL", "").unwrap();
    assert_eq!(session.property(".?prop=ACL").as_deref(), Ok("Add=*&Delete=*&Exec=*&Get=*&Replace=*"));
}

#[test]
fn a_text_that_is_no_list_changes_nothing() {
    let mut session = Session::new();

    for (text, status) in [("Get", 500), ("Fly=a", 500), ("Get=a&Get=b", 500), (&*"x".repeat(9_000), 413)] {
        let refused = session.replace("./V/S?prop=ACL", text).unwrap_err();
        assert_eq!(refused.status().0, status, "{text}");
    }
    assert!(session.tree.node(&uri("./V/S")).unwrap().acl.is_none());
}

#[test]
fn a_server_without_replace_on_the_parent_gets_rights_on_the_interior_nodes_it_makes() {
    let mut session = Session::of("b", tree());

    session.add("./V/S/B/deeper", interior()).unwrap();

    assert_eq!(
        session.property("./V/S/B?prop=ACL").as_deref(),
        Ok("Add=*+b&Delete=a+b&Exec=a&Get=*&Replace=a+b".replace("*+b", "*").as_str())
    );
    // The second one's parent already lets it replace.
    assert_eq!(session.property("./V/S/B/deeper?prop=ACL").as_deref(), Ok(""));
    session.add("./V/S/B/x", text("v")).unwrap();
    assert_eq!(session.replace("./V/S/B/x", "w"), Ok(()));
    // Others are still kept out, and who had rights before keeps them.
    let mut other = session.continued_by("c");
    assert_eq!(other.replace("./V/S/B/x", "w"), Err(Refusal::PermissionDenied));
    assert_eq!(other.continued_by("a").delete("./V/S/B"), Ok(()));
}

#[test]
fn a_server_with_replace_on_the_parent_adds_without_a_list() {
    let mut session = Session::new();

    session.add("./V/S/A/x", text("v")).unwrap();

    assert!(session.tree.node(&uri("./V/S/A")).unwrap().acl.is_none());
}

#[test]
fn a_leaf_gets_no_list_of_its_own() {
    let mut session = Session::of("b", tree());

    session.add("./V/S/leaf", text("v")).unwrap();

    assert!(session.tree.node(&uri("./V/S/leaf")).unwrap().acl.is_none());
    assert_eq!(session.replace("./V/S/leaf", "w"), Err(Refusal::PermissionDenied));
}

#[test]
fn copy_needs_the_rights_of_the_get_and_of_the_add_or_replace() {
    let mut session = Session::of("b", with_acl("./DevInfo/Man", "Get=a"));

    assert_eq!(session.copy("./DevInfo/Man", "./V/S/x"), Err(Refusal::PermissionDenied));
    assert_eq!(session.copy("./DevInfo/Mod", "./V/S/x"), Ok(()));
    assert_eq!(session.copy("./DevInfo/Mod", "./V/Name"), Err(Refusal::PermissionDenied));
    let mut owner = session.continued_by("a");
    assert_eq!(owner.copy("./DevInfo/Man", "./V/Name"), Ok(()));
}

#[test]
fn renaming_and_titles_need_the_right_to_replace() {
    let mut session = Session::new();
    session.add("./V/S/A", interior()).unwrap();
    let mut other = session.continued_by("b");

    assert_eq!(other.replace("./V/S/A?prop=Name", "B"), Err(Refusal::PermissionDenied));
    assert_eq!(other.replace("./V/S/A?prop=Title", "B"), Err(Refusal::PermissionDenied));
}

#[test]
fn a_list_has_only_what_the_server_may_read() {
    let session = Session::of("b", with_acl("./V/S", "Get=a"));
    let listed = |session: &Session, at: &str| -> Vec<String> {
        let listed = session.tree.list(&session.server, &uri(at)).unwrap();
        listed.iter().map(|it| it.uri.to_string()).collect()
    };

    assert_eq!(listed(&session, "./V"), ["./V", "./V/Count", "./V/Name"]);
    let owner = session.continued_by("a");
    assert_eq!(listed(&owner, "./V"), ["./V", "./V/Count", "./V/Name", "./V/S"]);
    assert_eq!(owner.tree.list(&id("b"), &uri("./V/S")).unwrap_err(), Refusal::PermissionDenied);
    assert_eq!(owner.tree.list(&id("a"), &uri("./V/Secret")).unwrap_err(), Refusal::NotAllowed);
}
