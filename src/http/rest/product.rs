//! The routes that product files promise. Two products may promise the same address: whose it is, the token says.

use axum::{
    http::{HeaderMap, HeaderName, Method, Uri, header},
    response::Response,
};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{
    Edge, link,
    parameters::{Pairs, Parameters, of_list, pairs},
    problem::Refusal,
    reader, respond, tag,
};
use crate::{
    auth::LogName,
    catalog::routes::{EnvelopePart, Matched, Route, RoutePaging},
    error::{Error, Result},
    reading::{
        list::{Numbers, Page, PageInfo},
        shown::{Shown, json::AuditEvent},
    },
};

/// Answers a path below `/v1` that is no route of the service's own.
pub async fn answer(edge: &Edge, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    respond(headers, async |_| {
        let path: Option<Vec<String>> = uri.path().split('/').skip(1).map(decoded).collect();
        let path = path.ok_or_else(Refusal::no_route)?;
        let routes = edge.keys.products().iter().flat_map(|product| &product.routes);
        let promised: Vec<&Route> = routes.filter(|route| route.matches(&path).is_some()).collect();
        if promised.is_empty() {
            return Err(Refusal::no_route());
        }
        if method != Method::GET && method != Method::HEAD {
            return Err(Refusal::method().with(header::ALLOW, "GET,HEAD"));
        }
        let principal = reader(edge, &with_key(headers, &promised)).await?;
        let route = principal.product.routes.iter().find_map(|route| Some((route, route.matches(&path)?)));
        let (route, matched) = route.ok_or_else(Refusal::no_route)?;
        let given = pairs(uri.query());
        let asked = asked(route, matched, &given)?;
        let page = Box::pin(edge.services.reader.list(&principal, asked.list)).await;
        let page = page.map_err(|error| theirs(route, of_list(error)))?;
        Ok(written(route, headers, &given, asked.size, &page))
    })
    .await
}

fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(Into::into)
}

/// The headers with the token where everybody else sends it.
fn with_key(headers: &HeaderMap, promised: &[&Route]) -> HeaderMap {
    let mut headers = headers.clone();
    let usual = HeaderName::from_static("x-api-key");
    let key = promised.iter().find_map(|route| headers.get(route.key_header.as_deref()?).cloned());
    if let (Some(key), false) = (key, headers.contains_key(&usual)) {
        headers.insert(usual, key);
    }
    headers
}

/// What a route is asked for.
struct Asked {
    list: crate::reading::list::Asked,
    size: i64,
}

fn asked(route: &Route, matched: Matched, given: &Pairs) -> Result<Asked> {
    let kind = |value: &String| {
        let named = route.actor_kinds.iter().find(|(_, own)| own == value);
        named.map_or_else(|| value.clone(), |(kind, _)| kind.as_str().to_owned())
    };
    let mut ours = Pairs::new();
    for (name, value) in given {
        let Some((known, _)) = route.parameters.iter().find(|(_, own)| own == name) else {
            let names: Vec<_> = route.parameters.iter().map(|(_, own)| own.as_str()).collect();
            let rule = format!("is no parameter of this list; known are {}", names.join(", "));
            return Err(Error::bad_input(name, rule));
        };
        let is_kind = known == "actor_kinds" || known == "not_actor_kinds";
        ours.push((known.clone(), if is_kind { kind(value) } else { value.clone() }));
    }
    let numbered = route.paging == RoutePaging::Pages;
    if numbered && !ours.iter().any(|(name, _)| name == "page") {
        ours.push(("page".to_owned(), "1".to_owned()));
    }
    let read = || -> Result<Asked> {
        let parameters = Parameters::read(ours, numbered)?;
        let size = parameters.size()?;
        let mut list = parameters.asked(matched.log.map(|(level, id)| LogName::new(level, id)))?;
        list.organization = matched.organization.or(list.organization);
        Ok(Asked { list, size })
    };
    read().map_err(|error| theirs(route, error))
}

