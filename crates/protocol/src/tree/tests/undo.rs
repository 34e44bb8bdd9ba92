use proptest::prelude::*;

use super::*;

#[test]
fn what_is_undone_leaves_no_trace() {
    let mut session = Session::new();
    session.add("./V/S/A/B/c", text("v")).unwrap();
    let before = session.tree.clone();

    let mark = session.tree.begin();
    session.replace("./V/Name", "x").unwrap();
    session.replace("./V/S/A?prop=Name", "Z").unwrap();
    session.add("./V/S/Z/B/d", text("w")).unwrap();
    session.delete("./V/S/Z/B").unwrap();
    session.add("./V/S/N/e", text("u")).unwrap();
    session.replace("./V/S?prop=ACL", "Get=*").unwrap();
    session.tree.set_text("./DevInfo/Man", "Other");
    assert_ne!(session.tree, before);
    session.tree.undo(mark);

    assert_eq!(session.tree, before);
}

#[test]
fn a_mark_inside_another_is_undone_alone() {
    let mut session = Session::new();
    let mark = session.tree.begin();
    session.replace("./V/Name", "kept").unwrap();
    let inner = session.tree.begin();
    session.replace("./V/Name", "undone").unwrap();
    session.tree.undo(inner);
    assert_eq!(session.get("./V/Name"), Ok("kept"));
    session.tree.keep(mark);

    assert_eq!(session.get("./V/Name"), Ok("kept"));
}

#[test]
fn what_was_kept_inside_is_undone_with_what_is_around() {
    let mut session = Session::new();
    let before = session.tree.clone();
    let mark = session.tree.begin();
    let inner = session.tree.begin();
    session.add("./V/S/x", text("v")).unwrap();
    session.tree.keep(inner);
    session.tree.undo(mark);

    assert_eq!(session.tree, before);
}

/// Commands on a few addresses, so that they meet.
fn steps() -> impl Strategy<Value = Vec<(u8, usize, usize)>> {
    proptest::collection::vec((0_u8..8, 0_usize..7, 0_usize..7), 0..40)
}

const AT: [&str; 7] = ["./V/S/a", "./V/S/a/b", "./V/S/a/b/c", "./V/S/d", "./V/Name", "./V/S", "./V/S/d/e/f"];

fn play(session: &mut Session, steps: &[(u8, usize, usize)]) {
    for (what, at, other) in steps {
        let (at, other) = (AT[*at], AT[*other]);
        let _ = match what {
            0 => session.add(at, interior()),
            1 => session.add(at, text(other)),
            2 => session.replace(at, other),
            3 => session.delete(at),
            4 => session.copy(at, other),
            5 => session.replace(&format!("{at}?prop=Name"), uri(other).name()),
            6 => session.replace(&format!("{at}?prop=ACL"), "Add=*&Get=*&Replace=a&Delete=a"),
            _ => session.replace(&format!("{at}?prop=Title"), other),
        };
    }
}

proptest! {
    #[test]
    fn any_commands_can_be_undone_and_counts_stay_true(first in steps(), second in steps()) {
        let mut session = Session::new();
        play(&mut session, &first);
        let before = session.tree.clone();
        let mark = session.tree.begin();
        play(&mut session, &second);
        let (nodes, bytes) = session.tree.root.weight();
        prop_assert_eq!((session.tree.len(), session.tree.value_bytes()), (nodes, bytes));
        session.tree.undo(mark);

        prop_assert_eq!(session.tree, before);
    }
}
