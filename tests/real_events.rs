//! Real audit events, and questions with exact answers, in the folder that `LEDGERLINE_REAL_EVENTS` names.
//! They are no part of the project: `make test-real-events EVENTS=FOLDER` runs this.

#![expect(clippy::disallowed_methods, reason = "a test is outside: it reads the environment and takes the time")]
#![expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

#[path = "it/harness/mod.rs"]
#[expect(dead_code, reason = "tests/it uses all of it")]
mod harness;
#[path = "it/process.rs"]
#[expect(dead_code, reason = "tests/it uses all of it")]
mod process;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
};

use harness::{Caller, TestApp, on_both_databases};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use sha2::{Digest, Sha256};

/// Where the file lies all together, for the questions over all organizations.
const TOGETHER: &str = "all organizations";

fn folder() -> PathBuf {
    let folder = std::env::var_os("LEDGERLINE_REAL_EVENTS");
    folder.map(PathBuf::from).expect("LEDGERLINE_REAL_EVENTS is set by `make test-real-events EVENTS=FOLDER`")
}

fn text(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    import_id: String,
    source: Option<String>,
    source_event_id: Option<String>,
    org: String,
    occurred_at: String,
    category: Option<String>,
    action: String,
    actor: Value,
    resource: Value,
    ip: Option<String>,
    user_agent: Option<String>,
    metadata: Box<RawValue>,
}

impl Line {
    fn input(&self, organization: &str) -> Value {
        let known = self.resource.as_object().is_some_and(|resource| resource.values().any(|value| !value.is_null()));
        let resources: Vec<_> = known.then_some(&self.resource).into_iter().collect();
        json!({
            "organization": organization, "idempotencyKey": self.import_id,
            "source": self.source, "sourceEventId": self.source_event_id, "occurredAt": self.occurred_at,
            "category": self.category, "action": self.action, "actor": self.actor, "resources": resources,
            "ipAddress": self.ip, "userAgent": self.user_agent, "metadataText": self.metadata.get(),
        })
    }
}

fn lines() -> Vec<Line> {
    text("events.ndjson").lines().map(|line| serde_json::from_str(line).expect("a line is an event")).collect()
}

#[derive(Deserialize)]
struct Questions {
    questions: Vec<Question>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    id: String,
    #[serde(default)]
    filter: BTreeMap<String, Value>,
    #[serde(default)]
    search: Words,
    group_by: Option<String>,
    expected: Expected,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Words {
    words: Vec<String>,
    prefixes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    total: usize,
    newest_ids: Option<Vec<String>>,
    newest_tie_groups: Option<Vec<TieGroup>>,
    ids_sha256: Option<String>,
    values: Option<Vec<(Value, u64)>>,
}

#[derive(Deserialize)]
struct TieGroup {
    ids: Option<Vec<String>>,
    count: usize,
}

fn questions() -> Vec<Question> {
    serde_json::from_str::<Questions>(&text("questions.json")).expect("questions").questions
}

impl Question {
    fn organization(&self) -> &str {
        self.filter.get("org").map_or(TOGETHER, |org| org.as_str().expect("a text"))
    }

