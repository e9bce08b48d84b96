//! One record understood as an event.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::{
    csv::Columns,
    fields::{self, Members, Object},
    source::{content, utf8},
    time,
};
use crate::{
    error::{Error, Result},
    event::{
        Actor, ActorKind, Outcome, Resource, Timestamp,
        hash::{self, Hash},
        input::{LogRef, RecordInput},
        json, limits,
    },
};

/// What becomes of a record without a time.
#[derive(Clone, Copy)]
pub enum Undated {
    Refused,
    Now,
    At(Timestamp),
}

/// How records are understood.
pub struct Reading<'a> {
    /// Of all events, whatever a record says.
    pub organization: Option<&'a str>,
    pub undated: Undated,
    /// What times without an offset mean.
    pub offset: Option<&'a str>,
    /// Whether what would be cut or replaced refuses an event.
    pub strict: bool,
    /// Fields that are left out.
    pub ignored: &'a [String],
    /// Of a text of rows.
    pub columns: Option<Columns>,
    /// How often each record without a key of its own was there: 16 bytes for its text, and a number.
    pub repeats: HashMap<Hash, u32>,
}

impl Reading<'_> {
    /// Understands a record; `None` where it is none.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming field and rule.
    pub fn read(&mut self, record: &[u8]) -> Result<Option<RecordInput>> {
        let record = content(record);
        let row = match &self.columns {
            None => None,
            Some(columns) => match columns.row(record)? {
                Some(row) => Some(row),
                None => return Ok(None),
            },
        };
        let text = match &row {
            Some(row) => row,
            None => utf8(record)?,
        };
        let members: Members<'_> = serde_json::from_str(text).map_err(|error| no_event(&error))?;
        fields::check(&members, self.ignored)?;
        let mut input = self.input(Object::event(members, self.ignored))?;
        if input.idempotency_key.is_none() {
            input.idempotency_key = Some(self.key(record));
        }
        Ok(Some(input))
    }

    /// The key of a record that has none: its text, and how often it was there before. So a repeated import adds
    /// nothing, and equal records are as many events.
    fn key(&mut self, record: &[u8]) -> String {
        let header = self.columns.as_ref().map_or(&[][..], |columns| &columns.header);
        let hash = hash::of([header, b"\n", record]);
        let times = self.repeats.entry(hash).or_default();
        *times += 1;
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        if *times == 1 { format!("line-{hex}") } else { format!("line-{hex}-{times}") }
    }

    fn input(&self, event: Object<'_>) -> Result<RecordInput> {
        let occurred_at = match (event.get("occurredAt"), self.undated) {
            (Some((path, value)), _) => Some(self.time(&path, value)?),
            // Left to the writer, so that a repeated import has the same content.
            (None, Undated::Now) => None,
            (None, Undated::At(instant)) => Some(instant),
            (None, Undated::Refused) => {
                return Err(Error::bad_input("occurredAt", "is missing; --undated says what to take instead"));
            }
        };
        let action = text(&event, "action")?.ok_or_else(|| Error::bad_input("action", "is missing"))?;
        let mut input = RecordInput::new(action, self.actor(&event, "actor")?.unwrap_or_else(system));
        input.strict = self.strict || flag(&event, "strict")?;
        input.category = match event.get("category") {
            Some((path, value)) if value.get().starts_with('{') => {
                text(&event.below("category", &path, value, self.ignored)?, "code")?
            }
            _ => text(&event, "category")?,
        };
        input.on_behalf_of = self.actor(&event, "onBehalfOf")?;
        input.resources = self.resources(&event)?;
        let organization = text(&event, "organization")?;
        input.organization = self.organization.map(str::to_owned).or(organization);
        input.log = self.log(&event, "log", 1)?;
        input.outcome = outcome(&event)?;
        input.occurred_at = occurred_at;
        input.ip_address = text(&event, "ipAddress")?;
        input.user_agent = text(&event, "userAgent")?;
        input.correlation_id = text(&event, "correlationId")?;
        input.source = text(&event, "source")?;
        input.source_event_id = text(&event, "sourceEventId")?;
        input.idempotency_key = text(&event, "idempotencyKey")?;
        input.metadata = match event.get("metadata") {
            Some((path, _)) if path == "metadataText" => text(&event, "metadata")?,
            Some((_, value)) => Some(value.get().to_owned()),
            None => None,
        };
        Ok(input)
    }

    fn time(&self, path: &str, value: &RawValue) -> Result<Timestamp> {
        let spelled = value.get();
        let text = if spelled.starts_with('"') { string(value) } else { spelled.to_owned() };
        time::parse(&text, self.offset).map_err(|rule| Error::bad_input(path, rule))
    }

    fn actor(&self, event: &Object<'_>, name: &str) -> Result<Option<Actor>> {
        let Some((path, value)) = event.get(name) else { return Ok(None) };
        let actor = event.below(name, &path, value, self.ignored)?;
        let kind = text(&actor, "kind")?.unwrap_or_default();
        let kind = named(&kind, ActorKind::ALL, ActorKind::as_str).ok_or_else(|| {
            let kinds = ActorKind::ALL.map(ActorKind::as_str).join(", ");
            Error::bad_input(format!("{path}.kind"), format!("must be one of {kinds}, got {kind:?}"))
        })?;
        Ok(Some(Actor { kind, id: text(&actor, "id")?, name: text(&actor, "name")?, email: text(&actor, "email")? }))
    }

    fn resources(&self, event: &Object<'_>) -> Result<Vec<Resource>> {
        let Some((path, value)) = event.get("resources") else { return Ok(Vec::new()) };
        let items: Vec<(String, &RawValue)> = if value.get().starts_with('[') {
            let items: Vec<&RawValue> =
                serde_json::from_str(value.get()).map_err(|_| Error::bad_input(&path, "must be a list of objects"))?;
            items.into_iter().enumerate().map(|(index, item)| (format!("{path}[{index}]"), item)).collect()
        } else {
            vec![(path, value)]
        };
        let resource = |(path, value): (String, _)| {
            let resource = event.below("resources", &path, value, self.ignored)?;
            Ok(Resource { kind: text(&resource, "type")?, id: text(&resource, "id")?, name: text(&resource, "name")? })
        };
        let read: Result<Vec<_>> = items.into_iter().map(resource).collect();
        // One of which nothing is known is none: systems write every field. In a list it keeps its place, as in recording.
        let is_list = value.get().starts_with('[');
        Ok(read?.into_iter().filter(|resource| is_list || *resource != Resource::default()).collect())
    }

    fn log(&self, outer: &Object<'_>, name: &str, depth: usize) -> Result<Option<LogRef>> {
        let Some((path, value)) = outer.get(name) else { return Ok(None) };
        if depth > limits::LOG_DEPTH {
            return Err(Error::bad_input(path, format!("must be at most {} levels", limits::LOG_DEPTH)));
        }
        let log = outer.below(name, &path, value, self.ignored)?;
        let needed =
            |part: &str| text(&log, part)?.ok_or_else(|| Error::bad_input(format!("{path}.{part}"), "is missing"));
        let parent = self.log(&log, "parent", depth + 1)?.map(Box::new);
        Ok(Some(LogRef { level: needed("level")?, id: needed("id")?, name: text(&log, "name")?, parent }))
    }
}