/// The error, its field named as the route names the parameter.
fn theirs(route: &Route, error: Error) -> Error {
    match error {
        Error::BadInput { field, rule, given, suggestions } => {
            let own = route.parameters.iter().find(|(name, _)| *name == field).map(|(_, own)| own.clone());
            Error::BadInput { field: own.unwrap_or(field), rule, given, suggestions }
        }
        other => other,
    }
}

fn written(route: &Route, headers: &HeaderMap, given: &Pairs, size: i64, page: &Page) -> Response {
    let items: Vec<Value> = page.entries.iter().map(|entry| item(route, &entry.event)).collect();
    let counts = serde_json::to_string(&items).expect("events are JSON");
    let PageInfo { has_next, has_previous, start, end } = &page.info;
    let Numbers { total, page: number, pages } = page.numbers;
    let state = format!("{has_next} {has_previous} {number} {size} {total}");
    let mut response = tag::tagged(headers, &[&counts, &state], || {
        let mut body = Map::new();
        body.insert(route.items.clone(), Value::Array(items));
        for (name, part) in &route.envelope {
            let cursor = |cursor: &Option<String>, there: bool| Value::from(cursor.clone().filter(|_| there));
            let value = match part {
                EnvelopePart::Page => number.into(),
                EnvelopePart::Limit => size.into(),
                EnvelopePart::Total => total.into(),
                EnvelopePart::Pages => pages.into(),
                EnvelopePart::HasNext => (*has_next).into(),
                EnvelopePart::Next => cursor(end, *has_next),
                EnvelopePart::Previous => cursor(start, *has_previous),
            };
            body.insert(name.clone(), value);
        }
        Value::Object(body).to_string()
    });
    let own = |name: &'static str| {
        let own = route.parameters.iter().find(|(known, _)| known == name);
        own.map_or(name, |(_, own)| own.as_str())
    };
    let (next, previous) = (number.saturating_add(1).to_string(), number.saturating_sub(1).to_string());
    let (moving, first, prev, next) = match route.paging {
        RoutePaging::Pages => {
            let page = own("page");
            (vec![page], vec![(page, "1")], Some((page, previous.as_str())), Some((page, next.as_str())))
        }
        RoutePaging::Cursor => {
            let (after, before) = (own("after"), own("before"));
            let prev = start.as_deref().map(|start| (before, start));
            (vec![after, before], Vec::new(), prev, end.as_deref().map(|end| (after, end)))
        }
    };
    let mut links = vec![("first", first)];
    links.extend(prev.filter(|_| *has_previous).map(|prev| ("prev", vec![prev])));
    links.extend(next.filter(|_| *has_next).map(|next| ("next", vec![next])));
    if let Some(links) = link::header(given, &moving, &links) {
        response.headers_mut().insert(header::LINK, links);
    }
    response
}

/// An event as the route shows it.
fn item(route: &Route, shown: &Shown) -> Value {
    let event = serde_json::to_value(AuditEvent::with_metadata_text(shown)).expect("an event is JSON");
    let member = |(name, path): &(String, String)| {
        let mut value = at(&event, path);
        if path.ends_with(".kind") && !path.starts_with("metadata.") {
            let own = route.actor_kinds.iter().find(|(kind, _)| value == kind.as_str());
            value = own.map_or(value, |(_, own)| Value::from(own.as_str()));
        }
        (name.clone(), value)
    };
    Value::Object(route.fields.iter().map(member).collect())
}

/// What a path leads to; null where that is nothing. A key of the metadata may have dots in it.
fn at(event: &Value, path: &str) -> Value {
    let whole = path.strip_prefix("metadata.").and_then(|key| event["metadata"].get(key));
    let step = |value: &'_ Value, part: &str| match value {
        Value::Array(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)).cloned(),
        value => value.get(part).cloned(),
    };
    match whole {
        Some(value) => value.clone(),
        None => path.split('.').try_fold(event.clone(), |value, part| step(&value, part)).unwrap_or_default(),
    }
}
