//! `GET /v1/audit-events`.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    Edge, link,
    parameters::{Include, Parameters, of_list, pairs},
    problem::Problem,
    reader, respond, tag,
};
use crate::reading::{
    list::{self, Entry},
    shown::json::AuditEvent,
};

/// A page of events.
#[derive(Serialize, ToSchema)]
pub struct AuditEventPage<'a> {
    /// The events, in the order of the list.
    #[schema(value_type = Vec<AuditEvent<'a>>)]
    data: &'a RawValue,
    /// Where the page stands in its list.
    page: PageInfo<'a>,
}

/// Where a page stands in its list.
#[derive(Serialize, ToSchema)]
pub struct PageInfo<'a> {
    /// Whether there are events after this page.
    has_next: bool,
    /// Whether there are events before this page.
    has_previous: bool,
    /// Cursor of the first event, for `before`; of an empty page, the cursor that was asked with.
    #[schema(required = true)]
    start: Option<&'a str>,
    /// Cursor of the last event, for `after`; of an empty page, the cursor that was asked with.
    #[schema(required = true)]
    end: Option<&'a str>,
    /// Events of the whole list, as it was when paging began; there where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    total: Option<i64>,
}

/// A list of events
///
/// Events of a log, newest first unless asked otherwise. Needs the scope that the product asks for, `audit:read` by
/// default, and what else it asks of its readers. All filters must hold. `Link` leads to the pages beside this one.
#[utoipa::path(
    get,
    path = "/v1/audit-events",
    operation_id = "list_audit_events",
    tag = "Audit events",
    params(
        Parameters,
        ("If-None-Match" = Option<String>, Header, description = "An `ETag` of an answer: 304 where nothing has changed."),
        ("Accept-Language" = Option<String>, Header, description = "In which language labels are wanted: the first that the product's file has is shown."),
    ),
    responses(
        (
            status = 200,
            description = "A page.",
            body = AuditEventPage<'_>,
            headers(
                ("ETag" = String, description = "What `If-None-Match` takes."),
                ("Link" = String, description = "The pages beside this one, `first`, `prev` and `next` (RFC 8288), relative to the address that was asked."),
            )
        ),
        (status = 304, description = "The page is as the client has it."),
        (status = "4XX", description = "The request is refused.", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "It cannot be answered at the moment.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(State(edge): State<Arc<Edge>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    respond(&headers, async |_| {
        let principal = reader(&edge, &headers).await?;
        let query = pairs(query.as_deref());
        let parameters = Parameters::read(query.clone(), false)?;
        let (total, text) = (parameters.includes(Include::Total), parameters.includes(Include::MetadataText));
        let page = Box::pin(edge.services.reader.list(&principal, parameters.asked(None)?)).await.map_err(of_list)?;
        let list::PageInfo { has_next, has_previous, start, end } = &page.info;
        let total = total.then_some(page.numbers.total);
        let data = written(&page.entries, text);
        let counts = format!("{has_next} {has_previous} {total:?}");
        let mut response = tag::tagged(&headers, &[data.get(), &counts], || {
            let page = PageInfo {
                has_next: *has_next,
                has_previous: *has_previous,
                start: start.as_deref(),
                end: end.as_deref(),
                total,
            };
            serde_json::to_string(&AuditEventPage { data: &data, page }).expect("a page is JSON")
        });
        let mut links = vec![("first", Vec::new())];
        links.extend(start.as_deref().filter(|_| *has_previous).map(|start| ("prev", vec![("before", start)])));
        links.extend(end.as_deref().filter(|_| *has_next).map(|end| ("next", vec![("after", end)])));
        if let Some(links) = link::header(&query, &["after", "before"], &links) {
            response.headers_mut().insert(header::LINK, links);
        }
        Ok(response)
    })
    .await
}

pub fn written(entries: &[Entry], text: bool) -> Box<RawValue> {
    let of = if text { AuditEvent::with_metadata_text } else { AuditEvent::of };
    let events: Vec<_> = entries.iter().map(|entry| of(&entry.event).with_matches(&entry.event)).collect();
    serde_json::value::to_raw_value(&events).expect("events are JSON")
}
