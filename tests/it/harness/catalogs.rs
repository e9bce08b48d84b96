//! The product files that tests run with.

use std::{path::PathBuf, sync::LazyLock};

use ledgerline::catalog::{Feature, Products};

/// The five products, but for one of them: `workspace` takes events of any name, also in projects, masks nothing, and has all
/// that can be managed, since most tests want a log that takes anything as it was sent, and others below it. Tests of the product itself take
/// [`Products::built_in`].
pub fn products() -> Products {
    Products::load(&FOLDER).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The folder of their files, for processes of their own.
pub fn folder() -> PathBuf {
    FOLDER.clone()
}

/// The changed file of `workspace`.
pub fn workspace() -> String {
    let text = include_str!("../../../products/workspace.toml");
    let form = "action_form = \"resource.action\"\n";
    let (before, after) = text.split_once("[catalog]\n").expect("a catalog");
    assert!(after.contains(form), "the rule to take away");
    let project =
        "[[levels]]\nname = \"project\"\nlabel = \"Project\"\nparent = \"organisation\"\non_delete = \"KEEP\"\n";
    let masking = "[masking]\nkeys = []\n";
    let features: Vec<_> = Feature::ALL.iter().map(|feature| feature.as_str()).collect();
    let before = before.replace("[management]\n", &format!("[management]\nfeatures = {features:?}\n"));
    format!("{before}{project}\n{masking}\n[catalog]\n{}", after.replace(form, ""))
}

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    // A name per process: several may begin at once.
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("products-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in [
        ("caputchin", include_str!("../../../products/caputchin.toml")),
        ("cloud-sessions", include_str!("../../../products/cloud-sessions.toml")),
        ("workspace", &workspace()),
        ("scim-platform", include_str!("../../../products/scim-platform.toml")),
        ("capydb", include_str!("../../../products/capydb.toml")),
    ] {
        std::fs::write(folder.join(format!("{name}.toml")), text).expect("written");
    }
    folder
});
