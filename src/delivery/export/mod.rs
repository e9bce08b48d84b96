//! Exports: the events of a list as a file, in the order of recording. A format is a file here; `docs/export.md` describes
//! each with its version, because files outlive the software that wrote them.

mod cloudevents;
mod csv;
mod files;
mod job;
mod link;
mod manifest;
mod ndjson;
mod ocsf;
mod work;

use std::sync::Arc;

use chrono_tz::Tz;
use sha2::{Digest, Sha256};

pub use files::Files;
pub use job::{Exports, Fetched, Part, path};
pub use link::GOOD_FOR;
pub use manifest::Manifest;

use crate::{
    catalog::Product,
    error::{Error, Result},
    question::period,
    reading::{extract::Extract, shown::Shown},
};

/// Events that are read and written at once: with metadata of the greatest size, 16 MB.
pub const BATCH: usize = 250;

/// The form of an exported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// Rows for people and their spreadsheets.
    Csv,
    /// The JSON form of an event, one a line.
    Ndjson,
    /// Events of the Open Cybersecurity Schema Framework, one a line.
    Ocsf,
    /// CloudEvents in their JSON form, one a line.
    #[value(name = "cloudevents")]
    CloudEvents,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Ndjson, Self::Ocsf, Self::CloudEvents];

    /// Its name, as clients write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Ocsf => "OCSF",
            Self::CloudEvents => "CLOUDEVENTS",
        }
    }

    /// The format of a name.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`.
    pub fn named(field: &str, name: &str) -> Result<Self> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|format| format.as_str() == name);
        found.ok_or_else(|| Error::bad_input(field, format!("must be one of {}, got {name:?}", names())))
    }

    /// Version of the format: it grows when a reader of the files would have to change.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Csv | Self::Ndjson => "1",
            Self::Ocsf => crate::catalog::ocsf::VERSION,
            Self::CloudEvents => "1.0",
        }
    }

    /// The media type of a file.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson | Self::Ocsf | Self::CloudEvents => "application/x-ndjson",
        }
    }

    /// How the name of a file ends.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Ocsf => "ocsf.ndjson",
            Self::CloudEvents => "cloudevents.ndjson",
        }
    }
}

/// How events are written.
#[derive(Clone)]
pub struct Form {
    /// The format.
    pub format: Format,
    /// The zone of the second time of a row of CSV; other formats have all times in UTC.
    pub zone: Tz,
}

impl Form {
    /// A format with the name of a time zone, UTC where there is none.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`.
    pub fn new(format: Format, field: &str, zone: Option<&str>) -> Result<Self> {
        let zone = zone.map_or(Ok(Tz::UTC), |name| period::time_zone(field, name))?;
        Ok(Self { format, zone })
    }

    /// What a file begins with.
    pub fn begin(&self, out: &mut Vec<u8>) {
        if self.format == Format::Csv {
            csv::header(out);
        }
    }

    /// Writes events of one organization.
    pub fn write(&self, organization: &str, events: &[Shown], out: &mut Vec<u8>) {
        match self.format {
            Format::Csv => csv::rows(events, self.zone, out),
            Format::Ndjson => events.iter().for_each(|shown| ndjson::line(shown, out)),
            Format::Ocsf => events.iter().for_each(|shown| ocsf::line(organization, shown, out)),
            Format::CloudEvents => events.iter().for_each(|shown| cloudevents::line(organization, shown, out)),
        }
    }
}

/// Ends a line of JSON. Texts and numbers are JSON whatever they say.
fn json_line(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, value).expect("texts and numbers are JSON, and memory takes them");
    out.push(b'\n');
}

/// What has been written of a file so far.
#[derive(Clone, Default)]
pub struct Written {
    /// Events.
    pub count: u64,
    /// Sequence of the first one.
    pub first: Option<i64>,
    /// Sequence of the last one.
    pub last: Option<i64>,
    /// Bytes.
    pub bytes: u64,
    hash: Sha256,
}

impl Written {
    /// Adds what a file goes on with.
    pub fn add(&mut self, events: &[Shown], bytes: &[u8]) {
        self.count += events.len() as u64;
        let sequence = |shown: Option<&Shown>| shown.map(|shown| shown.event().sequence);
        self.first = self.first.or(sequence(events.first()));
        self.last = sequence(events.last()).or(self.last);
        self.add_bytes(bytes);
    }

    /// Adds bytes alone, as of a part that was written before.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// SHA-256 of everything so far.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}

/// A file that is written as it is read, in bounded memory.
pub struct Streamed {
    extract: Extract,
    form: Form,
    begun: bool,
}

impl Streamed {
    /// A file of a list.
    #[must_use]
    pub fn new(extract: Extract, form: Form) -> Self {
        Self { extract, form, begun: false }
    }

    /// The product whose log it is of.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        self.extract.product()
    }

    /// The list that is read.
    #[must_use]
    pub fn extract(&self) -> &Extract {
        &self.extract
    }

    /// What the file goes on with, and the events in it; `None` at its end.
    ///
    /// # Errors
    /// As [`Extract::look`]: the file is not complete then, and whoever takes it must be told.
    pub async fn next(&mut self) -> Result<Option<(Vec<Shown>, Vec<u8>)>> {
        let mut out = Vec::new();
        if !self.begun {
            self.begun = true;
            self.form.begin(&mut out);
        }
        while !self.extract.is_done() {
            let events = self.extract.look(BATCH).await?;
            self.form.write(self.extract.organization(), &events, &mut out);
            if !out.is_empty() {
                return Ok(Some((events, out)));
            }
        }
        Ok((!out.is_empty()).then(|| (Vec::new(), out)))
    }
}
