//! Pages that are written as JSON in one go say what async-graphql's own resolvers say, text for text.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{
    Request, Response, Value as Answer,
    parser::{
        parse_schema,
        types::{BaseType, TypeKind, TypeSystemDefinition},
    },
};
use ledgerline::{
    clock::Clock,
    graphql::{response::to_json, written::Written},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{json, value::RawValue};

use crate::{
    harness::{Caller, TestApp, event, on_both_databases},
    model::holds,
};

/// The fields of the schema's objects, each with the object that it leads to.
struct Fields(BTreeMap<String, Vec<(String, Option<String>)>>);

impl Fields {
    fn of_the_schema() -> Self {
        let schema = parse_schema(ledgerline::cli::schema_text()).expect("the schema parses");
        let mut fields = BTreeMap::new();
        for definition in &schema.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let TypeKind::Object(object) = &definition.node.kind else { continue };
            let of = object.fields.iter().map(|field| (field.node.name.to_string(), named(&field.node.ty.node.base)));
            fields.insert(definition.node.name.to_string(), of.collect::<Vec<_>>());
        }
        let objects: Vec<_> = fields.keys().cloned().collect();
        let leads = |(name, to)| (name, Some(to).filter(|to| objects.contains(to)));
        Self(fields.into_iter().map(|(of, fields)| (of, fields.into_iter().map(leads).collect())).collect())
    }

    /// Everything that can be asked of an object, `levels` deep.
    fn all(&self, of: &str, levels: u32) -> String {
        let one = |(name, to): &(String, Option<String>)| match to {
            None => Some(name.clone()),
            // The catalog's actions, and the categories of those, have no end.
            Some(to) if levels > 1 && to != "Action" => Some(format!("{name} {}", self.all(to, levels - 1))),
            Some(_) => None,
        };
        format!("{{ __typename {} }}", self.0[of].iter().filter_map(one).collect::<Vec<_>>().join(" "))
    }

    /// A selection as the choices have it: fields with and without other names, some twice, in fragments with and
    /// without names and types, some left out.
    fn chosen(&self, of: &str, levels: u32, choices: &mut Choices<'_>) -> String {
        let mut items = Vec::new();
        for _ in 0..=choices.next(6) {
            let when = ["", " @include(if: $yes)", " @skip(if: $yes)", " @skip(if: false)", "", ""][choices.next(6)];
            let on = match (choices.next(3), of) {
                (0, "AuditEvent" | "AuditLog") => Some("Node"),
                (1, _) => Some(of),
                _ => None,
            };
            items.push(match (choices.next(8), on) {
                (0, Some("Node")) => {
                    // A fragment for the interface's other type says nothing of this one.
                    let other = if of == "AuditLog" { "AuditEvent" } else { "AuditLog" };
                    format!(
                        "... on Node{when} {{ id __typename ... on {of} {} ... on {other} {{ of_another: id }} }}",
                        self.leaf(of, choices)
                    )
                }
                (0, on) if levels > 0 => {
                    let on = on.map(|on| format!(" on {on}")).unwrap_or_default();
                    format!("...{on}{when} {}", self.chosen(of, levels - 1, choices))
                }
                (1, _) if levels > 0 => {
                    let fragment = self.chosen(of, levels - 1, choices);
                    let name = format!("F{}", choices.fragments.len());
                    choices.fragments.push(format!("fragment {name} on {of} {fragment}"));
                    format!("...{name}{when}")
                }
                (2, _) => format!("__typename{when}"),
                (aliased, _) => {
                    let (name, to) = &self.0[of][choices.next(self.0[of].len())];
                    let alias = if aliased == 3 { format!("_{name}: ") } else { String::new() };
                    match to {
                        None => format!("{alias}{name}{when}"),
                        Some(to) if levels > 0 => {
                            format!("{alias}{name}{when} {}", self.chosen(to, levels - 1, choices))
                        }
                        Some(to) => format!("{alias}{name}{when} {}", self.leaf(to, choices)),
                    }
                }
            });
        }
        // One field stays: of an object that is asked for twice and once without any field, async-graphql keeps the
        // null of that once, where a written one has, as it should, the fields of the other.
        format!("{{ {} __typename }}", items.join(" "))
    }

    fn leaf(&self, of: &str, choices: &mut Choices<'_>) -> String {
        let leaves: Vec<_> = self.0[of].iter().filter(|(_, to)| to.is_none()).collect();
        format!("{{ {} }}", leaves[choices.next(leaves.len())].0)
    }
}

