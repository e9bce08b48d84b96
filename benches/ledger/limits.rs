//! What a request can cost: every root field of the schema with the arguments that cost most of those that are allowed,
//! alone and as often as one request may have it. Written into docs/limits.md.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, Database},
    events::{COMMON, NEVER_MET},
    load,
    service::{Client, Service, memory_of},
};

/// The largest organization, which all of it is asked of.
const LARGE: usize = 0;
/// The first of the organizations that are ended.
const ENDED: usize = 5_000;
/// Root fields of one request.
const WIDEST: usize = 50;
/// Events of the greatest size.
const LARGE_EVENTS: usize = 100;
/// Bytes of their metadata: what an event may have at most, less than a kilobyte.
const METADATA: usize = 64_000;
/// Events that are followed from their beginning.
const FOLLOWED: usize = 1_000;

/// One way to ask a root field. In its texts `@n` is another number in each request, and `@made` the id of what was
/// prepared for it.
struct Case {
    field: &'static str,
    /// Which arguments.
    with: &'static str,
    /// The field with its arguments and selection.
    text: String,
    /// What a request needs that no other has used.
    prepared: Option<String>,
    /// Who asks.
    who: Who,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Somebody who may everything in the large organization.
    Manager,
    /// A backend that is for no organization in particular.
    Backend,
    /// The same of an organization that is to end.
    Ending,
    /// Another one of them.
    Second,
}

/// Measures all of them in a database of a size.
pub async fn run(bench: &Bench, database: Database, size: u64) -> Result<()> {
    let url = load::to_record_into(bench, database, size).await?;
    let on = Bench::on(database, size, false);
    let schema = Schema::read()?;
    let service = Service::start(bench, &url).await?;
    let made = Made::prepare(bench, &service).await?;
    drop(service);
    let cases = cases(&schema, &made);
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            let name = field.name.node.as_str();
            ensure!(cases.iter().any(|case| case.field == name), "{root}.{name} is not among what is measured");
        }
    }
    for case in &cases {
        let is_mutation = schema.fields("Mutation").any(|field| field.name.node == case.field);
        // Anew for each: memory that an earlier one has left behind would be used again.
        let service = Service::start(bench, &url).await?;
        let add = |what: &str, value: f64, unit: &str| {
            bench.figures.add(&on, &format!("{what}: {}, {}", case.field, case.with), value, unit)
        };
        let one = measured(bench, &service, case, is_mutation, 1).await.with_context(|| case.field.to_owned())?;
        add("limits, CPU", one.cpu, "ms")?;
        add("limits, memory", one.memory, "MB")?;
        if !is_mutation {
            let most = as_often_as_allowed(bench, &service, case).await?;
            drop(service);
            let service = Service::start(bench, &url).await?;
            let all = measured(bench, &service, case, false, most).await?;
            add("limits, of one request", most as f64, "times")?;
            add("limits, CPU of all of it", all.cpu, "ms")?;
            add("limits, memory of all of it", all.memory, "MB")?;
        }
    }
    followed(bench, &url, &on).await
}

/// What a request costs the service.
struct Cost {
    /// Milliseconds of CPU.
    cpu: f64,
    /// By how many MB its memory grew while it was answered.
    memory: f64,
}

impl Case {
    fn document(&self, is_mutation: bool, times: usize, number: usize, made: &str) -> String {
        let root = if is_mutation { "mutation" } else { "query" };
        let one = |at: usize| {
            let number = format!("{:04}", (number * WIDEST + at) % 10_000);
            format!("a{at}: {}", self.text.replace("@n", &number).replace("@made", made))
        };
        format!("{root} {{ {} }}", (0..times).map(one).collect::<Vec<_>>().join(" "))
    }

