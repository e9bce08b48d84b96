//! Settings, keys and product files that keep the process from starting, and what it says of them.

use std::{path::Path, process::Command};

use crate::process::{Client, Service, ledgerline};

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
        ("LEDGERLINE_PORT", "8080"),
        ("LEDGERLINE_ALLOWED_ORIGINS", "*"),
        ("LEDGERLINE_ALLOWED_ORIGINS", "https://*.example.com"),
        ("LEDGERLINE_ALLOWED_ORIGINS", "https://app.example.com/audit"),
        ("LEDGERLINE_ALLOWED_HEADERS", "x trace"),
        ("LEDGERLINE_READ_RATE", "many"),
        ("LEDGERLINE_LOG_FORMAT", "xml"),
        ("LEDGERLINE_INTROSPECTION", "perhaps"),
        ("LEDGERLINE_LOG", "=,=="),
        ("LEDGERLINE_LISTEN", "nowhere"),
        ("LEDGERLINE_SMTP_URL", "smtp://mail.example.com"),
        ("LEDGERLINE_MAIL_FROM", "audit@example.com"),
        ("LEDGERLINE_PRODUCTS", "/does/not/exist"),
        ("LEDGERLINE_BASE_PATH", "audit"),
        ("LEDGERLINE_BASE_PATH", "/audit/"),
        ("LEDGERLINE_BASE_PATH", "/a/../b"),
        ("LEDGERLINE_BASE_PATH", "/a b"),
        ("LEDGERLINE_TRUSTED_PROXIES", "10.0.0.1-9"),
        ("LEDGERLINE_TLS_KEY", "/does/not/exist.pem"),
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
    let sound = include_str!("../../products/capydb.toml");
    std::fs::write(
        products.join("a.toml"),
        sound.replace("on_delete = \"CLEAR\"", "on_delete = \"MAYBE\"").replace("open = false", "opne = false"),
    )
    .expect("written");
    std::fs::write(products.join("b.toml"), "name = \"b\"\nname = ").expect("written");
    std::fs::write(products.join("c.toml"), sound.replace("name = \"capydb\"", "name = \"c\"")).expect("written");
    let told =
        refused_start(folder.path(), &[("LEDGERLINE_PRODUCTS", products.to_str().expect("text"))], &["serve", "--dev"]);
    let line = |text: &str, needle: &str| text.lines().position(|line| line.contains(needle)).expect("a line") + 1;
    for part in [
        format!("a.toml:{}", line(sound, "on_delete")),
        "MAYBE".to_owned(),
        format!("a.toml:{}", line(sound, "open = false")),
        "opne".to_owned(),
        "b.toml:2".to_owned(),
        "makes tokens of".to_owned(),
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

/// What Kubernetes and Docker put into the environment of a neighbour of services with such names.
#[tokio::test]
async fn variables_of_neighbouring_services_do_not_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite://{}", folder.path().join("ledgerline.db").display());
    let mut command = ledgerline(&database, folder.path());
    for service in ["LEDGERLINE", "LEDGERLINE_POSTGRESQL", "LEDGERLINE_WEB_2", "LEDGERLINE_DATABASE"] {
        for (variable, value) in [
            ("SERVICE_HOST", "10.0.0.2"),
            ("SERVICE_PORT", "5432"),
            ("SERVICE_PORT_TCP_POSTGRESQL", "5432"),
            ("PORT", "tcp://10.0.0.2:5432"),
            ("PORT_5432_TCP", "tcp://10.0.0.2:5432"),
            ("PORT_5432_TCP_PROTO", "tcp"),
            ("PORT_5432_TCP_PORT", "5432"),
            ("PORT_5432_TCP_ADDR", "10.0.0.2"),
            ("PORT_53_UDP", "udp://10.0.0.2:53"),
            ("PORT_53_UDP_ADDR", "10.0.0.2"),
            ("PORT_2905_SCTP_PROTO", "sctp"),
            ("NAME", "/ledgerline/db"),
            ("ENV_POSTGRES_PASSWORD", "secret"),
        ] {
            command.env(format!("{service}_{variable}"), value);
        }
    }
    let service = Service::run(command).await;
    assert!(service.base.starts_with("http://127.0.0.1:"), "no variable is taken for the address: {}", service.base);
    let client = Client::new(String::new());
    assert_eq!(client.status(format!("{}/readyz", service.base)).await, 200);
    assert!(service.terminate().await.success());
}
