//! What a person typed into a query box: fields, words and exclusions in one text. `docs/query.md` describes the grammar, and
//! `tests/vectors/query.json` has examples.

mod filter;
mod moment;
mod typed;

use std::ops::Range;

pub use filter::Moments;
pub use moment::Moment;
pub use typed::{Typed, written};

use crate::{
    error::{Error, Result},
    event::limits,
};

/// A text, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Its parts, in their order.
    pub items: Vec<Item>,
}

/// A part of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it stands, in characters.
    pub at: Range<usize>,
    /// Whether events that it fits are left out.
    pub is_excluded: bool,
    /// What it asks for.
    pub asked: Asked,
}

/// What a part of a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Text to search for, with its quotes and stars.
    Words(String),
    /// One of these values in a field.
    Field(Field, Vec<Value>),
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The value, without its quotes.
    pub text: String,
    /// Whether it stood in quotes, where a star is a star.
    pub is_quoted: bool,
    /// Where it stands, in characters, with its quotes.
    pub at: Range<usize>,
}

/// A field that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Who acted: an id, or a part of a name or e-mail address.
    Actor,
    /// The kind of actor.
    Kind,
    /// The name of an action, or a beginning of names.
    Action,
    /// The code of a category.
    Category,
    /// How it ended.
    Outcome,
    /// What was acted on: a type, an id or a name.
    Resource,
    /// The address.
    Ip,
    /// The system that the event comes from.
    Source,
    /// The correlation id.
    Correlation,
    /// What is known, or was done to the event.
    Has,
    /// From this moment on.
    After,
    /// Before this moment.
    Before,
    /// On this day.
    On,
}

impl Field {
    /// All fields, in the order in which they are offered.
    pub const ALL: [Self; 13] = [
        Self::Actor,
        Self::Action,
        Self::Category,
        Self::Outcome,
        Self::Resource,
        Self::Ip,
        Self::After,
        Self::Before,
        Self::On,
        Self::Kind,
        Self::Source,
        Self::Correlation,
        Self::Has,
    ];

    /// The name that stands before the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Kind => "kind",
            Self::Action => "action",
            Self::Category => "category",
            Self::Outcome => "outcome",
            Self::Resource => "resource",
            Self::Ip => "ip",
            Self::Source => "source",
            Self::Correlation => "correlation",
            Self::Has => "has",
            Self::After => "after",
            Self::Before => "before",
            Self::On => "on",
        }
    }
}

impl Query {
    /// Takes a text apart.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `query` with the place, where the text is too long, a field has no value, or a word looks like an
    /// operator that there is none of.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader { chars: text.chars().collect(), at: 0, is_whole: true };
        if reader.chars.len() > limits::QUERY_CHARS {
            let rule = format!("must be at most {} characters, got {}", limits::QUERY_CHARS, reader.chars.len());
            return Err(fault(limits::QUERY_CHARS..reader.chars.len(), rule));
        }
        let mut items = Vec::new();
        loop {
            reader.skip(char::is_whitespace);
            if reader.at == reader.chars.len() {
                return Ok(Self { items });
            }
            items.push(reader.item()?);
        }
    }
}

/// An error at a place of the text.
fn fault(at: Range<usize>, rule: impl Into<String>) -> Error {
    Error::BadQuery { at, rule: rule.into(), suggestions: Vec::new() }
}

#[cfg(test)]
mod tests;

struct Reader {
    chars: Vec<char>,
    at: usize,
    /// Whether the text is one that somebody has written, and not what stands before their cursor.
    is_whole: bool,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&which) {
            self.at += 1;
        }
    }

    fn text(&self, at: Range<usize>) -> String {
        self.chars[at].iter().collect()
    }

    fn item(&mut self) -> Result<Item> {
        let start = self.at;
        let after_minus = self.chars.get(start + 1).is_some_and(|&c| c == '"' || c.is_alphanumeric());
        let is_excluded = self.peek() == Some('-') && after_minus;
        self.at += usize::from(is_excluded);
        let asked = match self.field() {
            Some(field) => Asked::Field(field, self.values(start, field)?),
            None => Asked::Words(self.word(is_excluded)?),
        };
        Ok(Item { at: start..self.at, is_excluded, asked })
    }

    /// The field whose name and colon stand here, which are passed over; what only looks like one, as in `https://`, is text.
    fn field(&mut self) -> Option<Field> {
        let letters = self.chars[self.at..].iter().take_while(|c| c.is_ascii_alphabetic()).count();
        let end = self.at + letters;
        if self.chars.get(end) != Some(&':') {
            return None;
        }
        let name = self.text(self.at..end).to_ascii_lowercase();
        let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
        self.at = end + 1;
        Some(field)
    }

    fn values(&mut self, start: usize, field: Field) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            let from = self.at;
            let is_quoted = self.peek() == Some('"');
            let text = if is_quoted {
                self.quoted()
            } else {
                self.skip(|c| !c.is_whitespace() && c != ',');
                self.text(from..self.at)
            };
            if text.is_empty() && self.is_whole {
                let name = field.name();
                let rule = format!(
                    "{name}: needs a value right after the colon or comma; put \"{name}:\" into quotes to search for that text"
                );
                return Err(fault(start..self.at, rule));
            }
            values.push(Value { text, is_quoted, at: from..self.at });
            if self.peek() != Some(',') {
                return Ok(values);
            }
            self.at += 1;
        }
    }

    /// The text between quotes, where `\"` is a quote and `\\` a backslash; without an end, it reaches to that of the text.
    fn quoted(&mut self) -> String {
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match (c, self.peek()) {
                ('"', _) => break,
                ('\\', Some(escaped @ ('"' | '\\'))) => {
                    self.at += 1;
                    text.push(escaped);
                }
                _ => text.push(c),
            }
        }
        text
    }

    fn word(&mut self, is_excluded: bool) -> Result<String> {
        let start = self.at;
        if self.peek() == Some('"') {
            // A search knows no quote inside of quotes, and takes anything that is no word for a blank.
            return Ok(format!("\"{}\"", self.quoted().replace('"', " ")));
        }
        self.skip(|c| !c.is_whitespace() && c != '"');
        let text = self.text(start..self.at);
        if self.is_whole && !is_excluded && matches!(text.as_str(), "AND" | "OR" | "NOT") {
            let instead = match text.as_str() {
                "OR" => "values of one field stand with commas between, as in outcome:failure,accepted",
                "AND" => "all parts have to hold anyhow",
                _ => "a minus before a part leaves out what it fits",
            };
            let rule = format!("{text} is no operator: {instead}; put \"{text}\" into quotes to search for the word");
            return Err(fault(start..self.at, rule));
        }
        Ok(text)
    }
}
