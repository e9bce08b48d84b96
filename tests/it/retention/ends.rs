//! An organization ends: two administrators agree, time passes, and nothing of it is left but a certificate.

use std::{sync::atomic::Ordering, time::Duration};

use axum::http::StatusCode;
use ledgerline::store::Ending;
use serde_json::{Value, json};

use super::{LIFT, Moved, PLACE};
use crate::{
    harness::{Answer, Caller, Database, TestApp, as_of_a_cluster, event, eventually, on_both_databases, sql::column},
    process::ledgerline,
};

on_both_databases! {
    nothing_but_a_certificate_is_left_and_nobody_else_lost_anything,
    nobody_ends_an_organization_alone,
    who_may_not_ends_nothing,
    a_hold_keeps_the_organization_until_it_is_lifted,
    an_end_that_is_cut_off_at_any_moment_goes_on,
    a_clock_that_jumped_ends_nothing,
    nothing_is_recorded_for_what_has_ended,
    a_copy_has_the_certificate,
}

as_of_a_cluster! {
    nothing_but_a_certificate_is_left_and_nobody_else_lost_anything,
}

const END: &str = "organizationEnd { organization requestedBy confirmedBy dueAt hasBegun }";
const CERTIFICATE: &str = "{ organizationCertificate { organization events firstSequence firstRecordedAt lastSequence
    lastRecordedAt requestedAt requestedAs confirmedAt confirmedAs begunAt endedAt } }";

async fn ask(admin: &Caller<'_>, field: &str) -> Answer {
    let query = format!("mutation($input: OrganizationEndInput!) {{ {field}(input: $input) {{ {END} }} }}");
    admin.ask(&query, json!({ "input": {} })).await
}

async fn request(admin: &Caller<'_>) -> Value {
    ask(admin, "deleteOrganization").await.data()["deleteOrganization"]["organizationEnd"].clone()
}

async fn confirm(admin: &Caller<'_>) -> Value {
    ask(admin, "confirmOrganizationDeletion").await.data()["confirmOrganizationDeletion"]["organizationEnd"].clone()
}

async fn certificate(admin: &Caller<'_>) -> Value {
    admin.data(CERTIFICATE, json!({})).await["organizationCertificate"].clone()
}

/// Agreed by two, and due.
async fn due(moved: &Moved, organization: &str) {
    request(&moved.admin(organization).subject("anna")).await;
    confirm(&moved.admin(organization).subject("berta")).await;
    moved.day(6);
}

async fn ended(moved: &Moved) -> i64 {
    moved.sweeper().end_organizations().await.expect("no fault")
}

/// Every row of every table as text, but of the partitions that PostgreSQL shows in their table. Of one organization, or of
/// what belongs to none.
async fn rows(app: &TestApp, organization_no: Option<i64>) -> Vec<(String, Vec<String>)> {
    let (tables, columns): (&str, fn(&str) -> String) = match app.database {
        Database::Sqlite => (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'event\\_search%' ESCAPE '\\' \
             AND name NOT LIKE 'sqlite%' AND name NOT IN ('write_probe', 'seaql_migrations') ORDER BY 1",
            |table| format!("SELECT name FROM pragma_table_xinfo('{table}')"),
        ),
        Database::Postgres => (
            "SELECT relname::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'public' \
             WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'seaql_migrations' ORDER BY 1",
            |table| format!("SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}'"),
        ),
    };
    let mut all = Vec::new();
    for table in column::<String>(&app.url, tables).await {
        let names = column::<String>(&app.url, &columns(&table)).await;
        let owner = if table == "organization" { "no" } else { "organization_no" };
        let is_owned = names.iter().any(|name| name == owner);
        if is_owned != organization_no.is_some() {
            continue;
        }
        let row = match app.database {
            Database::Sqlite => {
                names.iter().map(|name| format!("quote({name})")).collect::<Vec<_>>().join(" || '|' || ")
            }
            Database::Postgres => "t::text".to_owned(),
        };
        let whose = organization_no.map(|no| format!(" WHERE {owner} = {no}")).unwrap_or_default();
        let found = column::<String>(&app.url, &format!("SELECT {row} FROM {table} t{whose} ORDER BY 1")).await;
        all.push((table, found));
    }
    assert!(all.len() >= if organization_no.is_some() { 20 } else { 5 }, "{all:?}");
    all
}

