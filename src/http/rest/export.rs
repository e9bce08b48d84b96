//! Exports over HTTP: a file at once, as it is read, and files that were made before, by their signed addresses.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, RawQuery, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::{
    Edge,
    parameters::{Pairs, Parameters, of_list, pairs},
    problem::{Problem, Refusal},
    reader,
};
use crate::{
    delivery::export::{Fetched, Form, Format, Part, Streamed},
    error::{Error, Result},
    reading::{follow::Followed, list::Asked},
};

/// Parameters of a list that say nothing of a file, which has the whole list in the order of recording.
const OF_PAGES: [&str; 6] = ["limit", "after", "before", "include", "order_by_field", "order_by_direction"];

/// An export, at once
///
/// The events of a list as it is now, as a file, in the order of recording: `CSV`, `NDJSON`, `OCSF` or `CLOUDEVENTS`. All
/// filters of the list can be given. Needs the scope `audit:export` or `audit:manage`, and what else reading the list
/// needs. Where it cannot be read to its end, the connection is cut: a body that ends properly is complete.
#[utoipa::path(
    get,
    path = "/v1/audit-events/export",
    operation_id = "export_audit_events",
    tag = "Exports",
    params(
        Parameters,
        ("format" = String, Query, description = "`CSV`, `NDJSON`, `OCSF` or `CLOUDEVENTS`."),
        ("time_zone" = Option<String>, Query, description = "IANA name of the zone of the second time of a row of CSV; UTC where absent."),
    ),
    responses(
        (status = 200, description = "The file.", content((String = "text/csv"), (String = "application/x-ndjson"))),
        (status = "4XX", description = "The request is refused.", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "It cannot be answered at the moment.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn export(State(edge): State<Arc<Edge>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let begun = async {
        let principal = reader(&edge, &headers).await?;
        let (form, list) = asked(pairs(query.as_deref()))?;
        let extract = Box::pin(edge.services.reader.export(&principal, list)).await.map_err(of_list)?;
        Ok(streamed(form.format, Streamed::new(extract, form)))
    };
    begun.await.unwrap_or_else(|error: Error| refused(error, &headers))
}

/// The form and the list of a query.
fn asked(mut pairs: Pairs) -> Result<(Form, Followed)> {
    if let Some((name, _)) = pairs.iter().find(|(name, _)| OF_PAGES.contains(&name.as_str())) {
        let rule = "must not be given: an export is the whole list, in the order of recording";
        return Err(Error::bad_input(name.clone(), rule));
    }
    let mut take = |wanted: &str| {
        let at = pairs.iter().position(|(name, _)| name == wanted)?;
        Some(pairs.remove(at).1)
    };
    let (format, zone) = (take("format"), take("time_zone"));
    let missing =
        || Error::bad_input("format", format!("must be one of {}", Format::ALL.map(Format::as_str).join(", ")));
    let format = Format::named("format", &format.ok_or_else(missing)?)?;
    let form = Form::new(format, "time_zone", zone.as_deref())?;
    let Asked { organization, log, include_nested, filter, .. } = Parameters::read(pairs, false)?.asked(None)?;
    Ok((form, Followed { organization, log, include_nested, filter }))
}

/// A file as it is read. Where reading fails midway, the connection is cut: the body lacks its end, and no client takes
/// it for a whole one. Whoever goes away ends the reading.
fn streamed(format: Format, file: Streamed) -> Response {
    let read = async |file: Option<Streamed>| {
        let mut file = file?;
        match Box::pin(file.next()).await {
            Ok(Some((_, bytes))) => Some((Ok(Bytes::from(bytes)), Some(file))),
            Ok(None) => None,
            Err(error) => {
                let cause = error.cause_text();
                let code = error.code().as_str();
                tracing::error!(code, cause, "an export was cut, because it could not be read to its end: {error}");
                Some((Err(error), None))
            }
        }
    };
    let body = stream::unfold(Some(file), read).fuse().boxed();
    whole(format, "audit-events", Body::from_stream(body))
}

/// The query of a signed address.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Signed {
    /// When the address ends, in seconds since 1970.
    #[serde(default)]
    expires: i64,
    /// What proves that it was made here.
    #[serde(default)]
    signature: String,
}

/// A file of an export
///
/// `part` is `file` or `manifest`. The address is `downloadUrl` or `manifestUrl` of an export in GraphQL; it needs no
/// token, and is good for ten minutes.
#[utoipa::path(
    get,
    path = "/v1/audit-exports/{id}/{part}",
    operation_id = "fetch_audit_export",
    tag = "Exports",
    security(()),
    params(
        Signed,
        ("id" = String, Path, description = "The export's id."),
        ("part" = String, Path, description = "`file` or `manifest`."),
    ),
    responses(
        (status = 200, description = "The file.", content((String = "text/csv"), (String = "application/x-ndjson"), (String = "application/json"))),
        (status = "4XX", description = "The request is refused.", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "It cannot be answered at the moment.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn fetch(
    State(edge): State<Arc<Edge>>,
    Path((id, part)): Path<(String, String)>,
    signed: std::result::Result<Query<Signed>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let none = || Error::not_found("address");
    let fetched = async {
        let part = [Part::File, Part::Manifest].into_iter().find(|known| known.as_str() == part).ok_or_else(none)?;
        let Query(Signed { expires, signature }) = signed.map_err(|_| none())?;
        let exports = &edge.services.exports;
        let fetched = Box::pin(exports.fetch(&id, part, expires, &signature)).await?;
        Ok(match part {
            Part::File => file(fetched),
            Part::Manifest => manifest(exports.manifest(&fetched).await?),
        })
    };
    fetched.await.unwrap_or_else(|error: Error| refused(error, &headers))
}

fn file(fetched: Fetched) -> Response {
    let (format, bytes, name) = (fetched.format, fetched.bytes, fetched.id.clone());
    let mut response = whole(format, &name, Body::from_stream(fetched.read()));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    response
}

fn manifest(text: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, text).into_response()
}

/// An answer that is a file of a format.
fn whole(format: Format, name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{}\"", format.extension())),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::OK, headers, body).into_response()
}

fn refused(error: Error, headers: &HeaderMap) -> Response {
    let request_id = crate::http::request_id(headers);
    Refusal::from(error).into_response(request_id)
}
