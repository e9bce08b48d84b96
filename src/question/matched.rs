//! Which texts of an event have what was searched for, so that they can be shown and marked.

use super::{
    search::Search,
    sought::{Sought, Tested},
};
use crate::event::{
    Event,
    json::{Seen, Tree},
};

/// Most texts that are told of one event.
const MATCHES: usize = 20;
/// Characters of a text that are told.
const CHARS: usize = 300;

/// A text of an event that has something of what was searched for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Match {
    /// Path of the field, such as `actor.name`, `resources[0].id` or `metadata.plan.from`.
    pub field: String,
    /// Its text, as it is stored. Of a long one, a part that has it.
    pub text: String,
}

impl Search {
    /// The texts of an event that have something of what is asked for, in the order of its fields. Nothing is told of what was
    /// masked. A label that has it is the caller's to tell.
    #[must_use]
    pub fn matches(&self, event: &Event) -> Vec<Match> {
        let mut found = Vec::new();
        let mut look = |field: &str, text: &str, is_key: bool| {
            if found.len() == MATCHES || is_within(&event.masked, field) {
                return;
            }
            let tested = if is_key { Tested::key(text) } else { Tested::value(text) };
            if let Some(sought) = self.all.iter().find(|sought| sought.is_in(&tested)) {
                found.push(Match { field: field.to_owned(), text: part(text, sought, is_key) });
            }
        };
        let mut value = |field: &str, text: Option<&str>| text.into_iter().for_each(|text| look(field, text, false));
        value("action", Some(&event.action));
        value("category", event.category.as_deref());
        value("actor.id", event.actor.id.as_deref());
        value("actor.name", event.actor.name.as_deref());
        value("actor.email", event.actor.email.as_deref());
        if let Some(represented) = &event.on_behalf_of {
            value("onBehalfOf.id", represented.id.as_deref());
            value("onBehalfOf.name", represented.name.as_deref());
            value("onBehalfOf.email", represented.email.as_deref());
        }
        value("ipAddress", event.ip_address.as_deref());
        value("userAgent", event.user_agent.as_deref());
        for (at, resource) in event.resources.iter().enumerate() {
            value(&format!("resources[{at}].type"), resource.kind.as_deref());
            value(&format!("resources[{at}].id"), resource.id.as_deref());
            value(&format!("resources[{at}].name"), resource.name.as_deref());
        }
        Tree::read(&event.metadata, usize::MAX).each_text(&mut |path, seen| match seen {
            Seen::Key(text) => look(&format!("metadata.{path}"), text, true),
            Seen::Value(text) => look(&format!("metadata.{path}"), text, false),
            Seen::Replaced(_) => {}
        });
        found
    }
}

/// Whether a path is one of some, or leads to something within.
fn is_within(paths: &[String], field: &str) -> bool {
    paths.iter().any(|path| {
        field.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// A text of so many characters, or the part of it that has something: from its word on, and a little before it.
fn part(text: &str, sought: &Sought, is_key: bool) -> String {
    if text.chars().nth(CHARS).is_none() {
        return text.to_owned();
    }
    let tested = |part: &str| if is_key { Tested::key(part) } else { Tested::value(part) };
    let has = |part: &str| sought.is_in(&tested(part));
    let words: Vec<usize> =
        text.split_whitespace().map(|word| word.as_ptr() as usize - text.as_ptr() as usize).collect();
    // The last word from which on the rest has it, as long as halving finds one.
    let (mut low, mut high) = (0, words.len());
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        if has(&text[words[middle]..]) { low = middle } else { high = middle }
    }
    let from = words.get(low.saturating_sub(3)).copied().unwrap_or(0);
    let end = text[from..].char_indices().nth(CHARS).map_or(text.len(), |(at, _)| from + at);
    text[from..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(text: &str) -> Sought {
        Search::parse(text, |_, _| Default::default()).unwrap().all.remove(0)
    }

    #[test]
    fn of_a_long_text_the_part_that_has_it_is_told() {
        let text = format!("{} needle here {}", "hay ".repeat(500), "straw ".repeat(500));
        let told = part(&text, &sought("needle"), false);
        assert!(told.contains("needle here straw") && told.chars().count() == CHARS, "{told}");
        assert_eq!(part("a needle", &sought("needle"), false), "a needle");
        let run = format!("{}.needle", "x".repeat(1_000));
        assert_eq!(part(&run, &sought("needle"), false).chars().count(), CHARS);
    }

    #[test]
    fn a_path_covers_what_lies_within() {
        let paths = ["metadata.user".to_owned(), "ipAddress".to_owned()];
        for (field, within) in [
            ("metadata.user", true),
            ("metadata.user.name", true),
            ("metadata.user[0]", true),
            ("metadata.users", false),
        ] {
            assert_eq!(is_within(&paths, field), within, "{field}");
        }
    }
}
