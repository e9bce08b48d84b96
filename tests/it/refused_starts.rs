//! Settings, keys and product files that keep the process from starting, and what it says of them.

use std::{path::Path, process::Command};

/// What the program says when it is started with a bad setting.
fn refused_start(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ledgerline"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LEDGERLINE_") {
            command.env_remove(name);
        }
    }
    let database = format!("sqlite://{}", folder.join("ledgerline.db").display());
    command
        .env("LEDGERLINE_DATABASE_URL", database)
        .env("LEDGERLINE_LISTEN", "127.0.0.1:0")
        .env("LEDGERLINE_KEYS", folder.join("keys"));
    command.envs(environment.iter().copied()).args(arguments);
    let output = command.output().expect("the program runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it should not have started: {told}");
    assert!(!folder.join("ledgerline.db").exists(), "a refused start makes no database: {told}");
    told
}

#[test]
fn an_unknown_or_bad_setting_keeps_the_process_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = refused_start(
        folder.path(),
        &[
            ("LEDGERLINE_DATABSE_URL", "x"),
            ("LEDGERLINE_LISTENN", "y"),
            ("LEDGERLINE_ALLOWED_ORIGINS", "app.example.com"),
        ],
        &["serve", "--dev"],
    );
    for part in [
        "LEDGERLINE_DATABSE_URL",
        "LEDGERLINE_DATABASE_URL",
        "LEDGERLINE_LISTENN",
        "LEDGERLINE_LISTEN",
        "LEDGERLINE_ALLOWED_ORIGINS",
        "app.example.com",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for (name, value) in [
        ("LEDGERLINE_READ_RATE", "many"),
        ("LEDGERLINE_LOG_FORMAT", "xml"),
        ("LEDGERLINE_INTROSPECTION", "perhaps"),
        ("LEDGERLINE_LOG", "=,=="),
        ("LEDGERLINE_LISTEN", "nowhere"),
        ("LEDGERLINE_PRODUCTS", "/does/not/exist"),
    ] {
        let told = refused_start(folder.path(), &[(name, value)], &["serve", "--dev"]);
        let said = told.to_lowercase();
        assert!(
            said.contains(&name.to_lowercase())
                || said.contains(&name.replace("LEDGERLINE_", "--").replace('_', "-").to_lowercase())
                || said.contains(value),
            "{name}: {told}"
        );
    }
    let url = refused_start(folder.path(), &[("LEDGERLINE_DATABASE_URL", "mysql://x")], &["serve", "--dev"]);
    assert!(url.contains("sqlite") && url.contains("postgres"), "{url}");
}

#[test]
fn a_start_without_keys_says_which_are_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = refused_start(folder.path(), &[], &["serve"]);
    assert!(told.contains("--dev") && told.contains("caputchin") && told.contains("capydb"), "{told}");
    let short = refused_start(folder.path(), &[("LEDGERLINE_KEY_CAPYDB", "short")], &["serve"]);
    assert!(short.contains("LEDGERLINE_KEY_CAPYDB") && !short.contains("\"short\""), "{short}");
}

#[test]
fn everything_wrong_with_the_product_files_is_said_at_once_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let products = folder.path().join("products");
    std::fs::create_dir(&products).expect("made");
    let sound = include_str!("../../products/workspace.toml");
    std::fs::write(
        products.join("a.toml"),
        sound.replace("on_delete = \"KEEP\"", "on_delete = \"MAYBE\"").replace("open = true", "opne = true"),
    )
    .expect("written");
    std::fs::write(products.join("b.toml"), "name = \"b\"\nname = ").expect("written");
    std::fs::write(products.join("c.toml"), sound.replace("name = \"workspace\"", "name = \"c\"")).expect("written");
    let told =
        refused_start(folder.path(), &[("LEDGERLINE_PRODUCTS", products.to_str().expect("text"))], &["serve", "--dev"]);
    let line = |text: &str, needle: &str| text.lines().position(|line| line.contains(needle)).expect("a line") + 1;
    for part in [
        format!("a.toml:{}", line(sound, "on_delete")),
        "MAYBE".to_owned(),
        format!("a.toml:{}", line(sound, "open = true")),
        "opne".to_owned(),
        "b.toml:2".to_owned(),
        "is the issuer of".to_owned(),
    ] {
        assert!(told.contains(&part), "{part}: {told}");
    }
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("made");
    assert!(
        refused_start(folder.path(), &[("LEDGERLINE_PRODUCTS", empty.to_str().expect("text"))], &["serve", "--dev"])
            .contains("no product")
    );
}