async fn number(app: &TestApp, organization: &str) -> i64 {
    column(&app.url, &format!("SELECT no FROM organization WHERE external_id = '{organization}'")).await[0]
}

/// All that an organization can have, with a word of its own in each.
async fn fill(moved: &Moved, organization: &str) -> (String, String) {
    let admin = moved.admin(organization);
    for n in 0..230 {
        let mut input = event(["user.login", "thing.made"][n % 2]);
        input["actor"] =
            json!({ "kind": "USER", "id": format!("u{}", n % 7), "name": format!("Marker-{organization}") });
        input["metadata"] = json!({ "what": format!("Marker-{organization}") });
        input["idempotencyKey"] = json!(format!("{organization}-{n}"));
        if n % 3 == 0 {
            input["log"] = json!({ "level": "project", "id": format!("Marker-{organization}-{}", n % 2) });
        }
        assert_eq!(admin.record(input).await["status"], "RECORDED");
    }
    let label = format!("Marker-{organization}");
    let make = async |field: &str, of: &str, input: Value, what: &str| {
        let query = format!("mutation($input: {of}!) {{ it: {field}(input: $input) {{ {what} }} }}");
        admin.data(&query, json!({ "input": input })).await["it"].clone()
    };
    let token = json!({ "label": label, "kind": "KEY", "scopes": ["audit:read"], "expiresIn": 9_000_000 });
    let token = make("createAuditToken", "CreateAuditTokenInput", token, "secret").await;
    let target = json!({ "webhook": { "url": format!("https://{}.example.com/", label.to_lowercase()) } });
    let endpoint =
        make("createEndpoint", "CreateEndpointInput", json!({ "label": label, "target": target }), "endpoint { id }");
    let endpoint = endpoint.await["endpoint"]["id"].clone();
    // It never fires: what the other organization has is to stay as it is.
    let never = json!({ "filter": { "actions": ["never.happens"] } });
    let rule = json!({ "label": label, "question": never, "target": { "endpoint": endpoint } });
    make("createAlertRule", "CreateAlertRuleInput", rule, "rule { id }").await;
    for shared in [false, true] {
        let view = json!({ "label": label, "query": format!("actor-name={label}"), "shared": shared });
        make("createSavedView", "CreateSavedViewInput", view, "view { id }").await;
    }
    make("setAuditRetention", "SetAuditRetentionInput", json!({ "days": 900 }), "retention { wishedDays }").await;
    let export = make("createAuditExport", "CreateAuditExportInput", json!({ "format": "CSV" }), "export { id }").await;
    let export = export["export"]["id"].as_str().expect("an id").to_owned();
    let find = "query($id: ID!) { auditExport(id: $id) { status downloadUrl } }";
    eventually(async || admin.data(find, json!({ "id": export })).await["auditExport"]["status"] == "DONE").await;
    (token["secret"].as_str().expect("a secret").to_owned(), export)
}

