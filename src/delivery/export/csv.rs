//! CSV (RFC 4180), version 1: a header, and a row an event. UTF-8, CRLF; lists and metadata are JSON in one cell.
//!
//! Outsiders choose what stands in a name or a user agent, and spreadsheets run cells that begin as a formula does. Such
//! a cell gets an apostrophe before it, and so does one that begins with an apostrophe: whoever reads the file by a
//! program takes one leading apostrophe away, and has the exact text.

use chrono::SecondsFormat;
use chrono_tz::Tz;
use csv::{Terminator, Writer, WriterBuilder};
use serde_json::json;

use crate::{
    event::{Outcome, Resource, Timestamp},
    reading::shown::{Category, Log, Shown, json::snake},
};

/// Names of the columns, in their order. A new one comes at the end.
pub const COLUMNS: [&str; 36] = [
    "id",
    "sequence",
    "occurred_at",
    "occurred_at_local",
    "recorded_at",
    "action",
    "action_label",
    "category",
    "category_label",
    "outcome",
    "actor_kind",
    "actor_id",
    "actor_name",
    "actor_email",
    "actor_label",
    "on_behalf_of_kind",
    "on_behalf_of_id",
    "on_behalf_of_name",
    "on_behalf_of_email",
    "resource_type",
    "resource_id",
    "resource_name",
    "resources",
    "log_level",
    "log_id",
    "log_name",
    "ip_address",
    "user_agent",
    "correlation_id",
    "source",
    "source_event_id",
    "recorded_by",
    "truncated",
    "metadata",
    "masked",
    "erased",
];

/// Writes the header.
pub fn header(out: &mut Vec<u8>) {
    to(out, |rows| rows.write_record(COLUMNS));
}

/// Writes events; the second time of each is in a zone.
pub fn rows(events: &[Shown], zone: Tz, out: &mut Vec<u8>) {
    to(out, |rows| events.iter().try_for_each(|shown| rows.write_record(cells(shown, zone).map(defused))));
}

fn to(out: &mut Vec<u8>, write: impl FnOnce(&mut Writer<&mut Vec<u8>>) -> csv::Result<()>) {
    let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    write(&mut rows).expect("memory takes rows of one length");
    rows.flush().expect("memory takes rows");
}

fn cells(shown: &Shown, zone: Tz) -> [String; 36] {
    let event = shown.event();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let behalf = event.on_behalf_of.as_ref();
    let (first, log) = (shown.resource(), shown.log());
    let (first, log): (Option<&Resource>, Option<&Log>) = (first, log.as_ref());
    let list = |values: Vec<serde_json::Value>| match values.as_slice() {
        [] => String::new(),
        _ => serde_json::Value::Array(values).to_string(),
    };
    let paths = |paths: &[String]| list(paths.iter().map(|path| snake(path).into()).collect());
    let resource = |it: &Resource| json!({ "type": it.kind, "external_id": it.id, "name": it.name });
    [
        event.id().to_string(),
        event.sequence.to_string(),
        event.occurred_at.to_string(),
        local(event.occurred_at, zone),
        event.recorded_at.to_string(),
        event.action.to_string(),
        shown.action_label(),
        text(event.category.as_deref()),
        text(shown.category().map(Category::label)),
        text(event.outcome.map(Outcome::as_str)),
        event.actor.kind.as_str().to_owned(),
        text(event.actor.id.as_deref()),
        text(event.actor.name.as_deref()),
        text(event.actor.email.as_deref()),
        shown.actor().label(),
        text(behalf.map(|actor| actor.kind.as_str())),
        text(behalf.and_then(|actor| actor.id.as_deref())),
        text(behalf.and_then(|actor| actor.name.as_deref())),
        text(behalf.and_then(|actor| actor.email.as_deref())),
        text(first.and_then(|resource| resource.kind.as_deref())),
        text(first.and_then(|resource| resource.id.as_deref())),
        text(first.and_then(|resource| resource.name.as_deref())),
        list(event.resources.iter().map(resource).collect()),
        text(log.map(Log::level)),
        text(log.map(Log::external_id)),
        text(log.and_then(Log::name)),
        text(event.ip_address.as_deref()),
        text(event.user_agent.as_deref()),
        text(event.correlation_id.as_deref()),
        text(event.source.as_deref()),
        text(event.source_event_id.as_deref()),
        event.recorded_by.clone(),
        paths(&event.truncated),
        event.metadata.clone(),
        paths(&event.masked),
        paths(&event.erased),
    ]
}

/// RFC 3339 with the zone's offset at that moment.
fn local(at: Timestamp, zone: Tz) -> String {
    at.to_utc().with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// A cell that no spreadsheet runs.
fn defused(cell: String) -> String {
    let is_risky = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']);
    if is_risky { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_begins_as_a_formula_does_is_text_and_can_be_read_back() {
        for risky in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'quoted"] {
            let cell = defused(risky.to_owned());
            assert_eq!(cell, format!("'{risky}"));
            assert_eq!(cell.strip_prefix('\''), Some(risky));
        }
        for plain in ["", "a=1", "1+1", " =1", "é", "{\"a\":\"=1\"}"] {
            assert_eq!(defused(plain.to_owned()), plain);
        }
    }

    #[test]
    fn the_second_time_has_the_offset_of_its_own_moment() {
        let at = |text: &str| local(Timestamp::parse(text).unwrap(), "Europe/Berlin".parse().unwrap());
        assert_eq!(at("2026-03-29T00:59:59.5Z"), "2026-03-29T01:59:59.500+01:00");
        assert_eq!(at("2026-03-29T01:00:00Z"), "2026-03-29T03:00:00+02:00");
        assert_eq!(at("2026-10-25T00:30:00Z"), "2026-10-25T02:30:00+02:00");
        assert_eq!(at("2026-10-25T01:30:00.000000001Z"), "2026-10-25T02:30:00.000000001+01:00");
        let utc = local(Timestamp::parse("2026-03-29T01:00:00Z").unwrap(), Tz::UTC);
        assert_eq!(utc, "2026-03-29T01:00:00+00:00");
    }
}
