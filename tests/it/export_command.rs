//! `ledgerline export`: straight from the database, by whoever runs the service.

use std::{path::PathBuf, process::Output};

use serde_json::{Value, json};

use crate::{
    harness::{TestApp, event, on_both_databases},
    process::ledgerline,
};

on_both_databases! {
    the_command_writes_the_same_file_as_the_service,
    a_file_that_cannot_be_written_or_understood_is_refused,
}

async fn export(app: &TestApp, arguments: &[&str]) -> Output {
    let mut command = ledgerline(&app.url, &app.folder());
    command.args(["export", "--product", "workspace", "--organization", "acme"]).args(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

fn path(app: &TestApp, name: &str) -> PathBuf {
    app.folder().join(name)
}

async fn the_command_writes_the_same_file_as_the_service(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    for n in 0..30 {
        let mut input = event(if n % 3 == 0 { "user.login" } else { "user.logout" });
        input["metadata"] = json!({ "n": n });
        admin.record(input).await;
    }
    app.admin("workspace", "globex").record(event("user.login")).await;
    let token = format!("Bearer {}", admin.token());
    for (format, word) in [("csv", "CSV"), ("ndjson", "NDJSON"), ("ocsf", "OCSF"), ("cloudevents", "CLOUDEVENTS")] {
        let file = path(app, format);
        let name = file.to_str().expect("a path");
        let done = export(app, &["--format", format, "--output", name, "--action", "user.login"]).await;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        assert!(said.contains("exported 10 events"), "{said}");
        let written = std::fs::read(&file).expect("the file");
        let request = axum::http::Request::get(format!("/v1/audit-events/export?format={word}&actions=user.login"));
        let request = request.header("authorization", &token).body(axum::body::Body::empty()).expect("a request");
        assert_eq!(written, app.send(request).await.body, "{format}");
        let manifest = std::fs::read(path(app, &format!("{format}.manifest.json"))).expect("a manifest");
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!((&manifest["count"], &manifest["bytes"]), (&json!(10), &json!(written.len())));
        assert_eq!(manifest["filter"], json!({ "actions": ["user.login"] }));
        assert!(!path(app, &format!("{format}.partial")).exists());
        let done = export(app, &["--format", format, "--output", "-", "--action", "user.login"]).await;
        assert!(done.status.success());
        assert_eq!(done.stdout, written);
    }
}

async fn a_file_that_cannot_be_written_or_understood_is_refused(app: &TestApp) {
    app.admin("workspace", "acme").record(event("user.login")).await;
    let nowhere = path(app, "nowhere/file");
    let nowhere = nowhere.to_str().expect("a path");
    for (arguments, expected) in [
        (&["--format", "csv", "--output", nowhere][..], "cannot be written"),
        (&["--format", "xml", "--output", "-"], "possible values: csv, ndjson, ocsf, cloudevents"),
        (&["--format", "csv", "--output", "-", "--outcome", "LOST"], "--outcome must be one of SUCCESS"),
        (&["--format", "csv", "--output", "-", "--log", "p1"], "--log must be level:id"),
        (&["--format", "csv", "--output", "-", "--time-zone", "Mars/Olympus"], "IANA time zone"),
        (&["--format", "csv", "--output", "-", "--from", "yesterday"], "RFC 3339"),
    ] {
        let done = export(app, arguments).await;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{arguments:?}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