    fn client(&self, bench: &Bench, service: &Service, number: usize) -> Result<Client> {
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

/// Asks for a while.
async fn measured(bench: &Bench, service: &Service, case: &Case, is_mutation: bool, times: usize) -> Result<Cost> {
    // What any first request brings with it.
    Client::new(service, bench.manager(LARGE)?).ask("{ auditEvents(first: 1) { totalCount nodes { id } } }").await?;
    let before = service.memory()?;
    let most = Most::watch(service.pid());
    let (started, mut requests, mut cpu) = (Instant::now(), 0, 0.0);
    while requests < 3 || started.elapsed().as_secs_f64() < bench.seconds {
        let number = next_number();
        let mut made = String::new();
        if let Some(prepared) = &case.prepared {
            let first = if case.who == Who::Second { Who::Ending } else { case.who };
            let maker = Case { who: first, text: prepared.clone(), prepared: None, ..*case };
            let document = maker.document(true, 1, number, "");
            let answer = maker.client(bench, service, number)?.ask(&document).await;
            if answer.is_err() && requests > 0 {
                break;
            }
            made = id_in(&answer?).unwrap_or_default().to_owned();
        }
        let client = case.client(bench, service, number)?;
        let document = case.document(is_mutation, times, number, &made);
        let used = service.cpu_exactly()?;
        let answer = client.answer(json!({ "query": document }).to_string()).await?;
        let errors = answer.get("errors").map(Value::to_string);
        // Some may be asked for a few times a minute alone.
        if errors.as_ref().is_some_and(|errors| requests > 0 && errors.contains("RATE_LIMITED")) {
            break;
        }
        ensure!(errors.as_deref().is_none_or(is_busy), "{}", errors.unwrap_or_default());
        cpu += service.cpu_exactly()? - used;
        requests += 1;
    }
    Ok(Cost { cpu: cpu / f64::from(requests) * 1e3, memory: (most.end()? - before).max(0.0) })
}

/// Whether a part of a request was given up because of its other parts: what it has cost is a cost all the same.
fn is_busy(errors: &str) -> bool {
    errors.contains("OVERLOADED")
}

/// How often one request may have it.
async fn as_often_as_allowed(bench: &Bench, service: &Service, case: &Case) -> Result<usize> {
    let (mut allowed, mut refused) = (1, WIDEST + 1);
    while refused - allowed > 1 {
        let times = usize::midpoint(allowed, refused);
        let client = case.client(bench, service, 0)?;
        let document = case.document(false, times, next_number(), "");
        let answer = client.answer(json!({ "query": document }).to_string()).await?;
        match answer.get("errors").map(Value::to_string) {
            Some(errors) if !is_busy(&errors) => refused = times,
            _ => allowed = times,
        }
    }
    Ok(allowed)
}

/// Events from the beginning of the log, by server-sent events.
async fn followed(bench: &Bench, url: &str, on: &str) -> Result<()> {
    let service = Service::start(bench, url).await?;
    let client = Client::new(&service, bench.manager(LARGE)?);
    let asked = "{ auditEvents(first: 1, orderBy: { field: SEQUENCE, direction: ASC }, includeNested: true)
        { pageInfo { endCursor } } }";
    let answer = client.ask(asked).await?;
    let cursor = answer["auditEvents"]["pageInfo"]["endCursor"].as_str().context("a cursor")?.to_owned();
    let event = Schema::read()?.selection("AuditEvent");
    let query = format!(
        "subscription {{ auditEventRecorded(includeNested: true, after: \"{cursor}\") {{ cursor node {event} }} }}"
    );
    let before = service.memory()?;
    let most = Most::watch(service.pid());
    let used = service.cpu_exactly()?;
    let answer = reqwest::Client::new()
        .post(format!("{}/graphql", service.base))
        .bearer_auth(bench.manager(LARGE)?)
        .header("accept", "text/event-stream")
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string())
        .send()
        .await?
        .error_for_status()?;
    let (mut events, mut body) = (0, answer.bytes_stream());
    while events < FOLLOWED {
        let piece = body.next().await.context("more events")??;
        events += piece.windows(12).filter(|window| window == b"event: next\n").count();
    }
    let cpu = (service.cpu_exactly()? - used) * 1e3;
    let name = "auditEventRecorded, 1,000 events of every field";
    bench.figures.add(on, &format!("limits, CPU: {name}"), cpu * 1_000.0 / events as f64, "ms")?;
    bench.figures.add(on, &format!("limits, memory: {name}"), (most.end()? - before).max(0.0), "MB")
}

/// What there is before anything is measured.
struct Made {
    events: Vec<String>,
    erasure: String,
    export: String,
    endpoint: String,
}

impl Made {
    async fn prepare(bench: &Bench, service: &Service) -> Result<Self> {
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

fn cases(schema: &Schema, made: &Made) -> Vec<Case> {
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

/// A number that no request before had.
fn next_number() -> usize {
    use std::sync::atomic::AtomicUsize;
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The first id anywhere in an answer.
fn id_in(answer: &Value) -> Option<&str> {
    match answer {
        Value::Object(members) => {
            members.get("id").and_then(Value::as_str).or_else(|| members.values().find_map(id_in))
        }
        _ => None,
    }
}

/// The most memory that a process has while it is watched.
struct Most {
    ended: Arc<AtomicBool>,
    watch: std::thread::JoinHandle<Result<f64>>,
}

impl Most {
    fn watch(pid: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let until = ended.clone();
        let watch = std::thread::spawn(move || {
            let mut most = 0.0_f64;
            while !until.load(Ordering::Relaxed) {
                most = most.max(memory_of(pid)?);
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(most)
        });
        Self { ended, watch }
    }

    /// MB.
    fn end(self) -> Result<f64> {
        self.ended.store(true, Ordering::Relaxed);
        self.watch.join().map_err(|_| anyhow::anyhow!("the watch panicked"))?
    }
}

/// What can be asked.
struct Schema(HashMap<String, Vec<FieldDefinition>>);

impl Schema {
    fn read() -> Result<Self> {
        let ServiceDocument { definitions } = parse_schema(std::fs::read_to_string("schema.graphql")?)?;
        let types = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(found) => match found.node.kind {
                TypeKind::Object(object) => {
                    let fields = object.fields.into_iter().map(|field| field.node).collect();
                    Some((found.node.name.node.to_string(), fields))
                }
                _ => None,
            },
            _ => None,
        });
        Ok(Self(types.collect()))
    }

    fn fields(&self, type_name: &str) -> impl Iterator<Item = &FieldDefinition> {
        self.0.get(type_name).into_iter().flatten()
    }

    /// Every field of a type and of the types in it, but of none that is around it.
    fn selection(&self, type_name: &str) -> String {
        self.selection_within(type_name, &mut Vec::new())
    }

    fn selection_within<'a>(&'a self, type_name: &'a str, around: &mut Vec<&'a str>) -> String {
        around.push(type_name);
        let mut fields = Vec::new();
        for field in self.fields(type_name) {
            let of = innermost(&field.ty.node);
            match self.0.contains_key(of) {
                false => fields.push(field.name.node.to_string()),
                true if around.contains(&of) || is_elsewhere(type_name, &field.name.node) => {}
                true => fields.push(format!("{} {}", field.name.node, self.selection_within(of, around))),
            }
        }
        around.pop();
        format!("{{ {} }}", fields.join(" "))
    }
}

/// What has a line of its own: with it, a list would be too much at once. The actions of a category are in the catalog.
fn is_elsewhere(type_name: &str, field: &str) -> bool {
    matches!((type_name, field), ("Category", "actions") | ("AuditAlertRule", "lastFiring"))
}

fn innermost(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => innermost(inner),
    }
}
