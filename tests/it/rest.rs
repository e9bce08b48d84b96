//! REST for programs: what it lists is what GraphQL lists, page by page, and what it refuses it refuses as a problem.

use std::io::Write;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use proptest::collection::vec;
use serde_json::{Value, json};

use crate::{
    filter_properties::{fresh, record},
    harness::{Answer, TestApp, event, on_both_databases},
    model::{asked, holds, now, told},
};

pub const EVENTS: &str = "/v1/audit-events";

/// A request with a token or none.
pub async fn send(
    app: &TestApp,
    method: Method,
    token: Option<&str>,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(body.into()).expect("a request")).await
}

pub async fn get(app: &TestApp, token: &str, uri: &str) -> Answer {
    send(app, Method::GET, Some(token), uri, &[], Body::empty()).await
}

pub async fn post(app: &TestApp, token: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    send(app, Method::POST, Some(token), EVENTS, &headers, body.to_string()).await
}

/// The problem that a request is answered with, as RFC 9457 has it.
pub fn problem(answer: &Answer) -> Value {
    let problem = answer.json();
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{problem}");
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["status"], answer.status.as_u16(), "{problem}");
    assert_eq!(problem["title"], answer.status.canonical_reason().unwrap());
    assert_eq!(problem["request_id"], answer.headers["x-request-id"].to_str().unwrap());
    problem
}

/// Status, code and field of a problem.
pub fn told_of(answer: &Answer) -> (u16, String, String) {
    let problem = problem(answer);
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("code"), text("field"))
}

fn refusal(status: u16, code: &str, field: &str) -> (u16, String, String) {
    (status, code.to_owned(), field.to_owned())
}

pub fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.json());
    let data = answer.json()["data"].clone();
    data.as_array().expect("data").iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

/// Where a link of an answer leads from an address: a query alone, as RFC 3986 resolves it.
pub fn link(answer: &Answer, relation: &str, from: &str) -> Option<String> {
    let links = answer.headers.get(header::LINK)?.to_str().expect("text").to_owned();
    let found =
        links.split(", ").find_map(|link| link.strip_suffix(&format!("; rel=\"{relation}\"")).map(str::to_owned));
    let query = found?.trim_start_matches('<').trim_end_matches('>').to_owned();
    assert!(query.starts_with('?'), "{query}");
    Some(format!("{}{query}", from.split('?').next().unwrap()))
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The variables of a GraphQL list as a query, by the one rule that the manual has: snake case, what a field lies in before
/// it. `None` for an empty list, which a query cannot say.
fn query_of(variables: &Value) -> Option<String> {
    fn flatten(value: &Value, name: &str, out: &mut Vec<(String, String)>) -> Option<()> {
        match value {
            Value::Null => {}
            Value::Object(members) => {
                for (key, value) in members {
                    let name = if name.is_empty() { snake(key) } else { format!("{name}_{}", snake(key)) };
                    flatten(value, &name, out)?;
                }
            }
            // To leave nothing out is what is asked without it.
            Value::Array(items) if items.is_empty() && name.starts_with("not_") => {}
            Value::Array(items) if items.is_empty() => return None,
            Value::Array(items) => items.iter().try_for_each(|item| flatten(item, name, out))?,
            Value::String(text) => out.push((name.to_owned(), text.clone())),
            other => out.push((name.to_owned(), other.to_string())),
        }
        Some(())
    }
    let mut pairs = Vec::new();
    flatten(&variables["filter"], "", &mut pairs)?;
    flatten(&variables["order"], "order_by", &mut pairs)?;
    flatten(&variables["search"], "search", &mut pairs)?;
    flatten(&variables["includeNested"], "include_nested", &mut pairs)?;
    if let (Some(level), Some(id)) = (variables["log"]["level"].as_str(), variables["log"]["id"].as_str()) {
        pairs.push(("log".to_owned(), format!("{level}:{id}")));
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    pairs.iter().for_each(|(name, value)| _ = query.append_pair(name, value));
    Some(query.finish())
}

on_both_databases! {
    every_list_is_what_graphql_answers,
    an_event_says_what_graphql_says_of_it,
    links_walk_the_whole_list_both_ways,
    a_page_has_up_to_a_thousand_events_and_graphqls_still_a_hundred,
    a_tag_holds_as_long_as_what_is_shown,
    a_tag_says_nothing_to_whoever_may_not_read,
    parameters_that_are_none_or_wrong_are_refused_by_name,
    nobody_reads_or_finds_or_records_for_another_organization,
    one_event_is_recorded_and_found_where_it_is_said_to_be,
    many_events_each_have_their_result_and_the_status_tells_of_all,
    the_header_names_the_key_of_one_event,
    odd_json_is_read_as_graphql_reads_it,
    whatever_is_no_request_of_ours_is_a_problem_too,
    a_read_over_the_rate_says_when_to_come_back,
    pages_of_allowed_origins_see_links_and_tags,
}

async fn every_list_is_what_graphql_answers(app: &TestApp) {
    let case = (vec(told(), 1..30), vec((asked(), 2..9_usize), 12));
    let list = "query($filter: AuditEventFilter, $search: String, $log: AuditLogInput, $includeNested: Boolean,
        $order: AuditEventOrder, $first: Int, $after: String) { auditEvents(filter: $filter, search: $search, log: $log,
        includeNested: $includeNested, orderBy: $order, first: $first, after: $after) {
        totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let compared = std::sync::atomic::AtomicUsize::new(0);
    holds(24, case, async |(events, questions)| {
        let organization = fresh();
        let admin = app.admin("workspace", &organization);
        let token = admin.token();
        record(&admin, &events, 0, now()).await;
        for (asked, size) in &questions {
            let mut variables = asked.variables(&organization);
            variables["first"] = json!(size);
            let Some(query) = query_of(&variables) else { continue };
            loop {
                let theirs = admin.data(list, variables.clone()).await["auditEvents"].clone();
                let mut uri = format!("{EVENTS}?{query}&limit={size}&include=total");
                if let Some(after) = variables["after"].as_str() {
                    uri.push_str(&format!("&after={after}"));
                }
                let ours = get(app, &token, &uri).await;
                assert_eq!(ours.status, 200, "{uri}: {}", ours.json());
                let page = ours.json()["page"].clone();
                let nodes = theirs["nodes"].as_array().unwrap().iter();
                assert_eq!(ids(&ours), nodes.map(|node| node["id"].as_str().unwrap()).collect::<Vec<_>>(), "{uri}");
                let info = &theirs["pageInfo"];
                let expected = json!({ "has_next": info["hasNextPage"], "has_previous": info["hasPreviousPage"],
                    "start": info["startCursor"], "end": info["endCursor"], "total": theirs["totalCount"] });
                assert_eq!(page, expected, "{uri}");
                compared.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if page["has_next"] == false {
                    break;
                }
                variables["after"] = page["end"].clone();
            }
        }
    });
    let compared = compared.into_inner();
    assert!(compared > 200, "{compared}");
}

/// What GraphQL says of an event, in REST's names.
fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (snake(name), if name == "metadata" { value.clone() } else { renamed(value) }))
            .collect(),
        Value::Array(items) => items.iter().map(renamed).collect(),
        other => other.clone(),
    }
}

