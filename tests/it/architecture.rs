//! The house as `src/lib.rs` lists it: imports point down the list only.

use std::path::{Path, PathBuf};

/// The modules from the lowest to the highest; those of one row may know each other.
const ORDER: [&[&str]; 10] = [
    &["error", "tasks"],
    &["clock", "event"],
    &["question", "catalog"],
    &["auth"],
    &["store"],
    &["ingest", "keys"],
    &["graphql"],
    &["http"],
    &["demo", "config"],
    &["app", "cli"],
];

fn rank(module: &str) -> usize {
    ORDER.iter().position(|row| row.contains(&module)).unwrap_or_else(|| {
        panic!("src/lib.rs has the module {module}, which has no place in the order of tests/it/architecture.rs")
    })
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The top modules that a source names as `crate::x` or in `use crate::{x, y::z}`.
fn named(text: &str) -> Vec<String> {
    let text: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut modules = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        let name =
            |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(inside) = rest.strip_prefix('{') else {
            modules.push(name(rest));
            continue;
        };
        let (mut depth, mut start) = (1, 0);
        for (i, c) in inside.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => {
                    modules.push(name(&inside[start..i]));
                    start = i + 1;
                }
                _ => {}
            }
            if depth == 0 {
                modules.push(name(&inside[start..i]));
                break;
            }
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

#[test]
fn lib_rs_lists_the_modules_in_the_order_of_their_imports() {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("src/lib.rs");
    let listed: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod "))?.strip_suffix(';'))
        .collect();
    let ranks: Vec<usize> = listed.iter().map(|module| rank(module)).collect();
    assert!(ranks.is_sorted(), "{listed:?}");
    assert_eq!(listed.len(), ORDER.iter().map(|row| row.len()).sum::<usize>());
}

#[test]
fn imports_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "{}", files.len());
    let mut upwards = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("below src");
        let top = inside
            .components()
            .next()
            .expect("a name")
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if ["lib", "main"].contains(&top.as_str()) {
            continue;
        }
        // Unit tests may set up what their module is used with.
        if inside.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests")) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source");
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for module in named(text) {
            if module != top && rank(&module) > rank(&top) {
                upwards.push(format!("{} imports {module}", inside.display()));
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}

#[test]
fn pure_modules_know_no_database_and_no_network() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for module in ["event", "question", "catalog", "auth", "clock.rs", "demo"] {
        let mut files = Vec::new();
        let path = root.join(module);
        if path.is_dir() {
            sources(&path, &mut files)
        } else {
            files.push(path)
        }
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a source");
            for foreign in ["sea_orm", "sqlx", "axum", "reqwest", "tokio::"] {
                assert!(!text.contains(foreign), "{} names {foreign}", file.display());
            }
        }
    }
}

#[test]
fn only_the_store_speaks_sql() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files {
        let inside = file.strip_prefix(&root).expect("below src").display().to_string();
        if inside.starts_with("store") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source");
        for sql in ["sea_orm::", "sqlx::", "SELECT ", "INSERT INTO", "UPDATE "] {
            assert!(!text.contains(sql), "{inside} has {sql}");
        }
    }
}
