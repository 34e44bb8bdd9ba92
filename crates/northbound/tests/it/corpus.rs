//! The corpus of every fuzz target on this face, as a plain test.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/north.rs"]
#[expect(unreachable_pub, reason = "the file is part of another package")]
mod north;

#[test]
fn every_fuzz_target_takes_every_file_of_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in north::TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of the fuzz package");
        let mut files = 0;
        for entry in fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            // What failed is named by the last line before the panic.
            eprintln!("{}", path.display());
            north::run(name, &fs::read(&path).unwrap());
            files += 1;
        }
        assert!(files >= 5, "{name} has a corpus of {files} files");
    }
    for entry in fs::read_dir(fuzz.join("fuzz_targets")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_ours = fs::read_to_string(&path).unwrap().contains("north::run");
        assert_eq!(is_ours, north::TARGETS.iter().any(|(target, _)| *target == name), "{name}");
    }
}
