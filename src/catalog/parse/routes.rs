//! A product's own REST routes, as its file has them.

use crate::{
    catalog::{
        Level,
        routes::{EnvelopePart, FIELDS, PARAMETERS, Route, RoutePaging, Segment},
        section::{At, Section},
    },
    event::ActorKind,
};

const PAGINGS: [(&str, RoutePaging); 2] = [("CURSOR", RoutePaging::Cursor), ("PAGES", RoutePaging::Pages)];
/// Members of an answer besides the events, and the paging that they need.
const PARTS: [(&str, EnvelopePart, Option<RoutePaging>); 7] = [
    ("page", EnvelopePart::Page, Some(RoutePaging::Pages)),
    ("limit", EnvelopePart::Limit, None),
    ("total", EnvelopePart::Total, Some(RoutePaging::Pages)),
    ("pages", EnvelopePart::Pages, Some(RoutePaging::Pages)),
    ("has_next", EnvelopePart::HasNext, None),
    ("next", EnvelopePart::Next, Some(RoutePaging::Cursor)),
    ("previous", EnvelopePart::Previous, Some(RoutePaging::Cursor)),
];
/// Where all routes of products lie.
const ROOT: &str = "v1";
/// Below it, what the service answers itself.
const OWN: [&str; 3] = ["audit-events", "ledger", "openapi.json"];

/// Reads the routes of a product with these levels.
pub(super) fn routes(root: &mut Section<'_, '_>, levels: &[Level]) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for section in root.sections("routes") {
        let (report, span, key) = (section.report, section.span, section.key("path"));
        let Some(route) = route(section, levels) else { continue };
        match routes.iter().find(|known| known.overlaps(&route)) {
            Some(known) => report.add(span, key, format!("has addresses in common with {}", known.address())),
            None => routes.push(route),
        }
    }
    routes
}

fn route(mut section: Section<'_, '_>, levels: &[Level]) -> Option<Route> {
    let address = section.text("path");
    let path = address.as_ref().and_then(|address| path(&section, address, levels));
    let key_header = section.text_if_any("key_header");
    if let Some(header) = &key_header {
        check_header(&section, header);
    }
    let paging = section.choice("paging", &PAGINGS).map(|paging| paging.value);
    let parameters = parameters(section.section_if_any("parameters"), paging);
    let envelope = section.section("envelope").and_then(|envelope| self::envelope(envelope, paging));
    let fields = section.section("fields").map(fields);
    let actor_kinds = actor_kinds(section.section_if_any("actor_kinds"));
    section.end();
    let (items, envelope) = envelope?;
    Some(Route {
        path: path?,
        key_header: key_header.map(|header| header.value.to_ascii_lowercase()),
        paging: paging?,
        parameters,
        items,
        envelope,
        fields: fields?,
        actor_kinds,
    })
}