async fn nothing_but_a_certificate_is_left_and_nobody_else_lost_anything(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let (key, export) = fill(&moved, "acme").await;
    let (other_key, _) = fill(&moved, "globex").await;
    due(&moved, "acme").await;
    let (acme, globex) = (number(app, "acme").await, number(app, "globex").await);
    // What others write beside it is written by then.
    moved.sweeper().trust_clock().await.expect("trusted");
    let lasting = |rows: Vec<(String, Vec<String>)>| -> Vec<(String, Vec<String>)> {
        let beside = ["delivery", "attempt", "alert_watch", "export", "partner_token", "dead_letter"];
        rows.into_iter().filter(|(table, _)| !beside.contains(&table.as_str())).collect()
    };
    let counted = |rows: &[(String, Vec<String>)]| -> Vec<(String, usize)> {
        rows.iter().map(|(table, rows)| (table.clone(), rows.len())).filter(|(table, _)| table != "attempt").collect()
    };
    let before = rows(app, Some(globex)).await;
    let of_nobody: Vec<_> = rows(app, None).await.into_iter().filter(|(table, _)| table != "sweep_clock").collect();
    let size: i64 =
        column(&app.url, &format!("SELECT size FROM organization_head WHERE organization_no = {acme}")).await[0];
    // Files of exports are removed once an hour, by a service that runs.
    let hour = 3_600_000_000_001;
    eventually(async || {
        moved.ahead.fetch_add(hour, Ordering::SeqCst);
        ended(&moved).await == 1
    })
    .await;
    // Of the organization, three rows.
    let mut left = rows(app, Some(acme)).await;
    left.retain(|(_, rows)| !rows.is_empty());
    let tables: Vec<_> = left.iter().map(|(table, rows)| (table.as_str(), rows.len())).collect();
    assert_eq!(tables, [("organization", 1), ("organization_end", 1), ("organization_head", 1)]);
    for text in left.iter().flat_map(|(_, rows)| rows) {
        for person in ["Marker", "anna", "berta", "u1"] {
            assert!(!text.contains(person), "{text}");
        }
    }
    // Of all others, everything, table by table.
    let after = rows(app, Some(globex)).await;
    assert_eq!(counted(&after), counted(&before));
    assert_eq!(lasting(after), lasting(before));
    let there: Vec<_> = rows(app, None).await.into_iter().filter(|(table, _)| table != "sweep_clock").collect();
    assert_eq!(there, of_nobody);
    if app.database == Database::Sqlite {
        // A term begins with the organization's number after the count of its digits.
        let terms = async |no: i64| {
            column::<i64>(&app.url, &format!("SELECT count(*) FROM event_search_terms WHERE term LIKE '1{no}%'")).await
                [0]
        };
        assert!(terms(acme).await == 0 && terms(globex).await > 0);
        assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM removal_grant").await, [0]);
    }
    assert!(!moved.app.folder().join("exports").join(&export).join("manifest.json").exists());
    // The certificate tells what was there, and as what somebody asked and confirmed.
    let told = certificate(&moved.admin("acme")).await;
    assert_eq!(told["organization"], "acme");
    assert_eq!(
        (told["events"].as_str(), told["lastSequence"].as_str()),
        (Some(&*size.to_string()), Some(&*(size - 1).to_string()))
    );
    assert_eq!((told["firstSequence"].as_str(), told["requestedAs"].as_str()), (Some("0"), Some("admin")));
    for time in ["firstRecordedAt", "lastRecordedAt", "requestedAt", "confirmedAt", "begunAt", "endedAt"] {
        assert!(told[time].as_str().is_some(), "{told}");
    }
    assert!(!told.to_string().contains("anna") && !told.to_string().contains("berta"), "{told}");
    assert_eq!(
        moved.admin("acme").data("{ organizationEnd { dueAt } }", json!({})).await["organizationEnd"],
        Value::Null
    );
    // Nobody else sees it, and its tokens are none any more.
    let other =
        moved.admin("globex").ask("{ organizationCertificate(organization: \"acme\") { events } }", json!({})).await;
    assert_eq!(other.code(), "NOT_FOUND");
    assert_eq!(certificate(&moved.admin("globex")).await, Value::Null);
    let list = "{ auditEvents { totalCount } }";
    eventually(async || moved.app.graphql(Some(&key), list, json!({})).await.status == StatusCode::UNAUTHORIZED).await;
    assert!(
        moved.app.graphql(Some(&other_key), list, json!({})).await.data()["auditEvents"]["totalCount"].as_i64()
            > Some(100)
    );
    moved.app.finish().await;
}

