//! What of an event is not kept as it was sent.

use std::fmt::Display;

use crate::error::{Error, Result};

/// Paths of what was cut or replaced, as in `metadata.headers.cookie`; for a strict caller, the refusal of the first.
#[derive(Debug)]
pub struct Marks {
    strict: bool,
    paths: Vec<String>,
}

/// Most paths of one event: outsiders could make thousands. Above that, one path stands for all of metadata, or of the
/// resources.
const PATHS: usize = 32;
/// Longest path, in bytes: keys of metadata may fill an event.
const PATH_BYTES: usize = 256;
/// What one path may stand for.
const WHOLE: [&str; 2] = ["metadata", "resources"];

impl Marks {
    /// None so far.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self { strict, paths: Vec::new() }
    }

    /// Marks a path that breaks a rule.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming path and rule, for a strict caller.
    pub fn note(&mut self, path: impl Display, rule: impl FnOnce() -> String) -> Result<()> {
        self.forgive(&path, rule)?;
        let path = path.to_string();
        let path = if path.len() <= PATH_BYTES { path } else { whole(&path).unwrap_or(&path).to_owned() };
        let known = |known: &String| *known == path || Some(known.as_str()) == whole(&path);
        if self.paths.iter().any(known) {
            return Ok(());
        }
        self.paths.push(path);
        for one in WHOLE {
            if self.paths.len() > PATHS {
                self.paths.retain(|path| whole(path) != Some(one));
                self.paths.push(one.to_owned());
            }
        }
        Ok(())
    }

    /// Passes what breaks a rule and needs no mark, because nothing is lost.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming path and rule, for a strict caller.
    pub fn forgive(&self, path: impl Display, rule: impl FnOnce() -> String) -> Result<()> {
        if self.strict { Err(Error::bad_input(path.to_string(), rule())) } else { Ok(()) }
    }

    /// The paths, in the order of their finding.
    #[must_use]
    pub fn into_paths(self) -> Vec<String> {
        self.paths
    }
}

/// What a path lies in, where one path may stand for all inside of it.
fn whole(path: &str) -> Option<&'static str> {
    WHOLE
        .into_iter()
        .find(|one| path.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
}

#[cfg(test)]
mod tests {
    use super::Marks;

    #[test]
    fn paths_are_few_and_short() {
        let mut marks = Marks::new(false);
        for i in 0..40 {
            marks.note(format_args!("metadata.k{i}"), String::new).unwrap();
            marks.note("userAgent", String::new).unwrap();
        }
        assert_eq!(marks.into_paths(), ["userAgent", "metadata"]);
        let mut marks = Marks::new(false);
        marks.note(format!("metadata.{}", "k".repeat(300)), String::new).unwrap();
        marks.note("metadata.k", String::new).unwrap();
        (0..60).for_each(|i| marks.note(format_args!("resources[{i}].name"), String::new).unwrap());
        assert_eq!(marks.into_paths(), ["metadata", "resources"]);
    }

    #[test]
    fn a_strict_caller_is_refused_at_the_first() {
        let mut marks = Marks::new(true);
        let error = marks.note("userAgent", || "must be short".to_owned()).unwrap_err();
        assert_eq!(error.to_string(), "userAgent: must be short");
    }
}
