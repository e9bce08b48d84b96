//! What is kept of an event. Nothing that outsiders can put into a field is a reason not to record: it is kept up to a
//! limit, and what is cut or replaced is marked.

use std::fmt::Display;

use super::{BLANK, LogRef, Metadata, RecordInput, UNSTORABLE, marks::Marks, metadata::longest, over};
use crate::{
    error::Result,
    event::{Actor, Resource, limits, text},
};

/// A visitor of texts: path, most bytes, text.
type Visitor<'v> = dyn FnMut(&dyn Display, usize, &mut Option<String>) -> Result<()> + 'v;

/// The shortest that a text is cut to for the event's sake: one character of any kind.
const CHARACTER: usize = 4;

impl RecordInput {
    /// Brings what outsiders fill, `metadata` with it, within the limits, and gives the paths of what is not kept as it
    /// was sent: texts that were cut, or have U+FFFD where a character cannot be kept. Blank texts become absent.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for metadata that is no JSON object of distinct keys, and for an event that is too large by the
    /// ids of our contract alone. For a strict caller, for everything that would be marked, and for blank texts.
    pub fn keep(&mut self, metadata: &mut Metadata) -> Result<Vec<String>> {
        let mut marks = Marks::new(self.strict);
        self.each_text(&mut |path, _, text| {
            if text.as_deref().is_some_and(text::is_blank) {
                marks.forgive(path, || BLANK.to_owned())?;
                *text = None;
            }
            Ok(())
        })?;
        if self.resources.len() > limits::RESOURCES {
            let got = self.resources.len();
            marks.note("resources", || format!("must be at most {} items, got {got}", limits::RESOURCES))?;
            self.resources.truncate(limits::RESOURCES);
        }
        self.each_text(&mut |path, most, text| keep_text(path, most, text, &mut marks))?;
        metadata.keep(&mut marks)?;
        self.fit(metadata, &mut marks)?;
        Ok(marks.into_paths())
    }

    /// Every text that outsiders fill.
    fn each_text(&mut self, visit: &mut Visitor<'_>) -> Result<()> {
        each_of_actor("actor", &mut self.actor, visit)?;
        if let Some(actor) = &mut self.on_behalf_of {
            each_of_actor("onBehalfOf", actor, visit)?;
        }
        for (i, resource) in self.resources.iter_mut().enumerate() {
            let Resource { kind, id, name } = resource;
            for (part, text) in [("type", kind), ("id", id), ("name", name)] {
                visit(&format_args!("resources[{i}].{part}"), limits::TEXT_BYTES, text)?;
            }
        }
        for (field, most, text) in [
            ("ipAddress", limits::HEADER_BYTES, &mut self.ip_address),
            ("userAgent", limits::HEADER_BYTES, &mut self.user_agent),
            ("correlationId", limits::TEXT_BYTES, &mut self.correlation_id),
            ("source", limits::TEXT_BYTES, &mut self.source),
            ("sourceEventId", limits::TEXT_BYTES, &mut self.source_event_id),
        ] {
            visit(&field, most, text)?;
        }
        self.log.as_mut().map_or(Ok(()), |log| each_name(log, "log", visit))
    }

    /// Takes what makes the event too large: first the other texts give way as far as they have more than their half,
    /// then metadata.
    fn fit(&mut self, metadata: &mut Metadata, marks: &mut Marks) -> Result<()> {
        let length = metadata.length();
        let rest = self.all_but_metadata().len();
        if rest + length <= limits::EVENT_BYTES {
            return Ok(());
        }
        let too_large = |got: usize| over(&"event", limits::EVENT_BYTES, "bytes of JSON", got);
        if self.strict {
            return Err(too_large(rest + length));
        }
        let room = limits::EVENT_BYTES.saturating_sub(length).max(limits::EVENT_BYTES / 2);
        if rest > room {
            self.cut_texts(room, marks)?;
        }
        let room = limits::EVENT_BYTES.checked_sub(self.all_but_metadata().len()).filter(|room| *room >= 2);
        let room = room.ok_or_else(|| too_large(rest + length))?;
        metadata.shorten(room, marks)
    }

    /// Cuts the longest texts, all down to the same length, so that all but metadata has so many bytes.
    fn cut_texts(&mut self, room: usize, marks: &mut Marks) -> Result<()> {
        let fits = |most: usize| {
            let mut tried = self.clone();
            let cut = tried.each_text(&mut |path, _, text| keep_text(path, most, text, &mut Marks::new(false)));
            cut.is_ok() && tried.all_but_metadata().len() <= room
        };
        let most = longest(CHARACTER, limits::HEADER_BYTES, fits).unwrap_or(CHARACTER);
        self.each_text(&mut |path, _, text| keep_text(path, most, text, marks))
    }
}

fn each_of_actor(name: &str, actor: &mut Actor, visit: &mut Visitor<'_>) -> Result<()> {
    for (part, text) in [("id", &mut actor.id), ("name", &mut actor.name), ("email", &mut actor.email)] {
        visit(&format_args!("{name}.{part}"), limits::TEXT_BYTES, text)?;
    }
    Ok(())
}

/// Names of logs are texts that people gave to their projects.
fn each_name(log: &mut LogRef, field: &str, visit: &mut Visitor<'_>) -> Result<()> {
    visit(&format_args!("{field}.name"), limits::TEXT_BYTES, &mut log.name)?;
    log.parent.as_mut().map_or(Ok(()), |parent| each_name(parent, &format!("{field}.parent"), visit))
}

fn keep_text(path: &dyn Display, most: usize, text: &mut Option<String>, marks: &mut Marks) -> Result<()> {
    let Some(kept) = text else { return Ok(()) };
    if kept.contains('\0') {
        marks.note(path, || UNSTORABLE.to_owned())?;
        *kept = kept.replace('\0', "\u{fffd}");
    }
    if kept.len() > most {
        let got = kept.len();
        marks.note(path, || format!("must be at most {most} bytes, got {got}"))?;
        kept.truncate(kept.floor_char_boundary(most));
        if text::is_blank(kept) {
            *text = None;
        }
    }
    Ok(())
}
