//! Endpoints, tries and dead letters as JSON, with the names that GraphQL has for them, and as tables.

use serde_json::{Value, json};

use crate::{
    delivery::endpoint::{Managed, kind_name, status_name},
    event::Timestamp,
    store::control::endpoints::{Attempt, DeadLetter, Purpose},
};

/// An endpoint: nothing secret is in it.
pub fn endpoint(managed: &Managed) -> Value {
    let Managed { endpoint, progress } = managed;
    let settled = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let due = |due: Timestamp, waits: bool| (waits && due.0 > 0).then(|| due.to_string());
    let replay = progress.replay.as_ref().map(|replay| {
        json!({
            "nextSequence": replay.next.max(0),
            "toSequence": replay.end,
            "refusals": replay.refusals,
            "nextAttemptAt": due(replay.due, replay.refusals > 0 || progress.trouble.is_some()),
        })
    });
    json!({
        "id": endpoint.id,
        "label": endpoint.label,
        "kind": kind_name(endpoint.kind),
        "url": endpoint.url,
        "settings": settled(&endpoint.settings),
        "question": settled(&endpoint.question),
        "status": status_name(endpoint.status),
        "trouble": progress.trouble,
        "failures": progress.failures,
        "failingSince": progress.failing_since.map(|at| at.to_string()),
        "nextAttemptAt": due(progress.due, progress.trouble.is_some()),
        "succeededAt": progress.succeeded_at.map(|at| at.to_string()),
        "nextSequence": progress.next,
        "replay": replay,
        "createdAt": endpoint.created_at.to_string(),
        "createdBy": endpoint.created_by,
    })
}

/// A try.
pub fn attempt(attempt: &Attempt) -> Value {
    let sequence = |sequence: i64| (sequence >= 0).then_some(sequence);
    let purpose = match attempt.purpose {
        Purpose::Delivery => "DELIVERY",
        Purpose::Test => "TEST",
        Purpose::Replay => "REPLAY",
    };
    json!({
        "at": attempt.at.to_string(),
        "purpose": purpose,
        "firstSequence": sequence(attempt.events.0),
        "lastSequence": sequence(attempt.events.1),
        "succeeded": attempt.trouble.is_none(),
        "status": attempt.status,
        "tookMs": attempt.took_ms,
        "trouble": attempt.trouble,
    })
}

/// An event that a receiver would not take.
pub fn letter(letter: &DeadLetter) -> Value {
    json!({ "sequence": letter.sequence, "at": letter.at.to_string(), "reason": letter.reason })
}
