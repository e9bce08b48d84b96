//! Answers that come one after the other: over a WebSocket, or as server-sent events.

pub mod socket;
pub mod sse;

use std::time::Duration;

use async_graphql::Response;

use crate::{auth::Principal, clock::Clock, graphql::response::to_json};

/// An answer as text.
fn text(answer: &Response) -> String {
    let written = to_json(answer).and_then(|json| String::from_utf8(json).ok());
    written.unwrap_or_else(|| serde_json::to_string(answer).expect("an answer becomes JSON"))
}

/// How long a token is good for.
fn time_left(principal: &Principal, clock: &Clock) -> Duration {
    let nanos = principal.expires_at.0.saturating_sub(clock.now().0);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}
