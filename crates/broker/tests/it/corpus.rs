//! The corpus of the broker's fuzz targets, as a plain test.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/broker/targets.rs"]
#[expect(unreachable_pub, reason = "the file is part of another package")]
mod targets;

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads the files of the corpus")]
fn the_filter_target_takes_every_file_of_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    assert!(fs::read_to_string(fuzz.join("Cargo.toml")).unwrap().contains("name = \"filter\""));
    assert!(fuzz.join("fuzz_targets/filter.rs").exists());
    let mut files = 0;
    for entry in fs::read_dir(fuzz.join("broker/corpus/filter")).unwrap() {
        let path = entry.unwrap().path();
        // What failed is named by the last line before the panic.
        eprintln!("{}", path.display());
        targets::filter(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= 20, "a corpus of {files} files");
}
