//! The commands at their edges: odd arguments, files and databases that are none, and nobody who listens.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use crate::{
    harness::{catalogs, eventually},
    process::ledgerline,
};

/// A folder, and the program on a database in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::write(place.path("text"), "no database, but long enough to be looked at as one: ".repeat(40)).unwrap();
        fs::write(place.path("empty"), "").unwrap();
        fs::create_dir(place.path("folder")).unwrap();
        fs::write(place.path("events"), r#"{"org":"acme","action":"a","occurredAt":1}"#).unwrap();
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("sqlite://{}", self.path(name).display())
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = ledgerline(url, self.0.path());
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// What a command says that does not succeed.
    fn refused(&self, url: &str, arguments: &[&str]) -> String {
        let output = self.command(url, arguments).output().expect("the program runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.starts_with("ledgerline: ") && !said.contains("panicked"), "{arguments:?}: {said}");
        said
    }

    fn done(&self, arguments: &[&str]) {
        let output = self.command(&self.url("ledgerline.db"), arguments).output().expect("the program runs");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_token_that_nobody_could_use_is_not_made() {
    let place = Place::new();
    let url = place.url("ledgerline.db");
    let good = ["token", "--product", "workspace", "--scopes", "audit:read"];
    for (arguments, expected) in [
        (&["--organization", ""][..], "--organization must not be empty"),
        (&["--subject", " "], "--subject must not be empty"),
        (&["--ttl", "0s"], "--ttl must be at least a second"),
        (&["--log", "p1"], "--log must be level:id, got \"p1\""),
        (&["--log", "team:p1"], "--log: the levels of workspace are "),
    ] {
        let said = place.refused(&url, &[&good, arguments].concat());
        assert!(said.contains(expected), "{said}");
    }
    for scopes in ["", " ", "audit:raed", "audit:read,audit:record"] {
        let said = place.refused(&url, &["token", "--product", "workspace", "--scopes", scopes]);
        assert!(
            said.contains("--scopes must be some of audit:read, audit:record, audit:export, audit:manage, audit:staff"),
            "{said}"
        );
    }
    let said = place.refused(&url, &["token", "--product", "nothing", "--scopes", "audit:read"]);
    assert!(said.contains("there is no product \"nothing\"; there are caputchin"), "{said}");
    // Keys that cannot be made are told with their file, the cause and the setting.
    let mut command = place.command(&url, &good);
    let keys = said_of(command.env("LEDGERLINE_KEYS", place.path("text")));
    for part in ["LEDGERLINE_KEYS", &place.path("text").display().to_string(), "exists"] {
        assert!(keys.contains(part), "{part}: {keys}");
    }
    place.done(&good);
}

fn said_of(command: &mut Command) -> String {
    said(&command.output().expect("the program runs"))
}

#[test]
fn a_database_that_cannot_be_opened_is_told_with_the_cause_and_without_secrets() {
    let place = Place::new();
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let postgres = |address: &str| format!("postgres://ana:geheim@{address}/ledger?password=geheim");
    let cases = [
        (place.url("folder"), "must name a file, and not a folder"),
        (place.url("text"), "file is not a database"),
        ("sqlite:".to_owned(), "must name a file, as in sqlite://data/ledgerline.db"),
        ("data/ledgerline.db".to_owned(), "must begin with sqlite:, postgres:// or postgresql://"),
        ("mysql://ana:geheim@localhost/ledger".to_owned(), "must begin with sqlite:, postgres:// or postgresql://"),
        (postgres(&closed.to_string()), "refused"),
        (
            postgres("localhost:port"),
            "must be as postgres://USER@HOST:PORT/NAME, in which the port must be a number up to 65535",
        ),
    ];
    let source = place.url("source.db");
    assert!(place.command(&source, &["migrate"]).status().unwrap().success());
    for (url, cause) in &cases {
        for (command, arguments) in [
            ("migrate", &[][..]),
            ("demo", &[]),
            ("import", &["events", "--product", "workspace"]),
            ("copy", &["--from", &source, "--to", url]),
        ] {
            // Five seconds are waited for a PostgreSQL: one command is enough.
            if url.contains(&closed.to_string()) && command != "import" {
                continue;
            }
            let listening = ["--listen", "127.0.0.1:0"];
            let said = place.refused(url, &[&listening[..], &[command], arguments].concat());
            assert!(said.contains("cannot be opened ("), "{command} {url}: {said}");
            assert!(said.contains(cause), "{command} {url}: {said}");
            assert!(!said.contains("geheim"), "{command} {url}: {said}");
        }
    }
}

#[test]
fn a_copy_from_nothing_or_onto_itself_is_refused() {
    let place = Place::new();
    let unused = place.url("unused.db");
    let source = place.url("source.db");
    assert!(place.command(&source, &["migrate"]).status().unwrap().success());
    let again = format!("sqlite:{}", place.path("folder/../source.db").display());
    for (from, to, expected) in [
        (&source, &source, "--to must be another database than --from"),
        (&source, &again, "--to must be another database than --from"),
        (&place.url("nothing.db"), &unused, "--from: must name a database: No such file"),
        (&place.url("empty"), &unused, "--from: must name a database: the file is empty"),
    ] {
        let said = place.refused(&unused, &["copy", "--from", from, "--to", to]);
        assert!(said.contains(expected), "{said}");
    }
    assert!(!place.path("unused.db").exists() && !place.path("nothing.db").exists(), "nothing was made");
}

/// Ends of pipes that nobody reads.
fn unheard(mut command: Command) -> std::process::Child {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    drop((child.stdout.take(), child.stderr.take()));
    child
}

#[test]
fn nobody_who_listens_is_no_panic() {
    let place = Place::new();
    let url = place.url("ledgerline.db");
    let copied = place.url("copied.db");
    for (arguments, code) in [
        (&["schema"][..], 0),
        (&["migrate"], 0),
        (&["token", "--product", "workspace", "--scopes", "audit:read"], 0),
        (&["import", "events", "--product", "workspace"], 0),
        (&["import", "text", "--product", "workspace"], 1),
        (&["copy", "--from", &url, "--to", &copied], 0),
        (&["copy", "--from", &url, "--to", &url], 1),
    ] {
        let status = unheard(place.command(&url, arguments)).wait().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_told() {
    let place = Place::new();
    let url = place.url("ledgerline.db");
    for arguments in [
        &["schema"][..],
        &["migrate"],
        &["token", "--product", "workspace", "--scopes", "audit:read"],
        &["import", "events", "--product", "workspace"],
    ] {
        let mut command = place.command(&url, arguments);
        command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(said(&output).contains("standard output cannot be written: No space left"), "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_that_nobody_listens_to_serves() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = place.command(&place.url("demo.db"), &["demo"]);
    command.env("LEDGERLINE_LISTEN", &free);
    let mut child = unheard(command);
    let http = reqwest::Client::new();
    eventually(async || {
        assert!(child.try_wait().unwrap().is_none(), "it goes on");
        http.get(format!("http://{free}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    // Every answer is logged, and nobody reads the log.
    for _ in 0..3 {
        assert_eq!(http.get(format!("http://{free}/playground")).send().await.unwrap().status(), 200);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_change_of_a_product_file_tells_who_may_do_what_from_then_on() {
    let place = Place::new();
    let before = place.path("before");
    fs::create_dir(&before).unwrap();
    for file in fs::read_dir(catalogs::folder()).expect("products") {
        let file = file.expect("a file").path();
        let text = fs::read_to_string(&file).expect("a text");
        fs::write(before.join(file.file_name().expect("a name")), text).unwrap();
    }
    let ask = |arguments: &[&str]| {
        let output = place.command("sqlite://nowhere/no.db", arguments).output().expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text, said(&output))
    };
    let folder = before.display().to_string();
    let (code, told, _) = ask(&["access", "--before", &folder]);
    assert_eq!((code, told.as_str()), (Some(0), "nobody may do anything else than before\n"));
    // Once, only auditors could read.
    let path = before.join("workspace.toml");
    let text = fs::read_to_string(&path).expect("a text");
    assert!(text.contains("roles = [\"admin\"]"));
    fs::write(&path, text.replace("roles = [\"admin\"]", "roles = [\"auditor\"]")).unwrap();
    let (code, told, _) = ask(&["access", "--before", &folder]);
    assert_eq!(code, Some(3), "{told}");
    let who = |role: &str| format!("workspace | scopes audit:read | role {role} | plan - | logs all | ");
    assert!(told.contains(&format!("{}FORBIDDEN -> yes: look up by id, read", who("admin"))), "{told}");
    assert!(told.contains(&format!("{}yes -> FORBIDDEN: look up by id, read", who("auditor"))), "{told}");
    assert!(told.contains("manage tokens") && !told.contains("role any other") && !told.contains("record,"), "{told}");
    assert!(!told.contains("capydb") && !told.contains("audit:staff"), "{told}");
    // The whole table; and a product that was not there.
    let (code, told, _) = ask(&["access", "--product", "workspace"]);
    assert!(code == Some(0) && told.lines().all(|line| line.starts_with("workspace | ")), "{told}");
    assert!(told.contains(&format!("{}yes: read, look up by id", who("admin"))), "{told}");
    fs::remove_file(&path).unwrap();
    let (code, told, _) = ask(&["access", "--product", "workspace", "--before", &folder]);
    assert!(code == Some(3) && told.contains("no such product -> yes: "), "{told}");
    let (code, _, said) = ask(&["access", "--product", "nope"]);
    assert!(code == Some(1) && said.contains("must be one of "), "{said}");
}