fn named(base: &BaseType) -> String {
    match base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(of) => named(&of.base),
    }
}

/// Numbers that decide a selection, and the fragments that it has made.
struct Choices<'a> {
    numbers: std::slice::Iter<'a, u8>,
    fragments: Vec<String>,
}

impl Choices<'_> {
    fn next(&mut self, below: usize) -> usize {
        self.numbers.next().map_or(below - 1, |n| usize::from(*n) % below)
    }
}

/// What a query has at `auditEvents` by key, written and resolved, and whether a list was written.
struct Both {
    written: BTreeMap<String, Box<RawValue>>,
    resolved: BTreeMap<String, Box<RawValue>>,
    any_written: bool,
}

async fn both(app: &TestApp, reader: &Caller<'_>, query: &str) -> Both {
    let keys = &app.app.keys;
    let principal = Arc::new(keys.verify(&reader.token(), Clock::system().now()).await.expect("a good token"));
    let request = || {
        let variables = async_graphql::Variables::from_json(json!({ "yes": true }));
        Request::new(query).variables(variables).data(principal.clone()).data(ledgerline::reading::Once::default())
    };
    let (written, resolved) =
        (app.app.schema.execute(request().data(Written)).await, app.app.schema.execute(request()).await);
    assert!(resolved.errors.is_empty(), "{:?}\n{query}", resolved.errors);
    assert!(written.errors.is_empty(), "{:?}\n{query}", written.errors);
    let Answer::Object(root) = &written.data else { panic!("an object") };
    let is_written = |value: &Answer| matches!(value, Answer::Binary(_));
    let any_written = matches!(&root["auditEvents"], Answer::Object(list) if list.values().any(is_written));
    let read = |answer: Response| -> BTreeMap<String, Box<RawValue>> {
        #[derive(serde::Deserialize)]
        struct Whole {
            data: Data,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            audit_events: BTreeMap<String, Box<RawValue>>,
        }
        let text = to_json(&answer).unwrap_or_else(|| serde_json::to_vec(&answer).expect("JSON"));
        serde_json::from_slice::<Whole>(&text).expect("an answer in JSON").data.audit_events
    };
    Both { written: read(written), resolved: read(resolved), any_written }
}

fn assert_same(both: &Both, query: &str) {
    let texts = |by_key: &BTreeMap<String, Box<RawValue>>| -> Vec<(String, String)> {
        by_key.iter().map(|(key, text)| (key.clone(), text.get().to_owned())).collect()
    };
    assert_eq!(texts(&both.written), texts(&both.resolved), "{query}");
}

/// Events with everything, with nothing, with what JSON escapes, and with metadata that JSON libraries stumble over.
async fn fill(admin: &Caller<'_>) {
    let full = json!({
        "action": "project.import_started", "category": "project", "outcome": "FAILURE", "ipAddress": "203.0.113.7",
        "actor": {
            "kind": "STAFF", "id": "s1", "name": "Trần \"Thuỳ\" \\ \u{1}\n\u{7f}\u{2028}", "email": "d@example.com"
        },
        "onBehalfOf": { "kind": "USER", "id": "u2" },
        "resources": [{ "type": "project", "id": "p1", "name": "</script>" }, { "name": "" }, { "id": "p3" }],
        "log": { "level": "project", "id": "p1", "name": "One" }, "occurredAt": "1969-12-31T23:59:59.000000001Z",
        "userAgent": "agent", "correlationId": "job-1", "source": "s", "sourceEventId": "e-1"
    });
    let mut events = vec![full.clone(), event("api_key.created")];
    for (i, metadata) in [
        "{}",
        " { \"a\" : [ 1.50, 1e2, -0, -0.0, 9007199254740993, 18446744073709551615, 0.1, 1E-7 ],\n\"b\":null, \
         \"c\": true }",
        "{\"half\":\"\\ud83d\",\"\\ud83d\":\"\\u0000\",\"\\ufffd\":2}",
        "{\"big\":1e400,\"long\":12345678901234567890123}",
        "{\"\\u00e9\":\"\\ud83d\\ude00 \\/ \\t\",\"$serde_json::private::RawValue\":\"[1\",\"\":[[],{}]}",
    ]
    .into_iter()
    .enumerate()
    {
        let mut input = event("project.import_started");
        input["metadataText"] = json!(metadata);
        input["log"] = json!({ "level": "project", "id": format!("p{i}"), "parent": null });
        let (kind, id) = [("SYSTEM", "x"), ("USER", ""), ("STAFF", "\0"), ("API_KEY", "y"), ("STAFF", "z")][i];
        input["actor"] = json!({ "kind": kind, "id": id });
        events.push(input);
    }
    let count = events.len();
    let told = admin.record_all(events).await;
    assert_eq!(told["recorded"], count, "{told:#}");
    admin
        .data(
            "mutation { deleteAuditLog(input: { log: { level: \"project\", id: \"p2\" } }) { log { externalId } } }",
            json!({}),
        )
        .await;
}

