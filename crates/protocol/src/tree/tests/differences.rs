use super::*;

fn told(before: &Tree, after: &Tree) -> Vec<String> {
    let changes = Difference::between(before, after, 100).changes;
    changes
        .iter()
        .map(|change| match change {
            Change::Added { uri, .. } => format!("+ {uri}"),
            Change::Removed { uri, .. } => format!("- {uri}"),
            Change::Changed { uri, aspects } => {
                let aspects: Vec<String> =
                    aspects.iter().map(|it| format!("{} {:?} {:?}", it.part.name(), it.before, it.after)).collect();
                format!("* {uri} {}", aspects.join(", "))
            }
        })
        .collect()
}

#[test]
fn a_tree_does_not_differ_from_itself() {
    assert_eq!(Difference::between(&tree(), &tree(), 100), Difference::default());
}

#[test]
fn what_was_added_removed_and_changed_is_told_in_the_order_of_the_tree() {
    let mut session = Session::new();
    session.add("./V/S/Old/x", text("1")).unwrap();
    session.add("./V/S/Stays", Content::Leaf(Leaf::of(Format::Int, "1"))).unwrap();
    let before = session.tree.clone();
    session.delete("./V/S/Old").unwrap();
    session.add("./V/S/New/y", text("2")).unwrap();
    session.replace("./V/Name", "Two").unwrap();
    session.replace("./V/S?prop=ACL", "Get=*").unwrap();
    session.tree.maintain("./V/S/Stays", |node| node.content = Content::Leaf(Leaf::of(Format::Bin, "\u{1}")));

    assert_eq!(
        told(&before, &session.tree),
        [
            "* ./V/Name Value \"One\" \"Two\"",
            "* ./V/S ACL \"\" \"Get=*\"",
            "+ ./V/S/New",
            "+ ./V/S/New/y",
            "- ./V/S/Old",
            "- ./V/S/Old/x",
            "* ./V/S/Stays Format \"int\" \"bin\", Value \"1\" \"AQ==\"",
        ]
    );
    // Stamps and counts are not what anybody means by a change.
    assert!(told(&before, &before.clone()).is_empty());
}

#[test]
fn a_difference_is_cut_where_it_was_asked_to_be() {
    let mut session = Session::new();
    let before = session.tree.clone();
    for number in 0..50 {
        session.add(&format!("./V/S/n{number}"), text("")).unwrap();
    }

    let cut = Difference::between(&before, &session.tree, 10);

    assert_eq!((cut.changes.len(), cut.is_cut), (10, true));
    assert!(!Difference::between(&before, &session.tree, 50).is_cut);
}
