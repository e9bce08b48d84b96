//! What is asked: a line for each way that a root field may be asked, and what has to be there before.

use anyhow::{Context, Result};
use serde_json::Value;

use super::schema::Schema;
use crate::{
    bench::Bench,
    events::{COMMON, NEVER_MET},
    service::{Client, Service},
};

/// The largest organization, which all of it is asked of.
pub(super) const LARGE: usize = 0;
/// The first of the organizations that are ended.
const ENDED: usize = 5_000;
/// Root fields of one request.
pub(super) const WIDEST: usize = 50;
/// Events of the greatest size.
const LARGE_EVENTS: usize = 100;
/// Bytes of their metadata: what an event may have at most, less than a kilobyte.
const METADATA: usize = 64_000;

/// One way to ask a root field. In its texts `@n` is another number in each request, and `@made` the id of what was
/// prepared for it.
pub(super) struct Case {
    pub(super) field: &'static str,
    /// Which arguments.
    pub(super) with: &'static str,
    /// The field with its arguments and selection.
    pub(super) text: String,
    /// What a request needs that no other has used.
    pub(super) prepared: Option<String>,
    /// Who asks.
    pub(super) who: Who,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Somebody who may everything in the large organization.
    Manager,
    /// A backend that is for no organization in particular.
    Backend,
    /// The same of an organization that is to end.
    Ending,
    /// Another one of them.
    Second,
}

impl Case {
    pub(super) fn document(&self, is_mutation: bool, times: usize, number: usize, made: &str) -> String {
        let root = if is_mutation { "mutation" } else { "query" };
        let one = |at: usize| {
            let number = format!("{:04}", (number * WIDEST + at) % 10_000);
            format!("a{at}: {}", self.text.replace("@n", &number).replace("@made", made))
        };
        format!("{root} {{ {} }}", (0..times).map(one).collect::<Vec<_>>().join(" "))
    }

    pub(super) fn client(&self, bench: &Bench, service: &Service, number: usize) -> Result<Client> {
        Ok(Client::new(
            service,
            match self.who {
                Who::Manager => bench.manager(LARGE)?,
                Who::Backend => bench.backend()?,
                Who::Ending => bench.manager(ENDED + number)?,
                Who::Second => bench.manager_as("second", ENDED + number)?,
            },
        ))
    }
}

/// What there is before anything is measured.
pub(super) struct Made {
    events: Vec<String>,
    erasure: String,
    export: String,
    endpoint: String,
}

impl Made {
    pub(super) async fn prepare(bench: &Bench, service: &Service) -> Result<Self> {
        let client = Client::new(service, bench.manager(LARGE)?);
        let make = async |text: String, times: usize| {
            let mut ids = Vec::new();
            for n in 0..times {
                let text = text.replace("@n", &format!("{n:04}"));
                let answer = client.ask(&format!("mutation {{ {text} }}")).await?;
                ids.push(id_in(&answer).context("an id")?.to_owned());
            }
            anyhow::Ok(ids)
        };
        let events = make(record_large(), LARGE_EVENTS).await?;
        let endpoint = make(create_endpoint(), 20).await?.swap_remove(0);
        make(create_rule(&endpoint), 40).await?;
        make(create_token(), 100).await?;
        make(place_hold(), 10).await?;
        let export = make(create_export(), 1).await?.swap_remove(0);
        let erasure = make(erase(), 5).await?.swap_remove(0);
        Ok(Self { events, erasure, export, endpoint })
    }
}