    fn search(&self) -> Option<String> {
        let words = self.search.words.iter().cloned();
        let all: Vec<_> = words.chain(self.search.prefixes.iter().map(|prefix| format!("{prefix}*"))).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    fn filter(&self) -> Value {
        let mut filter = json!({});
        for (field, value) in &self.filter {
            match field.as_str() {
                "org" => {}
                "action" => filter["actions"] = json!([value]),
                "actionIn" => filter["actions"] = value.clone(),
                "actionPrefix" => filter["actions"] = json!([format!("{}*", value.as_str().expect("a text"))]),
                "actorId" => filter["actor"]["ids"] = json!([value]),
                "actorKind" => filter["actor"]["kinds"] = json!([value]),
                "hasActor" => filter["actor"]["present"] = value.clone(),
                "resourceId" => filter["resource"]["ids"] = json!([value]),
                "ip" => filter["ipAddresses"] = json!([value]),
                "source" => filter["sources"] = json!([value]),
                "sourceEventId" => filter["sourceEventIds"] = json!([value]),
                "from" | "to" => filter["occurredAt"][field] = value.clone(),
                other => panic!("{}: no filter {other} is known", self.id),
            }
        }
        filter
    }

    /// The whole list by pages of 100: its total and import ids, newest first.
    async fn answer(&self, reader: &Caller<'_>, names: &HashMap<String, String>) -> (usize, Vec<String>) {
        let query = "query($filter: AuditEventFilter, $search: String, $after: String) {
            auditEvents(filter: $filter, search: $search, first: 100, after: $after) {
                totalCount nodes { id } pageInfo { hasNextPage endCursor } } }";
        let (mut ids, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "filter": self.filter(), "search": self.search(), "after": after });
            let page = reader.data(query, variables).await["auditEvents"].clone();
            for node in page["nodes"].as_array().expect("nodes") {
                ids.push(names[node["id"].as_str().expect("an id")].clone());
            }
            if page["pageInfo"]["hasNextPage"] == false {
                return (page["totalCount"].as_u64().expect("a total") as usize, ids);
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    fn check(&self, total: usize, ids: &[String]) {
        let id = &self.id;
        let expected = &self.expected;
        assert_eq!(total, expected.total, "{id}: total");
        assert_eq!(ids.len(), expected.total, "{id}: number of events on all pages");
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        let hash = Sha256::digest(sorted.join("\n"));
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(&hash), expected.ids_sha256.as_ref(), "{id}: all ids");
        if let Some(newest) = &expected.newest_ids {
            assert_eq!(ids[..newest.len()], newest[..], "{id}: newest");
        }
        let mut rest = ids;
        for group in expected.newest_tie_groups.iter().flatten() {
            let (mut instant, older) = (rest[..group.count].to_vec(), &rest[group.count..]);
            instant.sort_unstable();
            if let Some(ids) = &group.ids {
                assert_eq!(&instant, ids, "{id}: newest");
            }
            rest = older;
        }
    }
}

/// Records every line in an organization that `place` names; import ids by event id.
async fn load(app: &TestApp, lines: &[Line], place: impl Fn(&Line) -> String) -> HashMap<String, String> {
    let recorder = app.caller("workspace").scopes("audit:record").subject("loader");
    let mut names = HashMap::new();
    for batch in lines.chunks(500) {
        let payload = recorder.record_all(batch.iter().map(|line| line.input(&place(line))).collect()).await;
        for (line, result) in batch.iter().zip(payload["results"].as_array().expect("results")) {
            assert_eq!(result["status"], "RECORDED", "{}: {result:#}", line.import_id);
            names.insert(result["eventId"].as_str().expect("an id").to_owned(), line.import_id.clone());
        }
    }
    assert_eq!(names.len(), lines.len());
    names
}

/// What a grouped question gets from the facets.
async fn grouped(reader: &Caller<'_>, question: &Question) {
    let id = &question.id;
    let by = question.group_by.as_deref().expect("a grouped question");
    let values = question.expected.values.as_deref().expect("values");
    let query = "query($filter: AuditEventFilter) { auditEvents(filter: $filter, first: 0) { totalCount facets {
        actions { exact buckets { value count } } actors { exact buckets { value count } } sources { exact buckets { value count } } days { day count } } } }";
    let answer = reader.data(query, json!({ "filter": question.filter() })).await["auditEvents"].clone();
    assert_eq!(answer["totalCount"], question.expected.total, "{id}");
    let facet = |name: &str, value: &str| {
        let list = &answer["facets"][name];
        assert_eq!(list["exact"], true, "{id}");
        list["buckets"]
            .as_array()
            .expect("buckets")
            .iter()
            .map(|bucket| (bucket[value].clone(), bucket["count"].as_u64().expect("a count")))
            .collect::<Vec<_>>()
    };
    match by {
        "action" => assert_eq!(facet("actions", "value")[..values.len()], *values, "{id}"),
        "day" => {
            let days = answer["facets"]["days"].as_array().expect("days").iter();
            let days: Vec<_> = days.map(|day| (day["day"].clone(), day["count"].as_u64().expect("a count"))).collect();
            assert_eq!(days, values, "{id}");
        }
        // The facet falls back on e-mail and name where there is no id.
        "actor.id" => {
            let actors = facet("actors", "value");
            for value in values.iter().filter(|(value, _)| !value.is_null()) {
                assert!(actors.contains(value), "{id}: {value:?} in {actors:#?}");
            }
        }
        "source" => {
            assert_eq!(facet("sources", "value")[..values.len()], *values, "{id}");
        }
        other => panic!("{id}: no group {other} is known"),
    }
}

