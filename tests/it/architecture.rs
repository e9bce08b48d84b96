//! The house as `src/lib.rs` lists it: imports point down the list, inside the store too, and nowhere in a circle.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The modules from the lowest to the highest; those of one row may know each other.
const HOUSE: &[&[&str]] = &[
    &["error", "private_files", "tasks"],
    &["chance", "clock", "event"],
    &["question", "catalog"],
    &["auth"],
    &["store"],
    &["ingest", "reading", "keys"],
    &["delivery", "retention"],
    &["graphql"],
    &["http"],
    &["demo", "config"],
    &["app", "cli"],
    &["fuzzing"],
];

/// The store's rooms, in the same way. A file may stand lower than its folder does.
const STORE: &[&[&str]] = &[
    &["error", "trouble", "grain", "range"],
    &["dialect", "dialect::sql"],
    &["tables", "postgres::locks"],
    &["dialect::copying", "dialect::erasing", "dialect::reading", "dialect::recording", "dialect::removing"],
    &["postgres::address", "postgres::bridge"],
    &["postgres::nodes", "postgres::unreachable"],
    &["sqlite::files", "sqlite::connect", "postgres::citus", "postgres::session"],
    &["schema"],
    &["connection"],
    &["rows"],
    &["dictionary", "head", "history", "news"],
    &["sqlite::wal", "sqlite::wipe", "postgres"],
    &["control", "derived"],
    &["read", "write"],
    &["count"],
    &["copy", "explain", "reindex", "removal"],
    &["backup", "ending", "erasure", "replay"],
];

/// A source file by its module, and the modules that it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
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

/// `store::read::page` for `src/store/read/page.rs`.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(root()).expect("below src").with_extension("");
    let mut names: Vec<_> = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names.join("::")
}

/// What a file imports, without its comments and unit tests, as whole paths: from `crate`, `super` and `self`.
fn paths(module: &str, is_mod: bool, text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let parent = if is_mod { Some(module) } else { module.rsplit_once("::").map(|(parent, _)| parent) };
    let mut found = BTreeSet::new();
    for (start, base) in [("crate::", Some("")), ("super::", parent)] {
        let Some(base) = base else { continue };
        // A folder's own file says `super` of the folder that it lies in.
        let base =
            if start == "super::" && is_mod { base.rsplit_once("::").map_or("", |(parent, _)| parent) } else { base };
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            spread(base, &code[at + start.len()..], &mut found);
        }
    }
    // `use input::Name` beside `mod input`.
    for (at, _) in
        code.match_indices("use ").filter(|(at, _)| code[..*at].trim_end_matches("pub ").ends_with(['\n', ')']))
    {
        spread(module, &code[at + "use ".len()..], &mut found);
    }
    found
}

/// Adds the paths of a use tree, of which `text` begins with the first name.
fn spread<'t>(base: &str, text: &'t str, found: &mut BTreeSet<String>) -> &'t str {
    let text = text.trim_start();
    let joined = |name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}::{name}") };
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = spread(base, rest, found).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            if rest.is_empty() {
                return rest;
            }
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return rest.get(1..).unwrap_or_default();
    }
    if let Some(deeper) = rest.strip_prefix("::") {
        return spread(&joined(name), deeper, found);
    }
    found.insert(if name == "self" { base.to_owned() } else { joined(name) });
    rest
}