on_both_databases! {
    every_field_is_written_as_it_is_resolved,
    whatever_is_asked_in_whatever_form_is_written_as_it_is_resolved,
    lists_that_are_asked_for_twice_under_one_key_are_merged,
}

async fn every_field_is_written_as_it_is_resolved(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    fill(&admin).await;
    let fields = Fields::of_the_schema();
    for query in [
        format!("{{ auditEvents {{ nodes {} }} }}", fields.all("AuditEvent", 4)),
        format!("{{ auditEvents {{ edges {} }} }}", fields.all("AuditEventEdge", 5)),
        "{ auditEvents(first: 0) { nodes { id } edges { cursor } } }".to_owned(),
        "{ auditEvents { nodes { id @skip(if: true) } pageInfo { hasNextPage } } }".to_owned(),
    ] {
        let both = both(app, &admin, &query).await;
        assert!(both.any_written, "not written: {query}");
        assert_same(&both, &query);
    }
    // What is not written is resolved.
    let query = "{ auditEvents { nodes { id category { actions { name } } } } }";
    let both = both(app, &admin, query).await;
    assert!(!both.any_written);
    assert_same(&both, query);
}

async fn whatever_is_asked_in_whatever_form_is_written_as_it_is_resolved(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    fill(&admin).await;
    let fields = Fields::of_the_schema();
    holds(
        if app.database == crate::harness::Database::Sqlite { 400 } else { 40 },
        vec(any::<u8>(), 0..200),
        async |numbers| {
            let mut choices = Choices { numbers: numbers.iter(), fragments: Vec::new() };
            let edges = fields.chosen("AuditEventEdge", 4, &mut choices);
            let nodes = fields.chosen("AuditEvent", 4, &mut choices);
            let list = format!("auditEvents(first: 7) {{ edges {edges} other: nodes {nodes} }}");
            let query = format!(
                "query($yes: Boolean!) {{ {list} viewer @skip(if: $yes) {{ subject }} }} {}",
                choices.fragments.join(" ")
            );
            assert_same(&both(app, &admin, &query).await, &query);
        },
    );
}

async fn lists_that_are_asked_for_twice_under_one_key_are_merged(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin.record(event("api_key.created")).await;
    for query in [
        "{ auditEvents { nodes { action } nodes { sequence } } }",
        "{ auditEvents { nodes { action } } auditEvents { nodes { sequence } } }",
        "{ auditEvents { ...A ...B } } fragment A on AuditEventConnection { nodes { action } } fragment B \
         on AuditEventConnection { ... { nodes { sequence } } }",
        "{ ...A auditEvents { nodes { action } } } fragment A on Query { auditEvents { nodes { sequence } } }",
        // Of a fragment on what two types share, the part for the other type is not this one's.
        "{ auditEvents { nodes { ... on Node { ...B ... on AuditEvent { action sequence } } } } } fragment B \
         on AuditLog { action: level sequence: id }",
    ] {
        let data = admin.data(query, json!({})).await;
        let node = &data["auditEvents"]["nodes"][0];
        assert_eq!((&node["action"], &node["sequence"]), (&json!("api_key.created"), &json!("0")), "{query}: {data}");
    }
}
