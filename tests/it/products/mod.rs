//! The five products, fact by fact, a file a product; here what they share: the demo, and that nothing is pruned.

mod caputchin;
mod capydb;
mod cloud_sessions;
mod scim_platform;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};

use ledgerline::{
    clock::Clock,
    demo::{self, DemoStep},
    event::{
        Actor, Outcome, Resource,
        input::{LogRef, RecordInput},
    },
};
use serde_json::{Value, json};

use crate::harness::{Caller, Database, TestApp, event, on_both_databases};

const CATALOG: &str = "{ catalog { open openPrefixes categories { code label shortLabel description \
                       actions { name } } actions { name label level actorKinds defaultOutcome outcomes description \
                       category { code } } prefixes { prefix level actorKinds category { code } } actionForm } }";
const VIEWER: &str = "{ viewer { product { name label title planTitle paging dateFilter actionDisplay redirectHref
    upgradeHref
    columns { kind label } filters { kind label allLabel hint } levels { name label parent onDelete includeNested }
    actorKinds { kind label } } } }";

async fn catalog(app: &TestApp, product: &str) -> Value {
    app.admin(product, "acme").data(CATALOG, json!({})).await["catalog"].clone()
}

fn column(list: &Value, field: &str) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|each| each[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// How many actions begin so, by the part before the first separator.
fn by_beginning(names: &[String], separator: char) -> BTreeMap<String, usize> {
    names.iter().fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name.split(separator).next().unwrap_or_default().to_owned()).or_default() += 1;
        counts
    })
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(name, n)| (name.to_owned(), n)).collect()
}

async fn view(app: &TestApp, product: &str) -> Value {
    app.admin(product, "acme").data(VIEWER, json!({})).await["viewer"]["product"].clone()
}

/// What the service has against an event: field and message.
async fn refusal(caller: &Caller<'_>, event: Value) -> (String, String) {
    let answer = caller.record_all(vec![event]).await;
    let error = &answer["results"][0]["error"];
    assert_eq!(error["code"], "BAD_USER_INPUT", "{answer:#}");
    let text = |field: &str| error[field].as_str().expect("a text").to_owned();
    (text("field"), text("message"))
}

fn columns(product: &Value) -> Vec<(String, String)> {
    product["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| {
            (column["kind"].as_str().expect("a kind").to_owned(), column["label"].as_str().expect("a label").to_owned())
        })
        .collect()
}

/// An event of the demo as a client sends it.
pub fn sent(input: &RecordInput) -> Value {
    let actor = |actor: &Actor| json!({ "kind": actor.kind.as_str(), "id": actor.id, "name": actor.name, "email": actor.email });
    let resource = |resource: &Resource| json!({ "type": resource.kind, "id": resource.id, "name": resource.name });
    json!({
        "action": input.action, "category": input.category, "actor": actor(&input.actor),
        "onBehalfOf": input.on_behalf_of.as_ref().map(actor),
        "resources": input.resources.iter().map(resource).collect::<Vec<_>>(),
        "log": input.log.as_ref().map(log), "outcome": input.outcome.map(Outcome::as_str),
        "occurredAt": input.occurred_at.map(|at| at.to_string()), "ipAddress": input.ip_address,
        "userAgent": input.user_agent, "correlationId": input.correlation_id, "source": input.source,
        "sourceEventId": input.source_event_id, "idempotencyKey": input.idempotency_key, "metadataText": input.metadata
    })
}

fn log(reference: &LogRef) -> Value {
    json!({
        "level": reference.level, "id": reference.id, "name": reference.name,
        "parent": reference.parent.as_deref().map(log)
    })
}

/// Records an organization of the demo through the API and gives how many events it has.
pub async fn seed(admin: &Caller<'_>, product: &str, organization: &str) -> usize {
    let mut waiting = Vec::new();
    let mut recorded = 0;
    let flush = async |waiting: &mut Vec<Value>| {
        for chunk in std::mem::take(waiting).chunks(500) {
            let answer = admin.record_all(chunk.to_vec()).await;
            assert_eq!(answer["recorded"], chunk.len(), "{:#}", answer["results"]);
        }
    };
    for step in demo::events(product, organization, Clock::system().now()) {
        recorded += 1;
        let mut input = sent(step.event());
        match step {
            DemoStep::Record(_) => waiting.push(input),
            DemoStep::DeleteLog { log, .. } => {
                flush(&mut waiting).await;
                input["log"] = Value::Null;
                let delete =
                    "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { deletedAt } } }";
                admin
                    .data(delete, json!({ "input": { "log": { "level": log.level, "id": log.id }, "event": input } }))
                    .await;
            }
        }
    }
    flush(&mut waiting).await;
    recorded
}

