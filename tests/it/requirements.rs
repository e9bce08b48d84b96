//! Every box of the checklist is held by a test, here or in a browser, or in a client library.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// How many boxes the checklist has for each product.
const BOXES: [(&str, usize); 5] =
    [("caputchin", 10), ("cloud-sessions", 11), ("workspace", 9), ("scim-platform", 11), ("capydb", 10)];

/// A box of the table.
#[derive(Debug, Default)]
struct Held {
    says: String,
    tests: Vec<String>,
    browser: Vec<String>,
    client: Vec<String>,
}

/// Reads the table, which is TOML of the plainest kind.
fn table(text: &str) -> BTreeMap<String, Held> {
    let value = toml_span::parse(text).unwrap_or_else(|error| panic!("tests/requirements.toml: {error}"));
    let boxes = value.as_table().expect("a table of boxes");
    let names = |list: &toml_span::Value<'_>| {
        let list = list.as_array().expect("a list").iter();
        list.map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let read = |held: &toml_span::Value<'_>| {
        let mut read = Held::default();
        for (key, value) in held.as_table().expect("a box") {
            match key.name.as_ref() {
                "box" => read.says = value.as_str().expect("a text").to_owned(),
                "tests" => read.tests = names(value),
                "browser" => read.browser = names(value),
                "client" => read.client = names(value),
                other => panic!("tests/requirements.toml: what is {other}?"),
            }
        }
        read
    };
    boxes.iter().map(|(id, held)| (id.name.to_string(), read(held))).collect()
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "node_modules") {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|each| each == extension) {
            found.push(path);
        }
    }
}

/// Names of all tests: marked functions, and those that `on_both_databases!` lists.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files(&root.join("tests/it"), "rs", &mut sources);
    files(&root.join("src"), "rs", &mut sources);
    let mut names = BTreeSet::new();
    for source in sources {
        let text = std::fs::read_to_string(&source).expect("a source");
        let (mut marked, mut listed) = (false, false);
        for line in text.lines().map(str::trim) {
            if line == "#[test]" || line.starts_with("#[tokio::test") {
                marked = true;
                continue;
            }
            if listed {
                names.extend(line.strip_suffix(',').map(str::to_owned));
            }
            listed = line == "on_both_databases! {" || (listed && line != "}");
            let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some((name, _)) = function.and_then(|rest| rest.split_once('(')) {
                if marked {
                    names.insert(name.to_owned());
                }
                marked = false;
            }
        }
    }
    names
}

/// Tests in TypeScript of a folder as one text, in which the title of a test stands in quotes.
fn titled(folder: &str) -> String {
    let mut sources = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "ts", &mut sources);
    sources.iter().map(|source| std::fs::read_to_string(source).expect("a source")).collect()
}

#[test]
fn every_box_is_held_and_every_name_is_a_test() {
    let text = include_str!("../requirements.toml");
    let table = table(text);
    let expected: BTreeSet<String> =
        BOXES.iter().flat_map(|(product, boxes)| (1..=*boxes).map(move |n| format!("{product}-{n}"))).collect();
    let listed: BTreeSet<String> = table.keys().cloned().collect();
    assert_eq!(listed, expected, "the boxes of the checklist");
    let tests = tests();
    assert!(tests.len() > 100, "{}", tests.len());
    let (browser, client) = (titled("web/e2e"), titled("clients"));
    let mut faults = Vec::new();
    for (id, held) in &table {
        if held.says.len() < 10 {
            faults.push(format!("{id} does not say what it is"));
        }
        if held.tests.is_empty() && held.browser.is_empty() && held.client.is_empty() {
            faults.push(format!("{id} is held by nothing"));
        }
        for (titles, all) in [(&held.browser, &browser), (&held.client, &client)] {
            let missing = titles.iter().filter(|title| !all.contains(&format!("('{title}',")));
            faults.extend(missing.map(|title| format!("{id}: no test in TypeScript is called {title}")));
        }
        faults.extend(
            held.tests
                .iter()
                .filter(|test| !tests.contains(*test))
                .map(|test| format!("{id}: there is no test {test}")),
        );
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_helper_is_no_test() {
    let tests = tests();
    for name in ["record_all", "fill", "seed", "table"] {
        assert!(!tests.contains(name), "{name}");
    }
    assert!(tests.contains("every_box_is_held_and_every_name_is_a_test"));
}