async fn an_event_says_what_graphql_says_of_it(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let token = admin.token();
    let full = json!({
        "action": "api_key.created", "actor": { "kind": "STAFF", "id": "s1", "name": "Sam", "email": "sam@example.com" },
        "onBehalfOf": { "kind": "USER", "id": "u1" }, "resources": [{ "type": "key", "id": "k1", "name": "Key" }, { "id": "k2" }],
        "log": { "level": "project", "id": "p1", "name": "First" }, "outcome": "FAILURE",
        "occurredAt": "2026-01-02T03:04:05.123456789Z", "ipAddress": "10.0.0.1", "userAgent": format!("curl{}", "x".repeat(9_000)),
        "correlationId": "c", "source": "s", "sourceEventId": "e",
        "metadataText": "{\"n\": 1.50, \"userAgent\": \"\\u0000\", \"big\": 123456789012345678901234567890}",
    });
    let mut bare = event("cutover.acked");
    bare["metadata"] = json!({ "a.b": { "c": [1, 2.5, null] } });
    for input in [full, bare] {
        let id = admin.record(input).await["event"]["id"].as_str().unwrap().to_owned();
        let actor = "kind externalId name email label kindLabel";
        let log = "id level externalId name deletedAt";
        let query = format!(
            "query($id: ID!) {{ auditEvent(id: $id) {{ id sequence action actionLabel
            category {{ code label shortLabel description }} actor {{ {actor} }} onBehalfOf {{ {actor} }}
            resources {{ type externalId name }} log {{ {log} parent {{ {log} parent {{ id }} }} }} outcome occurredAt recordedAt
            ipAddress userAgent correlationId source sourceEventId recordedBy truncated masked erased metadata metadataText }} }}"
        );
        let mut theirs = renamed(&admin.data(&query, json!({ "id": id })).await["auditEvent"]);
        // Two differences: a sequence is a number, and paths are in REST's names.
        theirs["sequence"] = json!(theirs["sequence"].as_str().unwrap().parse::<i64>().unwrap());
        let paths = theirs["truncated"].as_array().unwrap().iter();
        let path = |path: &Value| if path == "userAgent" { json!("user_agent") } else { path.clone() };
        theirs["truncated"] = paths.map(path).collect();
        let found = get(app, &token, &format!("{EVENTS}/{id}")).await;
        assert_eq!(found.json(), theirs);
        let listed = get(app, &token, &format!("{EVENTS}?limit=1&include=metadata_text&order_by_field=SEQUENCE")).await;
        assert_eq!(listed.json()["data"][0], theirs);
        let without = get(app, &token, &format!("{EVENTS}?limit=1&order_by_field=SEQUENCE")).await;
        assert_eq!(without.json()["data"][0].get("metadata_text"), None);
    }
}

