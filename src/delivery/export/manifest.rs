//! What lies beside an exported file: what was asked for, and what came of it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Form, Written};
use crate::{
    error::{Error, Result},
    event::Timestamp,
    reading::extract::Extract,
};

/// Version of the manifest itself.
const VERSION: u8 = 1;

/// A manifest, as JSON.
#[derive(Serialize)]
pub struct Manifest {
    manifest_version: u8,
    format: &'static str,
    format_version: &'static str,
    product: String,
    organization: String,
    /// `level:id`; null for the organization's own.
    log: Option<String>,
    include_nested: Option<bool>,
    /// As asked for, in the form that cursors are bound to; null where everything was.
    filter: Option<Box<RawValue>>,
    time_zone: &'static str,
    created_at: Timestamp,
    /// Events of the organization at the moment that the file is as of: those with smaller sequences were looked at.
    as_of_sequence: i64,
    count: u64,
    first_sequence: Option<i64>,
    last_sequence: Option<i64>,
    bytes: u64,
    sha256: String,
}

impl Manifest {
    /// The manifest of a file that was written to its end; `asked` is the filter as it was asked for.
    ///
    /// # Errors
    /// `INTERNAL` where the filter is no JSON.
    pub fn new(
        extract: &Extract,
        asked: Option<String>,
        form: &Form,
        written: &Written,
        now: Timestamp,
    ) -> Result<Self> {
        let list = extract.list();
        Ok(Self {
            manifest_version: VERSION,
            format: form.format.as_str(),
            format_version: form.format.version(),
            product: extract.product().name.clone(),
            organization: extract.organization().to_owned(),
            log: list.log.as_ref().map(ToString::to_string),
            include_nested: list.include_nested,
            filter: asked.map(RawValue::from_string).transpose().map_err(Error::internal)?,
            time_zone: form.zone.name(),
            created_at: now,
            as_of_sequence: extract.total(),
            count: written.count,
            first_sequence: written.first,
            last_sequence: written.last,
            bytes: written.bytes,
            sha256: hex(&written.sha256()),
        })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("texts and numbers are JSON");
        text + "\n"
    }
}

/// Bytes as digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