pub(super) fn cases(schema: &Schema, made: &Made) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |field, with, text: String| {
        cases.push(Case { field, with, text, prepared: None, who: Who::Manager });
    };
    let all = |type_name: &str| schema.selection(type_name);
    let event = all("AuditEvent");
    let page = format!("{{ edges {{ cursor node {event} }} pageInfo {} }}", all("PageInfo"));
    let facets = "categories actions actors outcomes logs ipAddresses sources resourceTypes";
    let facets: Vec<_> = facets.split(' ').map(|name| format!("{name} {{ buckets {{ value count }} }}")).collect();
    let counted = format!(
        "{{ totalCount facets(timeZone: \"Asia/Kathmandu\") {{ {} days {{ day count }} }} }}",
        facets.join(" ")
    );
    // What differs in each: parts of a request that are equal are answered once.
    let until = "occurredAt: { to: \"2026-12-31T00:00:00.00@nZ\" }";
    let list = |arguments: &str, selection: &str| format!("auditEvents(includeNested: true, {arguments}) {selection}");
    let search = |words: &str, selection: &str| {
        let words = words.replace('"', "\\\"");
        list(&format!("first: 50, search: \"{words}\", filter: {{ {until} }}"), selection)
    };

    add("viewer", "every field", format!("viewer {}", all("Viewer")));
    add("catalog", "every field", format!("catalog {}", all("Catalog")));
    add(
        "auditEvents",
        "100 events of 64 kB, every field",
        list(&format!("first: 100, filter: {{ {until}, actions: [\"file.uploaded\"] }}"), &page),
    );
    add("auditEvents", "total and every facet of a common word", search(COMMON, &counted));
    add("auditEvents", "total and every facet of a phrase", search(&format!("\"{COMMON} evenside\""), &counted));
    add("auditEvents", "50 of two words that never meet", search(NEVER_MET, &page));
    add("auditEvents", "50 of a beginning", search("word0*", &page));
    add("auditEvents", "100 values in each list", list(&format!("first: 50, filter: {}", values()), &page));
    let id = |n: usize| made.events[n % made.events.len()].clone();
    add("auditEvent", "64 kB, every field", format!("auditEvent(id: \"{}\") {event}", id(0)));
    add("node", "64 kB, every field", format!("node(id: \"{}\") {{ ... on AuditEvent {event} }}", id(1)));
    add("auditEndpoints", "20, every field", format!("auditEndpoints {}", all("AuditEndpoint")));
    add("auditAlertRules", "40, every field", format!("auditAlertRules {}", all("AuditAlertRule")));
    add("auditSavedViews", "those that were saved, every field", format!("auditSavedViews {}", all("AuditSavedView")));
    let tokens = "auditTokens(first: 100, includeEnded: true)";
    add("auditTokens", "100", format!("{tokens} {}", all("AuditTokenPage")));
    add("auditRetention", "every field", format!("auditRetention {}", all("AuditRetention")));
    add("auditHolds", "10 with 100 values in each list", format!("auditHolds {}", all("AuditHold")));
    add("organizationEnd", "none", format!("organizationEnd {}", all("OrganizationEnd")));
    let certificate = all("OrganizationCertificate");
    add("organizationCertificate", "none", format!("organizationCertificate {certificate}"));
    add(
        "previewAuditErasure",
        "who has acted most",
        format!(
            "previewAuditErasure(input: {{ actor: {{ id: \"usr_0\" }}, resource: {{ type: \"user\", id: \"@n\" }} }}) {}",
            all("AuditErasurePreview")
        ),
    );
    add("auditErasure", "one", format!("auditErasure(id: \"{}\") {}", made.erasure, all("AuditErasure")));
    add("auditErasures", "5", format!("auditErasures(first: 20) {}", all("AuditErasure")));
    add("auditExport", "one", format!("auditExport(id: \"{}\") {}", made.export, all("AuditExport")));
    add("auditExports", "20", format!("auditExports(first: 20) {}", all("AuditExport")));
    add("actors", "100 of a piece of a name", format!("actors(matching: \"on @n\", first: 100) {}", all("Actor")));
    add("queryCompletions", "of a piece of a name", {
        let text = "actor:person\\\\ @n".replace("\\\\ ", "");
        format!("queryCompletions(text: \"{text}\") {}", all("QueryCompletion"))
    });

    add("recordAuditEvent", "64 kB", record_large());
    add("recordAuditEvents", "1,000 small events", record_many(1_000, 200));
    add("recordAuditEvents", "140 events of 64 kB", record_many(140, METADATA));
    add("createAuditExport", "everything; the job is not part of it", create_export());
    add("createEndpoint", "100 values in each list", create_endpoint());
    add(
        "updateEndpoint",
        "100 values in each list",
        format!(
            "updateEndpoint(input: {{ id: \"{}\", question: {{ filter: {} }} }}) {{ endpoint {{ id }} }}",
            made.endpoint,
            values()
        ),
    );
    add(
        "rotateEndpointSecret",
        "one",
        format!("rotateEndpointSecret(input: {{ id: \"{}\" }}) {{ secret }}", made.endpoint),
    );
    add(
        "testEndpoint",
        "nobody listens",
        format!("testEndpoint(input: {{ id: \"{}\" }}) {{ attempt {{ succeeded }} }}", made.endpoint),
    );
    add(
        "replayEndpoint",
        "100 events; sending is not part of it",
        format!(
            "replayEndpoint(input: {{ id: \"{}\", fromSequence: \"0\", toSequence: \"99\" }}) {{ endpoint {{ id }} }}",
            made.endpoint
        ),
    );
    add(
        "setAuditRetention",
        "1,000 days",
        "setAuditRetention(input: { days: 1000 }) { retention { wishedDays } }".to_owned(),
    );
    add("placeAuditHold", "100 values in each list", place_hold());
    add("eraseFromAuditLog", "one; the job is not part of it", erase());
    add("createAlertRule", "100 values in each list", create_rule(&made.endpoint));
    add("createSavedView", "2 kB", save_view());
    add("createAuditToken", "one", create_token());

    let plan = "organizationPlan(organization: \"org_0\")".to_owned();
    let set_plan = "setOrganizationPlan(input: { organization: \"org_0\", plan: null }) { plan }".to_owned();
    for (field, text) in [("organizationPlan", plan), ("setOrganizationPlan", set_plan)] {
        cases.push(Case { field, with: "one", text, prepared: None, who: Who::Backend });
    }
    let mut prepared = |field, with, prepared: String, text: String, who| {
        cases.push(Case { field, with, text, prepared: Some(prepared), who });
    };
    prepared(
        "deleteAuditLog",
        "one",
        "recordAuditEvent(input: { action: \"auth.login\", category: \"auth\", actor: { kind: USER, id: \"u\" }, log: { level: \"project\", id: \"p@n\" } }) { event { id } }".to_owned(),
        "deleteAuditLog(input: { log: { level: \"project\", id: \"p@n\" } }) { log { id } }".to_owned(),
        Who::Manager,
    );
    let delete_rule = "deleteAlertRule(input: { id: \"@made\" }) { rule { id } }".to_owned();
    let update_rule = format!(
        "updateAlertRule(input: {{ id: \"@made\", question: {{ filter: {} }} }}) {{ rule {{ id }} }}",
        values()
    );
    let rule = create_rule(&made.endpoint);
    prepared("deleteAlertRule", "one", rule.clone(), delete_rule, Who::Manager);
    prepared("updateAlertRule", "100 values in each list", rule, update_rule, Who::Manager);
    let delete_view = "deleteSavedView(input: { id: \"@made\" }) { view { id } }".to_owned();
    let update_view =
        format!("updateSavedView(input: {{ id: \"@made\", query: \"{}\" }}) {{ view {{ id }} }}", question());
    prepared("deleteSavedView", "one", save_view(), delete_view, Who::Manager);
    prepared("updateSavedView", "2 kB", save_view(), update_view, Who::Manager);
    let endpoint = "deleteEndpoint(input: { id: \"@made\" }) { endpoint { id } }".to_owned();
    prepared("deleteEndpoint", "one", create_endpoint(), endpoint, Who::Manager);
    let lift = "liftAuditHold(input: { id: \"@made\" }) { hold { id } }".to_owned();
    prepared("liftAuditHold", "one", place_hold(), lift, Who::Manager);
    let cancel = "cancelAuditErasure(input: { id: \"@made\" }) { erasure { id } }".to_owned();
    prepared("cancelAuditErasure", "one", erase(), cancel, Who::Manager);
    let revoke = "revokeAuditToken(input: { id: \"@made\" }) { token { id } }".to_owned();
    prepared("revokeAuditToken", "one", create_token(), revoke, Who::Manager);
    let first = "recordAuditEvent(input: { action: \"auth.login\", category: \"auth\", actor: { kind: USER, id: \"u\" } }) { event { id } }".to_owned();
    let end = |name: &str| format!("{name}(input: {{}}) {{ organizationEnd {{ organization }} }}");
    prepared("deleteOrganization", "one", first.clone(), end("deleteOrganization"), Who::Ending);
    let asked = format!("{first} a1: {}", end("deleteOrganization"));
    prepared("confirmOrganizationDeletion", "one", asked.clone(), end("confirmOrganizationDeletion"), Who::Second);
    prepared("cancelOrganizationDeletion", "one", asked, end("cancelOrganizationDeletion"), Who::Ending);
    cases
}