async fn links_walk_the_whole_list_both_ways(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    admin.record_all((0..23).map(|n| event(&format!("a.{}", n % 3))).collect()).await;
    for query in [
        "limit=5",
        "actions=a.0&actions=a.1&limit=4&search=user",
        "order_by_field=SEQUENCE&order_by_direction=ASC&limit=10",
    ] {
        let first = format!("{EVENTS}?{query}");
        let all = ids(&get(app, &token, &first.replace("limit=", "limit=9")).await);
        assert!(all.len() > 10);
        let (mut uri, mut forward, mut last) = (first.clone(), Vec::new(), first.clone());
        loop {
            let answer = get(app, &token, &uri).await;
            assert_eq!(link(&answer, "first", &uri).unwrap(), first);
            assert_eq!(link(&answer, "prev", &uri).is_some(), answer.json()["page"]["has_previous"] == true);
            forward.extend(ids(&answer));
            last.clone_from(&uri);
            let Some(next) = link(&answer, "next", &uri) else { break };
            uri = next;
        }
        assert_eq!(forward, all, "{query}");
        let mut pages = vec![ids(&get(app, &token, &last).await)];
        let mut uri = last;
        while let Some(prev) = link(&get(app, &token, &uri).await, "prev", &uri) {
            pages.push(ids(&get(app, &token, &prev).await));
            uri = prev;
        }
        let backward: Vec<String> = pages.into_iter().rev().flatten().collect();
        assert_eq!(backward, all, "{query}");
    }
    // A list without events has one link.
    let nothing = get(app, &token, &format!("{EVENTS}?actions=none")).await;
    assert_eq!(nothing.headers[header::LINK], "<?actions=none>; rel=\"first\"");
}

async fn a_page_has_up_to_a_thousand_events_and_graphqls_still_a_hundred(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    for _ in 0..2 {
        admin.record_all((0..600).map(|_| event("a.b")).collect()).await;
    }
    let page = get(app, &token, &format!("{EVENTS}?limit=1000&include=total")).await;
    assert_eq!((ids(&page).len(), page.json()["page"]["total"].as_i64()), (1_000, Some(1_200)));
    let rest = get(app, &token, &link(&page, "next", &format!("{EVENTS}?limit=1000&include=total")).unwrap()).await;
    assert_eq!((ids(&rest).len(), rest.json()["page"]["has_next"].clone()), (200, json!(false)));
    assert_eq!(ids(&get(app, &token, EVENTS).await).len(), 20);
    for limit in ["0", "1001", "-1"] {
        let answer = get(app, &token, &format!("{EVENTS}?limit={limit}")).await;
        assert_eq!(told_of(&answer), refusal(400, "BAD_USER_INPUT", "limit"));
        assert!(problem(&answer)["detail"].as_str().unwrap().contains(&format!("from 1 to 1000, got {limit}")));
    }
    let graphql = admin.ask("{ auditEvents(first: 101) { nodes { id } } }", json!({})).await;
    assert_eq!(graphql.errors()[0]["message"], "first: must be from 0 to 100, got 101");
}

