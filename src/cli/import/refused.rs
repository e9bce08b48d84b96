//! What is told of refused records: some on the terminal, all of them in a file.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde_json::json;

use super::{records::Place, source::Format};
use crate::{cli::mention, error::Error};

/// Refused records that are printed; the rest are counted.
const SHOWN: usize = 50;

/// Where refused records go.
pub struct Refused {
    bar: ProgressBar,
    format: Format,
    files: Option<Files>,
    /// How many there were.
    pub count: usize,
}

/// The records as they stood, in a form that can be corrected and imported, and beside it the reasons.
struct Files {
    path: PathBuf,
    records: BufWriter<File>,
    reasons: BufWriter<File>,
    is_first: bool,
}

impl Refused {
    /// Nowhere but on the terminal, or into a file too. What stood there is replaced.
    ///
    /// # Errors
    /// Where the file cannot be written, or is the one that is read.
    pub fn new(bar: ProgressBar, path: Option<&Path>, source: &Path) -> Result<Self> {
        let files = path.map(|path| Files::create(path, source)).transpose()?;
        Ok(Self { bar, format: Format::Lines, files, count: 0 })
    }

    /// Whether the records themselves are kept.
    pub fn keeps_records(&self) -> bool {
        self.files.is_some()
    }

    /// Says what form the records have, and the header of rows.
    pub fn start(&mut self, format: Format, header: &[u8]) -> Result<()> {
        self.format = format;
        let Some(files) = &mut self.files else { return Ok(()) };
        files.write(|files| match format {
            Format::Lines => Ok(()),
            Format::Json => files.records.write_all(b"["),
            Format::Csv => files.records.write_all(header),
        })
    }

    /// A record that was refused.
    pub fn put(&mut self, place: Place, record: &[u8], error: &Error) -> Result<()> {
        self.count += 1;
        if self.count <= SHOWN {
            let Place { line, record } = place;
            let event = if self.format == Format::Json { format!(", event {record}") } else { String::new() };
            self.bar.suspend(|| mention(format_args!("line {line}{event}: {error}")));
        } else if self.count == SHOWN + 1 {
            let kept = if self.files.is_some() { "" } else { "; --refused FILE keeps all" };
            self.bar.suspend(|| mention(format_args!("more lines are refused and counted, not shown{kept}")));
        }
        let (format, Some(files)) = (self.format, &mut self.files) else { return Ok(()) };
        files.write(|files| {
            files.records.write_all(match (format, files.is_first) {
                (Format::Json, false) => b",\n",
                (Format::Lines, true) => b"",
                _ => b"\n",
            })?;
            files.is_first = false;
            files.records.write_all(record)?;
            serde_json::to_writer(&mut files.reasons, &reason(place, error))?;
            files.reasons.write_all(b"\n")
        })
    }

    /// More of the record that was refused last.
    pub fn rest(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.write(|files| files.records.write_all(bytes))
    }

    /// Brings what there is so far to the file.
    pub fn flush(&mut self) -> Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.write(|files| {
            files.records.flush()?;
            files.reasons.flush()
        })
    }

    /// Ends the file.
    pub fn end(&mut self) -> Result<()> {
        let (format, Some(files)) = (self.format, &mut self.files) else { return Ok(()) };
        files.write(|files| match (format, files.is_first) {
            (Format::Lines, true) => Ok(()),
            (Format::Json, _) => files.records.write_all(b"\n]\n"),
            _ => files.records.write_all(b"\n"),
        })?;
        self.flush()
    }
}

impl Files {
    fn create(path: &Path, source: &Path) -> Result<Self> {
        let reasons = path.with_added_extension("reasons");
        let cannot = |path: &Path| format!("--refused: {} cannot be written", path.display());
        let real = |path: &Path| fs::canonicalize(path).ok();
        for path in [path, &reasons] {
            if real(path).is_some_and(|path| Some(path) == real(source)) {
                bail!("--refused: {} is the file that is read: name another one", path.display());
            }
        }
        let create = |path: &Path| File::create(path).map(BufWriter::new).with_context(|| cannot(path));
        Ok(Self { path: path.to_owned(), records: create(path)?, reasons: create(&reasons)?, is_first: true })
    }

    fn write(&mut self, write: impl FnOnce(&mut Self) -> std::io::Result<()>) -> Result<()> {
        write(self).with_context(|| format!("--refused: {} cannot be written", self.path.display()))
    }
}

/// A reason as a program reads it.
fn reason(place: Place, error: &Error) -> serde_json::Value {
    let (field, rule, suggestions, existing) = match error {
        Error::BadInput { field, rule, suggestions, .. } => (Some(field.as_str()), Some(rule), &suggestions[..], None),
        Error::Conflict { existing, .. } => (Some("idempotencyKey"), None, &[][..], existing.as_ref()),
        _ => (None, None, &[][..], None),
    };
    json!({
        "line": place.line, "record": place.record, "code": error.code().as_str(), "field": field, "rule": rule,
        "message": error.to_string(), "suggestions": suggestions, "existing": existing,
    })
}