/// Every file of the house with the files that it imports.
fn imports() -> Imports {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    assert!(files.len() > 100, "{}", files.len());
    // Unit tests may set up what their module is used with.
    files.retain(|file| !file.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests")));
    let modules: BTreeSet<_> = files.iter().map(|file| module_of(file)).collect();
    let of_path = |path: &str| {
        let mut path = path;
        loop {
            if modules.contains(path) {
                return Some(path.to_owned());
            }
            path = path.rsplit_once("::")?.0;
        }
    };
    let mut imports = Imports::new();
    for file in files {
        let module = module_of(&file);
        let text = std::fs::read_to_string(&file).expect("a source");
        let found = paths(&module, file.ends_with("mod.rs"), &text);
        let found = found.iter().filter_map(|path| of_path(path)).filter(|path| *path != module).collect();
        imports.insert(module, found);
    }
    imports
}

/// The row of a module: that of the longest name in the table that it is or lies in.
fn row(table: &[&[&str]], module: &str) -> usize {
    let is_in = |name: &str| module == name || module.starts_with(&format!("{name}::"));
    let named = table.iter().enumerate().flat_map(|(row, names)| names.iter().map(move |name| (row, *name)));
    let found = named.filter(|(_, name)| is_in(name)).max_by_key(|(_, name)| name.len());
    found.unwrap_or_else(|| panic!("the module {module} has no place in the order of tests/it/architecture.rs")).0
}

/// The imports that point up. Prints the ladder: `cargo test --test it imports -- --nocapture` shows it.
#[expect(clippy::print_stdout, reason = "somebody asked to see the ladder")]
fn upwards(table: &[&[&str]], imports: &Imports) -> Vec<String> {
    for (floor, names) in table.iter().enumerate().rev() {
        println!("{:>4}  {}", floor + 1, names.join("  "));
    }
    let mut found = Vec::new();
    for (module, imported) in imports {
        let up = imported.iter().filter(|other| row(table, other) > row(table, module));
        found.extend(up.map(|other| format!("{module} imports {other}")));
    }
    found
}

#[test]
fn lib_rs_lists_the_modules_in_the_order_of_their_imports() {
    let lib = std::fs::read_to_string(root().join("lib.rs")).expect("src/lib.rs");
    let listed: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod "))?.strip_suffix(';'))
        .collect();
    let rows: Vec<usize> = listed.iter().map(|module| row(HOUSE, module)).collect();
    assert!(rows.is_sorted(), "{listed:?}");
    assert_eq!(listed.len(), HOUSE.iter().map(|row| row.len()).sum::<usize>());
}

#[test]
fn imports_point_down() {
    let mut imports = imports();
    imports.retain(|module, _| !["lib", "main"].contains(&module.as_str()));
    let found = upwards(HOUSE, &imports);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn imports_inside_the_store_point_down() {
    let mut rooms = Imports::new();
    for (module, imported) in imports() {
        let Some(module) = module.strip_prefix("store::") else { continue };
        let inside = imported.iter().filter_map(|other| other.strip_prefix("store::").map(str::to_owned));
        rooms.insert(module.to_owned(), inside.collect());
    }
    assert!(rooms.len() > 30, "{}", rooms.len());
    let found = upwards(STORE, &rooms);
    assert!(found.is_empty(), "{found:#?}");
}

/// A folder's own file introduces it and has the types that it is about: what the other files take from it makes no circle.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut arrows = BTreeSet::new();
    for (module, imported) in imports() {
        let is_its_own = |folder: &str| module.strip_prefix(folder).is_some_and(|rest| rest.starts_with("::"));
        arrows.extend(imported.iter().filter(|other| !is_its_own(other)).map(|other| (module.clone(), other.clone())));
    }
    let leads_back = |(one, other): &&(String, String)| {
        let (mut reached, mut next) = (BTreeSet::from([other]), vec![other]);
        while let Some(at) = next.pop() {
            next.extend(arrows.iter().filter(|(from, _)| from == at).map(|(_, to)| to).filter(|to| reached.insert(to)));
        }
        reached.contains(one)
    };
    let circles: Vec<_> = arrows.iter().filter(leads_back).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The sources of a module of the house: of its folder, or its one file.
fn sources_of(module: &str) -> Vec<PathBuf> {
    let path = root().join(module);
    let mut files = Vec::new();
    if path.is_dir() {
        sources(&path, &mut files);
    } else {
        files.push(path);
    }
    files
}

fn assert_unknown(modules: &[&str], foreign: &[&str]) {
    for file in modules.iter().flat_map(|module| sources_of(module)) {
        let text = std::fs::read_to_string(&file).expect("a source");
        for foreign in foreign {
            assert!(!text.contains(foreign), "{} names {foreign}", file.display());
        }
    }
}

#[test]
fn pure_modules_know_no_database_and_no_network() {
    let pure = ["error.rs", "event", "question", "catalog", "auth", "chance.rs", "clock.rs", "demo"];
    assert_unknown(&pure, &["sea_orm", "sqlx", "axum", "async_graphql", "reqwest", "tokio::"]);
}

#[test]
fn the_two_doors_know_neither_graphql_nor_http() {
    assert_unknown(&["ingest", "reading"], &["async_graphql", "axum", "sea_orm", "sqlx", "reqwest"]);
}

#[test]
fn only_the_doors_ask_the_policy() {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    for file in files {
        let inside = file.strip_prefix(root()).expect("below src").display().to_string();
        let asks = std::fs::read_to_string(&file).expect("a source").contains("policy::");
        // The last two tell whoever wonders what the policy says of a token, and of everybody.
        let may = [
            "auth",
            "ingest",
            "reading",
            "delivery/alerts/rules",
            "delivery/endpoint",
            "delivery/export",
            "cli/check_token",
            "cli/access",
        ];
        let may = may.iter().any(|module| inside.starts_with(module));
        assert!(may || !asks, "{inside} asks the policy");
    }
}

#[test]
fn only_the_store_speaks_sql() {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    for file in files {
        let inside = file.strip_prefix(root()).expect("below src").display().to_string();
        if inside.starts_with("store") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source");
        for sql in ["sea_orm::", "sqlx::", "SELECT ", "INSERT INTO", "UPDATE "] {
            assert!(!text.contains(sql), "{inside} has {sql}");
        }
    }
}

/// A statement that differs between the databases is the dialect's. These files choose another way of working: the head of
/// `store/dialect/mod.rs` says which.
#[test]
fn the_dialect_is_asked_where_the_databases_work_in_another_way() {
    const ASKING: &[&str] = &[
        "backup.rs",
        "connection/open.rs",
        "copy/mod.rs",
        "copy/source.rs",
        "copy/verify.rs",
        "copy/writing.rs",
        "head.rs",
        "history.rs",
        "mod.rs",
        "news.rs",
        "schema.rs",
        "write/append.rs",
        "write/insert.rs",
        "write/nodes.rs",
        "write/organizations.rs",
    ];
    let store = root().join("store");
    let mut files = Vec::new();
    sources(&store, &mut files);
    let asks = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).expect("a source");
        ["Dialect::Sqlite", "Dialect::Postgres", "Dialect::Citus"].iter().any(|one| text.contains(one))
    };
    let asking = files.iter().filter(|file| asks(file)).map(|file| file.strip_prefix(&store).expect("in the store"));
    let rooms = ["dialect", "postgres", "sqlite"];
    let asking: BTreeSet<_> = asking.filter(|file| !rooms.iter().any(|room| file.starts_with(room))).collect();
    assert_eq!(asking, ASKING.iter().map(Path::new).collect());
}

/// What somebody asks by a permission waits in the turn of its organization. In the service's own turn, which nothing
/// bounds, one that asks for much would keep everybody waiting, and the service too.
#[test]
fn what_is_read_by_a_permission_is_read_in_the_turn_of_its_organization() {
    let mut files = Vec::new();
    sources(&root().join("store"), &mut files);
    let (mut looked_at, mut faults) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        for function in text.split("\n    pub async fn ").skip(1) {
            let (head, rest) = function.split_once("{\n").expect("a body");
            let body = rest.split("\n    }\n").next().unwrap_or_default();
            if head.contains("scope: &ManageScope") || head.contains("scope: &ReadScope") {
                looked_at += 1;
                let name = head.split('(').next().unwrap_or_default();
                let asks =
                    body.contains("&self.read") || body.contains("self.events_of(") || body.contains("self.rows_of(");
                faults.extend(asks.then(|| format!("{}: {name}", file.display())));
            }
        }
    }
    assert!(looked_at >= 19, "{looked_at} functions");
    assert!(faults.is_empty(), "{faults:#?}");
}