fn path(section: &Section<'_, '_>, address: &At<String>, levels: &[Level]) -> Option<Vec<Segment>> {
    let fault = |message: String| {
        section.report.add(address.span, &address.key, message);
        None
    };
    let parts: Vec<&str> = address.value.split('/').collect();
    let ["", ROOT, own, ..] = parts.as_slice() else {
        return fault(format!("must begin with /{ROOT}/ and go on, not {:?}", address.value));
    };
    if OWN.contains(own) {
        return fault(format!("must not begin with /{ROOT}/{own}, which the service answers itself"));
    }
    let mut segments = Vec::new();
    for part in &parts[1..] {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let segment = match name {
            Some("organization") => Segment::Organization,
            Some(name) if levels.iter().any(|level| level.name == name) => Segment::Log(name.to_owned()),
            Some(name) => {
                let names: Vec<_> = levels.iter().map(|level| format!("{{{}}}", level.name)).collect();
                let message = format!("{{{name}}} must be {{organization}} or a level: {}", names.join(", "));
                return fault(message);
            }
            None => Segment::Literal((*part).to_owned()),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if matches!(&segment, Segment::Literal(text) if text.is_empty() || !text.chars().all(is_plain)) {
            return fault(format!("{part:?} must be letters, digits, -, ., _ and ~, or a name in braces"));
        }
        segments.push(segment);
    }
    let count = |is: fn(&Segment) -> bool| segments.iter().filter(|segment| is(segment)).count();
    if count(|segment| matches!(segment, Segment::Organization)) > 1 || count(|s| matches!(s, Segment::Log(_))) > 1 {
        return fault("must name at most one organization and one log".to_owned());
    }
    Some(segments)
}

fn check_header(section: &Section<'_, '_>, header: &At<String>) {
    let is_token = header.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let taken = ["authorization", "cookie", "host", "idempotency-key", "if-none-match"];
    if !is_token || taken.contains(&header.value.to_ascii_lowercase().as_str()) {
        let message = format!("must be the name of a header for the key, such as X-API-Key, not {:?}", header.value);
        section.report.add(header.span, &header.key, message);
    }
}

/// What the route takes: how it is paged, by our names where the file has no others, and the filters of the file.
fn parameters(section: Option<Section<'_, '_>>, paging: Option<RoutePaging>) -> Vec<(String, String)> {
    let paged: &[&str] = match paging {
        Some(RoutePaging::Pages) => &["limit", "page"],
        Some(RoutePaging::Cursor) | None => &["limit", "after", "before"],
    };
    let mut parameters: Vec<(String, String)> = Vec::new();
    if let Some(section) = section {
        let report = section.report;
        for (name, own) in section.texts() {
            let other = match name.as_str() {
                "page" => paging == Some(RoutePaging::Cursor),
                "after" | "before" => paging == Some(RoutePaging::Pages),
                _ => false,
            };
            if !PARAMETERS.contains(&name.as_str()) {
                report.add(
                    own.span,
                    own.key,
                    format!("is no parameter of a list; known are {}", PARAMETERS.join(", ")),
                );
            } else if other {
                report.add(own.span, own.key, "does not go with the paging of this route");
            } else if parameters.iter().any(|(_, known)| *known == own.value) {
                report.add(own.span, own.key, format!("{:?} is the name of another parameter already", own.value));
            } else {
                parameters.push((name, own.value));
            }
        }
    }
    for name in paged {
        if !parameters.iter().any(|(known, own)| known == name || own == name) {
            parameters.push(((*name).to_owned(), (*name).to_owned()));
        }
    }
    parameters
}

/// A member with its name.
type Part = (String, EnvelopePart);

fn envelope(mut section: Section<'_, '_>, paging: Option<RoutePaging>) -> Option<(String, Vec<Part>)> {
    let items = section.text("items");
    let mut names: Vec<String> = items.iter().map(|items| items.value.clone()).collect();
    let mut parts = Vec::new();
    for (name, part, needs) in PARTS {
        let Some(own) = section.text_if_any(name) else { continue };
        if needs.is_some_and(|needs| paging.is_some_and(|paging| paging != needs)) {
            section.report.add(own.span, own.key, "does not go with the paging of this route");
        } else if names.contains(&own.value) {
            section.report.add(own.span, own.key, format!("{:?} is the name of another member already", own.value));
        } else {
            names.push(own.value.clone());
            parts.push((own.value, part));
        }
    }
    section.end();
    Some((items?.value, parts))
}

fn fields(section: Section<'_, '_>) -> Vec<(String, String)> {
    let (report, span, path) = (section.report, section.span, section.path.clone());
    let mut fields = Vec::new();
    for (name, source) in section.texts() {
        let of_metadata = source.value.strip_prefix("metadata.").is_some_and(|rest| !rest.is_empty());
        if of_metadata || FIELDS.contains(&source.value.as_str()) {
            fields.push((name, source.value));
        } else {
            let message = format!("{:?} is nothing of an event; known are {}", source.value, FIELDS.join(", "));
            report.add(source.span, source.key, message);
        }
    }
    if fields.is_empty() {
        report.add(span, path, "must have a member");
    }
    fields
}

fn actor_kinds(section: Option<Section<'_, '_>>) -> Vec<(ActorKind, String)> {
    let Some(mut section) = section else { return Vec::new() };
    let named = |kind: ActorKind| Some((kind, section.text_if_any(kind.as_str())?.value));
    let kinds = ActorKind::ALL.into_iter().filter_map(named).collect();
    section.end();
    kinds
}
