//! Recording: one door, numbered without a gap, once for each idempotency key, kept as it was sent.

mod kept;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Caller, TestApp, as_of_a_cluster, event, on_both_databases};

const FULL: &str = "id sequence action actionLabel category { code label shortLabel }
    actor { kind externalId name email label } onBehalfOf { kind externalId name email label }
    resource { type externalId name } resources { type externalId name }
    log { level externalId name parent { level externalId } } outcome occurredAt recordedAt ipAddress userAgent
    correlationId source sourceEventId recordedBy metadata metadataText truncated";

fn keyed(action: &str, key: &str) -> Value {
    let mut input = event(action);
    input["idempotencyKey"] = json!(key);
    input
}

fn merged(mut input: Value, more: Value) -> Value {
    for (field, value) in more.as_object().expect("an object") {
        input[field] = value.clone();
    }
    input
}

async fn newest(reader: &Caller<'_>) -> Value {
    reader
        .data(
            &format!(
                "{{ auditEvents(first: 1, orderBy: {{ field: SEQUENCE, direction: DESC }}) {{ nodes {{ {FULL} }} }} }}"
            ),
            json!({}),
        )
        .await["auditEvents"]["nodes"][0]
        .clone()
}

async fn total(reader: &Caller<'_>) -> u64 {
    reader.data("{ auditEvents(first: 0) { totalCount } }", json!({})).await["auditEvents"]["totalCount"]
        .as_u64()
        .expect("a number")
}

/// Records many and takes the answer as it is, atomic or not.
async fn record_many(caller: &Caller<'_>, events: Vec<Value>, atomic: bool) -> Value {
    let query = "mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded
        alreadyRecorded refused
        results { index status eventId sequence error { code message field rule suggestions existing } } } }";
    caller.data(query, json!({ "input": { "events": events, "atomic": atomic } })).await["recordAuditEvents"].clone()
}

on_both_databases! {
    the_sequence_is_dense_under_32_recorders_and_two_organizations,
    one_key_records_one_event,
    one_key_of_many_at_once_records_one_event,
    one_bad_event_is_refused_alone_or_refuses_all,
    a_backend_without_an_organization_names_one_for_each_event,
    what_was_answered_is_there_for_another_process,
    recording_never_asks_for_the_plan_and_an_upgrade_shows_what_was_before,
}

as_of_a_cluster! {
    one_key_records_one_event,
    one_bad_event_is_refused_alone_or_refuses_all,
}

