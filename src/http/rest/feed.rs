//! `GET /v1/audit-events/feed`: what was recorded after a place, and a wait for more.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    Edge, json,
    list::written,
    parameters::{Include, Pairs, Parameters, of_list, pairs},
    problem::Problem,
    reader, respond,
};
use crate::{
    error::{Error, Result},
    event::limits,
    http::live::no_longer_good,
    reading::{
        follow::{Batch, Followed},
        list::Asked,
        shown::json::AuditEvent,
    },
};

/// Longest wait, in seconds: proxies give up at a minute.
const LONGEST_WAIT: u64 = 50;

/// Some events in the order of recording.
#[derive(Serialize, ToSchema)]
pub struct AuditEventFeed<'a> {
    /// The events, the first recorded first; none where nothing came in time.
    #[schema(value_type = Vec<AuditEvent<'a>>)]
    data: &'a RawValue,
    /// Where the reader stands now.
    page: Reached<'a>,
}

/// Where a reader of the feed stands.
#[derive(Serialize, ToSchema)]
pub struct Reached<'a> {
    /// Whether there is more already.
    has_next: bool,
    /// What `after` takes next time; there even where nothing came.
    end: &'a str,
}

/// The feed
///
/// Events of a log in the order of recording, from a place on: no event is left out, and none comes twice. Keep
/// `page.end` beside what you do with the events, and ask with it the next time. Without `after`, the feed begins with
/// the first event. Needs what the list needs.
#[utoipa::path(
    get,
    path = "/v1/audit-events/feed",
    operation_id = "follow_audit_events",
    tag = "Audit events",
    params(
        Parameters,
        ("Accept-Language" = Option<String>, Header, description = "In which language labels are wanted: the first that the product's file has is shown."),
        ("wait" = Option<String>, Query, description = "How long to wait for events where there are none, in seconds, such as `30s`: at most 50. `before`, `order_by_field`, `order_by_direction` and the periods of the list are not taken."),
    ),
    responses(
        (status = 200, description = "What there is, or what came meanwhile.", body = AuditEventFeed<'_>),
        (status = "4XX", description = "The request is refused.", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "It cannot be answered at the moment.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn feed(State(edge): State<Arc<Edge>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    respond(&headers, async |_| {
        let principal = reader(&edge, &headers).await?;
        let mut query = pairs(query.as_deref());
        let wait = wait(&mut query)?;
        for name in ["before", "order_by_field", "order_by_direction", "period_preset", "period_time_zone"] {
            if query.iter().any(|(given, _)| given == name) {
                return Err(Error::bad_input(name, "must be absent: the feed is in the order of recording").into());
            }
        }
        let parameters = Parameters::read(query, false)?;
        let text = parameters.includes(Include::MetadataText);
        if parameters.includes(Include::Total) {
            return Err(Error::bad_input("include", "must not be total: a feed has no end").into());
        }
        let Asked { organization, log, include_nested, filter, part, .. } = parameters.asked(None)?;
        let limit = size(part.first)?;
        let followed = Followed { organization, log, include_nested, filter };
        let reader = &edge.services.reader;
        let mut follower = match part.after.as_deref() {
            Some(after) => Box::pin(reader.follow(&principal, followed, Some(after))).await.map_err(of_list)?,
            None => Box::pin(reader.follow_from(&principal, followed, 0)).await.map_err(of_list)?,
        };
        let mut batch = Box::pin(follower.look(limit)).await.map_err(of_list)?;
        if batch.entries.is_empty() && !wait.is_zero() {
            let mut stopping = edge.stopping.clone();
            tokio::select! {
                entries = follower.wait(limit) => batch = Batch { entries: entries.map_err(of_list)?, more: true },
                () = tokio::time::sleep(wait) => {}
                // Whoever waits is let go when the token no longer counts: the next request says why.
                _ = no_longer_good(edge.clone(), Some(principal.clone())) => {}
                // And when the service stops.
                () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {}
            }
        }
        let (data, end) = (written(&batch.entries, text), follower.reached().encode());
        let feed = AuditEventFeed { data: &data, page: Reached { has_next: batch.more, end: &end } };
        Ok(json(StatusCode::OK, serde_json::to_string(&feed).expect("a feed is JSON")))
    })
    .await
}

fn size(first: Option<i64>) -> Result<usize> {
    let first = first.unwrap_or(limits::PAGE_DEFAULT as i64);
    usize::try_from(first).map_err(|_| Error::bad_input("limit", "must be at least 1"))
}

/// Takes `wait` out of a query.
fn wait(query: &mut Pairs) -> Result<Duration> {
    let mut waits = query.extract_if(.., |(name, _)| name == "wait").map(|(_, value)| value);
    let (given, more) = (waits.next(), waits.next());
    drop(waits);
    let refuse =
        || Error::bad_input("wait", format!("must be once a number of seconds up to {LONGEST_WAIT}, such as 30s"));
    if more.is_some() {
        return Err(refuse());
    }
    let Some(given) = given else { return Ok(Duration::ZERO) };
    let seconds = given.strip_suffix('s').unwrap_or(&given).parse().map_err(|_| refuse())?;
    if seconds > LONGEST_WAIT {
        return Err(refuse());
    }
    Ok(Duration::from_secs(seconds))
}
