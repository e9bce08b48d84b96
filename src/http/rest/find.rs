//! `GET /v1/audit-events/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use super::{Edge, problem::Problem, reader, respond, tag};
use crate::reading::shown::json::AuditEvent;

/// One event
///
/// Needs the scope that the product asks for, `audit:read` by default. The exact text of the metadata is there, too.
#[utoipa::path(
    get,
    path = "/v1/audit-events/{id}",
    operation_id = "find_audit_event",
    tag = "Audit events",
    params(
        ("id" = String, Path, description = "The event's id."),
        ("If-None-Match" = Option<String>, Header, description = "An `ETag` of an answer: 304 where nothing has changed."),
        ("Accept-Language" = Option<String>, Header, description = "In which language labels are wanted: the first that the product's file has is shown."),
    ),
    responses(
        (status = 200, description = "The event.", body = AuditEvent<'_>, headers(("ETag" = String, description = "What `If-None-Match` takes."))),
        (status = 304, description = "The event is as the client has it."),
        (status = "4XX", description = "The request is refused.", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "It cannot be answered at the moment.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn find(State(edge): State<Arc<Edge>>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    respond(&headers, async |_| {
        let principal = reader(&edge, &headers).await?;
        let shown = edge.services.reader.event(&principal, &id).await?;
        let event = AuditEvent::with_metadata_text(&shown);
        let body = serde_json::to_string(&event).expect("an event is JSON");
        Ok(tag::tagged(&headers, &[&body], || body.clone()))
    })
    .await
}