/// A filter with as many values as each of its lists may have.
fn values() -> String {
    let many = |prefix: &str| {
        let values: Vec<_> = (0..100).map(|n| format!("\"{prefix}{n}\"")).collect();
        format!("[{}]", values.join(", "))
    };
    format!(
        "{{ actor: {{ ids: {}, emails: {} }}, resource: {{ ids: {}, anyIs: {} }}, ipAddresses: {}, correlationIds: {}, \
         sourceEventIds: {} }}",
        many("usr_"),
        many("person@n-"),
        many("doc_"),
        many("Document "),
        many("10.0.0."),
        many("c"),
        many("s")
    )
}

fn record_large() -> String {
    let text = "word ".repeat(METADATA / 5);
    format!(
        "recordAuditEvent(input: {{ action: \"file.uploaded\", category: \"file\", actor: {{ kind: USER, id: \"usr_0\" }}, \
         metadataText: \"{{\\\"note\\\":\\\"{text}\\\"}}\" }}) {{ event {{ id }} }}"
    )
}

fn record_many(events: usize, bytes: usize) -> String {
    let text = "word ".repeat(bytes / 5);
    let event = format!(
        "{{ action: \"file.opened\", category: \"file\", actor: {{ kind: USER, id: \"usr_1\" }}, \
         metadataText: \"{{\\\"note\\\":\\\"{text}\\\"}}\" }}"
    );
    format!("recordAuditEvents(input: {{ events: [{}] }}) {{ refused }}", vec![event; events].join(", "))
}