async fn the_sequence_is_dense_under_32_recorders_and_two_organizations(app: &TestApp) {
    // The first events of both organizations race as well.
    let recorders = (0..32_u32).map(|recorder| {
        let organization = if recorder % 2 == 0 { "acme" } else { "globex" };
        let caller = app.admin("workspace", organization).subject(&format!("recorder-{recorder}"));
        async move {
            let mut given = Vec::new();
            for round in 0..6_u32 {
                let events: Vec<Value> =
                    (0..=round).map(|i| keyed("a.b", &format!("{recorder}-{round}-{i}"))).collect();
                let results = caller.record_all(events).await["results"].as_array().expect("results").clone();
                let sequences: Vec<i64> = results
                    .iter()
                    .map(|result| result["sequence"].as_str().expect("a sequence").parse().expect("a number"))
                    .collect();
                // Events of one request stand in its order.
                assert!(sequences.is_sorted());
                given.extend(
                    results
                        .iter()
                        .zip(sequences)
                        .map(|(result, sequence)| (sequence, result["eventId"].as_str().expect("an id").to_owned())),
                );
            }
            (organization, given)
        }
    });
    let mut given: BTreeMap<&str, BTreeMap<i64, String>> = BTreeMap::new();
    for (organization, events) in join_all(recorders).await {
        for (sequence, id) in events {
            assert!(
                given.entry(organization).or_default().insert(sequence, id).is_none(),
                "{sequence} was given twice"
            );
        }
    }
    for (organization, given) in &given {
        assert_eq!(given.len(), 16 * 21);
        assert!(given.keys().copied().eq(0..16 * 21), "{organization} has a gap");
        let reader = app.admin("workspace", organization);
        let (mut after, mut seen) = (Value::Null, Vec::new());
        loop {
            let page = reader
                .data(
                    "query($after: String) { auditEvents(first: 100, after: $after, \
                     orderBy: { field: SEQUENCE, direction: ASC }) { nodes { id sequence } \
                     pageInfo { hasNextPage endCursor } } }",
                    json!({ "after": after }),
                )
                .await["auditEvents"]
                .clone();
            seen.extend(page["nodes"].as_array().expect("nodes").iter().map(|node| {
                (
                    node["sequence"].as_str().expect("text").parse::<i64>().expect("a number"),
                    node["id"].as_str().expect("text").to_owned(),
                )
            }));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert!(seen.iter().cloned().eq(given.clone()), "what was answered is what is read");
    }
    let ids: BTreeSet<_> = given.values().flat_map(BTreeMap::values).collect();
    assert_eq!(ids.len(), 2 * 16 * 21);
}

async fn one_key_records_one_event(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let first = recorder.record(keyed("a.b", "k1")).await;
    assert_eq!(first["status"], "RECORDED");
    // Without occurredAt, a retry a moment later is still the same event.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let again = recorder.record(keyed("a.b", "k1")).await;
    assert_eq!(again["status"], "ALREADY_RECORDED");
    assert_eq!(again["event"], first["event"]);
    // In one batch, and across batches.
    let batch = record_many(
        &recorder,
        vec![keyed("a.b", "k2"), keyed("a.b", "k2"), keyed("c.d", "k2"), keyed("a.b", "k1"), event("free")],
        false,
    )
    .await;
    let statuses: Vec<_> = batch["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| result["status"].as_str().unwrap_or("refused"))
        .collect();
    assert_eq!(statuses, ["RECORDED", "ALREADY_RECORDED", "refused", "ALREADY_RECORDED", "RECORDED"]);
    assert_eq!((&batch["recorded"], &batch["alreadyRecorded"], &batch["refused"]), (&json!(2), &json!(2), &json!(1)));
    assert_eq!(batch["results"][1]["eventId"], batch["results"][0]["eventId"]);
    assert_eq!(batch["results"][3]["eventId"], first["event"]["id"]);
    assert_eq!(batch["results"][2]["error"]["code"], "CONFLICT");
    assert_eq!(batch["results"][2]["error"]["existing"], batch["results"][0]["eventId"]);
    let repeated = record_many(&recorder, vec![keyed("a.b", "k2"), keyed("c.d", "k2")], false).await;
    assert_eq!(
        (&repeated["results"][0]["status"], &repeated["results"][1]["error"]["code"]),
        (&json!("ALREADY_RECORDED"), &json!("CONFLICT"))
    );
    assert_eq!(total(&recorder).await, 3);
    // Another organization's keys are its own; who records does not matter.
    assert_eq!(app.admin("workspace", "globex").record(keyed("c.d", "k1")).await["status"], "RECORDED");
    assert_eq!(
        app.admin("workspace", "acme").subject("other").record(keyed("a.b", "k1")).await["status"],
        "ALREADY_RECORDED"
    );
    // Every field is content; naming one's own organization is not, nor is the order of metadata's keys.
    let full = |metadata: Value| {
        merged(
            keyed("e.f", "k3"),
            json!({ "metadata": metadata, "ipAddress": "192.0.2.1", "occurredAt": "2026-01-01T00:00:00Z" }),
        )
    };
    recorder.record(full(json!({ "a": 1, "b": [1, 2] }))).await;
    let same = json!({ "b": [1, 2], "a": 1 });
    assert_eq!(
        recorder.record(merged(full(same), json!({ "organization": "acme" }))).await["status"],
        "ALREADY_RECORDED"
    );
    // How metadata is spelled is not content, either; what a double cannot hold is.
    let spelled = |metadata: &str| merged(keyed("e.f", "k4"), json!({ "metadataText": metadata }));
    recorder.record(spelled(r#"{"a":"é","n":[1.50,12345678901234567890123]}"#)).await;
    let otherwise = "{ \"n\": [15e-1,\n12345678901234567890123], \"a\": \"\\u00e9\" }";
    assert_eq!(recorder.record(spelled(otherwise)).await["status"], "ALREADY_RECORDED");
    let ask = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
    let other = spelled(r#"{"a":"é","n":[1.50,12345678901234567890124]}"#);
    assert_eq!(recorder.ask(ask, json!({ "input": other })).await.code(), "CONFLICT");
    for change in [
        json!({ "ipAddress": "192.0.2.2" }),
        json!({ "occurredAt": "2026-01-01T00:00:00.000000001Z" }),
        json!({ "metadata": { "a": 2, "b": [1, 2] } }),
        json!({ "outcome": "FAILURE" }),
        json!({ "log": { "level": "project", "id": "p" } }),
        json!({ "resources": [{ "id": "r" }] }),
    ] {
        let ask = "mutation($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) { status } }";
        let answer =
            recorder.ask(ask, json!({ "input": merged(full(json!({ "a": 1, "b": [1, 2] })), change.clone()) })).await;
        assert_eq!(answer.code(), "CONFLICT", "{change}");
    }
}

async fn one_key_of_many_at_once_records_one_event(app: &TestApp) {
    let answers =
        join_all((0..24).map(async |_| app.admin("workspace", "acme").record(keyed("a.b", "same")).await)).await;
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer["event"]["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer["status"] == "RECORDED").count(), 1);
    assert_eq!(total(&app.admin("workspace", "acme")).await, 1);
}

async fn one_bad_event_is_refused_alone_or_refuses_all(app: &TestApp) {
    let recorder = app.admin("capydb", "acme");
    let events = || {
        vec![
            event("project.deleted"),
            event("unheard.of"),
            event("api_key.created"),
            merged(event("api_key.created"), json!({ "occurredAt": "never" })),
            merged(event("api_key.created"), json!({ "organization": "globex" })),
        ]
    };
    let each = record_many(&recorder, events(), false).await;
    assert_eq!((&each["recorded"], &each["alreadyRecorded"], &each["refused"]), (&json!(2), &json!(0), &json!(3)));
    let results = each["results"].as_array().expect("results");
    for (i, result) in results.iter().enumerate() {
        assert_eq!(result["index"], i);
    }
    assert_eq!(
        (&results[0]["status"], &results[0]["sequence"], &results[2]["sequence"]),
        (&json!("RECORDED"), &json!("0"), &json!("1"))
    );
    assert_eq!(
        (&results[1]["error"]["code"], &results[1]["error"]["field"]),
        (&json!("BAD_USER_INPUT"), &json!("events[1].action"))
    );
    assert!(results[1]["error"]["rule"].is_string() && results[1]["error"]["message"].is_string());
    assert_eq!((&results[1]["eventId"], &results[1]["status"]), (&Value::Null, &Value::Null));
    assert_eq!(results[3]["error"]["field"], "events[3].occurredAt");
    assert_eq!(results[4]["error"]["code"], "NOT_FOUND");
    let all = record_many(&recorder, events(), true).await;
    assert_eq!((&all["recorded"], &all["refused"]), (&json!(0), &json!(5)));
    assert_eq!(all["results"][1]["error"]["field"], "events[1].action");
    assert_eq!(all["results"][0]["error"]["field"], "events[0].atomic");
    assert_eq!(total(&recorder).await, 2);
    // What only the store sees refuses all as well: a conflict, and it takes no number and leaves no log.
    recorder.record(keyed("api_key.created", "k")).await;
    let conflict = record_many(
        &recorder,
        vec![
            merged(event("project.deleted"), json!({ "log": { "level": "project", "id": "never" } })),
            keyed("api_key.revoked", "k"),
        ],
        true,
    )
    .await;
    assert_eq!((&conflict["recorded"], &conflict["results"][1]["error"]["code"]), (&json!(0), &json!("CONFLICT")));
    let next = record_many(&recorder, vec![event("project.deleted"), event("api_key.revoked")], true).await;
    assert_eq!((&next["results"][0]["sequence"], &next["results"][1]["sequence"]), (&json!("3"), &json!("4")));
    let logs = recorder.data("{ viewer { logs { externalId } } }", json!({})).await;
    assert_eq!(logs["viewer"]["logs"], json!([{ "externalId": "acme" }]));
}

async fn a_backend_without_an_organization_names_one_for_each_event(app: &TestApp) {
    let backend = app.caller("workspace").subject("backend").scopes("audit:record");
    let batch = record_many(
        &backend,
        vec![
            merged(event("a"), json!({ "organization": "acme" })),
            merged(event("b"), json!({ "organization": "globex" })),
            event("c"),
            merged(event("d"), json!({ "organization": "" })),
            merged(event("e"), json!({ "organization": "acme" })),
        ],
        false,
    )
    .await;
    let results = batch["results"].as_array().expect("results");
    assert_eq!(
        (&results[0]["sequence"], &results[1]["sequence"], &results[4]["sequence"]),
        (&json!("0"), &json!("0"), &json!("1"))
    );
    assert_eq!(results[2]["error"]["field"], "events[2].organization");
    assert_eq!(results[3]["error"]["field"], "events[3].organization");
    assert_eq!(app.admin("workspace", "acme").actions("").await, ["e", "a"]);
    assert_eq!(app.admin("workspace", "globex").actions("").await, ["b"]);
    assert_eq!(newest(&app.admin("workspace", "globex")).await["recordedBy"], "backend");
    // Atomic over two organizations is all or none in both.
    let none = record_many(
        &backend,
        vec![
            merged(event("f"), json!({ "organization": "acme" })),
            merged(event(""), json!({ "organization": "globex" })),
        ],
        true,
    )
    .await;
    assert_eq!(none["recorded"], 0);
    assert_eq!(total(&app.admin("workspace", "acme")).await, 2);
}

async fn what_was_answered_is_there_for_another_process(app: &TestApp) {
    let recorder = app.admin("workspace", "acme");
    let recorded = recorder.record(keyed("a.b", "k")).await;
    let other = app.beside().await;
    let found = other
        .admin("workspace", "acme")
        .data("query($id: ID!) { auditEvent(id: $id) { sequence } }", json!({ "id": recorded["event"]["id"] }))
        .await;
    assert_eq!(found["auditEvent"]["sequence"], "0");
    // Two processes give one sequence, and know each other's keys and logs.
    assert_eq!(other.admin("workspace", "acme").record(keyed("a.b", "k")).await["status"], "ALREADY_RECORDED");
    let theirs = other
        .admin("workspace", "acme")
        .record(merged(event("c.d"), json!({ "log": { "level": "project", "id": "p" } })))
        .await;
    assert_eq!(theirs["sequence"], "1");
    let ours = recorder.record(merged(event("e.f"), json!({ "log": { "level": "project", "id": "p" } }))).await;
    assert_eq!(ours["sequence"], "2");
    let nested =
        recorder.data("{ auditEvents(log: { level: \"project\", id: \"p\" }) { nodes { action } } }", json!({})).await;
    assert_eq!(nested["auditEvents"]["nodes"], json!([{ "action": "e.f" }, { "action": "c.d" }]));
    other.finish().await;
}

async fn recording_never_asks_for_the_plan_and_an_upgrade_shows_what_was_before(app: &TestApp) {
    let frozen = app.admin("caputchin", "acme").plan("hobby");
    frozen.record(event("session.sign-out")).await;
    let staff = app.caller("caputchin").subject("staff-1").scopes("audit:staff audit:record");
    staff
        .record(json!({
            "action": "admin.account.lock", "actor": { "kind": "STAFF", "id": "staff-1" }, "organization": "acme"
        }))
        .await;
    let ask = "{ auditEvents { nodes { action } } }";
    assert_eq!(frozen.ask(ask, json!({})).await.code(), "PLAN_REQUIRED");
    assert_eq!(frozen.plan("apex").actions("").await, ["admin.account.lock", "session.sign-out"]);
}

#[test]
fn no_mutation_changes_or_deletes_an_event() {
    let schema = ledgerline::cli::schema_text();
    let start = schema.find("type Mutation").expect("mutations");
    let body = &schema[start..start + schema[start..].find("\n}").expect("an end")];
    let names: Vec<_> = body
        .lines()
        .filter_map(|line| {
            line.strip_prefix("  ").filter(|line| line.starts_with(char::is_alphabetic))?.split('(').next()
        })
        .collect();
    let mutations: Vec<_> = names.into_iter().filter(|name| body.contains(&format!("  {name}("))).collect();
    let of_events: Vec<_> =
        mutations.into_iter().filter(|name| name.contains("AuditEvent") || name.contains("Log")).collect();
    // An erasure empties what was said of a person, and never changes what was done.
    assert_eq!(of_events, ["recordAuditEvent", "recordAuditEvents", "deleteAuditLog", "eraseFromAuditLog"]);
}
