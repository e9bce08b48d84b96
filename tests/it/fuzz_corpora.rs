//! What `make fuzz` begins with, and what it has found: of each file there, what is asserted of anything holds.

use std::path::Path;

use ledgerline::fuzzing;

/// What is asserted of any bytes.
type Target = fn(&[u8]);

/// The targets of `tests/fuzz`, as its manifest lists them.
const TARGETS: [(&str, Target); 5] = [
    ("document_guard", fuzzing::document_guard),
    ("request_body", fuzzing::request_body),
    ("cursor", fuzzing::cursor),
    ("query_text", fuzzing::query_text),
    ("import_line", fuzzing::import_line),
];

#[test]
fn what_is_asserted_of_anything_holds_of_every_seed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    for (name, target) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let main = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).expect("the target");
        assert!(main.contains(&format!("ledgerline::fuzzing::{name}(data)")), "{name}");
        let seeds: Vec<_> = std::fs::read_dir(root.join("corpus").join(name)).expect("a folder").collect();
        assert!(seeds.len() > 5, "{name}");
        for seed in seeds {
            let path = seed.expect("a file").path();
            let bytes = std::fs::read(&path).expect("a seed");
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "{} breaks what is asserted of {name}", path.display());
            // Whatever is cut off of it, too.
            for end in 0..bytes.len().min(2_000) {
                assert!(
                    std::panic::catch_unwind(|| target(&bytes[..end])).is_ok(),
                    "{end} bytes of {}",
                    path.display()
                );
            }
        }
    }
}