fn create_endpoint() -> String {
    format!(
        "createEndpoint(input: {{ label: \"limits @n\", target: {{ webhook: {{ url: \"http://127.0.0.1:9/hook\" }} }}, \
         question: {{ filter: {} }} }}) {{ endpoint {{ id }} }}",
        values()
    )
}

fn create_rule(endpoint: &str) -> String {
    format!(
        "createAlertRule(input: {{ label: \"limits @n\", threshold: 1000, windowSeconds: 86400, target: {{ endpoint: \
         \"{endpoint}\" }}, question: {{ filter: {} }} }}) {{ rule {{ id }} }}",
        values()
    )
}

fn save_view() -> String {
    format!("createSavedView(input: {{ label: \"limits @n\", query: \"{}\" }}) {{ view {{ id }} }}", question())
}

/// A question of the viewer that is as long as it may be.
fn question() -> String {
    (0..).map(|n| format!("action=auth.login{n}")).take(100).collect::<Vec<_>>().join("&")
}

fn place_hold() -> String {
    format!("placeAuditHold(input: {{ label: \"limits @n\", filter: {} }}) {{ hold {{ id }} }}", values())
}

fn create_export() -> String {
    "createAuditExport(input: { format: CSV, includeNested: true, search: \"absent@n\" }) { export { id } }".to_owned()
}

fn erase() -> String {
    "eraseFromAuditLog(input: { actor: { id: \"nobody-@n\" } }) { erasure { id } }".to_owned()
}

fn create_token() -> String {
    "createAuditToken(input: { label: \"limits @n\", kind: KEY, scopes: [\"audit:read\"], expiresIn: 86400 }) { token { id } }"
        .to_owned()
}

/// The first id anywhere in an answer.
pub(super) fn id_in(answer: &Value) -> Option<&str> {
    match answer {
        Value::Object(members) => {
            members.get("id").and_then(Value::as_str).or_else(|| members.values().find_map(id_in))
        }
        _ => None,
    }
}