async fn a_tag_holds_as_long_as_what_is_shown(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    let token = admin.token();
    let into = |log: &str| {
        let mut input = event("studio.row_updated");
        input["log"] = json!({ "level": "project", "id": log });
        input
    };
    let id = admin.record(into("p1")).await["event"]["id"].as_str().unwrap().to_owned();
    admin.record(into("p2")).await;
    let uris = [
        format!("{EVENTS}?log=project:p1"),
        format!("{EVENTS}?log=project:p1&include=total"),
        format!("{EVENTS}/{id}"),
    ];
    let conditional = async |uri: &str, tag: &str| {
        let answer = send(app, Method::GET, Some(&token), uri, &[("if-none-match", tag)], Body::empty()).await;
        assert_eq!(answer.headers[header::CACHE_CONTROL], "private, no-cache");
        if answer.status == 304 {
            assert!(answer.body.is_empty() && answer.headers.contains_key(header::ETAG));
        }
        answer.status.as_u16()
    };
    let tag = async |uri: &str| get(app, &token, uri).await.headers[header::ETAG].to_str().unwrap().to_owned();
    let mut tags = Vec::new();
    for uri in &uris {
        let tag = tag(uri).await;
        assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
        for same in [tag.clone(), tag.trim_start_matches("W/").to_owned(), format!("\"x\", {tag}"), "*".to_owned()] {
            assert_eq!(conditional(uri, &same).await, 304, "{uri} {same}");
        }
        for other in ["\"x\"", "W/\"\"", "x", ""] {
            assert_eq!(conditional(uri, other).await, 200, "{uri} {other}");
        }
        tags.push(tag);
    }
    assert_eq!(tags.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    // What is recorded elsewhere moves cursors, and nothing that is shown.
    admin.record(into("p2")).await;
    for (uri, tag) in uris.iter().zip(&tags) {
        assert_eq!(conditional(uri, tag).await, 304, "{uri}");
    }
    admin.record(into("p1")).await;
    let after: Vec<u16> = vec![
        conditional(&uris[0], &tags[0]).await,
        conditional(&uris[1], &tags[1]).await,
        conditional(&uris[2], &tags[2]).await,
    ];
    assert_eq!(after, [200, 200, 304]);
    // An event says which log it is in: that changes with the log.
    let delete = "mutation($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { level } } }";
    admin.data(delete, json!({ "input": { "log": { "level": "project", "id": "p1" } } })).await;
    assert_eq!(conditional(&uris[2], &tags[2]).await, 200);
    assert_eq!(get(app, &token, &uris[2]).await.json()["log"], json!(null));
}

async fn a_tag_says_nothing_to_whoever_may_not_read(app: &TestApp) {
    let admin = app.admin("capydb", "acme");
    admin.record(event("api_key.created")).await;
    let tag = get(app, &admin.token(), EVENTS).await.headers[header::ETAG].to_str().unwrap().to_owned();
    let ask = async |token: Option<String>| {
        send(app, Method::GET, token.as_deref(), EVENTS, &[("if-none-match", &tag)], Body::empty()).await
    };
    assert_eq!(ask(Some(admin.token())).await.status, 304);
    assert_eq!(told_of(&ask(None).await), refusal(401, "UNAUTHENTICATED", ""));
    assert_eq!(told_of(&ask(Some(app.admin("capydb", "acme").role("member").token())).await).1, "FORBIDDEN");
    // Another organization has another list, and a tag of its own.
    let other = ask(Some(app.admin("capydb", "globex").token())).await;
    assert_eq!((other.status.as_u16(), ids(&other).len()), (200, 0));
    let narrowed = ask(Some(app.admin("capydb", "acme").logs(&["project:p1"]).token())).await;
    assert_eq!((narrowed.status.as_u16(), ids(&narrowed).len()), (200, 0));
}

async fn parameters_that_are_none_or_wrong_are_refused_by_name(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    admin.record_all((0..3).map(|_| event("a.b")).collect()).await;
    let end = get(app, &token, &format!("{EVENTS}?limit=1")).await.json()["page"]["end"].as_str().unwrap().to_owned();
    let many = "actor_ids=x&".repeat(101);
    for (query, field, says) in [
        ("action=a.b", "action", "the nearest"),
        ("Actions=a.b", "Actions", "is no parameter"),
        ("filter=1", "filter", "is no parameter"),
        ("page=2", "page", "is no parameter"),
        ("limit=ten", "limit", "whole number"),
        ("limit=1&limit=2", "limit", "must stand once"),
        ("outcomes=GOOD", "outcomes", "must be one of SUCCESS, FAILURE, ACCEPTED"),
        ("actor_kinds=user", "actor_kinds", "must be one of USER"),
        ("truncated=yes", "truncated", "must be one of true, false"),
        ("include=everything", "include", "must be one of total, metadata_text"),
        ("log=p1", "log", "a level and an id"),
        ("log=moon:1", "log", "must be one of"),
        ("occurred_at_from=yesterday", "occurred_at_from", "RFC 3339"),
        ("period_preset=TODAY", "period_time_zone", "must be given with"),
        ("period_time_zone=UTC", "period_preset", "must be given with"),
        ("period_preset=TODAY&period_time_zone=Mars/Olympus", "period_time_zone", "IANA"),
        (
            "period_preset=TODAY&period_time_zone=UTC&occurred_at_to=2026-01-01T00:00:00Z",
            "period_preset",
            "occurred_at_from",
        ),
        ("actor_email_contains=%00", "actor_email_contains", "NUL"),
        ("after=nonsense", "after", "must be a cursor"),
        (&format!("after={end}&actions=a.b"), "after", "must be a cursor of this list"),
        (&format!("after={end}&before={end}"), "before", "not be given together"),
        (&many, "actor_ids", "at most 100 values, got 101"),
        (&format!("search={}", "x".repeat(257)), "search", "at most 256 characters"),
        ("search=%F0%9F%9A%80", "search", "a letter or a number"),
    ] {
        let answer = get(app, &token, &format!("{EVENTS}?{query}")).await;
        assert_eq!(told_of(&answer), refusal(400, "BAD_USER_INPUT", field), "{query}");
        let problem = problem(&answer);
        let (detail, rule) = (problem["detail"].as_str().unwrap(), problem["rule"].as_str().unwrap());
        assert!(detail.contains(says) || problem["suggestions"][0] == "actions", "{query}: {detail}");
        assert!(detail.starts_with(field) && detail.contains(rule), "{query}: {detail}");
    }
    let problem = problem(&get(app, &token, &format!("{EVENTS}?action=a.b")).await);
    assert_eq!(problem["suggestions"][0], "actions", "{problem}");
}

async fn nobody_reads_or_finds_or_records_for_another_organization(app: &TestApp) {
    let (acme, globex) = (app.admin("workspace", "acme"), app.admin("workspace", "globex"));
    let id = acme.record(event("a.b")).await["event"]["id"].as_str().unwrap().to_owned();
    let cursor = get(app, &acme.token(), EVENTS).await.json()["page"]["end"].as_str().unwrap().to_owned();
    let token = globex.token();
    assert_eq!(ids(&get(app, &token, EVENTS).await), Vec::<String>::new());
    let found = get(app, &token, &format!("{EVENTS}/{id}")).await;
    let missing = get(app, &token, &format!("{EVENTS}/evt_nothing")).await;
    assert_eq!(told_of(&found), refusal(404, "NOT_FOUND", ""));
    assert_eq!(problem(&found)["detail"], problem(&missing)["detail"]);
    assert_eq!(told_of(&get(app, &token, &format!("{EVENTS}?organization=acme")).await).1, "NOT_FOUND");
    assert_eq!(
        told_of(&get(app, &token, &format!("{EVENTS}?after={cursor}")).await),
        refusal(400, "BAD_USER_INPUT", "after")
    );
    let mut foreign = event("a.b");
    foreign["organization"] = json!("acme");
    assert_eq!(told_of(&post(app, &token, &foreign).await).1, "NOT_FOUND");
    let many = post(app, &token, &json!({ "events": [foreign, event("a.c")] })).await;
    assert_eq!((many.status.as_u16(), many.json()["results"][0]["error"]["code"].clone()), (207, json!("NOT_FOUND")));
    assert_eq!(acme.actions("").await, ["a.b"]);
    assert_eq!(globex.actions("").await, ["a.c"]);
    // Another product's token is another world, whatever the organization is called.
    let other = app.admin("capydb", "acme").token();
    assert_eq!(told_of(&get(app, &other, &format!("{EVENTS}/{id}")).await).1, "NOT_FOUND");
    // Outsiders are told before anything is read.
    for (token, code) in [
        (app.admin("cloud-sessions", "acme").role("member").token(), "FORBIDDEN"),
        (app.admin("cloud-sessions", "acme").plan("free").token(), "PLAN_REQUIRED"),
        (app.admin("cloud-sessions", "acme").scopes("audit:record").token(), "FORBIDDEN"),
    ] {
        let answer = get(app, &token, EVENTS).await;
        assert_eq!(told_of(&answer), refusal(403, code, ""));
        let plans = if code == "PLAN_REQUIRED" { json!(["paid"]) } else { json!(null) };
        assert_eq!(problem(&answer)["required_plans"], plans);
    }
}

async fn one_event_is_recorded_and_found_where_it_is_said_to_be(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    let sent = json!({
        "action": "user.login", "actor": { "kind": "USER", "id": "u1" }, "on_behalf_of": { "kind": "SERVICE", "id": "s1" },
        "resources": [{ "type": "t", "id": "r" }], "occurred_at": "2026-01-02T03:04:05.123456789Z", "ip_address": "::1",
        "user_agent": "curl", "correlation_id": "c", "source": "s", "source_event_id": "e", "idempotency_key": "k",
        "metadata": { "userAgent": 1, "big": 2 }, "strict": true, "outcome": "SUCCESS"
    });
    let first = post(app, &token, &sent).await;
    assert_eq!((first.status.as_u16(), first.json()["status"].clone()), (201, json!("RECORDED")), "{}", first.json());
    let event = first.json()["event"].clone();
    for member in [
        "on_behalf_of",
        "occurred_at",
        "ip_address",
        "user_agent",
        "correlation_id",
        "source",
        "source_event_id",
        "metadata",
        "outcome",
    ] {
        let shown = if member == "on_behalf_of" { event[member]["kind"].clone() } else { event[member].clone() };
        let told = if member == "on_behalf_of" { sent[member]["kind"].clone() } else { sent[member].clone() };
        assert_eq!(shown, told, "{member}");
    }
    // Relative to `/v1/audit-events`, below whatever path a gateway put it.
    let location = first.headers[header::LOCATION].to_str().unwrap();
    assert_eq!(location, format!("audit-events/{}", event["id"].as_str().unwrap()));
    assert_eq!(get(app, &token, &format!("/v1/{location}")).await.json()["id"], event["id"]);
    let again = post(app, &token, &sent).await;
    assert_eq!((again.status.as_u16(), again.json()["status"].clone()), (200, json!("ALREADY_RECORDED")));
    assert_eq!(again.json()["event"]["id"], event["id"]);
    let mut other = sent.clone();
    other["action"] = json!("user.logout");
    let conflict = post(app, &token, &other).await;
    assert_eq!(told_of(&conflict), refusal(409, "CONFLICT", "idempotency_key"));
    assert_eq!(problem(&conflict)["existing"], event["id"]);
    assert_eq!(admin.actions("").await, ["user.login"]);
    // It asks for the scope, and for neither plan nor role.
    let reader = app.admin("workspace", "acme").scopes("audit:read").token();
    assert_eq!(told_of(&post(app, &reader, &sent).await), refusal(403, "FORBIDDEN", ""));
}

async fn many_events_each_have_their_result_and_the_status_tells_of_all(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    let keyed = |action: &str, key: &str| {
        let mut input = event(action);
        input["idempotency_key"] = json!(key);
        input
    };
    let (good, bad) = (keyed("a.b", "1"), json!({ "action": "a.b", "actor": { "kind": "ROBOT" } }));
    let send = async |body: Value| {
        let answer = post(app, &token, &body).await;
        let json = answer.json();
        let results = json["results"].as_array().cloned().unwrap_or_default();
        let words = results.iter().map(|result| {
            let (status, code) = (result["status"].as_str(), result["error"]["code"].as_str());
            status.or(code).unwrap_or_default().to_owned()
        });
        (answer.status.as_u16(), words.collect::<Vec<_>>(), json)
    };
    let (status, words, body) = send(json!({ "events": [good, keyed("a.c", "2")] })).await;
    assert_eq!((status, words.as_slice()), (201, &["RECORDED".to_owned(), "RECORDED".to_owned()][..]), "{body}");
    assert_eq!((&body["recorded"], &body["already_recorded"], &body["refused"]), (&json!(2), &json!(0), &json!(0)));
    let (status, words, _) = send(json!({ "events": [good, keyed("a.c", "2")] })).await;
    assert_eq!((status, words.join(" ")), (200, "ALREADY_RECORDED ALREADY_RECORDED".to_owned()));
    let (status, words, _) = send(json!({ "events": [good, keyed("a.d", "3")] })).await;
    assert_eq!((status, words.join(" ")), (201, "ALREADY_RECORDED RECORDED".to_owned()));
    let (status, words, body) = send(json!({ "events": [bad, event("x"), event("a\u{0}")] })).await;
    assert_eq!((status, words.join(" ")), (207, "BAD_USER_INPUT RECORDED BAD_USER_INPUT".to_owned()));
    assert_eq!(body["results"][0]["error"]["field"], "events[0].actor.kind", "{body}");
    // Nothing was recorded: no status that a careless client takes for success.
    let before = admin.actions("first: 100").await.len();
    let (status, words, body) = send(json!({ "events": [bad, bad] })).await;
    assert_eq!((status, words.join(" ")), (400, "BAD_USER_INPUT BAD_USER_INPUT".to_owned()));
    assert_eq!((&body["code"], &body["field"]), (&json!("BAD_USER_INPUT"), &json!("events[0].actor.kind")));
    let (status, words, body) = send(json!({ "events": [event("y"), bad], "atomic": true })).await;
    assert_eq!((status, words.join(" ")), (400, "BAD_USER_INPUT BAD_USER_INPUT".to_owned()));
    assert_eq!(body["field"], "events[1].actor.kind", "{body}");
    let (status, ..) = send(json!({ "events": [keyed("z", "1")] })).await;
    assert_eq!(status, 409);
    let mut blank = event("b");
    blank["source"] = json!("");
    let (status, _, body) = send(json!({ "events": [blank], "strict": true })).await;
    assert_eq!((status, &body["field"]), (400, &json!("events[0].source")), "{body}");
    assert_eq!(admin.actions("first: 100").await.len(), before);
    let (status, words, _) = send(json!({ "events": [] })).await;
    assert_eq!((status, words.len()), (200, 0));
    for (body, field) in [
        (json!({ "events": {} }), "events"),
        (json!({ "events": null }), "events"),
        (json!({ "events": [], "atomic": 1 }), "atomic"),
        (json!({ "events": [], "atomics": true }), "atomics"),
        (json!({ "events": vec![event("a"); 1_001] }), "events"),
    ] {
        let (status, _, body) = send(body).await;
        assert_eq!((status, &body["field"]), (400, &json!(field)), "{body}");
    }
}

async fn the_header_names_the_key_of_one_event(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    let send = async |body: Value, key: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        send(app, Method::POST, Some(&token), EVENTS, &headers, body.to_string()).await
    };
    let first = send(event("a.b"), "job 1").await;
    assert_eq!(first.status, 201);
    for same in ["job 1", "\"job 1\"", " job 1 "] {
        assert_eq!(send(event("a.b"), same).await.json()["event"]["id"], first.json()["event"]["id"], "{same}");
    }
    let mut both = event("a.b");
    both["idempotency_key"] = json!("job 1");
    assert_eq!(send(both.clone(), "job 1").await.status, 200);
    assert_eq!(post(app, &token, &both).await.status, 200);
    assert_eq!(told_of(&send(both, "job 2").await), refusal(400, "BAD_USER_INPUT", "Idempotency-Key"));
    assert_eq!(told_of(&send(event("a.c"), "job 1").await), refusal(409, "CONFLICT", "idempotency_key"));
    assert_eq!(told_of(&send(event("a.c"), "\"\"").await), refusal(400, "BAD_USER_INPUT", "Idempotency-Key"));
    assert_eq!(told_of(&send(event("a.c"), "é").await), refusal(400, "BAD_USER_INPUT", "Idempotency-Key"));
    let many = send(json!({ "events": [event("a.c")] }), "job 3").await;
    assert_eq!(told_of(&many), refusal(400, "BAD_USER_INPUT", "Idempotency-Key"));
    assert_eq!(admin.actions("").await, ["a.b"]);
    // The key of one organization is free in another.
    let globex = app.admin("workspace", "globex").token();
    let headers = [("content-type", "application/json"), ("idempotency-key", "job 1")];
    let other = self::send(app, Method::POST, Some(&globex), EVENTS, &headers, event("other").to_string()).await;
    assert_eq!(other.status, 201);
}