async fn nobody_ends_an_organization_alone(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let (anna, berta) = (moved.admin("acme").subject("anna"), moved.admin("acme").subject("berta"));
    anna.record(event("one")).await;
    assert_eq!(ask(&berta, "confirmOrganizationDeletion").await.code(), "NOT_FOUND");
    assert_eq!(ask(&berta, "cancelOrganizationDeletion").await.code(), "NOT_FOUND");
    let end = request(&anna).await;
    assert_eq!(
        end,
        json!({ "organization": "acme", "requestedBy": "anna", "confirmedBy": null, "dueAt": null, "hasBegun": false })
    );
    assert_eq!(ask(&berta, "deleteOrganization").await.code(), "BAD_USER_INPUT");
    let refused = ask(&anna, "confirmOrganizationDeletion").await;
    assert_eq!(refused.code(), "FORBIDDEN");
    assert!(refused.errors()[0]["message"].as_str().is_some_and(|text| text.contains("somebody else has to")));
    // Without a confirmation, time changes nothing.
    moved.day(6);
    moved.sweeper().trust_clock().await.expect("trusted");
    assert_eq!(ended(&moved).await, 0);
    let end = confirm(&berta).await;
    assert_eq!((end["confirmedBy"].as_str(), end["hasBegun"].as_bool()), (Some("berta"), Some(false)));
    assert_eq!(
        ask(&moved.admin("acme").subject("carla"), "confirmOrganizationDeletion").await.code(),
        "BAD_USER_INPUT"
    );
    // Counted from the confirmation; until then all goes on.
    moved.day(11);
    assert_eq!(ended(&moved).await, 0);
    anna.record(event("two")).await;
    let cancelled = ask(&anna, "cancelOrganizationDeletion").await.data();
    assert_eq!(cancelled["cancelOrganizationDeletion"]["organizationEnd"], Value::Null);
    moved.day(13);
    assert_eq!(ended(&moved).await, 0);
    // Once more, from the beginning: an earlier confirmation is none of this one.
    request(&berta).await;
    moved.day(20);
    moved.sweeper().trust_clock().await.expect("trusted");
    assert_eq!(ended(&moved).await, 0);
    let actions = anna.actions("first: 20").await;
    let told =
        ["requested", "cancelled", "confirmed", "requested"].map(|what| format!("audit_log.organization_end_{what}"));
    assert_eq!(actions, [told[0].as_str(), &told[1], "two", &told[2], &told[3], "one"]);
    moved.app.finish().await;
}

async fn who_may_not_ends_nothing(app: &TestApp) {
    let moved = Moved::beside(app).await;
    moved.admin("acme").record(event("one")).await;
    let mut there = event("nested");
    there["log"] = json!({ "level": "project", "id": "p1" });
    moved.admin("acme").record(there).await;
    let token = json!({ "label": "x", "kind": "KEY", "scopes": ["audit:read"], "expiresIn": 9_000 });
    let create = "mutation($input: CreateAuditTokenInput!) { createAuditToken(input: $input) { secret } }";
    let key = moved.admin("acme").data(create, json!({ "input": token })).await["createAuditToken"]["secret"].clone();
    let callers = [
        (moved.admin("globex"), "NOT_FOUND"),
        (moved.admin("acme").logs(&["project:p1"]), "FORBIDDEN"),
        (moved.admin("acme").role("member"), "FORBIDDEN"),
        (moved.admin("acme").scopes("audit:read audit:record"), "FORBIDDEN"),
    ];
    for field in ["deleteOrganization", "confirmOrganizationDeletion", "cancelOrganizationDeletion"] {
        let query = format!("mutation($input: OrganizationEndInput!) {{ {field}(input: $input) {{ {END} }} }}");
        for (caller, code) in &callers {
            let answer = caller.ask(&query, json!({ "input": { "organization": "acme" } })).await;
            assert_eq!(&answer.code(), code, "{field}");
        }
        let answer = moved.app.graphql(key.as_str(), &query, json!({ "input": {} })).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{field}");
    }
    for query in [
        "{ organizationEnd(organization: \"acme\") { dueAt } }",
        "{ organizationCertificate(organization: \"acme\") { events } }",
    ] {
        for (caller, code) in &callers {
            assert_eq!(&caller.ask(query, json!({})).await.code(), code, "{query}");
        }
    }
    // A product that does not name it offers no end.
    let other = TestApp::with(app.database, ledgerline::catalog::Products::built_in(), |_| {}).await;
    let answer = ask(&other.admin("workspace", "acme"), "deleteOrganization").await;
    assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.json());
    other.finish().await;
    assert_eq!(column::<i64>(&app.url, "SELECT count(*) FROM organization_end").await, [0]);
    moved.app.finish().await;
}

