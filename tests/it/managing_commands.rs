//! `ledgerline holds`, `retention` and `organizations`: by whoever runs the service, beside it, and told in the organization's
//! log.

use std::process::Output;

use serde_json::{Value, json};

use crate::{
    harness::{TestApp, event, on_both_databases},
    process::ledgerline,
};

on_both_databases! {
    a_hold_is_placed_and_lifted_by_command,
    retention_is_shown_and_set_by_command,
    the_operator_is_one_of_the_two_who_end_an_organization,
}

async fn run(app: &TestApp, arguments: &[&str]) -> Output {
    let mut command = ledgerline(&app.url, &app.folder());
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
}

fn whose(organization: &str) -> [&str; 4] {
    ["--product", "workspace", "--organization", organization]
}

/// What a command says that succeeds.
async fn done(app: &TestApp, organization: &str, arguments: &[&str]) -> String {
    let output = run(app, &[arguments, &whose(organization)].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

async fn as_json(app: &TestApp, organization: &str, arguments: &[&str]) -> Value {
    let said = done(app, organization, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&said).unwrap_or_else(|fault| panic!("{fault}: {said}"))
}

async fn refused(app: &TestApp, arguments: &[&str]) -> String {
    let output = run(app, arguments).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
    said
}

async fn a_hold_is_placed_and_lifted_by_command(app: &TestApp) {
    let acme = app.admin("workspace", "acme");
    acme.record(event("one")).await;
    app.admin("workspace", "globex").record(event("theirs")).await;
    let question = r#"{ "filter": { "actor": { "kinds": ["USER"] } } }"#;
    let placed = as_json(app, "acme", &["holds", "place", "--label", "Fall Ö 17", "--question", question]).await;
    assert_eq!((placed["label"].as_str(), placed["createdBy"].as_str()), (Some("Fall Ö 17"), Some("ledgerline holds")));
    let said = done(app, "acme", &["holds", "place", "--label", "All"]).await;
    assert!(said.starts_with("placed hold_") && said.ends_with(" (All)"), "{said}");
    let listed = as_json(app, "acme", &["holds", "list"]).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    // The same is seen by the API, and by nobody else.
    let seen = acme.data("{ auditHolds { id label createdBy question } }", json!({})).await["auditHolds"].clone();
    assert_eq!((&seen[0]["id"], &seen[0]["question"]), (&placed["id"], &placed["question"]));
    assert_eq!(as_json(app, "globex", &["holds", "list"]).await, json!([]));
    let id = placed["id"].as_str().expect("an id");
    let said = refused(app, &[&["holds", "lift", id][..], &whose("globex")].concat()).await;
    assert!(said.contains("there is no such hold"), "{said}");
    let said = done(app, "acme", &["holds", "lift", id]).await;
    assert_eq!(said, format!("lifted {id} (Fall Ö 17)"));
    assert!(done(app, "acme", &["holds", "list"]).await.contains("All"));
    let told = acme.actions("first: 9").await;
    assert_eq!(told, ["audit_log.hold_lifted", "audit_log.hold_placed", "audit_log.hold_placed", "one"]);
    let place = ["holds", "place", "--label", "x"];
    for (arguments, why) in [
        (&["holds", "list", "--organization", "acme"][..], "--product must be given"),
        (&["holds", "list", "--product", "workspace"], "--organization must be given"),
        (&["holds", "list", "--product", "nothing", "--organization", "acme"], "there is no product \"nothing\""),
        (&[&place[..], &["--question", "{"], &whose("acme")].concat(), "--question must be JSON"),
        (&[&place[..], &["--question", "{ \"search\": \"x\" }"], &whose("acme")].concat(), "asks for no search"),
        (&[&place[..], &["--question", "{ \"nothing\": 1 }"], &whose("acme")].concat(), "--question"),
        (&[&["holds", "place", "--label", ""][..], &whose("acme")].concat(), "label"),
    ] {
        let said = refused(app, arguments).await;
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

async fn retention_is_shown_and_set_by_command(app: &TestApp) {
    let acme = app.admin("workspace", "acme");
    acme.record(event("one")).await;
    let shown = as_json(app, "acme", &["retention", "show"]).await;
    assert_eq!(shown["levels"][0], json!({ "level": "organisation", "kept": "forever", "wished": null }));
    let set = as_json(app, "acme", &["retention", "set", "--level", "project", "--days", "30"]).await;
    assert_eq!(set["levels"][1], json!({ "level": "project", "kept": "30 days", "wished": "30 days" }));
    let said = done(app, "acme", &["retention", "set", "--days", "400"]).await;
    assert!(said.contains("organisation  400 days") && said.contains("wished for all levels: 400 days"), "{said}");
    let seen = acme.data("{ auditRetention { wishedDays levels { level days } } }", json!({})).await;
    assert_eq!(seen["auditRetention"]["wishedDays"], 400);
    assert_eq!(as_json(app, "globex", &["retention", "show"]).await["wished"], Value::Null);
    done(app, "acme", &["retention", "set", "--forever"]).await;
    let set = as_json(app, "acme", &["retention", "set", "--level", "project", "--as-product"]).await;
    assert_eq!(set["levels"][1], json!({ "level": "project", "kept": "forever", "wished": null }));
    assert_eq!(acme.actions("first: 9").await.len(), 5);
    for (arguments, why) in [
        (&["--days", "0"][..], "days: must be 1 to"),
        (&["--days", "30", "--level", "nothing"], "level: must be one of organisation, project"),
        (&["--days", "30", "--forever"], "cannot be used with"),
        (&[], "required"),
    ] {
        let said = refused(app, &[&["retention", "set"], arguments, &whose("acme")].concat()).await;
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
    // What a product does not offer, its operator does not either.
    let said =
        refused(app, &["retention", "set", "--days", "30", "--product", "capydb", "--organization", "acme"]).await;
    assert!(said.contains("does not offer retention"), "{said}");
}

async fn the_operator_is_one_of_the_two_who_end_an_organization(app: &TestApp) {
    let acme = app.admin("workspace", "acme");
    acme.record(event("one")).await;
    let whose = whose("acme");
    let said = refused(app, &[&["organizations", "show"][..], &whose].concat()).await;
    assert!(said.contains("acme is not about to end"), "{said}");
    let end = as_json(app, "acme", &["organizations", "end"]).await;
    assert_eq!((end["requestedBy"].as_str(), &end["dueAt"]), (Some("ledgerline organizations"), &Value::Null));
    let said = refused(app, &[&["organizations", "confirm"][..], &whose].concat()).await;
    assert!(said.contains("somebody else has to"), "{said}");
    let confirm = "mutation { confirmOrganizationDeletion(input: {}) { organizationEnd { dueAt } } }";
    let due = acme.data(confirm, json!({})).await["confirmOrganizationDeletion"]["organizationEnd"]["dueAt"].clone();
    let shown = as_json(app, "acme", &["organizations", "show"]).await;
    assert_eq!((shown["confirmedBy"].as_str(), shown["hasBegun"].as_bool()), (Some("admin"), Some(false)));
    assert_eq!(shown["dueAt"], due);
    let said = refused(app, &[&["organizations", "certificate"][..], &whose].concat()).await;
    assert!(said.contains("acme has not ended"), "{said}");
    assert!(done(app, "acme", &["organizations", "show"]).await.contains("requestedBy"));
    assert_eq!(done(app, "acme", &["organizations", "cancel"]).await, "acme does not end");
    // The other way round; and when its time has come, the command that sweeps ends it.
    let ask = "mutation { deleteOrganization(input: {}) { organizationEnd { dueAt } } }";
    acme.data(ask, json!({})).await;
    as_json(app, "acme", &["organizations", "confirm"]).await;
    crate::harness::sql::change(&app.url, "UPDATE organization_end SET due_ns = 1").await;
    let swept = run(app, &["sweep"]).await;
    assert!(String::from_utf8_lossy(&swept.stderr).contains("1 organizations have ended"), "{swept:?}");
    let certificate = as_json(app, "acme", &["organizations", "certificate"]).await;
    assert_eq!((certificate["events"].as_i64(), certificate["lastSequence"].as_i64()), (Some(6), Some(5)));
    assert_eq!(
        (certificate["requested"]["as"].as_str(), certificate["confirmed"]["as"].as_str()),
        (Some("admin"), Some("staff"))
    );
    assert!(!certificate.to_string().contains("ledgerline organizations"));
    let said = refused(app, &[&["organizations", "end"][..], &whose].concat()).await;
    assert!(said.contains("the organization has ended"), "{said}");
}
