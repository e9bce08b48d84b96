//! `ledgerline endpoints`: by whoever runs the service, beside it, and told in the organization's log.

use std::{io::Write, process::Output, process::Stdio};

use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::{
    harness::{TestApp, event, eventually, on_both_databases, receiver::Receiver},
    process::ledgerline,
};

on_both_databases! {
    an_endpoint_is_managed_from_begin_to_end,
    another_organization_has_none_of_it,
    plans_of_the_organization_are_kept,
    what_cannot_be_done_is_told,
}

/// The only service on a database of its own, which may send to this machine.
async fn serving(app: &TestApp) -> TestApp {
    let here = |settings: &mut ledgerline::config::Settings| {
        settings.endpoint_networks = vec!["127.0.0.0/8".to_owned()];
    };
    TestApp::with(app.database, app.products.clone(), here).await
}

async fn endpoints(app: &TestApp, arguments: &[&str], input: &str) -> Output {
    let mut command = ledgerline(&app.url, &app.folder());
    command.env("LEDGERLINE_ENDPOINT_NETWORKS", "127.0.0.0/8").arg("endpoints").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().expect("it starts");
        // One that reads nothing has closed it.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    };
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

/// What a command says that succeeds, for an organization of `workspace`.
async fn done(app: &TestApp, organization: &str, arguments: &[&str]) -> String {
    let whose = ["--product", "workspace", "--organization", organization];
    let output = endpoints(app, &[arguments, &whose].concat(), "").await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

async fn as_json(app: &TestApp, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(app, "acme", &[arguments, &["--json"]].concat()).await).expect("JSON")
}

async fn refused(app: &TestApp, arguments: &[&str], input: &str) -> String {
    let output = endpoints(app, arguments, input).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
    said
}

async fn an_endpoint_is_managed_from_begin_to_end(app: &TestApp) {
    let app = serving(app).await;
    let receiver = Receiver::start().await;
    let admin = app.admin("workspace", "acme");
    admin.record(event("before.it")).await;
    let question = r#"{ "filter": { "actions": ["wanted.*"] } }"#;
    let arguments = ["create", "--label", "Theirs", "--webhook", &receiver.url, "--question", question];
    let made = as_json(&app, &arguments).await;
    let (id, secret) = (made["endpoint"]["id"].as_str().expect("an id"), made["secret"].as_str().expect("a secret"));
    admin.record(event("other.one")).await;
    admin.record(event("wanted.one")).await;
    // The service hears of it by itself.
    let sent = receiver.has(1).await.remove(0);
    Webhook::new(secret).expect("a secret").verify(&sent.body, &sent.headers).expect("a signature");
    assert_eq!(sent.json()["data"]["action"], "wanted.one");
    eventually(async || as_json(&app, &["list"]).await[0]["nextSequence"] == 4).await;
    let listed = done(&app, "acme", &["list"]).await;
    let lines: Vec<_> = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines[0], ["id", "kind", "status", "label", "nextSequence", "trouble"]);
    assert_eq!(lines[1], [id, "WEBHOOK", "ACTIVE", "Theirs", "4", "-"]);
    assert_eq!(done(&app, "acme", &["test", id]).await, "the test has arrived");
    assert_eq!(receiver.has(2).await[1].json()["type"], "audit_endpoint.test");
    assert_eq!(done(&app, "acme", &["pause", id]).await, format!("paused {id} (Theirs)"));
    assert_eq!(as_json(&app, &["list"]).await[0]["status"], "PAUSED");
    assert_eq!(done(&app, "acme", &["resume", id]).await, format!("resumed {id} (Theirs)"));
    assert_eq!(done(&app, "acme", &["update", id, "--label", "Ours"]).await, format!("changed {id} (Ours)"));
    let question = as_json(&app, &["list"]).await[0]["question"].clone();
    assert_eq!(question["filter"]["actions"], json!(["wanted.*"]), "what is not named stays");
    let rotated = done(&app, "acme", &["rotate-secret", id, "--overlap", "1h"]).await;
    let new = rotated.lines().last().and_then(|line| line.strip_prefix("secret ")).expect("a secret");
    admin.record(event("wanted.two")).await;
    let sent = receiver.has(3).await.remove(2);
    for secret in [secret, new] {
        Webhook::new(secret).expect("a secret").verify(&sent.body, &sent.headers).expect("a signature");
    }
    receiver.forget();
    done(&app, "acme", &["replay", id, "--from", "0", "--to", "4"]).await;
    assert_eq!(receiver.has(1).await[0].json()["data"]["action"], "wanted.one");
    eventually(async || as_json(&app, &["list"]).await[0]["replay"].is_null()).await;
    let tries = as_json(&app, &["attempts", id]).await;
    let purposes: Vec<_> = tries.as_array().expect("tries").iter().map(|one| one["purpose"].clone()).collect();
    assert_eq!(purposes, ["REPLAY", "DELIVERY", "TEST", "DELIVERY"]);
    assert_eq!(as_json(&app, &["dead-letters", id]).await, json!([]));
    assert_eq!(done(&app, "acme", &["dead-letters", id]).await, "sequence  at  reason");
    done(&app, "acme", &["replay", id, "--dead-letters"]).await;
    done(&app, "acme", &["delete", id]).await;
    assert_eq!(as_json(&app, &["list"]).await, json!([]));
    // The log tells of all of it, who it was, and no secret.
    let query = "{ auditEvents(first: 50, filter: { actions: [\"audit_log.*\"] }, orderBy: { field: SEQUENCE, direction: ASC }) {
        nodes { action actor { kind externalId } metadata } } }";
    let told = admin.data(query, json!({})).await["auditEvents"]["nodes"].clone();
    let actions: Vec<_> = told.as_array().expect("events").iter().map(|event| event["action"].clone()).collect();
    let all = ["created", "updated", "updated", "updated", "secret_rotated", "replayed", "replayed", "deleted"];
    assert_eq!(actions, all.map(|done| format!("audit_log.endpoint_{done}")));
    for event in told.as_array().expect("events") {
        assert_eq!(event["actor"], json!({ "kind": "STAFF", "externalId": "ledgerline endpoints" }));
    }
    assert!(!told.to_string().contains(secret) && !told.to_string().contains(new));
    app.finish().await;
}