async fn a_hold_keeps_the_organization_until_it_is_lifted(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let admin = moved.admin("acme").subject("anna");
    admin.record_all((0..3).map(|n| event(&format!("did.{n}"))).collect()).await;
    let hold = async |label: &str| {
        // Whatever it is about: one event is enough.
        let input = json!({ "label": label, "filter": { "actions": ["did.1"] } });
        admin.data(PLACE, json!({ "input": input })).await["placeAuditHold"]["hold"]["id"].clone()
    };
    let first = hold("Case 1").await;
    let refused = ask(&admin, "deleteOrganization").await;
    assert_eq!((refused.code().as_str(), &refused.errors()[0]["extensions"]["hold"]), ("HELD", &first));
    admin.data(LIFT, json!({ "input": { "id": first } })).await;
    request(&admin).await;
    let second = hold("Case 2").await;
    let confirming = moved.admin("acme").subject("berta");
    assert_eq!(ask(&confirming, "confirmOrganizationDeletion").await.code(), "HELD");
    admin.data(LIFT, json!({ "input": { "id": second } })).await;
    confirm(&confirming).await;
    let third = hold("Case 3").await;
    moved.day(6);
    assert_eq!(ended(&moved).await, 0);
    assert_eq!(admin.data("{ organizationEnd { hasBegun } }", json!({})).await["organizationEnd"]["hasBegun"], false);
    assert_eq!(admin.record(event("goes.on")).await["status"], "RECORDED");
    admin.data(LIFT, json!({ "input": { "id": third } })).await;
    assert_eq!(ended(&moved).await, 1);
    assert_eq!(certificate(&admin).await["events"], "12");
    moved.app.finish().await;
}

async fn an_end_that_is_cut_off_at_any_moment_goes_on(app: &TestApp) {
    let moved = Moved::beside(app).await;
    let acme = moved.admin("acme");
    for _ in 0..2 {
        acme.record_all((0..500).map(|_| event("user.login")).collect()).await;
    }
    moved.admin("globex").record(event("theirs")).await;
    due(&moved, "acme").await;
    let store = &moved.app.app.store;
    let no = number(app, "acme").await;
    // The first step alone: nothing is recorded any more, though all is there.
    assert_eq!(store.end_some(no, moved.clock.now()).await.expect("a step"), Ending::Went(0));
    let refused = acme
        .ask(
            "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }",
            json!({ "input": event("too.late") }),
        )
        .await;
    assert_eq!(refused.code(), "EXPIRED", "{}", refused.json());
    for field in ["cancelOrganizationDeletion", "confirmOrganizationDeletion"] {
        assert_eq!(ask(&acme, field).await.code(), "NOT_FOUND", "{field}");
    }
    let place = acme.ask(PLACE, json!({ "input": { "label": "too late" } })).await;
    assert_eq!(place.code(), "EXPIRED", "{}", place.json());
    assert_eq!(acme.data("{ auditEvents { totalCount } }", json!({})).await["auditEvents"]["totalCount"], 0);
    let there = async || column::<i64>(&app.url, "SELECT count(*) FROM event WHERE action = 'user.login'").await[0];
    let head = format!("SELECT size - removed FROM organization_head WHERE organization_no = {no}");
    let mut seen = vec![there().await];
    for nanos in 0_u64.. {
        let sweeper = moved.sweeper();
        let cut = tokio::time::timeout(Duration::from_micros(500 + 997 * nanos), sweeper.end_organizations()).await;
        seen.push(there().await);
        if let Ok(done) = cut {
            assert!(done.expect("no fault") <= 1);
            break;
        }
    }
    // Another process finds nothing to do, or the rest.
    let beside = moved.app.beside_with_clock_and_products(moved.clock.clone(), moved.products.clone()).await;
    eventually(async || {
        let _ = ended(&moved).await;
        column::<i64>(&app.url, "SELECT count(*) FROM organization_end WHERE ended_ns IS NOT NULL").await == [1]
    })
    .await;
    assert!(seen.windows(2).all(|pair| pair[1] <= pair[0]) && there().await == 0, "{seen:?}");
    assert_eq!(column::<i64>(&app.url, &head).await, [0]);
    assert_eq!(store.end_some(no, moved.clock.now()).await.expect("a step"), Ending::Nothing);
    assert_eq!(certificate(&beside.admin("workspace", "acme").lasting()).await["events"], "1002");
    assert_eq!(moved.admin("globex").actions("first: 5").await, ["theirs"]);
    beside.finish().await;
    moved.app.finish().await;
}

