//! What our SQL does without, so that the same statements run on distributed databases.

use std::path::Path;

/// Triggers and keys across devices break sharding; sequences and lock hints break with more than one writer.
const FORBIDDEN: &[&str] = &[
    "AUTOINCREMENT",
    "CREATE TRIGGER",
    "CREATE SEQUENCE",
    "NEXTVAL",
    "SKIP LOCKED",
    "ADVISORY",
    "LISTEN ",
    "NOTIFY ",
    "REFERENCES ",
    "FOREIGN KEY",
    "WITH RECURSIVE",
];

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn forbidden_constructs_are_absent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("src"), &mut found);
    files(&root.join("migrations"), &mut found);
    assert!(found.len() > 10, "the sources were looked for in the wrong place");
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap().to_uppercase();
        for word in FORBIDDEN {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn the_primary_key_of_device_scoped_tables_begins_with_the_bucket() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"), &mut found);
    let text: String = found.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for table in ["device", "contact", "task", "trace_session", "trace_message"] {
        let definition = text.split(&format!("CREATE TABLE {table} (")).nth(1).unwrap();
        let definition = definition.split(';').next().unwrap();
        assert!(definition.contains("PRIMARY KEY (bucket, "), "{table}");
    }
}