on_both_databases! {
    every_product_offers_dates_and_says_which_other_filters,
    each_product_serves_its_demo_of_90_days,
}

async fn every_product_offers_dates_and_says_which_other_filters(app: &TestApp) {
    let app = app.built_in().await;
    let all = [
        "SEARCH",
        "CATEGORY",
        "ACTION",
        "EMAIL",
        "OUTCOME",
        "ACTOR_KIND",
        "ACTOR",
        "RESOURCE_TYPE",
        "RESOURCE_ID",
        "RESOURCE_NAME",
        "IP_ADDRESS",
        "LOG",
    ];
    for (product, dates, filters) in [
        ("caputchin", "BOTH", &all[..]),
        ("cloud-sessions", "RANGE", &["ACTION", "EMAIL"]),
        ("workspace", "BOTH", &["ACTION", "ACTOR"]),
        ("scim-platform", "PRESETS", &["SEARCH", "CATEGORY", "ACTION"]),
        ("capydb", "BOTH", &all),
    ] {
        let shown = view(&app, product).await;
        assert_eq!(
            (&shown["dateFilter"], column(&shown["filters"], "kind")),
            (&json!(dates), filters.iter().map(ToString::to_string).collect()),
            "{product}"
        );
    }
    app.finish().await;
}

async fn each_product_serves_its_demo_of_90_days(app: &TestApp) {
    let own = app.built_in().await;
    let app = &own;
    let mut documented = 0;
    for (product, actions) in
        [("caputchin", 26), ("cloud-sessions", 17), ("workspace", 3), ("scim-platform", 47), ("capydb", 26)]
    {
        let (mut all, mut seen, mut kinds) = (0, BTreeSet::new(), BTreeSet::new());
        for organization in demo::organizations(product) {
            let admin = app.admin(product, organization.id);
            let recorded = seed(&admin, product, organization.id).await;
            all += recorded;
            let page = admin
                .data(
                    "{ auditEvents(first: 100, includeNested: true) { totalCount nodes { occurredAt } \
                     facets { actions { buckets { value } } actors { buckets { value } } } } \
                     actors(first: 100) { kind } viewer { logs { externalId } } }",
                    json!({}),
                )
                .await;
            let total = page["auditEvents"]["totalCount"].as_u64().expect("a number") as usize;
            assert!(total <= recorded && total * 10 >= recorded * 8, "{product} {total} of {recorded}");
            let times: Vec<_> = column(&page["auditEvents"]["nodes"], "occurredAt");
            assert!(times.windows(2).all(|pair| pair[0].parse::<chrono::DateTime<chrono::Utc>>().expect("a time")
                >= pair[1].parse::<chrono::DateTime<chrono::Utc>>().expect("a time")));
            seen.extend(column(&page["auditEvents"]["facets"]["actions"]["buckets"], "value"));
            kinds.extend(column(&page["actors"], "kind"));
            // The deleted log is gone from what can be chosen; the filled ones are there.
            let logs = column(&page["viewer"]["logs"], "externalId");
            assert_eq!(logs[0], organization.id);
            for told in &organization.logs {
                let there = logs.iter().any(|id| id == told.id);
                assert_eq!(there, told.state == demo::DemoLogState::Filled, "{product} {} {:?}", told.id, told.state);
            }
        }
        assert!(all >= 300, "{product} has {all} events");
        let catalog = column(&catalog(app, product).await["actions"], "name");
        assert_eq!(catalog.len(), actions, "{product}");
        for name in &catalog {
            assert!(seen.contains(name), "{product}: nobody did {name}");
        }
        assert!(kinds.len() >= 3, "{product}: {kinds:?}");
        documented += actions;
    }
    // 109, and the ten staff actions that caputchin's document gives as examples.
    assert_eq!(documented, 109 + 10);
    own.finish().await;
}

#[tokio::test]
async fn nothing_is_ever_pruned() {
    let app = TestApp::start(Database::Sqlite).await;
    for product in app.products.iter() {
        let text = std::fs::read_to_string(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("products/{}.toml", product.name)),
        )
        .expect("its file");
        assert!(text.contains("retention = \"forever\""), "{}", product.name);
    }
    let mut old = event("api_key.created");
    old["occurredAt"] = json!("1900-01-01T00:00:00Z");
    let admin = app.admin("capydb", "acme");
    admin.record(old).await;
    assert_eq!(admin.actions("").await, ["api_key.created"]);
    app.finish().await;
}
