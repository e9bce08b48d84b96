//! Odd events, as real systems write them: what an audit log has to take, kept as sent.

use ledgerline::event::{Actor, ActorKind, Resource, Timestamp, input::RecordInput, limits};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The odd events that one line of JSON each can tell, in the form that `ledgerline import` reads.
pub const ODD_LINES: &str = include_str!("odd.ndjson");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    import_id: String,
    source: Option<String>,
    source_event_id: Option<String>,
    occurred_at: String,
    category: Option<String>,
    action: String,
    actor: Actor,
    resource: Resource,
    ip: Option<String>,
    user_agent: Option<String>,
    metadata: Box<RawValue>,
}

/// All odd events: those of [`ODD_LINES`], and some that stand exactly at a limit. Each is valid for a product with
/// an open catalog, and has an idempotency key of its own.
pub fn odd_events() -> Vec<RecordInput> {
    let mut all: Vec<RecordInput> =
        ODD_LINES.lines().map(|line| serde_json::from_str(line).map(told).expect("a line")).collect();
    all.extend(at_the_limits());
    all
}

fn told(line: Line) -> RecordInput {
    let mut event = RecordInput::new(line.action, line.actor);
    event.category = line.category;
    if line.resource != Resource::default() {
        event.resources.push(line.resource);
    }
    event.occurred_at = Timestamp::parse(&line.occurred_at);
    event.ip_address = line.ip;
    event.user_agent = line.user_agent;
    event.source = line.source;
    event.source_event_id = line.source_event_id;
    event.idempotency_key = Some(line.import_id);
    event.metadata = Some(line.metadata.get().to_owned());
    event
}

/// Events that fill what is allowed to the last byte, character, item and level.
fn at_the_limits() -> Vec<RecordInput> {
    let nobody = || Actor { kind: ActorKind::Anonymous, id: None, name: None, email: None };
    let limit = |name: &str, action: String| {
        let mut event = RecordInput::new(action, nobody());
        event.occurred_at = Timestamp::parse("2026-04-10T05:00:00.000000001Z");
        event.idempotency_key = Some(format!("odd-limit-{name}"));
        event
    };
    let action = limit("action", "𝔞".repeat(limits::ACTION_CHARS));

    let mut text = limit("text", "limit.text".into());
    text.user_agent = Some("z".repeat(limits::HEADER_BYTES));
    text.correlation_id = Some("é".repeat(limits::TEXT_BYTES / 2));

    let mut resources = limit("resources", "limit.resources".into());
    resources.resources = (0..limits::RESOURCES)
        .map(|n| Resource { kind: Some("thing".into()), id: Some(format!("t-{n}")), name: None })
        .collect();

    let mut depth = limit("depth", "limit.depth".into());
    let inner = limits::METADATA_DEPTH - 1;
    depth.metadata = Some(format!("{{\"list\":{}7{}}}", "[".repeat(inner), "]".repeat(inner)));

    let mut word = limit("word", "limit.word".into());
    word.metadata = Some(format!("{{\"word\":\"{}\"}}", "w".repeat(64_000)));

    let mut on_behalf = limit("on-behalf-of", "limit.on_behalf_of".into());
    on_behalf.on_behalf_of = Some(nobody());

    vec![action, text, resources, depth, word, on_behalf]
}
