//! Answers that come one after the other: over a WebSocket, or as server-sent events.

pub mod socket;
pub mod sse;

use std::{sync::Arc, time::Duration};

use async_graphql::Response;

use super::Edge;
use crate::{auth::Principal, graphql::response::to_json};

/// An answer as text.
fn text(answer: &Response) -> String {
    let written = to_json(answer).and_then(|json| String::from_utf8(json).ok());
    written.unwrap_or_else(|| serde_json::to_string(answer).expect("an answer becomes JSON"))
}

/// Completes when a token no longer counts, with the reason: it has expired, or the service itself made it and it was
/// revoked, or the plan that is kept for the organization is another.
pub async fn no_longer_good(edge: Arc<Edge>, principal: Option<Arc<Principal>>) -> &'static str {
    let Some(principal) = principal else { return std::future::pending().await };
    let clock = &edge.services.clock;
    let nanos = principal.expires_at.0.saturating_sub(clock.now().0);
    let left = Duration::from_nanos(u64::try_from(nanos).unwrap_or_default());
    let revoked = async {
        match principal.is_partner {
            true => edge.services.partners.ended(&principal, clock).await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        () = tokio::time::sleep(left) => "the token has expired",
        () = edge.services.plans.changed(&principal, clock) => "the organization's plan has changed",
        () = revoked => "the token was revoked",
    }
}
