//! The corpus of every fuzz target, as a plain test.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the file is the library of another package")]
pub(crate) mod targets;

#[test]
fn every_fuzz_target_takes_every_file_of_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS.0 {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of the fuzz package");
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).exists(), "{name} has no file");
        let mut files = 0;
        for entry in fs::read_dir(fuzz.join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            // What failed is named by the last line before the panic.
            eprintln!("{}", path.display());
            targets::TARGETS.run(name, &fs::read(&path).unwrap());
            files += 1;
        }
        assert!(files >= 5, "{name} has a corpus of {files} files");
    }
    for entry in fs::read_dir(fuzz.join("corpus")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let file = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        // What is on the northbound face is run by the tests of its crate.
        let is_ours = targets::TARGETS.0.iter().any(|(target, _)| *target == name);
        assert!(is_ours != file.contains("north::run"), "{name}");
    }
}