async fn another_organization_has_none_of_it(app: &TestApp) {
    let app = serving(app).await;
    let receiver = Receiver::start().await;
    let made = as_json(&app, &["create", "--label", "Theirs", "--webhook", &receiver.url]).await;
    let id = made["endpoint"]["id"].as_str().expect("an id");
    app.admin("workspace", "globex").record(event("globex.touched")).await;
    assert_eq!(done(&app, "globex", &["list", "--json"]).await, "[]");
    for arguments in [
        &["pause", id][..],
        &["resume", id],
        &["update", id, "--label", "Mine"],
        &["delete", id],
        &["rotate-secret", id],
        &["test", id],
        &["replay", id, "--dead-letters"],
        &["dead-letters", id],
        &["attempts", id],
    ] {
        let whose = ["--product", "workspace", "--organization", "globex"];
        let said = refused(&app, &[arguments, &whose].concat(), "").await;
        assert!(said.contains("endpoint"), "{arguments:?}: {said}");
    }
    assert_eq!(app.admin("workspace", "globex").actions("").await, ["globex.touched"]);
    app.finish().await;
}

async fn plans_of_the_organization_are_kept(app: &TestApp) {
    let app = serving(app).await;
    let (made, changed) = (Receiver::start().await, Receiver::start().await);
    let admin = app.admin("cloud-sessions", "acme");
    let create = "mutation($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }";
    let input = json!({ "label": "Theirs", "target": { "webhook": { "url": changed.url } } });
    let id = admin.data(create, json!({ "input": input })).await["createEndpoint"]["endpoint"]["id"].clone();
    changed.has(1).await;
    let whose = ["--product", "cloud-sessions", "--organization", "acme"];
    for arguments in [
        &["create", "--label", "Ours", "--webhook", &made.url][..],
        &["pause", id.as_str().expect("an id")],
        &["resume", id.as_str().expect("an id")],
    ] {
        let output = endpoints(&app, &[arguments, &whose].concat(), "").await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let action =
        app.products.get("cloud-sessions").expect("a product").catalog.actions.first().expect("one").name.clone();
    admin.record(event(&action)).await;
    // Staff have no plan of the organization, and take none from what they change or make.
    for receiver in [&made, &changed] {
        eventually(async || receiver.sequences().contains(&4)).await;
    }
    app.finish().await;
}

async fn what_cannot_be_done_is_told(app: &TestApp) {
    let whose = ["--product", "workspace", "--organization", "acme"];
    let file = app.folder().join("target");
    let secret = "hushhushhush";
    std::fs::write(&file, json!({ "splunkHec": { "url": "https://10.0.0.1:8088", "token": secret } }).to_string())
        .expect("written");
    let file = format!("@{}", file.display());
    for (arguments, input, expected) in [
        (&["list", "--organization", "acme"][..], "", "--product must be given"),
        (&["list", "--product", "workspace"], "", "--organization must be given"),
        (&["list", "--product", "nonsense", "--organization", "acme"], "", "there is no product \"nonsense\""),
        (&["list", "--product", "workspace", "--organization", ""], "", "organization"),
        (&["create", "--label", "x"], "", "--webhook"),
        (&["create", "--label", "x", "--webhook", "https://example.com", "--target", "{}"], "", "cannot be used with"),
        (&["create", "--label", "x", "--webhook", "https://10.0.0.1"], "", "url: must be a public address"),
        (&["create", "--label", "x", "--target", "nonsense"], "", "--target must be JSON, @FILE or -"),
        (&["create", "--label", "x", "--target", "@/nowhere"], "", "/nowhere cannot be read"),
        (&["create", "--label", "x", "--target", "-"], "{\"webhook\": {}}", "--target: "),
        (&["create", "--label", "x", "--target", "-"], "{\"carrierPigeon\": {}}", "--target: "),
        (&["create", "--label", "x", "--target", &file], "", "url: must be a public address"),
        (&["create", "--label", " ", "--webhook", "https://example.com"], "", "label: "),
        (
            &[
                "create",
                "--label",
                "x",
                "--webhook",
                "https://example.com",
                "--question",
                "{\"filter\":{\"nonsense\":1}}",
            ],
            "",
            "nonsense",
        ),
        (&["pause", "ep_nonsense"], "", "endpoint"),
        (&["replay", "ep_nonsense"], "", "--from"),
        (&["replay", "ep_nonsense", "--from", "1"], "", "--to"),
        (&["rotate-secret", "ep_nonsense", "--overlap", "long"], "", "--overlap"),
    ] {
        let all = if arguments.contains(&"--product") || arguments.contains(&"--organization") {
            arguments.to_vec()
        } else {
            [arguments, &whose].concat()
        };
        let said = refused(app, &all, input).await;
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains(secret), "{said}");
    }
    assert!(app.admin("workspace", "acme").actions("").await.is_empty(), "nothing was done");
}
