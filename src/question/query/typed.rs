//! What somebody is typing: the part of a query that a cursor stands in.

use std::ops::Range;

use super::{Asked, Field, Query, Reader};
use crate::{
    error::{Error, Result},
    event::limits,
};

/// What is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The field whose value it is; a word, or the beginning of a field's name, where there is none.
    pub field: Option<Field>,
    /// What stands before the cursor, without quotes.
    pub text: String,
    /// What a completion takes the place of, in characters.
    pub at: Range<usize>,
}

impl Query {
    /// What is being typed where the cursor stands: after so many characters of the text; nothing within a phrase, or after one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `text` or `at`.
    pub fn typed(text: &str, at: usize) -> Result<Option<Typed>> {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() > limits::QUERY_CHARS {
            let rule = format!("must be at most {} characters, got {}", limits::QUERY_CHARS, chars.len());
            return Err(Error::bad_input("text", rule));
        }
        if at > chars.len() {
            return Err(Error::bad_input("at", format!("must be from 0 to {}, got {at}", chars.len())));
        }
        let end = |from: usize, stops: &[char]| {
            let rest = chars[from..].iter();
            from + rest.take_while(|c| !c.is_whitespace() && !stops.contains(c)).count()
        };
        let mut reader = Reader { chars: chars[..at].to_vec(), at: 0, is_whole: false };
        loop {
            reader.skip(char::is_whitespace);
            if reader.at == at {
                return Ok(Some(Typed { field: None, text: String::new(), at: at..at }));
            }
            let item = reader.item()?;
            if item.at.end < at {
                continue;
            }
            return Ok(match item.asked {
                Asked::Field(field, values) => values.into_iter().next_back().and_then(|value| {
                    let to = match value.is_quoted {
                        true if is_closed(&chars[value.at.clone()]) => return None,
                        true => closing(&chars, at),
                        false => end(at, &[',']),
                    };
                    Some(Typed { field: Some(field), text: value.text, at: value.at.start..to })
                }),
                Asked::Words(text) => {
                    let from = item.at.start + usize::from(item.is_excluded);
                    (chars[from] != '"').then(|| Typed { field: None, text, at: from..end(at, &['"']) })
                }
            });
        }
    }
}

/// Whether a value that begins with a quote ends with one.
fn is_closed(value: &[char]) -> bool {
    let mut is_escaped = false;
    let mut inner = value.iter().skip(1).filter(|&&c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    inner.next().is_some()
}

/// The place after the quote that closes what is open before `at`; without one, the end.
fn closing(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|&c| c == '"').map_or(chars.len(), |quote| at + quote + 1)
}

/// A value as it is written in a query: in quotes where it needs them.
#[must_use]
pub fn written(value: &str) -> String {
    let is_plain = !value.is_empty()
        && !value.ends_with('*')
        && !value.contains(|c: char| c.is_whitespace() || c == ',' || c == '"');
    if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}