async fn odd_json_is_read_as_graphql_reads_it(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    let headers = [("content-type", "application/json")];
    let raw = async |body: Vec<u8>| send(app, Method::POST, Some(&token), EVENTS, &headers, body).await;
    let with = |member: &str| format!(r#"{{"action":"a.b","actor":{{"kind":"USER"}},{member}}}"#).into_bytes();
    for (member, field, says) in [
        (r#""metadata":{"n":123456789012345678901234567890}"#, "metadata.n", "metadata_text"),
        (r#""metadata":{"a":1,"a":2}"#, "metadata.a", "must stand once"),
        (r#""source":1"#, "source", "must be a text"),
        (r#""metadata":[]"#, "metadata", "object"),
        (r#""onBehalfOf":null"#, "onBehalfOf", "is no member of an event; the nearest are on_behalf_of"),
        (r#""on__behalf_of":null"#, "on__behalf_of", "is no member of an event"),
        (r#""occured_at":"2026-01-01T00:00:00Z""#, "occured_at", "is no member of an event"),
        (r#""occurred_at":"now""#, "occurred_at", "RFC 3339"),
        (r#""on_behalf_of":{"kind":"USER","nme":"x"}"#, "on_behalf_of.nme", "is no member of an actor"),
        (r#""log":{"level":"organisation"}"#, "log.id", "must be given"),
        (r#""metadata":{},"metadata_text":"{}""#, "metadata_text", "must not be given together"),
        (r#""outcome":"GOOD""#, "outcome", "must be one of"),
    ] {
        let answer = raw(with(member)).await;
        assert_eq!(told_of(&answer), refusal(400, "BAD_USER_INPUT", field), "{member}: {}", answer.json());
        let problem = problem(&answer);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says) || problem["suggestions"][0] == "on_behalf_of", "{member}: {detail}");
    }
    for body in ["[]", "1", "\"a\"", "null"] {
        let answer = raw(body.into()).await;
        assert_eq!(told_of(&answer), refusal(400, "BAD_USER_INPUT", ""), "{body}");
        assert_eq!(problem(&answer)["detail"], "must be an object", "{body}");
    }
    assert_eq!(told_of(&raw(b"{".to_vec()).await).0, 400);
    // What an outsider put into a text keeps no event out.
    let answer = raw(with(r#""user_agent":"a\ud800b\u0000c","metadata":{"k":"\ud800"}"#)).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    let event = answer.json()["event"].clone();
    assert_eq!(event["user_agent"], "a\u{fffd}b\u{fffd}c");
    assert!(event["truncated"].as_array().unwrap().contains(&json!("user_agent")), "{event}");
    let mut latin = with(r#""user_agent":"X""#);
    let at = latin.iter().position(|byte| *byte == b'X').unwrap();
    latin[at] = 0xe9;
    assert_eq!(raw(latin).await.json()["event"]["user_agent"], "\u{fffd}");
    // A faulty event costs its neighbours nothing.
    let mixed = br#"{"events":[{"action":"a.b","actor":{"kind":"USER"},"metadata":{"n":1e999}},{"action":"ok","actor":{"kind":"USER"}},null]}"#;
    let answer = raw(mixed.to_vec()).await;
    let results = answer.json()["results"].clone();
    assert_eq!((answer.status.as_u16(), &results[1]["status"]), (207, &json!("RECORDED")));
    assert_eq!(results[0]["error"]["field"], "events[0].metadata.n");
    assert_eq!(results[2]["error"]["field"], "events[2]", "{results}");
}

async fn whatever_is_no_request_of_ours_is_a_problem_too(app: &TestApp) {
    let admin = app.admin("workspace", "acme");
    let token = admin.token();
    let one = format!("{EVENTS}/evt_x");
    let ask = async |method: Method, uri: &str, headers: &[(&str, &str)], body: Vec<u8>| {
        send(app, method, Some(&token), uri, headers, body).await
    };
    for (method, uri, allow) in [
        (Method::DELETE, EVENTS, "GET,HEAD,POST"),
        (Method::PUT, EVENTS, "GET,HEAD,POST"),
        (Method::POST, &one, "GET,HEAD"),
        (Method::PATCH, &one, "GET,HEAD"),
        (Method::DELETE, "/v1/openapi.json", "GET,HEAD"),
        (Method::POST, "/v1/audit-logs", "GET,HEAD"),
    ] {
        let answer = ask(method.clone(), uri, &[], Vec::new()).await;
        assert_eq!(told_of(&answer), refusal(405, "BAD_USER_INPUT", ""), "{method} {uri}");
        assert_eq!(answer.headers[header::ALLOW], allow, "{method} {uri}");
    }
    for uri in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/audit-events/",
        "/v1/audit-events/a/b",
        "/v1/%ff",
        "/v1/projects/p/audit-event",
    ] {
        assert_eq!(told_of(&ask(Method::GET, uri, &[], Vec::new()).await), refusal(404, "NOT_FOUND", ""), "{uri}");
    }
    for accept in ["text/html", "application/xml, text/*", "application/json;q=0"] {
        let answer = ask(Method::GET, EVENTS, &[("accept", accept)], Vec::new()).await;
        assert_eq!(told_of(&answer), refusal(406, "BAD_USER_INPUT", ""), "{accept}");
    }
    for accept in
        ["*/*", "application/json", "text/html, application/*;q=0.1", "application/problem+json, application/json"]
    {
        assert_eq!(ask(Method::GET, EVENTS, &[("accept", accept)], Vec::new()).await.status, 200, "{accept}");
    }
    let body = event("a.b").to_string().into_bytes();
    for (kind, coding) in [("text/plain", ""), ("application/json; charset=latin1", ""), ("application/json", "br")] {
        let answer =
            ask(Method::POST, EVENTS, &[("content-type", kind), ("content-encoding", coding)], body.clone()).await;
        assert_eq!(told_of(&answer), refusal(415, "BAD_USER_INPUT", ""), "{kind} {coding}");
        assert!(answer.headers.contains_key(if coding.is_empty() { header::ACCEPT } else { header::ACCEPT_ENCODING }));
    }
    let json = ("content-type", "application/json");
    let large = ask(Method::POST, EVENTS, &[json], vec![b' '; 10 * 1024 * 1024 + 1]).await;
    assert_eq!(told_of(&large), refusal(413, "BAD_USER_INPUT", ""));
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = ("content-encoding", "gzip");
    assert_eq!(ask(Method::POST, EVENTS, &[json, gzip], packed(&body)).await.status, StatusCode::CREATED);
    let bomb = ask(Method::POST, EVENTS, &[json, gzip], packed(&vec![b' '; 11 * 1024 * 1024])).await;
    assert_eq!(told_of(&bomb).0, 413);
    assert_eq!(told_of(&ask(Method::POST, EVENTS, &[json, gzip], b"no gzip".to_vec()).await).0, 400);
    // Nobody's body is read, and a token may come as a key.
    let nobody = send(app, Method::POST, None, EVENTS, &[("content-type", "text/plain")], "x").await;
    assert_eq!(told_of(&nobody), refusal(401, "UNAUTHENTICATED", ""));
    assert_eq!(nobody.headers[header::WWW_AUTHENTICATE], "Bearer");
    let by_key = send(app, Method::GET, None, EVENTS, &[("x-api-key", &token)], Body::empty()).await;
    assert_eq!(by_key.status, 200);
    let head = ask(Method::HEAD, EVENTS, &[], Vec::new()).await;
    assert!(head.status == 200 && head.body.is_empty() && head.headers.contains_key(header::ETAG));
    // A request keeps the id that it came with.
    let named = send(app, Method::GET, Some("x"), EVENTS, &[("x-request-id", "r-1")], Body::empty()).await;
    assert_eq!((told_of(&named).0, &problem(&named)["request_id"]), (401, &json!("r-1")));
}

async fn a_read_over_the_rate_says_when_to_come_back(app: &TestApp) {
    let limited = app.beside_with(|settings| settings.read_rate = 60).await;
    let admin = limited.admin("workspace", "acme");
    let token = admin.token();
    let mut last = get(&limited, &token, EVENTS).await;
    for _ in 0..110 {
        last = get(&limited, &token, EVENTS).await;
    }
    assert_eq!(told_of(&last), refusal(429, "RATE_LIMITED", ""));
    let wait = problem(&last)["retry_after_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&wait));
    assert_eq!(last.headers[header::RETRY_AFTER], wait.div_ceil(1000).to_string());
    // The same share as GraphQL's, and no share of recording.
    assert_eq!(admin.ask("{ auditEvents { nodes { id } } }", json!({})).await.code(), "RATE_LIMITED");
    assert_eq!(told_of(&get(&limited, &token, &format!("{EVENTS}/evt_x")).await).1, "RATE_LIMITED");
    assert_eq!(post(&limited, &token, &event("a.b")).await.status, 201);
    limited.finish().await;
}

async fn pages_of_allowed_origins_see_links_and_tags(app: &TestApp) {
    let origin = "https://app.example";
    let service = app.beside_with(|settings| settings.allowed_origins = vec![origin.parse().unwrap()]).await;
    let token = service.admin("workspace", "acme").token();
    let answer = send(&service, Method::GET, Some(&token), EVENTS, &[("origin", origin)], Body::empty()).await;
    let exposed = answer.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().to_owned();
    for name in ["link", "etag", "location", "retry-after", "x-request-id"] {
        assert!(exposed.split(',').any(|each| each.trim() == name), "{name} in {exposed}");
    }
    let asked = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,idempotency-key,if-none-match"),
    ];
    let preflight = send(&service, Method::OPTIONS, None, EVENTS, &asked, Body::empty()).await;
    let allowed = preflight.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().to_owned();
    assert!(allowed.contains("idempotency-key") && allowed.contains("if-none-match"), "{allowed}");
    service.finish().await;
}