on_both_databases! {
    every_question_is_answered_exactly,
    the_files_import_once,
}

async fn every_question_is_answered_exactly(app: &TestApp) {
    let lines = lines();
    let mut names = load(app, &lines, |line| line.org.clone()).await;
    names.extend(load(app, &lines, |_| TOGETHER.to_owned()).await);
    let questions = questions();
    assert_eq!(questions.len(), 38);
    for question in &questions {
        let reader = app.admin("workspace", question.organization());
        if question.group_by.is_some() {
            grouped(&reader, question).await;
        } else {
            let (total, ids) = question.answer(&reader, &names).await;
            question.check(total, &ids);
        }
    }
    // Everything reads as it was sent.
    let query = "query($after: String) { auditEvents(first: 100, after: $after) { nodes { id action ipAddress
        metadataText actor { kind id: externalId email name } resources { type id: externalId name } } pageInfo { hasNextPage endCursor } } }";
    let by_name: HashMap<_, _> = lines.iter().map(|line| (line.import_id.as_str(), line)).collect();
    let (reader, mut after, mut seen) = (app.admin("workspace", TOGETHER), Value::Null, 0);
    loop {
        let page = reader.data(query, json!({ "after": after })).await["auditEvents"].clone();
        for node in page["nodes"].as_array().expect("nodes") {
            let line = by_name[names[node["id"].as_str().expect("an id")].as_str()];
            let sent = line.input(TOGETHER);
            for field in ["action", "ipAddress", "metadataText", "actor", "resources"] {
                assert_eq!(node[field], sent[field], "{}: {field}", line.import_id);
            }
            seen += 1;
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, lines.len());
}

async fn the_files_import_once(app: &TestApp) {
    let import = async |file: &str, arguments: &[&str]| {
        process::import(&app.url, &app.folder(), &folder().join(file), arguments).await
    };
    let first = import("events.ndjson", &[]).await;
    assert_eq!(first.summary, "4836 recorded, 0 recorded before, 0 refused", "{first:#?}");
    assert!(first.status.success());
    let again = import("events.ndjson", &[]).await;
    assert_eq!(again.summary, "0 recorded, 4836 recorded before, 0 refused");
    let repeats = import("duplicates.ndjson", &[]).await;
    assert_eq!(repeats.summary, "0 recorded, 231 recorded before, 0 refused", "{repeats:#?}");
    assert!(repeats.status.success());
    let undated = import("events_no_time.ndjson", &[]).await;
    assert_eq!(undated.summary, "0 recorded, 0 recorded before, 476 refused");
    assert_eq!(undated.status.code(), Some(1));
    assert_eq!(undated.refused.len(), 51 - 1, "fifty are shown, the rest counted");
    for (i, line) in undated.refused.iter().enumerate() {
        assert!(line.starts_with(&format!("line {}: occurredAt", i + 1)), "{line}");
    }
    let dated = import("events_no_time.ndjson", &["--undated", "now"]).await;
    assert!(dated.status.success(), "{dated:#?}");
    // A few of them have the same text, and are events of their own all the same.
    assert_eq!(dated.summary, "476 recorded, 0 recorded before, 0 refused");
    let again = import("events_no_time.ndjson", &["--undated", "now"]).await;
    assert_eq!(again.summary, "0 recorded, 476 recorded before, 0 refused");
}