async fn a_clock_that_jumped_ends_nothing(app: &TestApp) {
    let moved = Moved::beside(app).await;
    moved.admin("acme").record(event("one")).await;
    due(&moved, "acme").await;
    moved.day(400);
    assert!(moved.sweeper().end_organizations().await.is_err());
    assert_eq!(moved.admin("acme").record(event("goes.on")).await["status"], "RECORDED");
    // What is recorded now is recorded by that clock; whoever says that it is right is believed.
    moved.sweeper().trust_clock().await.expect("trusted");
    assert_eq!(ended(&moved).await, 1);
    moved.app.finish().await;
}

async fn nothing_is_recorded_for_what_has_ended(app: &TestApp) {
    let moved = Moved::beside(app).await;
    moved.admin("globex").record(event("first")).await;
    let id = moved.admin("acme").record(event("one")).await["event"]["id"].clone();
    due(&moved, "acme").await;
    assert_eq!(ended(&moved).await, 1);
    let no = number(app, "acme").await;
    let mut beside = moved.app.beside_with_clock_and_products(moved.clock.clone(), moved.products.clone()).await;
    for _ in 0..2 {
        let backend = beside.caller("workspace").without_organization().scopes("audit:record").lasting();
        let events = ["acme", "globex", "acme"].map(|organization| {
            let mut input = event("from.several");
            input["organization"] = json!(organization);
            input
        });
        let recorded = backend.record_all(events.to_vec()).await;
        // Each for itself: whoever goes on is not harmed.
        let statuses: Vec<_> =
            (0..3).map(|at| recorded["results"][at]["status"].as_str().unwrap_or_default()).collect();
        assert_eq!(statuses, ["", "RECORDED", ""], "{recorded:#}");
        assert_eq!(recorded["results"][0]["error"]["code"], "EXPIRED");
        let admin = beside.admin("workspace", "acme").lasting();
        assert_eq!(
            admin.data("{ auditEvents { totalCount nodes { id } } }", json!({})).await["auditEvents"],
            json!({ "totalCount": 0, "nodes": [] })
        );
        let found = admin.ask("query($id: ID!) { auditEvent(id: $id) { id } }", json!({ "id": id })).await;
        assert!(["EXPIRED", "NOT_FOUND"].contains(&found.code().as_str()), "{}", found.json());
        assert_eq!(
            admin.data("{ viewer { canRecord { allowed } } }", json!({})).await["viewer"]["canRecord"]["allowed"],
            true
        );
        beside = beside.again_with(moved.products.clone(), moved.clock.clone(), |_| {}).await;
    }
    // Its number is nobody else's, though it was the last one.
    moved.admin("new").record(event("one")).await;
    assert!(number(app, "new").await > no);
    assert_eq!(number(app, "acme").await, no);
    beside.finish().await;
    moved.app.finish().await;
}

async fn a_copy_has_the_certificate(app: &TestApp) {
    let moved = Moved::beside(app).await;
    moved.admin("globex").record(event("theirs")).await;
    moved.admin("acme").record_all(vec![event("one"), event("two")]).await;
    due(&moved, "acme").await;
    assert_eq!(ended(&moved).await, 1);
    let told = certificate(&moved.admin("acme")).await;
    for database in [Database::Sqlite, Database::Postgres] {
        let target = TestApp::start(database).await;
        let mut command = ledgerline("sqlite://not-used.db", &app.folder());
        command.args(["copy", "--from", &app.url, "--to", &target.url]);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let copied = target.beside_with_clock_and_products(moved.clock.clone(), moved.products.clone()).await;
        let admin = copied.admin("workspace", "acme").lasting();
        assert_eq!(certificate(&admin).await, told);
        assert_eq!(admin.record_all(vec![event("late")]).await["results"][0]["error"]["code"], "EXPIRED");
        assert_eq!(copied.admin("workspace", "globex").lasting().actions("first: 5").await, ["theirs"]);
        copied.finish().await;
        target.finish().await;
    }
    moved.app.finish().await;
}