fn no_event(error: &serde_json::Error) -> Error {
    // The library counts lines within the record.
    let text = error.to_string();
    let text = text.split_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
    let line = if error.line() > 1 { format!(" of its line {}", error.line()) } else { String::new() };
    Error::bad_input("line", format!("must be an event in JSON ({text} at column {}{line})", error.column()))
}

fn system() -> Actor {
    Actor { kind: ActorKind::System, id: None, name: None, email: None }
}

/// The text of a field. A number is kept as it is spelled: many systems count their ids.
fn text(object: &Object<'_>, name: &str) -> Result<Option<String>> {
    let Some((path, value)) = object.get(name) else { return Ok(None) };
    match value.get().as_bytes()[0] {
        b'"' => Ok(Some(string(value))),
        b'-' | b'0'..=b'9' => Ok(Some(value.get().to_owned())),
        _ => Err(Error::bad_input(path, "must be a text or a number")),
    }
}

/// A string as recording takes it: NUL stands for what no text can hold, and is replaced or refused there.
fn string(value: &RawValue) -> String {
    json::decode(value.get()).with_nul()
}

fn flag(object: &Object<'_>, name: &str) -> Result<bool> {
    let Some((path, value)) = object.get(name) else { return Ok(false) };
    match value.get() {
        "true" | "\"true\"" => Ok(true),
        "false" | "\"false\"" => Ok(false),
        _ => Err(Error::bad_input(path, "must be true or false")),
    }
}

fn outcome(event: &Object<'_>) -> Result<Option<Outcome>> {
    let Some((path, _)) = event.get("outcome") else { return Ok(None) };
    let sent = text(event, "outcome")?.unwrap_or_default();
    named(&sent, Outcome::ALL, Outcome::as_str).map(Some).ok_or_else(|| {
        let outcomes = Outcome::ALL.map(Outcome::as_str).join(", ");
        Error::bad_input(path, format!("must be one of {outcomes}, got {sent:?}"))
    })
}

/// What a name means, without regard to case and joints: `apiKey` is `API_KEY`.
fn named<T: Copy, const N: usize>(text: &str, all: [T; N], name: impl Fn(T) -> &'static str) -> Option<T> {
    let plain = |text: &str| text.replace(['_', '-', ' '], "").to_ascii_uppercase();
    all.into_iter().find(|one| plain(name(*one)) == plain(text))
}
